// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <boost/mp11/algorithm.hpp>

#include <blendr/ledger/contract.hpp>
#include <blendr/ledger/registry.hpp>
#include <blendr/state/ordered_table.hpp>
#include <blendr/state/table.hpp>

namespace blendr::ledger {

/// All tables of a chain.
template <class Registry>
class rows {
    template <class T>
    using store =
        std::conditional_t<ordered<T>, state::ordered_table<typename T::key, typename T::row>,
                           state::table<typename T::key, typename T::row>>;
    template <class... Ts>
    using stores = std::tuple<store<Ts>...>;

public:
    explicit rows(std::uint64_t secret)
        : rows{secret, std::make_index_sequence<Registry::table_count>{}}
    {}

    template <class T>
    auto& table() noexcept
    {
        return std::get<Registry::template table_index<T>>(tables_);
    }
    template <class T>
    auto const& table() const noexcept
    {
        return std::get<Registry::template table_index<T>>(tables_);
    }

    std::size_t memory_bytes() const
    {
        return std::apply([](auto const&... each) { return (each.memory_bytes() + ...); }, tables_);
    }

private:
    template <std::size_t... I>
    rows(std::uint64_t secret, std::index_sequence<I...>) : tables_{(secret + I)...}
    {}

    boost::mp11::mp_apply<stores, typename Registry::tables> tables_;
};

namespace impl {

/// What a row was before. The slot lies in the row's tail padding where there is some.
template <class T>
struct former {
    [[no_unique_address]] typename T::row row{};
    state::slot at{};
};

template <class... Ts>
using formers = std::tuple<std::vector<former<Ts>>...>;

template <posted_to T>
struct posted {
    std::uint32_t tx{};
    std::uint32_t message{};
    entry_of<T> value{};
};
template <class T>
using takes_posts = std::bool_constant<posted_to<T>>;
template <class... Ts>
using posts = std::tuple<std::vector<posted<Ts>>...>;

template <class... Es>
using event_of = std::variant<std::monostate, Es...>;

}  // namespace impl

/// The rows that a block changed, each once, with what they held on the other side of the block:
/// before it while it is applied, after it while it is not. `swap` crosses over.
template <class Registry>
struct delta {
    boost::mp11::mp_apply<impl::formers, typename Registry::tables> changed{};

    template <class T>
    auto& of() noexcept
    {
        return std::get<Registry::template table_index<T>>(changed);
    }
    template <class T>
    auto const& of() const noexcept
    {
        return std::get<Registry::template table_index<T>>(changed);
    }

    /// Empty again, with the memory that it has.
    void clear()
    {
        std::apply([](auto&... each) { (each.clear(), ...); }, changed);
    }

    void swap(rows<Registry>& state)
    {
        boost::mp11::mp_for_each<
            boost::mp11::mp_transform<boost::mp11::mp_identity, typename Registry::tables>>(
            [&](auto type) {
                using table = typename decltype(type)::type;
                for (auto& each : of<table>()) {
                    std::swap(state.template table<table>().row(each.at), each.row);
                    if constexpr (ordered<table>) state.template table<table>().changed(each.at);
                }
            });
    }
};

/// Posts of one block: a contract walks its own in end_block, in block order.
template <class Registry>
struct post_queue {
    using tables = boost::mp11::mp_copy_if<typename Registry::tables, impl::takes_posts>;
    boost::mp11::mp_apply<impl::posts, tables> queued{};

    template <posted_to T>
    auto& of() noexcept
    {
        return std::get<boost::mp11::mp_find<tables, T>::value>(queued);
    }
};

/// Deltas of blocks that are history, for the memory in them.
template <class Registry>
class spare_deltas {
public:
    static constexpr std::size_t kept_max = 16;

    delta<Registry> take()
    {
        if (kept_.empty()) return {};
        auto out = std::move(kept_.back());
        kept_.pop_back();
        return out;
    }
    void give(delta<Registry> old)
    {
        old.clear();
        if (kept_.size() < kept_max) kept_.push_back(std::move(old));
    }

private:
    std::vector<delta<Registry>> kept_{};
};

/// An event on its way to the contracts that listen to it.
template <class Registry>
struct queued_event {
    std::uint32_t tx{};
    boost::mp11::mp_apply<impl::event_of, typename Registry::events> event{};
};

/// What one worker keeps while it executes transactions: how to undo the block, how to undo the
/// transaction at hand, and what the transactions left for later.
template <class Registry>
class lane {
public:
    /// `spare` is memory to keep changes in: taking an old delta's saves asking the system for more.
    lane(rows<Registry>& state, std::uint32_t stamp, delta<Registry> spare = {}) noexcept
        : before{std::move(spare)},
          state_{&state},
          stamp_{stamp}
    {
        before.clear();
    }

    rows<Registry>& state() noexcept { return *state_; }
    rows<Registry> const& state() const noexcept { return *state_; }

    /// A row about to change; what it was before the block is kept.
    template <class T>
    [[gnu::always_inline]] typename T::row& touch(state::slot at)
    {
        auto& table = state_->template table<T>();
        auto& row = table.row(at);
        if (auto& stamp = table.stamp(at); stamp != stamp_) [[unlikely]] {
            before.template of<T>().push_back({row, at});
            stamp = stamp_;
        }
        if constexpr (ordered<T>) marks_.template of<T>().push_back({{}, at});
        return row;
    }

    /// The same for a transaction that may yet fail.
    template <class T>
    [[gnu::always_inline]] typename T::row& edit(state::slot at)
    {
        auto& row = touch<T>(at);
        undo_.template of<T>().push_back({row, at});
        undo_tables_ |= std::uint64_t{1} << Registry::template table_index<T>;
        return row;
    }

    /// Takes from a row's quantity; nothing happens when there is not so much.
    template <class T, mode M>
    [[gnu::always_inline]] bool take(state::slot at, quantity_of<T> value)
    {
        auto const rest = sub(state_->template table<T>().row(at).*T::quantity, value);
        if (!rest) return false;
        edit<T>(at).*T::quantity = *rest;
        return true;
    }
    template <class T, mode M>
    [[gnu::always_inline]] void give(state::slot at, quantity_of<T> value)
    {
        auto& quantity = edit<T>(at).*T::quantity;
        auto const sum = add(quantity, value);
        BLENDR_ASSERT(sum.has_value());
        quantity = *sum;
    }

    /// What a transaction did so far; `rollback` returns to it, `keep` makes it final.
    void begin(std::uint32_t tx)
    {
        tx_ = tx;
        events_kept_ = events.size();
    }
    void keep() noexcept
    {
        burned += std::exchange(burned_here_, amount{});
        if (undo_tables_ != 0) clear_undo();
    }
    void rollback()
    {
        each_undone([&]<class T>(auto& saved) {
            for (auto i = saved.size(); i-- > 0;)
                state_->template table<T>().row(saved[i].at) = std::move(saved[i].row);
        });
        each_queue([&]<class T>() {
            auto& queue = posts.template of<T>();
            while (!queue.empty() && queue.back().tx == tx_) queue.pop_back();
        });
        events.resize(events_kept_);
        burned_here_ = amount{};
        clear_undo();
    }

    void burn(amount value) { burned_here_ += value; }

    template <posted_to T>
    void post(std::uint32_t message, entry_of<T> value)
    {
        posts.template of<T>().push_back({tx_, message, std::move(value)});
    }
    template <class Event>
    void emit(Event value)
    {
        events.push_back({tx_, std::move(value)});
    }

    /// Tells the ordered tables which rows to look at again.
    void flush_marks()
    {
        each_table([&]<class T>() {
            if constexpr (ordered<T>) {
                for (auto const& each : marks_.template of<T>())
                    state_->template table<T>().changed(each.at);
                marks_.template of<T>().clear();
            }
        });
    }

    /// Takes over what another lane left for later; the other's rows are its own.
    void absorb(lane& other)
    {
        other.flush_marks();
        each_queue([&]<class T>() {
            auto& queue = other.posts.template of<T>();
            posts.template of<T>().insert(posts.template of<T>().end(),
                                          std::make_move_iterator(queue.begin()),
                                          std::make_move_iterator(queue.end()));
        });
        events.insert(events.end(), std::make_move_iterator(other.events.begin()),
                      std::make_move_iterator(other.events.end()));
        burned += other.burned;
        fees += other.fees;
        gas += other.gas;
    }
    /// Back into block order after `absorb`.
    void sort_queues()
    {
        auto const by_place = [](auto const& a, auto const& b) {
            return std::pair{a.tx, a.message} < std::pair{b.tx, b.message};
        };
        each_queue([&]<class T>() {
            auto& queue = posts.template of<T>();
            std::stable_sort(queue.begin(), queue.end(), by_place);
        });
        std::stable_sort(events.begin(), events.end(),
                         [](auto const& a, auto const& b) { return a.tx < b.tx; });
    }

    delta<Registry> before{};
    post_queue<Registry> posts{};
    std::vector<queued_event<Registry>> events{};
    amount burned{};
    amount fees{};
    std::uint64_t gas{};

protected:
    template <class Body>
    static void each_table(Body&& body)
    {
        boost::mp11::mp_for_each<
            boost::mp11::mp_transform<boost::mp11::mp_identity, typename Registry::tables>>(
            [&](auto type) { body.template operator()<typename decltype(type)::type>(); });
    }
    template <class Body>
    static void each_queue(Body&& body)
    {
        boost::mp11::mp_for_each<boost::mp11::mp_transform<boost::mp11::mp_identity,
                                                           typename post_queue<Registry>::tables>>(
            [&](auto type) { body.template operator()<typename decltype(type)::type>(); });
    }
    template <class Body>
    void each_undone(Body&& body)
    {
        each_table([&]<class T>() {
            if ((undo_tables_ >> Registry::template table_index<T> & 1) != 0)
                body.template operator()<T>(undo_.template of<T>());
        });
    }
    void clear_undo() noexcept
    {
        each_undone([]<class T>(auto& saved) { saved.clear(); });
        undo_tables_ = 0;
    }

    static_assert(Registry::table_count <= 64);

    rows<Registry>* state_;
    std::uint32_t stamp_;
    std::uint32_t tx_{};
    std::uint64_t undo_tables_{};
    delta<Registry> undo_{};
    delta<Registry> marks_{};
    std::size_t events_kept_{};
    amount burned_here_{};
};

}  // namespace blendr::ledger
