// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>
#include <blendr/crypto/hash.hpp>

/// Proofs about an authenticated state, and the check that needs nothing but a root.
///
/// The state is a compressed binary trie over hashed keys. An inner node says at which bit its two
/// sides part (bit 0 is the highest of the first byte), every bit above being the same in all keys
/// below; so its shape, and with it the root, follow from the set of rows alone. A walk that follows
/// a key's bits ends at the one leaf where that key could be: a proof is that leaf and the nodes
/// beside the walk, whether it shows that a row is there or that it is not.
///
///     leaf  = hash("state.leaf/1",  key ‖ value)          both hashed before
///     inner = hash("state.inner/1", left ‖ right ‖ bit)   one byte of bit
namespace blendr::state {

inline constexpr crypto::domain key_domain{"state.key/1"};
inline constexpr crypto::domain value_domain{"state.value/1"};
inline constexpr crypto::domain leaf_domain{"state.leaf/1"};
inline constexpr crypto::domain inner_domain{"state.inner/1"};

/// The root of a state without rows.
inline constexpr hash256 empty_root{};

inline hash256 key_hash(bytes_view key) noexcept { return crypto::hash(key_domain, key); }
inline hash256 value_hash(bytes_view value) noexcept { return crypto::hash(value_domain, value); }

/// What the tree knows of a row.
struct leaf {
    hash256 key{};
    hash256 value{};

    friend bool operator==(leaf const&, leaf const&) = default;
};

inline hash256 leaf_hash(leaf const& row) noexcept
{
    return crypto::hash(leaf_domain, row.key, row.value);
}

inline hash256 inner_hash(unsigned bit, hash256 const& left, hash256 const& right) noexcept
{
    std::array<std::byte, 65> raw;
    std::memcpy(raw.data(), left.data(), 32);
    std::memcpy(raw.data() + 32, right.data(), 32);
    raw[64] = static_cast<std::byte>(bit);
    return crypto::hash(inner_domain, raw);
}

/// Bit 0 is the highest of the first byte, so that key order is bit order.
constexpr bool bit_at(hash256 const& key, unsigned bit) noexcept
{
    return (std::to_integer<unsigned>(key[bit / 8]) >> (7 - bit % 8) & 1) != 0;
}

/// A set of bit positions of a key.
class bit_set {
public:
    constexpr bool test(unsigned bit) const noexcept { return bit_at(raw_, bit); }
    constexpr void set(unsigned bit) noexcept
    {
        raw_[bit / 8] |= static_cast<std::byte>(0x80U >> bit % 8);
    }
    constexpr unsigned count() const noexcept
    {
        unsigned sum = 0;
        for (auto const b : raw_)
            sum += static_cast<unsigned>(std::popcount(std::to_integer<unsigned>(b)));
        return sum;
    }
    constexpr hash256& raw() noexcept { return raw_; }
    constexpr hash256 const& raw() const noexcept { return raw_; }

    friend bool operator==(bit_set const&, bit_set const&) = default;

private:
    hash256 raw_{};
};

/// Shows that a row is in a state, or that a key is not.
struct proof {
    enum class kind : std::uint8_t {
        nothing_at_all = 0,  ///< the state has no rows
        present = 1,         ///< the walk ends at the row itself
        absent = 2,          ///< the walk ends at `other`
    };
    kind what{};
    leaf other{};                     ///< of `absent` only
    bit_set branches{};               ///< where the walk parts from a sibling
    std::vector<hash256> siblings{};  ///< one for each branch, from the root down

    friend bool operator==(proof const&, proof const&) = default;
};

/// Why a proof was refused. Numbers are frozen.
enum class proof_error : std::uint8_t {
    truncated = 1,
    trailing_bytes = 2,
    unknown_kind = 3,
    not_canonical = 4,
    wrong_kind = 5,
    wrong_walk = 6,
    wrong_root = 7,
};

/// A sentence for people.
constexpr std::string_view message(proof_error e) noexcept
{
    switch (e) {
    case proof_error::truncated:
        return "the proof ends too early";
    case proof_error::trailing_bytes:
        return "bytes follow the proof's end";
    case proof_error::unknown_kind:
        return "the proof is of no known kind";
    case proof_error::not_canonical:
        return "the proof carries parts that its kind has not";
    case proof_error::wrong_kind:
        return "the proof shows the opposite of what was asked";
    case proof_error::wrong_walk:
        return "the proof's walk is not the key's";
    case proof_error::wrong_root:
        return "the proof leads to another root";
    }
    return "unknown proof error";
}

/// Checks that under `root` the row `key` has exactly this `value` or, without a value, that it is
/// not there. Key and value are hashed already. A proof that passes for one claim fails for every
/// other claim about that key.
inline result<nothing, proof_error> verify(hash256 const& root, hash256 const& key,
                                           std::optional<hash256> const& value, proof const& shown)
{
    if (shown.siblings.size() != shown.branches.count()) return fail{proof_error::not_canonical};
    hash256 up{};
    switch (shown.what) {
    case proof::kind::nothing_at_all:
        if (!shown.siblings.empty() || shown.other != leaf{})
            return fail{proof_error::not_canonical};
        if (value) return fail{proof_error::wrong_kind};
        if (root != empty_root) return fail{proof_error::wrong_root};
        return nothing{};
    case proof::kind::present:
        if (shown.other != leaf{}) return fail{proof_error::not_canonical};
        if (!value) return fail{proof_error::wrong_kind};
        up = leaf_hash(leaf{key, *value});
        break;
    case proof::kind::absent:
        if (value) return fail{proof_error::wrong_kind};
        if (shown.other.key == key) return fail{proof_error::wrong_walk};
        up = leaf_hash(shown.other);
        break;
    default:
        return fail{proof_error::unknown_kind};
    }
    bool const other = shown.what == proof::kind::absent;
    auto sibling = shown.siblings.rbegin();
    for (unsigned bit = 256; bit-- > 0;) {
        if (!shown.branches.test(bit)) continue;
        bool const right = bit_at(key, bit);
        if (other && bit_at(shown.other.key, bit) != right) return fail{proof_error::wrong_walk};
        up = right ? inner_hash(bit, *sibling, up) : inner_hash(bit, up, *sibling);
        ++sibling;
    }
    if (up != root) return fail{proof_error::wrong_root};
    return nothing{};
}

/// The proof's one encoding: kind, other leaf where there is one, branches, siblings.
inline bytes encode_proof(proof const& shown)
{
    bytes out;
    auto const put = [&out](hash256 const& h) { out.insert(out.end(), h.begin(), h.end()); };
    out.reserve(1 + 96 + 32 * shown.siblings.size());
    out.push_back(static_cast<std::byte>(shown.what));
    if (shown.what == proof::kind::nothing_at_all) return out;
    if (shown.what == proof::kind::absent) {
        put(shown.other.key);
        put(shown.other.value);
    }
    put(shown.branches.raw());
    for (auto const& sibling : shown.siblings) put(sibling);
    return out;
}

/// Reads it back; allocates no more than the input holds.
inline result<proof, proof_error> decode_proof(bytes_view raw)
{
    if (raw.empty()) return fail{proof_error::truncated};
    proof out{};
    auto const kind = std::to_integer<std::uint8_t>(raw[0]);
    if (kind > 2) return fail{proof_error::unknown_kind};
    out.what = static_cast<proof::kind>(kind);
    raw = raw.subspan(1);
    auto const take = [&raw](hash256& into) {
        if (raw.size() < into.size()) return false;
        std::memcpy(into.data(), raw.data(), into.size());
        raw = raw.subspan(into.size());
        return true;
    };
    if (out.what == proof::kind::absent && (!take(out.other.key) || !take(out.other.value)))
        return fail{proof_error::truncated};
    if (out.what != proof::kind::nothing_at_all) {
        if (!take(out.branches.raw())) return fail{proof_error::truncated};
        std::size_t const count = out.branches.count();
        if (raw.size() < count * 32) return fail{proof_error::truncated};
        out.siblings.resize(count);
        for (auto& sibling : out.siblings) take(sibling);
    }
    if (!raw.empty()) return fail{proof_error::trailing_bytes};
    return out;
}

/// The whole of a light client's check: raw key, raw value (none: absence), encoded proof, root.
inline result<nothing, proof_error> verify(hash256 const& root, bytes_view key,
                                           std::optional<bytes_view> value, bytes_view encoded)
{
    BLENDR_TRY(auto const shown, decode_proof(encoded));
    std::optional<hash256> hashed;
    if (value) hashed = value_hash(*value);
    return verify(root, key_hash(key), hashed, shown);
}

}  // namespace blendr::state
