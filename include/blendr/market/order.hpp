// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>

#include <boost/describe.hpp>

#include <blendr/core/amount.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/market/error.hpp>

namespace blendr::market {

struct trader_tag {
    static constexpr auto rules = arithmetic::none;
};
struct order_tag {
    static constexpr auto rules = arithmetic::none;
};

/// Who trades. The caller numbers its traders; the book only compares them.
using trader_id = strong<trader_tag, std::uint32_t>;
/// Names an order for as long as it lives and never again afterwards. Zero names none.
using order_id = strong<order_tag>;

/// The largest size of one order. Low enough that the sizes of all orders of a book or an auction
/// add up within 64 bits.
inline constexpr quantity order_size_max{std::uint64_t{1} << 40};

enum class side : std::uint8_t { buy, sell };
constexpr side opposite(side s) noexcept { return s == side::buy ? side::sell : side::buy; }

/// How long what is not filled at once may wait.
enum class lifetime : std::uint8_t {
    resting,    ///< until cancelled, or through height `expires`
    immediate,  ///< not at all: fill what can be filled, drop the rest (IOC)
    all_now,    ///< the whole size at once or nothing (FOK)
};

/// What happens when an order meets one of the same trader.
enum class self_trade : std::uint8_t {
    cancel_resting,   ///< the older order goes, matching goes on
    cancel_incoming,  ///< what is left of the newer order goes
    cancel_both,
};

/// A wish to trade at `limit` or better. Aggregate: name the fields you set.
struct order {
    trader_id owner{};
    side way{side::buy};
    quantity size{};
    price limit{};          ///< must be zero in a market order, above zero otherwise
    bool market{false};     ///< at any price; never rests
    bool post_only{false};  ///< refused when it would trade on arrival
    lifetime life{lifetime::resting};
    self_trade on_self{self_trade::cancel_resting};
    height expires{height::max()};  ///< the last height at which it may trade

    friend bool operator==(order const&, order const&) = default;
};

/// Two orders met. The price is the resting order's.
struct trade {
    order_id resting{};
    order_id incoming{};
    trader_id resting_owner{};
    trader_id incoming_owner{};
    price at{};
    quantity size{};
    side incoming_way{};
    bool resting_done{};  ///< the resting order left the book with this fill

    friend bool operator==(trade const&, trade const&) = default;
};

/// A resting order left the book although nobody asked for it.
struct removal {
    enum class cause : std::uint8_t { expired, own_order };
    order_id id{};
    trader_id owner{};
    quantity left{};
    cause why{};

    friend bool operator==(removal const&, removal const&) = default;
};

/// What became of an order that was taken.
struct placed {
    order_id id{};  ///< names the order in fills, and in the book while `resting` is not zero
    quantity filled{};
    quantity resting{};  ///< now waits in the book; the rest was dropped

    friend bool operator==(placed const&, placed const&) = default;
};

/// Takes fills and removals in the order in which they happen. It must not throw, nor touch the
/// book.
template <class S>
concept book_sink = std::is_nothrow_invocable_v<S&, trade const&> &&
                    std::is_nothrow_invocable_v<S&, removal const&>;

/// For callers who want only the returned summary.
struct ignore_events {
    void operator()(trade const&) const noexcept {}
    void operator()(removal const&) const noexcept {}
};
static_assert(book_sink<ignore_events>);

BOOST_DESCRIBE_ENUM(side, buy, sell)
BOOST_DESCRIBE_ENUM(lifetime, resting, immediate, all_now)
BOOST_DESCRIBE_ENUM(self_trade, cancel_resting, cancel_incoming, cancel_both)

}  // namespace blendr::market
