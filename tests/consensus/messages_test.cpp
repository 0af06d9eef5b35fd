// SPDX-License-Identifier: Apache-2.0
#include <blendr/consensus/messages.hpp>

#include <doctest/doctest.h>

#include <blendr/consensus/authority.hpp>
#include <blendr/consensus/nakamoto.hpp>
#include <blendr/sim/ideal.hpp>

#include "support/vectors.hpp"

using namespace blendr;
using namespace blendr::consensus;

TEST_CASE("messages: what engines say and write is frozen, byte for byte")
{
    auto const me = sim::ideal_identity(1);
    block const body{{{std::byte{7}}, height{3}, time_ms{1'000}, me.self}, to_bytes("payload")};
    ballot const b{ballot_kind::vote, 1, 5, 4, id_of(body)};
    auto const by = me.sign(ballot_domain, as_bytes("x"));
    certificate const c{b, bytes{std::byte{3}}, std::vector{by, by}};
    CHECK(test::differs_from_frozen(
              "consensus_messages",
              {{"ballot_statement", encode(ballot_statement{b, {}})},
               {"proposal", encode(wire_message{proposal{{b, by}, body, std::vector{c}}})},
               {"vote", encode(wire_message{vote{{b, by}, by}})},
               {"ask", encode(wire_message{ask{1, 5, height{2}, std::vector{b.id}}})},
               {"tell", encode(wire_message{tell{std::vector{c}, std::vector{body}}})},
               {"catch_up", encode(wire_message{catch_up{std::vector{body}, to_bytes("why")}})},
               {"record_ballot", encode(record{b})},
               {"record_certificate", encode(record{c})},
               {"record_block", encode(record{body})},
               {"double_vote", encode(double_vote{{b, by}, {b, by}})},
               {"sealed_block", encode(branch_message{sealed_block{body, to_bytes("seal")}})},
               {"branch_ask", encode(branch_message{branch_ask{height{2}, b.id}})},
               {"slot_seal", encode(slot_seal{9, by})},
               {"work_seal", encode(work_seal{9, to_bytes("nonce")})}}) == "");
}
