// SPDX-License-Identifier: Apache-2.0
#include <blendr/core/task_pool.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>

namespace blendr {

namespace {

void pause_briefly() noexcept
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

/// Spins for about 20 µs while `waiting()`. False when it was in vain.
template <class Waiting>
bool spin_while(Waiting waiting) noexcept
{
    using clock = std::chrono::steady_clock;
    constexpr auto patience = std::chrono::microseconds{20};
    auto const start = clock::now();
    do {
        for (int i = 0; i < 64; ++i) {
            if (!waiting()) return true;
            pause_briefly();
        }
    } while (clock::now() - start < patience);
    return !waiting();
}

thread_local bool inside_a_part = false;

}  // namespace

/// One job at a time. Its parts are claimed by counting `unclaimed` down; whoever claims one has
/// synchronised with the store that published the job, so a worker that wakes late either finds
/// nothing or a part of the job of now. `unfinished` reaching zero ends the job.
struct task_pool::crew {
    std::mutex busy;
    job work{};
    alignas(64) std::atomic<std::size_t> unclaimed{0};
    alignas(64) std::atomic<std::size_t> unfinished{0};
    alignas(64) std::atomic<std::uint32_t> signal{0};  // goes up with each job, and at the end
    std::atomic<std::uint32_t> parked{0};
    std::atomic<bool> leaving{false};
    std::mutex failing;
    std::size_t failed_at{};
    std::exception_ptr failure;
    std::vector<std::thread> workers;

    static std::size_t parts_of(job const& now) noexcept
    {
        return now.count / now.grain + (now.count % now.grain != 0 ? 1 : 0);
    }

    void run_part(job const& now, std::size_t part) noexcept
    {
        std::size_t const begin = part * now.grain;
        std::size_t const end = std::min(now.count, begin + now.grain);
        bool const before = std::exchange(inside_a_part, true);
        try {
            now.body(now.context, begin, end);
        } catch (...) {
            std::lock_guard const lock{failing};
            if (!failure || part < failed_at) {
                failure = std::current_exception();
                failed_at = part;
            }
        }
        inside_a_part = before;
    }

    void help() noexcept
    {
        std::size_t left = unclaimed.load(std::memory_order_relaxed);
        while (left != 0) {
            if (!unclaimed.compare_exchange_weak(left, left - 1, std::memory_order_acquire,
                                                 std::memory_order_relaxed))
                continue;
            std::size_t const parts = parts_of(work);
            run_part(work, parts - left);
            if (unfinished.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished.notify_all();
            left = unclaimed.load(std::memory_order_relaxed);
        }
    }

    void live() noexcept
    {
        std::uint32_t seen = 0;
        while (true) {
            auto const quiet = [&] { return signal.load(std::memory_order_acquire) == seen; };
            if (!spin_while(quiet)) {
                parked.fetch_add(1, std::memory_order_seq_cst);
                signal.wait(seen, std::memory_order_seq_cst);
                parked.fetch_sub(1, std::memory_order_relaxed);
            }
            seen = signal.load(std::memory_order_acquire);
            if (leaving.load(std::memory_order_acquire)) return;
            help();
        }
    }

    void call_up() noexcept
    {
        signal.fetch_add(1, std::memory_order_seq_cst);
        if (parked.load(std::memory_order_seq_cst) != 0) signal.notify_all();
    }
};

task_pool::task_pool(unsigned threads) : crew_{std::make_unique<crew>()}
{
    if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
    crew_->workers.reserve(threads - 1);
    for (unsigned i = 1; i < threads; ++i)
        crew_->workers.emplace_back([c = crew_.get()] { c->live(); });
}

task_pool::~task_pool()
{
    crew_->leaving.store(true, std::memory_order_release);
    crew_->call_up();
    for (auto& each : crew_->workers) each.join();
}

unsigned task_pool::threads() const noexcept
{
    return static_cast<unsigned>(crew_->workers.size()) + 1;
}

void task_pool::run(job const& work)
{
    auto& c = *crew_;
    std::size_t const parts = crew::parts_of(work);
    std::unique_lock<std::mutex> mine{c.busy, std::defer_lock};
    if (parts == 1 || c.workers.empty() || inside_a_part || !mine.try_lock()) {
        std::exception_ptr failure;
        for (std::size_t part = 0; part < parts; ++part) {
            std::size_t const begin = part * work.grain;
            try {
                work.body(work.context, begin, std::min(work.count, begin + work.grain));
            } catch (...) {
                if (!failure) failure = std::current_exception();
            }
        }
        if (failure) std::rethrow_exception(failure);
        return;
    }
    c.work = work;
    c.unfinished.store(parts, std::memory_order_relaxed);
    c.unclaimed.store(parts, std::memory_order_release);
    c.call_up();
    c.help();
    auto const waiting = [&] { return c.unfinished.load(std::memory_order_acquire) != 0; };
    if (!spin_while(waiting))
        while (auto const left = c.unfinished.load(std::memory_order_acquire))
            c.unfinished.wait(left, std::memory_order_acquire);
    if (auto failure = std::exchange(c.failure, nullptr)) {
        mine.unlock();
        std::rethrow_exception(failure);
    }
}

}  // namespace blendr
