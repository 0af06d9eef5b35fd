// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <utility>

#include <blendr/core/assert.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>
#include <blendr/core/strong.hpp>

namespace blendr::state {

/// What a disk, or what lies on it, can do to us. Numbers are frozen.
enum class io_fault : std::uint8_t {
    failed = 1,     ///< the system refused to read, write or sync
    full = 2,       ///< no space is left
    denied = 3,     ///< not permitted, or read-only
    missing = 4,    ///< a file that must be there is not
    in_use = 5,     ///< another process has it
    corrupt = 6,    ///< what is there is not what was written
    newer = 7,      ///< written by a newer version of this library
    misplaced = 8,  ///< a height that does not follow, or a chain that is another
    stopped = 9,    ///< refused because an earlier write failed: reopen to recover
};

/// Says what went wrong and where: the file, and the page, segment or row in it.
struct io_error {
    io_fault what{};
    std::string where{};

    friend bool operator==(io_error const&, io_error const&) = default;
};

/// A sentence for people.
inline std::string message(io_error const& e)
{
    char const* text = "unknown storage error";
    switch (e.what) {
    case io_fault::failed:
        text = "reading or writing failed";
        break;
    case io_fault::full:
        text = "no space is left";
        break;
    case io_fault::denied:
        text = "not permitted or read-only";
        break;
    case io_fault::missing:
        text = "something that must be there is missing";
        break;
    case io_fault::in_use:
        text = "another process uses it";
        break;
    case io_fault::corrupt:
        text = "its content is damaged";
        break;
    case io_fault::newer:
        text = "written by a newer version of this library";
        break;
    case io_fault::misplaced:
        text = "the height does not follow";
        break;
    case io_fault::stopped:
        text = "stopped after an earlier failure; open it again";
        break;
    }
    return e.where.empty() ? text : e.where + ": " + text;
}

/// One row of a batch: its new value, or none to remove it. Seen where the caller has it, so that a
/// whole block's rows can lie in one buffer.
using row_change = std::pair<bytes_view, std::optional<bytes_view>>;

/// Durable key-value state behind the block log. One thread writes; any thread reads and sees the
/// last batch that was written whole.
class store {
public:
    /// False ends the scan. The views last until it returns. It must not write to the store.
    using row_visitor = std::function<bool(bytes_view key, bytes_view value)>;

    virtual ~store() = default;

    virtual result<std::optional<bytes>, io_error> get(bytes_view key) const = 0;

    /// Rows with from <= key < to in key order; an empty `to` stands for the end.
    virtual result<nothing, io_error> scan(bytes_view from, bytes_view to,
                                           row_visitor const& row) const = 0;

    /// All or nothing. Keys strictly increase (asserted), heights never go back (`misplaced`).
    virtual result<nothing, io_error> write(std::span<row_change const> sorted_batch,
                                            height at) = 0;

    /// The height of the last batch that survives whatever happens now; none before the first. What
    /// was written above it must be written again after a crash.
    virtual std::optional<height> durable() const = 0;

    /// Verifies all that is stored, and names what is damaged.
    virtual result<nothing, io_error> check() const = 0;
};

inline bool strictly_increasing(std::span<row_change const> batch) noexcept
{
    for (std::size_t i = 1; i < batch.size(); ++i)
        if (compare(batch[i - 1].first, batch[i].first) >= 0) return false;
    return true;
}

/// A store that lasts as long as the process: for tests, tools and light nodes.
class memory_store final : public store {
public:
    result<std::optional<bytes>, io_error> get(bytes_view key) const override
    {
        std::shared_lock const lock{mutex_};
        auto const found = rows_.find(key);
        if (found == rows_.end()) return std::optional<bytes>{};
        return std::optional<bytes>{found->second};
    }

    result<nothing, io_error> scan(bytes_view from, bytes_view to,
                                   row_visitor const& row) const override
    {
        std::shared_lock const lock{mutex_};
        for (auto it = rows_.lower_bound(from); it != rows_.end(); ++it) {
            if (!to.empty() && compare(it->first, to) >= 0) break;
            if (!row(it->first, it->second)) break;
        }
        return nothing{};
    }

    result<nothing, io_error> write(std::span<row_change const> sorted_batch, height at) override
    {
        BLENDR_ASSERT(strictly_increasing(sorted_batch));
        std::lock_guard const lock{mutex_};
        if (at_ && at < *at_) return fail{io_error{io_fault::misplaced, "memory store"}};
        for (auto const& [key, value] : sorted_batch) {
            auto const found = rows_.find(key);
            if (found != rows_.end() && value)
                found->second = to_bytes(*value);
            else if (found != rows_.end())
                rows_.erase(found);
            else if (value)
                rows_.emplace(to_bytes(key), to_bytes(*value));
        }
        at_ = at;
        return nothing{};
    }

    std::optional<height> durable() const override
    {
        std::shared_lock const lock{mutex_};
        return at_;
    }

    result<nothing, io_error> check() const override { return nothing{}; }

private:
    mutable std::shared_mutex mutex_;
    std::map<bytes, bytes, bytes_less> rows_;
    std::optional<height> at_;
};

}  // namespace blendr::state
