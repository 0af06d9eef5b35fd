// SPDX-License-Identifier: Apache-2.0
// Every lane path gives every signature libsodium's verdict, whatever the bytes. Input: one byte for the
// batch's length, one for how each triple is made, then the triples' bytes; what is missing is zero.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "../crypto/forgeries.hpp"

namespace {

using namespace blendr;

/// Takes bytes from the input while there are any.
struct source {
    bytes_view left;

    void fill(std::span<std::byte> out)
    {
        std::size_t const size = std::min(out.size(), left.size());
        std::copy_n(left.begin(), size, out.begin());
        left = left.subspan(size);
    }
    unsigned byte()
    {
        std::byte b{};
        fill({&b, 1});
        return std::to_integer<unsigned>(b);
    }
};

test::triple take(source& in)
{
    unsigned const how = in.byte();
    test::triple t;
    t.message.resize(in.byte() % 160);
    in.fill(t.message);
    if ((how & 1) != 0) {  // signed for real, then changed where the input says
        bytes seed(32), secret(64);
        seed[0] = static_cast<std::byte>(in.byte() % 8);
        crypto_sign_ed25519_seed_keypair(test::raw(t.key), test::raw(secret), test::raw(seed));
        crypto_sign_ed25519_detached(test::raw(t.signature), nullptr, test::raw(t.message),
                                     t.message.size(), test::raw(secret));
        if ((how & 2) != 0) t.signature[in.byte() % 64] ^= static_cast<std::byte>(in.byte());
        if ((how & 4) != 0) t.key[in.byte() % 32] ^= static_cast<std::byte>(in.byte());
        if ((how & 8) != 0 && !t.message.empty())
            t.message.back() ^= static_cast<std::byte>(in.byte());
    } else {
        in.fill(t.key);
        in.fill(t.signature);
    }
    static auto const small = test::small_order_points();
    if ((how & 16) != 0)
        std::copy_n(reinterpret_cast<std::byte const*>(small[in.byte() % small.size()].data()), 32,
                    t.key.begin());
    if ((how & 32) != 0)
        std::copy_n(reinterpret_cast<std::byte const*>(small[in.byte() % small.size()].data()), 32,
                    t.signature.begin());
    if ((how & 64) != 0) t.signature.resize(in.byte() % 70);
    if ((how & 128) != 0) t.key.resize(in.byte() % 40);
    return t;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    source in{std::as_bytes(std::span{data, size})};
    std::vector<test::triple> triples(in.byte() % 20);
    for (auto& t : triples) t = take(in);
    std::vector<crypto::signed_bytes> claims;
    for (auto const& t : triples) claims.push_back(t.view());

    // Verifiers stay, so that their caches go through whatever the inputs make of them.
    static auto verifiers = [] {
        std::vector<crypto::batch_verifier> all;
        for (auto const path : crypto::every_cpu)
            if (crypto::runs(path)) all.emplace_back(crypto::batch_verifier::options{path, 8});
        return all;
    }();
    for (auto& verifier : verifiers) {
        std::vector<crypto::verdict> out(triples.size());
        verifier.verify(claims, out);
        for (std::size_t i = 0; i < triples.size(); ++i)
            if (out[i] != test::by_sodium(triples[i])) std::abort();
    }
    return 0;
}
