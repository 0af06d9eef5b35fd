// SPDX-License-Identifier: Apache-2.0
// Sealed boxes from strangers: opened whole or refused, the same in one piece and in many.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include <blendr/core/codec.hpp>
#include <blendr/crypto/seal.hpp>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace blendr;
    using namespace blendr::crypto;
    static auto const mine =
        sealing_key::of(secret_key::from_seed(std::array<std::byte, 32>{std::byte{9}}));
    auto const sealed = std::as_bytes(std::span{data, size});
    auto const whole = open(sealed, mine);
    if (!whole && message(whole.error()).empty()) std::abort();

    reader in{sealed};
    sealed_for whom;
    if (!read(in, whom)) return 0;
    auto const key = unwrap(whom, mine);
    if (!key) return 0;
    seal_reader stream{*key};
    bytes out;
    auto rest = sealed.subspan(in.offset());
    for (std::size_t step = 1; !rest.empty(); step = step * 2 + 1) {
        auto const piece = rest.first(std::min(step, rest.size()));
        if (!stream.read(piece, out)) break;
        rest = rest.subspan(piece.size());
    }
    auto const ended = stream.finish();
    if (ended.has_value() != whole.has_value()) std::abort();
    if (whole && *whole != out) std::abort();
    if (!whole && ended.error() != whole.error()) std::abort();
    return 0;
}
