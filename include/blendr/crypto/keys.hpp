// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/crypto/hash.hpp>

namespace blendr::crypto {

/// How a key signs. Numbers are for ever.
///
/// Another scheme joins without a fork: it takes the next number here, its lengths in the two tables
/// below, and a case in `verify_strict`. The encoding is scheme, length, bytes, so nothing that is
/// already encoded, hashed or signed changes; `size_max` is a matter of memory, not of the wire, and
/// grows with the scheme. Software that does not know the scheme refuses it by name
/// (`key_error::unknown_scheme`) and, having the length, can still step over it.
enum class key_scheme : std::uint8_t {
    none = 0,  ///< no key: what a default-made key has. It verifies nothing.
    ed25519 = 1,
};

enum class key_error : std::uint8_t {
    unknown_scheme = 1,
    wrong_length = 2,
    bad_text = 3,
};

/// A sentence for people.
std::string_view message(key_error why) noexcept;

/// Bytes with the scheme that gives them their meaning and length: a public key, a signature.
/// A plain value in place: trivially copyable, ordered by scheme and then by bytes.
template <class Kind>
class tagged_bytes {
public:
    static constexpr std::size_t size_max = Kind::size_max;

    constexpr tagged_bytes() = default;

    /// Bytes that are known to be of the right length.
    static constexpr tagged_bytes
    ed25519(std::array<std::byte, Kind::size_of(key_scheme::ed25519)> const& raw) noexcept
    {
        tagged_bytes out;
        out.scheme_ = key_scheme::ed25519;
        std::copy(raw.begin(), raw.end(), out.raw_.begin());
        return out;
    }

    /// Bytes from outside. Refuses a scheme that nobody knows and a length that is not the scheme's.
    /// Says nothing about whether the bytes are a good key or signature: `verify_strict` does.
    static constexpr result<tagged_bytes, key_error> from(std::uint8_t tag, bytes_view raw)
    {
        if (tag > static_cast<std::uint8_t>(key_scheme::ed25519))
            return fail{key_error::unknown_scheme};
        auto const known = static_cast<key_scheme>(tag);
        if (raw.size() != Kind::size_of(known)) return fail{key_error::wrong_length};
        tagged_bytes out;
        out.scheme_ = known;
        std::copy(raw.begin(), raw.end(), out.raw_.begin());
        return out;
    }

    constexpr key_scheme scheme() const noexcept { return scheme_; }
    constexpr bytes_view raw() const noexcept
    {
        return bytes_view{raw_}.first(Kind::size_of(scheme_));
    }
    constexpr bool empty() const noexcept { return scheme_ == key_scheme::none; }

    friend constexpr bool operator==(tagged_bytes const&, tagged_bytes const&) = default;
    friend constexpr auto operator<=>(tagged_bytes const&, tagged_bytes const&) = default;

private:
    key_scheme scheme_ = key_scheme::none;
    std::array<std::byte, size_max> raw_{};  // what the scheme does not use is zero
};

struct public_key_kind {
    static constexpr std::size_t size_max = 32;
    static constexpr std::size_t size_of(key_scheme s) noexcept
    {
        return s == key_scheme::none ? 0 : 32;
    }
};
struct signature_kind {
    static constexpr std::size_t size_max = 64;
    static constexpr std::size_t size_of(key_scheme s) noexcept
    {
        return s == key_scheme::none ? 0 : 64;
    }
};

/// Who signed. 33 bytes in place.
using public_key = tagged_bytes<public_key_kind>;
/// That they did. 65 bytes in place.
using signature = tagged_bytes<signature_kind>;

static_assert(std::is_trivially_copyable_v<public_key> && sizeof(public_key) == 33);
static_assert(std::is_trivially_copyable_v<signature> && sizeof(signature) == 65);

/// "ed25519:" and lower-case hex digits; "none" for an absent one.
std::string to_text(public_key const& key);
std::string to_text(signature const& sig);
result<public_key, key_error> parse_public_key(std::string_view text);
result<signature, key_error> parse_signature(std::string_view text);

/// Who owns: 32 bytes that name a key, or something that has no key, such as a contract's purse.
/// A hash, so an owner's scheme and key stay unknown until the owner first signs.
class address {
public:
    constexpr address() = default;
    constexpr explicit address(hash256 const& raw) noexcept : raw_{raw} {}

    constexpr hash256 const& raw() const noexcept { return raw_; }

    friend constexpr bool operator==(address const&, address const&) = default;
    friend constexpr auto operator<=>(address const&, address const&) = default;

private:
    hash256 raw_{};
};

/// What an address is a hash of a key in: for whoever hashes many encoded keys at once.
inline constexpr domain address_domain{"address.key/1"};

/// The address of a key's owner.
address address_of(public_key const& key) noexcept;

/// The address of something that nobody has a key to: `what` belonging to `owner` (a contract's name).
/// No key and no other pair of owner and thing has the same address.
address address_of(std::string_view owner, bytes_view what) noexcept;

}  // namespace blendr::crypto

/// Scheme, length, bytes.
template <class Kind>
struct blendr::codec<blendr::crypto::tagged_bytes<Kind>> {
    using value = crypto::tagged_bytes<Kind>;
    static constexpr bool fixed = false;
    static constexpr std::size_t size_min = 2;
    static std::size_t size(value const& v) noexcept { return 2 + v.raw().size(); }
    static std::byte* write(value const& v, std::byte* out) noexcept
    {
        static_assert(value::size_max < 128, "a longer key needs a longer length");
        auto const raw = v.raw();
        *out++ = static_cast<std::byte>(v.scheme());
        *out++ = static_cast<std::byte>(raw.size());
        return std::copy(raw.begin(), raw.end(), out);
    }
    static bool read(reader& in, value& out) noexcept
    {
        auto const* const tag = in.take(1);
        if (tag == nullptr) return false;
        auto const scheme = std::to_integer<std::uint8_t>(*tag);
        if (scheme > static_cast<std::uint8_t>(crypto::key_scheme::ed25519))
            return in.refuse(decode_fault::unknown_tag, 1);
        std::uint64_t size = 0;
        if (!in.read_varint(size, value::size_max)) return false;
        if (size != Kind::size_of(static_cast<crypto::key_scheme>(scheme)))
            return in.refuse(decode_fault::bad_value, 1);
        auto const* const raw = in.take(size);
        if (raw == nullptr) return false;
        out = *value::from(scheme, {raw, size});
        return true;
    }
};

/// Its 32 bytes.
template <>
struct blendr::codec<blendr::crypto::address> {
    static constexpr bool fixed = true;
    static constexpr std::size_t size_min = 32;
    static std::size_t size(crypto::address const&) noexcept { return size_min; }
    static std::byte* write(crypto::address const& v, std::byte* out) noexcept
    {
        return std::copy(v.raw().begin(), v.raw().end(), out);
    }
    static bool load(std::byte const* in, crypto::address& out) noexcept
    {
        hash256 raw;
        std::copy_n(in, raw.size(), raw.begin());
        out = crypto::address{raw};
        return true;
    }
    static bool read(reader& in, crypto::address& out) { return impl::read_fixed<codec>(in, out); }
};

template <class Kind>
struct std::hash<blendr::crypto::tagged_bytes<Kind>> {
    std::size_t operator()(blendr::crypto::tagged_bytes<Kind> const& value) const noexcept
    {
        return blendr::crypto::table_hash(value.raw());
    }
};

template <>
struct std::hash<blendr::crypto::address> {
    std::size_t operator()(blendr::crypto::address const& value) const noexcept
    {
        return blendr::crypto::table_hash(value.raw());
    }
};
