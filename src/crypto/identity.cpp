// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/identity.hpp>

#include <algorithm>

#include <sodium.h>

#include <blendr/core/assert.hpp>

#include "library.hpp"

namespace blendr::crypto {

secret_key secret_key::generate()
{
    auto const seed = secret::random(32);
    return from_seed(seed.expose().first<32>());
}

secret_key secret_key::from_seed(std::span<std::byte const, 32> seed)
{
    require_library();
    secret_key out;
    out.expanded_ = secret{crypto_sign_ed25519_SECRETKEYBYTES};
    std::array<std::byte, 32> self;
    crypto_sign_ed25519_seed_keypair(raw(self.data()), raw(out.expanded_.expose().data()),
                                     raw(seed.data()));
    out.self_ = public_key::ed25519(self);
    return out;
}

signature secret_key::sign(domain const& about, bytes_view message) const noexcept
{
    BLENDR_ASSERT(!expanded_.empty());  // a key that was moved from signs nothing
    auto const digest = hash(about, message);
    std::array<std::byte, 64> out;
    crypto_sign_ed25519_detached(raw(out.data()), nullptr, raw(digest.data()), digest.size(),
                                 raw(expanded_.expose().data()));
    return signature::ed25519(out);
}

secret secret_key::derive(domain const& purpose) const
{
    BLENDR_ASSERT(!expanded_.empty());
    secret out{32};
    auto const seed = expose_seed();
    // Keyed and in the library, which wipes what it worked on.
    int const status = crypto_generichash_blake2b_salt_personal(
        raw(out.expose().data()), out.size(), nullptr, 0, raw(seed.data()), seed.size(), nullptr,
        reinterpret_cast<unsigned char const*>(purpose.personal().data()));
    BLENDR_ASSERT(status == 0);
    return out;
}

}  // namespace blendr::crypto
