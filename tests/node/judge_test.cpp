// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/judge.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <blendr/bond/evidence.hpp>
#include <blendr/consensus/authority.hpp>
#include <blendr/consensus/hotstuff2.hpp>
#include <blendr/consensus/simplex.hpp>

#include "common.hpp"

using namespace blendr;
using namespace blendr::test;

namespace {

static_assert(bond::judge<node::engine_judge>);

hash256 const document = node::genesis_name(as_bytes("a genesis document"));

consensus::signed_ballot ballot_of(crypto::identity const& by, std::string_view engine, int block,
                                   std::uint8_t kind = consensus::ballot_kind::vote)
{
    consensus::ballot about{kind, 1, 9, 0, {}};
    about.id[0] = static_cast<std::byte>(block);
    consensus::membership const alone{
        height{}, 1, {{by.self(), weight{1}}}, node::chain_name(document, engine)};
    return {about,
            by.sign(consensus::ballot_domain, consensus::electorate{alone}.statement(about))};
}

bytes proof_of(std::string_view engine, bytes_view said, hash256 const& genesis = document)
{
    node::engine_proof out{std::string{engine}, genesis, {}};
    static_cast<bytes&>(out.proof) = to_bytes(said);
    return encode(out);
}

bytes two_votes(crypto::identity const& by, std::string_view engine)
{
    return encode(consensus::double_vote{ballot_of(by, engine, 1), ballot_of(by, engine, 2)});
}

}  // namespace

TEST_CASE(
    "judge: two votes of one view are a fault on the chain and under the engine that they name")
{
    auto const culprit = person(3);
    for (auto const* engine : {"simplex", "hotstuff2"}) {
        auto const proof = proof_of(engine, two_votes(culprit, engine));
        auto const chain = node::chain_name(document, engine);
        CHECK(node::engine_judge::fault_in(culprit.self(), proof));
        CHECK(node::engine_judge::shows(culprit.self(), proof, chain));
        CHECK_FALSE(node::engine_judge::shows(person(4).self(), proof, chain));
        CHECK_FALSE(node::engine_judge::shows(culprit.self(), proof,
                                              node::chain_name(node::genesis_name({}), engine)));
    }
}

TEST_CASE("judge: nobody is judged by the rules of another engine than the chain's")
{
    // what was said under simplex, shown as if hotstuff2's rules or the other chain held
    auto const culprit = person(3);
    auto const said = two_votes(culprit, "simplex");
    auto const chain = node::chain_name(document, "simplex");
    CHECK_FALSE(node::engine_judge::shows(culprit.self(), proof_of("hotstuff2", said), chain));
    CHECK_FALSE(node::engine_judge::shows(culprit.self(), proof_of("authority", said), chain));
    CHECK_FALSE(node::engine_judge::shows(culprit.self(), proof_of("solo", said), chain));
    CHECK_FALSE(node::engine_judge::shows(
        culprit.self(), proof_of("simplex", said, node::genesis_name({})), chain));
}

TEST_CASE("judge: an author that sealed one slot twice is guilty, and the slot names the fault")
{
    auto const culprit = person(5);
    auto const chain = node::chain_name(document, "authority");
    auto const seal = [&](std::uint64_t slot, int block) {
        block_id id{};
        id[0] = static_cast<std::byte>(block);
        return std::pair{id, culprit.sign(consensus::seal_domain,
                                          encode(consensus::seal_statement{slot, id, chain}))};
    };
    auto const shown = [&](auto const& a, auto const& b) {
        return proof_of("authority",
                        encode(consensus::double_seal{4, a.first, b.first, a.second, b.second}));
    };
    auto const a = seal(4, 1), b = seal(4, 2), c = seal(5, 3);
    CHECK(node::engine_judge::shows(culprit.self(), shown(a, b), chain));
    CHECK(node::engine_judge::fault_in(culprit.self(), shown(a, b)) ==
          node::engine_judge::fault_in(culprit.self(), shown(b, a)));
    CHECK_FALSE(node::engine_judge::shows(culprit.self(), shown(a, a), chain));
    CHECK_FALSE(node::engine_judge::shows(culprit.self(), shown(a, c), chain));  // another slot's
}

TEST_CASE("judge: bytes that are no proof name no fault")
{
    auto const culprit = person(3);
    auto const good = proof_of("simplex", two_votes(culprit, "simplex"));
    for (std::size_t cut = 0; cut < good.size(); ++cut) {
        auto const part = bytes_view{good}.first(cut);
        CHECK_FALSE(node::engine_judge::fault_in(culprit.self(), part));
        CHECK_FALSE(
            node::engine_judge::shows(culprit.self(), part, node::chain_name(document, "simplex")));
    }
    CHECK_FALSE(node::engine_judge::fault_in(culprit.self(), proof_of("solo", {})));
}
