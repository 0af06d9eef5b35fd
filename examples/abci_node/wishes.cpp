// SPDX-License-Identifier: Apache-2.0
// What people of the example send.
#include <string>
#include <string_view>

#include <blendr/bond/contract.hpp>
#include <blendr/crypto/vrf.hpp>
#include <blendr/escrow/contract.hpp>
#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/message.hpp>
#include <blendr/market/contract.hpp>

#include "chain.hpp"

namespace example {

using namespace blendr;

namespace {

constexpr std::string_view card_text =
    "vendor=nvidia, model=rtx4090, region=eu, vram=24_GiB, fp32=80, memory=60, integer=50";

template <class Contract, class Message>
bytes signed_one(identity const& from, std::uint64_t number, Message const& what)
{
    ledger::transaction tx{};
    tx.chain = chain_number;
    tx.sequence = ledger::nonce{number};
    tx.fee_max = 1_blnd;
    tx.tip = amount{10};
    tx.expires = height{80'000};
    tx.messages.push_back(ledger::wrap<Contract>(what));
    ledger::sign(tx, from);
    return encode(tx);
}

market::instrument hour_after(std::int64_t now_ms)
{
    return {card, market::hour{static_cast<std::uint32_t>(now_ms / market::ms_per_hour) + 2}};
}

/// A job of two units that its renter looks at. Spans are long: blocks come fast here.
escrow::order small_job()
{
    escrow::order out{};
    out.program = hash256{std::byte{0x77}};
    out.items = 200;
    out.units = 2;
    out.demand = 60;
    out.cap = price{1'000'000'000};
    out.bond = 10_blnd;
    out.search_within = out.run_within = 5'000;
    out.start_within = 2'000;
    out.window = 2'000;
    out.grace = 100;
    out.notice = 10;
    out.warn_before = 30;
    return out;
}

}  // namespace

bytes pay(identity const& from, std::uint64_t number, identity const& to, amount value)
{
    return signed_one<ledger::bank>(from, number, ledger::bank::transfer{to.account(), value});
}
bytes bond_more(identity const& from, std::uint64_t number, identity const& validator, amount value)
{
    return signed_one<bond::contract>(
        from, number,
        bond::contract::lock_validator{validator.self(),
                                       crypto::vrf_secret_key::of(validator.key()).self(), value});
}
bytes enrol_card(identity const& from, std::uint64_t number)
{
    market::contract::enrol what{};
    what.of = card;
    static_cast<std::string&>(what.capability) = card_text;
    return signed_one<market::contract>(from, number, what);
}
bytes mint_hours(identity const& from, std::uint64_t number, std::int64_t now_ms)
{
    return signed_one<market::contract>(from, number,
                                        market::contract::mint{0, hour_after(now_ms), 3_blnd});
}
bytes order_hour(identity const& from, std::uint64_t number, std::int64_t now_ms, bool sell,
                 std::uint64_t price_each)
{
    market::contract::place what{};
    what.of = hour_after(now_ms);
    what.way = sell ? market::side::sell : market::side::buy;
    what.client_id = number;
    what.size = quantity{1};
    what.limit = price{price_each};
    what.expires = height{80'000};
    what.rounds = 20;
    return signed_one<market::contract>(from, number, what);
}

bytes bond_card(identity const& from, std::uint64_t number)
{
    auto const which = escrow::device_bond({from.account(), 0});
    return signed_one<bond::contract>(from, number,
                                      bond::contract::lock_provider{which.id, 103_blnd});
}
bytes submit_job(identity const& from, std::uint64_t number)
{
    return signed_one<escrow::contract>(
        from, number, escrow::contract::submit{1, small_job(), 2_blnd, price{1'000'000'000}});
}
bytes take_job(identity const& from, std::uint64_t number, identity const& renter)
{
    escrow::contract::take what{};
    what.job = {renter.account(), 1};
    what.units = 2;
    return signed_one<escrow::contract>(from, number, what);
}
bytes deliver_unit(identity const& from, std::uint64_t number, identity const& renter,
                   std::uint32_t unit)
{
    escrow::contract::deliver what{};
    what.job = {renter.account(), 1};
    what.unit = escrow::unit_id{unit};
    what.claim = hash256{std::byte{1}};
    return signed_one<escrow::contract>(from, number, what);
}
bytes accept_unit(identity const& from, std::uint64_t number, std::uint32_t unit)
{
    escrow::contract::accept what{};
    what.job = {from.account(), 1};
    what.unit = escrow::unit_id{unit};
    return signed_one<escrow::contract>(from, number, what);
}

}  // namespace example
