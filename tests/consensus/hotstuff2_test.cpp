// SPDX-License-Identifier: Apache-2.0
#include <blendr/consensus/hotstuff2.hpp>

#include <algorithm>

#include <doctest/doctest.h>

#include <blendr/sim/world.hpp>

using namespace blendr;

namespace {

sim::report calm(std::uint32_t validators, std::uint64_t blocks)
{
    sim::scenario s{};
    s.seed = 7;
    s.validators = validators;
    s.end_ms = 1'000'000;
    sim::world_options o{};
    o.net = sim::constant(10'000);
    o.sync_us = o.verify_us = 0;
    o.blocks_max = blocks;
    o.keep_latencies = true;
    return sim::run(sim::kind_of<consensus::hotstuff2>(), s, o);
}

}  // namespace

TEST_CASE(
    "hotstuff2: in a calm world every node decides at most five message delays after the proposal")
{
    for (std::uint32_t n : {4u, 7u, 16u}) {
        auto const r = calm(n, 50);
        CHECK(!r.violation);
        REQUIRE(!r.latencies_us.empty());
        for (auto const l : r.latencies_us) CHECK((l == 50'000 || l == 40'000));
        // The next leader knows a delay before the others; the last of these blocks only it has seen.
        CHECK(std::ranges::count(r.lead_latencies_us, 50'000) + 2 >=
              static_cast<std::ptrdiff_t>(r.lead_latencies_us.size()));
        CHECK(r.messages < 12u * n * r.height_max);  // messages grow with n, not its square
    }
}

TEST_CASE("hotstuff2: a commit is two quorums in consecutive views, the second naming the first")
{
    using namespace consensus;
    block_id const x{std::byte{1}};
    block_id const y{std::byte{2}};
    auto const quorum = [](std::uint64_t view, std::uint64_t prior, block_id const& id) {
        return certificate{{ballot_kind::vote, 1, view, prior, id}, {}, {}};
    };
    auto const proves = [](certificate const& a, certificate const& b, block_id const& id) {
        std::vector<certificate> const why{a, b};
        return hotstuff2::proves(why, id);
    };
    CHECK(proves(quorum(4, 3, x), quorum(5, 4, y), x));
    CHECK(proves(quorum(4, 2, x), quorum(5, 4, x), x));   // the block proposed again
    CHECK(!proves(quorum(4, 3, x), quorum(5, 4, y), y));  // not the second one's block
    CHECK(!proves(quorum(4, 3, x), quorum(6, 4, y), x));  // a view between
    CHECK(!proves(quorum(4, 3, x), quorum(5, 3, y), x));  // its voters saw another quorum
}
