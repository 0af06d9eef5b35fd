// SPDX-License-Identifier: Apache-2.0
// Keystores from strangers, as they are and with the checksum mended so that what lies behind is reached.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include <blendr/core/codec.hpp>
#include <blendr/crypto/keystore.hpp>

namespace {

using namespace blendr;
using namespace blendr::crypto;

constexpr std::size_t passes_at = 8 + 1 + 34;

void try_to_open(bytes_view raw)
{
    static secret const passphrase = [] {
        std::string words = "correct horse";
        return secret::take(words);
    }();
    auto const owner = keystore_owner(raw);
    auto const key = open_keystore(raw, passphrase);
    if (key && (!owner || *owner != key->self())) std::abort();
    if (!key && message(key.error()).empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    auto const raw = std::as_bytes(std::span{data, size});
    try_to_open(raw);
    if (size < passes_at + 16 + 32) return 0;
    // Work that a real keystore may ask for takes too long here.
    auto const passes = impl::load_little<std::uint64_t>(raw.data() + passes_at);
    auto const memory = impl::load_little<std::uint64_t>(raw.data() + passes_at + 8);
    if (passes <= keystore_cost::passes_max && memory > (1u << 20) &&
        memory <= keystore_cost::memory_bytes_max)
        return 0;
    bytes mended = to_bytes(raw);
    constexpr domain checksum{"keystore.sum/1"};
    auto const sum = hash(checksum, bytes_view{mended}.first(size - 32));
    std::copy(sum.begin(), sum.end(), mended.end() - 32);
    try_to_open(mended);
    return 0;
}
