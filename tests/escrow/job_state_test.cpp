// SPDX-License-Identifier: Apache-2.0
#include <blendr/escrow/job_state.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/vectors.hpp>

using namespace blendr;
using namespace blendr::escrow;

TEST_CASE("job_state: the encoding of a job is frozen")
{
    hash256 raw{};
    raw[31] = std::byte{7};
    job_state s{};
    s.renter = crypto::address{raw};
    s.seen = height{12};
    s.search_until = height{99};
    s.warn_before = 5;
    s.balance = 3_blnd;
    s.held = 1_blnd;
    s.payers.push_back({s.renter, 4_blnd});
    s.units.push_back({unit_state::delivered, 0, height{17}});
    s.units.push_back({});
    agreement a{};
    a.provider = s.renter;
    a.by.each = price{1'000'000'000};
    a.by.bond = 2_blnd;
    a.by.run_within = 40;
    a.by.fee = 250;
    a.at = phase::running;
    a.due = height{52};
    a.delivered = 1;
    a.held = 1_blnd;
    s.agreements.push_back(a);
    CHECK(test::differs_from_frozen("escrow/job_state.txt", {{"empty", encode(job_state{})},
                                                             {"running", encode(s)},
                                                             {"terms", encode(a.by)}}) == "");
    CHECK(encode(decode<job_state>(encode(s)).value()) == encode(s));
}
