// SPDX-License-Identifier: Apache-2.0
// The input chooses the operations; order_book and the naive book must agree on every one.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "../market/book_model.hpp"

namespace {

struct chooser {
    std::uint8_t const* at;
    std::uint8_t const* end;

    std::uint64_t operator()(std::uint64_t n) noexcept
    {
        std::uint64_t value = 0;
        for (std::uint64_t reach = 1; reach < n && at != end; reach <<= 8)
            value = value << 8 | *at++;
        return value % n;
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace blendr;
    using namespace blendr::market;
    chooser bytes{data, data + size};
    auto* const rest = &bytes;
    auto const choose = [rest](std::uint64_t n) { return (*rest)(n); };
    testing::book_model model{{.lowest = price{10}, .tick = 2, .levels = 70, .orders_max = 12},
                              choose};
    for (unsigned i = 0; i < 2000 && bytes.at != bytes.end; ++i) {
        if (model.step()) std::abort();
        if (i % 64 == 63 && model.through_bytes()) std::abort();
    }
    if (model.look() || model.through_bytes()) std::abort();
    return 0;
}
