// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/state/tree.hpp>

namespace blendr::state {

/// A whole state in chunks. Chunk i of 2^bits holds exactly the rows whose hashed key begins with the
/// bits of i, and the way from there to the root: whoever trusts the root can check every chunk alone,
/// on arrival, in any order and from any peer. Nothing can be left out, added or changed unseen.
struct snapshot_manifest {
    static constexpr std::uint8_t bits_max = 20;

    height at{};          ///< the block after which the state was this
    hash256 root{};       ///< to be compared with a trusted one before anything else
    std::uint8_t bits{};  ///< there are 2^bits chunks

    std::uint32_t chunks() const noexcept { return std::uint32_t{1} << bits; }

    friend bool operator==(snapshot_manifest const&, snapshot_manifest const&) = default;
};
BOOST_DESCRIBE_STRUCT(snapshot_manifest, (), (at, root, bits))

struct snapshot_row {
    bytes key{};
    bytes value{};

    friend bool operator==(snapshot_row const&, snapshot_row const&) = default;
};
BOOST_DESCRIBE_STRUCT(snapshot_row, (), (key, value))

/// How a chunk travels. Rows are in the order of their hashed keys.
struct snapshot_chunk {
    std::uint8_t bits{};
    std::uint32_t index{};
    hash256 branches{};
    bounded<std::vector<hash256>, 32> siblings{};
    std::vector<snapshot_row> rows{};
    bounded<bytes, 8321> none{};  ///< without rows: the encoded proof that there are none
};
BOOST_DESCRIBE_STRUCT(snapshot_chunk, (), (bits, index, branches, siblings, rows, none))

/// Why a chunk was refused. Numbers are frozen.
enum class chunk_fault : std::uint8_t {
    malformed = 1,     ///< not the encoding of a chunk, or cut short
    too_large = 2,     ///< more bytes than a chunk may have
    another = 3,       ///< it is not the chunk that was asked for
    foreign_row = 4,   ///< a row belongs elsewhere or is out of order
    wrong_root = 5,    ///< it does not lead to the root
    row_changed = 6,   ///< making one: the rows are no longer those of the version
    bad_manifest = 7,  ///< more chunks than any snapshot has
};

/// Names the chunk, so that it can be asked for again, from somebody else.
struct chunk_error {
    chunk_fault what{};
    std::uint32_t chunk{};

    friend bool operator==(chunk_error const&, chunk_error const&) = default;
};
std::string message(chunk_error const& e);

inline constexpr std::size_t chunk_bytes_max = std::size_t{1} << 24;

/// How many bits give chunks of some thousand rows.
std::uint8_t snapshot_bits(std::size_t rows) noexcept;

/// Where the raw rows are: given a leaf, its key and value. None if it is not there.
using row_source = std::function<std::optional<snapshot_row>(leaf const&)>;

/// Makes one chunk of a version. Rows that no longer hash to what the version says are refused.
result<bytes, chunk_error> make_chunk(tree const& of, tree_version at, std::uint8_t bits,
                                      std::uint32_t index, row_source const& rows);

/// Checks one chunk against a root and takes its rows out. Needs nothing else; keeps nothing.
result<std::vector<snapshot_row>, chunk_error> open_chunk(hash256 const& root, std::uint8_t bits,
                                                          std::uint32_t index, bytes_view raw);

/// Which chunks of a snapshot are still to come. A refused chunk changes nothing: all that was taken
/// before stays taken, and the refused one stays missing.
class snapshot_intake {
public:
    static result<snapshot_intake, chunk_error> begin(snapshot_manifest const& manifest);

    /// The rows of chunk `index`, once. A chunk taken before yields no rows again.
    result<std::vector<snapshot_row>, chunk_error> take(std::uint32_t index, bytes_view raw);

    snapshot_manifest const& manifest() const noexcept { return manifest_; }
    std::vector<std::uint32_t> missing() const;
    bool complete() const noexcept { return taken_ == manifest_.chunks(); }

private:
    explicit snapshot_intake(snapshot_manifest const& manifest)
        : manifest_{manifest},
          here_(manifest.chunks(), false)
    {}

    snapshot_manifest manifest_;
    std::vector<bool> here_;
    std::uint32_t taken_ = 0;
};

}  // namespace blendr::state
