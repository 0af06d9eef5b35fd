// SPDX-License-Identifier: Apache-2.0
// GPU time as something to own: a provider mints tokens for hours of its device against the device's
// bond, sells one at auction, keeps one promise and breaks another.
#include <iostream>
#include <string>
#include <string_view>

#include <blendr/bond/contract.hpp>
#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/sandbox.hpp>
#include <blendr/market/contract.hpp>

using namespace blendr;
using namespace blendr::market;

namespace {

using chain = ledger::sandbox<ledger::bank, bond::contract, contract>;

address person(unsigned char n)
{
    hash256 raw{};
    raw[0] = std::byte{n};
    return address{raw};
}
address const provider = person(1), renter = person(2);
constexpr device_class card{1};
constexpr class_spec card_spec{std::uint64_t{16} << 30, 40, 10, 10};

void tell(chain const& c, std::string_view what)
{
    auto const bond = c.row<bond::contract::bonds>(bond_of({provider, 0})).held.locked;
    std::cout << what << "\n  provider " << to_string(c.balance(provider)) << " BLND and a bond of "
              << to_string(bond) << ", renter " << to_string(c.balance(renter)) << " BLND\n";
}

/// A block of one message; says so when it is refused.
template <class Message>
bool call(chain& c, address const& who, Message const& m)
{
    auto const code = c.call(who, m);
    if (code != 0)
        std::cout << "  refused: " << message(static_cast<reject>(code & 0xffff)) << "\n";
    return code == 0;
}

contract::place order_at(instrument const& of, side way, std::uint64_t limit)
{
    return {.of = of,
            .way = way,
            .client_id = 1,
            .size = quantity{1},
            .limit = price{limit},
            .expires = height{1000},
            .rounds = 1};
}

}  // namespace

int main()
{
    chain c;
    hour const first{480'000};
    c.next().time = start_of(first);
    c.genesis<bond::contract>({.by = {.of = {.least = 1_blnd}}});
    c.genesis<contract>({{{card, card_spec, price{10'000}}}, {}});
    c.fund(provider, 10_blnd);
    c.fund(renter, 10_blnd);

    std::string const what = "vendor=nvidia, model=rtx4090, region=eu, vram=24_GiB, fp32=80, "
                             "memory=60, integer=50";
    if (!call(c, provider, contract::enrol{0, card, what})) return 1;
    if (!call(c, provider, bond::contract::lock_provider{bond_of({provider, 0}).id, 7_blnd}))
        return 1;
    tell(c, "a provider registers its card and locks a bond for it");

    instrument const soon{card, hour{first.get() + 2}}, later{card, hour{first.get() + 3}};
    for (auto const& when : {soon, later})
        if (!call(c, provider, contract::mint{0, when, 3_blnd})) return 1;
    tell(c, "two hours become tokens, 3 BLND of the bond behind each");

    std::cout << "the same hour again:\n";
    call(c, provider, contract::mint{0, soon, 3_blnd});

    c.block({{provider, {order_at(soon, side::sell, 1'400'000'000)}},
             {renter, {order_at(soon, side::buy, 1'600'000'000)}}});
    tell(c, "the first is sold at auction, between what both named");
    call(c, provider, contract::transfer{later, renter, quantity{1}});
    tell(c, "the second is a gift");

    device_key const device{provider, 0};
    if (!call(c, renter, contract::claim{device, soon})) return 1;
    c.next().time = start_of(soon.when);
    if (!call(c, provider, contract::start{0, soon})) return 1;
    c.next().time = time_ms{start_of(soon.when).get() + ms_per_hour};
    if (!call(c, provider, contract::finish{device, soon})) return 1;
    tell(c, "the first hour is delivered, and what stood behind it returns to the bond");

    if (!call(c, renter, contract::claim{device, later})) return 1;
    c.next().time = time_ms{start_of(later.when).get() + ms_per_hour / 2};
    if (!call(c, renter, contract::settle{device, later, renter})) return 1;
    tell(c, "the second is not, and its part of the bond pays the holder a quarter more than the "
            "hour is "
            "worth");
}
