// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/describe.hpp>

#include <blendr/core/codec.hpp>
#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/contract.hpp>
#include <blendr/market/capability.hpp>
#include <blendr/market/queries.hpp>
#include <blendr/market/requirement.hpp>
#include <blendr/market/tables.hpp>

namespace blendr::market {

using ledger::ref;
using ledger::tx_info;
using ledger::type_list;

/// The market on a ledger. Orders and cancellations wait for the end of their block, where every
/// instrument that has any clears one batch auction; placing an order touches the sender's purse and
/// reads rows that no message changes, so that a block of orders runs in parallel.
///
/// An order locks what it may cost: a bid its whole price, an ask of tokens the tokens, an ask of
/// units its device's hours; and prepays the auctions that it may take part in, whose fee is burned
/// as they happen. Tokens are delivered against payment. Spot fills leave the money in `proceeds` for a
/// contract listed later (an escrow) to take on hearing of the fill. What a buyer pays for a fill, and
/// a fee on top that burns, is part of what its bid locks.
///
/// Tokens are minted against the device's bond (bond_of in bond::contract): `cover` of it stands
/// behind the promise alone, pays the holder when it is not honoured, and returns to the bond when it
/// is. The bond contract is listed before this one.
struct contract {
    static constexpr std::uint16_t id = 4;
    static constexpr std::string_view name = "market";
    using error = reject;

    /// What one auction costs an order that is in it.
    static constexpr amount fee_per_round{1'000};
    static constexpr std::uint32_t rounds_max = 10'000;
    /// Orders of one instrument at a time, and orders looked at in one block. What is over waits.
    static constexpr std::uint32_t orders_max = 1u << 16;
    static constexpr std::uint32_t looks_per_block = 1u << 18;
    static constexpr std::uint32_t candles_kept = 24 * 7;
    static constexpr std::uint32_t prints_kept = 256;  ///< heights
    /// Asks that the selective bids of one auction may look at together; later ones wait.
    static constexpr std::uint64_t selective_looks = 1u << 20;
    /// Of a fill's value, in hundredths of a percent, rounded down.
    static constexpr std::uint64_t trading_fee_bps = 10;
    static constexpr std::uint32_t sweeps_per_block = 4096;  ///< devices looked at for silence
    static constexpr heartbeat_rules heartbeats{};
    static constexpr capacity_rules tokens_rules{};

    struct listed_class {
        device_class what{};
        class_spec spec{};
        price reference{};  ///< for a unit, until trading says
    };
    struct warden {
        address who{};
        wardens::row may{};
    };
    struct genesis_document {
        std::vector<listed_class> classes{};
        std::vector<warden> appointed{};
    };

    // -- orders
    struct place {
        instrument of{};
        side way{};
        std::uint64_t client_id{};
        quantity size{};
        price limit{};
        height expires{};
        std::uint32_t rounds{1};      ///< auctions to prepay
        bool immediate{};             ///< one auction, then gone
        bool gang{};                  ///< spot bids: all or none, over several providers
        quantity per_provider_max{};  ///< spot bids; zero is no cap
        bounded<std::string, requirement::text_max> wanted{};  ///< spot bids: a requirement
        std::uint32_t device{};                                ///< spot asks
        std::uint32_t hours{};  ///< spot asks: of the device's time, from now
        /// In its first auction it is refused rather than trade with an order older than itself.
        bool post_only{};
    };
    struct cancel {
        order_key order{};
    };
    /// A new limit and open size. An ask may shrink, not grow.
    struct replace {
        order_key order{};
        quantity size{};
        price limit{};
    };

    // -- devices
    struct enrol {
        std::uint32_t number{};
        device_class of{};
        bounded<std::string, 1024> capability{};
    };
    struct retire {
        std::uint32_t number{};
    };
    struct heartbeat {
        std::uint32_t number{};
    };

    // -- judging devices: by wardens
    /// What a challenge measured, in place of what the capability says.
    struct measure {
        device_key device{};
        std::uint64_t fp32{}, memory{}, integer{};
    };
    struct attest {
        device_key device{};
        std::uint8_t tier{};
    };
    struct suspend {
        device_key device{};
    };
    struct reinstate {
        device_key device{};
    };

    // -- capacity tokens
    struct mint {
        std::uint32_t number{};
        instrument of{};
        amount cover{};
    };
    struct buy_back {
        std::uint32_t number{};
        instrument of{};
    };
    struct transfer {
        instrument of{};
        address to{};
        quantity count{};
    };
    struct claim {
        device_key device{};
        instrument of{};
    };
    struct start {
        std::uint32_t number{};
        instrument of{};
    };
    /// By the holder any time, by the issuer when the hour is over.
    struct finish {
        device_key device{};
        instrument of{};
    };
    /// By anybody: what time or the price has made due (missed, lapsed, uncovered).
    struct settle {
        device_key device{};
        instrument of{};
        address holder{};  ///< who is to be paid
    };
    struct top_up {
        std::uint32_t number{};
        instrument of{};
        amount more{};
    };
    struct substitute {
        std::uint32_t from{}, to{};
        instrument of{};
    };
    /// Pays a token whose promise was foreclosed.
    struct redeem {
        instrument of{};
    };

    using messages = type_list<place, cancel, replace, enrol, retire, heartbeat, mint, buy_back,
                               transfer, claim, start, finish, settle, top_up, substitute, redeem,
                               measure, attest, suspend, reinstate>;
    using tables = type_list<orders, classes, markets, due, candles, proceeds, devices, holdings,
                             all_series, promises, prints, watches, wardens>;
    using events = type_list<fill, closed, device_changed>;

    // -- questions, see queries.hpp
    using queries =
        type_list<market::query::depth, market::query::trades, market::query::chart,
                  market::query::my_orders, market::query::explain, market::query::instruments,
                  market::query::providers, market::query::my_devices, market::query::reference>;
    using index = market::query::index;
    static market::query::book query(auto const& view, market::query::depth const& asked);
    static std::vector<market::query::trade> query(auto const& view,
                                                   market::query::trades const& asked);
    static std::vector<market::query::candle> query(auto const& view,
                                                    market::query::chart const& asked);
    static std::vector<market::query::my_order> query(auto const& view,
                                                      market::query::my_orders const& asked);
    static result<market::query::explained, reject> query(auto const& view,
                                                          market::query::explain const& asked);
    static std::vector<market::query::listing> query(auto const& view,
                                                     market::query::instruments const& asked);
    static std::vector<market::query::provider> query(auto const& view,
                                                      market::query::providers const& asked);
    static std::vector<market::query::provider> query(auto const& view,
                                                      market::query::my_devices const& asked);
    static result<market::query::price_now, reject> query(auto const& view,
                                                          market::query::reference const& asked);

    /// Refuses a class listed twice and a tier that there is not.
    static bool genesis(auto& ctx, genesis_document const& document)
    {
        for (auto const& c : document.classes) {
            if (ctx.template row<classes>(c.what).listed) return false;
            ctx.template edit<classes>(c.what) = {true, c.spec};
            ctx.template edit<markets>({c.what, hour{0}}).reference.at = c.reference;
        }
        for (auto const& each : document.appointed) {
            if (each.may.tier_max > device_tier_max) return false;
            ctx.template edit<wardens>(each.who) = each.may;
        }
        return true;
    }

    static auto touches(place const& m, tx_info const& tx, auto& access);
    static error apply(auto& ctx, place const& m, auto const& rows);
    static auto touches(cancel const& m, tx_info const& tx, auto& access);
    static error apply(auto& ctx, cancel const& m, auto const& rows);
    static auto touches(replace const& m, tx_info const& tx, auto& access);
    static error apply(auto& ctx, replace const& m, auto const& rows);

    template <class Message>
    static auto touches(Message const& m, tx_info const& tx, auto& access);
    static error apply(auto& ctx, enrol const& m, auto const& rows);
    static error apply(auto& ctx, retire const& m, auto const& rows);
    static error apply(auto& ctx, heartbeat const& m, auto const& rows);
    static error apply(auto& ctx, measure const& m, auto const& rows);
    static error apply(auto& ctx, attest const& m, auto const& rows);
    static error apply(auto& ctx, suspend const& m, auto const& rows);
    static error apply(auto& ctx, reinstate const& m, auto const& rows);
    static error apply(auto& ctx, mint const& m, auto const& rows);
    static error apply(auto& ctx, buy_back const& m, auto const& rows);
    static error apply(auto& ctx, transfer const& m, auto const& rows);
    static error apply(auto& ctx, claim const& m, auto const& rows);
    static error apply(auto& ctx, start const& m, auto const& rows);
    static error apply(auto& ctx, finish const& m, auto const& rows);
    static error apply(auto& ctx, settle const& m, auto const& rows);
    static error apply(auto& ctx, top_up const& m, auto const& rows);
    static error apply(auto& ctx, substitute const& m, auto const& rows);
    static error apply(auto& ctx, redeem const& m, auto const& rows);

    /// Pays sellers what no contract took of the last block's spot fills.
    static void begin_block(auto& ctx);
    /// Notices silent devices, takes in the block's orders and runs the auctions that are due.
    static void end_block(auto& ctx);
};

BOOST_DESCRIBE_STRUCT(contract::listed_class, (), (what, spec, reference))
BOOST_DESCRIBE_STRUCT(contract::warden, (), (who, may))
BOOST_DESCRIBE_STRUCT(contract::genesis_document, (), (classes, appointed))
BOOST_DESCRIBE_STRUCT(contract::place, (),
                      (of, way, client_id, size, limit, expires, rounds, immediate, gang,
                       per_provider_max, wanted, device, hours, post_only))
BOOST_DESCRIBE_STRUCT(contract::cancel, (), (order))
BOOST_DESCRIBE_STRUCT(contract::replace, (), (order, size, limit))
BOOST_DESCRIBE_STRUCT(contract::enrol, (), (number, of, capability))
BOOST_DESCRIBE_STRUCT(contract::retire, (), (number))
BOOST_DESCRIBE_STRUCT(contract::heartbeat, (), (number))
BOOST_DESCRIBE_STRUCT(contract::measure, (), (device, fp32, memory, integer))
BOOST_DESCRIBE_STRUCT(contract::attest, (), (device, tier))
BOOST_DESCRIBE_STRUCT(contract::suspend, (), (device))
BOOST_DESCRIBE_STRUCT(contract::reinstate, (), (device))
BOOST_DESCRIBE_STRUCT(contract::mint, (), (number, of, cover))
BOOST_DESCRIBE_STRUCT(contract::buy_back, (), (number, of))
BOOST_DESCRIBE_STRUCT(contract::transfer, (), (of, to, count))
BOOST_DESCRIBE_STRUCT(contract::claim, (), (device, of))
BOOST_DESCRIBE_STRUCT(contract::start, (), (number, of))
BOOST_DESCRIBE_STRUCT(contract::finish, (), (device, of))
BOOST_DESCRIBE_STRUCT(contract::settle, (), (device, of, holder))
BOOST_DESCRIBE_STRUCT(contract::top_up, (), (number, of, more))
BOOST_DESCRIBE_STRUCT(contract::substitute, (), (from, to, of))
BOOST_DESCRIBE_STRUCT(contract::redeem, (), (of))

}  // namespace blendr::market

#include <blendr/market/impl/contract_auction.hpp>   // IWYU pragma: export
#include <blendr/market/impl/contract_clearing.hpp>  // IWYU pragma: export
#include <blendr/market/impl/contract_devices.hpp>   // IWYU pragma: export
#include <blendr/market/impl/contract_hooks.hpp>     // IWYU pragma: export
#include <blendr/market/impl/contract_orders.hpp>    // IWYU pragma: export
#include <blendr/market/impl/contract_queries.hpp>   // IWYU pragma: export
#include <blendr/market/impl/contract_tokens.hpp>    // IWYU pragma: export
