// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/bind.hpp>
#include <boost/mp11/list.hpp>
#include <boost/mp11/set.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/ledger/base.hpp>
#include <blendr/ledger/contract.hpp>

namespace blendr::ledger {

/// The number of a message or table, for ever: its contract, and its place in the contract's list.
struct frozen_number {
    std::uint16_t contract{};
    std::uint16_t index{};

    friend constexpr bool operator==(frozen_number, frozen_number) = default;
};

namespace impl {

/// "transfer" out of what the compiler calls the type.
template <class T>
consteval std::string_view type_name()
{
    std::string_view text = __PRETTY_FUNCTION__;
    auto const begin = text.find("T = ") + 4;
    text = text.substr(begin, text.find_first_of(";]", begin) - begin);
    auto const colon = text.rfind(':');
    return colon == std::string_view::npos ? text : text.substr(colon + 1);
}

template <class C, class Message, std::size_t Index>
struct message_kind {
    using owner = C;
    using message = Message;
    static constexpr frozen_number number{C::id, static_cast<std::uint16_t>(Index)};
    static constexpr std::string_view contract_name = C::name;
    static constexpr std::string_view message_name = type_name<Message>();
};

template <class C, class Table, std::size_t Index>
struct table_kind {
    static_assert(table_type<Table>);
    using owner = C;
    using table = Table;
    static constexpr frozen_number number{C::id, static_cast<std::uint16_t>(Index)};
};

template <class C, class Query, std::size_t>
struct query_kind {
    using owner = C;
    using query = Query;
    static constexpr std::string_view contract_name = C::name;
    static constexpr std::string_view query_name = type_name<Query>();
};

template <class C, template <class, class, std::size_t> class Kind, class List>
struct numbered;
template <class C, template <class, class, std::size_t> class Kind, class... Ts>
struct numbered<C, Kind, type_list<Ts...>> {
    template <std::size_t... I>
    static auto list(std::index_sequence<I...>) -> type_list<Kind<C, Ts, I>...>;
    using type = decltype(list(std::index_sequence_for<Ts...>{}));
};

template <class C>
using message_kinds = typename numbered<C, message_kind, typename C::messages>::type;
template <class C>
using table_kinds = typename numbered<C, table_kind, tables_of<C>>::type;

template <class C>
using query_kinds = typename numbered<C, query_kind, queries_of<C>>::type;

template <class Kind>
using table_in = typename Kind::table;
template <class Kind>
using query_in = typename Kind::query;
template <class Kind>
using message_in = typename Kind::message;

template <class C>
using id_of = std::integral_constant<std::uint16_t, C::id>;

}  // namespace impl

/// What a list of contracts amounts to: every table and message with a dense local index, for
/// arrays and jumps, beside the frozen number that goes on the wire and into keys.
template <contract... Cs>
struct registry {
    using contracts = type_list<base, Cs...>;
    static_assert(boost::mp11::mp_is_set<boost::mp11::mp_transform<impl::id_of, contracts>>::value,
                  "two contracts have one id");

    using table_kinds = boost::mp11::mp_append<impl::table_kinds<base>, impl::table_kinds<Cs>...>;
    using tables = boost::mp11::mp_transform<impl::table_in, table_kinds>;
    static_assert(boost::mp11::mp_is_set<tables>::value, "a table belongs to one contract");
    static constexpr std::size_t table_count = boost::mp11::mp_size<tables>::value;

    using message_kinds = boost::mp11::mp_append<type_list<>, impl::message_kinds<Cs>...>;
    using messages = boost::mp11::mp_transform<impl::message_in, message_kinds>;
    static_assert(boost::mp11::mp_is_set<messages>::value, "a message belongs to one contract");
    static constexpr std::size_t message_count = boost::mp11::mp_size<messages>::value;

    using events = boost::mp11::mp_append<type_list<>, events_of<Cs>...>;

    using query_kinds = boost::mp11::mp_append<type_list<>, impl::query_kinds<Cs>...>;
    using queries = boost::mp11::mp_transform<impl::query_in, query_kinds>;
    static_assert(boost::mp11::mp_is_set<queries>::value, "a query belongs to one contract");
    static constexpr std::size_t query_count = boost::mp11::mp_size<queries>::value;

    template <class Table>
    static constexpr std::size_t table_index = boost::mp11::mp_find<tables, Table>::value;
    template <class Message>
    static constexpr std::size_t message_index = boost::mp11::mp_find<messages, Message>::value;
    template <std::size_t I>
    using table_at = boost::mp11::mp_at_c<tables, I>;
    template <std::size_t I>
    using message_at = boost::mp11::mp_at_c<message_kinds, I>;
    /// The contract that a table belongs to.
    template <class Table>
    using owner_of = typename boost::mp11::mp_at_c<table_kinds, table_index<Table>>::owner;
    template <class Query>
    using asked_of =
        typename boost::mp11::mp_at<query_kinds, boost::mp11::mp_find<queries, Query>>::owner;

    /// The local index of a message by its number on the wire; message_count when there is none.
    static constexpr std::size_t index_of(frozen_number number) noexcept
    {
        std::size_t found = message_count;
        boost::mp11::mp_for_each<boost::mp11::mp_iota_c<message_count>>([&](auto i) {
            if (message_at<decltype(i)::value>::number == number) found = i;
        });
        return found;
    }

    /// The same by name: "bank.transfer".
    static constexpr std::size_t index_of(std::string_view contract,
                                          std::string_view message) noexcept
    {
        std::size_t found = message_count;
        boost::mp11::mp_for_each<boost::mp11::mp_iota_c<message_count>>([&](auto i) {
            using kind = message_at<decltype(i)::value>;
            if (kind::contract_name == contract && kind::message_name == message) found = i;
        });
        return found;
    }
};

/// A row's key in the authenticated state and in the store: contract and table (2 bytes each, highest
/// first), then the encoded key.
template <contract C, table_type Table>
bytes state_key(typename Table::key const& key)
{
    constexpr frozen_number number{
        C::id, static_cast<std::uint16_t>(boost::mp11::mp_find<tables_of<C>, Table>::value)};
    bytes out(4 + encoded_size(key));
    out[0] = static_cast<std::byte>(number.contract >> 8);
    out[1] = static_cast<std::byte>(number.contract & 0xff);
    out[2] = static_cast<std::byte>(number.index >> 8);
    out[3] = static_cast<std::byte>(number.index & 0xff);
    encode_into(key, std::span{out}.subspan(4));
    return out;
}

}  // namespace blendr::ledger
