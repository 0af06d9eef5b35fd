// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/crypto/hash.hpp>

namespace blendr::crypto {

/// What the bytes behind a content id are (multicodec numbers).
enum class content : std::uint8_t {
    raw = 0x55,       ///< bytes
    dag_cbor = 0x71,  ///< linked data
};

/// Why a text or bytes are no content id of ours, and at which character or byte.
struct cid_error {
    enum class kind : std::uint8_t {
        truncated = 1,
        trailing = 2,
        wrong_base = 3,           ///< the text does not begin with `b`: lower-case base32
        bad_character = 4,        ///< no digit of base32
        bad_padding = 5,          ///< leftover bits that are not zero
        wrong_version = 6,        ///< not CIDv1
        unsupported_content = 7,  ///< none of `content`
        unsupported_hash = 8,     ///< not BLAKE2b-256 of 32 bytes
    };
    kind what{};
    std::size_t at{};

    friend bool operator==(cid_error const&, cid_error const&) = default;
};

/// A sentence for people.
std::string message(cid_error const& e);

/// The name of some bytes by what they are: a CIDv1 over BLAKE2b-256, which IPFS understands too.
/// Its text is base32, "bafk2bzace…", 62 characters; its bytes are 38. Each has one form.
class cid {
public:
    static constexpr std::size_t encoded_size = 38;
    static constexpr std::size_t text_size = 62;

    /// The id of nothing: of 32 zero bytes that no content hashes to.
    constexpr cid() = default;
    constexpr cid(content what, hash256 const& digest) noexcept : what_{what}, digest_{digest} {}

    /// The id of these bytes.
    static cid of(bytes_view data, content what = content::raw) noexcept
    {
        return {what, foreign::blake2b_256(data)};
    }

    constexpr content what() const noexcept { return what_; }
    constexpr hash256 const& digest() const noexcept { return digest_; }

    /// Whether these bytes are the content that it names.
    bool names(bytes_view data) const noexcept { return foreign::blake2b_256(data) == digest_; }

    friend constexpr bool operator==(cid const&, cid const&) = default;
    friend constexpr auto operator<=>(cid const&, cid const&) = default;

private:
    content what_ = content::raw;
    hash256 digest_{};
};

/// Content that does not fit memory, named piece by piece.
class cid_hasher {
public:
    cid_hasher& update(bytes_view data) noexcept
    {
        plain_.update(data);
        return *this;
    }
    cid finish(content what = content::raw) const noexcept { return {what, plain_.finish()}; }

private:
    hasher plain_ = foreign::blake2b_256_hasher();
};

std::array<std::byte, cid::encoded_size> to_binary(cid const& id) noexcept;
result<cid, cid_error> parse_cid(bytes_view binary);

std::string to_text(cid const& id);
result<cid, cid_error> parse_cid(std::string_view text);

}  // namespace blendr::crypto

/// Its 38 bytes.
template <>
struct blendr::codec<blendr::crypto::cid> {
    static constexpr bool fixed = true;
    static constexpr std::size_t size_min = crypto::cid::encoded_size;
    static std::size_t size(crypto::cid const&) noexcept { return size_min; }
    static std::byte* write(crypto::cid const& v, std::byte* out) noexcept
    {
        auto const raw = to_binary(v);
        return std::copy(raw.begin(), raw.end(), out);
    }
    static bool load(std::byte const* in, crypto::cid& out)
    {
        auto const id = crypto::parse_cid(bytes_view{in, size_min});
        if (id) out = *id;
        return id.has_value();
    }
    static bool read(reader& in, crypto::cid& out) { return impl::read_fixed<codec>(in, out); }
};

template <>
struct std::hash<blendr::crypto::cid> {
    std::size_t operator()(blendr::crypto::cid const& value) const noexcept
    {
        return blendr::crypto::table_hash(value.digest());
    }
};
