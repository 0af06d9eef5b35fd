// SPDX-License-Identifier: Apache-2.0
#include <blendr/state/snapshot.hpp>

#include <algorithm>
#include <bit>

namespace blendr::state {
namespace {

bool begins_with(hash256 const& key, unsigned bits, std::uint32_t index) noexcept
{
    for (unsigned b = 0; b < bits; ++b)
        if (bit_at(key, b) != ((index >> (bits - 1 - b) & 1) != 0)) return false;
    return true;
}

/// Does the proof show that no key at all begins so? Its leaf's walk agrees with the index at every
/// branch above the part, and yet the leaf begins otherwise: between those branches, where all keys
/// below agree.
bool shows_none(hash256 const& root, unsigned bits, std::uint32_t index, bytes_view encoded)
{
    auto const shown = decode_proof(encoded);
    if (!shown) return false;
    if (shown->what == proof::kind::nothing_at_all)
        return verify(root, hash256{}, std::nullopt, *shown).has_value();
    if (shown->what != proof::kind::absent || begins_with(shown->other.key, bits, index))
        return false;
    for (unsigned b = 0; b < bits; ++b)
        if (shown->branches.test(b) &&
            bit_at(shown->other.key, b) != ((index >> (bits - 1 - b) & 1) != 0))
            return false;
    proof present = *shown;  // the leaf itself must be where the proof says
    present.what = proof::kind::present;
    present.other = {};
    return verify(root, shown->other.key, shown->other.value, present).has_value();
}

}  // namespace

std::string message(chunk_error const& e)
{
    auto const name = "snapshot chunk " + std::to_string(e.chunk);
    switch (e.what) {
    case chunk_fault::malformed:
        return name + " is damaged or cut short";
    case chunk_fault::too_large:
        return name + " has more bytes than a chunk may have";
    case chunk_fault::another:
        return name + " was asked for and another one came";
    case chunk_fault::foreign_row:
        return name + " holds a row that does not belong there";
    case chunk_fault::wrong_root:
        return name + " does not lead to the snapshot's root";
    case chunk_fault::row_changed:
        return name + " cannot be made: its rows have changed";
    case chunk_fault::bad_manifest:
        return "the snapshot has more chunks than allowed";
    }
    return name + ": unknown error";
}

std::uint8_t snapshot_bits(std::size_t rows) noexcept
{
    constexpr std::size_t rows_aimed = 4096;
    return static_cast<std::uint8_t>(std::min<std::size_t>(
        static_cast<std::size_t>(std::bit_width(rows / rows_aimed)), snapshot_manifest::bits_max));
}

result<bytes, chunk_error> make_chunk(tree const& of, tree_version at, std::uint8_t bits,
                                      std::uint32_t index, row_source const& rows)
{
    if (bits > snapshot_manifest::bits_max || (index >> bits) != 0)
        return fail{chunk_error{chunk_fault::bad_manifest, index}};
    auto const part = of.part_of(at, bits, index);
    snapshot_chunk out;
    out.bits = bits;
    out.index = index;
    if (part.none) {
        out.none = bounded<bytes, 8321>{encode_proof(*part.none)};
        return encode(out);
    }
    out.branches = part.branches.raw();
    out.siblings = bounded<std::vector<hash256>, 32>{part.siblings};
    out.rows.reserve(part.rows.size());
    for (auto const& wanted : part.rows) {
        auto found = rows(wanted);
        if (!found || key_hash(found->key) != wanted.key ||
            value_hash(found->value) != wanted.value)
            return fail{chunk_error{chunk_fault::row_changed, index}};
        out.rows.push_back(std::move(*found));
    }
    auto raw = encode(out);
    if (raw.size() > chunk_bytes_max) return fail{chunk_error{chunk_fault::too_large, index}};
    return raw;
}

result<std::vector<snapshot_row>, chunk_error> open_chunk(hash256 const& root, std::uint8_t bits,
                                                          std::uint32_t index, bytes_view raw)
{
    auto const refuse = [index](chunk_fault what) { return fail{chunk_error{what, index}}; };
    if (bits > snapshot_manifest::bits_max || (index >> bits) != 0)
        return refuse(chunk_fault::bad_manifest);
    if (raw.size() > chunk_bytes_max) return refuse(chunk_fault::too_large);
    auto read = decode<snapshot_chunk>(raw);
    if (!read) return refuse(chunk_fault::malformed);
    if (read->bits != bits || read->index != index) return refuse(chunk_fault::another);

    if (read->rows.empty()) {
        if (read->branches != hash256{} || !read->siblings.empty())
            return refuse(chunk_fault::malformed);
        if (!shows_none(root, bits, index, read->none)) return refuse(chunk_fault::wrong_root);
        return std::vector<snapshot_row>{};
    }

    bit_set branches;
    branches.raw() = read->branches;
    if (!read->none.empty() || branches.count() != read->siblings.size())
        return refuse(chunk_fault::malformed);
    for (unsigned b = bits; b < 256; ++b)
        if (branches.test(b)) return refuse(chunk_fault::malformed);

    // The part's own root follows from its rows alone, as every root does.
    std::vector<change> leaves;
    leaves.reserve(read->rows.size());
    for (auto const& r : read->rows) {
        change next{key_hash(r.key), value_hash(r.value)};
        if (!begins_with(next.key, bits, index) ||
            (!leaves.empty() && next.key <= leaves.back().key))
            return refuse(chunk_fault::foreign_row);
        leaves.push_back(next);
    }
    tree part;
    hash256 up = part.root(part.apply(part.decided(), leaves));
    auto sibling = read->siblings.rbegin();
    for (unsigned b = bits; b-- > 0;) {
        if (!branches.test(b)) continue;
        bool const right = (index >> (bits - 1 - b) & 1) != 0;
        up = right ? inner_hash(b, *sibling, up) : inner_hash(b, up, *sibling);
        ++sibling;
    }
    if (up != root) return refuse(chunk_fault::wrong_root);
    return std::move(read->rows);
}

result<snapshot_intake, chunk_error> snapshot_intake::begin(snapshot_manifest const& manifest)
{
    if (manifest.bits > snapshot_manifest::bits_max)
        return fail{chunk_error{chunk_fault::bad_manifest, 0}};
    return snapshot_intake{manifest};
}

result<std::vector<snapshot_row>, chunk_error> snapshot_intake::take(std::uint32_t index,
                                                                     bytes_view raw)
{
    BLENDR_TRY(auto rows, open_chunk(manifest_.root, manifest_.bits, index, raw));
    if (here_[index]) return std::vector<snapshot_row>{};
    here_[index] = true;
    ++taken_;
    return rows;
}

std::vector<std::uint32_t> snapshot_intake::missing() const
{
    std::vector<std::uint32_t> out;
    for (std::uint32_t i = 0; i < manifest_.chunks(); ++i)
        if (!here_[i]) out.push_back(i);
    return out;
}

}  // namespace blendr::state
