// SPDX-License-Identifier: Apache-2.0
#include <blendr/sim/ideal.hpp>

#include <array>

#include <blendr/consensus/ballot.hpp>

namespace blendr::sim {
namespace {

using consensus::scramble;

std::uint64_t word(bytes_view raw, std::size_t at) noexcept
{
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < 8; ++i)
        out |= std::to_integer<std::uint64_t>(raw[at + i]) << (8 * i);
    return out;
}

std::uint64_t mark(crypto::public_key const& key, hash256 const& digest) noexcept
{
    auto h = word(key.raw(), 0) ^ 0x1dea1;
    for (std::size_t at = 0; at < 32; at += 8) h = scramble(h ^ word(digest, at));
    return h;
}

template <std::size_t N>
std::array<std::byte, N> spread(std::uint64_t value) noexcept
{
    std::array<std::byte, N> out{};
    for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<std::byte>(value >> (8 * i));
    return out;
}

/// Whether all but the first eight bytes are zero, as `spread` leaves them.
bool nothing_after(bytes_view raw) noexcept
{
    std::uint64_t all = 0;
    for (std::size_t at = 8; at + 8 <= raw.size(); at += 8) all |= word(raw, at);
    return all == 0;
}

}  // namespace

consensus::identity ideal_identity(std::uint32_t index)
{
    auto const key = crypto::public_key::ed25519(spread<32>(scramble(index)));
    return {key, [key](crypto::domain const& about, bytes_view message) {
                return crypto::signature::ed25519(
                    spread<64>(mark(key, crypto::hash(about, message))));
            }};
}

bool ideal_holds(crypto::public_key const& key, hash256 const& digest,
                 crypto::signature const& by) noexcept
{
    return key.scheme() == crypto::key_scheme::ed25519 &&
           by.scheme() == crypto::key_scheme::ed25519 && word(by.raw(), 0) == mark(key, digest) &&
           nothing_after(by.raw());
}

consensus::identity real_identity(std::uint32_t index)
{
    return crypto::identity{crypto::secret_key::from_seed(spread<32>(scramble(index)))};
}

bytes ideal_seal(hash256 const& header, hash256 const& target)
{
    auto h = std::uint64_t{0x5ea1};
    for (std::size_t at = 0; at < 32; at += 8)
        h = scramble(scramble(h ^ word(header, at)) ^ word(target, at));
    return to_bytes(bytes_view{spread<8>(h)});
}

bool ideal_work::operator()(hash256 const& header, hash256 const& target, bytes_view seal) const
{
    return equal(seal, ideal_seal(header, target));
}

}  // namespace blendr::sim
