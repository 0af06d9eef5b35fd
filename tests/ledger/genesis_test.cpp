// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/genesis.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <ledger/fixtures.hpp>
#include <support/vectors.hpp>

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

TEST_CASE("genesis: goes through its encoding, and says what cannot work")
{
    genesis document{};
    document.validators.push_back({person(1).self(), weight{1}, {}});
    CHECK(check(document));
    CHECK(encode(read_genesis(encode(document)).value()) == encode(document));
    CHECK(read_genesis({}).error() == reject::malformed_genesis);
}

TEST_CASE("genesis: each thing that cannot work has its code and its place")
{
    auto const fault = [](auto&& spoil) {
        genesis document{};
        document.money.premine = 10_blnd;
        for (std::uint64_t i = 0; i < 3; ++i) {
            document.accounts.push_back({person(i).account(), 1_blnd});
            document.validators.push_back({person(i).self(), weight{1}, {}});
            document.sections.push_back({std::string(1, static_cast<char>('a' + i)), {}});
        }
        REQUIRE(check(document));
        spoil(document);
        auto const judged = check(document);
        REQUIRE_FALSE(judged.has_value());
        return judged.error();
    };
    using of = genesis_fault;
    CHECK(fault([](genesis& g) { g.fees.burned_parts = 1; }) ==
          of{reject::burn_below_half, "fees"});
    CHECK(fault([](genesis& g) { g.fees.step_divisor = 0; }) == of{reject::wrong_fee_step, "fees"});
    CHECK(fault([](genesis& g) { g.money.cap = 1_blnd; }) ==
          of{reject::premine_above_cap, "money"});
    CHECK(fault([](genesis& g) { ++g.money.split.treasury; }) == of{reject::wrong_split, "money"});
    CHECK(fault([](genesis& g) { g.money.era_blocks = 0; }) == of{reject::wrong_schedule, "money"});
    CHECK(fault([](genesis& g) { g.accounts[1].balance = 10_blnd; }) ==
          of{reject::allocation_mismatch, "accounts[1]"});
    CHECK(fault([](genesis& g) { g.accounts[2].balance = amount::max(); }) ==
          of{reject::allocation_mismatch, "accounts[2]"});
    CHECK(fault([](genesis& g) { g.accounts[2].owner = g.accounts[0].owner; }) ==
          of{reject::repeated_entry, "accounts[2]"});
    CHECK(fault([](genesis& g) { g.validators[1].key = g.validators[0].key; }) ==
          of{reject::repeated_entry, "validators[1]"});
    CHECK(fault([](genesis& g) { g.validators[1].power = weight{}; }) ==
          of{reject::wrong_weight, "validators[1]"});
    CHECK(fault([](genesis& g) { g.validators[2].power = weight::max(); }) ==
          of{reject::wrong_weight, "validators[2]"});
    CHECK(fault([](genesis& g) { g.validators[0].key = {}; }) ==
          of{reject::wrong_weight, "validators[0]"});
    CHECK(fault([](genesis& g) { g.sections[2].contract = "a"; }) ==
          of{reject::repeated_entry, "sections[2]"});
    CHECK(fault([](genesis& g) {
              g.validators.clear();
              g.sections.clear();
          }) == of{reject::no_validators, "validators"});
}

TEST_CASE("genesis: its encoding is frozen")
{
    genesis document{};
    document.chain = chain_id{7};
    document.begins = time_ms{1'700'000'000'000};
    document.accounts.push_back({person(2).account(), 5_blnd});
    document.validators.push_back(
        {person(0).self(), weight{10}, crypto::vrf_secret_key::of(person(0).key()).self()});
    document.validators.push_back({person(1).self(), weight{5}, {}});
    document.sections.push_back({"bond", to_bytes(as_bytes("a document"))});
    CHECK(blendr::test::differs_from_frozen("ledger/genesis.txt", {{"defaults", encode(genesis{})},
                                                                   {"some", encode(document)}}) ==
          "");
}
