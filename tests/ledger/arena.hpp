// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/core/random.hpp>
#include <blendr/core/task_pool.hpp>
#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/chain_state.hpp>
#include <blendr/ledger/parallel.hpp>

/// A contract that makes every kind of conflict, and blocks full of them.
namespace blendr::ledger::test {

struct heard {
    std::uint64_t number{};
};

struct arena {
    static constexpr std::uint16_t id = 9;
    static constexpr std::string_view name = "arena";
    enum class error : std::uint16_t { ok, dry, broke, poor };
    using events = type_list<heard>;

    struct wells {
        static constexpr std::string_view name = "wells";
        using key = std::uint32_t;
        struct row {
            amount level{};
            std::uint64_t stirred{};
            friend bool operator==(row const&, row const&) = default;
        };
        static constexpr auto quantity = &row::level;
    };
    struct notes {
        static constexpr std::string_view name = "notes";
        static constexpr bool ordered = true;
        using key = std::uint32_t;
        struct row {
            std::uint64_t text{};
            friend bool operator==(row const&, row const&) = default;
        };
    };
    struct calls {
        static constexpr std::string_view name = "calls";
        using key = std::uint8_t;
        struct row {
            std::uint64_t digest{};
            friend bool operator==(row const&, row const&) = default;
        };
        using entry = std::uint64_t;
    };
    using tables = type_list<wells, notes, calls>;

    struct pump {
        std::uint32_t from{}, to{};
        amount much{};
    };
    struct drain {
        std::uint32_t a{}, b{}, to{};
        amount much{};
    };
    struct look {
        std::uint32_t well{}, note{};
    };
    struct stir {
        std::uint32_t well{};
    };
    struct copy {
        std::uint32_t from{}, to{};
    };
    struct shout {
        std::uint64_t number{};
    };
    struct brittle {
        std::uint32_t note{}, well{};
        bool breaks{};
    };
    struct glance {
        std::uint32_t note{};
    };
    using messages = type_list<pump, drain, look, stir, copy, shout, brittle, glance>;

    static std::uint64_t mixed(std::uint64_t a, std::uint64_t b)
    {
        return (a ^ (b + 0x9e3779b97f4a7c15)) * 0xbf58476d1ce4e5b9 + (a >> 31);
    }

    struct pump_plan {
        ref<wells, mode::debit> from{};
        ref<wells, mode::credit> to{};
    };
    static pump_plan touches(pump const& m, tx_info const&, auto& access)
    {
        return {access.template use<wells, mode::debit>(m.from),
                access.template use<wells, mode::credit>(m.to)};
    }
    static error apply(auto& ctx, pump const& m, pump_plan const& rows)
    {
        if (!ctx.take(rows.from, m.much)) return error::dry;
        ctx.give(rows.to, m.much);
        return error::ok;
    }

    struct drain_plan {
        ref<wells, mode::debit> a{}, b{};
        ref<wells, mode::credit> to{};
    };
    static drain_plan touches(drain const& m, tx_info const&, auto& access)
    {
        return {access.template use<wells, mode::debit>(m.a),
                access.template use<wells, mode::debit>(m.b),
                access.template use<wells, mode::credit>(m.to)};
    }
    static error apply(auto& ctx, drain const& m, drain_plan const& rows)
    {
        auto sum = amount{};
        if (ctx.take(rows.a, m.much)) sum += m.much;
        if (!ctx.take(rows.b, m.much)) return error::dry;  // a was changed: rolled back
        ctx.give(rows.to, sum + m.much);
        return error::ok;
    }

    struct look_plan {
        ref<wells, mode::read> well{};
        ref<notes, mode::write> note{};
    };
    static look_plan touches(look const& m, tx_info const&, auto& access)
    {
        return {access.template use<wells, mode::read>(m.well),
                access.template use<notes, mode::write>(m.note)};
    }
    static error apply(auto& ctx, look const&, look_plan const& rows)
    {
        auto& note = ctx.edit(rows.note);
        note.text =
            mixed(note.text, static_cast<std::uint64_t>(ctx.read(rows.well).level.grains()));
        return error::ok;
    }

    struct stir_plan {
        ref<wells, mode::write> well{};
    };
    static stir_plan touches(stir const& m, tx_info const&, auto& access)
    {
        return {access.template use<wells, mode::write>(m.well)};
    }
    static error apply(auto& ctx, stir const&, stir_plan const& rows)
    {
        auto& well = ctx.edit(rows.well);
        well.stirred = mixed(well.stirred, static_cast<std::uint64_t>(well.level.grains()));
        if (well.level > amount{20}) well.level -= amount{7};
        return error::ok;
    }

    struct copy_plan {
        ref<notes, mode::read> from{};
        ref<notes, mode::write> to{};
    };
    static copy_plan touches(copy const& m, tx_info const&, auto& access)
    {
        return {access.template use<notes, mode::read>(m.from),
                access.template use<notes, mode::write>(m.to)};
    }
    static error apply(auto& ctx, copy const&, copy_plan const& rows)
    {
        auto const text = ctx.read(rows.from).text;
        auto& to = ctx.edit(rows.to);
        to.text = mixed(to.text, text);
        return error::ok;
    }

    struct shout_plan {
        ref<calls, mode::post> call{};
    };
    static shout_plan touches(shout const&, tx_info const&, auto& access)
    {
        return {access.template use<calls, mode::post>()};
    }
    static error apply(auto& ctx, shout const& m, shout_plan const& rows)
    {
        ctx.post(rows.call, m.number);
        ctx.emit(heard{m.number});
        return error::ok;
    }

    struct brittle_plan {
        ref<notes, mode::write> note{};
        ref<wells, mode::credit> well{};
    };
    static brittle_plan touches(brittle const& m, tx_info const&, auto& access)
    {
        return {access.template use<notes, mode::write>(m.note),
                access.template use<wells, mode::credit>(m.well)};
    }
    static error apply(auto& ctx, brittle const& m, brittle_plan const& rows)
    {
        ++ctx.edit(rows.note).text;
        ctx.give(rows.well, amount{3});
        return m.breaks ? error::broke : error::ok;
    }

    // a reader that writes nothing but its receipt
    struct glance_plan {
        ref<notes, mode::read> note{};
    };
    static glance_plan touches(glance const& m, tx_info const&, auto& access)
    {
        return {access.template use<notes, mode::read>(m.note)};
    }
    static error apply(auto& ctx, glance const&, glance_plan const& rows)
    {
        return ctx.read(rows.note).text % 2 == 0 ? error::ok : error::broke;
    }

    static void end_block(auto& ctx)
    {
        auto& row = ctx.template edit<calls>(0);
        for (auto const& each : ctx.template posted<calls>())
            row.digest = mixed(row.digest, each.value + each.message);
        ctx.template each<notes>([&](auto key, auto const& note) {
            return row.digest = mixed(row.digest, key + note.text), true;
        });
        // each well from all the notes, in parallel; the order of the effects counts
        ctx.in_parallel(
            7,
            [](auto const& view, std::size_t i) {
                auto const well = static_cast<std::uint32_t>(i);
                auto sum = view.template row<wells>(well).stirred;
                view.template each<notes>(well, [&](auto key, auto const& note) {
                    return sum = mixed(sum, key + note.text), true;
                });
                for (auto const& each : view.template posted<calls>()) sum += each.value;
                return sum;
            },
            [&](std::size_t i, std::uint64_t sum) {
                row.digest = mixed(row.digest, sum);
                ctx.template edit<notes>(static_cast<std::uint32_t>(i)).text = row.digest % 5;
            });
    }
    static void on(auto& ctx, heard const& event)
    {
        auto& row = ctx.template edit<calls>(1);
        row.digest = mixed(row.digest, event.number);
    }
};
BOOST_DESCRIBE_STRUCT(arena::wells::row, (), (level, stirred))
BOOST_DESCRIBE_STRUCT(arena::notes::row, (), (text))
BOOST_DESCRIBE_STRUCT(arena::calls::row, (), (digest))
BOOST_DESCRIBE_STRUCT(arena::pump, (), (from, to, much))
BOOST_DESCRIBE_STRUCT(arena::drain, (), (a, b, to, much))
BOOST_DESCRIBE_STRUCT(arena::look, (), (well, note))
BOOST_DESCRIBE_STRUCT(arena::stir, (), (well))
BOOST_DESCRIBE_STRUCT(arena::copy, (), (from, to))
BOOST_DESCRIBE_STRUCT(arena::shout, (), (number))
BOOST_DESCRIBE_STRUCT(arena::brittle, (), (note, well, breaks))
BOOST_DESCRIBE_STRUCT(arena::glance, (), (note))

using chain = registry<bank, arena>;

inline address account(std::uint64_t i)
{
    hash256 raw{};
    for (std::size_t b = 0; b < 8; ++b) raw[b] = static_cast<std::byte>(i >> (8 * b));
    return address{raw};
}

using any_message = boost::mp11::mp_rename<chain::messages, std::variant>;
struct tx {
    address sender{};
    std::uint64_t nonce{};
    amount fee{};
    std::vector<any_message> messages{};
};

/// What makes blocks differ in their conflicts.
struct climate {
    std::uint64_t accounts = 20;
    std::uint64_t wells = 8;
    std::uint64_t notes = 8;
    std::uint64_t bank_percent = 50;
    bool hot = false;  ///< everybody pays or uses number 0
};

inline climate climate_of(rng& random)
{
    climate out{};
    out.accounts = 1 + random.below(random.chance(1, 3) ? 400 : 24);
    out.wells = 1 + random.below(random.chance(1, 3) ? 200 : 10);
    out.notes = 1 + random.below(random.chance(1, 3) ? 200 : 10);
    out.bank_percent = random.below(101);
    out.hot = random.chance(1, 6);
    return out;
}

inline any_message message_of(rng& random, climate const& in)
{
    auto const some = [&](std::uint64_t of) {
        return static_cast<std::uint32_t>(in.hot && random.chance(2, 3) ? 0 : random.below(of));
    };
    auto const much = amount{1 + random.below(12)};
    if (random.below(100) < in.bank_percent) {
        if (random.chance(1, 8)) {
            bank::multi_send many{};
            for (auto n = random.below(4); n-- > 0;)
                many.to.push_back({account(some(in.accounts)), much});
            return many;
        }
        return bank::transfer{account(some(in.accounts)), much};
    }
    switch (random.below(8)) {
    case 0:
        return arena::pump{some(in.wells), some(in.wells), much};
    case 1:
        return arena::drain{some(in.wells), some(in.wells), some(in.wells), much};
    case 2:
        return arena::look{some(in.wells), some(in.notes)};
    case 3:
        return arena::stir{some(in.wells)};
    case 4:
        return arena::copy{some(in.notes), some(in.notes)};
    case 5:
        return arena::shout{random()};
    case 6:
        return arena::brittle{some(in.notes), some(in.wells), random.chance(1, 2)};
    default:
        return arena::glance{some(in.notes)};
    }
}

inline std::vector<tx> block_of(rng& random, climate const& in,
                                std::map<address, std::uint64_t>& nonces)
{
    std::vector<tx> out(random.below(160));
    for (auto& each : out) {
        each.sender = account(in.hot && random.chance(1, 3) ? 0 : random.below(in.accounts));
        each.nonce = random.chance(1, 20) ? random.below(50) : nonces[each.sender]++;
        each.fee = amount{random.below(3)};
        for (auto n = random.chance(2, 3) ? 1 : 1 + random.below(3); n-- > 0;)
            each.messages.push_back(message_of(random, in));
    }
    return out;
}

/// Everything that can be seen of a state: rows by key.
using picture = std::map<std::pair<std::size_t, bytes>, bytes>;

/// A chain that runs blocks one way.
class world {
public:
    explicit world(std::uint64_t secret) : rows_{secret} {}

    void fund(std::uint64_t accounts, std::uint64_t wells)
    {
        for (std::uint64_t i = 0; i < accounts; i += 2)
            row<purses>(account(i)).balance = amount{40};
        for (std::uint32_t i = 0; i < wells; i += 2) row<arena::wells>(i).level = amount{25};
    }

    template <class T>
    typename T::row& row(typename T::key const& key)
    {
        auto& table = rows_.template table<T>();
        return table.row(table.intern(key));
    }

    /// With `execute(exact, stamp, block, parts, results, changes)`; parts of `chunk` transactions.
    template <class Execute>
    std::vector<outcome> run(std::vector<tx> const& txs, std::size_t chunk, Execute&& execute)
    {
        std::vector<std::unique_ptr<prepared_part<chain>>> parts;
        for (std::size_t i = 0; i < txs.size(); i += chunk) {
            auto& part = *parts.emplace_back(std::make_unique<prepared_part<chain>>(rows_));
            for (auto j = i; j < std::min(txs.size(), i + chunk); ++j) {
                part.add_tx(txs[j].sender, txs[j].nonce, 1, txs[j].fee);
                for (auto const& message : txs[j].messages)
                    std::visit(
                        [&]<class M>(M const& m) {
                            part.template add_message<chain::message_index<M>>(m);
                        },
                        message);
            }
            part.reserve();
            part.resolve();
        }
        std::vector<std::span<prepared_tx const>> spans;
        for (auto const& each : parts) spans.push_back(each->txs());
        std::vector<outcome> results(txs.size());
        block_info const block{height{++stamp_}, {}, {}, {}};
        last = {};
        lane<chain> exact{rows_, stamp_};
        hooks<chain> all{exact, block, last.minted, pool};
        all.begin_block();
        execute(exact, stamp_, block, std::span{std::as_const(spans)}, std::span{results},
                last.changes);
        all.deliver();
        all.end_block();
        exact.flush_marks();
        last.fees = exact.fees;
        last.gas = exact.gas;
        last.burned = exact.burned;
        last.changes.push_back(std::move(exact.before));
        return results;
    }

    /// The way that defines the others.
    std::vector<outcome> run_in_order(std::vector<tx> const& txs)
    {
        return run(txs, 1000,
                   [](auto& exact, auto, auto const& block, auto parts, auto results, auto&) {
                       for (auto const& each : parts)
                           execute_in_order(exact, block, each, 0, results);
                   });
    }

    picture look() const
    {
        picture out;
        boost::mp11::mp_for_each<boost::mp11::mp_iota_c<chain::table_count>>([&](auto t) {
            auto const& table = rows_.template table<chain::table_at<decltype(t)::value>>();
            for (state::slot i = 0; i < table.size(); ++i)
                if (table.present(i)) out[{t, encode(table.key(i))}] = encode(table.row(i));
        });
        return out;
    }

    rows<chain>& state() { return rows_; }

    applied<chain> last{};
    task_pool* pool = nullptr;  ///< for hooks

private:
    rows<chain> rows_;
    std::uint32_t stamp_{};
};

}  // namespace blendr::ledger::test
