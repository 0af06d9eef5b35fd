// SPDX-License-Identifier: Apache-2.0
// Any bytes are a value with exactly these bytes, or a refusal within them.
#include <cstdint>
#include <cstdlib>

#include "../core/samples.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace blendr;
    auto const raw = std::as_bytes(std::span{data, size});
    if (auto const value = decode<sample::everything>(raw)) {
        if (encode(*value) != to_bytes(raw)) std::abort();
    } else if (value.error().at > size || value.error().what == decode_fault::none) {
        std::abort();
    }
    if (auto const value = decode<sample::tree>(raw); value && encode(*value) != to_bytes(raw))
        std::abort();
    return 0;
}
