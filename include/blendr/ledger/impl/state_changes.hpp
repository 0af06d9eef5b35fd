// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <boost/mp11/algorithm.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/task_pool.hpp>
#include <blendr/ledger/chain_state.hpp>
#include <blendr/ledger/registry.hpp>
#include <blendr/state/proof.hpp>
#include <blendr/state/tree.hpp>

namespace blendr::ledger::impl {

inline std::uint64_t fresh_secret()
{
    std::random_device random;
    return std::uint64_t{random()} << 32 | random() | 1;
}

/// Visits the changed rows of every table: body<Kind>(table, list of formers).
template <class Registry, class Body>
void each_changed(applied<Registry> const& did, Body&& body)
{
    boost::mp11::mp_for_each<
        boost::mp11::mp_transform<boost::mp11::mp_identity, typename Registry::table_kinds>>(
        [&](auto type) {
            using kind = typename decltype(type)::type;
            for (auto const& part : did.changes)
                body.template operator()<kind>(part.template of<typename kind::table>());
        });
}

/// The rows that a block left different, as the tree wants them.
template <class Registry>
std::vector<state::change> state_changes(rows<Registry> const& state, applied<Registry> const& did,
                                         task_pool& pool)
{
    std::vector<state::change> out;
    each_changed<Registry>(did, [&]<class Kind>(auto const& formers) {
        using table = typename Kind::table;
        auto const& in = state.template table<table>();
        auto const first = out.size();
        for (auto const& each : formers)
            if (!state::same(in.row(each.at), each.row)) {
                out.emplace_back();
                std::memcpy(out.back().key.data(), &each.at, sizeof each.at);  // for the loop below
            }
        pool.parallel_for(out.size() - first, 256, [&](std::size_t begin, std::size_t end) {
            for (auto i = first + begin; i < first + end; ++i) {
                state::slot at{};
                std::memcpy(&at, out[i].key.data(), sizeof at);
                out[i].key = state::key_hash(state_key<typename Kind::owner, table>(in.key(at)));
                if (in.present(at)) out[i].value = state::value_hash(encode(in.row(at)));
            }
        });
    });
    return out;
}

/// The same as the store wants them: by key, in order.
template <class Registry>
std::vector<std::pair<bytes, std::optional<bytes>>> stored_changes(rows<Registry> const& state,
                                                                   applied<Registry> const& did)
{
    std::vector<std::pair<bytes, std::optional<bytes>>> out;
    each_changed<Registry>(did, [&]<class Kind>(auto const& formers) {
        using table = typename Kind::table;
        auto const& in = state.template table<table>();
        for (auto const& each : formers) {
            if (state::same(in.row(each.at), each.row)) continue;
            auto& row = out.emplace_back(state_key<typename Kind::owner, table>(in.key(each.at)),
                                         std::nullopt);
            if (in.present(each.at)) row.second = encode(in.row(each.at));
        }
    });
    std::sort(out.begin(), out.end(),
              [](auto const& a, auto const& b) { return a.first < b.first; });
    return out;
}

}  // namespace blendr::ledger::impl
