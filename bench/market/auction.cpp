// SPDX-License-Identifier: Apache-2.0
#include <harness.hpp>

#include <algorithm>
#include <map>
#include <vector>

#include <blendr/core/random.hpp>
#include <blendr/market/auction.hpp>

namespace {

using namespace blendr;
using namespace blendr::bench;
using namespace blendr::market;

/// The auction as one would write it first: maps of prices, a list of orders at each.
std::uint64_t by_maps(std::vector<batch_order> const& bids, std::vector<batch_order> const& asks)
{
    std::map<price, std::vector<batch_order const*>> demand, supply;
    for (auto const& b : bids) demand[b.limit].push_back(&b);
    for (auto const& a : asks) supply[a.limit].push_back(&a);
    std::uint64_t wanted = 0, offered = 0, best = 0;
    price at{};
    for (auto const& b : bids) wanted += b.size.get();
    auto d = demand.begin();
    for (auto const& [p, orders] : supply) {
        while (d != demand.end() && d->first < p) {
            for (auto const* b : d->second) wanted -= b->size.get();
            ++d;
        }
        for (auto const* a : orders) offered += a->size.get();
        if (std::min(wanted, offered) > best) {
            best = std::min(wanted, offered);
            at = p;
        }
    }
    std::uint64_t sum = 0, left = best;
    for (auto it = demand.rbegin(); it != demand.rend() && left != 0; ++it)
        for (auto const* b : it->second) {
            auto const n = std::min(left, b->size.get());
            left -= n;
            sum += n * at.get();
        }
    return sum;
}

suite const batch{
    "market/auction", [](run& out) {
        for (auto const& [name, count] :
             {std::pair{"market/auction/1k", 1'000}, std::pair{"market/auction/100k", 100'000}}) {
            if (!out.wants(name)) continue;
            rng any{3};
            std::vector<batch_order> bids, asks;
            for (int i = 0; i < count; ++i)
                (i % 2 == 0 ? bids : asks)
                    .push_back({order_id{static_cast<std::uint64_t>(i)},
                                trader_id{static_cast<std::uint32_t>(any.below(1000))},
                                price{1000 + any.below(2000)}, quantity{1 + any.below(100)}});
            auction a;
            out.compare(
                name, rate("Morders/s", 1e-6 * count),
                [&] {
                    std::uint64_t sum = 0;
                    a.run(bids, asks, price{2000},
                          [&](batch_fill const& f) noexcept { sum += f.size.get(); });
                    keep(sum);
                },
                [&] { keep(by_maps(bids, asks)); });
        }
    }};

}  // namespace
