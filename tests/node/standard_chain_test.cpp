// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/standard_chain.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include <blendr/bond/evidence.hpp>
#include <blendr/core/json.hpp>
#include <blendr/crypto/bech32.hpp>
#include <blendr/ledger/transaction.hpp>
#include <blendr/node/judge.hpp>

#include "common.hpp"

using namespace blendr;

TEST_CASE("standard_chain: every contract is there, and its tables have forms")
{
    auto const kind = node::standard_chain();
    auto const tables = kind.forms->tables();
    for (auto const* each :
         {"ledger/purses", "ledger/validators", "bond/bonds", "evidence/practice", "market/orders",
          "market/devices", "reputation/scores", "verify/rounds", "escrow/jobs"}) {
        CAPTURE(each);
        CHECK(std::find(tables.begin(), tables.end(), each) != tables.end());
    }
    for (auto const& each : tables) CHECK(kind.forms->row(each, {}));
}

TEST_CASE("standard_chain: every message and every query can be written on a command line")
{
    auto const kind = node::standard_chain();
    auto const messages = kind.calls->messages();
    CHECK(messages.front() == "bank.transfer --to <to> --value <value>");
    auto const queries = kind.calls->queries();
    for (auto const* each : {"bond.", "evidence.report", "market.place", "reputation.rate",
                             "verify.enlist", "referee.show", "escrow.submit"})
        CHECK(std::any_of(messages.begin(), messages.end(),
                          [&](auto const& line) { return line.starts_with(each); }));
    for (auto const* each : {"evidence/fault", "market/depth", "reputation/score_of",
                             "escrow/job_of", "escrow/price_of"})
        CHECK(std::any_of(queries.begin(), queries.end(),
                          [&](auto const& line) { return line.starts_with(each); }));
}

TEST_CASE(
    "standard_chain: a job's message goes through JSON, and what is wrong is said with its place")
{
    auto const kind = node::standard_chain();
    auto const raw = kind.calls->message(
        *parse_json(R"({"escrow.post_price": {"job": {"renter": ")" +
                    to_text(test::person(1).account()) + R"(", "number": 3}, "posted": 5}})"));
    REQUIRE(raw);
    auto const said = decode<ledger::wire_message>(*raw);
    REQUIRE(said);
    CHECK(said->contract == 7);
    auto const wrong = kind.calls->message(*parse_json(R"({"escrow.post_price": {"posted": 5}})"));
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().find("job") != std::string::npos);
    CHECK_FALSE(kind.calls->message(*parse_json(R"({"escrow.dance": {}})")));
    CHECK_FALSE(kind.calls->question("escrow/job_of", *parse_json("[]")));
    CHECK_FALSE(kind.calls->question("escrow/none", *parse_json("{}")));
    CHECK_FALSE(kind.calls->answer("escrow/job_of", as_bytes("no answer")));
}

TEST_CASE("standard_chain: a genesis document is named without the name that it says")
{
    auto const kind = node::standard_chain();
    ledger::genesis plain{};
    CHECK_FALSE(kind.beginnings->naming(encode(plain)).name);
    CHECK(kind.beginnings->renamed(encode(plain), hash256{std::byte{1}}) == encode(plain));

    plain.sections.push_back({"evidence", encode(bond::practice::row{})});
    auto const bare = encode(plain);
    CHECK(kind.beginnings->naming(bare).bare == bare);
    auto const name = node::chain_name(node::genesis_name(bare), "simplex");
    auto const named = kind.beginnings->renamed(bare, name);
    CHECK(named != bare);
    CHECK(kind.beginnings->naming(named).name == name);
    CHECK(kind.beginnings->naming(named).bare == bare);
}
