// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "town.hpp"

/// What a town's people do all day, some of them badly: most of it fits the state, some of it does not.
namespace blendr::escrow::testing {

class business {
public:
    static constexpr std::uint32_t renters = 6;
    static constexpr std::uint64_t jobs_each = 3;
    static constexpr std::uint32_t providers = 6;
    static constexpr std::uint32_t workers = 8;
    static constexpr std::uint64_t steps = 8;

    /// Chooses one of so many things.
    using choice = std::function<std::uint64_t(std::uint64_t)>;

    business(town& in, std::uint64_t seed)
        : business{in, [any = rng{seed}](std::uint64_t n) mutable { return any.below(n); }}
    {}
    business(town& in, choice choose) : any_{std::move(choose)}, t_{&in} {}

    static address renter_no(std::uint64_t i) { return account(300 + i); }

    /// Purses, devices, bonds and a few validators.
    static void move_in(town& t, amount each)
    {
        for (std::uint32_t i = 0; i < renters; ++i) t.fund(renter_no(i), each);
        for (std::uint32_t i = 0; i < providers; ++i) {
            t.fund(provider(i), each);
            settle_in(t, provider(i), 400_blnd);
        }
        for (std::uint32_t i = 0; i < workers; ++i) t.fund(worker(i), each);
        enlist(t, workers);
        for (std::uint32_t i = 0; i < 4; ++i)
            (void)t.call(
                worker(i),
                bonds::lock_validator{
                    crypto::public_key::ed25519({std::byte(i), std::byte{5}}), {}, 50_blnd});
    }

    std::vector<tx> some_block(std::size_t most)
    {
        std::vector<tx> out;
        for (auto left = any_.below(most) + 1; left > 0; --left) out.push_back(some_tx());
        return out;
    }

private:
    bool chance(std::uint64_t n, std::uint64_t of) { return any_.chance(n, of); }

    /// Two providers and three workers lie about every third thing.
    static bool lies(address const& who, hash256 const& about)
    {
        for (std::uint32_t i = 0; i < 3; ++i)
            if ((i < 2 && who == provider(i)) || who == worker(i))
                return std::to_integer<unsigned>(about[3]) % 3 == 0;
        return false;
    }
    static bytes state_of(address const& who, hash256 const& about, std::uint64_t n)
    {
        auto const wrong = lies(who, about) ? std::to_integer<std::int64_t>(who.raw()[1]) %
                                                  static_cast<std::int64_t>(steps)
                                            : -1;
        return programs::run(encode(std::uint64_t{5}), n, wrong);
    }
    static hash256 result_of(address const& who, hash256 const& about)
    {
        return verify::hash_of_state(state_of(who, about, steps));
    }
    static hash256 nonce_of(hash256 const& about)
    {
        return crypto::hash(task_domain, encode(about));
    }
    static hash256 commitment_of(address const& who, hash256 const& about)
    {
        return verify::commit(
            {who, about, nonce_of(about), verify::digest_of(result_of(who, about), {})});
    }

    // -- products of matrices: two rows of A a unit, two columns
    using numbers = std::vector<std::int64_t>;
    static numbers row_of_a(std::uint64_t i) { return {static_cast<std::int64_t>(i) + 1, 2}; }
    static numbers column_of_b(std::uint64_t i) { return {static_cast<std::int64_t>(i) + 5, -7}; }
    template <class Row>
    static std::vector<hash256> leaves(std::uint64_t count, Row&& row)
    {
        std::vector<hash256> out{};
        for (std::uint64_t i = 0; i < count; ++i) out.push_back(verify::leaf_of_row(row(i)));
        return out;
    }
    /// Rows of C as somebody delivers them: who lies is wrong in the last number.
    static std::vector<numbers> rows_of_c(address const& who, hash256 const& about,
                                          std::uint64_t first, std::uint64_t count)
    {
        std::vector<numbers> out{};
        for (auto i = first; i < first + count; ++i) {
            auto const a = row_of_a(i);
            auto& row = out.emplace_back();
            for (std::uint64_t k = 0; k < 2; ++k)
                row.push_back(a[0] * column_of_b(k)[0] + a[1] * column_of_b(k)[1]);
        }
        if (lies(who, about)) ++out.back().back();
        return out;
    }
    static hash256 product_by(address const& who, hash256 const& about, order const& what,
                              std::uint32_t unit)
    {
        auto const range = range_of(what, unit);
        auto const c = rows_of_c(who, about, range.first, range.second);
        return ledger::list_root(leaves(c.size(), [&](std::uint64_t i) { return c[i]; }));
    }
    void product_of(order& out)
    {
        out.program = {};
        out.items = out.units * 2ull;
        out.inputs.clear();
        out.inputs.push_back(ledger::list_root(leaves(out.items, row_of_a)));
        out.inputs.push_back(ledger::list_root(leaves(2, column_of_b)));
        out.checks = {};
        out.checks.by = checker::product;
        out.checks.quorum = static_cast<std::uint16_t>(1 + any_.below(3));
        out.checks.commit_within = 6;
        out.checks.inner = out.checks.columns = 2;
    }
    /// Drawn workers attest what they should not, too; anybody refutes, sometimes what is right.
    tx in_product(hash256 const& what, jobs::row const& job, verify::products::row const& row)
    {
        auto const all = row.inspectors.size();
        if (all != 0 && chance(2, 3))
            return one(row.inspectors[any_.below(all)].who, verifiers::attest{what});
        auto const c = rows_of_c(row.worker, what, row.first, row.rows);
        auto const r = chance(4, 5) ? row.rows - 1 : any_.below(row.rows);
        verifiers::refute out{};
        out.task = what;
        out.column = chance(4, 5) ? 1 : any_.below(3);
        static_cast<numbers&>(out.a) = row_of_a(row.first + r);
        static_cast<numbers&>(out.b) = column_of_b(out.column);
        static_cast<numbers&>(out.c) = c[r];
        out.in_a = ledger::prove(leaves(job.what.items, row_of_a), row.first + r);
        if (out.column < 2) out.in_b = ledger::prove(leaves(2, column_of_b), out.column);
        out.in_c = ledger::prove(leaves(c.size(), [&](std::uint64_t i) { return c[i]; }), r);
        if (chance(1, 10)) ++static_cast<numbers&>(out.a)[0];
        return one(stranger, std::move(out));
    }

    order some_order()
    {
        auto const units = static_cast<std::uint32_t>(any_.below(6));
        auto out =
            chance(1, 2) ? replicated_order(units, chance(1, 2) ? steps : 0) : plain_order(units);
        if (units == 0) {
            out = plain_order(0);
            out.items = out.demand = 0;
        } else if (out.checks.by == checker::renter && chance(1, 2)) {
            out.inputs.push_back(verify::hash_of_state(encode(std::uint64_t{5})));
            out.checks.steps = steps;
            out.checks.move_within = 4;
        } else if (out.checks.by == checker::replicas && chance(1, 4)) {
            out.checks.by = checker::spot;
            out.checks.cost = amount{any_.below(2'000'000'000) + 1};
        } else if (out.checks.by == checker::replicas && chance(1, 3)) {
            product_of(out);
        }
        out.demand = units == 0 ? 0 : 10;
        out.cap = price{2'000'000'000};
        out.bond = chance(1, 4) ? amount{} : amount{any_.below(8'000'000'000)};
        out.run_within = static_cast<std::uint32_t>(5 + any_.below(40));
        out.window = static_cast<std::uint32_t>(1 + any_.below(12));
        if (out.checks.by == checker::product) out.window += 12;
        out.notice = static_cast<std::uint32_t>(any_.below(3));
        out.checks.fee =
            out.checks.by == checker::renter ? amount{} : amount{any_.below(1'000'000)};
        return out;
    }

    tx one(address const& who, any_message message)
    {
        tx out{chance(1, 60) ? stranger : who, {}};
        out.messages.push_back(std::move(message));
        return out;
    }

    tx some_tx()
    {
        auto const kind = any_.below(40);
        if (kind == 0) {
            auto const i = static_cast<std::uint32_t>(any_.below(providers));
            return one(provider(i), markets::heartbeat{0});
        }
        if (kind == 1) return trade();
        if (kind == 2) return opinion();
        if (kind == 3) {
            auto const i = static_cast<std::uint32_t>(any_.below(workers));
            return one(worker(i), chance(9, 10) ? any_message{verifiers::enlist{worker_bond(i)}}
                                                : any_message{verifiers::leave{worker_bond(i)}});
        }
        if (kind == 4) {
            auto const i = static_cast<std::uint32_t>(any_.below(providers));
            return one(provider(i),
                       bonds::lock_provider{device_bond({provider(i), 0}).id, 20_blnd});
        }
        job_key const key{renter_no(any_.below(renters)), any_.below(jobs_each)};
        auto const row = t_->row<jobs>(key);
        if (!jobs::present(row)) {
            auto const posted = price{any_.below(5) == 0 ? 0 : 1 + any_.below(1'000'000'000)};
            return one(key.renter, escrows::submit{key.number, some_order(),
                                                   amount{any_.below(8'000'000'000)}, posted});
        }
        return about(key, row);
    }

    tx trade()
    {
        market::instrument const spot{rtx, market::hour{0}};
        auto const i = any_.below(renters);
        bool const sells = chance(1, 2);
        markets::place p{};
        p.of = spot;
        p.way = sells ? market::side::sell : market::side::buy;
        p.client_id = sells ? any_.below(1000) : any_.below(jobs_each);
        p.size = quantity{10 + any_.below(40)};
        p.limit = price{1 + any_.below(50'000'000)};
        p.expires = height{t_->now().at.get() + 20};
        p.rounds = 3;
        p.hours = sells ? 1 : 0;
        return one(sells ? provider(static_cast<std::uint32_t>(i)) : renter_no(i), p);
    }

    tx opinion()
    {
        // of somebody's agreement that is remembered, or an appeal that is going on
        std::vector<std::pair<hash256, reputation::settled_agreement>> over;
        t_->each<reputation::ended>([&](auto const& key, auto const& row) {
            if (over.size() < 50) over.emplace_back(key, row);
        });
        std::vector<std::pair<reputation::feedback::key, reputation::appeals::row>> fights;
        t_->each<reputation::appeals>(
            [&](auto const& key, auto const& row) { fights.emplace_back(key, row); });
        if (!fights.empty() && chance(1, 2)) {
            auto const& [key, row] = fights[any_.below(fights.size())];
            if (!row.of.defended) return one(key.rater, ratings::defend{key});
            auto const& panel = row.of.panel;
            if (!panel.empty())
                return one(panel[any_.below(panel.size())].who,
                           ratings::say{key, chance(1, 2) ? reputation::vote::overturn
                                                          : reputation::vote::uphold});
        }
        if (over.empty()) return one(stranger, ratings::appeal{});
        auto const& [id, of] = over[any_.below(over.size())];
        if (chance(1, 3)) return one(of.provider, ratings::appeal{{of.provider, id, of.renter}});
        bool const by_renter = chance(1, 2);
        return one(by_renter ? of.renter : of.provider,
                   ratings::rate{id,
                                 {by_renter ? of.provider : of.renter,
                                  by_renter ? reputation::role::provider : reputation::role::renter,
                                  of.work},
                                 static_cast<std::uint32_t>(any_.below(101))});
    }

    tx about(job_key const& key, jobs::row const& row)
    {
        auto const& money = row.money;
        auto const some_agreement =
            money.agreements.empty()
                ? 0u
                : static_cast<std::uint32_t>(any_.below(money.agreements.size()));
        auto const provider_of = [&](std::uint32_t a) {
            return a < money.agreements.size() ? money.agreements[a].provider : stranger;
        };
        switch (any_.below(22)) {
        case 0:
            return one(chance(1, 2) ? sponsor : key.renter,
                       escrows::top_up{key, amount{any_.below(3'000'000'000)}});
        case 1:
            return one(key.renter, escrows::post_price{key, price{any_.below(1'500'000'000)}});
        case 2:
            return one(key.renter, escrows::approve{key, agreement_no(some_agreement)});
        case 3:
            if (chance(1, 3))
                return one(key.renter, escrows::cancel{key, agreement_no(some_agreement)});
            return one(provider_of(some_agreement),
                       escrows::quit{key, agreement_no(some_agreement)});
        case 4:
            if (chance(1, 10)) return one(key.renter, escrows::cancel_all{key});
            return one(stranger, escrows::report{key,
                                                 agreement_no(some_agreement),
                                                 {provider_of(some_agreement), 0}});
        case 5:
        case 6:
        case 7: {
            std::uint32_t listed = 0;
            for (auto const& u : money.units) listed += u.at == unit_state::listed;
            auto const who = provider(static_cast<std::uint32_t>(any_.below(providers)));
            return one(
                who, escrows::take{
                         key, listed == 0 ? 0 : static_cast<std::uint32_t>(1 + any_.below(listed)),
                         0, reputation::family::fp32});
        }
        case 8:
        case 9:
            for (std::uint32_t a = 0; a < money.agreements.size(); ++a)
                if (money.agreements[a].at == phase::open ||
                    money.agreements[a].at == phase::funded)
                    return one(provider_of(a), escrows::start{key, agreement_no(a), 0});
            [[fallthrough]];
        default:
            return money.units.empty() ? one(key.renter, escrows::accept{key, unit_no(0)})
                                       : about_unit(key, row);
        }
    }

    tx about_unit(job_key const& key, jobs::row const& row)
    {
        auto const n = static_cast<std::uint32_t>(any_.below(row.money.units.size()));
        auto const& u = row.money.units[n];
        auto const what = task_of({key, row.opened, n, u.with});
        auto const who =
            u.with < row.money.agreements.size() ? row.money.agreements[u.with].provider : stranger;
        // orders that were tampered with may be about matrices of any size
        bool const product = row.what.checks.by == checker::product && row.what.items <= 64;
        bool const hidden = row.what.checks.by != checker::renter && !product;
        auto const inspected = t_->row<verify::products>(what);
        if (product && inspected.until != height{} && chance(2, 3))
            return in_product(what, row, inspected);
        if (u.at == unit_state::assigned || chance(1, 20))
            return one(who, escrows::deliver{key, unit_no(n),
                                             product  ? product_by(who, what, row.what, n)
                                             : hidden ? commitment_of(who, what)
                                                      : result_of(who, what),
                                             0});
        if (u.at == unit_state::delivered) {
            if (chance(1, 3)) return one(key.renter, escrows::accept{key, unit_no(n)});
            if (hidden || product) return one(key.renter, escrows::object{key, unit_no(n)});
            return one(key.renter,
                       escrows::challenge{key, unit_no(n), result_of(key.renter, what)});
        }
        if (u.at == unit_state::disputed) {
            auto const fight = t_->row<verify::disputes>(what).of;
            if (fight.high != 0) return in_dispute(what, fight);
            auto const round = t_->row<verify::rounds>(what).of;
            if (!round.replicas.empty()) return in_round(what, round);
        }
        return one(key.renter, escrows::accept{key, unit_no(n)});
    }

    tx in_round(hash256 const& what, verify::round const& round)
    {
        auto const& each = round.replicas[any_.below(round.replicas.size())];
        if (each.at == verify::replica_state::drawn)
            return one(each.worker, verifiers::commit{what, commitment_of(each.worker, what)});
        return one(each.worker,
                   verifiers::reveal{what, nonce_of(what), result_of(each.worker, what), {}});
    }

    tx in_dispute(hash256 const& what, verify::dispute const& fight)
    {
        if (fight.at == verify::dispute_stage::proving) {
            verify::show proof{what, {}};
            static_cast<bytes&>(proof.state) = programs::run(encode(std::uint64_t{5}), fight.low);
            return one(stranger, std::move(proof));
        }
        auto const who = chance(1, 2) ? fight.asserter : fight.challenger;
        return one(
            who, verifiers::move{what, verify::hash_of_state(state_of(who, what, fight.asked()))});
    }

    struct {
        choice below;
        bool chance(std::uint64_t n, std::uint64_t of) { return below(of) < n; }
    } any_;
    town* t_;
};

}  // namespace blendr::escrow::testing
