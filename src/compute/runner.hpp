// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

#include <blendr/compute/device.hpp>

namespace blendr::compute {

/// A thread, started when it is first needed, that runs a device's batches in order.
class runner {
public:
    explicit runner(device& of) : of_{of} {}
    ~runner()
    {
        {
            std::lock_guard const lock{mutex_};
            leaving_ = true;
        }
        wake_.notify_one();
        if (thread_.joinable()) thread_.join();
    }
    runner(runner const&) = delete;
    runner& operator=(runner const&) = delete;

    std::future<outcome> post(batch work)
    {
        std::packaged_task<outcome()> task{
            [this, work = std::move(work)] { return of_.run(work); }};
        auto ready = task.get_future();
        {
            std::lock_guard const lock{mutex_};
            waiting_.push_back(std::move(task));
            if (!thread_.joinable()) thread_ = std::thread{[this] { live(); }};
        }
        wake_.notify_one();
        return ready;
    }

private:
    void live()
    {
        std::unique_lock lock{mutex_};
        for (;;) {
            wake_.wait(lock, [&] { return leaving_ || !waiting_.empty(); });
            if (waiting_.empty()) return;
            auto task = std::move(waiting_.front());
            waiting_.pop_front();
            lock.unlock();
            task();
            lock.lock();
        }
    }

    device& of_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::packaged_task<outcome()>> waiting_;
    bool leaving_ = false;
    std::thread thread_;
};

}  // namespace blendr::compute
