// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <blendr/core/assert.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/core/task_pool.hpp>
#include <blendr/ledger/contract.hpp>
#include <blendr/ledger/rows.hpp>

namespace blendr::ledger {

/// Where in the chain a message or hook runs. The beacon is the one that nobody could steer: two
/// blocks old.
struct block_info {
    height at{};
    time_ms time{};
    hash256 beacon{};
    address proposer{};
};

/// What `apply` sees and changes: the rows of its plan, through the plan's handles. What a mode does
/// not allow does not compile.
template <class Lane>
class tx_context {
public:
    tx_context(Lane& on, block_info const& block) noexcept : lane_{&on}, block_{&block} {}

    tx_info const& tx() const noexcept { return tx_; }
    block_info const& block() const noexcept { return *block_; }

    template <class T, mode M>
        requires(M == mode::read || M == mode::write)
    typename T::row const& read(ref<T, M> const& at) const noexcept
    {
        return lane_->state().template table<T>().row(at.slot());
    }

    /// The row, to be changed: after everything was validated.
    template <class T>
    typename T::row& edit(ref<T, mode::write> const& at)
    {
        return lane_->template edit<T>(at.slot());
    }

    /// Takes from the row's quantity, or says that there is not so much.
    template <quantified T, mode M>
        requires(M == mode::debit || M == mode::write)
    [[nodiscard]] bool take(ref<T, M> const& at, quantity_of<T> value)
    {
        return lane_->template take<T, M>(at.slot(), value);
    }

    /// Adds to the row's quantity. What is given was taken before, or is bounded by its contract.
    template <quantified T, mode M>
        requires(M == mode::credit || M == mode::debit || M == mode::write)
    void give(ref<T, M> const& at, quantity_of<T> value)
    {
        lane_->template give<T, M>(at.slot(), value);
    }

    /// Leaves something for end_block, in block order.
    template <posted_to T>
    void post(ref<T, mode::post> const&, entry_of<T> value)
    {
        lane_->template post<T>(message_, std::move(value));
    }

    /// Tells the contracts that listen, after the block's last transaction.
    template <class Event>
    void emit(Event event)
    {
        lane_->emit(std::move(event));
    }

    /// Money that was taken ceases to be.
    void burn(amount value) { lane_->burn(value); }

    /// For the machine: which message is at work.
    void enter(tx_info const& tx) noexcept
    {
        tx_ = tx;
        message_ = 0;
    }
    void next_message() noexcept { ++message_; }

private:
    Lane* lane_;
    block_info const* block_;
    tx_info tx_{};
    std::uint32_t message_{};
};

namespace impl {
/// What the hooks of one block share.
template <class Registry>
struct hook_scene {
    lane<Registry>* on{};
    block_info const* block{};
    amount* minted{};
    task_pool* pool{};       // none: everything on the caller's thread
    bool computing = false;  // parts run in parallel: nothing may change
};
}  // namespace impl

/// What the parts of `hook_context::in_parallel` see: the same rows, and no way to change them.
template <class Registry, class C>
class hook_view {
public:
    explicit hook_view(impl::hook_scene<Registry> const& scene) noexcept : scene_{&scene} {}

    block_info const& block() const noexcept { return *scene_->block; }

    /// A row that is absent reads as a default row.
    template <class T>
        requires(may_use<C, T, mode::read>())
    typename T::row const& row(typename T::key const& key) const
    {
        static typename T::row const absent{};
        auto const& table = state().template table<T>();
        auto const at = table.find(key);
        return at == state::no_slot ? absent : table.row(at);
    }

    /// As `hook_context::each`.
    template <ordered T, class Visit>
        requires(may_use<C, T, mode::read>())
    void each(typename T::key const& from, Visit&& visit) const
    {
        auto const& table = state().template table<T>();
        table.each_slot(from, [&](state::slot at) {
            return !table.present(at) || visit(table.key(at), table.row(at));
        });
    }
    template <ordered T, class Visit>
        requires(may_use<C, T, mode::read>())
    void each(Visit&& visit) const
    {
        auto const& table = state().template table<T>();
        table.each_slot([&](state::slot at) {
            return !table.present(at) || visit(table.key(at), table.row(at));
        });
    }

    /// As `hook_context::posted`.
    template <posted_to T>
        requires(may_use<C, T, mode::write>())
    auto posted() const
    {
        return std::span{std::as_const(scene_->on->posts.template of<T>())};
    }

private:
    rows<Registry> const& state() const noexcept { return std::as_const(*scene_->on).state(); }

    impl::hook_scene<Registry> const* scene_;
};

/// What hooks see and change: every row that their contract may use, by key. They run one after
/// the other, between the transactions of two blocks, and cannot fail. Handles and the functions
/// that other contracts export work here as they do in a message.
template <class Registry, class C>
class hook_context {
public:
    explicit hook_context(impl::hook_scene<Registry>& scene) noexcept : scene_{&scene} {}

    block_info const& block() const noexcept { return *scene_->block; }

    template <class T, mode M>
        requires(may_use<C, T, M>())
    ref<T, M> use(typename T::key const& key)
    {
        return impl::ref_maker::make<T, M>(changing().state().template table<T>().intern(key));
    }

    /// For the functions that contract D exports.
    template <class D>
    hook_context<Registry, D> as(pass<D>) const noexcept
    {
        return hook_context<Registry, D>{*scene_};
    }

    template <class T, mode M>
    typename T::row const& read(ref<T, M> const& at) const noexcept
    {
        return scene_->on->state().template table<T>().row(at.slot());
    }
    /// By key, without a handle. A row that is absent reads as a default row.
    template <class T>
        requires(may_use<C, T, mode::read>())
    typename T::row const& row(typename T::key const& key) const
    {
        return hook_view<Registry, C>{*scene_}.template row<T>(key);
    }

    template <class T>
    typename T::row& edit(ref<T, mode::write> const& at)
    {
        return changing().template touch<T>(at.slot());
    }
    template <class T>
        requires(may_use<C, T, mode::write>())
    typename T::row& edit(typename T::key const& key)
    {
        return edit(use<T, mode::write>(key));
    }

    template <quantified T, mode M>
        requires(M == mode::debit || M == mode::write)
    [[nodiscard]] bool take(ref<T, M> const& at, quantity_of<T> value)
    {
        auto const rest =
            sub(changing().state().template table<T>().row(at.slot()).*T::quantity, value);
        if (!rest) return false;
        changing().template touch<T>(at.slot()).*T::quantity = *rest;
        return true;
    }
    template <quantified T, mode M>
        requires(M == mode::credit || M == mode::debit || M == mode::write)
    void give(ref<T, M> const& at, quantity_of<T> value)
    {
        auto& quantity = changing().template touch<T>(at.slot()).*T::quantity;
        auto const sum = add(quantity, value);
        BLENDR_ASSERT(sum.has_value());
        quantity = *sum;
    }

    /// Visits the present rows of an ordered table from the first key that is not below `from`, in
    /// key order, until `visit(key, row)` says false. It sees the rows as they were when it began
    /// and may change them.
    template <ordered T, class Visit>
        requires(may_use<C, T, mode::read>())
    void each(typename T::key const& from, Visit&& visit)
    {
        changing().flush_marks();
        scene_->on->state().template table<T>().each(from, std::forward<Visit>(visit));
    }
    template <ordered T, class Visit>
        requires(may_use<C, T, mode::read>())
    void each(Visit&& visit)
    {
        changing().flush_marks();
        scene_->on->state().template table<T>().each(std::forward<Visit>(visit));
    }

    /// What the block's transactions left for this hook, in block order: {tx, message, value}.
    template <posted_to T>
        requires(may_use<C, T, mode::write>())
    auto posted() const
    {
        return hook_view<Registry, C>{*scene_}.template posted<T>();
    }

    /// Work that takes long, on all cores, with a result that is the same on every node: first
    /// `compute(view, i)` for every i below `count`, in no particular order and on many threads, each
    /// from the rows as they are now; then, in order, `apply(i, value)` with what each computed. Only
    /// `apply` may change rows, emit, burn; what `compute` writes elsewhere must be its own. `view` is a
    /// hook_view.
    template <class Compute, class Apply>
    void in_parallel(std::size_t count, Compute&& compute, Apply&& apply)
    {
        using value = std::invoke_result_t<Compute&, hook_view<Registry, C> const&, std::size_t>;
        std::vector<std::optional<value>> computed(count);
        changing().flush_marks();
        scene_->computing = true;
        auto const part = [&](std::size_t begin, std::size_t end) {
            hook_view<Registry, C> const view{*scene_};
            for (auto i = begin; i < end; ++i) computed[i].emplace(compute(view, i));
        };
        if (scene_->pool != nullptr)
            scene_->pool->parallel_for(count, 1, part);
        else
            part(0, count);
        scene_->computing = false;
        for (std::size_t i = 0; i < count; ++i) apply(i, *std::move(computed[i]));
    }

    template <class Event>
    void emit(Event event)
    {
        changing().emit(std::move(event));
    }

    /// Money ceases to be, or comes to be: only what the chain's supply rules allow.
    void burn(amount value)
    {
        changing().burn(value);
        changing().keep();
    }
    void mint(amount value)
        requires(std::same_as<C, base>)
    {
        changing();
        *scene_->minted += value;
    }

private:
    lane<Registry>& changing() const noexcept
    {
        BLENDR_ASSERT(!scene_->computing);  // a part of `in_parallel` tried to
        return *scene_->on;
    }

    impl::hook_scene<Registry>* scene_;
};

}  // namespace blendr::ledger
