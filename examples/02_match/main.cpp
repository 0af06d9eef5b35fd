// SPDX-License-Identifier: Apache-2.0
// Two sellers, one buyer. The buyer asks for too much, is told why nothing fits, asks for less, and
// buys from the cheaper of those that do.
#include <array>
#include <iostream>

#include <blendr/market/offer_index.hpp>
#include <blendr/market/order_book.hpp>

using namespace blendr;
using namespace blendr::market;

namespace {

constexpr trader_id ann{1}, bob{2}, cid{3};

struct print_events {
    void operator()(trade const& t) const noexcept
    {
        std::cout << "  trade: trader " << t.incoming_owner.get() << " buys " << t.size.get()
                  << " units from trader " << t.resting_owner.get() << " at " << t.at.get() << "\n";
    }
    void operator()(removal const&) const noexcept {}
};

/// Prints what there is, or why there is nothing, and gives the cheapest match.
std::size_t ask(offer_index const& offers, char const* text, std::span<offer_id> found)
{
    std::cout << "> " << text << "\n";
    auto const wanted = requirement::parse(text);
    if (!wanted) {
        std::cout << message(wanted.error()) << "\n\n";
        return 0;
    }
    auto const n = offers.find(*wanted, found);
    if (n == 0) std::cout << to_text(offers.explain(*wanted));
    for (std::size_t i = 0; i < n; ++i) std::cout << "offer " << found[i].get() << "\n";
    std::cout << "\n";
    return n;
}

}  // namespace

int main()
{
    // What the two sellers have, and what they want for a unit.
    offer_index offers;
    auto const card = capability::parse("vendor=nvidia, model=rtx3060, region=eu, vram=12_GiB");
    auto const workstation = capability::parse("vendor=amd, model=w7900, region=us, vram=48_GiB");
    if (!card || !workstation) return 1;
    if (!offers.put(offer_id{1}, price{40}, *card)) return 1;
    if (!offers.put(offer_id{2}, price{95}, *workstation)) return 1;

    std::array<offer_id, 2> found{};
    ask(offers, "vrm >= 16_GiB", found);
    ask(offers, "vram >= 16_GiB && region == eu && price <= 60", found);
    if (ask(offers, "vram >= 12_GiB && price <= 100", found) == 0) return 1;

    // The same three at a book of plain units: who sells cheapest sells first.
    auto book =
        order_book::make({.lowest = price{1}, .tick = 1, .levels = 1000, .orders_max = 100});
    if (!book) return 1;
    auto const offer = [&](trader_id who, std::uint64_t at) {
        return book->submit(
            {.owner = who, .way = side::sell, .size = quantity{500}, .limit = price{at}});
    };
    if (!offer(ann, 40) || !offer(bob, 95)) return 1;

    std::cout << "trader 3 wants 600 units at 100 or less\n";
    auto const bought =
        book->submit({.owner = cid, .way = side::buy, .size = quantity{600}, .limit = price{100}},
                     print_events{});
    if (!bought) {
        std::cout << message(bought.error()) << "\n";
        return 1;
    }
    std::cout << "  " << bought->filled.get() << " filled; the best ask is now "
              << book->best(side::sell).get() << "\n";
}
