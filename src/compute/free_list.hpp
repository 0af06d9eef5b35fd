// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <iterator>
#include <map>
#include <optional>

#include <blendr/core/assert.hpp>

namespace blendr::compute {

/// Hands out parts of a range, first fit, and joins what comes back.
class free_list {
public:
    explicit free_list(std::uint64_t size) : size_{size} { free_[0] = size; }

    /// `alignment` is a power of two, `bytes` is not 0.
    std::optional<std::uint64_t> take(std::uint64_t bytes, std::uint64_t alignment)
    {
        for (auto each = free_.begin(); each != free_.end(); ++each) {
            auto const [from, length] = *each;
            auto const at = (from + alignment - 1) & ~(alignment - 1);
            if (at - from > length || length - (at - from) < bytes) continue;
            free_.erase(each);
            if (at != from) free_[from] = at - from;
            if (auto const rest = from + length - (at + bytes); rest != 0) free_[at + bytes] = rest;
            taken_[at] = bytes;
            return at;
        }
        return std::nullopt;
    }

    /// Gives back what began at `at`.
    void give(std::uint64_t at)
    {
        auto const mine = taken_.find(at);
        BLENDR_ASSERT(mine != taken_.end());
        auto const bytes = mine->second;
        taken_.erase(mine);
        auto [here, fresh] = free_.emplace(at, bytes);
        if (auto const next = std::next(here);
            next != free_.end() && here->first + here->second == next->first) {
            here->second += next->second;
            free_.erase(next);
        }
        if (here != free_.begin()) {
            auto const before = std::prev(here);
            if (before->first + before->second == here->first) {
                before->second += here->second;
                free_.erase(here);
            }
        }
    }

    bool empty() const noexcept { return taken_.empty(); }
    std::uint64_t size() const noexcept { return size_; }

private:
    std::uint64_t size_;
    std::map<std::uint64_t, std::uint64_t> free_, taken_;  // where: how long
};

}  // namespace blendr::compute
