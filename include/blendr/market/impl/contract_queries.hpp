// SPDX-License-Identifier: Apache-2.0
#pragma once

// Questions and answers; included by contract.hpp only.

#include <algorithm>
#include <utility>
#include <vector>

#include <blendr/market/contract.hpp>

namespace blendr::market {

namespace impl {

inline query::provider provider_of(auto const& view, device_key const& key)
{
    auto const& row = view.template row<devices>(key);
    return {key,
            row.of,
            row.status,
            row.capability,
            view.template row<bond::contract::bonds>(bond_of(key)).held.locked,
            view.index().asks_of(key),
            row.calendar.bookings()};
}

/// Rows of an ordered table from a key on that belong to one instrument.
template <class Table, class Answer>
std::vector<Answer> rows_of(auto const& view, typename Table::key const& from, std::uint32_t most,
                            auto&& make)
{
    std::vector<Answer> out{};
    auto const room = std::min(most, query::page_max);
    if (room == 0) return out;
    view.template each<Table>(from, [&](auto const& key, auto const& row) {
        if (key.of != from.of) return false;
        out.push_back(make(key, row));
        return out.size() < room;
    });
    return out;
}

}  // namespace impl

inline query::book contract::query(auto const& view, market::query::depth const& asked)
{
    auto const& market = view.template row<markets>(asked.of);
    return {view.index().side_of(asked.of, side::buy, asked.levels),
            view.index().side_of(asked.of, side::sell, asked.levels), market.last,
            market.reference.at};
}

inline std::vector<query::trade> contract::query(auto const& view,
                                                 market::query::trades const& asked)
{
    return impl::rows_of<prints, market::query::trade>(
        view, {asked.of, asked.from}, asked.most, [](auto const& key, auto const& row) {
            return market::query::trade{key.at,        row.at,    row.volume,
                                        row.selective, row.value, row.fills};
        });
}

inline std::vector<query::candle> contract::query(auto const& view,
                                                  market::query::chart const& asked)
{
    return impl::rows_of<candles, market::query::candle>(
        view, {asked.of, asked.from}, asked.most, [](auto const& key, auto const& row) {
            return market::query::candle{key.at,  row.open,  row.high,
                                         row.low, row.close, row.volume};
        });
}

inline std::vector<query::my_order> contract::query(auto const& view,
                                                    market::query::my_orders const& asked)
{
    std::vector<market::query::my_order> out{};
    for (auto const& key : view.index().orders_of(asked.owner, asked.after, asked.most))
        out.push_back({key, view.template row<orders>(key)});
    return out;
}

inline result<query::explained, reject> contract::query(auto const& view,
                                                        market::query::explain const& asked)
{
    if (!view.template row<classes>(asked.what).listed) return fail{reject::unknown_instrument};
    return view.index().explain(asked);
}

inline std::vector<query::listing> contract::query(auto const& view,
                                                   market::query::instruments const& asked)
{
    std::vector<market::query::listing> out{};
    for (auto const& of : view.index().traded(asked.after, asked.most)) {
        auto const& row = view.template row<markets>(of);
        out.push_back({of, view.template row<classes>(of.what).spec, row.reference.at, row.last,
                       row.volume, row.orders});
    }
    return out;
}

inline std::vector<query::provider> contract::query(auto const& view,
                                                    market::query::providers const& asked)
{
    std::vector<market::query::provider> out{};
    for (auto const& key : view.index().of_class(asked.what, asked.after, asked.most))
        out.push_back(impl::provider_of(view, key));
    return out;
}

inline std::vector<query::provider> contract::query(auto const& view,
                                                    market::query::my_devices const& asked)
{
    std::vector<market::query::provider> out{};
    for (auto const& key : view.index().of_owner(asked.owner, asked.after, asked.most))
        out.push_back(impl::provider_of(view, key));
    return out;
}

inline result<query::price_now, reject> contract::query(auto const& view,
                                                        market::query::reference const& asked)
{
    auto const& known = view.template row<classes>(asked.of.what);
    auto const& market = view.template row<markets>(asked.of);
    auto const& spot = view.template row<markets>(instrument{asked.of.what, hour{0}});
    auto const cost =
        impl::mark_of(known, is_spot(asked.of) ? markets::row{} : market, spot, tokens_rules);
    if (!cost) return fail{cost.error()};
    return market::query::price_now{market.reference.at, market.last, market.cleared, *cost};
}

}  // namespace blendr::market
