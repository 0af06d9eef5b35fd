// SPDX-License-Identifier: Apache-2.0
#include <blendr/market/auction.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/support.hpp>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <blendr/core/random.hpp>

using namespace blendr;
using namespace blendr::market;

namespace {

struct outcome {
    clearing at{};
    std::vector<batch_fill> fills{};
};

batch_order order_of(std::uint64_t id, std::uint64_t limit, std::uint64_t size,
                     std::uint32_t owner = 0)
{
    return {order_id{id}, trader_id{owner}, price{limit}, quantity{size}};
}

outcome run(auction& a, std::vector<batch_order> const& bids, std::vector<batch_order> const& asks,
            std::uint64_t reference = 0)
{
    outcome out;
    out.at = a.run(bids, asks, price{reference},
                   [&](batch_fill const& f) noexcept { out.fills.push_back(f); });
    return out;
}

std::vector<batch_fill> serve(auction& a, std::vector<selective_bid> const& bids, auto&& eligible,
                              auction::bounds limits = {})
{
    std::vector<batch_fill> out;
    a.serve(bids, eligible, limits, [&](batch_fill const& f) noexcept { out.push_back(f); });
    return out;
}
auto const anything = [](std::uint32_t, std::uint32_t) { return true; };

/// Everything that the rules promise, checked by trying every price.
void check_rules(std::vector<batch_order> const& bids, std::vector<batch_order> const& asks,
                 std::uint64_t price_max, std::uint64_t reference)
{
    auction a;
    auto const got = run(a, bids, asks, reference);

    std::uint64_t volume = 0, gap = 0, low = 0, high = 0;
    for (std::uint64_t p = 1; p <= price_max; ++p) {
        std::uint64_t demand = 0, supply = 0;
        for (auto const& b : bids) demand += b.limit.get() >= p ? b.size.get() : 0;
        for (auto const& s : asks) supply += s.limit.get() <= p ? s.size.get() : 0;
        auto const v = std::min(demand, supply);
        auto const g = std::max(demand, supply) - v;
        if (v == 0 || v < volume || (v == volume && g > gap)) continue;
        if (v > volume || g < gap) low = p;
        volume = v;
        gap = g;
        high = p;
    }
    REQUIRE(got.at.volume.get() == volume);
    if (volume == 0) {
        REQUIRE(got.fills.empty());
        return;
    }
    auto const wish = reference == 0 ? (low + high) / 2 : std::clamp(reference, low, high);
    REQUIRE(got.at.at.get() == wish);

    std::vector<std::uint64_t> bought(bids.size()), sold(asks.size());
    std::uint64_t total = 0;
    for (auto const& f : got.fills) {
        REQUIRE(f.at == got.at.at);
        REQUIRE(f.size != quantity{0});
        bought[f.bid] += f.size.get();
        sold[f.ask] += f.size.get();
        total += f.size.get();
    }
    REQUIRE(total == volume);
    auto const side_is_fair = [&](auto const& orders, auto const& filled, auto better) {
        for (std::size_t i = 0; i < orders.size(); ++i) {
            REQUIRE(filled[i] <= orders[i].size.get());
            if (filled[i] != 0) REQUIRE(!better(got.at.at, orders[i].limit));
            for (std::size_t j = 0; j < orders.size(); ++j) {
                if (better(orders[i].limit, orders[j].limit) && filled[j] != 0)
                    REQUIRE(filled[i] == orders[i].size.get());  // the better price comes first
                if (orders[i].limit == orders[j].limit) {        // shares differ by rounding only
                    auto const x = filled[i] * orders[j].size.get();
                    auto const y = filled[j] * orders[i].size.get();
                    REQUIRE(x < y + orders[j].size.get() + orders[i].size.get());
                }
            }
        }
    };
    side_is_fair(bids, bought, [](price x, price y) { return x > y; });
    side_is_fair(asks, sold, [](price x, price y) { return x < y; });
    for (std::uint32_t i = 0; i < bids.size(); ++i) REQUIRE(a.bought(i).get() == bought[i]);
    for (std::uint32_t i = 0; i < asks.size(); ++i)
        REQUIRE(a.left(i).get() == asks[i].size.get() - sold[i]);
}

}  // namespace

TEST_CASE("auction: everybody trades at one price, the dearest bids and the cheapest asks first")
{
    auction a;
    auto const out = run(a, {order_of(1, 20, 5), order_of(2, 10, 5)},
                         {order_of(3, 8, 4), order_of(4, 12, 4)}, 11);
    CHECK(out.at == clearing{price{12}, quantity{5}});
    REQUIRE(out.fills.size() == 2);
    CHECK(out.fills[0] == batch_fill{0, 0, price{12}, quantity{4}, false});
    CHECK(out.fills[1] == batch_fill{0, 1, price{12}, quantity{1}, false});
}

TEST_CASE("auction: the reference price decides within the range of equal volume")
{
    auction a;
    std::vector const bids = {order_of(1, 20, 5)};
    std::vector const asks = {order_of(2, 10, 5)};
    CHECK(run(a, bids, asks, 13).at.at == price{13});
    CHECK(run(a, bids, asks, 5).at.at == price{10});
    CHECK(run(a, bids, asks, 90).at.at == price{20});
    CHECK(run(a, bids, asks).at.at == price{15});
}

TEST_CASE(
    "auction: at the price where a side runs out, shares follow size and the rest goes to the "
    "lowest ids")
{
    auction a;
    run(a, {order_of(9, 10, 10), order_of(7, 10, 20), order_of(8, 10, 10), order_of(1, 11, 3)},
        {order_of(5, 10, 12)}, 10);
    CHECK(a.bought(3) == quantity{3});  // better price: whole
    CHECK(a.bought(1) == quantity{5});  // 9 × 20/40 = 4.5, and the lowest id
    CHECK(a.bought(2) == quantity{2});  // 9 × 10/40 = 2.25
    CHECK(a.bought(0) == quantity{2});
}

TEST_CASE("auction: nothing trades when no bid reaches an ask, or a side is empty")
{
    auction a;
    CHECK(run(a, {order_of(1, 9, 5)}, {order_of(2, 10, 5)}, 10).at == clearing{});
    CHECK(run(a, {}, {order_of(2, 10, 5)}).at == clearing{});
    CHECK(run(a, {order_of(1, 9, 5)}, {}).at == clearing{});
    CHECK(run(a, {}, {}).at == clearing{});
}

TEST_CASE("auction: prices and sizes at their limits do not overflow")
{
    auction a;
    auto const top = ~std::uint64_t{0};
    std::vector<batch_order> bids(1000, order_of(1, top, order_size_max.get()));
    std::vector<batch_order> asks(1000, order_of(1, 1, order_size_max.get()));
    auto const out = run(a, bids, asks);
    CHECK(out.at.volume.get() == 1000 * order_size_max.get());
    CHECK(out.at.at.get() == 1 + (top - 1) / 2);
    CHECK(run(a, bids, asks, top).at.at.get() == top);
}

TEST_CASE(
    "auction: every book of up to three bids and three asks clears as trying every price says")
{
    struct half {
        std::uint64_t limit, size;
    };
    std::vector<half> choices;
    for (std::uint64_t p = 1; p <= 3; ++p)
        for (std::uint64_t s = 1; s <= 2; ++s) choices.push_back({p, s});
    std::vector<std::vector<half>> sides = {{}};
    for (std::size_t n = 1, from = 0; n <= 3; ++n) {
        auto const to = sides.size();
        for (auto i = from; i < to; ++i)
            for (auto const& c : choices) {
                auto next = sides[i];
                next.push_back(c);
                sides.push_back(next);
            }
        from = to;
    }
    REQUIRE(sides.size() == 1 + 6 + 36 + 216);
    auto const as_orders = [](std::vector<half> const& in, std::uint64_t id) {
        std::vector<batch_order> out;
        for (auto const& h : in) out.push_back(order_of(id++, h.limit, h.size));
        return out;
    };
    for (auto const& b : sides)
        for (auto const& s : sides)
            check_rules(as_orders(b, 1), as_orders(s, 10), 4, (b.size() + s.size()) % 4);
}

TEST_CASE("auction: random books clear as trying every price says" *
          doctest::test_suite("property"))
{
    rng any{test::seed()};
    INFO("seed " << test::seed());
    for (int round = 0; round < 1500; ++round) {
        std::vector<batch_order> bids, asks;
        auto const spread = 1 + any.below(40);
        auto const side_of = [&](auto& out) {
            for (auto n = any.below(round % 10 == 0 ? 200 : 12); n > 0; --n)
                out.push_back(order_of(any.below(1000), 1 + any.below(spread), 1 + any.below(30)));
        };
        side_of(bids);
        side_of(asks);
        check_rules(bids, asks, spread + 1, any.below(spread + 5));
    }
}

TEST_CASE("auction: ranks say who is served, and change neither price nor volume" *
          doctest::test_suite("property"))
{
    rng any{test::seed() + 3};
    INFO("seed " << test::seed());
    std::uint64_t moved = 0;
    for (int round = 0; round < 2000; ++round) {
        std::vector<batch_order> bids, asks;
        auto const spread = 1 + any.below(20);
        for (auto n = any.below(10); n > 0; --n)
            bids.push_back(order_of(n, 1 + any.below(spread), 1 + any.below(30)));
        for (auto n = 1 + any.below(round % 10 == 0 ? 200 : 10); n > 0; --n) {
            auto const limit = 1 + any.below(spread);
            asks.push_back(order_of(n, limit, 1 + any.below(30)));
            asks.back().rank = 10 * limit + any.below(40);
        }
        auto plain = asks;
        for (auto& each : plain) each.rank = 0;
        auction with, without;
        auto const got = run(with, bids, asks), expected = run(without, bids, plain);
        REQUIRE(got.at == expected.at);
        std::uint64_t volume = 0;
        for (auto const& f : got.fills) {
            REQUIRE(asks[f.ask].limit <= got.at.at);
            volume += f.size.get();
        }
        REQUIRE(volume == got.at.volume.get());
        moved += got.fills != expected.fills;
        for (std::uint32_t i = 0; i < asks.size(); ++i) {
            auto const sold = asks[i].size - with.left(i);
            for (std::uint32_t k = 0; k < asks.size(); ++k)
                if (asks[k].limit <= got.at.at && asks[k].rank < asks[i].rank &&
                    sold != quantity{0})
                    REQUIRE(with.left(k) == quantity{0});  // the better rank comes first
        }
        // Selective bids: one after the other in line, never dearer than their limit.
        auto const left = [&](std::uint32_t i) { return with.left(i); };
        std::vector<std::uint32_t> line(asks.size());
        for (std::uint32_t i = 0; i < line.size(); ++i) line[i] = i;
        std::sort(line.begin(), line.end(), [&](auto a, auto b) {
            return std::pair{asks[a].rank, asks[a].id.get()} <
                   std::pair{asks[b].rank, asks[b].id.get()};
        });
        selective_bid const bid{order_of(500, 1 + any.below(spread), 1 + any.below(90), 9)};
        std::vector<batch_fill> wanted;
        auto open = bid.what.size;
        for (auto const i : line) {
            auto const size = std::min(open, left(i));
            if (asks[i].limit > bid.what.limit || size == quantity{0}) continue;
            wanted.push_back({0, i, asks[i].limit, size, true});
            open -= size;
        }
        REQUIRE(serve(with, {bid}, anything) == wanted);
    }
    CHECK(moved > 200);
}

TEST_CASE("auction: a selective bid takes the cheapest eligible asks at their own prices")
{
    auction a;
    run(a, {}, {order_of(1, 5, 10, 1), order_of(2, 6, 10, 2), order_of(3, 7, 10, 3)});
    auto const not_the_first = [](std::uint32_t, std::uint32_t ask) { return ask != 0; };
    auto const fills = serve(a, {{order_of(9, 7, 15)}}, not_the_first);
    REQUIRE(fills.size() == 2);
    CHECK(fills[0] == batch_fill{0, 1, price{6}, quantity{10}, true});
    CHECK(fills[1] == batch_fill{0, 2, price{7}, quantity{5}, true});
    CHECK(a.left(0) == quantity{10});
    CHECK(a.left(2) == quantity{5});
}

TEST_CASE("auction: a gang gets everything or leaves everything to the next")
{
    auction a;
    std::vector const asks = {order_of(1, 5, 10, 1), order_of(2, 6, 10, 2)};
    run(a, {}, asks);
    auto const fills =
        serve(a, {{order_of(1, 9, 25, 8), true, {}}, {order_of(2, 8, 20, 9), true, {}}}, anything);
    REQUIRE(fills.size() == 2);
    CHECK(fills[0].bid == 1);
    CHECK(fills[1] == batch_fill{1, 1, price{6}, quantity{10}, true});
}

TEST_CASE("auction: a cap per provider spreads a gang, counting all asks of one owner")
{
    auction a;
    std::vector const asks = {order_of(1, 5, 10, 1), order_of(2, 5, 10, 1), order_of(3, 6, 4, 2),
                              order_of(4, 9, 4, 3)};
    run(a, {}, asks);
    auto const fills = serve(a, {{order_of(1, 9, 12, 8), true, quantity{4}}}, anything);
    REQUIRE(fills.size() == 3);
    CHECK(fills[0] == batch_fill{0, 0, price{5}, quantity{4}, true});
    CHECK(fills[1].ask == 2);
    CHECK(fills[2].ask == 3);
    run(a, {}, asks);
    CHECK(serve(a, {{order_of(1, 9, 13, 8), true, quantity{4}}}, anything).empty());
}

TEST_CASE("auction: a selective bid never meets an ask of its own owner")
{
    auction a;
    run(a, {}, {order_of(1, 5, 10, 7), order_of(2, 6, 10, 2)});
    auto const fills = serve(a, {{order_of(9, 7, 5, 7)}}, anything);
    REQUIRE(fills.size() == 1);
    CHECK(fills[0].ask == 1);
}

TEST_CASE("auction: one selective bid can neither look nor take without bound")
{
    auction a;
    std::vector<batch_order> asks;
    for (std::uint32_t i = 0; i < 50; ++i) asks.push_back(order_of(i, 5, 1, i));
    run(a, {}, asks);
    unsigned looks = 0;
    auto const nothing_fits = [&](std::uint32_t, std::uint32_t) { return ++looks, false; };
    CHECK(serve(a, {{order_of(99, 9, 5, 99)}}, nothing_fits, {.looks_max = 7}).empty());
    CHECK(looks == 7);
    CHECK(serve(a, {{order_of(99, 9, 30, 99)}}, anything, {.parts_max = 6}).size() == 6);
}

TEST_CASE(
    "auction: selective bids together look at no more than they may, and it says who was left")
{
    std::vector<batch_order> asks;
    for (std::uint32_t i = 0; i < 10; ++i) asks.push_back(order_of(i, 5, 1, i));
    std::vector<selective_bid> const bids{{order_of(50, 9, 3, 90), false, {}},
                                          {order_of(51, 8, 3, 91), false, {}},
                                          {order_of(52, 7, 3, 92), false, {}}};
    auto const bought_with = [&](std::uint64_t together, bool all_served) {
        auction a;
        run(a, {}, asks);
        std::uint64_t sum = 0;
        auction::bounds bounds{};
        bounds.together_max = together;
        CHECK(a.serve(
                  bids, [](auto, auto) { return true; }, bounds,
                  [&](batch_fill const& f) noexcept { sum += f.size.get(); }) == all_served);
        return sum;
    };
    CHECK(bought_with(100, true) == 9);
    CHECK(bought_with(4, false) == 6);
    CHECK(bought_with(0, false) == 0);
}

TEST_CASE("auction: selective bids find what is there whenever a gang can be filled at all" *
          doctest::test_suite("property"))
{
    rng any{test::seed() + 7};
    INFO("seed " << test::seed());
    for (int round = 0; round < 3000; ++round) {
        std::vector<batch_order> asks;
        for (auto n = any.below(8); n > 0; --n)
            asks.push_back(order_of(n, 1 + any.below(9), 1 + any.below(9),
                                    static_cast<std::uint32_t>(any.below(4))));
        auto const ok = any();
        auto const eligible = [ok](std::uint32_t, std::uint32_t ask) {
            return (ok >> ask & 1) != 0;
        };
        selective_bid const bid{order_of(50, 1 + any.below(9), 1 + any.below(20), 3),
                                any.chance(1, 2), quantity{any.below(6)}};
        std::map<std::uint32_t, std::uint64_t> room;
        for (std::uint32_t i = 0; i < asks.size(); ++i)
            if (asks[i].limit <= bid.what.limit && asks[i].owner != bid.what.owner &&
                eligible(0, i))
                room[asks[i].owner.get()] += asks[i].size.get();
        std::uint64_t most = 0;
        for (auto const& [who, size] : room)
            most += bid.per_provider_max == quantity{0}
                        ? size
                        : std::min(size, bid.per_provider_max.get());
        auto wanted = std::min(most, bid.what.size.get());
        if (bid.all_or_none && wanted < bid.what.size.get()) wanted = 0;
        auction a;
        run(a, {}, asks);
        std::uint64_t got = 0;
        for (auto const& f : serve(a, {bid}, eligible)) got += f.size.get();
        REQUIRE(got == wanted);
    }
}
