// SPDX-License-Identifier: Apache-2.0
// Text from people: JSON, hex and amounts are read to a value that writes back the same, or refused.
#include <cstdint>
#include <cstdlib>

#include <blendr/core/json.hpp>

#include "../core/samples.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace blendr;
    auto const text = as_text(std::as_bytes(std::span{data, size}));
    if (auto const raw = from_hex(text); raw && from_hex(to_hex(*raw)) != *raw) std::abort();
    if (auto const value = parse_amount(text); value && parse_amount(to_string(*value)) != *value)
        std::abort();
    auto const json = parse_json(text);
    if (!json) return json.error().what.empty() ? std::abort(), 0 : 0;
    auto const value = from_json<sample::transfer>(*json);
    if (value && encode(*from_json<sample::transfer>(to_json(*value))) != encode(*value))
        std::abort();
    if (!value && value.error().what.empty()) std::abort();
    if (auto const list = from_json<std::vector<sample::choice>>(*json)) (void)to_json(*list);
    if (auto const nested = from_json<sample::tree>(*json)) (void)to_pretty_text(to_json(*nested));
    return 0;
}
