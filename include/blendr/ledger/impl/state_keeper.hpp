// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <boost/mp11/algorithm.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/ledger/branches.hpp>
#include <blendr/ledger/impl/state_loader.hpp>
#include <blendr/ledger/registry.hpp>
#include <blendr/ledger/rows.hpp>
#include <blendr/state/store.hpp>

namespace blendr::ledger::impl {

/// Takes everything out of a store: what an interrupted restore left, or a chain that another state
/// replaces.
inline result<nothing, state::io_error> clear_store(state::store& in, height at)
{
    std::vector<bytes> keys;
    BLENDR_CHECK(in.scan({}, {}, [&](bytes_view key, bytes_view) {
        keys.push_back(to_bytes(key));
        return true;
    }));
    if (keys.empty()) return nothing{};
    std::vector<state::row_change> batch;
    for (auto const& each : keys) batch.emplace_back(each, std::nullopt);
    return in.write(batch, at);
}

/// Writes every row to an empty store, and last the tip: without it a store counts as empty.
template <class Registry>
result<nothing, state::io_error> store_all(rows<Registry> const& state,
                                           block_node<Registry> const& tip, state::store& to)
{
    constexpr std::size_t rows_together = std::size_t{1} << 16;
    result<nothing, state::io_error> done{};
    auto const write = [&](std::vector<std::pair<bytes, bytes>>& rows) {
        std::sort(rows.begin(), rows.end());
        std::vector<state::row_change> batch;
        for (auto const& [key, value] : rows) batch.emplace_back(key, value);
        if (done) done = to.write(batch, tip.head.at);
        rows.clear();
    };
    std::vector<std::pair<bytes, bytes>> rows;
    boost::mp11::mp_for_each<
        boost::mp11::mp_transform<boost::mp11::mp_identity, typename Registry::table_kinds>>(
        [&](auto type) {
            using kind = typename decltype(type)::type;
            auto const& in = state.template table<typename kind::table>();
            for (std::size_t i = 0; i < in.size(); ++i) {
                auto const at = static_cast<state::slot>(i);
                if (!in.present(at)) continue;
                rows.emplace_back(state_key<typename kind::owner, typename kind::table>(in.key(at)),
                                  encode(in.row(at)));
                if (rows.size() == rows_together) write(rows);
            }
        });
    rows.emplace_back(to_bytes(tip_key), encode(tip_of(tip)));
    write(rows);
    return done;
}

/// Writes what is committed to a node's store, if it has one, and remembers the first failure.
template <class Registry>
class state_keeper {
public:
    explicit state_keeper(std::shared_ptr<state::store> to) : to_{std::move(to)} {}

    std::optional<state::io_error> const& failure() const noexcept { return failure_; }

    /// What a block changed.
    void save(block_node<Registry>& from)
    {
        if (!to_) return;
        std::vector<state::row_change> batch;
        for (auto const& [key, value] : from.stored) {
            batch.emplace_back(key, std::nullopt);
            if (value) batch.back().second = *value;
        }
        auto const tip = encode(tip_of(from));
        batch.emplace_back(tip_key, tip);
        note(to_->write(batch, from.head.at));
        from.stored.clear();
    }

    /// The first state of a chain: genesis, or a whole state that came from elsewhere. What an
    /// interrupted restore left goes before, and a genesis too; never a chain that has blocks.
    void first(block_node<Registry>& begun)
    {
        if (make_room(begun.head.at)) save(begun);
    }
    void whole(rows<Registry> const& state, block_node<Registry> const& tip)
    {
        if (make_room(tip.head.at)) note(store_all(state, tip, *to_));
    }

private:
    bool note(result<nothing, state::io_error> const& done)
    {
        if (!done && !failure_) failure_ = done.error();
        return done.has_value();
    }

    bool make_room(height at)
    {
        if (!to_) return false;
        auto const raw = to_->get(tip_key);
        if (!raw) return note(fail{raw.error()});
        auto const tip = *raw ? decode<stored_tip>(**raw) : stored_tip{};
        if (!tip || tip->head.at != height{} || (*raw && at == height{}))
            return note(fail{state::io_error{state::io_fault::misplaced,
                                             "the store holds a chain that was not loaded"}});
        return note(clear_store(*to_, at));
    }

    std::shared_ptr<state::store> to_;
    std::optional<state::io_error> failure_{};
};

}  // namespace blendr::ledger::impl
