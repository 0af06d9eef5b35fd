// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <blendr/core/assert.hpp>
#include <blendr/market/order.hpp>

namespace blendr::market::impl {

inline constexpr std::uint32_t no_slot = ~0u;

/// What matching reads of a resting order: half a cache line, and never parts of two.
struct alignas(32) order_node {
    std::uint64_t left;        // not yet filled
    std::uint32_t next, prev;  // in the level's queue; `next` links the free list otherwise
    std::uint32_t place;       // level in the low 20 bits, flags above
    std::uint32_t generation;  // with the slot it makes the order's id; raised at release
    std::uint32_t owner;
    std::uint32_t reserved;

    static constexpr std::uint32_t level_mask = (1u << 20) - 1;
    static constexpr std::uint32_t sell_bit = 1u << 20;
    static constexpr std::uint32_t post_only_bit = 1u << 21;
    static constexpr std::uint32_t expiring_bit = 1u << 22;
    static constexpr unsigned on_self_shift = 23;

    std::uint32_t level() const noexcept { return place & level_mask; }
    side way() const noexcept { return (place & sell_bit) != 0 ? side::sell : side::buy; }
    bool post_only() const noexcept { return (place & post_only_bit) != 0; }
    bool expiring() const noexcept { return (place & expiring_bit) != 0; }
    self_trade on_self() const noexcept { return static_cast<self_trade>(place >> on_self_shift); }
};
static_assert(sizeof(order_node) == 32);

/// What only orders with a last height need.
struct expiry_node {
    std::uint64_t expires;
    std::uint32_t next, prev;
};
static_assert(sizeof(expiry_node) == 16);

/// Slots for orders, all memory taken at construction (pages are touched when first used). Ids are
/// slot and generation, so that looking one up is an index and a comparison, and a stale id is
/// known for stale: a slot whose generations are used up is retired, not reused.
class order_pool {
public:
    explicit order_pool(std::uint32_t slots)
        : nodes_{std::make_unique_for_overwrite<order_node[]>(slots)},
          expiry_{std::make_unique_for_overwrite<expiry_node[]>(slots)},
          slots_{slots}
    {}

    order_node& operator[](std::uint32_t slot) noexcept { return nodes_[slot]; }
    order_node const& operator[](std::uint32_t slot) const noexcept { return nodes_[slot]; }
    expiry_node& expiry(std::uint32_t slot) noexcept { return expiry_[slot]; }
    expiry_node const& expiry(std::uint32_t slot) const noexcept { return expiry_[slot]; }

    bool full() const noexcept { return free_ == no_slot && used_ == slots_; }
    std::uint32_t used() const noexcept { return used_; }
    std::uint32_t free_head() const noexcept { return free_; }

    /// The caller has looked at full().
    std::uint32_t take() noexcept
    {
        if (free_ != no_slot) {
            auto const slot = free_;
            free_ = nodes_[slot].next;
            return slot;
        }
        BLENDR_ASSERT(used_ < slots_);
        nodes_[used_] = order_node{.left = 0,
                                   .next = no_slot,
                                   .prev = no_slot,
                                   .place = 0,
                                   .generation = 1,
                                   .owner = 0,
                                   .reserved = 0};
        return used_++;
    }

    void release(std::uint32_t slot) noexcept
    {
        auto& node = nodes_[slot];
        node.left = 0;
        if (++node.generation == 0) [[unlikely]]
            return;  // retired: generation 0 is in no id
        node.next = free_;
        free_ = slot;
    }

    order_id id(std::uint32_t slot) const noexcept
    {
        return order_id{std::uint64_t{nodes_[slot].generation} << 32 | slot};
    }

    /// The slot of a live order, or no_slot. Any number may be asked for.
    std::uint32_t find(order_id id) const noexcept
    {
        auto const slot = static_cast<std::uint32_t>(id.get());
        auto const generation = static_cast<std::uint32_t>(id.get() >> 32);
        if (slot >= used_ || nodes_[slot].generation != generation || nodes_[slot].left == 0)
            return no_slot;
        return slot;
    }

    /// For restoring: a slot in use or free with the generation it had.
    void restore_used(std::uint32_t used) noexcept
    {
        BLENDR_ASSERT(used_ == 0 && used <= slots_);
        used_ = used;
        for (std::uint32_t slot = 0; slot < used; ++slot) nodes_[slot] = order_node{};
    }
    void restore_free(std::uint32_t slot, std::uint32_t generation) noexcept
    {
        nodes_[slot].generation = generation;
        nodes_[slot].next = free_;
        free_ = slot;
    }

private:
    std::unique_ptr<order_node[]> nodes_;
    std::unique_ptr<expiry_node[]> expiry_;
    std::uint32_t slots_;
    std::uint32_t used_{0};
    std::uint32_t free_{no_slot};
};

}  // namespace blendr::market::impl
