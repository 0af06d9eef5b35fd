// SPDX-License-Identifier: Apache-2.0
#include "browser.hpp"

#include <support/vectors.hpp>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include <blendr/core/random.hpp>
#include <blendr/crypto/bech32.hpp>
#include <blendr/crypto/json.hpp>
#include <blendr/escrow/contract.hpp>
#include <blendr/ledger/base.hpp>
#include <blendr/node/rpc.hpp>
#include <blendr/node/standard_chain.hpp>

#include "common.hpp"

using namespace blendr;
using namespace blendr::test;

namespace {

/// A node of one validator, in this process, with its RPC on a port.
struct shown {
    explicit shown(std::string listen = "127.0.0.1:0")
    {
        node::node_parts parts{{},
                               person(1),
                               small_genesis(1),
                               node::standard_chain(),
                               node::engine_registry::standard(),
                               {},
                               quiet()};
        parts.with.home.clear();
        parts.with.consensus = "solo";
        parts.with.engine.interval_ms = 100;
        parts.with.threads = 1;
        parts.with.rpc.listen = std::move(listen);
        auto made = node::node::start(std::move(parts));
        REQUIRE(made);
        it = *std::move(made);
        serve();
    }
    void serve()
    {
        rpc = std::make_unique<node::rpc_server>(*it);
        auto const at = rpc->start();
        REQUIRE(at);
        where = *at;
    }
    std::string url(std::string const& page = "") const { return "http://" + where + "/#/" + page; }
    std::string pay(crypto::address const& to, amount value)
    {
        auto const raw = transfer(person(100), to, sent++, value);
        auto const done = it->submit(raw);
        REQUIRE(done);
        return to_hex(*done);
    }
    std::string tell(std::vector<ledger::wire_message> messages)
    {
        ledger::transaction tx{};
        tx.chain = ledger::chain_id{7};
        tx.sequence = ledger::nonce{sent++};
        tx.fee_max = 1_blnd;
        tx.expires = height{10'000};
        for (auto& each : messages) tx.messages.push_back(std::move(each));
        ledger::sign(tx, person(100));
        auto const done = it->submit(encode(tx));
        INFO((done ? std::string{} : done.error().reason));
        REQUIRE(done);
        return to_hex(*done);
    }

    std::unique_ptr<node::node> it{};
    std::unique_ptr<node::rpc_server> rpc{};
    std::string where{};
    std::uint64_t sent = 0;
};

std::string const loaded =
    "document.querySelector('#view h1') && !document.querySelector('#view .skeleton')";

/// What a browser must write as the library does: name, members in JSON, and the message.
struct sample {
    std::string name;
    boost::json::value members;
    ledger::wire_message message;
};

template <class C, class Message>
sample sample_of(std::string name, Message const& m)
{
    return {std::move(name), to_json(m), ledger::wrap<C>(m)};
}

hash256 some_hash(std::uint8_t n)
{
    hash256 out{};
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(n + 7 * i);
    return out;
}

std::vector<sample> samples()
{
    std::vector<sample> out{};
    out.push_back(sample_of<ledger::bank>(
        "bank.transfer",
        ledger::bank::transfer{person(7).account(), amount{(u128{1} << 90) + 12'345}}));
    market::contract::place bid{};
    bid.of = {market::device_class{3}, market::hour{0}};
    bid.client_id = (std::uint64_t{1} << 60) + 1;
    bid.size = quantity{17};
    bid.limit = price{70'000'001};
    bid.expires = height{99'999};
    bid.rounds = 40;
    bid.gang = true;
    bid.per_provider_max = quantity{9};
    static_cast<std::string&>(bid.wanted) = "vram >= 16_GiB && region in {eu, \u00fc}";
    out.push_back(sample_of<market::contract>("market.place", bid));
    market::contract::cancel const take_back{{{market::device_class{3}, market::hour{491'000}},
                                              market::side::sell,
                                              person(9).account(),
                                              5}};
    out.push_back(sample_of<market::contract>("market.cancel", take_back));
    out.push_back(sample_of<reputation::contract>(
        "reputation.rate",
        reputation::contract::rate{
            some_hash(3),
            {person(8).account(), reputation::role::renter, reputation::family::integer},
            93}));
    escrow::contract::submit job{};
    job.number = 12;
    auto& o = job.what;
    o.program = some_hash(1);
    o.inputs.assign({some_hash(2), some_hash(9)});
    o.data = some_hash(4);
    o.items = 640 * 480;
    o.units = 130;
    o.size = 4096;
    o.demand = 3;
    o.work = reputation::family::memory;
    static_cast<std::string&>(o.wanted) = "reputation >= 600";
    o.cap = price{70'000'000};
    o.bond = 2_blnd;
    o.search_within = 100;
    o.start_within = 20;
    o.run_within = 500;
    o.window = 30;
    o.grace = 10;
    o.notice = 2;
    o.warn_before = 5;
    o.checks.by = escrow::checker::replicas;
    o.checks.quorum = 2;
    o.checks.most = 4;
    o.checks.trust = 1'000;
    o.checks.within = {3, 12};
    o.checks.commit_within = 11;
    o.checks.reveal_within = 12;
    o.checks.fee = 10'000'000_grains;
    o.checks.cost = 77_grains;
    o.checks.steps = 4'096;
    o.checks.move_within = 6;
    job.deposit = 14_blnd;
    job.posted = price{65'000'000};
    out.push_back(sample_of<escrow::contract>("escrow.submit", job));
    escrow::job_key const mine{person(7).account(), 12};
    out.push_back(
        sample_of<escrow::contract>("escrow.top_up", escrow::contract::top_up{mine, 3_blnd}));
    out.push_back(sample_of<escrow::contract>(
        "escrow.accept", escrow::contract::accept{mine, escrow::unit_id{129}}));
    out.push_back(sample_of<escrow::contract>("escrow.object",
                                              escrow::contract::object{mine, escrow::unit_id{7}}));
    out.push_back(
        sample_of<escrow::contract>("escrow.cancel_all", escrow::contract::cancel_all{mine}));
    return out;
}

/// Person 5's transactions of each sample, and one of all of them.
vector_list signed_samples()
{
    vector_list out{};
    auto const made = [&](std::string name, std::vector<ledger::wire_message> messages) {
        ledger::transaction tx{};
        tx.chain = ledger::chain_id{728'902'019};
        tx.sequence = ledger::nonce{41};
        tx.fee_max = 10'000'000_grains;
        tx.expires = height{5'000};
        for (auto& each : messages) tx.messages.push_back(std::move(each));
        ledger::sign(tx, person(5));
        out.emplace_back(std::move(name), encode(tx));
    };
    std::vector<ledger::wire_message> all{};
    for (auto const& each : samples()) {
        made(each.name, {each.message});
        all.push_back(each.message);
    }
    made("all", all);
    return out;
}

}  // namespace

TEST_CASE("explorer: the transactions that a browser has to write are frozen")
{
    CHECK(differs_from_frozen("node/explorer", signed_samples()) == "");
}

TEST_CASE("explorer: a browser encodes, names and signs transactions as the library does" *
          doctest::test_suite("browser"))
{
    auto page = browser::start();
    if (!page) return;
    shown s{};
    page->open(s.url("wallet"));
    auto const expected = signed_samples();
    boost::json::array all{};
    for (auto const& each : samples())
        all.push_back(boost::json::object{{each.name, each.members}});
    std::array<std::byte, 32> seed{};
    seed[0] = std::byte{5};
    seed[1] = std::byte{0x6e};
    auto const got = page->run(
        "const { importSeed, sign } = await import('/keys.js');"
        "const key = await importSeed(arguments[0]);"
        "const of = { chain: 728902019, nonce: 41, expires: 5000 };"
        "const out = [key.address];"
        "for (const each of arguments[1]) out.push((await sign(key, [each], 10000000n, of)).raw);"
        "out.push((await sign(key, arguments[1], 10000000n, of)).raw);"
        "const { hashIn, toHex, parseAddress } = await import('/codec.js');"
        "for (const size of [0, 1, 127, 128, 129, 256, 1000])"
        "  out.push(toHex(hashIn('transaction/1', new Uint8Array(size).fill(size & 255))));"
        "return out;",
        {to_hex(seed), all});
    auto const& list = got.as_array();
    CHECK(list.at(0).as_string() == to_text(person(5).account()));
    for (std::size_t i = 0; i < expected.size(); ++i) {
        INFO(expected[i].first);
        CHECK(std::string{list.at(i + 1).as_string()} == to_hex(expected[i].second));
    }
    std::size_t at = expected.size() + 1;
    for (std::size_t const size : {0u, 1u, 127u, 128u, 129u, 256u, 1000u}) {
        bytes const raw(size, static_cast<std::byte>(size & 255));
        CHECK(list.at(at++).as_string() == to_hex(crypto::hash(ledger::transaction_domain, raw)));
    }
    // A mistyped account is refused, each of its characters.
    CHECK(page->is(
        "(await (async () => {"
        "const { parseAddress } = await import('/codec.js');"
        "const good = '" +
        to_text(person(5).account()) +
        "';"
        "parseAddress(good);"
        "let refused = 0;"
        "for (let i = 0; i < good.length; ++i) {"
        "  const bent = good.slice(0, i) + (good[i] === 'q' ? 'p' : 'q') + good.slice(i + 1);"
        "  try { parseAddress(bent); } catch { ++refused; }"
        "}"
        "return refused === good.length;})())"));
    CHECK(page->complaints() == "");
}

TEST_CASE("explorer: blocks and payments appear in a browser by themselves, and search finds them" *
          doctest::test_suite("browser"))
{
    auto page = browser::start();
    if (!page) return;
    shown s{};
    page->open(s.url());
    REQUIRE(page->eventually("document.querySelector('#live').dataset.state === 'live'"));
    REQUIRE(page->eventually("document.querySelector('#height')"));
    page->run("globalThis.first = document.querySelector('#height').textContent;");
    CHECK(page->eventually("document.querySelector('#height').textContent !== globalThis.first"));
    // One grain more than a float could hold apart.
    auto const bob = person(101).account();
    amount const odd{u128{40'000'000'000'000'001}};
    auto const id = s.pay(bob, odd);
    CHECK(page->eventually("document.querySelector('#view a[href=\"#/tx/" + id + "\"]')"));
    CHECK(page->is("document.querySelector('#view svg.chart')"));
    page->shot("overview-light");

    auto const look_for = [&](std::string const& words) {
        page->run("document.activeElement?.blur();");
        page->key("/");
        CHECK(page->is("document.activeElement.id === 'q'"));
        page->type("#q", words);
        page->key("\ue007");
    };
    look_for("3");
    CHECK(page->eventually("location.hash === '#/block/3' && " + loaded));
    look_for(id);
    CHECK(page->eventually("location.hash === '#/tx/" + id + "' && " + loaded));
    CHECK(page->eventually("document.querySelector('#view').textContent.includes('Payment')"));
    look_for(to_text(bob));
    CHECK(page->eventually("location.hash === '#/account/" + to_text(bob) + "' && " + loaded));
    CHECK(page->eventually(
        "document.querySelector('#view .figure .value').textContent.replace(/\\s/g, '') === "
        "'40000000.000000001BLND'"));
    look_for("no such thing");
    CHECK(page->eventually(
        "document.querySelector('#view').textContent.includes('Nothing is found')"));
    page->shot("search-nothing");
    CHECK(page->complaints() == "");
    page->open(s.url("block/999999"));
    CHECK(page->eventually("document.querySelector('#view [role=alert]')"));
    page->shot("error");
}

TEST_CASE("explorer: every page fits a phone, has its own dark, and complains of nothing" *
          doctest::test_suite("browser"))
{
    auto page = browser::start();
    if (!page) return;
    shown s{};
    auto const id = s.pay(person(101).account(), 1_blnd);
    auto const owner = to_text(person(100).account());
    std::vector<std::string> const all{"",
                                       "blocks",
                                       "block/1",
                                       "tx/" + id,
                                       "account/" + owner,
                                       "market",
                                       "providers",
                                       "jobs",
                                       "job/" + owner + "/1",
                                       "rent",
                                       "rent/analyse",
                                       "wallet"};
    for (auto const& each : all) {
        INFO(each);
        for (int const width : {1280, 390}) {
            page->size(width, 844, 1);
            page->open("about:blank");
            page->open(s.url(each));
            CHECK(page->eventually("document.querySelector('#view h1')"));
            CHECK(page->eventually("!document.querySelector('#view .skeleton')"));
            CHECK(page->is("document.documentElement.scrollWidth <= " + std::to_string(width)));
            auto name = each.substr(0, each.find('/'));
            page->shot((name.empty() ? "overview" : name) + (width == 390 ? "-phone" : "-wide"));
        }
        CHECK(page->complaints() == "");
    }
    page->size(1280, 900, 1);
    auto const paper = "getComputedStyle(document.documentElement).backgroundColor";
    page->open(s.url());
    page->prefers("dark");
    CHECK(page->eventually(std::string{paper} + " === 'rgb(19, 20, 18)'"));
    CHECK(page->eventually(loaded));
    page->shot("overview-dark");
    page->click("#theme");  // light, whatever the system says
    CHECK(page->eventually(std::string{paper} + " === 'rgb(250, 249, 246)'"));
    page->click("#theme");  // dark
    page->prefers("light");
    CHECK(page->eventually(std::string{paper} + " === 'rgb(19, 20, 18)'"));
    page->open("about:blank");
    page->open(s.url());
    CHECK(page->eventually(std::string{paper} + " === 'rgb(19, 20, 18)'"));
}

TEST_CASE("explorer: what the chain says is text, however hostile" * doctest::test_suite("browser"))
{
    auto page = browser::start();
    if (!page) return;
    shown s{};
    market::contract::enrol device{};
    std::string const evil =
        "<img src=x onerror=\"document.title='gone'\"><script>1</script>\u202e";
    static_cast<std::string&>(device.capability) = evil;
    auto const id = s.tell({ledger::wrap<market::contract>(device)});
    page->open(s.url("tx/" + id));
    REQUIRE(page->eventually("document.querySelector('#view').textContent.includes('onerror')"));
    CHECK(page->is("document.querySelectorAll('#view img, #view script').length === 0"));
    CHECK(page->is("document.title !== 'gone'"));
    page->open(s.url("search/" + std::string{"%3Cimg%20src%3Dx%3E"}));
    CHECK(page->eventually("document.querySelector('#view').textContent.includes('<img src=x>')"));
    CHECK(page->is("document.querySelectorAll('#view img').length === 0"));
    // Were there markup after all, the policy would stop what it does.
    CHECK(page->is(
        "(await new Promise((done) => {"
        "document.addEventListener('securitypolicyviolation', () => done(true));"
        "const it = document.createElement('script'); it.textContent = 'globalThis.ran = 1';"
        "document.body.append(it); setTimeout(() => done(false), 3000);})) && !globalThis.ran"));
}

TEST_CASE("explorer: when the node goes away the page says so, and goes on when it is back" *
          doctest::test_suite("browser"))
{
    auto page = browser::start();
    if (!page) return;
    auto const port = free_ports(1);
    shown s{"127.0.0.1:" + std::to_string(port)};
    page->open(s.url());
    REQUIRE(page->eventually("document.querySelector('#live').dataset.state === 'live'"));
    s.rpc.reset();
    CHECK(page->eventually("document.querySelector('#live').dataset.state === 'waiting'"));
    CHECK(page->eventually("!document.querySelector('#banner').hidden"));
    page->shot("away");
    std::this_thread::sleep_for(std::chrono::milliseconds{1500});
    s.serve();
    CHECK(page->eventually("document.querySelector('#live').dataset.state === 'live'", 20'000));
    CHECK(page->is("document.querySelector('#banner').hidden"));
    auto const id = s.pay(person(101).account(), 1_blnd);
    CHECK(page->eventually("document.querySelector('#view a[href=\"#/tx/" + id + "\"]')"));
}

TEST_CASE("explorer: a key is made in the browser, kept, paid to and paid from" *
          doctest::test_suite("browser"))
{
    auto page = browser::start();
    if (!page) return;
    shown s{};
    page->open(s.url("wallet"));
    REQUIRE(page->eventually("document.querySelector('#key-new')"));
    page->shot("wallet-empty");
    page->click("#key-new");
    REQUIRE(page->eventually("document.querySelector('#balance')"));
    std::string const mine{
        page->run("return document.querySelector('#view .long .mono').textContent;").as_string()};
    auto const who = crypto::parse_address(mine);
    REQUIRE(who);
    s.pay(*who, 5_blnd);
    CHECK(page->eventually("document.querySelector('#balance').textContent.startsWith('5 ')"));
    auto const bob = person(102).account();
    page->type("#pay-to", to_text(bob).substr(0, 40));
    page->type("#pay-value", "2.000000001");
    page->click("#pay button");
    CHECK(page->eventually("!document.querySelector('#pay-to-wrong').hidden"));  // half an account
    page->type("#pay-to", to_text(bob).substr(40));
    page->click("#pay button");
    CHECK(page->eventually("document.querySelector('#pay-said .tag')?.textContent === 'done'",
                           30'000));
    page->shot("wallet-paid");
    auto const got = s.rpc->answer(R"({"jsonrpc":"2.0","id":1,"method":"balance","params":[")" +
                                   to_text(bob) + "\"]}");
    CHECK(got.find("\"2000000001\"") != got.npos);
    // It is there after the page was left, and the file that leaves is what the wallet imports.
    page->open("about:blank");
    page->open(s.url("wallet"));
    CHECK(page->eventually("document.querySelector('#view .long .mono')?.textContent === '" + mine +
                           "'"));
    CHECK(page->is("/^[0-9a-f]{64}$/.test((await (await import('/keys.js')).load()).seed())"));
    CHECK(page->complaints() == "");
}

TEST_CASE("explorer: a score over time is what the chain's own integers make of the ratings" *
          doctest::test_suite("browser"))
{
    auto page = browser::start();
    if (!page) return;
    shown s{};
    page->open(s.url());
    INFO("seed " << seed());
    rng random{seed()};
    for (int round = 0; round < 20; ++round) {
        reputation::score_rules by{};
        by.half_life = 1 + random.below(3'000);
        by.prior = 1 + random.below(4'000);
        reputation::evidence known{};
        boost::json::array ratings{};
        height now{1};
        for (auto n = 1 + random.below(30); n > 0; --n) {
            now = later(now, random.below(700));
            auto const points = random.below(500);
            auto const rating = static_cast<std::uint32_t>(random.below(101));
            known = reputation::with(known, points, rating, now, by);
            ratings.push_back(
                boost::json::object{{"points", points}, {"rating", rating}, {"at", now.get()}});
        }
        now = later(now, random.below(5'000));
        auto const got =
            page->run("const { history } = await import('/score.js');"
                      "return history(arguments[0], arguments[1], arguments[2]).at(-1).value;",
                      {ratings, to_json(by), now.get()});
        CHECK(got.to_number<std::uint32_t>() == reputation::score(known, now, by));
    }
}
