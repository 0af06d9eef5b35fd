// SPDX-License-Identifier: Apache-2.0
#include <blendr/market/order_book.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/support.hpp>

#include <array>
#include <atomic>
#include <cstdlib>
#include <new>
#include <type_traits>
#include <vector>

#include <blendr/core/codec.hpp>
#include <blendr/core/random.hpp>

#include "book_model.hpp"

using namespace blendr;
using namespace blendr::market;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MARKET_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MARKET_TEST_SANITIZED 1
#endif
#endif

// Counts what this program allocates, for the test that the book does not. Sanitizers bring their own
// operators.
static std::atomic<std::uint64_t> allocations{0};
#ifndef MARKET_TEST_SANITIZED
[[gnu::noinline]] void* operator new(std::size_t size)
{
    allocations.fetch_add(1, std::memory_order_relaxed);
    if (auto* const p = std::malloc(size == 0 ? 1 : size)) return p;
    throw std::bad_alloc{};
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
#endif

namespace {

struct log {
    std::vector<trade> fills{};
    std::vector<removal> removals{};
    void operator()(trade const& f) noexcept { fills.push_back(f); }
    void operator()(removal const& r) noexcept { removals.push_back(r); }
};

constexpr trader_id ann{1}, bob{2}, cid{3};

order buy(trader_id who, std::uint64_t at, std::uint64_t size)
{
    return {.owner = who, .way = side::buy, .size = quantity{size}, .limit = price{at}};
}
order sell(trader_id who, std::uint64_t at, std::uint64_t size)
{
    return {.owner = who, .way = side::sell, .size = quantity{size}, .limit = price{at}};
}
order_book small_book()
{
    return *order_book::make({.lowest = price{1}, .tick = 1, .levels = 1000, .orders_max = 100});
}
order_id rest(order_book& book, order const& in)
{
    auto const out = book.submit(in);
    REQUIRE(out);
    REQUIRE(out->resting == in.size);
    return out->id;
}
quantity depth_at_best(order_book const& book, side way)
{
    std::array<depth_level, 1> out{};
    return book.depth(way, out) == 0 ? quantity{0} : out[0].size;
}

}  // namespace

static_assert(!std::is_convertible_v<std::uint64_t, price>);
static_assert(!std::is_convertible_v<trader_id, order_id>);
static_assert(book_sink<log>);

TEST_CASE("order_book: the better price fills first, at the resting order's price")
{
    auto book = small_book();
    rest(book, sell(ann, 12, 5));
    auto const cheap = rest(book, sell(bob, 10, 5));
    log seen;
    auto const out = book.submit(buy(cid, 15, 7), seen);
    REQUIRE(out);
    CHECK(out->filled == quantity{7});
    CHECK(out->resting == quantity{0});
    REQUIRE(seen.fills.size() == 2);
    CHECK(seen.fills[0] ==
          trade{cheap, out->id, bob, cid, price{10}, quantity{5}, side::buy, true});
    CHECK(seen.fills[1].at == price{12});
    CHECK(seen.fills[1].size == quantity{2});
    CHECK_FALSE(seen.fills[1].resting_done);
    CHECK(depth_at_best(book, side::sell) == quantity{3});
}

TEST_CASE("order_book: at one price the older order fills first")
{
    auto book = small_book();
    auto const first = rest(book, buy(ann, 10, 5));
    auto const second = rest(book, buy(bob, 10, 5));
    log seen;
    REQUIRE(book.submit(sell(cid, 10, 6), seen));
    REQUIRE(seen.fills.size() == 2);
    CHECK(seen.fills[0].resting == first);
    CHECK(seen.fills[1].resting == second);
    CHECK(book.left(second) == quantity{4});
    CHECK_FALSE(book.contains(first));
}

TEST_CASE("order_book: a market order takes what is there and never rests")
{
    auto book = small_book();
    rest(book, sell(ann, 999, 5));
    order all{.owner = bob, .way = side::buy, .size = quantity{9}, .market = true};
    auto const out = book.submit(all);
    REQUIRE(out);
    CHECK(out->filled == quantity{5});
    CHECK(out->resting == quantity{0});
    CHECK(book.size() == 0);
    CHECK(book.submit(all)->filled == quantity{0});
}

TEST_CASE("order_book: an immediate order drops what it cannot fill, an all-now order fills whole")
{
    auto book = small_book();
    rest(book, sell(ann, 10, 5));
    auto some = buy(bob, 10, 8);
    some.life = lifetime::all_now;
    CHECK(book.submit(some).error() == reject::cannot_fill);
    CHECK(depth_at_best(book, side::sell) == quantity{5});
    some.life = lifetime::immediate;
    auto const out = book.submit(some);
    CHECK(out->filled == quantity{5});
    CHECK(out->resting == quantity{0});
    CHECK_FALSE(book.contains(out->id));
}

TEST_CASE("order_book: an all-now order does not count its own trader's orders")
{
    auto book = small_book();
    rest(book, sell(ann, 10, 5));
    auto const own = rest(book, sell(bob, 10, 5));
    rest(book, sell(cid, 11, 5));
    auto all = buy(bob, 10, 6);
    all.life = lifetime::all_now;
    CHECK(book.submit(all).error() == reject::cannot_fill);
    all.limit = price{11};
    all.on_self = self_trade::cancel_incoming;
    CHECK(book.submit(all).error() == reject::cannot_fill);
    CHECK(book.contains(own));
    all.on_self = self_trade::cancel_resting;
    CHECK(book.submit(all)->filled == quantity{6});
    CHECK_FALSE(book.contains(own));
}

TEST_CASE("order_book: a post-only order is refused when it would trade, and rests otherwise")
{
    auto book = small_book();
    rest(book, sell(ann, 10, 5));
    auto in = buy(bob, 10, 1);
    in.post_only = true;
    CHECK(book.submit(in).error() == reject::would_take);
    in.limit = price{9};
    auto const id = rest(book, in);
    CHECK(book.replace(id, bob, price{10}, quantity{1}).error() == reject::would_take);
    CHECK(book.left(id) == quantity{1});
    CHECK(book.best(side::buy) == price{9});
}

TEST_CASE("order_book: the three policies against trading with oneself")
{
    for (auto const policy :
         {self_trade::cancel_resting, self_trade::cancel_incoming, self_trade::cancel_both}) {
        auto book = small_book();
        auto const own = rest(book, sell(ann, 10, 5));
        auto const other = rest(book, sell(bob, 11, 5));
        auto in = buy(ann, 11, 8);
        in.on_self = policy;
        log seen;
        auto const out = book.submit(in, seen);
        REQUIRE(out);
        bool const goes_on = policy == self_trade::cancel_resting;
        CHECK(book.contains(own) == (policy == self_trade::cancel_incoming));
        CHECK(seen.removals.size() == (policy == self_trade::cancel_incoming ? 0 : 1));
        CHECK(out->filled == quantity{goes_on ? 5u : 0u});
        CHECK(out->resting == quantity{goes_on ? 3u : 0u});
        CHECK(book.contains(other) == !goes_on);
    }
}

TEST_CASE("order_book: an order trades through its last height and not after")
{
    auto book = small_book();
    auto in = sell(ann, 10, 5);
    in.expires = height{7};
    auto const id = rest(book, in);
    log seen;
    book.advance(height{7}, seen);
    CHECK(book.contains(id));
    book.advance(height{8}, seen);
    REQUIRE(seen.removals.size() == 1);
    CHECK(seen.removals[0] == removal{id, ann, quantity{5}, removal::cause::expired});
    CHECK(book.submit(in).error() == reject::expired);
    in.expires = height{5000};  // beyond one turn of the wheel
    auto const late = rest(book, in);
    book.advance(height{5000});
    CHECK(book.contains(late));
    book.advance(height{50'000});
    CHECK_FALSE(book.contains(late));
    CHECK(book.best(side::sell) == price{0});
}

TEST_CASE("order_book: only a size that does not grow, at the same price, keeps its place")
{
    for (std::uint64_t const size : {4u, 5u, 6u}) {
        auto book = small_book();
        auto const first = rest(book, buy(ann, 10, 5));
        rest(book, buy(bob, 10, 5));
        REQUIRE(book.replace(first, ann, price{10}, quantity{size}));
        log seen;
        REQUIRE(book.submit(sell(cid, 10, 1), seen));
        CHECK((seen.fills[0].resting == first) == (size <= 5));
    }
    auto book = small_book();
    auto const first = rest(book, buy(ann, 10, 5));
    rest(book, buy(bob, 10, 5));
    REQUIRE(book.replace(first, ann, price{9}, quantity{5}));
    REQUIRE(book.replace(first, ann, price{10}, quantity{5}));
    log seen;
    REQUIRE(book.submit(sell(cid, 10, 1), seen));
    CHECK(seen.fills[0].resting_owner == bob);
}

TEST_CASE("order_book: a replaced order that crosses trades under its own id")
{
    auto book = small_book();
    rest(book, sell(bob, 12, 2));
    auto const id = rest(book, buy(ann, 10, 5));
    log seen;
    auto const out = book.replace(id, ann, price{12}, quantity{5}, seen);
    REQUIRE(out);
    CHECK(*out == placed{id, quantity{2}, quantity{3}});
    CHECK(seen.fills[0].incoming == id);
    CHECK(book.best(side::buy) == price{12});
}

TEST_CASE("order_book: a rejected operation changes nothing")
{
    auto book = *order_book::make({.lowest = price{100}, .tick = 5, .levels = 10, .orders_max = 3});
    auto const id = rest(book, sell(ann, 120, 5));
    rest(book, buy(bob, 100, 5));
    auto const before = book.snapshot();
    auto const refused = [&](order const& in, reject why) {
        auto const out = book.submit(in);
        REQUIRE_FALSE(out);
        CHECK(out.error() == why);
        CHECK(book.snapshot() == before);
    };
    refused(buy(ann, 120, 0), reject::zero_size);
    refused(buy(ann, 120, (std::uint64_t{1} << 40) + 1), reject::size_too_large);
    refused(buy(ann, 0, 1), reject::zero_price);
    refused(buy(ann, 99, 1), reject::price_off_grid);
    refused(buy(ann, 95, 1), reject::price_off_grid);
    refused(buy(ann, 121, 1), reject::price_off_grid);
    refused(buy(ann, 150, 1), reject::price_off_grid);
    refused(buy(ann, ~std::uint64_t{0}, 1), reject::price_off_grid);
    auto odd = buy(ann, 120, 1);
    odd.market = true;
    refused(odd, reject::contradictory_order);
    odd.market = false;
    odd.post_only = true;
    odd.life = lifetime::immediate;
    refused(odd, reject::contradictory_order);

    CHECK(book.cancel(id, bob).error() == reject::not_owner);
    CHECK(book.cancel(order_id{}, ann).error() == reject::unknown_order);
    CHECK(book.cancel(order_id{~std::uint64_t{0}}, ann).error() == reject::unknown_order);
    CHECK(book.replace(id, bob, price{125}, quantity{1}).error() == reject::not_owner);
    CHECK(book.replace(id, ann, price{126}, quantity{1}).error() == reject::price_off_grid);
    CHECK(book.replace(id, ann, price{0}, quantity{1}).error() == reject::zero_price);
    CHECK(book.replace(id, ann, price{125}, quantity{0}).error() == reject::zero_size);
    CHECK(book.snapshot() == before);
}

TEST_CASE("order_book: a full book still lets orders take, and takes no more that rest")
{
    auto book = *order_book::make({.lowest = price{1}, .tick = 1, .levels = 100, .orders_max = 2});
    rest(book, sell(ann, 10, 5));
    rest(book, sell(ann, 11, 5));
    CHECK(book.submit(buy(bob, 5, 1)).error() == reject::book_full);
    auto now = buy(bob, 10, 5);
    now.life = lifetime::immediate;
    CHECK(book.submit(now)->filled == quantity{5});
    CHECK(rest(book, buy(bob, 5, 1)) != order_id{});
}

TEST_CASE("order_book: an id is never given twice, so a stale one is known for stale")
{
    auto book = small_book();
    auto const first = rest(book, buy(ann, 10, 5));
    REQUIRE(book.cancel(first, ann) == quantity{5});
    auto const second = rest(book, buy(ann, 10, 5));
    CHECK(first != second);
    CHECK(book.cancel(first, ann).error() == reject::unknown_order);
    CHECK(book.contains(second));
}

TEST_CASE("order_book: a band that is empty, too large or passes 64 bits is refused")
{
    CHECK(order_book::make({.lowest = price{0}}).error() == reject::bad_configuration);
    CHECK(order_book::make({.tick = 0}).error() == reject::bad_configuration);
    CHECK(order_book::make({.levels = 0}).error() == reject::bad_configuration);
    CHECK(order_book::make({.levels = order_book::levels_max + 1}).error() ==
          reject::bad_configuration);
    CHECK(order_book::make({.orders_max = 0}).error() == reject::bad_configuration);
    CHECK(order_book::make({.orders_max = order_book::orders_limit + 1}).error() ==
          reject::bad_configuration);
    CHECK(order_book::make({.lowest = price{2}, .tick = ~std::uint64_t{0} / 4, .levels = 6})
              .error() == reject::bad_configuration);
    CHECK(order_book::make({.lowest = price{2}, .tick = ~std::uint64_t{0} / 4, .levels = 4}));
}

TEST_CASE("order_book: a snapshot moves into another band with every order's place")
{
    auto book = small_book();
    auto const first = rest(book, buy(ann, 10, 5));
    rest(book, buy(bob, 10, 5));
    rest(book, sell(cid, 20, 5));
    book_config const band{.lowest = price{10}, .tick = 5, .levels = 3, .orders_max = 10};
    auto moved = order_book::restore(book.snapshot(), band);
    REQUIRE(moved);
    log seen;
    REQUIRE(moved->submit(sell(cid, 10, 1), seen));
    CHECK(seen.fills[0].resting == first);
    auto const too_small = order_book::restore(
        book.snapshot(), {.lowest = price{10}, .tick = 5, .levels = 2, .orders_max = 10});
    CHECK(too_small.error() == reject::bad_snapshot);
}

TEST_CASE("order_book: a snapshot that no operations lead to is refused")
{
    auto book = small_book();
    auto in = buy(ann, 10, 5);
    in.expires = height{9};
    rest(book, in);
    rest(book, sell(bob, 20, 5));
    REQUIRE(book.cancel(rest(book, buy(ann, 3, 1)), ann));
    auto const good = book.snapshot();
    REQUIRE(order_book::restore(good));
    auto const refused = [&](auto&& spoil) {
        auto bad = good;
        spoil(bad);
        return !order_book::restore(bad).has_value();
    };
    CHECK(refused([](auto& s) { s.orders[0].id = s.orders[1].id; }));
    CHECK(refused([](auto& s) { s.orders[0].id = order_id{0}; }));
    CHECK(refused([](auto& s) { s.orders[0].left = quantity{0}; }));
    CHECK(refused([](auto& s) { s.orders[0].limit = price{20}; }));  // crosses
    CHECK(refused([](auto& s) { s.orders[0].limit = price{5000}; }));
    CHECK(refused([](auto& s) { s.orders[0].expires = height::max(); }));
    CHECK(refused([](auto& s) { s.now = height{10}; }));
    CHECK(refused([](auto& s) { s.slots_used = 1; }));
    CHECK(refused([](auto& s) { s.slots_used = 1000; }));
    CHECK(refused([](auto& s) { s.free[0] = s.orders[0].id; }));
    CHECK(refused([](auto& s) { s.expiring.clear(); }));
    CHECK(refused([](auto& s) { s.expiring.push_back(s.expiring[0]); }));
    CHECK(refused([](auto& s) { s.config.tick = 0; }));
}

TEST_CASE("order_book: allocates nothing once it is made")
{
#ifdef MARKET_TEST_SANITIZED
    return test::skip("under a sanitizer allocations are not ours to count");
#endif
    auto book = *order_book::make({.lowest = price{1}, .tick = 1, .levels = 100, .orders_max = 50});
    CHECK(allocations.load() > 0);  // the counter counts
    std::array<order_id, 64> ids{};
    rng any{test::seed()};
    auto const before = allocations.load();
    for (std::uint64_t i = 0; i < 20'000; ++i) {
        order in{};
        in.owner = trader_id{static_cast<std::uint32_t>(any.below(5))};
        in.way = any.chance(1, 2) ? side::buy : side::sell;
        in.size = quantity{1 + any.below(9)};
        in.limit = price{1 + any.below(100)};
        in.expires = any.chance(1, 2) ? height{i / 100 + any.below(5)} : height::max();
        if (auto const out = book.submit(in)) ids[i % ids.size()] = out->id;
        auto const id = ids[any.below(ids.size())];
        if (auto const owner = book.owner(id)) {
            if (any.chance(1, 2))
                (void)book.cancel(id, *owner);
            else
                (void)book.replace(id, *owner, price{1 + any.below(100)}, quantity{3});
        }
        book.advance(height{i / 100});
    }
    CHECK(allocations.load() == before);
    CHECK(book.size() > 0);
}

TEST_CASE("order_book: the tick bitmap agrees with a plain search")
{
    rng any{test::seed()};
    for (std::uint32_t const levels : {1u, 63u, 64u, 65u, 5000u, 1u << 20}) {
        market::impl::tick_bitmap map{levels};
        std::vector<bool> plain(levels);
        auto const near = levels < 200 ? levels : 200;
        for (int i = 0; i < 400; ++i) {
            auto const wide = any.chance(1, 2);
            auto const at = static_cast<std::uint32_t>(any.below(wide ? levels : near));
            bool const on = any.chance(1, 3);
            on ? map.set(at) : map.clear(at);
            plain[at] = on;
            auto const from = static_cast<std::int32_t>(any.below(levels));
            auto up = from, down = from;
            while (up < static_cast<std::int32_t>(levels) && !plain[static_cast<std::size_t>(up)])
                ++up;
            while (down >= 0 && !plain[static_cast<std::size_t>(down)]) --down;
            REQUIRE(map.at_or_above(from) == up);
            REQUIRE(map.at_or_below(from) == down);
            if (levels == 1u << 20 && i > 60) break;
        }
    }
}

namespace {

/// Runs `operations` in books of several shapes, one of them with a snapshot taken and restored
/// now and then.
void run_against_naive(std::uint64_t seed, std::uint64_t operations)
{
    struct shape {
        book_config config;
        std::uint64_t restore_every;
    };
    std::array const shapes = {
        shape{{.lowest = price{1}, .tick = 1, .levels = 16, .orders_max = 40}, 997},
        shape{{.lowest = price{1000}, .tick = 25, .levels = 200, .orders_max = 500}, 4999},
        shape{{.lowest = price{7}, .tick = 1, .levels = 100'000, .orders_max = 3000}, 0},
    };
    INFO("seed " << seed);
    for (std::size_t s = 0; s < shapes.size(); ++s) {
        rng any{seed * 16 + s};
        auto const choose = [&any](std::uint64_t n) { return any.below(n); };
        testing::book_model model{shapes[s].config, choose};
        for (std::uint64_t i = 0; i < operations / shapes.size() + 1; ++i) {
            auto why = model.step();
            if (!why && shapes[s].restore_every != 0 && any.below(shapes[s].restore_every) == 0)
                why = model.through_bytes();
            if (why) {
                INFO("shape " << s << ", operation " << i);
                FAIL(*why);
            }
        }
        CHECK_FALSE(model.look());
        CHECK(model.fills() > operations / shapes.size() / 50);  // it was no empty exercise
    }
}

}  // namespace

TEST_CASE("order_book: does what the naive book does, operation for operation" *
          doctest::test_suite("property"))
{
    run_against_naive(test::seed(), 400'000);
}

TEST_CASE("order_book: does what the naive book does over twelve million operations" *
          doctest::test_suite("property slow"))
{
    for (std::uint64_t round = 0; round < 12; ++round) {
        MESSAGE("seed " << test::seed() + round);
        run_against_naive(test::seed() + round, 1'000'000);
    }
}
