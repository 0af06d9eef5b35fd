// SPDX-License-Identifier: Apache-2.0
#include <blendr/bond/contract.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <blendr/ledger/machine.hpp>
#include <blendr/ledger/message.hpp>
#include <blendr/ledger/sandbox.hpp>
#include <support/vectors.hpp>

using namespace blendr;
using namespace blendr::ledger;

namespace {

using bonds = bond::contract;

crypto::public_key voter(int n)
{
    return crypto::public_key::ed25519({std::byte(n), std::byte{1}});
}
crypto::address who(std::string_view name) { return crypto::address_of("test", as_bytes(name)); }
auto const ada = who("ada");
auto const bob = who("bob");

/// A contract that slashes on anybody's word: the tests' stand-in for a referee.
struct referee {
    static constexpr std::uint16_t id = 500;
    static constexpr std::string_view name = "referee";
    enum class error : std::uint16_t { ok, wrong };
    struct accuse {
        bond::subject which{};
        amount value{};
        bool fails{};
    };
    using messages = type_list<accuse>;
    static bonds::slash_plan touches(accuse const& m, tx_info const& tx, auto& access)
    {
        return bonds::touches_slash(m.which, tx.sender, access);
    }
    static error apply(auto& ctx, accuse const& m, bonds::slash_plan const& rows)
    {
        bonds::slash(ctx, rows, m.value);
        return m.fails ? error::wrong : error::ok;
    }
};
BOOST_DESCRIBE_STRUCT(referee::accuse, (), (which, value, fails))

struct chain_type : sandbox<bank, bonds, referee> {
    chain_type()
    {
        fund(ada, 1'000_blnd);
        fund(bob, 1'000_blnd);
        bonds::genesis_document document{};
        document.by.of.delay = 3;
        genesis<bonds>(document);
    }
};

weight power(chain_type const& chain, int n) { return chain.row<validators>(voter(n)).power; }

}  // namespace

TEST_CASE("bond::contract: a validator weighs what is locked for it")
{
    chain_type chain;
    CHECK(chain.call(ada, bonds::lock_validator{voter(1), {}, 300_blnd}) == 0);
    CHECK(power(chain, 1) == weight{300});
    CHECK(chain.call(bob, bonds::lock_validator{voter(2), {}, 200_blnd}) == 0);
    CHECK(chain.call(ada, bonds::unbond{bond::subject_of(voter(1)), 100_blnd}) == 0);
    CHECK(power(chain, 1) == weight{200});
    CHECK(chain.balance(ada) == 700_blnd);
    CHECK(chain.call(ada, bonds::withdraw{bond::subject_of(voter(1))}) ==
          code<bonds>(bond::error::nothing_due));
    chain.block();
    CHECK(chain.call(ada, bonds::withdraw{bond::subject_of(voter(1))}) == 0);
    CHECK(chain.balance(ada) == 800_blnd);
}

TEST_CASE("bond::contract: one validator has one bond, and nobody moves another's")
{
    chain_type chain;
    CHECK(chain.call(ada, bonds::lock_validator{voter(1), {}, 300_blnd}) == 0);
    CHECK(chain.call(bob, bonds::lock_validator{voter(1), {}, 300_blnd}) ==
          code<bonds>(bond::error::not_yours));
    CHECK(chain.call(bob, bonds::unbond{bond::subject_of(voter(1)), 100_blnd}) ==
          code<bonds>(bond::error::not_yours));
    CHECK(chain.call(bob, bonds::lock_provider{{}, 5'000_blnd}) == code<bonds>(bond::error::poor));
    CHECK(chain.balance(bob) == 1'000_blnd);
}

TEST_CASE("bond::contract: slashing by another contract is atomic with its message")
{
    chain_type chain;
    auto const which = bond::subject_of(voter(1));
    REQUIRE(chain.call(ada, bonds::lock_validator{voter(1), {}, 300_blnd}) == 0);
    REQUIRE(chain.call(bob, bonds::lock_validator{voter(2), {}, 200_blnd}) == 0);
    CHECK(chain.call(bob, referee::accuse{which, 50_blnd, true}) != 0);
    CHECK(power(chain, 1) == weight{300});
    CHECK(chain.call(bob, referee::accuse{which, 50_blnd, false}) == 0);
    CHECK(power(chain, 1) == weight{250});
    CHECK(chain.balance(bob) == 810_blnd);
    CHECK(chain.call(bob, referee::accuse{which, 999_blnd, false}) == 0);
    CHECK(power(chain, 1) == weight{});
    CHECK(chain.row<bonds::bonds>(which) == bonds::bonds::row{});
    CHECK(power(chain, 2) == weight{200});
}

TEST_CASE("bond::contract: the last validator never weighs nothing")
{
    chain_type chain;
    REQUIRE(chain.call(ada, bonds::lock_validator{voter(1), {}, 300_blnd}) == 0);
    CHECK(chain.call(bob, referee::accuse{bond::subject_of(voter(1)), 999_blnd, false}) == 0);
    CHECK(power(chain, 1) == weight{1});
}

TEST_CASE("contract: messages, rows and the genesis document of bonds are frozen")
{
    auto const sent = [](auto const& message) { return encode(wrap<bonds>(message)); };
    auto const mine = bond::subject_of(voter(1));
    crypto::vrf_public_key random{};
    random.raw.fill(std::byte{7});
    bonds::genesis_document first{};
    first.validators.push_back({ada, 5_blnd, voter(1), random});
    bonds::bonds::row row{};
    row.held.owner = ada;
    row.held.locked = 4_blnd;
    row.held.leaving.push_back({1_blnd, height{9}});
    row.voter = voter(1);
    row.random = random;
    CHECK(blendr::test::differs_from_frozen(
              "bond/contract.txt",
              {{"lock_validator", sent(bonds::lock_validator{voter(1), random, 5_blnd})},
               {"lock_provider", sent(bonds::lock_provider{mine.id, 6_blnd})},
               {"unbond", sent(bonds::unbond{mine, 2_blnd})},
               {"withdraw", sent(bonds::withdraw{{bond::purpose::provider, mine.id}})},
               {"genesis", encode(first)},
               {"bond", encode(row)},
               {"conditions", encode(bonds::conditions::row{})}}) == "");
}

TEST_CASE("bond::contract: a genesis that locks what nobody could lock is refused")
{
    using forms = bonds::genesis_document::bond;
    auto const begins = [](std::vector<forms> list) {
        genesis document{};
        document.money.premine = 1'000_blnd;
        bonds::genesis_document in{};
        in.validators = std::move(list);
        document.sections.push_back(section<bonds>(in));
        machine<bank, bonds> chain{[] {
            machine_options alone{};
            alone.threads = 1;
            return alone;
        }()};
        auto const set = chain.init(encode(document));
        if (set) CHECK(app::total_power(*set) == weight{1'000});
        return chain.refused();
    };
    CHECK_FALSE(begins({{ada, 600_blnd, voter(1), {}}, {bob, 400_blnd, voter(2), {}}}));
    CHECK(begins({{ada, 1_grains, voter(1), {}}}) == reject::section_refused);  // below the least
    CHECK(begins({{ada, 1'000_blnd, {}, {}}}) == reject::section_refused);
    CHECK(begins({{ada, 600_blnd, voter(1), {}}, {bob, 400_blnd, voter(1), {}}}) ==
          reject::section_refused);  // one validator, one bond
    CHECK(begins({{ada, amount::max(), voter(1), {}}, {ada, 400_blnd, voter(1), {}}}) ==
          reject::section_refused);
    CHECK(begins({{ada, amount::max(), voter(1), {}}, {bob, amount::max(), voter(2), {}}}) ==
          reject::allocation_mismatch);
    CHECK(begins({{ada, 999_blnd, voter(1), {}}}) == reject::allocation_mismatch);
    CHECK(begins({}) == reject::no_validators);
}
