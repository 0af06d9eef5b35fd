// SPDX-License-Identifier: Apache-2.0
#include <blendr/reputation/contract.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <vector>

#include <blendr/ledger/message.hpp>
#include <blendr/ledger/sandbox.hpp>
#include <support/vectors.hpp>

using namespace blendr;
using namespace blendr::ledger;

namespace {

using bonds = bond::contract;
using ratings = reputation::contract;
using reason = reputation::reject;
using reputation::vote;

/// Stands for the contract above: says that an agreement is settled.
struct clerk {
    static constexpr std::uint16_t id = 500;
    static constexpr std::string_view name = "clerk";
    enum class error : std::uint16_t { ok };
    struct say {
        hash256 agreement{};
        reputation::settled_agreement what{};
    };
    struct notes {
        static constexpr std::string_view name = "notes";
        using key = std::uint8_t;
        struct row {
            std::uint64_t count{};
        };
        using entry = say;
    };
    using messages = type_list<say>;
    using tables = type_list<notes>;
    struct plan {
        ref<notes, mode::post> out{};
    };
    static plan touches(say const&, tx_info const&, auto& access)
    {
        return {access.template use<notes, mode::post>()};
    }
    static error apply(auto& ctx, say const& m, plan const& rows)
    {
        ctx.post(rows.out, m);
        return error::ok;
    }
    static void end_block(auto& ctx)
    {
        for (auto const& each : ctx.template posted<notes>())
            ratings::settle(ctx, each.value.agreement, each.value.what);
    }
};
BOOST_DESCRIBE_STRUCT(clerk::say, (), (agreement, what))
BOOST_DESCRIBE_STRUCT(clerk::notes::row, (), (count))

address who(int n) { return crypto::address_of("test", encode(n)); }
address const provider = who(1), renter = who(2), stranger = who(3);
hash256 const deal{std::byte{5}};
constexpr std::uint32_t code(reason why) { return ledger::code<ratings>(why); }

reputation::scores::key const as_provider{provider, reputation::role::provider,
                                          reputation::family::fp32};
reputation::scores::key const as_renter{renter, reputation::role::renter, reputation::family::fp32};
reputation::feedback::key const verdict{provider, deal, renter};

struct court : sandbox<bank, bonds, ratings, clerk> {
    explicit court(int validators = 5)
    {
        genesis<bonds>({});
        ratings::genesis_document by{};
        by.by.rate_within = 20;
        by.by.appeals = {50, 10, 8, 3, 10_blnd, 2'000};
        genesis<ratings>(by);
        for (auto const& each : {provider, renter, stranger}) fund(each, 100_blnd);
        for (int n = 0; n < validators; ++n) {
            fund(who(50 + n), 1'000_blnd);
            REQUIRE(call(who(50 + n), bonds::lock_validator{
                                          crypto::public_key::ed25519({std::byte(n), std::byte{9}}),
                                          {},
                                          500_blnd}) == 0);
        }
        settle(deal);
    }
    void settle(hash256 const& which)
    {
        reputation::settled_agreement of{};
        of.provider = provider;
        of.renter = renter;
        of.paid = 40_blnd;
        of.fees_burned = 500'000'000_grains;
        of.ended = next().at;
        REQUIRE(call(stranger, clerk::say{which, of}) == 0);
    }
    std::uint32_t score(reputation::scores::key const& of = as_provider)
    {
        return ratings::query(view(), ratings::score_of{of, next().at}).score;
    }
    struct view_of {
        court* of;
        template <class T>
        typename T::row row(typename T::key const& key) const
        {
            return of->row<T>(key);
        }
        template <class T, class Visit>
        void each(typename T::key const& from, Visit&& visit) const
        {
            of->state().table<T>().each(from, std::forward<Visit>(visit));
        }
    };
    view_of view() { return {this}; }
    std::vector<reputation::juror> panel() { return row<reputation::appeals>(verdict).of.panel; }
    bool judging() const { return row<reputation::appeals>(verdict).of.seen != height{}; }
};

}  // namespace

TEST_CASE("reputation::contract: both sides rate a settled agreement, once, and nobody else does")
{
    court chain;
    auto const newcomer = chain.score();
    CHECK(chain.call(renter, ratings::rate{deal, as_provider, 101}) == code(reason::bad_rating));
    CHECK(chain.call(stranger, ratings::rate{deal, as_provider, 90}) == code(reason::not_a_party));
    CHECK(chain.call(renter, ratings::rate{deal, as_renter, 90}) == code(reason::not_a_party));
    CHECK(chain.call(renter, ratings::rate{{}, as_provider, 90}) == code(reason::not_settled));
    auto another = as_provider;
    another.work = reputation::family::integer;
    CHECK(chain.call(renter, ratings::rate{deal, another, 90}) == code(reason::not_a_party));
    CHECK(chain.score() == newcomer);
    CHECK(chain.call(renter, ratings::rate{deal, as_provider, 90}) == 0);
    CHECK(chain.score() > newcomer);
    CHECK(chain.call(renter, ratings::rate{deal, as_provider, 90}) == code(reason::rated_already));
    CHECK(chain.call(provider, ratings::rate{deal, as_renter, 10}) == 0);
    CHECK(chain.score(as_renter) < newcomer);
    auto const list = ratings::query(chain.view(), ratings::feedback_of{provider, {}, 10}).list;
    REQUIRE(list.size() == 1);
    CHECK(list[0].what.rating == 90);
    CHECK(list[0].what.agreement == deal);
}

TEST_CASE("reputation::contract: an agreement is forgotten when its time to be rated is over")
{
    court chain;
    for (int i = 0; i < 23; ++i) chain.block();
    CHECK(chain.row<reputation::ended>(deal).provider == address{});
    CHECK(chain.call(renter, ratings::rate{deal, as_provider, 90}) == code(reason::not_settled));
    chain.each<reputation::due>([](auto const&, auto const&) {
        FAIL("nothing is left to be looked after");
        return true;
    });
}

TEST_CASE("reputation::contract: a panel drawn from bonded validators takes a rating back")
{
    court chain;
    auto const newcomer = chain.score();
    REQUIRE(chain.call(renter, ratings::rate{deal, as_provider, 0}) == 0);
    CHECK(chain.call(stranger, ratings::appeal{verdict}) == code(reason::not_a_party));
    CHECK(chain.call(provider, ratings::appeal{{provider, {}, renter}}) ==
          code(reason::nothing_rated));
    CHECK(chain.call(renter, ratings::defend{verdict}) == code(reason::nothing_appealed));
    REQUIRE(chain.call(provider, ratings::appeal{verdict}) == 0);
    CHECK(chain.call(provider, ratings::appeal{verdict}) == code(reason::appeal_over));
    CHECK(chain.balance(provider) == 90_blnd);
    CHECK(chain.call(stranger, ratings::defend{verdict}) == code(reason::not_a_party));
    REQUIRE(chain.call(renter, ratings::defend{verdict}) == 0);
    CHECK(chain.call(renter, ratings::defend{verdict}) == code(reason::too_late));
    CHECK(chain.panel().empty());  // its beacon is not known yet
    for (int i = 0; i < 3; ++i) chain.block();
    auto const panel = chain.panel();
    REQUIRE(panel.size() == 3);
    CHECK(chain.call(stranger, ratings::say{verdict, vote::overturn}) ==
          code(reason::not_on_panel));
    for (auto const& each : panel)
        REQUIRE(chain.call(each.who, ratings::say{verdict, vote::overturn}) == 0);
    CHECK(!chain.judging());
    CHECK(chain.score() == newcomer);
    CHECK(chain.row<reputation::feedback>(verdict).taken_back);
    CHECK(chain.balance(renter) == 90_blnd);
    CHECK(chain.balance(provider) > 107_blnd);  // both stakes, less the panel's share
    CHECK(chain.balance(panel[0].who) > 500_blnd);
}

TEST_CASE("reputation::contract: silence of the rater takes a rating back, silence of the panel "
          "leaves it")
{
    court undefended;
    REQUIRE(undefended.call(renter, ratings::rate{deal, as_provider, 0}) == 0);
    REQUIRE(undefended.call(provider, ratings::appeal{verdict}) == 0);
    for (int i = 0; i < 9; ++i) undefended.block();
    CHECK(undefended.row<reputation::feedback>(verdict).taken_back);
    CHECK(undefended.balance(provider) == 100_blnd);

    for (int const validators : {5, 0}) {
        court silent{validators};
        REQUIRE(silent.call(renter, ratings::rate{deal, as_provider, 0}) == 0);
        REQUIRE(silent.call(provider, ratings::appeal{verdict}) == 0);
        REQUIRE(silent.call(renter, ratings::defend{verdict}) == 0);
        for (int i = 0; i < 16; ++i) silent.block();
        CHECK(!silent.judging());
        CHECK(!silent.row<reputation::feedback>(verdict).taken_back);
        CHECK(silent.balance(provider) == 100_blnd);
        CHECK(silent.balance(renter) == 100_blnd);
    }
}

TEST_CASE("reputation::contract: messages, rows and the genesis document are frozen")
{
    auto const sent = [](auto const& message) { return encode(wrap<ratings>(message)); };
    auto at = [](std::uint64_t h) { return height{h}; };
    reputation::receipt const receipt{
        renter,   provider, reputation::role::provider, reputation::family::memory, deal, 80, 12,
        3_grains, at(4)};
    reputation::appeals::row row{};
    row.of =
        reputation::appeal::open(receipt, provider, {50, 10, 8, 3, 10_blnd, 2'000}, at(5)).value();
    row.stakes = 10_blnd;
    row.draws = at(8);
    row.queued = at(8);
    CHECK(blendr::test::differs_from_frozen(
              "reputation/contract.txt",
              {{"rate", sent(ratings::rate{deal, as_provider, 80})},
               {"appeal", sent(ratings::appeal{verdict})},
               {"defend", sent(ratings::defend{verdict})},
               {"say", sent(ratings::say{verdict, vote::uphold})},
               {"genesis", encode(ratings::genesis_document{})},
               {"feedback", encode(reputation::feedback::row{receipt, true, false})},
               {"appealed", encode(row)},
               {"due", encode(reputation::due::key{at(7), verdict})}}) == "");
}
