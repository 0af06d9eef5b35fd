// SPDX-License-Identifier: Apache-2.0
// A person without a terminal rents GPUs: in a real browser, from a real node, of real providers.
#include "browser.hpp"

#include <array>

#include <blendr/core/random.hpp>
#include <blendr/crypto/seal.hpp>

#include "job_town.hpp"

using namespace blendr;
using namespace blendr::test;

namespace {

constexpr std::array<std::uint8_t, 3> sellers{10, 11, 12};

std::string seed_of(std::uint8_t who)
{
    std::array<std::byte, 32> seed{};
    seed[0] = std::byte{who};
    seed[1] = std::byte{0x6e};
    return to_hex(seed);
}

std::string text_at(boost::json::value const& of, char const* name)
{
    auto const& s = of.at(name).as_string();
    return {s.data(), s.size()};
}

/// The page's order as the renter in C++ would be asked for it.
node::job_request as_request(boost::json::value const& job)
{
    node::job_request out{};
    out.app = text_at(job, "app");
    out.what.options = to_text(job.at("options"));
    for (auto const& each : job.at("files").as_array()) {
        bool const text = each.as_object().contains("text");
        auto const said = text_at(each, text ? "text" : "hex");
        out.what.files.push_back({text_at(each, "name"), text ? to_bytes(std::string_view{said})
                                                              : from_hex(said).value()});
    }
    return out;
}

/// A town whose blobs lie at its node, three providers, and person 13's key in the browser.
struct shop {
    explicit shop(std::string const& name, bool cheat = false) : town{scratch("page") / name}
    {
        if (!town.good()) return;
        town.keep_blobs_at_node();
        for (auto const i : sellers) {
            auto with = town.settings(i);
            with.cheat = cheat && i == 10;
            town.let_in(i, with);
        }
        good = eventually([&] { return town.offers() == 3; });
    }
    std::string url(std::string const& page) const { return "http://" + town.rpc() + "/#/" + page; }
    void enter(browser& page, std::string const& where) const
    {
        page.open(url("wallet"));
        page.run("const { importSeed } = await import('/keys.js'); await importSeed(arguments[0]);",
                 {seed_of(13)});
        page.open("about:blank");
        page.open(url(where));
    }
    job_town town;
    bool good = false;
};

void fill(browser& page, std::string const& id, std::string const& value)
{
    page.run("document.getElementById(arguments[0]).value = arguments[1];", {id, value});
}

/// Nothing reaches beyond the window, but what scrolls by itself.
void fits(browser& page, int width)
{
    auto const out = page.run(
        "const wide = document.documentElement.clientWidth;"
        "if (document.documentElement.scrollWidth <= wide) return '';"
        "const out = [...document.querySelectorAll('main *')].filter((e) => "
        "e.getBoundingClientRect().right > wide + 1 && !e.closest('.scroll, .nav, pre'));"
        "return document.documentElement.scrollWidth + ': ' + out.map((e) => e.tagName + '.' + "
        "e.className + ' ' + Math.round(e.getBoundingClientRect().right)).join(', ') + '.';");
    INFO(width);
    CHECK(std::string{out.as_string()} == "");
}

/// From the filled form to the result: true once it is done.
bool order(browser& page, std::string const& shot)
{
    page.click("#order button[type=submit]");
    if (!page.eventually("document.querySelector('#quote') && "
                         "!document.querySelector('#order-sign').disabled"))
        return false;
    page.run("document.querySelector('#order-sign').scrollIntoView({ block: 'center' });");
    page.shot(shot + "-quote");
    page.click("#order-sign");
    return page.eventually("location.hash.startsWith('#/job/')", 20'000) &&
           page.eventually("document.querySelector('#order-phase')?.dataset.phase === 'done'",
                           120'000) &&
           page.eventually("document.querySelector('[data-file]')");
}

/// What the browser made of its last order is what one machine makes of it.
void same_files(browser& page)
{
    auto const made = page.run("const { orders, filesOf } = await import('/orders.js');"
                               "const { toHex } = await import('/codec.js');"
                               "const record = orders()[0];"
                               "return [record.job, filesOf(record).map((f) => ({ name: f.name, "
                               "hex: toHex(f.bytes) }))];");
    auto const right = done_here(as_request(made.at(0)));
    auto const& files = made.at(1).as_array();
    REQUIRE(files.size() == right.size());
    for (std::size_t i = 0; i < right.size(); ++i) {
        INFO(right[i].name);
        CHECK(text_at(files[i], "name") == right[i].name);
        CHECK(text_at(files[i], "hex") == to_hex(right[i].content));
    }
}

}  // namespace

TEST_CASE("explorer: a device that is rented is seen to share, and to be idle again" *
          doctest::test_suite("browser"))
{
    auto page = browser::start();
    if (!page) return;
    job_town town{scratch("page") / "shares"};
    REQUIRE(town.good());
    town.let_in(10, town.settings(10), 1, endless_units());
    REQUIRE(eventually([&] { return town.offers() == 1; }));
    page->open("http://" + town.rpc() + "/#/providers");
    auto const says = [&](std::string const& state) {
        return page->eventually("document.querySelector('#view td .tag')?.textContent === '" +
                                state + "'");
    };
    CHECK(says("idle"));
    auto const by = town.renter(13);
    auto what = small_picture(2, 1);
    what.run_s = 3'600;
    auto const number = by->submit(what);
    REQUIRE_MESSAGE(number, (number ? std::string{} : number.error()));
    CHECK(says("sharing"));
    page->shot("providers-sharing");
    REQUIRE(by->cancel(*number));
    CHECK(says("idle"));
    page->run("document.querySelector('#view td a').click();");
    CHECK(page->eventually("document.querySelector('#view').textContent.includes('nobody now')"));
    CHECK(page->complaints() == "");
}

TEST_CASE("explorer: a browser opens what is sealed for it, and nothing that was changed" *
          doctest::test_suite("browser"))
{
    auto page = browser::start();
    if (!page) return;
    shop const s{"seal"};
    s.enter(*page, "wallet");
    auto const mine = crypto::sealing_key::of(person(13).key());
    auto const other = crypto::sealing_key::of(person(14).key());
    page->run("const { sealingKey } = await import('/seal.js');"
              "const { fromHex } = await import('/codec.js');"
              "globalThis.mine = await sealingKey(fromHex(arguments[0]));",
              {seed_of(13)});
    CHECK(page->run("return mine.publicKey;").as_string() == to_hex(mine.self().raw));
    auto const opened = [&](bytes const& sealed) {
        auto const out = page->run("const { fromHex, toHex } = await import('/codec.js');"
                                   "try { return toHex(await mine.open(fromHex(arguments[0]))); }"
                                   "catch (error) { return error.message; }",
                                   {to_hex(sealed)});
        return std::string{out.as_string()};
    };
    INFO("seed " << seed());
    rng random{seed()};
    for (std::size_t const size :
         {0u, 1u, 15u, 16u, 17u, 63u, 64u, 65u, 1000u, 65'535u, 65'536u, 65'537u, 150'000u}) {
        INFO(size);
        bytes plain(size);
        for (auto& each : plain) each = static_cast<std::byte>(random.below(256));
        auto const sealed = crypto::seal(plain, std::array{other.self(), mine.self()}).value();
        CHECK(opened(sealed) == to_hex(plain));
        for (int round = 0; round < 3; ++round) {
            auto bent = sealed;
            // the other's wrap is not ours to check
            auto const at = 1 + 112 + random.below(bent.size() - 1 - 112);
            bent[at] ^= static_cast<std::byte>(1u << random.below(8));
            INFO(at);
            auto const said = opened(bent);
            CHECK(said != to_hex(plain));
            CHECK(said.find(' ') != said.npos);  // a sentence, no bytes
        }
        auto cut = sealed;
        cut.resize(cut.size() - 1 - random.below(20));
        CHECK(opened(cut).find(' ') != std::string::npos);
    }
    CHECK(opened(crypto::seal(bytes(3), other.self()).value()) == "It was sealed for others.");
}

TEST_CASE("explorer: a picture is ordered without a terminal, watched, opened and downloaded" *
          doctest::test_suite("browser"))
{
    auto page = browser::start();
    if (!page) return;
    shop s{"picture"};
    REQUIRE(s.good);
    auto const before = s.town.balance(13);
    s.enter(*page, "rent");
    REQUIRE(page->eventually("document.querySelector('#balance')"));
    CHECK(page->eventually("document.querySelector('#width')"));
    page->shot("rent");
    fill(*page, "width", "9");
    page->click("#order button[type=submit]");
    CHECK(page->eventually("!document.querySelector('#width-wrong').hidden"));
    fill(*page, "width", "64");
    fill(*page, "height", "48");
    fill(*page, "samples", "4");
    fill(*page, "units", "6");
    REQUIRE(order(*page, "rent"));
    CHECK(page->eventually("document.querySelector('img.picture')?.naturalWidth === 64"));
    page->shot("job-picture");
    same_files(*page);
    // the chain holds a rating of each side, and the money that left is the money that came
    auto const deals = page->run("const { orders } = await import('/orders.js');"
                                 "return orders()[0].stages[0].deals;");
    amount cost{};
    for (auto const& each : deals.as_array())
        if (each.at("at").as_string() == "settled")
            cost += from_json<amount>(each.at("paid")).value() +
                    from_json<amount>(each.at("fees")).value();
    CHECK(cost != amount{});
    CHECK(s.town.balance(13) + cost < before);  // beside it there are checks and fees
    for (auto const i : sellers)
        CHECK(eventually([&] {
            auto const found = s.town.ask().ask<reputation::contract::ratings>(
                "reputation/feedback_of",
                reputation::contract::feedback_of{person(i).account(), {}, 10});
            return found && !found->list.empty();
        }));
    CHECK(eventually([&] {
        auto const found = s.town.ask().ask<reputation::contract::ratings>(
            "reputation/feedback_of",
            reputation::contract::feedback_of{person(13).account(), {}, 10});
        return found && !found->list.empty();
    }));
    // the page was left and forgotten: the result is opened again
    page->run("globalThis.at = location.hash;");
    auto const there = page->run("return location.hash.slice(2);");
    page->open("about:blank");
    page->open(s.url(std::string{there.as_string()}));
    CHECK(page->eventually("document.querySelector('img.picture')?.naturalWidth === 64"));
    page->size(390, 844, 1);
    fits(*page, 390);
    page->shot("job-picture-phone");
    page->open(s.url("rent"));
    CHECK(page->eventually("document.querySelector('#width')"));
    fits(*page, 390);
    page->shot("rent-phone");
    page->prefers("dark");
    page->shot("rent-phone-dark");
    CHECK(page->complaints() == "");
}

TEST_CASE("explorer: every app is ordered without a terminal, stage by stage" *
          doctest::test_suite("browser"))
{
    auto page = browser::start();
    if (!page) return;
    shop s{"apps", true};  // and one of the providers cheats
    REQUIRE(s.good);
    s.enter(*page, "rent");
    for (auto const* const app : {"analyse", "matmul", "train"}) {
        INFO(app);
        page->open("about:blank");
        page->open(s.url(std::string{"rent/"} + app));
        REQUIRE(page->eventually("document.querySelector('#balance') && "
                                 "document.querySelector('[data-app=" +
                                 std::string{app} + "][aria-pressed=true]')"));
        fill(*page, "units", "4");
        if (std::string_view{app} == "matmul") fill(*page, "side", "48");
        if (std::string_view{app} == "train") fill(*page, "rounds", "2");
        REQUIRE(order(*page, std::string{"rent-"} + app));
        same_files(*page);
        page->shot(std::string{"job-"} + app);
    }
    CHECK(page->complaints() == "");
}
