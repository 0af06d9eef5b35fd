// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <boost/describe.hpp>

#include <blendr/core/assert.hpp>
#include <blendr/core/result.hpp>
#include <blendr/market/error.hpp>
#include <blendr/market/impl/expiry_wheel.hpp>
#include <blendr/market/impl/order_pool.hpp>
#include <blendr/market/impl/tick_bitmap.hpp>
#include <blendr/market/order.hpp>

namespace blendr::market {

/// The prices and sizes that a book takes. Prices lie on a grid, `lowest + n × tick` for n below
/// `levels`; a book whose market leaves its band is moved by a snapshot restored into another band.
struct book_config {
    price lowest{1};
    std::uint64_t tick{1};
    std::uint32_t levels{1u << 16};
    std::uint32_t orders_max{1u << 16};

    friend bool operator==(book_config const&, book_config const&) = default;
};

/// Everything that decides a book's future, as plain data. Two books with equal snapshots answer
/// every sequence of operations alike, ids included.
struct book_snapshot {
    struct resting {
        order_id id{};
        trader_id owner{};
        side way{};
        price limit{};
        quantity left{};
        bool post_only{};
        self_trade on_self{};
        height expires{height::max()};
        friend bool operator==(resting const&, resting const&) = default;
    };
    book_config config{};
    height now{};
    std::uint32_t slots_used{};
    std::vector<resting> orders{};     ///< by price upwards, at one price oldest first
    std::vector<order_id> free{};      ///< the next id to be given comes last
    std::vector<order_id> expiring{};  ///< in the order in which they would expire
    friend bool operator==(book_snapshot const&, book_snapshot const&) = default;
};

/// What waits at one price.
struct depth_level {
    price at{};
    quantity size{};
    friend bool operator==(depth_level const&, depth_level const&) = default;
};

/// Continuous limit book for one instrument: best price first, at one price the older order first,
/// at the older order's price. Same operations in, same fills and ids out, on every machine.
/// Memory is taken once, at construction: 48 bytes an order and 16 a level. Not thread-safe.
class order_book {
public:
    static constexpr std::uint32_t levels_max = impl::tick_bitmap::levels_max;
    static constexpr std::uint32_t orders_limit = 1u << 22;
    static constexpr quantity size_max = order_size_max;

    /// Refuses a grid that is empty, passes 64 bits or is larger than the limits above.
    static result<order_book, reject> make(book_config const& config);

    /// Takes the snapshot's orders into `config`'s band, which may differ from the one they were
    /// taken in. Refuses with bad_snapshot whatever no sequence of operations can lead to.
    static result<order_book, reject> restore(book_snapshot const& from, book_config const& config);
    static result<order_book, reject> restore(book_snapshot const& from)
    {
        return restore(from, from.config);
    }
    book_snapshot snapshot() const;

    /// Matches `in`, rests what is left of it if it may rest. A reject changes nothing.
    template <book_sink Sink = ignore_events>
    result<placed, reject> submit(order const& in, Sink&& events = {}) noexcept;

    /// Takes an order out and tells how much of it was left. Only its owner may.
    result<quantity, reject> cancel(order_id id, trader_id owner) noexcept;

    /// Gives a resting order a new price and a new open size; its id stays. It keeps its place in
    /// the queue only at the same price and a size that does not grow; otherwise it arrives anew
    /// and may trade. A reject leaves it as it was.
    template <book_sink Sink = ignore_events>
    result<placed, reject> replace(order_id id, trader_id owner, price limit, quantity size,
                                   Sink&& events = {}) noexcept;

    /// Moves to a later height and takes out the orders whose last height is before it.
    template <book_sink Sink = ignore_events>
    void advance(height to, Sink&& events = {}) noexcept;

    /// Fills `out` with the best levels of one side, best first, and tells how many there were.
    std::size_t depth(side way, std::span<depth_level> out) const noexcept;

    /// The best price of a side; zero when nobody waits there.
    price best(side way) const noexcept
    {
        auto const at = way == side::buy ? best_bid_ : best_ask_;
        return at < 0 || at >= levels() ? price{0} : price_at(static_cast<std::uint32_t>(at));
    }
    bool contains(order_id id) const noexcept { return pool_.find(id) != impl::no_slot; }
    /// Whose a resting order is; nothing when there is no such order.
    std::optional<trader_id> owner(order_id id) const noexcept
    {
        auto const slot = pool_.find(id);
        if (slot == impl::no_slot) return std::nullopt;
        return trader_id{pool_[slot].owner};
    }
    /// What is left of a resting order; zero when there is no such order.
    quantity left(order_id id) const noexcept
    {
        auto const slot = pool_.find(id);
        return quantity{slot == impl::no_slot ? 0 : pool_[slot].left};
    }
    std::uint32_t size() const noexcept { return live_; }
    height now() const noexcept { return now_; }
    book_config const& config() const noexcept { return config_; }

private:
    using node = impl::order_node;
    static constexpr std::uint32_t none = impl::no_slot;

    struct level {
        std::uint64_t total{0};
        std::uint32_t head{none}, tail{none};
    };
    static_assert(sizeof(level) == 16);

    explicit order_book(book_config const& config);

    std::int32_t levels() const noexcept { return static_cast<std::int32_t>(config_.levels); }
    price price_at(std::uint32_t at) const noexcept
    {
        return price{config_.lowest.get() + at * config_.tick};
    }
    /// The level of a price, or `none` when it is not on the grid.
    std::uint32_t level_of(price at) const noexcept
    {
        auto above = at.get() - config_.lowest.get();  // wraps below the band: far too large
        if (config_.tick != 1) {
            if (at < config_.lowest || above % config_.tick != 0) return none;
            above /= config_.tick;
        }
        return above < config_.levels ? static_cast<std::uint32_t>(above) : none;
    }
    bool crosses(side way, std::uint32_t at) const noexcept
    {
        auto const limit = static_cast<std::int32_t>(at);
        return way == side::buy ? best_ask_ <= limit : best_bid_ >= limit;
    }
    static reject refusal(order const& in) noexcept;
    bool fillable(order const& in, std::uint32_t at) const noexcept;

    void append(std::uint32_t slot, std::uint32_t at, side way) noexcept;
    void unlink(std::uint32_t slot) noexcept;
    void forget(std::uint32_t slot) noexcept;  // unlink, stop the clock and give the slot back

    struct taker {
        std::uint32_t slot, owner, limit;
        self_trade on_self;
        std::uint64_t left;
        bool stopped;
    };
    template <side Way, class Sink>
    void match(taker& in, Sink& events) noexcept;
    template <class Sink>
    void match(side way, taker& in, Sink& events) noexcept
    {
        if (way == side::buy)
            match<side::buy>(in, events);
        else
            match<side::sell>(in, events);
    }
    result<placed, reject> shrink(std::uint32_t slot, quantity size) noexcept;

    book_config config_;
    impl::order_pool pool_;
    impl::tick_bitmap occupied_;
    std::vector<level> ladder_;
    impl::expiry_wheel wheel_;
    std::int32_t best_bid_{-1};  // every occupied level at or below it is a bid's, and
    std::int32_t best_ask_;      // every one at or above this one an ask's; bid < ask always
    std::uint32_t live_{0};
    height now_{0};
};

BOOST_DESCRIBE_STRUCT(book_config, (), (lowest, tick, levels, orders_max))
BOOST_DESCRIBE_STRUCT(book_snapshot::resting, (),
                      (id, owner, way, limit, left, post_only, on_self, expires))
BOOST_DESCRIBE_STRUCT(book_snapshot, (), (config, now, slots_used, orders, free, expiring))

}  // namespace blendr::market

#include <blendr/market/impl/order_book.hpp>
