// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/cid.hpp>

#include <array>

namespace blendr::crypto {
namespace {

constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::byte version{1};
constexpr std::size_t hash_at = 2;  // behind version and content, one byte each
/// Multihash of BLAKE2b-256: 0xb220 as a varint, then the digest's length.
constexpr std::array<std::byte, 4> hash_head = {std::byte{0xa0}, std::byte{0xe4}, std::byte{0x02},
                                                std::byte{32}};
constexpr std::size_t digest_at = hash_at + hash_head.size();

static_assert(digest_at + sizeof(hash256) == cid::encoded_size);
static_assert(1 + (cid::encoded_size * 8 + 4) / 5 == cid::text_size);

}  // namespace

std::string message(cid_error const& e)
{
    auto const at = " (position " + std::to_string(e.at) + ")";
    switch (e.what) {
    case cid_error::kind::truncated:
        return "the content id ends too early" + at;
    case cid_error::kind::trailing:
        return "the content id goes on where it should end" + at;
    case cid_error::kind::wrong_base:
        return "the content id is not in lower-case base32, which begins with b" + at;
    case cid_error::kind::bad_character:
        return "the content id holds a character that base32 does not have" + at;
    case cid_error::kind::bad_padding:
        return "bits are left over at the end of the content id" + at;
    case cid_error::kind::wrong_version:
        return "the content id is not of version 1" + at;
    case cid_error::kind::unsupported_content:
        return "the content id names a kind of content other than raw bytes or dag-cbor" + at;
    case cid_error::kind::unsupported_hash:
        return "the content id uses another hash than BLAKE2b-256" + at;
    }
    return "unknown content id error" + at;
}

std::array<std::byte, cid::encoded_size> to_binary(cid const& id) noexcept
{
    std::array<std::byte, cid::encoded_size> out{version, static_cast<std::byte>(id.what())};
    std::copy(hash_head.begin(), hash_head.end(), out.begin() + hash_at);
    std::copy(id.digest().begin(), id.digest().end(), out.begin() + digest_at);
    return out;
}

result<cid, cid_error> parse_cid(bytes_view binary)
{
    using kind = cid_error::kind;
    auto const byte_is = [&](std::size_t at, std::byte wanted) {
        return at < binary.size() && binary[at] == wanted;
    };
    if (binary.empty()) return fail{cid_error{kind::truncated, 0}};
    if (!byte_is(0, version)) return fail{cid_error{kind::wrong_version, 0}};
    if (binary.size() < 2) return fail{cid_error{kind::truncated, binary.size()}};
    auto const what = static_cast<content>(binary[1]);
    if (what != content::raw && what != content::dag_cbor)
        return fail{cid_error{kind::unsupported_content, 1}};
    for (std::size_t i = 0; i < hash_head.size(); ++i) {
        auto const at = hash_at + i;
        if (at >= binary.size()) return fail{cid_error{kind::truncated, binary.size()}};
        if (!byte_is(at, hash_head[i])) return fail{cid_error{kind::unsupported_hash, at}};
    }
    if (binary.size() < cid::encoded_size) return fail{cid_error{kind::truncated, binary.size()}};
    if (binary.size() > cid::encoded_size)
        return fail{cid_error{kind::trailing, cid::encoded_size}};
    hash256 digest;
    std::copy_n(binary.begin() + digest_at, digest.size(), digest.begin());
    return cid{what, digest};
}

std::string to_text(cid const& id)
{
    std::string text = "b";
    unsigned held = 0;
    unsigned bits = 0;
    for (auto const each : to_binary(id)) {
        held = (held << 8 | std::to_integer<unsigned>(each)) & 0xfff;
        for (bits += 8; bits >= 5; bits -= 5) text += alphabet[held >> (bits - 5) & 31];
    }
    text += alphabet[held << (5 - bits) & 31];
    return text;
}

result<cid, cid_error> parse_cid(std::string_view text)
{
    using kind = cid_error::kind;
    if (text.empty()) return fail{cid_error{kind::truncated, 0}};
    if (text[0] != 'b') return fail{cid_error{kind::wrong_base, 0}};
    std::array<std::byte, cid::encoded_size> binary{};
    std::size_t filled = 0;
    unsigned held = 0;
    unsigned bits = 0;
    for (std::size_t i = 1; i < text.size(); ++i) {
        auto const digit = alphabet.find(text[i]);
        if (digit == std::string_view::npos) return fail{cid_error{kind::bad_character, i}};
        if (i >= cid::text_size) return fail{cid_error{kind::trailing, i}};
        held = (held << 5 | static_cast<unsigned>(digit)) & 0xfff;
        bits += 5;
        if (bits < 8) continue;
        bits -= 8;
        binary[filled++] = static_cast<std::byte>(held >> bits & 0xff);
    }
    auto const parsed = parse_cid(bytes_view{binary}.first(filled));
    if (!parsed) {
        // The byte at fault begins in this character.
        auto why = parsed.error();
        why.at = std::min(1 + why.at * 8 / 5, text.size());
        return fail{why};
    }
    if ((held & ((1u << bits) - 1)) != 0)
        return fail{cid_error{kind::bad_padding, text.size() - 1}};
    return parsed;
}

}  // namespace blendr::crypto
