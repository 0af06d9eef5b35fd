// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/strict.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>

#include <sodium.h>

#include <blendr/core/assert.hpp>

#include "library.hpp"

namespace blendr::crypto {
namespace {

using number = std::array<std::uint8_t, 32>;  // little-endian, as points and scalars are encoded

constexpr number from_big_endian(std::string_view hex)
{
    number out{};
    for (std::size_t i = 0; i < 32; ++i)
        out[31 - i] = static_cast<std::uint8_t>(blendr::impl::hex_digit(hex[2 * i]) << 4 |
                                                blendr::impl::hex_digit(hex[2 * i + 1]));
    return out;
}

constexpr number group_order =
    from_big_endian("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed");
constexpr number field_prime =
    from_big_endian("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed");

/// The y of the eight points whose order divides 8: 0 (order 4), 1 (order 1), p − 1 (order 2) and the two
/// roots that the points of order 8 share.
constexpr number small_order_y[] = {
    from_big_endian("0000000000000000000000000000000000000000000000000000000000000000"),
    from_big_endian("0000000000000000000000000000000000000000000000000000000000000001"),
    from_big_endian("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec"),
    from_big_endian("7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7"),
    from_big_endian("05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826"),
};

number number_of(std::span<std::byte const, 32> raw) noexcept
{
    number out;
    std::transform(raw.begin(), raw.end(), out.begin(),
                   [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
    return out;
}

bool less(number const& a, number const& b) noexcept
{
    return std::lexicographical_compare(a.rbegin(), a.rend(), b.rbegin(), b.rend());
}

/// Canonical and of large order, if it is a point at all.
bool point_form(std::span<std::byte const, 32> raw) noexcept
{
    auto y = number_of(raw);
    y[31] &= 0x7f;
    if (!less(y, field_prime)) return false;
    return std::none_of(std::begin(small_order_y), std::end(small_order_y),
                        [&](number const& each) { return each == y; });
}

/// The predicate, without asking whether the library is one that may be asked.
bool verify_with_library(public_key const& key, bytes_view message, signature const& sig) noexcept
{
    if (key.scheme() != key_scheme::ed25519 || sig.scheme() != key_scheme::ed25519) return false;
    auto const a = key.raw().first<32>();
    auto const rs = sig.raw().first<64>();
    return strict_form(a, rs) &&
           crypto_sign_ed25519_verify_detached(raw(rs.data()), raw(message.data()), message.size(),
                                               raw(a.data())) == 0;
}

}  // namespace

bool strict_form(std::span<std::byte const, 32> key, std::span<std::byte const, 64> sig) noexcept
{
    return less(number_of(sig.last<32>()), group_order) && point_form(key) &&
           point_form(sig.first<32>());
}

bool verify_strict(public_key const& key, bytes_view message, signature const& sig) noexcept
{
    require_library();
    return verify_with_library(key, message, sig);
}

result<nothing, std::string_view> strict_self_test(bool (*verify)(public_key const&, bytes_view,
                                                                  signature const&) noexcept)
{
    for (auto const& each : strict_vectors()) {
        auto const key = array_from_hex<32>(each.key);
        auto const said = from_hex(each.message);
        auto const sig = array_from_hex<64>(each.signature);
        BLENDR_ASSERT(key && said && sig);
        if (verify(public_key::ed25519(*key), *said, signature::ed25519(*sig)) != each.good)
            return fail{each.name};
    }
    return nothing{};
}

result<nothing, std::string_view> start() noexcept
{
    static result<nothing, std::string_view> const outcome =
        []() -> result<nothing, std::string_view> {
        if (sodium_init() < 0) return fail{std::string_view{"libsodium does not start"}};
        return strict_self_test(verify_with_library);
    }();
    return outcome;
}

void require_library() noexcept
{
    static bool const good = [] {
        auto const started = start();
        if (!started)
            std::fprintf(
                stderr,
                "blendr: this libsodium (%s) cannot be used, it fails the self-test: %.*s\n",
                sodium_version_string(), static_cast<int>(started.error().size()),
                started.error().data());
        return started.has_value();
    }();
    if (!good) std::abort();
}

}  // namespace blendr::crypto
