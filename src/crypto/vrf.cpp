// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/vrf.hpp>

#include <algorithm>
#include <utility>

#include <sodium.h>

#include <blendr/core/assert.hpp>

#include "library.hpp"

namespace blendr::crypto {
namespace {

constexpr domain key_seed{"vrf.key/1"};
constexpr domain output_of{"vrf.output/1"};
constexpr std::string_view suite = "blendr.vrf.r255/1";

using element = std::array<std::byte, 32>;
using scalar = std::array<std::byte, 32>;
using challenge = std::array<std::byte, 16>;

/// SHA-512 over pieces, wiped by the library when it ends.
class sha512 {
public:
    sha512() noexcept { crypto_hash_sha512_init(&state_); }
    sha512& operator<<(bytes_view data) noexcept
    {
        crypto_hash_sha512_update(&state_, raw(data.data()), data.size());
        return *this;
    }
    sha512& operator<<(std::uint8_t tag) noexcept
    {
        crypto_hash_sha512_update(&state_, &tag, 1);
        return *this;
    }
    void finish(std::span<std::byte, 64> out) noexcept
    {
        crypto_hash_sha512_final(&state_, raw(out.data()));
    }
    std::array<std::byte, 64> finish() noexcept
    {
        std::array<std::byte, 64> out;
        finish(out);
        return out;
    }

private:
    crypto_hash_sha512_state state_;
};

/// scalar · point. The library answers -1 when the product is the identity, whose encoding is zeros,
/// and leaves those behind; any other failure is a point that was not checked before.
element times(bytes_view by, element const& point) noexcept
{
    element out{};
    if (crypto_scalarmult_ristretto255(raw(out.data()), raw(by.data()), raw(point.data())) != 0)
        BLENDR_ASSERT(out == element{});
    return out;
}

element times_base(bytes_view by) noexcept
{
    element out{};
    if (crypto_scalarmult_ristretto255_base(raw(out.data()), raw(by.data())) != 0)
        BLENDR_ASSERT(out == element{});
    return out;
}

element minus(element const& a, element const& b) noexcept
{
    element out{};
    int const status = crypto_core_ristretto255_sub(raw(out.data()), raw(a.data()), raw(b.data()));
    BLENDR_ASSERT(status == 0);
    return out;
}

bool is_element(element const& point) noexcept
{
    return crypto_core_ristretto255_is_valid_point(raw(point.data())) == 1;
}

/// Below the group order, as RFC 9381 asks of the response: a larger one would be a second proof.
bool is_reduced(scalar const& s) noexcept
{
    std::array<std::byte, 64> wide{};
    std::copy(s.begin(), s.end(), wide.begin());
    scalar reduced;
    crypto_core_ristretto255_scalar_reduce(raw(reduced.data()), raw(wide.data()));
    return reduced == s;
}

element hash_to_group(vrf_public_key const& key, bytes_view input) noexcept
{
    auto const uniform =
        (sha512{} << as_bytes(suite) << std::uint8_t{1} << key.raw << input << std::uint8_t{0})
            .finish();
    element out;
    crypto_core_ristretto255_from_hash(raw(out.data()), raw(uniform.data()));
    return out;
}

challenge challenge_of(vrf_public_key const& key, element const& h, element const& gamma,
                       element const& u, element const& v) noexcept
{
    auto const wide = (sha512{} << as_bytes(suite) << std::uint8_t{2} << key.raw << h << gamma << u
                                << v << std::uint8_t{0})
                          .finish();
    challenge out;
    std::copy_n(wide.begin(), out.size(), out.begin());
    return out;
}

scalar widened(challenge const& c) noexcept
{
    scalar out{};
    std::copy(c.begin(), c.end(), out.begin());
    return out;
}

/// A secret scalar from 64 uniform bytes.
secret reduced(secret const& wide)
{
    secret out{32};
    crypto_core_ristretto255_scalar_reduce(raw(out.expose().data()), raw(wide.expose().data()));
    return out;
}

}  // namespace

std::string_view message(vrf_error why) noexcept
{
    switch (why) {
    case vrf_error::bad_key:
        return "the public key of the random function is no group element, or the identity";
    case vrf_error::bad_point:
        return "the proof's first part is no group element";
    case vrf_error::bad_scalar:
        return "the proof's response is not below the group order";
    case vrf_error::not_proven:
        return "the proof does not belong to this key and input";
    }
    return "unknown error of the random function";
}

vrf_secret_key vrf_secret_key::of(secret_key const& owner)
{
    return from_seed(owner.derive(key_seed));
}

vrf_secret_key vrf_secret_key::from_seed(secret const& seed)
{
    BLENDR_ASSERT(seed.size() == 32);
    require_library();
    vrf_secret_key out;
    secret wide{64};
    (sha512{} << as_bytes(suite) << std::uint8_t{16} << seed.expose())
        .finish(wide.expose().first<64>());
    out.scalar_ = reduced(wide);
    (sha512{} << as_bytes(suite) << std::uint8_t{17} << seed.expose())
        .finish(wide.expose().first<64>());
    out.nonce_key_ = std::move(wide);
    out.self_.raw = times_base(std::as_const(out.scalar_).expose());
    BLENDR_ASSERT(out.self_.raw != element{});
    return out;
}

vrf_result vrf_secret_key::prove(bytes_view input) const
{
    BLENDR_ASSERT(!scalar_.empty());
    auto const h = hash_to_group(self_, input);
    vrf_result out;
    out.proof.gamma = times(scalar_.expose(), h);

    secret wide{64};
    (sha512{} << as_bytes(suite) << std::uint8_t{18} << nonce_key_.expose() << h)
        .finish(wide.expose().first<64>());
    auto const nonce = reduced(wide);
    out.proof.challenge = challenge_of(self_, h, out.proof.gamma, times_base(nonce.expose()),
                                       times(nonce.expose(), h));

    // response = nonce + challenge · key
    auto const c = widened(out.proof.challenge);
    secret product{32};
    crypto_core_ristretto255_scalar_mul(raw(product.expose().data()), raw(c.data()),
                                        raw(scalar_.expose().data()));
    crypto_core_ristretto255_scalar_add(raw(out.proof.response.data()), raw(nonce.expose().data()),
                                        raw(product.expose().data()));
    out.output = hash(output_of, out.proof.gamma);
    return out;
}

result<hash256, vrf_error> verify(vrf_public_key const& key, bytes_view input,
                                  vrf_proof const& proof) noexcept
{
    require_library();
    if (!is_element(key.raw) || key.raw == element{}) return fail{vrf_error::bad_key};
    if (!is_element(proof.gamma)) return fail{vrf_error::bad_point};
    if (!is_reduced(proof.response)) return fail{vrf_error::bad_scalar};
    auto const c = widened(proof.challenge);
    auto const h = hash_to_group(key, input);
    auto const u = minus(times_base(proof.response), times(c, key.raw));
    auto const v = minus(times(proof.response, h), times(c, proof.gamma));
    if (challenge_of(key, h, proof.gamma, u, v) != proof.challenge)
        return fail{vrf_error::not_proven};
    return hash(output_of, proof.gamma);
}

}  // namespace blendr::crypto
