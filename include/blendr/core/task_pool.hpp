// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <blendr/core/assert.hpp>

namespace blendr {

/// Runs ranges on several threads, the caller's among them. A call returns when every part of its
/// range has run. Which thread runs which part is open; what `reduce` yields is not.
///
/// Any thread may call. A call that finds the pool at work for somebody else, and a call from
/// inside a part, runs on its own thread alone: slower, never stuck.
class task_pool {
public:
    /// `threads` counts the caller; 0 takes as many as the machine has cores, 1 starts none.
    explicit task_pool(unsigned threads = 0);
    ~task_pool();
    task_pool(task_pool const&) = delete;
    task_pool& operator=(task_pool const&) = delete;

    /// How many threads work on a call, the caller included.
    unsigned threads() const noexcept;

    /// body(begin, end) over [0, count) in parts of `grain`, the last one shorter.
    /// When parts throw, all the others still run; then the exception of the first part in range
    /// order is rethrown.
    template <std::invocable<std::size_t, std::size_t> Body>
    void parallel_for(std::size_t count, std::size_t grain, Body&& body)
    {
        BLENDR_ASSERT(grain != 0);
        if (count == 0) return;
        run({[](void* context, std::size_t begin, std::size_t end) {
                 (*static_cast<std::remove_reference_t<Body>*>(context))(begin, end);
             },
             const_cast<void*>(static_cast<void const*>(std::addressof(body))), count, grain});
    }

    /// combine(combine(map(part 0), map(part 1)), map(part 2)) … in range order. The parts depend
    /// on `count` and `grain` alone, so the result is the same with any number of threads, also
    /// where combining is not associative.
    template <class Map, class Combine>
    auto reduce(std::size_t count, std::size_t grain, Map&& map, Combine&& combine)
    {
        using value = std::invoke_result_t<Map&, std::size_t, std::size_t>;
        BLENDR_ASSERT(grain != 0 && count != 0);
        std::vector<value> parts(count / grain + (count % grain != 0 ? 1 : 0));
        parallel_for(count, grain, [&](std::size_t begin, std::size_t end) {
            parts[begin / grain] = map(begin, end);
        });
        value all = std::move(parts.front());
        for (std::size_t i = 1; i < parts.size(); ++i)
            all = combine(std::move(all), std::move(parts[i]));
        return all;
    }

private:
    struct job {
        void (*body)(void* context, std::size_t begin, std::size_t end);
        void* context;
        std::size_t count;
        std::size_t grain;
    };
    struct crew;

    void run(job const& work);

    std::unique_ptr<crew> crew_;
};

}  // namespace blendr
