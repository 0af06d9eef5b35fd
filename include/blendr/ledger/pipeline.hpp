// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <blendr/app/application.hpp>
#include <blendr/core/assert.hpp>
#include <blendr/ledger/block_log.hpp>

namespace blendr::ledger {

/// Hands values from one thread to another, in order, and makes the giver wait while too many are on
/// their way: back-pressure instead of memory.
template <class T>
class bounded_queue {
public:
    explicit bounded_queue(std::size_t most) : most_{most} { BLENDR_ASSERT(most != 0); }

    /// Waits while it is full. False, and the value is gone, once it is closed.
    bool push(T value)
    {
        std::unique_lock lock{mutex_};
        room_.wait(lock, [&] { return closed_ || values_.size() < most_; });
        if (closed_) return false;
        values_.push_back(std::move(value));
        filled_.notify_one();
        return true;
    }

    /// Waits while it is empty. None once it is closed and what was in it is taken.
    std::optional<T> pop()
    {
        std::unique_lock lock{mutex_};
        filled_.wait(lock, [&] { return closed_ || !values_.empty(); });
        return take();
    }

    /// Does not wait.
    std::optional<T> try_pop()
    {
        std::lock_guard const lock{mutex_};
        return take();
    }

    void close()
    {
        std::lock_guard const lock{mutex_};
        closed_ = true;
        room_.notify_all();
        filled_.notify_all();
    }

    std::size_t size() const
    {
        std::lock_guard const lock{mutex_};
        return values_.size();
    }

private:
    std::optional<T> take()
    {
        if (values_.empty()) return std::nullopt;
        std::optional<T> out{std::move(values_.front())};
        values_.pop_front();
        room_.notify_one();
        return out;
    }

    mutable std::mutex mutex_{};
    std::condition_variable room_{}, filled_{};
    std::deque<T> values_{};
    std::size_t most_;
    bool closed_ = false;
};

/// Takes decided blocks through three stages at once: while block n executes, the log makes n + 1 durable and
/// the signatures of n + 2 are checked. The log runs ahead of execution, so nothing is executed that a crash
/// could lose, and blocks that wait for the log share one fsync.
///
/// It owns a thread for each stage. While it lives nobody else calls the application's non-const functions
/// or appends to the log.
template <app::application App>
class block_pipeline {
public:
    struct options {
        std::size_t blocks_max = 4;     ///< that wait before each stage
        std::size_t together_max = 16;  ///< that share an fsync
    };
    /// What is done early for a payload, on the first stage's thread; its outcome does not matter here
    /// (`check_ahead` in signatures.hpp). May be empty.
    using ahead = std::function<void(bytes_view payload)>;
    /// Told of each block once it is durable, executed and committed; on the last stage's thread.
    using done = std::function<void(logged_block const&, app::finalized const&)>;

    block_pipeline(App& on, block_log& log, ahead first, done told, options chosen = {})
        : on_{&on},
          log_{&log},
          first_{std::move(first)},
          told_{std::move(told)},
          together_max_{std::max<std::size_t>(chosen.together_max, 1)},
          decided_{chosen.blocks_max},
          checked_{chosen.blocks_max},
          durable_{chosen.blocks_max},
          threads_{}
    {
        threads_.emplace_back([this] { check_ahead_of_time(); });
        threads_.emplace_back([this] { make_durable(); });
        threads_.emplace_back([this] { execute(); });
    }

    /// Finishes what it was given.
    ~block_pipeline() { finish(); }
    block_pipeline(block_pipeline const&) = delete;
    block_pipeline& operator=(block_pipeline const&) = delete;

    /// Takes the next decided block; waits while too many are under way. False once the log has
    /// failed, or after `finish`.
    bool push(logged_block block) { return decided_.push(std::move(block)); }

    /// Waits until all that was taken is done, and ends the threads.
    void finish()
    {
        decided_.close();
        for (auto& each : threads_)
            if (each.joinable()) each.join();
    }

    /// Why the log failed, if it did. Nothing after that block was executed.
    std::optional<state::io_error> error() const
    {
        std::lock_guard const lock{mutex_};
        return error_;
    }

private:
    void check_ahead_of_time()
    {
        while (auto block = decided_.pop()) {
            if (first_) first_(block->payload);
            if (!checked_.push(*std::move(block))) break;
        }
        checked_.close();
    }

    void make_durable()
    {
        while (auto block = checked_.pop()) {
            std::vector<logged_block> together{};
            std::optional<state::io_error> failed{};
            do {
                if (auto const written = log_->append(*block); !written) failed = written.error();
                if (failed) break;
                together.push_back(*std::move(block));
                if (together.size() == together_max_) break;
                block = checked_.try_pop();
            } while (block);
            if (!failed)
                if (auto const synced = log_->sync(); !synced) failed = synced.error();
            if (failed) return stop(*failed);
            for (auto& each : together) durable_.push(std::move(each));
        }
        durable_.close();
    }

    void execute()
    {
        while (auto const block = durable_.pop()) {
            auto const out = on_->finalize(block->at, block->id, block->payload);
            on_->commit();
            if (told_) told_(*block, out);
        }
    }

    void stop(state::io_error const& why)
    {
        {
            std::lock_guard const lock{mutex_};
            error_ = why;
        }
        decided_.close();
        checked_.close();
        durable_.close();
    }

    App* on_;
    block_log* log_;
    ahead first_;
    done told_;
    std::size_t together_max_;
    bounded_queue<logged_block> decided_, checked_, durable_;
    mutable std::mutex mutex_{};
    std::optional<state::io_error> error_{};
    std::vector<std::thread> threads_;
};

}  // namespace blendr::ledger
