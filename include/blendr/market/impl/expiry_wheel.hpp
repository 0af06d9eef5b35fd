// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include <blendr/market/impl/order_pool.hpp>

namespace blendr::market::impl {

/// Orders with a last height, by that height modulo the wheel's size, each list in order of entry.
/// Entering and leaving cost the same for any height.
class expiry_wheel {
public:
    static constexpr std::uint32_t size = 1024;

    expiry_wheel() : lists_(size) {}

    void enter(order_pool& pool, std::uint32_t slot, height expires) noexcept
    {
        auto& list = lists_[expires.get() % size];
        auto& node = pool.expiry(slot);
        node = {.expires = expires.get(), .next = no_slot, .prev = list.tail};
        if (list.tail == no_slot)
            list.head = slot;
        else
            pool.expiry(list.tail).next = slot;
        list.tail = slot;
    }

    void leave(order_pool& pool, std::uint32_t slot) noexcept
    {
        auto const& node = pool.expiry(slot);
        auto& list = lists_[node.expires % size];
        if (node.prev == no_slot)
            list.head = node.next;
        else
            pool.expiry(node.prev).next = node.next;
        if (node.next == no_slot)
            list.tail = node.prev;
        else
            pool.expiry(node.next).prev = node.prev;
    }

    /// Calls `out(slot)` for every order whose last height is in [from, to). `out` takes it off.
    template <class Out>
    void expire(order_pool const& pool, height from, height to, Out&& out) noexcept
    {
        auto const heights = to.get() - from.get();
        auto const turns = heights < size ? heights : size;
        for (std::uint64_t i = 0; i < turns; ++i) {
            auto slot = lists_[(from.get() + i) % size].head;
            while (slot != no_slot) {
                auto const& node = pool.expiry(slot);
                auto const next = node.next;
                if (node.expires < to.get()) out(slot);
                slot = next;
            }
        }
    }

    template <class Visit>
    void each(order_pool const& pool, Visit&& visit) const
    {
        for (auto const& list : lists_)
            for (auto slot = list.head; slot != no_slot; slot = pool.expiry(slot).next) visit(slot);
    }

private:
    struct ends {
        std::uint32_t head{no_slot}, tail{no_slot};
    };
    std::vector<ends> lists_;
};

}  // namespace blendr::market::impl
