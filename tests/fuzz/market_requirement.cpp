// SPDX-License-Identifier: Apache-2.0
// Any text is refused with a column inside it, or has one canonical form that means the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <blendr/market/requirement.hpp>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace blendr::market;
    std::string_view const text{reinterpret_cast<char const*>(data), size};
    auto const offer = capability::parse(
        "vendor=nvidia, model=rtx4090, features={fp16,int8}, vram=24_GiB, driver_api=1.3, tier=2");
    if (!offer) std::abort();
    if (auto const own = capability::parse(text)) {
        auto const again = capability::parse(own->to_text());
        if (!again || *again != *own) std::abort();
    }
    auto const asked = requirement::parse(text);
    if (!asked) {
        auto const& e = asked.error();
        if (e.column == 0 || e.column > size + 1 || e.what.empty()) std::abort();
        return 0;
    }
    auto const form = asked->to_text();
    auto const again = requirement::parse(form);
    if (!again || *again != *asked || again->to_text() != form) std::abort();
    if (asked->parts().size() > 2 * requirement::parts_max) std::abort();
    if (asked->of(*offer) != again->of(*offer)) std::abort();
    return 0;
}
