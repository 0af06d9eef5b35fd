// SPDX-License-Identifier: Apache-2.0
#include <blendr/verify/contract.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <blendr/ledger/message.hpp>
#include <blendr/ledger/sandbox.hpp>
#include <blendr/verify/referee.hpp>
#include <support/vectors.hpp>

using namespace blendr;
using namespace blendr::ledger;

namespace {

using bonds = bond::contract;
using checks = verify::contract;
using reason = verify::reject;

/// Stands for the contract above that has work checked: opens what it is told to, hears what it came to.
struct office {
    static constexpr std::uint16_t id = 500;
    static constexpr std::string_view name = "office";
    enum class error : std::uint16_t { ok, poor };
    struct work {
        hash256 task{};
        hash256 commitment{};
        std::uint16_t quorum{2};
        std::uint16_t most{4};
        amount pot{};
        bool product{};
        hash256 a{}, b{}, c{};
    };
    struct todo {
        static constexpr std::string_view name = "todo";
        using key = std::uint8_t;
        struct row {
            std::uint64_t right{}, wrong{}, unsure{}, refuted{};
            bool refused{};
        };
        struct entry {
            work what{};
            address by{};
        };
    };
    using messages = type_list<work>;
    using tables = type_list<todo>;
    struct plan {
        ref<purses, mode::debit> purse{};
        ref<todo, mode::post> out{};
    };
    static plan touches(work const&, tx_info const& tx, auto& access)
    {
        return {access.template use<purses, mode::debit>(tx.sender),
                access.template use<todo, mode::post>()};
    }
    static error apply(auto& ctx, work const& m, plan const& rows)
    {
        if (!ctx.take(rows.purse, m.pot)) return error::poor;
        ctx.post(rows.out, {m, ctx.tx().sender});
        return error::ok;
    }
    static void end_block(auto& ctx)
    {
        auto const now = ctx.block().at;
        for (auto const& each : ctx.template posted<todo>()) {
            auto const& m = each.value.what;
            bool opened{};
            if (m.product) {
                checks::product_inspection in{};
                in.task = m.task;
                in.worker = in.patron = each.value.by;
                in.a = m.a, in.b = m.b, in.c = m.c;
                in.first = 0, in.rows = 2, in.inner = 3, in.columns = 2;
                in.inspectors = 2, in.attest_within = 4;
                in.fee = 1_blnd, in.pot = m.pot;
                in.until = later(now, 20);
                opened = checks::open(ctx, in);
            } else {
                checks::inspection in{};
                in.task = m.task;
                in.worker = in.patron = each.value.by;
                in.commitment = m.commitment;
                in.rules = {m.quorum, m.most, 0, 9, 9, {}};
                in.fee = 1_blnd, in.pot = m.pot;
                in.until = later(now, 60);
                opened = checks::open(ctx, in);
            }
            if (opened) continue;
            ctx.template edit<todo>(0).refused = true;
            ctx.give(ctx.template use<purses, mode::credit>(each.value.by), m.pot);
        }
    }
    static void on(auto& ctx, verify::decided const& d)
    {
        auto& row = ctx.template edit<todo>(0);
        row.right += d.what == verify::finding::right;
        row.wrong += d.what == verify::finding::wrong;
        row.unsure += d.what == verify::finding::unsure;
    }
    static void on(auto& ctx, verify::refuted const&) { ++ctx.template edit<todo>(0).refuted; }
};
BOOST_DESCRIBE_STRUCT(office::work, (), (task, commitment, quorum, most, pot, product, a, b, c))
BOOST_DESCRIBE_STRUCT(office::todo::row, (), (right, wrong, unsure, refuted, refused))

address who(int n) { return crypto::address_of("test", encode(n)); }
bond::subject bond_of(int n) { return {bond::purpose::provider, hash256{std::byte(n + 1)}}; }
constexpr std::uint32_t code(reason why) { return ledger::code<checks>(why); }

struct hall : sandbox<bank, bonds, checks, verify::referee<verify::no_programs>, office> {
    explicit hall(int workers)
    {
        genesis<bonds>({});
        genesis<checks>({});
        for (int n = -1; n < workers; ++n) {
            fund(who(n), 1'000_blnd);
            if (n < 0) continue;
            REQUIRE(call(who(n), bonds::lock_provider{bond_of(n).id, 200_blnd}) == 0);
            REQUIRE(call(who(n), checks::enlist{bond_of(n)}) == 0);
        }
    }
    hash256 const task{std::byte{9}}, nonce{std::byte{8}}, result{std::byte{7}};
    address const me = who(-1);

    hash256 commitment(address const& by, hash256 const& of) const
    {
        return verify::commit({by, task, nonce, verify::digest_of(of, {})});
    }
    verify::round round() const { return row<verify::rounds>(task).of; }
    bool going() const { return row<verify::rounds>(task).until != height{}; }
    amount locked(int n) const { return row<bonds::bonds>(bond_of(n)).held.locked; }
};

}  // namespace

TEST_CASE("verify::contract: only a bond's owner enlists it, once, and leaves")
{
    hall chain{2};
    CHECK(chain.row<verify::roll>(0).count == 2);
    CHECK(chain.call(who(0), checks::enlist{bond_of(1)}) == code(reason::not_your_bond));
    CHECK(chain.call(who(0), checks::enlist{bond_of(0)}) == code(reason::already_enlisted));
    CHECK(chain.call(who(0), checks::leave{bond_of(1)}) == code(reason::not_your_bond));
    CHECK(chain.call(who(0), checks::leave{bond_of(5)}) == code(reason::not_enlisted));
    CHECK(chain.call(who(0), checks::leave{bond_of(0)}) == 0);
    CHECK(chain.row<verify::roll>(0).count == 1);
    CHECK(chain.call(who(1), bonds::unbond{bond_of(1), 200_blnd}) == 0);
    CHECK(chain.call(who(1), checks::leave{bond_of(1)}) == 0);
    CHECK(chain.call(who(1), checks::enlist{bond_of(1)}) == code(reason::no_bond));
}

TEST_CASE("verify::contract: drawn replicas commit, reveal and are paid, copies and strangers are "
          "refused")
{
    hall chain{4};
    REQUIRE(chain.call(chain.me, office::work{chain.task, chain.commitment(chain.me, chain.result),
                                              3, 5, 4_blnd}) == 0);
    auto const round = chain.round();
    REQUIRE(round.replicas.size() == 3);
    auto const a = round.replicas[1].worker, b = round.replicas[2].worker;
    CHECK(a != b);
    auto const mine = chain.commitment(a, chain.result);
    checks::reveal const shown{chain.task, chain.nonce, chain.result, {}};
    CHECK(chain.call(who(77), checks::commit{chain.task, mine}) == code(reason::not_drawn));
    CHECK(chain.call(a, checks::commit{{}, mine}) == code(reason::unknown_task));
    CHECK(chain.call(a, shown) == code(reason::not_revealing));
    CHECK(chain.call(a, checks::commit{chain.task, mine}) == 0);
    CHECK(chain.call(a, checks::commit{chain.task, mine}) == code(reason::already_committed));
    CHECK(chain.call(b, checks::commit{chain.task, mine}) == code(reason::copied));
    CHECK(chain.call(b, checks::commit{chain.task, chain.commitment(b, chain.result)}) == 0);
    auto other = shown;
    other.result = hash256{std::byte{1}};
    CHECK(chain.call(a, other) == code(reason::commitment_broken));
    CHECK(chain.call(a, shown) == 0);
    CHECK(chain.call(a, shown) == code(reason::already_revealed));
    CHECK(chain.call(b, shown) == 0);
    auto const had = chain.balance(chain.me);
    CHECK(chain.call(chain.me, shown) == 0);
    CHECK(!chain.going());
    CHECK(chain.row<office::todo>(0).right == 1);
    CHECK(chain.balance(a) == 801_blnd);
    CHECK(chain.balance(b) == 801_blnd);
    CHECK(chain.balance(chain.me) == had + 2_blnd);  // what was not needed
    CHECK(chain.row<verify::standings>(a).agreed == 1);
    CHECK(chain.row<verify::standings>(chain.me).agreed == 1);
    CHECK(chain.call(a, shown) == code(reason::unknown_task));
}

TEST_CASE(
    "verify::contract: who was drawn and is silent loses a little, is replaced and not drawn again")
{
    hall chain{3};
    REQUIRE(chain.call(chain.me, office::work{chain.task, chain.commitment(chain.me, chain.result),
                                              2, 3, 2_blnd}) == 0);
    auto const silent = chain.round().replicas.at(1).worker;
    for (int i = 0; i < 30 && chain.round().replicas.size() < 3; ++i) chain.block();
    REQUIRE(chain.round().replicas.size() == 3);
    auto const next = chain.round().replicas[2].worker;
    CHECK(next != silent);
    REQUIRE(chain.call(next, checks::commit{chain.task, chain.commitment(next, chain.result)}) ==
            0);
    checks::reveal const shown{chain.task, chain.nonce, chain.result, {}};
    REQUIRE(chain.call(next, shown) == 0);
    REQUIRE(chain.call(chain.me, shown) == 0);
    CHECK(chain.row<office::todo>(0).right == 1);
    CHECK(chain.row<verify::roll>(0).count == 2);
    for (int n = 0; n < 3; ++n) {
        CHECK(chain.locked(n) == (who(n) == silent ? 199_blnd : 200_blnd));
        CHECK((chain.row<verify::workers>(bond_of(n)).owner == who(n)) == (who(n) != silent));
    }
}

TEST_CASE(
    "verify::contract: when nobody can be drawn the round is given up and its money goes back")
{
    hall chain{0};
    auto const had = chain.balance(chain.me);
    REQUIRE(chain.call(chain.me, office::work{chain.task, chain.commitment(chain.me, chain.result),
                                              2, 3, 2_blnd}) == 0);
    CHECK(chain.going());
    for (int i = 0; i < 61; ++i) chain.block();
    CHECK(!chain.going());
    CHECK(chain.row<office::todo>(0).unsure == 1);
    CHECK(chain.balance(chain.me) == had);
    chain.each<verify::due>([](auto const&, auto const&) {
        FAIL("nothing is left to be looked after");
        return true;
    });
}

TEST_CASE("verify::contract: work that its author would not show is not right")
{
    hall chain{2};
    REQUIRE(chain.call(chain.me, office::work{chain.task, chain.commitment(chain.me, chain.result),
                                              2, 2, 2_blnd}) == 0);
    auto const other = chain.round().replicas.at(1).worker;
    REQUIRE(chain.call(other, checks::commit{chain.task, chain.commitment(other, chain.result)}) ==
            0);
    REQUIRE(chain.call(other, checks::reveal{chain.task, chain.nonce, chain.result, {}}) == 0);
    for (int i = 0; i < 30 && chain.going(); ++i) chain.block();
    CHECK(chain.row<office::todo>(0).wrong == 1);
}

TEST_CASE(
    "verify::contract: a task is looked at once at a time, and contradicting rules open nothing")
{
    hall chain{2};
    office::work const first{chain.task, chain.commitment(chain.me, chain.result), 2, 3, 2_blnd};
    REQUIRE(chain.call(chain.me, first) == 0);
    auto const had = chain.balance(chain.me);
    REQUIRE(chain.call(chain.me, first) == 0);
    CHECK(chain.row<office::todo>(0).refused);
    CHECK(chain.balance(chain.me) == had);
    auto bad = first;
    bad.task = hash256{std::byte{44}};
    bad.most = 1;
    REQUIRE(chain.call(chain.me, bad) == 0);
    CHECK(chain.balance(chain.me) == had);
    CHECK(chain.row<verify::rounds>(bad.task).until == height{});
}

namespace {

using numbers = std::vector<std::int64_t>;

/// A product of 2 by 3 and 3 by 2, with what each matrix is committed to by.
struct product {
    std::vector<numbers> a{{1, 2, 3}, {4, 5, 6}};
    std::vector<numbers> b{{7, 8, 9}, {-1, -2, -3}};  // columns
    std::vector<numbers> c{{50, -14}, {122, -32}};

    static std::vector<hash256> leaves(std::vector<numbers> const& rows)
    {
        std::vector<hash256> out;
        for (auto const& each : rows) out.push_back(verify::leaf_of_row(each));
        return out;
    }
    static hash256 root(std::vector<numbers> const& rows) { return list_root(leaves(rows)); }

    checks::refute refute(hash256 const& task, std::uint64_t row, std::uint64_t column) const
    {
        checks::refute out{};
        out.task = task;
        out.column = column;
        static_cast<numbers&>(out.a) = a[row];
        static_cast<numbers&>(out.b) = b[column];
        static_cast<numbers&>(out.c) = c[row];
        out.in_a = prove(leaves(a), row);
        out.in_b = prove(leaves(b), column);
        out.in_c = prove(leaves(c), row);
        return out;
    }
};

}  // namespace

TEST_CASE("verify::contract: a right product is attested by who was drawn, and cannot be refuted")
{
    hall chain{3};
    product const right{};
    office::work work{chain.task, {}, 0, 0, 2_blnd, true};
    work.a = product::root(right.a), work.b = product::root(right.b);
    work.c = product::root(right.c);
    REQUIRE(chain.call(chain.me, work) == 0);
    auto const drawn = chain.row<verify::products>(chain.task).inspectors;
    REQUIRE(drawn.size() == 2);
    CHECK(chain.call(chain.me, checks::attest{chain.task}) == code(reason::not_drawn));
    CHECK(chain.call(drawn[0].who, checks::attest{chain.task}) == 0);
    CHECK(chain.call(drawn[0].who, checks::attest{chain.task}) == code(reason::already_attested));
    CHECK(chain.balance(drawn[0].who) == 801_blnd);
    for (std::uint64_t r = 0; r < 2; ++r)
        for (std::uint64_t k = 0; k < 2; ++k)
            CHECK(chain.call(who(2), right.refute(chain.task, r, k)) ==
                  code(reason::product_is_right));
    auto forged = right.refute(chain.task, 0, 0);
    forged.a[0] = 9;
    CHECK(chain.call(who(2), forged) == code(reason::bad_proof));
    forged = right.refute(chain.task, 0, 0);
    forged.column = 1;
    CHECK(chain.call(who(2), forged) == code(reason::bad_proof));
    forged.column = 2;
    CHECK(chain.call(who(2), forged) == code(reason::wrong_size));
    forged = right.refute(chain.task, 0, 0);
    forged.in_a = prove(product::leaves(right.a), 1);
    CHECK(chain.call(who(2), forged) == code(reason::bad_proof));
    forged = right.refute(chain.task, 0, 0);
    forged.b.pop_back();
    CHECK(chain.call(who(2), forged) == code(reason::wrong_size));
    for (int i = 0; i < 21; ++i) chain.block();
    CHECK(chain.row<verify::products>(chain.task).until == height{});
    CHECK(chain.row<office::todo>(0).refuted == 0);
    CHECK(chain.row<verify::roll>(0).count == 2);  // the silent inspector is struck off
}

TEST_CASE("verify::contract: one wrong element refutes a product, and who attested it pays")
{
    hall chain{3};
    product wrong{};
    ++wrong.c[1][0];
    office::work work{chain.task, {}, 0, 0, 2_blnd, true};
    work.a = product::root(wrong.a), work.b = product::root(wrong.b);
    work.c = product::root(wrong.c);
    REQUIRE(chain.call(chain.me, work) == 0);
    auto const drawn = chain.row<verify::products>(chain.task).inspectors;
    REQUIRE(chain.call(drawn[0].who, checks::attest{chain.task}) == 0);
    CHECK(chain.call(chain.me, wrong.refute(chain.task, 0, 0)) == code(reason::product_is_right));
    auto const lazy = std::find_if(drawn.begin(), drawn.end(), [&](auto const& d) {
                          return d.who == drawn[0].who;
                      })->bond;
    auto const before = chain.row<bonds::bonds>(lazy).held.locked;
    auto const had = chain.balance(chain.me);
    REQUIRE(chain.call(chain.me, wrong.refute(chain.task, 1, 0)) == 0);
    CHECK(chain.row<office::todo>(0).refuted == 1);
    CHECK(before - chain.row<bonds::bonds>(lazy).held.locked == 20_blnd);
    CHECK(chain.balance(chain.me) == had + 4_blnd + 1_blnd);  // the reporter's part, and the pot
    CHECK(chain.call(chain.me, wrong.refute(chain.task, 1, 0)) == code(reason::unknown_task));
}

TEST_CASE("verify::contract: messages, rows and the genesis document are frozen")
{
    auto const sent = [](auto const& message) { return encode(wrap<checks>(message)); };
    hash256 const task{std::byte{1}}, other{std::byte{2}};
    verify::rounds::row round{};
    round.of = verify::round::open(task, {2, 3, 4, 5, 6, {7, 8}}, height{9}).value();
    (void)round.of.add(who(1), 2, height{9});
    round.results.push_back(other);
    round.bonds.push_back(bond_of(1));
    round.run = {task, 64, other, 3};
    round.patron = who(2);
    round.fee = amount{1};
    round.pot = amount{2};
    round.until = height{30};
    round.draws = height{12};
    round.queued = height{12};
    verify::products::row row{};
    row.worker = who(1);
    row.rows = 4, row.inner = 5, row.columns = 6;
    row.inspectors.push_back({who(3), bond_of(3), true});
    row.until = height{9};
    verify::disputes::row dispute{};
    dispute.of =
        verify::dispute::open({task, 8, task, task, other}, who(1), who(2), 3, height{4}).value();
    dispute.bond = bond_of(2);
    dispute.stake = amount{5};
    CHECK(blendr::test::differs_from_frozen(
              "verify/contract.txt",
              {{"enlist", sent(checks::enlist{bond_of(1)})},
               {"leave", sent(checks::leave{bond_of(1)})},
               {"commit", sent(checks::commit{task, other})},
               {"reveal", sent(checks::reveal{task, other, task, {}})},
               {"move", sent(checks::move{task, other})},
               {"attest", sent(checks::attest{task})},
               {"refute", sent(product{}.refute(task, 1, 0))},
               {"show", encode(wrap<verify::referee<verify::no_programs>>(verify::show{task, {}}))},
               {"genesis", encode(checks::genesis_document{})},
               {"round", encode(round)},
               {"product", encode(row)},
               {"dispute", encode(dispute)},
               {"due", encode(verify::due::key{height{7}, verify::due_kind::dispute, task})},
               {"leaf", encode(verify::leaf_of_row({1, -2, 3}))}}) == "");
}
