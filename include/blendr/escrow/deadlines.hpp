// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include <blendr/core/assert.hpp>
#include <blendr/core/strong.hpp>

namespace blendr::escrow {

/// What is due when, for very many things that each have one deadline which moves. Things are dense
/// numbers from zero (the row of a job). A height's work touches what is due and nothing else, in
/// the order of height and then number, whatever the order of insertion.
class deadlines {
public:
    using number = std::uint32_t;

    std::size_t size() const noexcept { return heap_.size(); }
    bool empty() const noexcept { return heap_.empty(); }

    /// Gives `which` a deadline, in place of the one that it had.
    void set(number which, height at)
    {
        if (which >= place_.size()) place_.resize(std::size_t{which} + 1, nowhere);
        if (place_[which] == nowhere) {
            heap_.push_back({at, which});
            rise(heap_.size() - 1);
            return;
        }
        std::size_t const i = place_[which];
        heap_[i].at = at;
        rise(i);
        sink(place_[which]);
    }

    /// Takes the deadline away; nothing happens when there is none.
    void erase(number which)
    {
        if (which >= place_.size() || place_[which] == nowhere) return;
        remove(place_[which]);
    }

    std::optional<height> of(number which) const
    {
        if (which >= place_.size() || place_[which] == nowhere) return std::nullopt;
        return heap_[place_[which]].at;
    }

    /// The earliest deadline; height::max() when there is none.
    height next() const noexcept { return heap_.empty() ? height::max() : heap_.front().at; }

    /// Takes out the earliest thing that is due by `now`, or nothing. Stop calling when a block's
    /// share of work is used up: the rest stays first in line.
    std::optional<number> pop_due(height now)
    {
        if (heap_.empty() || heap_.front().at > now) return std::nullopt;
        number const which = heap_.front().which;
        remove(0);
        return which;
    }

private:
    struct entry {
        height at{};
        number which{};
        friend auto operator<=>(entry const&, entry const&) = default;
    };
    static constexpr std::size_t arity = 4;  // a node's children share a cache line
    static constexpr std::uint32_t nowhere = std::numeric_limits<std::uint32_t>::max();

    void put(std::size_t i, entry const& e)
    {
        heap_[i] = e;
        place_[e.which] = static_cast<std::uint32_t>(i);
    }
    void rise(std::size_t i)
    {
        entry const e = heap_[i];
        for (; i != 0; i = (i - 1) / arity) {
            auto const& parent = heap_[(i - 1) / arity];
            if (!(e < parent)) break;
            put(i, parent);
        }
        put(i, e);
    }
    void sink(std::size_t i)
    {
        entry const e = heap_[i];
        while (true) {
            std::size_t const first = arity * i + 1;
            if (first >= heap_.size()) break;
            auto const begin = heap_.begin() + static_cast<std::ptrdiff_t>(first);
            auto const count = std::min(arity, heap_.size() - first);
            auto const least = std::min_element(begin, begin + static_cast<std::ptrdiff_t>(count));
            if (!(*least < e)) break;
            auto const from = static_cast<std::size_t>(least - heap_.begin());
            put(i, *least);
            i = from;
        }
        put(i, e);
    }
    void remove(std::size_t i)
    {
        BLENDR_ASSERT(i < heap_.size());
        place_[heap_[i].which] = nowhere;
        entry const last = heap_.back();
        heap_.pop_back();
        if (i == heap_.size()) return;
        heap_[i] = last;
        rise(i);
        sink(place_[last.which]);
    }

    std::vector<entry> heap_;
    std::vector<std::uint32_t> place_;  // where in the heap each number is
};

}  // namespace blendr::escrow
