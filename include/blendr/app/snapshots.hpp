// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <blendr/app/types.hpp>

namespace blendr::app {

/// A whole state that can be fetched in pieces instead of replaying every block.
struct snapshot {
    height at{};             ///< the block after which this is the state
    std::uint32_t format{};  ///< the application's own version of how pieces are made
    std::uint32_t chunks{};
    bytes metadata{};  ///< the application's own; never trusted

    friend bool operator==(snapshot const&, snapshot const&) = default;
};
BOOST_DESCRIBE_STRUCT(snapshot, (), (at, format, chunks, metadata))

/// What became of a piece.
enum class chunk_verdict : std::uint8_t {
    taken = 0,      ///< verified and kept; go on
    corrupt = 1,    ///< does not fit the trusted hash: fetch this one again, from somebody else
    abandoned = 2,  ///< the snapshot itself cannot be restored: try another one
    complete = 3,   ///< that was the last missing piece; `last` now tells the snapshot's height
};
BOOST_DESCRIBE_ENUM(chunk_verdict, taken, corrupt, abandoned, complete)

/// An application that can hand out its state in pieces and be restored from them.
///
/// - `snapshots` and `chunk` are const, run on any thread and serve only committed states. A chunk
///   that is not held (any more) is empty, not an error.
/// - `offer` begins a restore while `last` is height 0 and drops one that was under way. `trusted` is
///   the app hash after `at` as an engine's certificate proves it; nothing else in a snapshot is
///   trusted. False: this format or size is refused.
/// - `restore` takes pieces in any order, checks each against the trusted hash on arrival and
///   loses none of the good ones over a bad one. Until it answers `complete` the application holds
///   what it held before.
template <class A>
concept snapshot_application =
    requires(A a, A const& ca, snapshot const& which, hash256 const& trusted, height at,
             std::uint32_t index, bytes_view raw) {
        { ca.snapshots() } -> std::same_as<std::vector<snapshot>>;
        { ca.chunk(at, index) } -> std::same_as<std::optional<bytes>>;
        { a.offer(which, trusted) } -> std::same_as<bool>;
        { a.restore(index, raw) } -> std::same_as<chunk_verdict>;
    };

}  // namespace blendr::app
