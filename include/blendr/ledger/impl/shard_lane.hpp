// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/mp11/algorithm.hpp>

#include <blendr/core/assert.hpp>
#include <blendr/ledger/context.hpp>
#include <blendr/ledger/executor.hpp>
#include <blendr/ledger/rows.hpp>
#include <blendr/ledger/schedule.hpp>

namespace blendr::ledger {

/// Ways to get parallel execution wrong. The property test must catch each.
enum class defect : std::uint8_t {
    none,
    fails_on_lower_bound,  ///< a debit that another shard's credit would cover fails
    taint_forgotten,       ///< later transactions overtake one that was left
    credits_early,         ///< one that was left sees credits that come after it
    rollback_partial,      ///< one that was left keeps the fee that it paid the first time
    reads_unordered,       ///< reads do not wait for the changes before them
    queues_unsorted,       ///< posts and events stand in shard order
};

}  // namespace blendr::ledger

namespace blendr::ledger::impl {

template <class T>
struct credit {
    quantity_of<T> value{};
    state::slot at{};
    std::uint32_t tx{};  // in its chunk
};

struct no_credits {};
template <class T>
struct credits_of {
    using type = no_credits;
};
template <quantified T>
struct credits_of<T> {
    using type = std::vector<credit<T>>;
};
template <class... Ts>
using credit_lists = std::tuple<typename credits_of<Ts>::type...>;

/// Something to be done after a chunk, in block order: a transaction, or a credit of one.
struct left_over {
    std::uint32_t tx{};
    bool is_credit{};
    std::uint8_t table{};
    std::uint8_t lane{};
    std::uint32_t index{};

    friend bool operator<(left_over const& a, left_over const& b) noexcept
    {
        return std::tie(a.tx, a.is_credit, a.table, a.lane, a.index) <
               std::tie(b.tx, b.is_credit, b.table, b.lane, b.index);
    }
};

/// One shard at work: a lane that knows which rows are its own.
template <class Registry, defect Defect>
class alignas(128) shard_lane : public lane<Registry> {
    using base_lane = lane<Registry>;
    using tables = typename Registry::tables;
    using outbox = boost::mp11::mp_apply<credit_lists, tables>;

public:
    shard_lane(rows<Registry>& state, std::uint32_t stamp, delta<Registry> spare, shards owners,
               std::uint8_t me)
        : base_lane{state, stamp, std::move(spare)},
          owners_{owners},
          me_{me},
          out_(owners.count())
    {}

    // what tx_context calls instead of the base's

    template <class T, mode M>
    [[gnu::always_inline]] bool take(state::slot at, quantity_of<T> value)
    {
        if (base_lane::template take<T, M>(at, value)) return true;
        // of a row that is written whole the exact quantity is known
        if constexpr (M == mode::debit && Defect != defect::fails_on_lower_bound) uncertain_ = true;
        return false;
    }

    template <class T, mode M>
    [[gnu::always_inline]] void give(state::slot at, quantity_of<T> value)
    {
        if constexpr (M == mode::credit) {
            auto const owner = owners_.of(at);
            if (owner != me_ || tainted<T>(at)) {
                list<T>(out_[owner]).push_back({value, at, here_});
                return;
            }
        }
        base_lane::template give<T, M>(at, value);
    }

    /// Runs what is at home here, in order, and taints what runs later.
    void run(block_info const& block, std::span<prepared_tx const> txs,
             std::span<std::uint32_t const> turns, std::uint32_t first, std::span<outcome> results,
             std::uint32_t chunk)
    {
        chunk_ = chunk;
        tx_context context{*this, block};
        for (std::size_t i = 0; i < turns.size(); ++i) {
            fetch_ahead(txs, turns, i);
            here_ = turns[i] & ~chunk_plan::runs_later;
            if (turns[i] != here_) {
                if (me_ == 0) left_.push_back({here_, false, 0, 0, 0});
                taint(txs[here_]);
            } else if (needs_tainted(txs[here_]) ||
                       !run_here(context, txs[here_], first, results[here_])) {
                leave(txs[here_]);
            }
        }
    }

    /// Adds what `from` sent here; what is for a tainted row waits.
    void deliver(shard_lane& from)
    {
        each_quantified([&]<class T>() {
            auto const& sent = list<T>(from.out_[me_]);
            for (std::size_t i = 0; i < sent.size(); ++i) {
                if (i + fetch_credits < sent.size())
                    this->state().template table<T>().prefetch(sent[i + fetch_credits].at);
                auto const& each = sent[i];
                if (tainted<T>(each.at)) {
                    auto& held = list<T>(held_);
                    left_.push_back({each.tx, true,
                                     static_cast<std::uint8_t>(Registry::template table_index<T>),
                                     me_, static_cast<std::uint32_t>(held.size())});
                    held.push_back(each);
                } else {
                    add_to<T>(*this, each);
                }
            }
        });
    }

    std::span<left_over const> left() const noexcept { return left_; }

    /// Adds a credit that waited.
    void apply(left_over const& which, base_lane& exact)
    {
        each_quantified([&]<class T>() {
            if (which.table == Registry::template table_index<T>)
                add_to<T>(exact, list<T>(held_)[which.index]);
        });
    }

    void clear_outboxes()
    {
        for (auto& each : out_) clear(each);
    }
    void clear_left()
    {
        left_.clear();
        clear(held_);
        any_taint_ = false;
    }

private:
    static constexpr std::size_t fetch_credits = 8;

    /// A shard jumps over what others run, so the processor cannot guess what comes next: the record
    /// is fetched first, then what it points to, then the rows.
    [[gnu::always_inline]] void fetch_ahead(std::span<prepared_tx const> txs,
                                            std::span<std::uint32_t const> turns,
                                            std::size_t i) const
    {
        auto const at = [&](std::size_t ahead) -> prepared_tx const* {
            if (i + ahead >= turns.size()) return nullptr;
            return &txs[turns[i + ahead] & ~chunk_plan::runs_later];
        };
        if (auto const* tx = at(3 * rows_ahead)) {
            __builtin_prefetch(tx);
            __builtin_prefetch(reinterpret_cast<std::byte const*>(tx) + sizeof *tx - 1);
        }
        if (auto const* tx = at(2 * rows_ahead)) {
            __builtin_prefetch(tx->calls);
            __builtin_prefetch(reinterpret_cast<std::byte const*>(tx->calls) + 64);
            __builtin_prefetch(tx->touches);
        }
        if (auto const* tx = at(rows_ahead)) fetch_rows(this->state(), *tx);
    }

    template <class T>
    static auto& list(outbox& in) noexcept
    {
        return std::get<Registry::template table_index<T>>(in);
    }
    template <class Body>
    static void each_quantified(Body&& body)
    {
        base_lane::each_table([&]<class T>() {
            if constexpr (quantified<T>) body.template operator()<T>();
        });
    }
    static void clear(outbox& box)
    {
        each_quantified([&]<class T>() { list<T>(box).clear(); });
    }

    template <class T>
    static void add_to(base_lane& on, credit<T> const& each)
    {
        auto& quantity = on.template touch<T>(each.at).*T::quantity;
        auto const sum = add(quantity, each.value);
        BLENDR_ASSERT(sum.has_value());
        quantity = *sum;
    }

    template <class T>
    bool tainted(state::slot at) noexcept
    {
        return any_taint_ && this->state().template table<T>().mark(at) == chunk_;
    }

    /// The rows of a transaction that order matters for, as far as they are this shard's.
    template <class Body>
    void each_own_exclusive(prepared_tx const& tx, Body&& body)
    {
        for (auto const& at : std::span{tx.touches, tx.touch_count})
            if (at.how != mode::credit && owners_.of(at.at) == me_)
                boost::mp11::mp_with_index<Registry::table_count>(at.table, [&](auto t) {
                    using table = typename Registry::template table_at<decltype(t)::value>;
                    body(this->state().template table<table>().mark(at.at));
                });
    }
    bool needs_tainted(prepared_tx const& tx)
    {
        bool found = false;
        if (any_taint_)
            each_own_exclusive(tx, [&](auto& mark) { found = found || mark == chunk_; });
        return found;
    }
    void taint(prepared_tx const& tx)
    {
        if constexpr (Defect == defect::taint_forgotten) return;
        any_taint_ = true;
        each_own_exclusive(tx, [&](auto& mark) { mark = chunk_; });
    }
    void leave(prepared_tx const& tx)
    {
        left_.push_back({here_, false, 0, 0, 0});
        taint(tx);
    }

    /// False: whether it succeeds is for order to tell, and nothing happened.
    template <class Context>
    [[gnu::always_inline]] bool run_here(Context& context, prepared_tx const& tx,
                                         std::uint32_t first, outcome& result)
    {
        auto const& purse = this->state().template table<purses>().row(tx.purse);
        if (tx.refused != 0 || purse.nonce != tx.nonce) {
            result = {tx.refused != 0 ? tx.refused : code(reject::nonce_not_next), false};
            return true;
        }
        if (purse.balance < tx.fee) {
            if constexpr (Defect != defect::fails_on_lower_bound) return false;
            result = {code(reject::underfunded), false};
            return true;
        }
        this->begin(first + here_);
        uncertain_ = false;
        auto& paid = this->template touch<purses>(tx.purse);
        paid.balance -= tx.fee;
        ++paid.nonce;
        context.enter({tx.sender, tx.nonce});
        auto const failed = run_messages<Registry>(context, tx);
        if (!uncertain_ && failed == 0) {
            this->keep();
        } else {
            this->rollback();
            take_back();
            if (uncertain_) {
                if constexpr (Defect != defect::rollback_partial) paid.balance += tx.fee;
                --paid.nonce;
                return false;
            }
        }
        this->fees += tx.fee;
        this->gas += tx.gas;
        // results begin as success: shards that write side by side would pull at each other's lines
        if (failed != 0) result = {failed, true};
        return true;
    }
    void take_back()
    {
        for (auto& box : out_)
            each_quantified([&]<class T>() {
                auto& sent = list<T>(box);
                while (!sent.empty() && sent.back().tx == here_) sent.pop_back();
            });
    }

    shards owners_;
    std::uint8_t me_;
    bool uncertain_{};
    bool any_taint_{};
    std::uint32_t chunk_{};
    std::uint32_t here_{};
    std::vector<outbox> out_;  // by owner
    outbox held_{};
    std::vector<left_over> left_{};
};

}  // namespace blendr::ledger::impl
