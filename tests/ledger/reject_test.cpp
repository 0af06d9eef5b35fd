// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/reject.hpp>  // first: it stands alone

#include <set>

#include <doctest/doctest.h>

#include "support/vectors.hpp"

#include <blendr/core/codec.hpp>

using namespace blendr;
using namespace blendr::ledger;

TEST_CASE("reject: every code has a name and a sentence of its own")
{
    std::set<std::string_view> names{}, sentences{};
    std::uint32_t last = 0;
    for (auto const& each : reject_texts) {
        CHECK(code(each.why) > last);
        last = code(each.why);
        CHECK(names.insert(each.name).second);
        CHECK(sentences.insert(each.sentence).second);
        CHECK(each.sentence.size() > 10);
        CHECK(message(each.why) == each.sentence);
    }
}

TEST_CASE("reject: the hundreds tell the group")
{
    CHECK(group(reject::truncated) == reject_group::malformed);
    CHECK(group(reject::wrong_chain) == reject_group::not_allowed);
    CHECK(group(reject::stale_nonce) == reject_group::not_now);
    CHECK(group(reject::duplicate) == reject_group::conflict);
    CHECK(group(reject::wrong_state_root) == reject_group::bad_block);
    CHECK(group(reject::wrong_certificate) == reject_group::not_proven);
    CHECK(group(reject::premine_above_cap) == reject_group::bad_genesis);
    CHECK(message(static_cast<reject>(9999)) == "unknown reason");
}

TEST_CASE("reject: names and numbers are frozen")
{
    blendr::test::vector_list now{};
    for (auto const& each : reject_texts)
        now.emplace_back(std::string{each.name}, encode(static_cast<std::uint16_t>(each.why)));
    CHECK(blendr::test::differs_from_frozen("ledger/reject.txt", now) == "");
}
