// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <string_view>

#include <blendr/app/types.hpp>

namespace blendr::app {

/// A deterministic state machine whose blocks somebody else puts in order. The same object serves the
/// built-in engines, the simulator and an ABCI socket.
///
/// Calls, in the order in which a host makes them:
///
/// | call     | when                                              | promise of the application          |
/// |----------|---------------------------------------------------|-------------------------------------|
/// | last     | first of all, and whenever                        | height 0 until a block is committed |
/// | init     | once in a chain's life, while `last` is height 0  | empty: the document is refused      |
/// | check    | for every transaction offered                     | changes nothing                     |
/// | propose  | a block on a known parent is wanted               | empty: cannot now, ask again        |
/// | verify   | a block on a verified or final parent arrived     | empty: cannot say yet, abstain      |
/// | finalize | its parent was finalized and committed just before | total: the block was decided       |
/// | commit   | right after finalize                              | everything finalized is now durable |
/// | query    | whenever                                          | shows the last commit               |
///
/// - One thread at a time makes init, propose, verify, finalize and commit. check, query and last are
///   const, may run on any thread, beside each other and beside those, and see the last commit.
/// - verify sees ancestors first. A proposer's own block is verified too. Several children of one
///   parent may be verified: one working state moves along the tree of blocks by undo logs.
/// - finalize merges one branch and drops its siblings. Decided state is never undone. A block that
///   was not verified here (catching up) is executed by finalize itself. A block that verify called
///   invalid never arrives while less than a third of the votes is faulty; if it does, the
///   application must stop rather than guess.
/// - finalize must not make anything durable; commit must. After a crash the host replays the blocks
///   above `last().last`, with the same results.
/// - `finalized::next` is the whole weighted set, never a difference, and is in force two heights
///   above the block: the next block may already be on its way when this one is final. The set that
///   init returns is in force at heights 1 and 2. An application never returns an empty set.
/// - commit returns the oldest height that is still worth replaying; the host may prune below it.
/// - No result may depend on a clock, a float, randomness, threads or addresses: only on the genesis
///   document and the decided blocks, with what their `proposal_context` says.
template <class A>
concept application = requires(A a, A const& ca, bytes_view raw, proposal_context const& at,
                               block_id const& id, std::size_t bytes_max, std::string_view path) {
    { ca.last() } -> std::same_as<info>;
    { a.init(raw) } -> std::same_as<std::optional<validator_set>>;
    { ca.check(raw) } -> std::same_as<check_result>;
    { a.propose(at, bytes_max) } -> std::same_as<std::optional<bytes>>;
    { a.verify(at, id, raw) } -> std::same_as<std::optional<verdict>>;
    { a.finalize(at, id, raw) } -> std::same_as<finalized>;
    { a.commit() } -> std::same_as<height>;
    { ca.query(path, raw) } -> std::same_as<query_result>;
};

}  // namespace blendr::app
