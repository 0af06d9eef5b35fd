// SPDX-License-Identifier: Apache-2.0
#include <blendr/bond/evidence.hpp>  // first: it stands alone

#include <array>
#include <optional>
#include <utility>

#include <doctest/doctest.h>

#include <blendr/consensus/simplex.hpp>
#include <blendr/crypto/identity.hpp>
#include <blendr/crypto/strict.hpp>
#include <blendr/ledger/message.hpp>
#include <blendr/ledger/sandbox.hpp>
#include <support/vectors.hpp>

using namespace blendr;
using namespace blendr::ledger;

namespace {

constexpr crypto::domain fault_domain{"fault/1"};

/// What a chain that is ordered by simplex takes for a proof: two ballots of one view.
struct simplex_judge {
    static std::optional<hash256> fault_in(crypto::public_key const&, bytes_view proof)
    {
        auto const said = decode<consensus::double_vote>(proof);
        if (!said || said->first.about.epoch != said->second.about.epoch ||
            said->first.about.view != said->second.about.view)
            return std::nullopt;
        return crypto::hash(fault_domain,
                            encode(std::array{said->first.about.epoch, said->first.about.view}));
    }
    static bool shows(crypto::public_key const& culprit, bytes_view proof, hash256 const& chain)
    {
        auto const said = decode<consensus::double_vote>(proof);
        if (!said) return false;
        consensus::membership const alone{
            height{}, said->first.about.epoch, {{culprit, weight{1}}}, chain};
        std::vector<consensus::claim> claims{};
        if (!consensus::simplex::check_evidence(alone, culprit, proof, claims)) return false;
        return std::all_of(claims.begin(), claims.end(), [](consensus::claim const& each) {
            return crypto::verify_strict(each.key, each.digest, each.signature);
        });
    }
};
using tribunal = bond::evidence<simplex_judge>;
using bonds = bond::contract;

crypto::identity voter(std::uint8_t n)
{
    std::array<std::byte, 32> seed{};
    seed.fill(std::byte{n});
    return crypto::identity{crypto::secret_key::from_seed(seed)};
}
crypto::address who(std::string_view name) { return crypto::address_of("test", as_bytes(name)); }
hash256 const this_chain = crypto::hash(fault_domain, as_bytes("this chain"));

consensus::signed_ballot signed_by(crypto::identity const& by, std::uint64_t view, int block,
                                   hash256 const& chain = this_chain)
{
    consensus::ballot about{consensus::ballot_kind::vote, 1, view, 0, {}};
    about.id[0] = static_cast<std::byte>(block);
    consensus::membership const alone{height{}, 1, {{by.self(), weight{1}}}, chain};
    auto const statement = consensus::electorate{alone}.statement(about);
    return {about, by.sign(consensus::ballot_domain, statement)};
}
bond::report accuse(crypto::public_key const& culprit, consensus::signed_ballot const& a,
                    consensus::signed_ballot const& b)
{
    bond::report out{culprit, {}};
    static_cast<bytes&>(out.proof) = encode(consensus::double_vote{a, b});
    return out;
}

struct chain_type : sandbox<bank, bonds, tribunal> {
    chain_type()
    {
        fund(who("ada"), 1'000_blnd);
        fund(who("bob"), 10_blnd);
        bonds::genesis_document document{};
        document.by.of.delay = 3;
        genesis<bonds>(document);
        genesis<tribunal>({this_chain, 1'000});
        REQUIRE(call(who("ada"), bonds::lock_validator{voter(1).self(), {}, 500_blnd}) == 0);
        REQUIRE(call(who("ada"), bonds::lock_validator{voter(2).self(), {}, 400_blnd}) == 0);
    }
    std::uint32_t report_by(std::string_view name, bond::report const& what)
    {
        return call(who(name), what);
    }
    amount held(std::uint8_t n)
    {
        return row<bonds::bonds>(bond::subject_of(voter(n).self())).held.held();
    }
};
constexpr std::uint32_t refused(bond::evidence_error why) { return code<tribunal>(why); }

}  // namespace

TEST_CASE("evidence: two ballots of one view cost part of the bond, once, however they are shown")
{
    chain_type chain;
    auto const culprit = voter(1);
    auto const a = signed_by(culprit, 7, 1), b = signed_by(culprit, 7, 2),
               c = signed_by(culprit, 7, 3);
    CHECK(chain.report_by("bob", accuse(culprit.self(), a, b)) == 0);
    CHECK(chain.held(1) == 450_blnd);
    CHECK(chain.balance(who("bob")) == 20_blnd);  // a fifth of fifty; forty burnt
    CHECK(chain.row<validators>(culprit.self()).power == weight{450});
    auto const what = simplex_judge::fault_in(culprit.self(), accuse(culprit.self(), a, b).proof);
    auto const done = chain.ask(bond::fault{culprit.self(), *what}).value();
    CHECK(done.burned == 40_blnd);
    CHECK(done.rewarded == 10_blnd);
    CHECK(done.reporter == who("bob"));
    // the same fault: again, the other way round, with a third ballot
    using enum bond::evidence_error;
    CHECK(chain.report_by("bob", accuse(culprit.self(), a, b)) == refused(punished_before));
    CHECK(chain.report_by("ada", accuse(culprit.self(), b, a)) == refused(punished_before));
    CHECK(chain.report_by("ada", accuse(culprit.self(), c, a)) == refused(punished_before));
    CHECK(chain.held(1) == 450_blnd);
    // another one
    CHECK(chain.report_by("bob", accuse(culprit.self(), signed_by(culprit, 8, 1),
                                        signed_by(culprit, 8, 2))) == 0);
    CHECK(chain.held(1) == 405_blnd);
    CHECK(chain.held(2) == 400_blnd);
}

TEST_CASE("evidence: what shows nothing costs nobody anything")
{
    chain_type chain;
    auto const one = voter(1), two = voter(2);
    using enum bond::evidence_error;
    auto const nobody_lost = [&](std::uint32_t code) {
        CHECK(chain.held(1) == 500_blnd);
        CHECK(chain.held(2) == 400_blnd);
        CHECK(chain.balance(who("bob")) == 10_blnd);
        return code;
    };
    auto const tried = [&](bond::report const& what) {
        return nobody_lost(chain.report_by("bob", what));
    };
    CHECK(tried({one.self(), {}}) == refused(malformed_proof));
    CHECK(tried(accuse(one.self(), signed_by(one, 7, 1), signed_by(one, 8, 2))) ==
          refused(malformed_proof));
    CHECK(tried(accuse(one.self(), signed_by(one, 7, 1), signed_by(one, 7, 1))) ==
          refused(not_shown));  // twice the same is no fault
    CHECK(tried(accuse(one.self(), signed_by(one, 7, 1), signed_by(two, 7, 2))) ==
          refused(not_shown));  // half of it is another's
    CHECK(tried(accuse(two.self(), signed_by(one, 7, 1), signed_by(one, 7, 2))) ==
          refused(not_shown));
    auto const elsewhere = crypto::hash(fault_domain, as_bytes("another chain"));
    CHECK(tried(accuse(one.self(), signed_by(one, 7, 1, elsewhere),
                       signed_by(one, 7, 2, elsewhere))) == refused(not_shown));
    auto const stranger = voter(9);
    CHECK(tried(accuse(stranger.self(), signed_by(stranger, 7, 1), signed_by(stranger, 7, 2))) ==
          refused(nothing_at_stake));
    // every bit of a good proof counts
    auto const good = accuse(one.self(), signed_by(one, 7, 1), signed_by(one, 7, 2));
    for (std::size_t bit = 0; bit < good.proof.size() * 8; bit += 11) {
        auto bent = good;
        bent.proof[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
        CHECK(chain.report_by("bob", bent) != 0);
    }
    nobody_lost(0);
    CHECK(chain.report_by("bob", good) == 0);
}

TEST_CASE("evidence: what is on its way out is taken too, and reporting oneself never pays")
{
    chain_type chain;
    auto const culprit = voter(1);
    CHECK(chain.call(who("ada"), bonds::unbond{bond::subject_of(culprit.self()), 500_blnd}) == 0);
    auto const before = chain.balance(who("ada")) + chain.held(1);
    CHECK(chain.report_by("ada", accuse(culprit.self(), signed_by(culprit, 7, 1),
                                        signed_by(culprit, 7, 2))) == 0);
    CHECK(chain.held(1) == 450_blnd);
    CHECK(chain.balance(who("ada")) + chain.held(1) == before - 40_blnd);
}

TEST_CASE("evidence: numbers and encodings are frozen")
{
    for (std::uint16_t n = 0; n <= 4; ++n)
        CHECK(message(static_cast<bond::evidence_error>(n)) != "unknown reason");
    CHECK(message(static_cast<bond::evidence_error>(5)) == "unknown reason");
    bond::report what{voter(1).self(), {}};
    what.proof.push_back(std::byte{7});
    auto const wire = wrap<tribunal>(what);
    CHECK(blendr::test::differs_from_frozen(
              "bond/evidence.txt",
              {{"report", encode(wire)},
               {"fault key", encode(bond::faults::key{who("ada"), this_chain})},
               {"fault row", encode(bond::faults::row{height{3}, 40_blnd, 10_blnd, who("bob")})},
               {"practice", encode(bond::practice::row{this_chain, 1'000})}}) == "");
}
