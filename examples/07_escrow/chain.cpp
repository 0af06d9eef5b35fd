// SPDX-License-Identifier: Apache-2.0
// The same story on a chain: the job is a message, providers take its units at the posted price, deadlines
// are swept and money moves at the end of each block.
#include "chain.hpp"

#include <cstdio>
#include <string>

#include <blendr/bond.hpp>
#include <blendr/escrow.hpp>
#include <blendr/ledger/sandbox.hpp>

using namespace blendr;
using jobs = escrow::contract;

namespace {

using chain_type = ledger::sandbox<ledger::bank, bond::contract, reputation::contract,
                                   verify::contract, market::contract, escrow::contract>;

crypto::address const renter = crypto::address_of("example", as_bytes("renter"));
crypto::address const slow = crypto::address_of("example", as_bytes("slow"));
crypto::address const swift = crypto::address_of("example", as_bytes("swift"));

/// A purse, an enrolled device, and a bond behind it.
void settle_in(chain_type& chain, crypto::address const& who)
{
    chain.fund(who, 10_blnd);
    market::device_key const device{who, 0};
    chain.call(who, market::contract::enrol{0, market::device_class{1},
                                            std::string{"vendor=nvidia, vram=24_GiB, fp32=80, "
                                                        "memory=60, integer=50"}});
    chain.call(who, bond::contract::lock_provider{escrow::device_bond(device).id, 5_blnd});
}

}  // namespace

void the_same_on_a_chain()
{
    chain_type chain;
    chain.next().time = market::start_of(market::hour{480'000});
    bond::contract::genesis_document bonds{};
    bonds.by.of.least = 1_blnd;
    chain.genesis<bond::contract>(bonds);
    chain.genesis<reputation::contract>({});
    chain.genesis<verify::contract>({});
    chain.genesis<market::contract>({{{market::device_class{1}, {1, 1, 1, 1}, price{10}}}});
    chain.genesis<escrow::contract>({});
    chain.fund(renter, 2_blnd);
    settle_in(chain, slow);
    settle_in(chain, swift);

    escrow::order what{};
    what.items = 6'000;  // indexes, split over …
    what.units = 6;
    what.cap = price{100'000'000};
    what.bond = 1_blnd;
    what.search_within = 100;
    what.start_within = 5;
    what.run_within = 16;
    what.window = 3;
    what.grace = 10;
    escrow::job_key const job{renter, 1};
    auto const show = [&](char const* after) {
        auto const now = chain.ask(jobs::job_of{job}).value();
        std::printf("%-32s listed %u  assigned %u  delivered %u  paid %u\n", after, now.listed,
                    now.assigned, now.delivered, now.paid);
    };
    auto const deliver = [&](crypto::address const& who, std::uint32_t unit) {
        return chain.call(who, jobs::deliver{job, escrow::unit_id{unit}, hash256{}, 0});
    };
    auto const family = reputation::family::fp32;

    chain.call(renter, jobs::submit{1, what, 1_blnd, what.cap});
    show("submitted");
    chain.call(slow, jobs::take{job, 6, 0, family});
    show("slow takes all six");
    deliver(slow, 0);
    deliver(slow, 1);
    show("and delivers two");
    for (int i = 0; i < 16; ++i) chain.block();
    show("its time is over");
    chain.call(swift, jobs::take{job, 4, 0, family});
    for (std::uint32_t unit = 2; unit < 6; ++unit) deliver(swift, unit);
    show("swift takes and delivers four");
    while (chain.ask(jobs::job_of{job}).value().known) chain.block();

    auto const bond = [&](crypto::address const& who) {
        return to_string(
            chain.row<bond::contract::bonds>(escrow::device_bond({who, 0})).held.locked);
    };
    std::printf("slow has %s and %s bonded, swift %s and %s, the renter %s\n",
                to_string(chain.balance(slow)).c_str(), bond(slow).c_str(),
                to_string(chain.balance(swift)).c_str(), bond(swift).c_str(),
                to_string(chain.balance(renter)).c_str());
}
