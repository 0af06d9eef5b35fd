// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include <blendr/bond/contract.hpp>
#include <blendr/core/random.hpp>
#include <blendr/core/task_pool.hpp>
#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/chain_state.hpp>
#include <blendr/ledger/parallel.hpp>
#include <blendr/market/contract.hpp>

#include "../support/rows.hpp"

/// Blocks of market messages, run in order or in parallel.
namespace blendr::market::testing {

using chain = ledger::registry<ledger::bank, bond::contract, contract>;
using any_message = boost::mp11::mp_rename<chain::messages, std::variant>;

inline address account(std::uint64_t i)
{
    hash256 raw{};
    for (std::size_t b = 0; b < 8; ++b)
        raw[b] = static_cast<std::byte>((i * 0x9e3779b97f4a7c15) >> (8 * b));
    return address{raw};
}

struct tx {
    address sender{};
    std::vector<any_message> messages{};
};

inline constexpr device_class rtx{1};
inline constexpr class_spec rtx_spec{std::uint64_t{16} << 30, 40, 10, 10};
inline constexpr time_ms genesis_time = start_of(hour{480'000});

class world {
public:
    explicit world(std::uint64_t secret);

    void fund(std::uint64_t accounts, amount each)
    {
        auto& purses = rows_.table<ledger::purses>();
        for (std::uint64_t i = 0; i < accounts; ++i)
            purses.row(purses.intern(account(i))).balance += each;
    }

    /// One block; nonces are filled in.
    std::vector<ledger::outcome> run_in_order(std::span<tx const> txs);
    std::vector<ledger::outcome> run_in_parallel(std::span<tx const> txs, std::size_t chunk,
                                                 ledger::parallel_executor<chain>& execute);
    test::picture look() const;

    template <class T, class Visit>
    void each(Visit&& visit) const
    {
        auto const& table = rows_.template table<T>();
        for (state::slot i = 0; i < table.size(); ++i)
            if (table.present(i)) visit(table.key(i), table.row(i));
    }

    amount balance(address const& who) const
    {
        auto const& purses = rows_.table<ledger::purses>();
        auto const at = purses.find(who);
        return at == state::no_slot ? amount{} : purses.row(at).balance;
    }
    amount money() const;
    ledger::block_info const& block() const { return block_; }
    ledger::rows<chain>& state() { return rows_; }

    ledger::applied<chain> last{};
    amount burned{};
    std::int64_t interval_ms = 60'000;
    task_pool* pool = nullptr;    ///< for hooks
    std::uint64_t looks_max = 0;  ///< of auctions, when it is not the contract's own

private:
    template <class Execute>
    std::vector<ledger::outcome> run(std::span<tx const> txs, std::size_t chunk, Execute&& execute);

    ledger::rows<chain> rows_;
    ledger::block_info block_{height{0}, genesis_time, {}, {}};
    std::uint32_t stamp_{};
};

/// Random market business between a few traders, most of it sensible.
inline any_message some_message(rng& any, std::uint64_t me, std::uint64_t accounts,
                                ledger::block_info const& now)
{
    instrument const spot{rtx, hour{0}};
    auto const h = hour_of(now.time).get();
    instrument const token{any.chance(1, 50) ? device_class{9} : rtx,
                           hour{static_cast<std::uint32_t>(h + any.below(4))}};
    auto const other = any.below(accounts);
    auto const number = static_cast<std::uint32_t>(any.below(2));
    auto const some_order = [&] {
        return order_key{any.chance(1, 2) ? spot : token, any.chance(1, 2) ? side::buy : side::sell,
                         account(any.chance(9, 10) ? me : other), any.below(30)};
    };
    switch (any.below(24)) {
    case 0:
        return contract::enrol{number, rtx,
                               std::string{"vendor=nvidia, region=eu, vram=24_GiB, "
                                           "fp32=80, memory=60, integer=50"}};
    case 1:
        return contract::heartbeat{number};
    case 2:
    case 3:
        return contract::mint{number, token, amount{any.below(2'500'000)}};
    case 4:
        return contract::buy_back{number, token};
    case 5:
        return contract::transfer{token, account(other), quantity{any.below(2)}};
    case 6:
        return contract::claim{{account(other), number}, token};
    case 7:
        return contract::start{number, token};
    case 8:
        return contract::finish{{account(any.chance(1, 2) ? me : other), number}, token};
    case 9:
        return contract::settle{{account(other), number}, token, account(any.below(accounts))};
    case 10:
        return contract::top_up{number, token, amount{any.below(1000)}};
    case 11:
        return any.chance(1, 2) ? any_message{contract::substitute{number, 1 - number, token}}
                                : any_message{contract::redeem{token}};
    case 20: {
        device_key const device{account(other), number};
        return any.chance(1, 2)
                   ? any_message{contract::measure{device, 30 + any.below(60), 50, 40}}
                   : any_message{contract::attest{device, static_cast<std::uint8_t>(any.below(6))}};
    }
    case 21: {
        device_key const device{account(other), number};
        return any.chance(1, 4) ? any_message{contract::suspend{device}}
                                : any_message{contract::reinstate{device}};
    }
    case 22: {
        auto const which = bond_of({account(any.chance(9, 10) ? me : other), number});
        auto const what = any.below(6);
        amount const value{any.below(3'000'000)};
        if (what == 0) return bond::contract::unbond{which, value};
        if (what == 1) return bond::contract::withdraw{which};
        return bond::contract::lock_provider{which.id, value};
    }
    case 12:
        return contract::cancel{some_order()};
    case 13:
        return contract::replace{some_order(), quantity{any.below(20)}, price{1 + any.below(20)}};
    default: {
        contract::place p{};
        p.of = any.chance(2, 3) ? spot : token;
        bool const spot_order = p.of == spot;
        p.way = any.chance(1, 2) ? side::buy : side::sell;
        p.client_id = any.below(30);
        p.size = quantity{any.below(spot_order ? 40 : 3)};
        p.limit = price{any.below(spot_order ? 20 : 2'000'000)};
        p.expires = height{now.at.get() + any.below(10)};
        p.rounds = static_cast<std::uint32_t>(any.below(6));
        p.immediate = any.chance(1, 5);
        p.post_only = any.chance(1, 8);
        if (spot_order && p.way == side::sell) {
            p.device = number;
            p.hours = static_cast<std::uint32_t>(any.below(3));
        } else if (spot_order && any.chance(1, 3)) {
            p.gang = any.chance(1, 2);
            p.per_provider_max = quantity{any.below(20)};
            p.wanted =
                std::string{any.chance(1, 8) ? "vram >= lots" : "vram >= 16_GiB && price <= 12"};
        }
        return p;
    }
    }
}

inline std::vector<tx> some_block(rng& any, std::uint64_t accounts, std::size_t most,
                                  ledger::block_info const& now)
{
    std::vector<tx> out(any.below(most));
    for (auto& each : out) {
        auto const me = any.below(accounts);
        each.sender = account(me);
        for (auto n = any.chance(4, 5) ? 1 : 2; n > 0; --n)
            each.messages.push_back(some_message(any, me, accounts, now));
    }
    return out;
}

}  // namespace blendr::market::testing
