// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <blendr/core/random.hpp>
#include <blendr/escrow/contract.hpp>
#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/chain_state.hpp>
#include <blendr/ledger/parallel.hpp>
#include <blendr/ledger/query.hpp>
#include <blendr/verify/referee.hpp>

#include "../support/rows.hpp"

/// A chain of all contracts that agreements need, block by block, without keys and fees: executed in
/// order or in parallel, looked at row by row, and rebuilt from its leaves.
namespace blendr::escrow::testing {

using escrows = escrow::contract;
using verifiers = verify::contract;
using ratings = reputation::contract;
using markets = market::contract;
using bonds = bond::contract;

/// One program that the chain can recompute: a step mixes its number into eight bytes.
struct programs {
    static hash256 mixer() { return hash256{std::byte{0x77}}; }
    static bytes step(std::uint64_t number, bytes_view before)
    {
        std::uint64_t state = number * 0x9e3779b97f4a7c15;
        for (auto const each : before) state = state * 31 + std::to_integer<std::uint64_t>(each);
        return encode(state);
    }
    static verify::step_registry const& steps()
    {
        static verify::step_registry const all = [] {
            verify::step_registry made{};
            (void)made.add({mixer(), 64, &step});
            return made;
        }();
        return all;
    }
    /// The state after so many steps, with a fault in step `wrong` if that is not below zero.
    static bytes run(bytes state, std::uint64_t steps, std::int64_t wrong = -1)
    {
        for (std::uint64_t i = 0; i < steps; ++i) {
            state = step(i, state);
            if (static_cast<std::int64_t>(i) == wrong) state[0] ^= std::byte{1};
        }
        return state;
    }
};

/// Counts what the contracts tell.
struct witness {
    static constexpr std::uint16_t id = 90;
    static constexpr std::string_view name = "witness";
    enum class error : std::uint16_t { ok };
    using messages = ledger::type_list<>;
    using heard = boost::mp11::mp_append<escrows::events, verifiers::events, ratings::events>;
    struct seen {
        static constexpr std::string_view name = "seen";
        using key = std::uint8_t;
        struct row {
            std::array<std::uint64_t, boost::mp11::mp_size<heard>::value> counts{};
        };
    };
    using tables = ledger::type_list<seen>;
    template <class Event>
        requires(boost::mp11::mp_contains<heard, Event>::value)
    static void on(auto& ctx, Event const&)
    {
        ++ctx.template edit<seen>(0).counts[boost::mp11::mp_find<heard, Event>::value];
    }
};
BOOST_DESCRIBE_STRUCT(witness::seen::row, (), (counts))

using chain = ledger::registry<ledger::bank, bonds, ratings, verifiers, verify::referee<programs>,
                               markets, escrows, witness>;
using any_message = boost::mp11::mp_rename<chain::messages, std::variant>;

struct tx {
    address sender{};
    std::vector<any_message> messages{};
};

inline address account(std::uint64_t i)
{
    hash256 raw{};
    for (std::size_t b = 0; b < 8; ++b)
        raw[b] = static_cast<std::byte>(((i + 1) * 0x9e3779b97f4a7c15) >> (8 * b));
    return address{raw};
}

inline constexpr market::device_class rtx{1};
inline constexpr market::class_spec rtx_spec{std::uint64_t{16} << 30, 40, 10, 10};
inline constexpr time_ms genesis_time = market::start_of(market::hour{480'000});

class town {
public:
    explicit town(std::uint64_t secret = 0);

    void fund(address const& who, amount value)
    {
        auto& purses = rows_->table<ledger::purses>();
        purses.row(purses.intern(who)).balance += value;
    }

    /// One block; nonces are filled in.
    std::vector<ledger::outcome> run_in_order(std::span<tx const> txs);
    std::vector<ledger::outcome> run_in_parallel(std::span<tx const> txs, std::size_t chunk,
                                                 ledger::parallel_executor<chain>& execute);
    void block() { (void)run_in_order({}); }
    void pass(std::uint64_t blocks)
    {
        for (std::uint64_t i = 0; i < blocks; ++i) block();
    }
    /// A block of one message: its code.
    std::uint32_t call(address const& who, any_message message)
    {
        tx const one{who, {std::move(message)}};
        return run_in_order(std::span{&one, 1}).front().code;
    }

    template <class T>
    typename T::row row(typename T::key const& key) const
    {
        auto const& table = std::as_const(*rows_).table<T>();
        auto const at = table.find(key);
        return at == state::no_slot ? typename T::row{} : table.row(at);
    }
    template <class T, class Visit>
    void each(typename T::key const& from, Visit&& visit) const
    {
        rows_->table<T>().each(from, std::forward<Visit>(visit));
    }
    template <class T, class Visit>
    void each(Visit&& visit) const
    {
        auto const& table = std::as_const(*rows_).table<T>();
        for (state::slot i = 0; i < table.size(); ++i)
            if (table.present(i)) visit(table.key(i), table.row(i));
    }
    /// Asks a contract, see ledger/query.hpp. Its index is made anew each time.
    template <class Query>
    ledger::answer_of<chain, Query> ask(Query const& asked) const
    {
        ledger::indexes<chain> indices{};
        indices.rebuild(*rows_);
        ledger::impl::query_work work{ledger::query_limits{}.rows_max, false, false, false, {}};
        return ledger::ask(ledger::committed_rows<chain>{*rows_}, indices, asked, work).value();
    }
    amount balance(address const& who) const { return row<ledger::purses>(who).balance; }

    test::picture look() const;

    /// Everything in memory is lost; what the leaves say is all that there is.
    void crash() { rebuild(look()); }

    /// Where another one stands.
    void become(town const& other)
    {
        rebuild(other.look());
        block_ = other.block_;
        burned = other.burned;
    }

    /// How often an event was told.
    template <class Event>
    std::uint64_t told() const
    {
        return row<witness::seen>(0).counts[boost::mp11::mp_find<witness::heard, Event>::value];
    }

    void rebuild(test::picture const& leaves);

    /// All there is, and all that was burned: never changes but by `fund`.
    amount money() const;
    ledger::rows<chain>& state() noexcept { return *rows_; }
    ledger::block_info const& now() const { return block_; }

    ledger::applied<chain> last{};
    amount burned{};

private:
    template <class Execute>
    std::vector<ledger::outcome> run(std::span<tx const> txs, std::size_t chunk, Execute&& execute);
    template <class First, class Then>
    void in_hooks(First&& first, Then&& then);

    std::unique_ptr<ledger::rows<chain>> rows_;
    ledger::lane<chain>* exact_{};
    ledger::block_info block_{height{0}, genesis_time, {}, {}};
    std::uint32_t stamp_{};
    std::uint64_t secret_{100};
};

// -- people

inline address const renter = account(1), sponsor = account(2), stranger = account(3);
inline address provider(std::uint32_t i) { return account(100 + i); }
inline address worker(std::uint32_t i) { return account(200 + i); }

inline constexpr std::uint32_t code(reject why) { return ledger::code<escrows>(why); }
inline constexpr std::uint32_t code(verify::reject why) { return ledger::code<verifiers>(why); }
inline constexpr std::uint32_t code(reputation::reject why) { return ledger::code<ratings>(why); }
inline constexpr std::uint32_t fine = 0;

inline bond::subject worker_bond(std::uint32_t i)
{
    return {bond::purpose::provider, crypto::hash(market::bond_domain, encode(std::uint64_t{i}))};
}

/// A provider with an enrolled and bonded device 0, and a purse.
inline void settle_in(town& t, address const& who, amount bond = 50_blnd)
{
    t.fund(who, 1'000_blnd);
    (void)t.call(who, markets::enrol{0, rtx,
                                     std::string{"vendor=nvidia, model=rtx4090, region=eu, "
                                                 "vram=24_GiB, fp32=80, memory=60, integer=50"}});
    if (bond != amount{}) (void)t.call(who, bonds::lock_provider{device_bond({who, 0}).id, bond});
}
/// Workers who may be drawn, each with a bond.
inline void enlist(town& t, std::uint32_t count)
{
    for (std::uint32_t i = 0; i < count; ++i) {
        t.fund(worker(i), 1'000_blnd);
        (void)t.call(worker(i), bonds::lock_provider{worker_bond(i).id, 100_blnd});
        (void)t.call(worker(i), verifiers::enlist{worker_bond(i)});
    }
}

inline order plain_order(std::uint32_t units)
{
    order out{};
    out.program = programs::mixer();
    out.items = units * 100ull;
    out.units = units;
    out.demand = 60;
    out.cap = price{1'000'000'000};
    out.bond = 10_blnd;
    out.search_within = 60;
    out.start_within = 10;
    out.run_within = 50;
    out.window = 12;
    out.grace = 5;
    out.notice = 1;
    out.warn_before = 3;
    return out;
}
inline order replicated_order(std::uint32_t units, std::uint64_t steps = 0)
{
    auto out = plain_order(units);
    out.checks.by = checker::replicas;
    out.checks.quorum = 2;
    out.checks.most = 4;
    out.checks.commit_within = out.checks.reveal_within = 6;
    out.checks.fee = 1_blnd;
    if (steps != 0) {
        out.inputs.push_back(verify::hash_of_state(encode(std::uint64_t{5})));
        out.checks.steps = steps;
        out.checks.move_within = 4;
    }
    return out;
}
inline constexpr price one_blnd{1'000'000'000};

inline unit_id unit_no(std::uint32_t n) { return unit_id{n}; }
inline agreement_id agreement_no(std::uint32_t n) { return agreement_id{n}; }

/// What queries see.
struct town_view {
    town const* of;
    template <class T>
    typename T::row row(typename T::key const& key) const
    {
        return of->row<T>(key);
    }
    template <class T, class Visit>
    void each(typename T::key const& from, Visit&& visit) const
    {
        of->each<T>(from, std::forward<Visit>(visit));
    }
};
inline town_view view_of(town const& t) { return {&t}; }

inline hash256 task(town const& t, job_key const& job, std::uint32_t unit)
{
    return escrows::query(view_of(t), escrows::unit_of{job, unit_no(unit)}).task;
}

}  // namespace blendr::escrow::testing
