// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include <blendr/state/store.hpp>

namespace blendr::store {

struct write_behind_options {
    std::size_t checkpoint_rows = std::size_t{1} << 20;  ///< begin to write once so many wait
    std::size_t backlog_bytes = std::size_t{512} << 20;  ///< more than that makes writers wait
};

/// Takes batches into memory and writes them to another store from a thread of its own: each row once
/// however often it changed, in key order, all up to one height at one stroke. Random writes become a
/// walk through the database, and the longer the walk takes the more it coalesces.
///
/// Reads see what was taken at once; `durable` says what is in the store below. What is above it has
/// to be written again after a crash: from the block log.
class write_behind final : public state::store {
public:
    /// Asked, from the writing thread, before anything up to a height is written below; a refusal
    /// counts as a failed write. Here the log is synced first, so that the state never overtakes it.
    using barrier = std::function<result<nothing, state::io_error>(height)>;

    explicit write_behind(std::unique_ptr<state::store> below,
                          write_behind_options const& chosen = {}, barrier before = {});
    /// Writes what is waiting, if it can.
    ~write_behind() override;

    result<std::optional<bytes>, state::io_error> get(bytes_view key) const override;
    /// Batches wait until the scan is over.
    result<nothing, state::io_error> scan(bytes_view from, bytes_view to,
                                          row_visitor const& row) const override;
    /// Waits only while the backlog is full. Refuses once the store below failed.
    result<nothing, state::io_error> write(std::span<state::row_change const> sorted_batch,
                                           height at) override;
    std::optional<height> durable() const override;
    /// Checks the store below.
    result<nothing, state::io_error> check() const override;

    /// Returns when everything taken so far is durable.
    result<nothing, state::io_error> flush();

    struct waiting {
        std::size_t rows{};   ///< changed rows not durable yet
        std::size_t bytes{};  ///< memory that they take
    };
    waiting backlog() const;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace blendr::store
