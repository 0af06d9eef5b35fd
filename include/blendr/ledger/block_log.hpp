// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <boost/describe/class.hpp>

#include <blendr/app/types.hpp>
#include <blendr/core/assert.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/state/store.hpp>

namespace blendr::ledger {

/// A decided block as a node keeps it: enough to execute it again, and to prove to others that it
/// was decided.
struct logged_block {
    block_id id{};
    app::proposal_context at{};
    bytes payload{};
    bytes finality{};  ///< the engine's own: a certificate, or how deep it waited

    friend bool operator==(logged_block const&, logged_block const&) = default;
};
BOOST_DESCRIBE_STRUCT(logged_block, (), (id, at, payload, finality))

/// Decided blocks in a row, by height, without gaps. What survives a crash is a beginning of the row
/// that holds everything synced.
///
/// One thread appends and prunes. `sync` may run on another thread meanwhile; it covers what was
/// appended before it began, so that a block can be written while the one before syncs. Reads come
/// from any thread. After an error of `append` or `sync` both answer `stopped` until it is opened again.
class block_log {
public:
    struct range {
        height first{};  ///< the oldest block still held
        height last{};   ///< the newest one appended

        friend bool operator==(range const&, range const&) = default;
    };

    virtual ~block_log() = default;

    /// Takes the block of the height after the last; an empty log takes any. Others: `misplaced`.
    virtual result<nothing, state::io_error> append(logged_block const& block) = 0;

    /// Makes everything appended so far durable, with one fsync, and says up to which height.
    virtual result<std::optional<height>, state::io_error> sync() = 0;

    /// The block of that height; none where it is not held.
    virtual result<std::optional<logged_block>, state::io_error> read(height at) const = 0;

    /// What is held; none while the log is empty.
    virtual std::optional<range> held() const = 0;

    /// Blocks below may go, the last one never. May keep more.
    virtual result<nothing, state::io_error> prune(height below) = 0;

    /// Reads all that is held and names the first thing that is damaged.
    virtual result<nothing, state::io_error> check() const = 0;
};

/// A log that lasts as long as the process: for tests, simulations and light nodes.
class memory_block_log final : public block_log {
public:
    result<nothing, state::io_error> append(logged_block const& block) override
    {
        std::lock_guard const lock{mutex_};
        if (!blocks_.empty() && block.at.at != blocks_.back().at.at + std::uint64_t{1})
            return fail{state::io_error{state::io_fault::misplaced, "memory block log"}};
        blocks_.push_back(block);
        return nothing{};
    }

    result<std::optional<height>, state::io_error> sync() override
    {
        std::lock_guard const lock{mutex_};
        if (blocks_.empty()) return std::optional<height>{};
        return std::optional{blocks_.back().at.at};
    }

    result<std::optional<logged_block>, state::io_error> read(height at) const override
    {
        std::lock_guard const lock{mutex_};
        if (blocks_.empty() || at < blocks_.front().at.at || at > blocks_.back().at.at)
            return std::optional<logged_block>{};
        return std::optional{blocks_[at - blocks_.front().at.at]};
    }

    std::optional<range> held() const override
    {
        std::lock_guard const lock{mutex_};
        if (blocks_.empty()) return std::nullopt;
        return range{blocks_.front().at.at, blocks_.back().at.at};
    }

    result<nothing, state::io_error> prune(height below) override
    {
        std::lock_guard const lock{mutex_};
        while (blocks_.size() > 1 && blocks_.front().at.at < below) blocks_.pop_front();
        return nothing{};
    }

    result<nothing, state::io_error> check() const override { return nothing{}; }

private:
    mutable std::mutex mutex_;
    std::deque<logged_block> blocks_{};
};

}  // namespace blendr::ledger
