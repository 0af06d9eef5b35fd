// SPDX-License-Identifier: Apache-2.0
#include <blendr/verify/round.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <blendr/core/random.hpp>
#include <support/support.hpp>
#include <support/vectors.hpp>

using namespace blendr;
using namespace blendr::verify;

namespace {

crypto::address worker(unsigned n) { return crypto::address{hash256{std::byte(n)}}; }
hash256 nonce(unsigned n) { return hash256{std::byte(n), std::byte{7}}; }
hash256 result_of(unsigned n) { return hash256{std::byte(n), std::byte{9}}; }

round_rules rules(std::uint16_t quorum = 2, std::uint16_t most = 4, std::uint32_t trust = 0)
{
    return {quorum, most, trust, 3, 2, {}};
}

hash256 commitment(round const& r, unsigned n, unsigned result, summary const& values = {})
{
    return commit({worker(n), r.task, nonce(n), digest_of(result_of(result), values)});
}

/// Draws workers 1 … n, who all commit to and reveal what `says` gives.
round played(round_rules const& by, std::vector<unsigned> const& says,
             std::vector<std::uint64_t> const& credibility = {},
             std::vector<summary> const& values = {})
{
    auto r = round::open(hash256{std::byte{5}}, by, height{10}).value();
    for (unsigned n = 0; n < says.size(); ++n)
        REQUIRE(r.add(worker(n), credibility.empty() ? 2 : credibility[n], height{10}).has_value());
    auto const of = [&](unsigned n) { return values.empty() ? summary{} : values[n]; };
    for (unsigned n = 0; n < says.size(); ++n)
        REQUIRE(r.commit(worker(n), commitment(r, n, says[n], of(n)), height{11}).has_value());
    REQUIRE(r.at == round_stage::revealing);
    for (unsigned n = 0; n < says.size(); ++n)
        REQUIRE(r.reveal(worker(n), nonce(n), result_of(says[n]), of(n), height{12}).has_value());
    return r;
}

replica_state of(round const& r, unsigned n) { return r.replicas[n].at; }

}  // namespace

TEST_CASE("round: two who agree decide, and who differs is told apart")
{
    auto const pair = played(rules(), {1, 1});
    CHECK(pair.at == round_stage::agreed);
    CHECK(pair.accepted == digest_of(result_of(1), {}));
    auto const three = played(rules(), {1, 2, 1});
    CHECK(three.at == round_stage::agreed);
    CHECK(of(three, 0) == replica_state::agreed);
    CHECK(of(three, 1) == replica_state::differed);
    CHECK(of(three, 2) == replica_state::agreed);
}

TEST_CASE("round: without a majority nothing is decided, and one more is asked for")
{
    auto r = played(rules(), {1, 2});
    CHECK(r.at == round_stage::hung);
    CHECK(r.wanted() == 1);
    REQUIRE(r.add(worker(7), 2, height{13}).has_value());
    REQUIRE(r.commit(worker(7), commitment(r, 7, 2), height{13}).has_value());
    REQUIRE(r.reveal(worker(7), nonce(7), result_of(2), {}, height{13}).has_value());
    CHECK(r.at == round_stage::agreed);
    CHECK(of(r, 0) == replica_state::differed);
    auto const full = played(rules(2, 4), {1, 1, 2, 2});
    CHECK(full.at == round_stage::hung);
    CHECK(full.wanted() == 0);
}

TEST_CASE("round: trust asks for more than a count of newcomers")
{
    CHECK(played(rules(2, 4, 4), {1, 1}).at == round_stage::agreed);   // 4 : 5
    CHECK(played(rules(2, 4, 6), {1, 1}).at == round_stage::wanting);  // 4 : 5 is not 5 : 6
    CHECK(played(rules(2, 4, 6), {1, 1, 1}).at == round_stage::agreed);
    CHECK(played(rules(2, 4, 100), {1, 1}, {99, 50}).at == round_stage::agreed);
    // Two newcomers do not outvote two who have proven themselves, nor the other way round.
    CHECK(played(rules(2, 5, 0), {1, 1, 2, 2, 2}, {99, 99, 2, 2, 2}).at == round_stage::agreed);
    CHECK(played(rules(2, 5, 2), {1, 1, 2, 2, 2}, {99, 99, 2, 2, 2}).at == round_stage::hung);
}

TEST_CASE("round: tolerant results agree within what the job declared")
{
    auto by = rules();
    by.within = {2, 0};
    auto const near =
        played(by, {1, 2, 3}, {},
               {summary{std::vector<std::int64_t>{100}}, summary{std::vector<std::int64_t>{102}},
                summary{std::vector<std::int64_t>{109}}});
    CHECK(near.at == round_stage::agreed);
    CHECK(of(near, 1) == replica_state::agreed);
    CHECK(of(near, 2) == replica_state::differed);
    // 100 ~ 102 ~ 104, and 100 is not 104: the one in the middle speaks for all three.
    auto const chain =
        played(by, {1, 2, 3}, {},
               {summary{std::vector<std::int64_t>{100}}, summary{std::vector<std::int64_t>{102}},
                summary{std::vector<std::int64_t>{104}}});
    CHECK(chain.at == round_stage::agreed);
    CHECK(chain.accepted == chain.replicas[1].digest);
    CHECK(of(chain, 0) == replica_state::agreed);
    CHECK(of(chain, 2) == replica_state::agreed);
}

TEST_CASE("round: who vanishes is replaced before anything is revealed")
{
    auto r = round::open(hash256{std::byte{5}}, rules(), height{0}).value();
    CHECK(r.wanted() == 2);
    REQUIRE(r.add(worker(0), 2, height{0}).has_value());
    REQUIRE(r.add(worker(1), 2, height{0}).has_value());
    CHECK(r.wanted() == 0);
    REQUIRE(r.commit(worker(0), commitment(r, 0, 1), height{1}).has_value());
    CHECK(r.reveal(worker(0), nonce(0), result_of(1), {}, height{1}).error() ==
          reject::not_revealing);
    REQUIRE(r.tick(height{3}).has_value());
    CHECK(r.at == round_stage::wanting);
    CHECK(of(r, 1) == replica_state::missed);
    CHECK(r.wanted() == 1);
    REQUIRE(r.add(worker(2), 2, height{4}).has_value());
    REQUIRE(r.commit(worker(2), commitment(r, 2, 1), height{5}).has_value());
    CHECK(r.at == round_stage::revealing);
    REQUIRE(r.reveal(worker(2), nonce(2), result_of(1), {}, height{5}).has_value());
    REQUIRE(r.tick(height{7}).has_value());  // worker 0 never reveals
    CHECK(of(r, 0) == replica_state::missed);
    CHECK(r.at == round_stage::wanting);
    CHECK(r.wanted() == 1);
}

TEST_CASE("round: copies, lies and strangers are refused and change nothing")
{
    auto r = round::open(hash256{std::byte{5}}, rules(2, 3), height{0}).value();
    for (unsigned n = 0; n < 2; ++n) REQUIRE(r.add(worker(n), 2, height{0}).has_value());
    auto const refused = [&](auto const& call, reject why) {
        auto const before = encode(r);
        auto const answer = call();
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error() == why);
        CHECK(encode(r) == before);
    };
    auto const at = height{1};
    refused([&] { return r.commit(worker(9), {}, at); }, reject::not_drawn);
    refused([&] { return r.add(worker(1), 2, at); }, reject::already_drawn);
    auto const good = commitment(r, 0, 1);
    REQUIRE(r.commit(worker(0), good, at).has_value());
    refused([&] { return r.commit(worker(0), good, at); }, reject::already_committed);
    refused([&] { return r.commit(worker(1), good, at); }, reject::copied);
    // Worker 1 cannot open what worker 0 committed to, since its address is inside.
    REQUIRE(r.commit(worker(1), commitment(r, 1, 1), at).has_value());
    refused([&] { return r.reveal(worker(1), nonce(0), result_of(1), {}, at); },
            reject::commitment_broken);
    refused([&] { return r.reveal(worker(1), nonce(1), result_of(2), {}, at); },
            reject::commitment_broken);
    refused(
        [&] {
            return r.reveal(worker(1), nonce(1), result_of(1),
                            summary{std::vector<std::int64_t>{1}}, at);
        },
        reject::commitment_broken);
    refused([&] { return r.add(worker(3), 2, at); }, reject::not_committing);
    refused([&] { return r.tick(height{0}); }, reject::height_went_back);
    refused([&] { return r.reveal(worker(1), nonce(1), result_of(1), {}, height{9}); },
            reject::tick_first);
    REQUIRE(r.reveal(worker(1), nonce(1), result_of(1), {}, at).has_value());
    refused([&] { return r.reveal(worker(1), nonce(1), result_of(1), {}, at); },
            reject::already_revealed);
    REQUIRE(r.reveal(worker(0), nonce(0), result_of(1), {}, at).has_value());
    CHECK(r.at == round_stage::agreed);
    refused([&] { return r.tick(height{20}); }, reject::round_over);
    CHECK(round::open({}, rules(3, 2), at).error() == reject::bad_rules);
    CHECK(round::open({}, rules(2, 99), at).error() == reject::bad_rules);
}

TEST_CASE("round: random lives end, and what is accepted was revealed by a quorum" *
          doctest::test_suite("property"))
{
    auto const seed = test::seed();
    INFO("seed " << seed);
    rng random{seed};
    int agreed = 0, given_up = 0;
    for (int life = 0; life < 1500; ++life) {
        auto const by = rules(static_cast<std::uint16_t>(random.between(1, 3)),
                              static_cast<std::uint16_t>(random.between(3, 8)),
                              static_cast<std::uint32_t>(random.below(4)));
        auto r = round::open(hash256{std::byte{5}}, by, height{0}).value();
        height now{0};
        std::vector<unsigned> says(32);
        for (auto& each : says)
            each = random.chance(2, 3) ? 1 : static_cast<unsigned>(random.between(2, 4));
        unsigned next_worker = 0;
        for (int quiet = 0; r.at != round_stage::agreed && quiet < 200; ++quiet) {
            while (r.wanted() != 0 && random.chance(3, 4))
                REQUIRE(r.add(worker(next_worker++), random.between(1, 9), now).has_value());
            for (unsigned n = 0; n < next_worker; ++n) {
                if (!random.chance(1, 2)) continue;
                (void)r.commit(worker(n), commitment(r, n, says[n]), now);
                (void)r.reveal(worker(n), nonce(n), result_of(says[n]), {}, now);
            }
            if (r.at == round_stage::agreed) break;
            REQUIRE(r.tick(now).has_value());
            REQUIRE(encode(decode<round>(encode(r)).value()) == encode(r));
            now = now + std::uint64_t{1};
            if (r.wanted() == 0 && r.due == height::max()) break;
        }
        if (r.at != round_stage::agreed) {
            ++given_up;
            REQUIRE(r.replicas.size() == by.most);  // nobody is left to ask
            continue;
        }
        ++agreed;
        int members = 0, others = 0;
        for (auto const& each : r.replicas) {
            members += each.at == replica_state::agreed ? 1 : 0;
            others += each.at == replica_state::differed ? 1 : 0;
            if (each.at == replica_state::agreed) REQUIRE(each.digest == r.accepted);
        }
        REQUIRE(members >= by.quorum);
        REQUIRE(members > others);
    }
    CHECK(agreed > 500);
    CHECK(given_up > 20);
}

TEST_CASE("round: the encoding is frozen")
{
    auto by = rules(2, 4, 9);
    by.within = {3, 500};
    auto const r =
        played(by, {1, 1}, {7, 8},
               {summary{std::vector<std::int64_t>{-4}}, summary{std::vector<std::int64_t>{-5}}});
    CHECK(test::differs_from_frozen("verify/round.txt", {{"round", encode(r)}}) == "");
}
