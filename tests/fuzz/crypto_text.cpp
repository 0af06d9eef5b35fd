// SPDX-License-Identifier: Apache-2.0
// Addresses, content ids and keys that people type: read to a value that writes back the same, or
// refused at a place within the text.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <blendr/crypto.hpp>

namespace {

std::string lowered(std::string text)
{
    std::transform(text.begin(), text.end(), text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace blendr;
    using namespace blendr::crypto;
    auto const text = as_text(std::as_bytes(std::span{data, size}));
    if (auto const parts = parse_bech32m(text)) {
        if (to_bech32m(parts->prefix, parts->symbols) != lowered(std::string{text})) std::abort();
    } else if (parts.error().at > size || message(parts.error()).empty()) {
        std::abort();
    }
    if (auto const who = parse_address(text); who && to_text(*who) != lowered(std::string{text}))
        std::abort();
    if (auto const id = parse_cid(text)) {
        if (to_text(*id) != text) std::abort();
    } else if (id.error().at > size || message(id.error()).empty()) {
        std::abort();
    }
    if (auto const id = parse_cid(as_bytes(text)); id && !equal(to_binary(*id), as_bytes(text)))
        std::abort();
    if (auto const key = parse_public_key(text); key && to_text(*key) != text) std::abort();
    if (auto const sig = parse_signature(text); sig && to_text(*sig) != text) std::abort();
    return 0;
}
