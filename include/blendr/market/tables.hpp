// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/describe.hpp>

#include <blendr/bond/contract.hpp>
#include <blendr/core/amount.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/crypto/hash.hpp>
#include <blendr/crypto/keys.hpp>
#include <blendr/ledger/contract.hpp>
#include <blendr/market/calendar.hpp>
#include <blendr/market/capacity.hpp>
#include <blendr/market/order.hpp>
#include <blendr/market/pricing.hpp>
#include <blendr/market/provider.hpp>

/// What the market keeps on a ledger, and what it tells others.
namespace blendr::market {

using crypto::address;
using ledger::mode;

/// What is traded: an hour of a class, or, with hour zero, units of it now.
using instrument = series_key;
constexpr bool is_spot(instrument const& i) noexcept { return i.when == hour{0}; }

/// An order's name for ever: whose it is and the number its owner gave it.
struct order_key {
    instrument of{};
    side way{};
    address owner{};
    std::uint64_t client_id{};
    friend constexpr auto operator<=>(order_key const&, order_key const&) = default;
};

struct device_key {
    address owner{};
    std::uint32_t number{};
    friend constexpr auto operator<=>(device_key const&, device_key const&) = default;
};
BOOST_DESCRIBE_STRUCT(device_key, (), (owner, number))

/// One leaf an order. Everything else that is known of orders is found again from these.
struct orders {
    static constexpr std::string_view name = "orders";
    static constexpr bool ordered = true;
    using key = order_key;
    struct row {
        price limit{};
        quantity left{};
        amount locked{};         ///< a bid's price, and the auctions that are paid for
        std::uint32_t rounds{};  ///< auctions still paid for
        std::uint32_t device{};  ///< spot asks: its owner's device that stands behind it
        height placed{};
        height expires{};
        bool immediate{};
        bool gang{};
        quantity per_provider_max{};
        std::string wanted{};     ///< spot bids: a requirement
        quantity sold{};          ///< asks
        window time{hour{0}, 0};  ///< spot asks: hours of the device that are booked for it
        bool post_only{};  ///< refused in its first auction if it would trade with older ones
        friend bool operator==(row const&, row const&) = default;
    };
    static amount holds(row const& r) { return r.locked; }

    /// What a transaction leaves for the end of its block.
    struct entry {
        enum class kind : std::uint8_t { place, cancel, replace };
        kind what{};
        key of{};
        row now{};  ///< place: the order; replace: new limit and size, money added in `locked`
    };
    static bool present(row const& r) noexcept { return r.left != quantity{0}; }
};

/// The classes of devices that may be traded; set at genesis.
struct classes {
    static constexpr std::string_view name = "classes";
    using key = device_class;
    struct row {
        bool listed{};
        class_spec spec{};
        friend bool operator==(row const&, row const&) = default;
    };
};

/// What an instrument last did.
struct markets {
    static constexpr std::string_view name = "markets";
    using key = instrument;
    struct row {
        reference_price reference{};
        price last{};
        quantity volume{};  ///< of the last clearing
        height cleared{};
        height queued{};  ///< waits for its auction since; zero when it does not
        std::uint32_t orders{};
        friend bool operator==(row const&, row const&) = default;
    };
    static constexpr bool shared(mode m) { return m == mode::read; }
};

/// Instruments whose auction is due, oldest first.
struct due {
    static constexpr std::string_view name = "due";
    static constexpr bool ordered = true;
    struct key {
        height since{};
        instrument of{};
        friend constexpr auto operator<=>(key const&, key const&) = default;
    };
    struct row {
        bool waits{};
        friend bool operator==(row const&, row const&) = default;
    };
};

/// An hour of trading.
struct candles {
    static constexpr std::string_view name = "candles";
    static constexpr bool ordered = true;
    struct key {
        instrument of{};
        hour at{};
        friend constexpr auto operator<=>(key const&, key const&) = default;
    };
    struct row {
        price open{}, high{}, low{}, close{};
        quantity volume{};
        friend bool operator==(row const&, row const&) = default;
    };
};

/// Money of spot fills, until the next block begins. A contract listed later may take it when it
/// hears of the fill; what nobody took is then the seller's.
struct proceeds {
    static constexpr std::string_view name = "proceeds";
    static constexpr bool ordered = true;
    struct key {
        height at{};
        std::uint32_t number{};
        friend constexpr auto operator<=>(key const&, key const&) = default;
    };
    struct row {
        amount value{};
        address seller{};
        friend bool operator==(row const&, row const&) = default;
    };
    static constexpr auto quantity = &row::value;
    static constexpr bool shared(mode m) { return m == mode::debit || m == mode::read; }
    static amount holds(row const& r) { return r.value; }
};

/// What auctions of an instrument came to, for a while.
struct prints {
    static constexpr std::string_view name = "prints";
    static constexpr bool ordered = true;
    struct key {
        instrument of{};
        height at{};
        friend constexpr auto operator<=>(key const&, key const&) = default;
    };
    struct row {
        price at{};            ///< of plain orders; zero when only selective ones traded
        quantity volume{};     ///< at that price
        quantity selective{};  ///< traded by selective bids, each at the ask's limit
        amount value{};        ///< of both together
        std::uint32_t fills{};
        friend bool operator==(row const&, row const&) = default;
    };
};

/// Devices whose heartbeats are to be looked at, by when.
struct watches {
    static constexpr std::string_view name = "watches";
    static constexpr bool ordered = true;
    struct key {
        height due{};
        device_key device{};
        friend constexpr auto operator<=>(key const&, key const&) = default;
    };
    struct row {
        bool waits{};
        friend bool operator==(row const&, row const&) = default;
    };
    using entry = device_key;  ///< to be looked at from now on
};

/// Who may judge devices; appointed at genesis, until contracts that judge by proof do it alone.
struct wardens {
    static constexpr std::string_view name = "wardens";
    using key = address;
    struct row {
        bool measures{};          ///< says what ratings a device has
        bool suspends{};          ///< and reinstates
        std::uint8_t tier_max{};  ///< vouches for devices up to this tier
        friend bool operator==(row const&, row const&) = default;
    };
    static constexpr bool shared(mode m) { return m == mode::read; }
};

struct devices {
    static constexpr std::string_view name = "devices";
    using key = device_key;
    struct row {
        device_status status{};
        device_class of{};
        class_spec measured{};
        std::string capability{};
        device_calendar calendar{};
        height watched{};  ///< when its heartbeats are looked at next; zero: not at all
        friend bool operator==(row const&, row const&) = default;
    };
    static constexpr bool shared(mode m) { return m == mode::read; }
};

/// Capacity tokens in somebody's hands. Other contracts may move them.
struct holdings {
    static constexpr std::string_view name = "holdings";
    struct key {
        instrument of{};
        address owner{};
        friend constexpr auto operator<=>(key const&, key const&) = default;
    };
    struct row {
        blendr::quantity tokens{};
        friend bool operator==(row const&, row const&) = default;
    };
    static constexpr auto quantity = &row::tokens;
    static constexpr bool shared(mode m)
    {
        return m == mode::read || m == mode::debit || m == mode::credit;
    }
};

struct all_series {
    static constexpr std::string_view name = "series";
    using key = instrument;
    using row = series;
    static amount holds(row const& r) { return r.pot; }
};

struct promises {
    static constexpr std::string_view name = "promises";
    struct key {
        device_key device{};
        hour at{};
        friend constexpr auto operator<=>(key const&, key const&) = default;
    };
    using row = promise<address>;
    static constexpr bool shared(mode m) { return m == mode::read; }
    static amount holds(row const& r) { return r.cover; }
};

/// A buyer and a seller met. For spot units the buyer's money lies in `proceeds` under `paid`.
struct fill {
    instrument of{};
    address buyer{};
    address seller{};
    std::uint64_t bid{};  ///< the buyer's client id
    std::uint64_t ask{};
    std::uint32_t device{};  ///< the seller's, for spot units
    price at{};
    quantity size{};
    proceeds::key paid{};
    amount fee{};  ///< burned, paid by the buyer on top
};

/// An order is no more. Whatever it had locked went back to its owner.
struct closed {
    enum class cause : std::uint8_t {
        filled,
        cancelled,
        expired,
        unpaid,
        immediate,
        refused,
        device_gone,  ///< a spot ask whose device was retired or suspended
    };
    order_key order{};
    cause why{};
    reject refusal{};  ///< of `refused`
};

/// Something happened to a device. A lease on it goes elsewhere when that is `give_up`.
struct device_changed {
    device_key which{};
    device_event what{};
    device_state now{};
};

/// The bond behind a device's promises.
inline constexpr crypto::domain bond_domain{"escrow.device/1"};
inline bond::subject bond_of(device_key const& device)
{
    return {bond::purpose::provider, crypto::hash(bond_domain, encode(device))};
}

BOOST_DESCRIBE_ENUM(closed::cause, filled, cancelled, expired, unpaid, immediate, refused,
                    device_gone)
BOOST_DESCRIBE_STRUCT(order_key, (), (of, way, owner, client_id))
BOOST_DESCRIBE_STRUCT(orders::row, (),
                      (limit, left, locked, rounds, device, placed, expires, immediate, gang,
                       per_provider_max, wanted, sold, time, post_only))
BOOST_DESCRIBE_STRUCT(classes::row, (), (listed, spec))
BOOST_DESCRIBE_STRUCT(markets::row, (), (reference, last, volume, cleared, queued, orders))
BOOST_DESCRIBE_STRUCT(due::key, (), (since, of))
BOOST_DESCRIBE_STRUCT(due::row, (), (waits))
BOOST_DESCRIBE_STRUCT(candles::key, (), (of, at))
BOOST_DESCRIBE_STRUCT(candles::row, (), (open, high, low, close, volume))
BOOST_DESCRIBE_STRUCT(prints::key, (), (of, at))
BOOST_DESCRIBE_STRUCT(prints::row, (), (at, volume, selective, value, fills))
BOOST_DESCRIBE_STRUCT(watches::key, (), (due, device))
BOOST_DESCRIBE_STRUCT(watches::row, (), (waits))
BOOST_DESCRIBE_STRUCT(wardens::row, (), (measures, suspends, tier_max))
BOOST_DESCRIBE_STRUCT(proceeds::key, (), (at, number))
BOOST_DESCRIBE_STRUCT(proceeds::row, (), (value, seller))
BOOST_DESCRIBE_STRUCT(devices::row, (), (status, of, measured, capability, calendar, watched))
BOOST_DESCRIBE_STRUCT(holdings::key, (), (of, owner))
BOOST_DESCRIBE_STRUCT(holdings::row, (), (tokens))
BOOST_DESCRIBE_STRUCT(promises::key, (), (device, at))
BOOST_DESCRIBE_STRUCT(promises::row, (), (state, of, issuer, holder, cover, due))

}  // namespace blendr::market
