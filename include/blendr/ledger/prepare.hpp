// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/mp11/algorithm.hpp>

#include <blendr/core/amount.hpp>
#include <blendr/core/assert.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/ledger/contract.hpp>
#include <blendr/ledger/fees.hpp>
#include <blendr/ledger/gas.hpp>
#include <blendr/ledger/registry.hpp>
#include <blendr/ledger/reject.hpp>
#include <blendr/ledger/rows.hpp>

namespace blendr::ledger {

/// A row that a transaction touches: first as the hash of its key, then as its slot.
struct touch {
    std::uint32_t at{};
    std::uint8_t table{};
    mode how{};
};

namespace impl {

struct call_base {
    call_base* next = nullptr;  // of the same transaction
    std::uint16_t index{};      // the message's, among all of the chain
};

template <class Message>
struct access_probe {
    template <class T, mode M>
    ref<T, M> use(auto const&...)
    {
        return {};
    }
    template <class D>
    access_probe as(pass<D>)
    {
        return {};
    }
};

template <class Kind>
using plan_of =
    decltype(Kind::owner::touches(std::declval<typename Kind::message const&>(),
                                  std::declval<tx_info const&>(),
                                  std::declval<access_probe<typename Kind::message>&>()));

/// A message with its plan, as it lies in memory while its block is executed.
template <class Kind>
struct call : call_base {
    using kind = Kind;
    typename Kind::message message{};
    plan_of<Kind> plan{};
};

}  // namespace impl

/// Calls `body` with the call as what it is.
template <class Registry, class Body>
[[gnu::always_inline]] inline void visit_call(impl::call_base& call, Body&& body)
{
    boost::mp11::mp_with_index<Registry::message_count>(call.index, [&](auto i) {
        using kind = typename Registry::template message_at<decltype(i)::value>;
        body(static_cast<impl::call<kind>&>(call));
    });
}

/// A transaction ready to run: decoded, its fee known, its rows known by slot.
struct prepared_tx {
    amount fee{};  ///< gas × base fee + tip
    address sender{};
    std::uint64_t nonce{};
    std::uint64_t gas{};
    impl::call_base* calls = nullptr;
    touch* touches = nullptr;
    std::uint32_t touch_count{};
    std::uint32_t refused{};  ///< a code, when it was clear before that it will not be charged
    state::slot purse{};      ///< the sender's
};

/// What `touches` is given. `use` names rows; the first time it hashes keys, so that their memory
/// can be fetched while other transactions are looked at, the second time it finds their slots.
template <class Registry, class C, class Walker>
class access {
public:
    explicit access(Walker& walker) noexcept : walker_{&walker} {}

    template <class T, mode M>
    ref<T, M> use(typename T::key const& key)
    {
        static_assert(may_use<C, T, M>(), "this contract may not use that table in this mode");
        return impl::ref_maker::make<T, M>(walker_->template row<T, M>(key));
    }
    /// Of `post`: it has no key.
    template <class T, mode M>
        requires(M == mode::post)
    ref<T, M> use()
    {
        static_assert(may_use<C, T, M>(), "this contract may not use that table in this mode");
        static_assert(posted_to<T>, "a table that is posted to says of what: using entry = ...;");
        return impl::ref_maker::make<T, M>(0);
    }
    /// For the functions that contract D exports.
    template <class D>
    access<Registry, D, Walker> as(pass<D>) const noexcept
    {
        return access<Registry, D, Walker>{*walker_};
    }

private:
    Walker* walker_;
};

/// Some transactions of a block, made ready by one worker in two steps: `add_*` decodes and hashes,
/// `resolve` finds slots. Between them the tables make room for `keys_wanted`.
template <class Registry>
class prepared_part {
    template <std::size_t I>
    using kind_at = typename Registry::template message_at<I>;

public:
    explicit prepared_part(rows<Registry>& state) : state_{&state} {}
    prepared_part(prepared_part const&) = delete;
    prepared_part& operator=(prepared_part const&) = delete;
    ~prepared_part()
    {
        for (auto const& [object, destroy] : to_destroy_) destroy(object);
    }

    /// Opens a transaction; `price` closes it.
    void add_tx(address const& sender, std::uint64_t sequence)
    {
        auto& tx = txs_.emplace_back();
        tx.sender = sender;
        tx.nonce = sequence;
        first_touch_.push_back(touches_.size());
        last_ = nullptr;
        hasher{*this}.template row<purses, mode::debit>(sender);
    }
    void add_tx(address const& sender, std::uint64_t sequence, std::uint64_t needed, amount fee)
    {
        add_tx(sender, sequence);
        txs_.back().gas = needed;
        txs_.back().fee = fee;
    }

    /// What the open transaction needs, given its size in bytes.
    gas needs(std::size_t size) const
    {
        auto const rows = touches_.size() - first_touch_.back();
        return gas{default_weights.transaction + default_weights.byte * size +
                   default_weights.row * rows + txs_.back().gas};
    }

    /// What it pays for that. One that its own maximum does not cover is not charged, and not run.
    void price(gas needed, gas_price base_fee, amount tip, amount fee_max)
    {
        auto& tx = txs_.back();
        tx.gas = needed.get();
        auto const fee = fee_of(needed, base_fee, tip);
        if (fee && *fee <= fee_max)
            tx.fee = *fee;
        else
            tx.refused = code(reject::fee_below_base);
    }

    /// Adds a message of local index I to the transaction that was opened last.
    template <std::size_t I>
    void add_message(typename kind_at<I>::message message)
    {
        using call = impl::call<kind_at<I>>;
        auto* const made = ::new (arena_.allocate(sizeof(call), alignof(call))) call{};
        if constexpr (!std::is_trivially_destructible_v<call>)
            to_destroy_.emplace_back(
                made, [](impl::call_base* each) { std::destroy_at(static_cast<call*>(each)); });
        made->index = static_cast<std::uint16_t>(I);
        made->message = std::move(message);
        (last_ == nullptr ? txs_.back().calls : last_->next) = made;
        last_ = made;
        txs_.back().gas +=
            message_gas<typename kind_at<I>::owner, typename kind_at<I>::message>(made->message);
        hasher walker{*this};
        plan(*made, txs_.back(), walker);
    }

    /// The same from bytes. False: the body is not the encoding of any such message.
    bool add_message(std::size_t index, bytes_view body)
    {
        bool good = false;
        boost::mp11::mp_with_index<Registry::message_count>(index, [&](auto i) {
            reader in{body};
            typename kind_at<decltype(i)::value>::message message{};
            good = read(in, message) && in.left() == 0;
            if (good) this->template add_message<decltype(i)::value>(std::move(message));
        });
        return good;
    }

    /// How many new keys the part may bring to each table.
    std::array<std::size_t, Registry::table_count> const& keys_wanted() const noexcept
    {
        return wanted_;
    }

    /// Makes that room, when this is the only part.
    void reserve()
    {
        boost::mp11::mp_for_each<boost::mp11::mp_iota_c<Registry::table_count>>([&](auto t) {
            using table = typename Registry::template table_at<decltype(t)::value>;
            state_->template table<table>().reserve(wanted_[t]);
        });
    }

    /// From any thread, while others resolve other parts.
    void resolve()
    {
        first_touch_.push_back(touches_.size());
        for (std::size_t i = 0; i < far; ++i) fetch_ahead(i, true);
        for (std::size_t i = 0; i < near; ++i) fetch_ahead(i, false);
        resolver walker{*this};
        for (std::size_t i = 0; i < txs_.size(); ++i) {
            auto& tx = txs_[i];
            tx.touches = touches_.data() + first_touch_[i];
            tx.touch_count = static_cast<std::uint32_t>(first_touch_[i + 1] - first_touch_[i]);
            walker.tx = nullptr;
            tx.purse = walker.template row<purses, mode::debit>(tx.sender);
            walker.tx = &tx;
            for (auto* each = tx.calls; each != nullptr; each = each->next)
                visit_call<Registry>(*each, [&](auto& call) { plan(call, tx, walker); });
        }
        BLENDR_ASSERT(walker.next == touches_.size());
    }

    std::span<prepared_tx const> txs() const noexcept { return txs_; }

private:
    static constexpr std::size_t near = 8;  // touches ahead whose keys are fetched
    static constexpr std::size_t far = 16;  // and places in the index

    template <class Call, class Walker>
    static void plan(Call& call, prepared_tx const& tx, Walker& walker)
    {
        using owner = typename Call::kind::owner;
        access<Registry, owner, Walker> rows_of{walker};
        call.plan = owner::touches(call.message, tx_info{tx.sender, tx.nonce}, rows_of);
    }

    struct hasher {
        prepared_part& part;

        template <class T, mode M>
        state::slot row(typename T::key const& key)
        {
            constexpr auto index = Registry::template table_index<T>;
            part.touches_.push_back(
                {part.state_->template table<T>().hash(key), static_cast<std::uint8_t>(index), M});
            ++part.wanted_[index];
            return state::no_slot;
        }
    };

    struct resolver {
        prepared_part& part;
        prepared_tx const* tx = nullptr;
        std::size_t next = 0;

        template <class T, mode M>
        state::slot row(typename T::key const& key)
        {
            auto& at = part.touches_[next];
            BLENDR_ASSERT(at.table == Registry::template table_index<T> && at.how == M);
            part.fetch_ahead(next + far, true);
            part.fetch_ahead(next + near, false);
            ++next;
            if constexpr (std::is_same_v<T, purses>)
                if (tx != nullptr && key == tx->sender) return at.at = tx->purse;
            return at.at = part.state_->template table<T>().intern_hashed(key, at.at);
        }
    };

    [[gnu::always_inline]] void fetch_ahead(std::size_t i, bool index) const
    {
        if (i >= touches_.size()) return;
        auto const& at = touches_[i];
        boost::mp11::mp_with_index<Registry::table_count>(at.table, [&](auto t) {
            auto const& table =
                state_->template table<typename Registry::template table_at<decltype(t)::value>>();
            index ? table.prefetch_index(at.at) : table.prefetch_key(at.at);
        });
    }

    rows<Registry>* state_;
    std::pmr::monotonic_buffer_resource arena_{std::size_t{64} << 10};
    std::vector<std::pair<impl::call_base*, void (*)(impl::call_base*)>> to_destroy_{};
    std::vector<prepared_tx> txs_{};
    std::vector<touch> touches_{};
    std::vector<std::size_t> first_touch_{};
    std::array<std::size_t, Registry::table_count> wanted_{};
    impl::call_base* last_ = nullptr;
};

}  // namespace blendr::ledger
