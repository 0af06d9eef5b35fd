// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace blendr::sim::impl {

/// Earliest first, equal times in the order of pushing: a four-way heap on (at, order).
template <class T>
class queue {
public:
    bool empty() const noexcept { return heap_.empty(); }

    void push(T value)
    {
        std::size_t i = heap_.size();
        heap_.push_back(value);
        while (i > 0) {
            auto const up = (i - 1) / 4;
            if (!before(value, heap_[up])) break;
            heap_[i] = heap_[up];
            i = up;
        }
        heap_[i] = value;
    }

    T pop()
    {
        T const top = heap_.front();
        T const last = heap_.back();
        heap_.pop_back();
        auto const n = heap_.size();
        if (n == 0) return top;
        std::size_t i = 0;
        for (;;) {
            auto const first = 4 * i + 1;
            if (first >= n) break;
            auto least = first;
            for (auto k = first + 1; k < first + 4 && k < n; ++k)
                if (before(heap_[k], heap_[least])) least = k;
            if (!before(heap_[least], last)) break;
            heap_[i] = heap_[least];
            i = least;
        }
        heap_[i] = last;
        return top;
    }

private:
    static bool before(T const& a, T const& b) noexcept
    {
        return a.at != b.at ? a.at < b.at : a.order < b.order;
    }

    std::vector<T> heap_{};
};

}  // namespace blendr::sim::impl
