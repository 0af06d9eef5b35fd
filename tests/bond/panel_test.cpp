// SPDX-License-Identifier: Apache-2.0
#include <blendr/bond/panel.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <set>

#include <blendr/ledger/sandbox.hpp>

using namespace blendr;
using namespace blendr::ledger;

namespace {

using bonds = bond::contract;

/// Draws a panel at the end of every block.
struct clerk {
    static constexpr std::uint16_t id = 500;
    static constexpr std::string_view name = "clerk";
    enum class error : std::uint16_t { ok };
    using messages = type_list<>;
    struct panels {
        static constexpr std::string_view name = "panels";
        using key = std::uint8_t;
        struct row {
            std::vector<address> members{};
            std::uint32_t candidates{};
        };
    };
    using tables = type_list<panels>;
    static void end_block(auto& ctx)
    {
        auto const all = bond::bonded_validators(ctx);
        auto& row = ctx.template edit<panels>(0);
        row.members.clear();
        row.candidates = static_cast<std::uint32_t>(all.owners.size());
        for (auto const i : all.draw(ctx.block().beacon, {}, 2))
            row.members.push_back(all.owners[i]);
    }
};
BOOST_DESCRIBE_STRUCT(clerk::panels::row, (), (members, candidates))

crypto::public_key voter(int n)
{
    return crypto::public_key::ed25519({std::byte(n), std::byte{1}});
}
address who(int n) { return crypto::address_of("test", encode(n)); }

}  // namespace

TEST_CASE("panel: bonded validators are drawn by weight, and who has none is not among them")
{
    sandbox<bank, bonds, clerk> chain;
    chain.genesis<bonds>({});
    for (int n = 0; n < 3; ++n) {
        chain.fund(who(n), 10'000_blnd);
        REQUIRE(chain.call(who(n), bonds::lock_validator{
                                       voter(n), {}, n == 0 ? 5'000_blnd : 100_blnd}) == 0);
    }
    chain.block();
    CHECK(chain.row<clerk::panels>(0).candidates == 3);
    int first = 0;
    std::set<address> seen;
    for (int i = 0; i < 60; ++i) {
        chain.next().beacon = hash256{std::byte(i), std::byte{3}};
        chain.block();
        auto const drawn = chain.row<clerk::panels>(0).members;
        REQUIRE(drawn.size() == 2);
        seen.insert(drawn.begin(), drawn.end());
        first += drawn[0] == who(0) ? 1 : 0;
    }
    CHECK(first > 50);
    CHECK(seen.size() == 3);
    REQUIRE(chain.call(who(0), bonds::unbond{bond::subject_of(voter(0)), 5'000_blnd}) == 0);
    chain.block();
    CHECK(chain.row<clerk::panels>(0).candidates == 2);
}
