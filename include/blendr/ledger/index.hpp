// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <tuple>

#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/list.hpp>

#include <blendr/ledger/branches.hpp>
#include <blendr/ledger/contract.hpp>
#include <blendr/ledger/rows.hpp>

namespace blendr::ledger {

/// One row of a table T as committed blocks found it and left it. A row that came has a default row
/// before it, one that went has one after it.
template <class T>
struct row_step {
    typename T::key const& key;
    typename T::row const& before;
    typename T::row const& after;
};

/// What a contract keeps in memory on each node for its queries: totals, orders by price, whatever
/// its rows alone lead to. It is not part of the state: no message and no hook ever sees it, so
/// nothing that it holds can make two nodes differ. Default-constructible, with
///     void follow(row_step<T> const&);
/// for each table T that it wants to follow, its contract's own or one that it may read. After
/// genesis, a start from disk or from a snapshot it begins anew and is told every row; then the rows
/// that each commit changed, each once, in no particular order.
template <class Index, class T>
concept follows = requires(Index& index, row_step<T> const& step) {
    { index.follow(step) } -> std::same_as<void>;
};

namespace impl {
struct no_index {};
template <class C>
struct index_type {
    using type = no_index;
};
template <indexed C>
struct index_type<C> {
    using type = typename C::index;
};
template <class... Cs>
using index_tuple = std::tuple<typename index_type<Cs>::type...>;
}  // namespace impl

/// The indexes of all contracts of a chain. One thread changes them while none reads.
template <class Registry>
class indexes {
public:
    template <indexed C>
    typename C::index const& of() const noexcept
    {
        return std::get<boost::mp11::mp_find<typename Registry::contracts, C>::value>(all_);
    }

    /// All anew, from rows that are committed.
    void rebuild(rows<Registry> const& state)
    {
        all_ = {};
        each_followed([&]<class T>(auto& index) {
            typename T::row const absent{};
            auto const& table = state.template table<T>();
            for (std::size_t i = 0; i < table.size(); ++i)
                if (auto const at = static_cast<state::slot>(i); table.present(at))
                    index.follow(row_step<T>{table.key(at), absent, table.row(at)});
        });
    }

    /// What the next commit changes.
    void follow(branches<Registry> const& blocks)
    {
        each_followed([&]<class T>(auto& index) {
            blocks.template next_commit<T>(
                [&](auto const& key, auto const& before, auto const& after) {
                    index.follow(row_step<T>{key, before, after});
                });
        });
    }

private:
    template <class Body>
    void each_followed(Body&& body)
    {
        using contracts = typename Registry::contracts;
        boost::mp11::mp_for_each<boost::mp11::mp_iota<boost::mp11::mp_size<contracts>>>(
            [&](auto number) {
                using owner = boost::mp11::mp_at_c<contracts, decltype(number)::value>;
                auto& index = std::get<decltype(number)::value>(all_);
                boost::mp11::mp_for_each<
                    boost::mp11::mp_transform<boost::mp11::mp_identity, typename Registry::tables>>(
                    [&](auto type) {
                        using table = typename decltype(type)::type;
                        if constexpr (follows<decltype(index), table>) {
                            static_assert(may_use<owner, table, mode::read>(),
                                          "an index follows tables that its contract may read");
                            body.template operator()<table>(index);
                        }
                    });
            });
    }

    boost::mp11::mp_apply<impl::index_tuple, typename Registry::contracts> all_{};
};

}  // namespace blendr::ledger
