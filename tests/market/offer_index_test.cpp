// SPDX-License-Identifier: Apache-2.0
#include <blendr/market/offer_index.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/support.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <blendr/core/random.hpp>

using namespace blendr;
using namespace blendr::market;

namespace {

capability card(std::string const& text)
{
    auto const c = capability::parse(text);
    REQUIRE(c);
    return *c;
}
requirement ask(std::string const& text)
{
    auto const r = requirement::parse(text);
    INFO(text);
    if (!r) FAIL(message(r.error()));
    return *r;
}
std::vector<std::uint32_t> find(offer_index const& in, std::string const& text, std::size_t most)
{
    std::vector<offer_id> out(most);
    out.resize(in.find(ask(text), out));
    std::vector<std::uint32_t> ids;
    for (auto const id : out) ids.push_back(id.get());
    return ids;
}

offer_index four_cards()
{
    offer_index out;
    REQUIRE(out.put(offer_id{1}, price{40}, card("model=rtx3060, region=eu, vram=12_GiB, tier=1")));
    REQUIRE(out.put(offer_id{2}, price{90}, card("model=rtx4090, region=eu, vram=24_GiB, tier=2")));
    REQUIRE(out.put(offer_id{3}, price{80}, card("model=rtx4090, region=us, vram=24_GiB")));
    REQUIRE(out.put(offer_id{4}, price{40}, card("model=a4000, region=eu, vram=16_GiB, tier=0")));
    return out;
}

/// Every offer looked at, one by one.
struct scan {
    struct entry {
        price at{};
        capability what{};
    };
    std::map<std::uint32_t, entry> offers{};

    std::vector<std::uint32_t> find(requirement const& r, std::size_t most) const
    {
        std::vector<std::pair<price, std::uint32_t>> found;
        for (auto const& [id, o] : offers)
            if (r.of(o.what) == truth::yes) found.emplace_back(o.at, id);
        std::sort(found.begin(), found.end());
        std::vector<std::uint32_t> out;
        for (std::size_t i = 0; i < found.size() && i < most; ++i) out.push_back(found[i].second);
        return out;
    }

    explanation explain(requirement const& r) const
    {
        auto const parts = r.constraints();
        explanation out{offers.size(), 0, std::vector<explanation::constraint>(parts.size())};
        std::vector<std::pair<price, std::uint32_t>> order;
        for (auto const& [id, o] : offers) order.emplace_back(o.at, id);
        std::sort(order.begin(), order.end());
        for (auto const& [at, id] : order) {
            auto const& what = offers.at(id).what;
            std::vector<std::size_t> bad;
            for (std::size_t i = 0; i < parts.size(); ++i) {
                auto& c = out.constraints[i];
                c.text = requirement::to_text(parts[i]);
                auto const alone = requirement::parse(c.text);
                auto const says = alone->of(what);
                if (says == truth::yes) continue;
                bad.push_back(i);
                ++c.failing;
                if (says == truth::unknown && parts[i].size() == 1) ++c.unknown;
            }
            if (bad.empty()) ++out.satisfying;
            if (bad.size() != 1) continue;
            auto& c = out.constraints[bad[0]];
            ++c.would_pass;
            if (!c.nearest)
                c.nearest = explanation::near_miss{
                    offer_id{id}, at,
                    parts[bad[0]].size() == 1 ? what.value_text(parts[bad[0]][0].of) : ""};
        }
        return out;
    }
};

struct random_market {
    rng any;

    std::string pick(std::vector<std::string> const& from) { return from[any.below(from.size())]; }
    capability offer()
    {
        capability c;
        auto const sometimes = [&] { return any.below(8) != 0; };
        if (sometimes()) REQUIRE(c.set(attribute::vendor, pick({"nvidia", "amd", "intel"})));
        if (sometimes()) REQUIRE(c.set(attribute::model, pick({"m1", "m2", "m3", "m4", "m5"})));
        if (sometimes()) REQUIRE(c.set(attribute::region, pick({"eu", "us", "asia"})));
        if (sometimes()) {
            std::vector<std::string> words;
            for (auto const* w : {"fp16", "int8", "coopmat"})
                if (any.chance(1, 2)) words.emplace_back(w);
            REQUIRE(c.set(attribute::features, words));
        }
        if (sometimes())
            REQUIRE(c.set(attribute::vram, (1 + any.below(48)) << (29 + any.below(2))));
        if (sometimes())
            REQUIRE(c.set(attribute::driver_api, *version(1, any.below(5), any.below(3))));
        if (sometimes()) REQUIRE(c.set(attribute::tier, any.below(5)));
        if (sometimes()) REQUIRE(c.set(attribute::fp32, any.below(300)));
        if (sometimes()) REQUIRE(c.set(attribute::reputation, any.below(1001)));
        return c;
    }
    std::string leaf()
    {
        static std::vector<std::string> const ops = {" < ", " <= ", " > ", " >= ", " == ", " != "};
        switch (any.below(9)) {
        case 0:
            return "vendor " + pick({"== ", "!= "}) + pick({"nvidia", "amd", "nobody"});
        case 1:
            return "region " + pick({"in", "not in"}) + " {eu, " + pick({"us", "mars"}) + "}";
        case 2:
            return pick({"", "!"}) + "(features has " + pick({"any", "all"}) + " {fp16, coopmat})";
        case 3:
            return "vram" + pick(ops) + std::to_string(1 + any.below(30)) +
                   pick({"_GiB", "_GiB", "000_MiB"});
        case 4:
            return "driver_api" + pick(ops) + "1." + std::to_string(any.below(5)) +
                   pick({"", ".1"});
        case 5:
            return "fp32" + pick(ops) + std::to_string(any.below(300));
        case 6:
            return "reputation" + pick(ops) + std::to_string(any.below(1001));
        case 7:
            return "price" + pick(ops) + std::to_string(any.below(120));
        default:
            return pick({"known ", "!known "}) + pick({"tier", "model", "price", "features"});
        }
    }
    std::string expression(unsigned depth)
    {
        if (depth == 0 || any.chance(1, 3)) return leaf();
        auto const inner =
            expression(depth - 1) + pick({" && ", " && ", " || "}) + expression(depth - 1);
        return pick({"", "", "!"}) + '(' + inner + ')';
    }
};

/// The index and the scan through the same changes; searched, counted and explained alike.
void compare_with_scan(std::uint64_t seed, std::uint32_t ids, int rounds, int changes)
{
    random_market make{rng{seed}};
    INFO("seed " << seed);
    offer_index index{{.offers_max = ids, .words_max = 100}};
    scan plain;
    std::vector<std::pair<standing_search, std::size_t>> waiting;
    for (int i = 0; i < 30; ++i) {
        auto const r = requirement::parse(i == 0 ? "" : make.expression(2));
        REQUIRE(r);
        auto const most = make.any.below(12);
        waiting.emplace_back(standing_search{index, *r, most}, most);
    }
    auto const ask_again = [&] {
        auto& asked = waiting[make.any.below(waiting.size())];
        auto& search = asked.first;
        auto const most = asked.second;
        INFO(search.what().to_text());
        auto const kept = search.find();
        std::vector<offer_id> found(most);
        found.resize(index.find(search.what(), found));
        REQUIRE(std::equal(kept.begin(), kept.end(), found.begin(), found.end()));
    };
    for (int round = 0; round < rounds; ++round) {
        for (int i = 0; i < changes; ++i) {
            auto const id = static_cast<std::uint32_t>(make.any.below(ids));
            if (make.any.chance(round % 5 == 4 ? 3 : 1, 5)) {
                REQUIRE(index.erase(offer_id{id}) == (plain.offers.erase(id) != 0));
                continue;
            }
            auto what = make.offer();
            auto at = price{make.any.below(100)};
            if (plain.offers.contains(id) && make.any.chance(1, 2)) at = plain.offers[id].at;
            REQUIRE(index.put(offer_id{id}, at, what));
            REQUIRE(what.set(attribute::price, at.get()));
            plain.offers[id] = {at, what};
            for (auto n = make.any.below(3); n > 0; --n) ask_again();
        }
        index.check();
        REQUIRE(index.size() == plain.offers.size());
        for (int i = 0; i < 12; ++i) {
            auto const r = requirement::parse(i == 0 ? "" : make.expression(3));
            REQUIRE(r);
            INFO(r->to_text());
            auto const all = plain.find(*r, ~std::size_t{0});
            REQUIRE(index.count(*r) == all.size());
            auto const most = make.any.below(20);
            std::vector<offer_id> out(most);
            out.resize(index.find(*r, out));
            REQUIRE(out.size() == std::min<std::size_t>(most, all.size()));
            for (std::size_t k = 0; k < out.size(); ++k) REQUIRE(out[k].get() == all[k]);
            REQUIRE(index.explain(*r) == plain.explain(*r));
        }
    }
}

}  // namespace

TEST_CASE("offer_index: finds the offers that satisfy, cheapest first, then lowest id")
{
    auto const index = four_cards();
    CHECK(find(index, "region == eu", 9) == std::vector<std::uint32_t>{1, 4, 2});
    CHECK(find(index, "region == eu && vram >= 16_GiB", 1) == std::vector<std::uint32_t>{4});
    CHECK(find(index, "vram > 16_GiB", 9) == std::vector<std::uint32_t>{3, 2});
    CHECK(find(index, "price < 80", 9) == std::vector<std::uint32_t>{1, 4});
    CHECK(find(index, "tier >= 1", 9) == std::vector<std::uint32_t>{1, 2});
    CHECK(find(index, "!(tier >= 1)", 9) == std::vector<std::uint32_t>{4});
    CHECK(find(index, "", 9).size() == 4);
    CHECK(find(index, "region == mars", 9).empty());
    CHECK(index.count(ask("model == rtx4090")) == 2);
}

TEST_CASE("offer_index: an offer that changes is found as what it is now")
{
    auto index = four_cards();
    REQUIRE(index.put(offer_id{3}, price{30}, card("model=rtx4090, region=eu, vram=24_GiB")));
    CHECK(find(index, "model == rtx4090", 9) == std::vector<std::uint32_t>{3, 2});
    CHECK(find(index, "region == us", 9).empty());
    CHECK(index.erase(offer_id{3}));
    CHECK_FALSE(index.erase(offer_id{3}));
    CHECK_FALSE(index.erase(offer_id{~std::uint32_t{0}}));
    CHECK(find(index, "model == rtx4090", 9) == std::vector<std::uint32_t>{2});
    index.check();
}

TEST_CASE("offer_index: explains for each constraint who fails, who is near and at what price")
{
    auto const e =
        four_cards().explain(ask("vram >= 16_GiB && region == us && price <= 60 && tier >= 0"));
    CHECK(e.offers == 4);
    CHECK(e.satisfying == 0);
    REQUIRE(e.constraints.size() == 4);
    CHECK(e.constraints[0].text == "region == us");
    CHECK(e.constraints[0].failing == 3);
    CHECK(e.constraints[0].would_pass == 1);
    CHECK(e.constraints[0].nearest == explanation::near_miss{offer_id{4}, price{40}, "eu"});
    CHECK(e.constraints[1].failing == 1);
    CHECK(e.constraints[1].would_pass == 0);
    CHECK(e.constraints[2].text == "tier >= 0");
    CHECK(e.constraints[2].unknown == 1);
    CHECK(to_text(e) == "None of 4 offers satisfies the request.\n"
                        "  region == us    3 offers fail; without it offer 4 would do, at 40 with "
                        "region eu\n"
                        "  vram >= 16_GiB  1 offer fails\n"
                        "  tier >= 0       1 offer fails, not stated\n"
                        "  price <= 60     2 offers fail\n");
}

TEST_CASE(
    "offer_index: the explanation says so when everything, nothing or no one constraint helps")
{
    auto const index = four_cards();
    CHECK(to_text(index.explain(ask("vram >= 1_GiB"))) ==
          "4 of 4 offers satisfy the request.\n  vram >= 1_GiB  every offer passes\n");
    CHECK(to_text(index.explain(ask("vram >= 48_GiB && price < 10"))) ==
          "None of 4 offers satisfies the request.\n"
          "  vram >= 48_GiB  no offer passes\n"
          "  price < 10      no offer passes\n"
          "Every offer fails at least two of these, so relaxing one alone does not help.\n");
    CHECK(to_text(offer_index{}.explain(ask("tier == 1"))) == "There are no offers.\n");
    CHECK(to_text(index.explain({})) == "Nothing was asked, so 4 offers do.\n");
}

TEST_CASE("offer_index: ids and words are bounded, and a refusal changes nothing")
{
    offer_index index{{.offers_max = 10, .words_max = 3}};
    CHECK(index.put(offer_id{10}, price{1}, {}).error() == reject::index_full);
    REQUIRE(index.put(offer_id{0}, price{1}, card("model=a, features={x,y}")));
    REQUIRE(index.put(offer_id{1}, price{1}, card("model=b")));
    REQUIRE(index.put(offer_id{2}, price{1}, card("model=c")));
    CHECK(index.put(offer_id{3}, price{1}, card("model=d")).error() == reject::index_full);
    CHECK(index.put(offer_id{1}, price{1}, card("model=b, features={x,z,w}")).error() ==
          reject::index_full);
    CHECK(find(index, "model == b", 9) == std::vector<std::uint32_t>{1});
    CHECK(index.size() == 3);
    REQUIRE(index.erase(offer_id{2}));  // its word is free again
    REQUIRE(index.put(offer_id{3}, price{1}, card("model=d, features={x,z}")));
    CHECK(find(index, "features has z", 9) == std::vector<std::uint32_t>{3});
    index.check();
}

TEST_CASE("offer_index: agrees with looking at every offer, while offers change" *
          doctest::test_suite("property"))
{
    compare_with_scan(test::seed(), 40, 60, 30);
    compare_with_scan(test::seed() + 1, 4000, 6, 3000);  // several blocks, split and merged
}
