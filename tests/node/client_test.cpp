// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/client.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include "job_town.hpp"

using namespace blendr;
using namespace blendr::test;

namespace {

template <class Done>
bool within(node::outbox& out, job_town& town, Done&& done)
{
    return eventually([&] {
        out.settle(town.ask().where().value().last);
        return done();
    });
}

}  // namespace

TEST_CASE("client: rows, answers and refusals come as values or sentences")
{
    job_town town{scratch("client")};
    REQUIRE(town.good());
    auto const ask = town.ask();
    CHECK(ask.chain() == ledger::chain_id{7});
    CHECK(ask.purse_of(person(10).account()).value().balance == 5'000_blnd);
    CHECK(!ask.call("no such method", boost::json::value{}));
    CHECK(!ask.ask("no/table", bytes{}));
    auto const path = node::client::path_of<ledger::base, ledger::purses>();
    std::vector<node::client::question> const both{{path, encode(person(10).account())},
                                                   {"no/table", {}}};
    auto const answers = ask.ask(both);
    REQUIRE(answers.size() == 2);
    CHECK(answers[0]);
    CHECK(!answers[1]);
    node::client const nobody{"127.0.0.1:1", 500};
    auto const none = nobody.where();
    REQUIRE(!none);
    CHECK(none.error().find("no node answers") == 0);
}

TEST_CASE(
    "outbox: what is on its way is said once, many go in order, what is refused waits a while")
{
    job_town town{scratch("outbox"), 2};
    REQUIRE(town.good());
    node::outbox out{town.ask(), person(10), 1_blnd};
    auto const pay = [](amount value) {
        return std::vector{
            ledger::wrap<ledger::bank>(ledger::bank::transfer{person(11).account(), value})};
    };
    out.settle(town.ask().where().value().last);
    for (int i = 0; i < 8; ++i) CHECK(out.say("pay " + std::to_string(i), pay(1_blnd)));
    CHECK(!out.say("pay 0", pay(1_blnd)));
    CHECK(out.waits("pay 0"));
    REQUIRE(within(out, town, [&] { return out.idle(); }));
    CHECK(town.balance(11) == 5'008_blnd);
    CHECK(out.refused().empty());
    CHECK(out.fees_paid() > amount{});

    CHECK(out.say("too much", pay(1'000'000_blnd)));
    REQUIRE(within(out, town, [&] { return out.idle(); }));
    auto const why = out.refused();
    REQUIRE(why.size() == 1);
    CHECK(why[0].why == "bank.poor");
    CHECK(!out.say("too much", pay(1_blnd)));  // not at once
    CHECK(out.say("something else", pay(1_blnd)));
}
