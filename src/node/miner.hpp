// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include <blendr/consensus/engine.hpp>
#include <blendr/consensus/work.hpp>

namespace blendr::node {

/// Looks for seals on a thread of its own, which begins with the first wish; a new wish replaces the old.
class miner {
public:
    using found = std::function<void(consensus::mined)>;

    explicit miner(found tell) : tell_{std::move(tell)} {}
    ~miner()
    {
        {
            std::lock_guard const lock{mutex_};
            stopped_ = true;
        }
        wake_.notify_all();
        if (thread_.joinable()) thread_.join();
    }

    void look(consensus::mine const& wish)
    {
        std::lock_guard const lock{mutex_};
        wish_ = wish;
        ++generation_;
        if (!thread_.joinable()) thread_ = std::thread{[this] { run(); }};
        wake_.notify_all();
    }

private:
    void run()
    {
        constexpr int between_looks = 16;
        std::unique_lock lock{mutex_};
        while (!stopped_) {
            if (!wish_) {
                wake_.wait(lock);
                continue;
            }
            auto const wish = *wish_;
            auto const mine = generation_;
            auto nonce = wish.request << 40;
            bytes seal(consensus::memory_hard::seal_size);
            bool done = false;
            while (!stopped_ && !done && generation_ == mine) {
                lock.unlock();
                for (int i = 0; i < between_looks && !done; ++i, ++nonce) {
                    for (std::size_t b = 0; b < seal.size(); ++b)
                        seal[b] = static_cast<std::byte>(nonce >> (8 * b));
                    done = consensus::memory_hard{}(wish.header, wish.target, seal);
                }
                lock.lock();
            }
            if (!done || generation_ != mine) continue;
            wish_.reset();
            lock.unlock();
            tell_({wish.request, seal});
            lock.lock();
        }
    }

    found tell_;
    std::mutex mutex_{};
    std::condition_variable wake_{};
    std::optional<consensus::mine> wish_{};
    std::uint64_t generation_ = 0;
    bool stopped_ = false;
    std::thread thread_{};
};

}  // namespace blendr::node
