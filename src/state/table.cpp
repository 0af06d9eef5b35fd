// SPDX-License-Identifier: Apache-2.0
#include <blendr/state/table.hpp>

namespace blendr::state::impl {

void slot_index::grow(std::size_t used)
{
    auto size = entries_.size();
    while (size * 7 < used * 10) size = std::max<std::size_t>(64, size * 2);
    std::vector<std::uint64_t> wider(size);
    for (auto const entry : entries_) {
        if (entry == 0) continue;
        std::size_t i = (entry >> 32) & (size - 1);
        while (wider[i] != 0) i = (i + 1) & (size - 1);
        wider[i] = entry;
    }
    entries_ = std::move(wider);
}

slot slot_index::take_free()
{
    std::lock_guard const lock{free_mutex_};
    if (free_.empty()) return no_slot;
    slot const at = free_.back();
    free_.pop_back();
    free_count_.store(free_.size(), std::memory_order_relaxed);
    reused_.push_back(at);
    return at;
}

void slot_index::give_back(slot at)
{
    std::lock_guard const lock{free_mutex_};
    free_.push_back(at);
    free_count_.store(free_.size(), std::memory_order_relaxed);
}

void slot_index::forget(slot at, std::uint32_t hash)
{
    std::size_t hole = hash & mask();
    while (slot_of(entries_[hole]) != at) {
        BLENDR_ASSERT(entries_[hole] != 0);
        hole = (hole + 1) & mask();
    }
    for (std::size_t i = (hole + 1) & mask(); entries_[i] != 0; i = (i + 1) & mask()) {
        std::size_t const home = (entries_[i] >> 32) & mask();
        if (((i - home) & mask()) < ((i - hole) & mask())) continue;
        entries_[hole] = entries_[i];
        hole = i;
    }
    entries_[hole] = 0;
    give_back(at);
}

std::vector<slot> slot_index::to_recycle(std::span<slot const> emptied)
{
    auto out = std::exchange(reused_, {});
    for (auto at = std::exchange(swept_, static_cast<slot>(size())); at < size(); ++at)
        out.push_back(at);
    out.insert(out.end(), emptied.begin(), emptied.end());
    return out;
}

}  // namespace blendr::state::impl
