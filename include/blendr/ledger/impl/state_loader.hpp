// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/describe/class.hpp>
#include <boost/mp11/algorithm.hpp>

#include <blendr/app/types.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/core/task_pool.hpp>
#include <blendr/ledger/block.hpp>
#include <blendr/ledger/branches.hpp>
#include <blendr/ledger/registry.hpp>
#include <blendr/state/proof.hpp>
#include <blendr/state/store.hpp>
#include <blendr/state/tree.hpp>

namespace blendr::ledger::impl {

/// What a store keeps beside the rows: the block that they are the state after.
struct stored_tip {
    block_id id{};
    header head{};
    roots after{};
    app::validator_set next{};
};
BOOST_DESCRIBE_STRUCT(stored_tip, (), (id, head, after, next))

/// Behind every row: no contract has this number.
inline constexpr std::array<std::byte, 4> tip_key{std::byte{0xff}, std::byte{0xff}, std::byte{0xff},
                                                  std::byte{0xff}};

template <class Registry>
stored_tip tip_of(block_node<Registry> const& from)
{
    return {from.id, from.head, from.after, from.next};
}

/// One row of a store into its table. False: no table has it, or it does not decode.
template <class Registry>
bool load_row(rows<Registry>& state, bytes_view key, bytes_view value)
{
    if (key.size() < 4) return false;
    auto const number = [&](std::size_t at) {
        return static_cast<std::uint16_t>(std::to_integer<unsigned>(key[at]) << 8 |
                                          std::to_integer<unsigned>(key[at + 1]));
    };
    frozen_number const wanted{number(0), number(2)};
    bool good = false;
    boost::mp11::mp_for_each<
        boost::mp11::mp_transform<boost::mp11::mp_identity, typename Registry::table_kinds>>(
        [&](auto type) {
            using kind = typename decltype(type)::type;
            using spec = typename kind::table;
            if (kind::number != wanted) return;
            auto const name = decode<typename spec::key>(key.subspan(4));
            auto row = decode<typename spec::row>(value);
            if (!name || !row) return;
            auto& table = state.template table<spec>();
            auto const at = table.intern(*name);
            table.row(at) = *std::move(row);
            if constexpr (ordered<spec>) table.changed(at);
            good = table.present(at);
        });
    return good;
}

/// The state that a store holds; none when it is empty. Everything is compared with its root.
template <class Registry>
result<std::optional<block_node<Registry>>, state::io_error>
load_state(branches<Registry>& into, state::store const& from, task_pool& pool)
{
    using node = block_node<Registry>;
    auto const corrupt = [](std::string where) {
        return fail{state::io_error{state::io_fault::corrupt, std::move(where)}};
    };
    BLENDR_TRY(auto const raw, from.get(tip_key));
    if (!raw) return std::optional<node>{};
    auto const tip = decode<stored_tip>(*raw);
    if (!tip) return corrupt("the stored tip");

    std::vector<state::change> changes;
    std::optional<bytes> bad;
    BLENDR_CHECK(from.scan({}, tip_key, [&](bytes_view key, bytes_view value) {
        changes.push_back({state::key_hash(key), state::value_hash(value)});
        if (load_row(into.state(), key, value)) return true;
        bad = to_bytes(key);
        return false;
    }));
    if (bad) return corrupt("the stored row " + to_hex(*bad));
    node out{};
    out.id = tip->id;
    out.head = tip->head;
    out.after = tip->after;
    out.next = tip->next;
    out.version = into.tree().apply(into.tree().decided(), changes, &pool);
    into.tree().decide(out.version);
    if (into.tree().root(out.version) != out.after.state)
        return corrupt("the stored state does not have the root of its block");
    return std::optional{std::move(out)};
}

}  // namespace blendr::ledger::impl
