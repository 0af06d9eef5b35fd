// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/describe.hpp>

#include <blendr/core/amount.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/market/capacity.hpp>
#include <blendr/market/error.hpp>
#include <blendr/market/offer_index.hpp>
#include <blendr/market/requirement.hpp>
#include <blendr/market/tables.hpp>

namespace blendr::ledger {
template <class T>
struct row_step;
}

/// What can be asked of the market on a ledger, and what is answered. Answers come in pages of at
/// most `page_max` things; the next page begins after the last thing of this one.
namespace blendr::market::query {

inline constexpr std::uint32_t page_max = 256;

/// What lies in the book at each price, best first.
struct depth {
    instrument of{};
    std::uint32_t levels{};
};
struct level {
    price at{};
    quantity size{};
    std::uint32_t orders{};
    friend bool operator==(level const&, level const&) = default;
};
struct book {
    std::vector<level> bids{}, asks{};
    price last{};
    price reference{};
    friend bool operator==(book const&, book const&) = default;
};

/// What the last auctions came to, from a height on. The market keeps some hundred heights.
struct trades {
    instrument of{};
    height from{};
    std::uint32_t most{};
};
struct trade {
    height at{};
    price plain{};         ///< of plain orders; zero when none traded
    quantity volume{};     ///< at that price
    quantity selective{};  ///< by bids with requirements, each at the ask's own limit
    amount value{};        ///< of both
    std::uint32_t fills{};
    friend bool operator==(trade const&, trade const&) = default;
};

/// Hours of trading.
struct chart {
    instrument of{};
    hour from{};
    std::uint32_t most{};
};
struct candle {
    hour at{};
    price open{}, high{}, low{}, close{};
    quantity volume{};
    friend bool operator==(candle const&, candle const&) = default;
};

/// Somebody's orders, by instrument and side; `after` is the last one known, or a default key.
struct my_orders {
    address owner{};
    order_key after{};
    std::uint32_t most{};
};
struct my_order {
    order_key key{};
    orders::row now{};
    friend bool operator==(my_order const&, my_order const&) = default;
};

/// Why a requirement finds what it finds among the spot asks of a class that lie in the book now.
struct explain {
    device_class what{};
    bounded<std::string, requirement::text_max> wanted{};
    price limit{};  ///< the most for a unit; zero is no limit
};
struct near_miss {
    order_key order{};
    price at{};
    std::string value{};  ///< what its device has where the constraint looks
    friend bool operator==(near_miss const&, near_miss const&) = default;
};
struct constraint {
    std::string text{};
    std::uint64_t failing{};     ///< asks for which it is not true
    std::uint64_t unknown{};     ///< of these, so many do not say
    std::uint64_t would_pass{};  ///< asks that satisfy all the others
    std::optional<near_miss> nearest{};
    friend bool operator==(constraint const&, constraint const&) = default;
};
struct explained {
    std::uint64_t asks{};
    std::uint64_t satisfying{};
    std::vector<order_key> cheapest{};  ///< of these, the first few
    std::vector<constraint> constraints{};
    std::string text{};  ///< all that as a few lines for people
    friend bool operator==(explained const&, explained const&) = default;
};

/// What is traded: the classes at spot, and hours of them that were traded or have orders.
struct instruments {
    instrument after{};
    std::uint32_t most{};
};
struct listing {
    instrument of{};
    class_spec spec{};
    price reference{}, last{};
    quantity volume{};  ///< of the last auction that traded
    std::uint32_t orders{};
    friend bool operator==(listing const&, listing const&) = default;
};

/// Devices of a class, whoever's they are; `after` is the last one known, or a default key.
struct providers {
    device_class what{};
    device_key after{};
    std::uint32_t most{};
};
/// Somebody's devices.
struct my_devices {
    address owner{};
    device_key after{};
    std::uint32_t most{};
};
struct provider {
    device_key key{};
    device_class of{};
    device_status status{};
    std::string capability{};
    amount bond{};         ///< locked for it, less what stands behind promises
    std::uint32_t asks{};  ///< its spot asks in the book
    std::vector<device_calendar::booking> taken{};
    friend bool operator==(provider const&, provider const&) = default;
};

/// What a unit, and an hour, of a class go by.
struct reference {
    instrument of{};
};
struct price_now {
    price reference{}, last{};
    height cleared{};  ///< when plain orders last traded
    amount hour{};     ///< what a device hour costs at the reference price
    friend bool operator==(price_now const&, price_now const&) = default;
};

BOOST_DESCRIBE_STRUCT(depth, (), (of, levels))
BOOST_DESCRIBE_STRUCT(level, (), (at, size, orders))
BOOST_DESCRIBE_STRUCT(book, (), (bids, asks, last, reference))
BOOST_DESCRIBE_STRUCT(trades, (), (of, from, most))
BOOST_DESCRIBE_STRUCT(trade, (), (at, plain, volume, selective, value, fills))
BOOST_DESCRIBE_STRUCT(chart, (), (of, from, most))
BOOST_DESCRIBE_STRUCT(candle, (), (at, open, high, low, close, volume))
BOOST_DESCRIBE_STRUCT(my_orders, (), (owner, after, most))
BOOST_DESCRIBE_STRUCT(my_order, (), (key, now))
BOOST_DESCRIBE_STRUCT(explain, (), (what, wanted, limit))
BOOST_DESCRIBE_STRUCT(near_miss, (), (order, at, value))
BOOST_DESCRIBE_STRUCT(constraint, (), (text, failing, unknown, would_pass, nearest))
BOOST_DESCRIBE_STRUCT(explained, (), (asks, satisfying, cheapest, constraints, text))
BOOST_DESCRIBE_STRUCT(instruments, (), (after, most))
BOOST_DESCRIBE_STRUCT(listing, (), (of, spec, reference, last, volume, orders))
BOOST_DESCRIBE_STRUCT(providers, (), (what, after, most))
BOOST_DESCRIBE_STRUCT(my_devices, (), (owner, after, most))
BOOST_DESCRIBE_STRUCT(provider, (), (key, of, status, capability, bond, asks, taken))
BOOST_DESCRIBE_STRUCT(reference, (), (of))
BOOST_DESCRIBE_STRUCT(price_now, (), (reference, last, cleared, hour))

/// What a node keeps in memory to answer: orders by owner and by price, asks by what their devices
/// can do. All of it follows from rows, and is found again from them at start.
class index {
public:
    index();
    ~index();
    index(index&&) noexcept;
    index& operator=(index&&) noexcept;

    void follow(ledger::row_step<orders> const& step);
    void follow(ledger::row_step<devices> const& step);
    void follow(ledger::row_step<markets> const& step);

    std::vector<level> side_of(instrument const& of, side way, std::uint32_t most) const;
    std::vector<order_key> orders_of(address const& owner, order_key const& after,
                                     std::uint32_t most) const;
    std::vector<instrument> traded(instrument const& after, std::uint32_t most) const;
    std::vector<device_key> of_class(device_class what, device_key const& after,
                                     std::uint32_t most) const;
    std::vector<device_key> of_owner(address const& owner, device_key const& after,
                                     std::uint32_t most) const;
    std::uint32_t asks_of(device_key const& device) const;
    result<explained, reject> explain(query::explain const& asked) const;

private:
    class state;
    std::unique_ptr<state> state_;
};

}  // namespace blendr::market::query
