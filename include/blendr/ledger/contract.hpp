// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/list.hpp>

#include <blendr/core/amount.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/crypto/keys.hpp>
#include <blendr/state/table.hpp>

namespace blendr::ledger {

using crypto::address;

template <class... Ts>
using type_list = boost::mp11::mp_list<Ts...>;

/// How a message touches a row.
enum class mode : std::uint8_t {
    read,    ///< sees the row; of a row that others credit in the block it forces order
    write,   ///< sees the row and changes it
    debit,   ///< takes from its quantity, or fails; never sees how much is left
    credit,  ///< adds to its quantity; commutes with everything but read and write
    post,    ///< leaves something for end_block, in block order
};

template <class Table, mode M>
class ref;

namespace impl {
/// Makes handles: only what walks plans does.
struct ref_maker {
    template <class Table, mode M>
    static constexpr ref<Table, M> make(state::slot at) noexcept
    {
        return ref<Table, M>{at};
    }
};
}  // namespace impl

/// A handle to one row, in one mode. It comes from `access.use<Table, Mode>(key)` and from nowhere
/// else, so that what a message did not declare, its apply cannot name.
template <class Table, mode M>
class ref {
public:
    constexpr ref() = default;
    constexpr state::slot slot() const noexcept { return slot_; }

private:
    friend impl::ref_maker;
    constexpr explicit ref(state::slot at) noexcept : slot_{at} {}

    state::slot slot_ = state::no_slot;
};

/// What a contract may know of the transaction that a message came in.
struct tx_info {
    address sender{};
    std::uint64_t nonce{};
};

/// Shows that a function of contract C is at work: only C can make one. A contract that lets others
/// change its rows exports a function that takes their access or context and says
/// `access.as(pass<C>{})`.
template <class C>
class pass {
    friend C;
    constexpr pass() noexcept {}
};

/// Rows of one type under keys of one type: both plain values with a codec.
///     static constexpr std::string_view name;       // for people and queries; frozen
///     using key = ...;  using row = ...;            // a default row is an absent row
/// and, where it applies,
///     static constexpr auto quantity = &row::amount_member;  // what debit and credit move
///     static constexpr bool shared(mode);           // may other contracts use it in this mode?
///     static amount holds(row const&);              // the money in a row, for conservation
///     static constexpr bool ordered = true;         // hooks and queries may walk it in key order
///     using entry = ...;                            // what `post` leaves; without it nobody posts
template <class T>
concept table_type = requires {
    { T::name } -> std::convertible_to<std::string_view>;
    typename T::key;
    typename T::row;
} && encodable<typename T::key> && encodable<typename T::row>;

template <class T>
concept quantified = requires { T::quantity; };

/// What a table's `quantity` member is: an amount, or units of something.
template <quantified T>
using quantity_of = std::remove_cvref_t<decltype(std::declval<typename T::row&>().*T::quantity)>;

template <class T>
concept holds_money = requires(typename T::row const& row) {
    { T::holds(row) } -> std::same_as<amount>;
};

template <class T>
concept ordered = requires { requires T::ordered; };

template <class T>
concept posted_to = requires { typename T::entry; };

namespace impl {
template <class C>
struct tables_list {
    using type = type_list<>;
};
template <class C>
    requires requires { typename C::tables; }
struct tables_list<C> {
    using type = typename C::tables;
};

template <class C>
struct events_list {
    using type = type_list<>;
};
template <class C>
    requires requires { typename C::events; }
struct events_list<C> {
    using type = typename C::events;
};

template <class C>
struct queries_list {
    using type = type_list<>;
};
template <class C>
    requires requires { typename C::queries; }
struct queries_list<C> {
    using type = typename C::queries;
};
}  // namespace impl

template <class T>
using entry_of = typename T::entry;
template <class C>
using tables_of = typename impl::tables_list<C>::type;
template <class C>
using events_of = typename impl::events_list<C>::type;
template <class C>
using queries_of = typename impl::queries_list<C>::type;

/// A contract that keeps something in memory for its queries, see index.hpp.
template <class C>
concept indexed = requires { typename C::index; };

/// Whether contract C may use table T in mode M: its own in any, another's where that shares it.
template <class C, class T, mode M>
consteval bool may_use()
{
    if constexpr (boost::mp11::mp_contains<tables_of<C>, T>::value)
        return true;
    else if constexpr (requires { T::shared(M); })
        return T::shared(M);
    else
        return false;
}

/// A contract: a type compiled into a chain. Its id and name, the order of its messages and tables
/// and the numbers of its errors are for ever.
///     static constexpr std::uint16_t id = 7;  static constexpr std::string_view name = "market";
///     enum class error : std::uint16_t { ok, ... };           // code in a receipt: id << 16 | error
///     using messages = type_list<...>;                        // described aggregates
///     using tables = type_list<...>;                          // optional
///     using events = type_list<...>;                          // optional: what it emits
/// and for each message
///     static Plan touches(Message const&, tx_info const&, auto& access);  // from the message alone
///     static error apply(auto& ctx, Message const&, Plan const& rows);    // validate, then mutate
/// and, where it has something to do there (`ctx` is a hook_context, see context.hpp: it reads and
/// changes rows by key, and spreads long work over all cores with `ctx.in_parallel`),
///     static bool genesis(auto& ctx, genesis_document const&);   // false, or void: refused, or never
///     static void begin_block(auto& ctx);  static void end_block(auto& ctx);
///     static void on(auto& ctx, Event const&);                   // of any contract; cannot fail
///     static std::uint64_t gas(Message const&);                  // beyond its rows and bytes
/// and, for who asks (see query.hpp),
///     using queries = type_list<...>;  // described aggregates: what is asked, "market/depth"
///     static Answer query(auto const& view, Query const&);  // or result<Answer, error>
///     using index = ...;               // what this node keeps in memory for them, from rows alone
template <class C>
concept contract = requires {
    { C::id } -> std::convertible_to<std::uint16_t>;
    { C::name } -> std::convertible_to<std::string_view>;
    typename C::error;
    typename C::messages;
} && std::is_enum_v<typename C::error>;

/// As it stands in a receipt.
template <class C>
constexpr std::uint32_t code(typename C::error why) noexcept
{
    auto const number = static_cast<std::uint16_t>(why);
    return number == 0 ? 0 : std::uint32_t{C::id} << 16 | number;
}

}  // namespace blendr::ledger
