// SPDX-License-Identifier: Apache-2.0
#include <blendr/escrow/order.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <string>

using namespace blendr;
using namespace blendr::escrow;

namespace {

order good(std::uint32_t units = 4)
{
    order out{};
    out.items = 10;
    out.units = units;
    out.cap = price{5};
    out.search_within = out.start_within = out.run_within = out.window = out.grace = 10;
    return out;
}
order replicated()
{
    auto out = good();
    out.checks.by = checker::replicas;
    out.checks.quorum = 2;
    out.checks.most = 5;
    out.checks.commit_within = 6;
    out.checks.reveal_within = 4;
    out.checks.fee = amount{3};
    return out;
}

}  // namespace

TEST_CASE("order: units cover every index once, and differ by one at the most")
{
    for (std::uint32_t units : {1u, 3u, 4u, 7u, 10u}) {
        auto const of = good(units);
        std::uint64_t next = 0;
        for (std::uint32_t i = 0; i < units; ++i) {
            auto const [first, count] = range_of(of, i);
            CHECK(first == next);
            CHECK(count >= 10 / units);
            CHECK(count <= 10 / units + 1);
            next += count;
        }
        CHECK(next == 10);
    }
    auto huge = good(256);
    huge.items = ~std::uint64_t{0};
    CHECK(range_of(huge, 255).first + range_of(huge, 255).second == huge.items);
}

TEST_CASE("order: the price of checks is known before anything is ordered")
{
    CHECK(price_of_checks(good()).held == amount{});
    CHECK(price_of_checks(replicated()).unit == amount{12});
    CHECK(price_of_checks(replicated()).held == amount{48});
    auto product = replicated();
    product.checks.by = checker::product;
    CHECK(price_of_checks(product).held == amount{24});
    CHECK(heights_of_round(replicated().checks) == 4 * 13);
    auto exact = replicated();
    exact.checks.steps = 1'025;
    exact.checks.move_within = 7;
    CHECK(heights_of_verdict(exact.checks) == 4 * 13 + 12 * 7 + 8);
}

TEST_CASE("order: each contradiction has its code")
{
    auto const refused = [](order of, auto&& change) { return change(of), sound(of); };
    CHECK(sound(good()) == reject::ok);
    CHECK(sound(replicated()) == reject::ok);
    CHECK(refused(good(), [](auto& o) { o.cap = price{}; }) == reject::zero_price);
    CHECK(refused(good(), [](auto& o) { o.units = 257, o.items = 500; }) ==
          reject::value_too_large);
    CHECK(refused(good(), [](auto& o) { o.units = 0; }) == reject::has_no_units);
    CHECK(refused(good(), [](auto& o) { o.items = 3; }) == reject::zero_units);
    CHECK(refused(good(), [](auto& o) { o.bond = amount::max(); }) == reject::value_too_large);
    CHECK(refused(good(), [](auto& o) { o.grace = 0; }) == reject::bad_terms);
    CHECK(refused(good(), [](auto& o) { o.window = ~0u; }) == reject::bad_terms);
    CHECK(refused(good(), [](auto& o) { o.notice = ~0u; }) == reject::bad_terms);
    CHECK(refused(good(), [](auto& o) { o.wanted = std::string{"vrm > > 1"}; }) ==
          reject::bad_requirement);
    auto const bad = [&](auto&& change) {
        CHECK(refused(replicated(), change) == reject::bad_checks);
    };
    bad([](auto& o) { o.checks.quorum = 1; });
    bad([](auto& o) { o.checks.most = 17; });
    bad([](auto& o) { o.checks.most = 1; });
    bad([](auto& o) { o.checks.reveal_within = 0; });
    bad([](auto& o) { o.checks.commit_within = 1u << 20; });
    bad([](auto& o) { o.checks.fee = amount::max(); });
    bad([](auto& o) { o.checks.by = checker::spot; });     // what does a unit cost?
    bad([](auto& o) { o.checks.by = checker::product; });  // of which matrices?
    bad([](auto& o) { o.checks.by = checker::renter; });   // who has no quorum
    bad([](auto& o) { o.checks.steps = 5; });              // of which program?
    auto timed = good();
    timed.units = 0;
    timed.items = 0;
    CHECK(sound(timed) == reject::ok);
    timed.checks = replicated().checks;
    CHECK(sound(timed) == reject::bad_checks);
}
