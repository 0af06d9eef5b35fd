// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <blendr/app/application.hpp>
#include <blendr/core/assert.hpp>
#include <blendr/crypto/hash.hpp>

namespace blendr::app {

/// The smallest application that is complete: it adds up numbers. For trying engines, hosts and
/// transports without a ledger, and to copy from.
///
/// A transaction is 8 bytes, a number above zero, lowest byte first; a payload is transactions end
/// to end. Refused: other lengths and zeros. The validators are those it was made with.
/// Not durable: `commit` keeps in memory, which is what a simulated restart copies.
class tally {
public:
    static constexpr std::size_t tx_size = 8;
    static constexpr std::uint32_t malformed = 1;
    static constexpr std::uint32_t unknown_path = 2;
    static constexpr std::size_t pending_max = 4096;

    explicit tally(validator_set validators) : validators_{std::move(validators)}
    {
        BLENDR_ASSERT(!validators_.empty() && well_formed(validators_));
    }

    info last() const { return {committed_.at, committed_.hash}; }

    /// The genesis document is any bytes; they go into every hash that follows.
    std::optional<validator_set> init(bytes_view genesis)
    {
        if (committed_.at != height{}) return std::nullopt;
        committed_.hash = crypto::hash(genesis_domain, genesis);
        decided_ = committed_;
        return validators_;
    }

    check_result check(bytes_view tx) const
    {
        if (!valid_tx(tx)) return {malformed, "a transaction is 8 bytes and not zero", 0};
        return {0, {}, number(tx)};
    }

    /// Keeps a transaction for a block of this node's. False: refused, or too many wait.
    bool submit(bytes_view tx)
    {
        if (!valid_tx(tx) || pending_.size() >= pending_max) return false;
        pending_.push_back(to_bytes(tx));
        return true;
    }

    std::optional<bytes> propose(proposal_context const& at, std::size_t bytes_max)
    {
        if (find(at) == nullptr) return std::nullopt;
        bytes payload{};
        for (auto const& tx : pending_) {
            if (payload.size() + tx.size() > bytes_max) break;
            payload.insert(payload.end(), tx.begin(), tx.end());
        }
        return payload;
    }

    std::optional<verdict> verify(proposal_context const& at, block_id const& id,
                                  bytes_view payload)
    {
        if (tree_.contains(id)) return verdict::valid;
        auto const* parent = find(at);
        if (parent == nullptr) return std::nullopt;
        if (!valid_payload(payload) || !follows(*parent, at)) return verdict::invalid;
        tree_.emplace(id, after(*parent, at, payload));
        return verdict::valid;
    }

    finalized finalize(proposal_context const& at, block_id const& id, bytes_view payload)
    {
        BLENDR_ASSERT(at.parent == decided_id_ || decided_.at == height{});
        auto const judged = verify(at, id, payload);
        BLENDR_ASSERT(judged == verdict::valid);
        decided_ = tree_.at(id);
        decided_id_ = id;
        drop_siblings();
        finalized out{decided_.hash, {}, validators_};
        for (std::size_t i = 0; i < payload.size(); i += tx_size) {
            auto const tx = payload.subspan(i, tx_size);
            out.results.push_back({0, 1, to_bytes(tx)});
            auto const waiting = std::find_if(pending_.begin(), pending_.end(),
                                              [&](bytes const& each) { return equal(each, tx); });
            if (waiting != pending_.end()) pending_.erase(waiting);
        }
        return out;
    }

    height commit()
    {
        committed_ = decided_;
        return committed_.at;
    }

    /// "sum": the sum as 8 bytes.
    query_result query(std::string_view path, bytes_view) const
    {
        if (path != "sum") return {unknown_path, {}, {}};
        auto const raw = to_array(committed_.sum);
        return {0, to_bytes(bytes_view{raw}), {}};
    }

private:
    static constexpr crypto::domain genesis_domain{"tally.genesis/1"};
    static constexpr crypto::domain state_domain{"tally.state/1"};

    struct state {
        height at{};
        time_ms block_time{};
        block_id parent{};
        std::uint64_t sum{};  // wraps, like everything it adds
        hash256 hash{};
    };

    static std::uint64_t number(bytes_view tx)
    {
        std::uint64_t value{};
        for (std::size_t i = 0; i < tx_size; ++i)
            value |= std::to_integer<std::uint64_t>(tx[i]) << (8 * i);
        return value;
    }

    static std::array<std::byte, tx_size> to_array(std::uint64_t value)
    {
        std::array<std::byte, tx_size> raw{};
        for (std::size_t i = 0; i < tx_size; ++i) raw[i] = static_cast<std::byte>(value >> (8 * i));
        return raw;
    }

    static bool valid_tx(bytes_view tx) { return tx.size() == tx_size && number(tx) != 0; }

    static bool valid_payload(bytes_view payload)
    {
        if (payload.size() % tx_size != 0) return false;
        for (std::size_t i = 0; i < payload.size(); i += tx_size)
            if (!valid_tx(payload.subspan(i, tx_size))) return false;
        return true;
    }

    static bool follows(state const& parent, proposal_context const& at)
    {
        bool const first = parent.at == height{};
        return at.at == parent.at + std::uint64_t{1} &&
               (first || at.block_time > parent.block_time);
    }

    static state after(state const& parent, proposal_context const& at, bytes_view payload)
    {
        state next{at.at, at.block_time, at.parent, parent.sum, {}};
        for (std::size_t i = 0; i < payload.size(); i += tx_size)
            next.sum += number(payload.subspan(i, tx_size));
        auto const sum = to_array(next.sum);
        next.hash = crypto::hasher{state_domain}.update(parent.hash).update(sum).finish();
        return next;
    }

    state const* find(proposal_context const& at) const
    {
        if (decided_.at > height{} && at.parent == decided_id_) return &decided_;
        if (auto const found = tree_.find(at.parent); found != tree_.end()) return &found->second;
        // whatever the engine calls the genesis block is the first block's parent
        return decided_.at == height{} && at.at == height{1} ? &decided_ : nullptr;
    }

    bool descends(state const& from) const
    {
        for (auto const* each = &from; each->at > decided_.at;) {
            if (each->parent == decided_id_) return true;
            auto const up = tree_.find(each->parent);
            if (up == tree_.end()) return false;
            each = &up->second;
        }
        return false;
    }

    void drop_siblings()
    {
        for (auto each = tree_.begin(); each != tree_.end();)
            each = descends(each->second) ? std::next(each) : tree_.erase(each);
    }

    validator_set validators_;
    state committed_{};
    state decided_{};
    block_id decided_id_{};
    std::map<block_id, state> tree_{};
    std::deque<bytes> pending_{};
};

static_assert(application<tally>);

}  // namespace blendr::app
