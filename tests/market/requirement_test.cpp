// SPDX-License-Identifier: Apache-2.0
#include <blendr/market/requirement.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/support.hpp>

#include <string>
#include <utility>
#include <vector>

#include <blendr/core/codec.hpp>
#include <blendr/core/random.hpp>

using namespace blendr;
using namespace blendr::market;

namespace {

capability offer(std::string const& text)
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
truth says(std::string const& text, std::string const& of) { return ask(text).of(offer(of)); }
std::string canonical(std::string const& text) { return ask(text).to_text(); }
std::string why(std::string const& text)
{
    auto const r = requirement::parse(text);
    return r ? "no error" : message(r.error());
}

/// A random expression over a few attributes, and what it says by direct evaluation of its text.
struct random_expression {
    rng any;
    struct made {
        std::string text;
        std::vector<truth> says;
    };
    std::vector<std::string> offers;

    made leaf()
    {
        static std::vector<std::pair<std::string, std::vector<std::string>>> const shapes = {
            {"tier", {"tier"}}, {"price", {"price"}}};
        auto const& name = shapes[any.below(2)].first;
        static std::vector<std::string> const ops = {"<", "<=", ">", ">=", "==", "!="};
        auto const how = any.below(6);
        auto const value = any.below(4);
        made out{name + ' ' + ops[how] + ' ' + std::to_string(value), {}};
        for (auto const& o : offers) {
            auto const c = *capability::parse(o);
            auto const a = *attribute_named(name);
            auto const x = c.number(a);
            bool const yes[] = {x<value, x <= value, x> value, x >= value, x == value, x != value};
            out.says.push_back(!c.knows(a) ? truth::unknown : yes[how] ? truth::yes : truth::no);
        }
        return out;
    }
    made expression(unsigned depth)
    {
        if (depth == 0 || any.chance(1, 4)) return leaf();
        if (any.chance(1, 4)) {
            auto inner = expression(depth - 1);
            for (auto& t : inner.says)
                t = t == truth::yes ? truth::no : t == truth::no ? truth::yes : t;
            return {"!(" + inner.text + ')', inner.says};
        }
        bool const all = any.chance(1, 2);
        auto a = expression(depth - 1), b = expression(depth - 1);
        for (std::size_t i = 0; i < a.says.size(); ++i) {
            auto const stop = all ? truth::no : truth::yes;
            if (a.says[i] == stop || b.says[i] == stop)
                a.says[i] = stop;
            else if (b.says[i] == truth::unknown)
                a.says[i] = truth::unknown;
        }
        return {'(' + a.text + (all ? " && " : " || ") + b.text + ')', a.says};
    }
};

}  // namespace

TEST_CASE("requirement: comparisons of every type say yes and no")
{
    std::string const card = "vendor=nvidia, model=rtx4090, region=eu, features={fp16,int8}, "
                             "vram=24_GiB, driver_api=1.3.275, tier=2, price=900";
    for (std::string const yes : {"",
                                  "vram >= 16_GiB",
                                  "vram == 24_GiB",
                                  "vram in 16_GiB..24_GiB",
                                  "vram > 24575_MiB",
                                  "vendor == NVIDIA",
                                  "region in {eu, us}",
                                  "region not in {us}",
                                  "vendor != amd",
                                  "features has fp16",
                                  "features has all {fp16, int8}",
                                  "features has any {bf16, int8}",
                                  "driver_api >= 1.3",
                                  "driver_api < 1.4",
                                  "tier in {1, 2}",
                                  "known tier",
                                  "!known fp32",
                                  "!(price > 900)",
                                  "price <= 1_k && tier >= 2",
                                  "tier == 9 || price == 900",
                                  "!(tier == 9 || features has coopmat)"})
        CHECK_MESSAGE(says(yes, card) == truth::yes, yes);
    for (std::string const no :
         {"vram > 24_GiB", "vram in 25_GiB..48_GiB", "vendor in {amd, intel}", "features has bf16",
          "features has all {fp16, bf16}", "driver_api >= 1.3.276", "!(features has fp16)",
          "known fp32", "price < 900", "tier == 2 && price == 1"})
        CHECK_MESSAGE(says(no, card) == truth::no, no);
}

TEST_CASE("requirement: what is not known decides nothing, and nothing hides behind a negation")
{
    CHECK(says("tier >= 2", "price=1") == truth::unknown);
    CHECK(says("!(tier >= 2)", "price=1") == truth::unknown);
    CHECK(says("tier >= 2 && price == 1", "price=1") == truth::unknown);
    CHECK(says("tier >= 2 && price == 2", "price=1") == truth::no);
    CHECK(says("tier >= 2 || price == 1", "price=1") == truth::yes);
    CHECK(says("tier >= 2 || !known tier", "price=1") == truth::yes);
    CHECK(says("features has fp16", "price=1") == truth::unknown);
    CHECK(says("features has fp16", "features={}") == truth::no);
    CHECK(says("region not in {eu}", "price=1") == truth::unknown);
}

TEST_CASE("requirement: texts that ask for the same have one form")
{
    CHECK(canonical("vram>=16_GiB&&region in{us,eu,us}") == "region in {eu, us} && vram >= 16_GiB");
    CHECK(canonical("vram >= 16384_MiB && (region in {eu, us} && vram >= 16_GiB)") ==
          canonical("region in {us, eu} && vram >= 16_GiB"));
    CHECK(canonical("!(tier < 2 || vendor == intel)") == "vendor != intel && tier >= 2");
    CHECK(canonical("!!(tier < 2)") == "tier < 2");
    CHECK(canonical("region in {eu}") == "region == eu");
    CHECK(canonical("features has all {int8, fp16}") == "features has fp16 && features has int8");
    CHECK(canonical("!(features has any {int8, fp16})") ==
          "!(features has fp16) && !(features has int8)");
    CHECK(canonical("(tier == 1 || tier == 2) && price < 5") ==
          "price < 5 && (tier == 1 || tier == 2)");
    CHECK(canonical("((tier == 1))") == "tier == 1");
    CHECK(canonical("fp32 >= 2_k") == "fp32 >= 2000");
    CHECK(canonical("tier in {2, 1}") == "tier == 1 || tier == 2");
    CHECK(canonical("  ") == "");
}

TEST_CASE("requirement: an error points at its column and says what was expected")
{
    CHECK(why("vrm >= 16_GiB") == "column 1: there is no attribute `vrm`; did you mean `vram`?");
    CHECK(why("vram >= 16_GB") ==
          "column 9: `16_GB` has an unknown unit; units are KiB, MiB, GiB, TiB, k, M, G");
    CHECK(why("vram >= ") == "column 9: expected a value for `vram`, found the end");
    CHECK(why("vram 16_GiB") ==
          "column 6: expected ==, !=, <, <=, >, >= or in after `vram`, found `16_GiB`");
    CHECK(why("region >= eu") ==
          "column 8: `region` is a word: compare it with ==, !=, in or not in");
    CHECK(why("features == fp16") == "column 10: `features` is a set of words: write `has`, `has "
                                     "all {...}` or `has any {...}`, not `==`");
    CHECK(why("tier == 1 & price == 1") == "column 11: expected `&&`, `||` or the end, found `&`");
    CHECK(why("(tier == 1") ==
          "column 11: expected `)` to close the one before column 2, found the end");
    CHECK(why("tier in 3..1") == "column 9: the range begins above its end");
    CHECK(why("region in {}") == "column 12: expected a word for `region`, found `}`");
    CHECK(why("region in {eu us}") == "column 15: expected `,` or `}`, found `us`");
    CHECK(why("price < 99999999999999999999") ==
          "column 9: `99999999999999999999` is larger than 2^64 - 1");
    CHECK(why("tier == two") == "column 9: `two` is no whole number");
    CHECK(why("driver_api >= 1.x") ==
          "column 15: `1.x` is no version; write 1.3 or 1.3.275, each part below 2097152");
    CHECK(
        why("speed > 3")
            .starts_with("column 1: there is no attribute `speed`; attributes are vendor, model"));
    CHECK(why("tier == 1 &&") == "column 13: expected an attribute, found the end");
    CHECK(why("\x01") == "column 1: expected an attribute, found `\x01`");
}

TEST_CASE("requirement: length, depth and number of parts are bounded")
{
    CHECK(why(std::string(1025, ' ')) == "column 1025: a requirement has at most 1024 characters");
    std::string const deep(15, '(');
    CHECK(requirement::parse(deep + "tier == 1" + std::string(15, ')')));
    CHECK(why('(' + deep + "tier == 1").find("nested deeper than 16 levels") != std::string::npos);
    CHECK(why(std::string(500, '!') + "tier == 1").find("nested deeper") != std::string::npos);
    std::string many = "tier == 0";
    for (int i = 1; i < 64; ++i) many += "||tier==" + std::to_string(i);
    CHECK(ask(many).parts().size() == 65);
    CHECK(why(many + "||tier==99").find("more than 64 comparisons") != std::string::npos);
    std::string words = "region in {a0";
    for (int i = 1; i < 33; ++i) words += ",a" + std::to_string(i);
    CHECK(why(words + '}').find("more than 32 words") != std::string::npos);
}

TEST_CASE("requirement: only the canonical text is a wire value")
{
    auto const r = ask("vram >= 16_GiB && region in {eu, us}");
    CHECK(decode<requirement>(encode(r)) == r);
    CHECK(decode<requirement>(encode(requirement{})) == requirement{});
    CHECK_FALSE(decode<requirement>(encode(std::string{"vram>=16_GiB"})));
    CHECK_FALSE(decode<requirement>(encode(std::string{"tier == 1 && region == eu"})));
    CHECK_FALSE(decode<requirement>(encode(std::string{"nonsense"})));
}

TEST_CASE("requirement: the canonical form says what the text says, and is its own form" *
          doctest::test_suite("property"))
{
    random_expression make{
        rng{test::seed()},
        {"tier=0", "tier=1, price=2", "price=3", "", "tier=3, price=0", "tier=2, price=1"}};
    INFO("seed " << test::seed());
    for (int i = 0; i < 3000; ++i) {
        auto const e = make.expression(4);
        auto const r = requirement::parse(e.text);
        if (!r) {
            CHECK(r.error().what.find("more than 64") != std::string::npos);
            continue;
        }
        for (std::size_t o = 0; o < make.offers.size(); ++o)
            REQUIRE(r->of(offer(make.offers[o])) == e.says[o]);
        auto const form = r->to_text();
        auto const again = requirement::parse(form);
        REQUIRE(again);
        REQUIRE(*again == *r);
        REQUIRE(again->to_text() == form);
    }
}
