// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/keys.hpp>

#include <blendr/core/codec.hpp>

namespace blendr::crypto {
namespace {

constexpr domain owned_address{"address.owned/1"};

constexpr std::string_view ed25519_prefix = "ed25519:";

template <class Kind>
std::string written(tagged_bytes<Kind> const& value)
{
    if (value.empty()) return "none";
    return std::string{ed25519_prefix} + to_hex(value.raw());
}

template <class Tagged>
result<Tagged, key_error> parsed(std::string_view text)
{
    if (text == "none") return Tagged{};
    auto const colon = text.find(':');
    if (colon == std::string_view::npos) return fail{key_error::bad_text};
    if (text.substr(0, colon + 1) != ed25519_prefix) return fail{key_error::unknown_scheme};
    auto const digits = text.substr(colon + 1);
    auto const raw = from_hex(digits);
    if (!raw || to_hex(*raw) != digits) return fail{key_error::bad_text};
    return Tagged::from(static_cast<std::uint8_t>(key_scheme::ed25519), *raw);
}

}  // namespace

std::string_view message(key_error why) noexcept
{
    switch (why) {
    case key_error::unknown_scheme:
        return "the key or signature is of a scheme that this software does not know";
    case key_error::wrong_length:
        return "the key or signature has not the length of its scheme";
    case key_error::bad_text:
        return "a key is written as its scheme, a colon and hex digits";
    }
    return "unknown key error";
}

std::string to_text(public_key const& key) { return written(key); }
std::string to_text(signature const& sig) { return written(sig); }

result<public_key, key_error> parse_public_key(std::string_view text)
{
    return parsed<public_key>(text);
}

result<signature, key_error> parse_signature(std::string_view text)
{
    return parsed<signature>(text);
}

address address_of(public_key const& key) noexcept
{
    std::array<std::byte, 2 + public_key::size_max> encoded;
    auto const* const end = codec<public_key>::write(key, encoded.data());
    return address{hash(address_domain, {encoded.data(), end})};
}

address address_of(std::string_view owner, bytes_view what) noexcept
{
    std::array<std::byte, sizeof(std::uint64_t)> length;
    impl::store_little(std::uint64_t{owner.size()}, length.data());
    return address{
        hasher{owned_address}.update(length).update(as_bytes(owner)).update(what).finish()};
}

}  // namespace blendr::crypto
