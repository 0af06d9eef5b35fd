// SPDX-License-Identifier: Apache-2.0
#include <blendr/verify/dispute.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <bit>

#include <blendr/core/random.hpp>
#include <support/support.hpp>
#include <support/vectors.hpp>

using namespace blendr;
using namespace blendr::verify;

namespace {

auto const anna = crypto::address{hash256{std::byte{1}}};
auto const bela = crypto::address{hash256{std::byte{2}}};
hash256 const program{std::byte{77}};

bytes step(std::uint64_t number, bytes_view before)
{
    std::uint64_t x{};
    if (before.size() == 8) std::memcpy(&x, before.data(), 8);
    x = rng{x ^ (number << 32)}();
    bytes after(8);
    std::memcpy(after.data(), &x, 8);
    return after;
}

step_registry registry()
{
    step_registry all;
    REQUIRE(all.add({program, 8, step}));
    return all;
}

/// All states of a run, where the result of step `fault` is wrong and what follows is honest.
std::vector<bytes> run(std::uint64_t steps, std::optional<std::uint64_t> fault,
                       std::byte lie = std::byte{1})
{
    std::vector<bytes> states{bytes(8)};
    for (std::uint64_t i = 0; i < steps; ++i) {
        states.push_back(step(i, states.back()));
        if (fault == i) states.back()[3] ^= lie;
    }
    return states;
}

dispute between(std::vector<bytes> const& a, std::vector<bytes> const& b)
{
    return dispute::open({program, a.size() - 1, hash_of_state(a.front()), hash_of_state(a.back()),
                          hash_of_state(b.back())},
                         anna, bela, 5, height{0})
        .value();
}

/// Both move in time, from what they computed; the first who has the state shows it.
int play(dispute& d, std::vector<bytes> const& a, std::vector<bytes> const& b)
{
    auto const steps = registry();
    int rounds = 0;
    while (d.at == dispute_stage::narrowing) {
        auto const at = d.asked();
        REQUIRE(d.move(anna, hash_of_state(a[at]), d.seen).has_value());
        REQUIRE(d.move(bela, hash_of_state(b[at]), d.seen).has_value());
        ++rounds;
    }
    REQUIRE(d.prove(a[d.low], steps, d.seen).has_value());
    return rounds;
}

}  // namespace

TEST_CASE("dispute: the first wrong step is found wherever it is, in as many rounds as it takes")
{
    for (std::uint64_t const steps : {1u, 2u, 3u, 7u, 64u, 100u}) {
        auto const honest = run(steps, std::nullopt);
        for (std::uint64_t fault = 0; fault < steps; ++fault) {
            auto const wrong = run(steps, fault);
            auto guilty = between(wrong, honest);
            CHECK(play(guilty, wrong, honest) <= std::bit_width(steps - 1));
            CHECK(guilty.low == fault);
            CHECK(guilty.end == ruling::asserter_wrong);
            auto slander = between(honest, wrong);
            play(slander, honest, wrong);
            CHECK(slander.low == fault);
            CHECK(slander.end == ruling::challenger_wrong);
        }
    }
}

TEST_CASE("dispute: every position of a fault in 4096 steps" * doctest::test_suite("property"))
{
    constexpr std::uint64_t steps = 4096;
    auto const honest = run(steps, std::nullopt);
    std::vector<hash256> hashes;
    for (auto const& each : honest) hashes.push_back(hash_of_state(each));
    auto const known = registry();
    // What follows a fault differs everywhere, so a cheat's states can be any other hash.
    hash256 const other{std::byte{1}};
    for (std::uint64_t fault = 0; fault < steps; ++fault) {
        auto d = dispute::open({program, steps, hashes[0], other, hashes[steps]}, anna, bela, 5,
                               height{0})
                     .value();
        int rounds = 0;
        for (; d.at == dispute_stage::narrowing; ++rounds) {
            auto const at = d.asked();
            REQUIRE(d.move(anna, at <= fault ? hashes[at] : other, height{0}).has_value());
            REQUIRE(d.move(bela, hashes[at], height{0}).has_value());
        }
        REQUIRE(rounds == 12);
        REQUIRE(d.low == fault);
        REQUIRE(d.prove(honest[fault], known, height{0}).has_value());
        REQUIRE(d.end == ruling::asserter_wrong);
    }
}

TEST_CASE("dispute: two liars are both found out")
{
    auto const a = run(20, 4, std::byte{1}), b = run(20, 4, std::byte{2});
    auto d = between(a, b);
    play(d, a, b);
    CHECK(d.low == 4);
    CHECK(d.end == ruling::both_wrong);
}

TEST_CASE("dispute: an honest party that moves in time never loses, whatever the other does" *
          doctest::test_suite("property"))
{
    auto const seed = test::seed();
    INFO("seed " << seed);
    rng random{seed};
    auto const known = registry();
    for (int i = 0; i < 600; ++i) {
        auto const steps = random.between(1, 200);
        auto const honest = run(steps, std::nullopt);
        bool const honest_asserts = random.chance(1, 2);
        auto const& good = honest_asserts ? anna : bela;
        auto const& bad = honest_asserts ? bela : anna;
        auto const any = [&] {
            hash256 h{};
            random.fill(h);
            return h;
        };
        auto const truth = hash_of_state(honest.back());
        auto const lie = any();
        auto d = dispute::open({program, steps, hash_of_state(honest[0]),
                                honest_asserts ? truth : lie, honest_asserts ? lie : truth},
                               anna, bela, 5, height{0})
                     .value();
        height now{0};
        while (d.at == dispute_stage::narrowing) {
            auto const mine = hash_of_state(honest[d.asked()]);
            if (random.chance(1, 30)) {  // the other goes silent
                REQUIRE(d.move(good, mine, now).has_value());
                REQUIRE(d.tick(now = d.due).has_value());
                break;
            }
            // It may copy, lie, or tell the truth, before or after.
            auto const theirs = random.chance(1, 2) ? mine : any();
            bool const first = random.chance(1, 2);
            if (first) REQUIRE(d.move(bad, theirs, now).has_value());
            REQUIRE(d.move(good, mine, now).has_value());
            if (!first) REQUIRE(d.move(bad, theirs, now).has_value());
        }
        if (d.at == dispute_stage::proving) REQUIRE(d.prove(honest[d.low], known, now).has_value());
        auto const fine =
            honest_asserts ? d.end == ruling::challenger_wrong || d.end == ruling::challenger_silent
                           : d.end == ruling::asserter_wrong || d.end == ruling::asserter_silent;
        REQUIRE(fine);
    }
}

TEST_CASE("dispute: what may not happen is refused and changes nothing")
{
    auto const a = run(8, 3), b = run(8, std::nullopt);
    CHECK(dispute::open({program, 0, {}, {}, hash256{std::byte{1}}}, anna, bela, 5, {}).error() ==
          reject::too_many_steps);
    CHECK(dispute::open({program, 8, {}, {}, {}}, anna, bela, 5, {}).error() ==
          reject::nothing_disputed);
    CHECK(dispute::open({program, 8, {}, {}, hash256{std::byte{1}}}, anna, anna, 5, {}).error() ==
          reject::not_a_party);
    CHECK(dispute::open({program, 8, {}, {}, hash256{std::byte{1}}}, anna, bela, 0, {}).error() ==
          reject::bad_rules);
    auto d = between(a, b);
    auto const known = registry();
    auto const refused = [&](auto const& call, reject why) {
        auto const before = encode(d);
        auto const answer = call();
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error() == why);
        CHECK(encode(d) == before);
    };
    auto const at = height{2};
    refused([&] { return d.move(crypto::address{}, {}, at); }, reject::not_a_party);
    refused([&] { return d.prove(a[0], known, at); }, reject::not_revealing);
    REQUIRE(d.move(anna, hash_of_state(a[4]), at).has_value());
    refused([&] { return d.move(anna, {}, at); }, reject::already_moved);
    refused([&] { return d.tick(height{1}); }, reject::height_went_back);
    refused([&] { return d.move(bela, {}, height{99}); }, reject::tick_first);
    REQUIRE(d.move(bela, hash_of_state(b[4]), at).has_value());
    play(d, a, b);
    refused([&] { return d.tick(height{99}); }, reject::round_over);

    auto proving = between(run(1, 0), run(1, std::nullopt));
    CHECK(proving.prove(bytes(9), known, at).error() == reject::wrong_size);
    CHECK(proving.prove(bytes(7), known, at).error() == reject::wrong_state);
    CHECK(proving.prove(bytes(8), step_registry{}, at).error() == reject::unknown_program);
    REQUIRE(proving.tick(height{5}).has_value());
    CHECK(proving.end == ruling::both_silent);
    step_registry twice = registry();
    CHECK_FALSE(twice.add({program, 16, step}));
    CHECK(twice.find(program)->state_max == 8);
}

TEST_CASE("dispute: the encoding is frozen")
{
    auto d = between(run(8, 3), run(8, std::nullopt));
    REQUIRE(d.move(anna, hash256{std::byte{4}}, height{1}).has_value());
    CHECK(test::differs_from_frozen("verify/dispute.txt", {{"dispute", encode(d)}}) == "");
}
