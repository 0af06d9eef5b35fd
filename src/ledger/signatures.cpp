// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/signatures.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <utility>

#include <boost/unordered/unordered_flat_map.hpp>

#include <blendr/core/assert.hpp>
#include <blendr/crypto/blake2b_lanes.hpp>
#include <blendr/crypto/verify_batch.hpp>
#include <blendr/ledger/block.hpp>

#include "ledger/salted_hash.hpp"

namespace blendr::ledger {

namespace {

// Transactions that one thread takes at a time: enough to fill lanes, few enough for the stack.
constexpr std::size_t batch = 256;
static_assert(sizeof(crypto::address) == sizeof(hash256));

}  // namespace

void identify(std::span<transaction_view const> txs, std::span<hash256> ids,
              std::span<crypto::address> senders)
{
    BLENDR_ASSERT(txs.size() == ids.size() && txs.size() == senders.size());
    std::array<bytes_view, batch> inputs;
    std::array<hash256, batch> hashes;
    for (std::size_t begin = 0; begin < txs.size(); begin += batch) {
        auto const count = std::min(batch, txs.size() - begin);
        auto const part = txs.subspan(begin, count);
        for (std::size_t i = 0; i < count; ++i) inputs[i] = part[i].signed_part;
        crypto::blake2b_256_many(transaction_domain.state(), std::span{inputs}.first(count),
                                 ids.subspan(begin, count));
        for (std::size_t i = 0; i < count; ++i) inputs[i] = part[i].encoded_sender();
        crypto::blake2b_256_many(crypto::address_domain.state(), std::span{inputs}.first(count),
                                 std::span{hashes}.first(count));
        for (std::size_t i = 0; i < count; ++i) senders[begin + i] = crypto::address{hashes[i]};
    }
}

void identify(task_pool& pool, std::span<transaction_view const> txs, std::span<hash256> ids,
              std::span<crypto::address> senders)
{
    pool.parallel_for(txs.size(), batch, [&](std::size_t begin, std::size_t end) {
        auto const count = end - begin;
        identify(txs.subspan(begin, count), ids.subspan(begin, count),
                 senders.subspan(begin, count));
    });
}

struct verified_set::shard {
    struct seen {
        hash256 id{};
        crypto::signature signature{};
    };
    mutable std::mutex mutex{};
    std::size_t entries_max = 0;
    std::size_t oldest = 0;
    std::vector<seen> ring{};
    boost::unordered_flat_map<hash256, std::uint32_t, salted_hash> places{};
};

namespace {
constexpr std::size_t shard_count = 16;
std::size_t shard_of(hash256 const& id) noexcept
{
    return std::to_integer<std::size_t>(id.back()) % shard_count;
}
}  // namespace

verified_set::verified_set(std::size_t entries_max, std::uint64_t salt)
    : shards_{std::make_unique<shard[]>(shard_count)}
{
    for (std::size_t i = 0; i < shard_count; ++i) {
        shards_[i].entries_max = std::max<std::size_t>(entries_max / shard_count, 1);
        shards_[i].places = decltype(shard::places){0, salted_hash{salt + i}};
    }
}

verified_set::~verified_set() = default;
verified_set::verified_set(verified_set&&) noexcept = default;
verified_set& verified_set::operator=(verified_set&&) noexcept = default;

bool verified_set::contains(hash256 const& id, crypto::signature const& signature) const
{
    auto const& s = shards_[shard_of(id)];
    std::lock_guard const lock{s.mutex};
    auto const at = s.places.find(id);
    return at != s.places.end() && s.ring[at->second].signature == signature;
}

void verified_set::insert(hash256 const& id, crypto::signature const& signature)
{
    auto& s = shards_[shard_of(id)];
    std::lock_guard const lock{s.mutex};
    if (auto const known = s.places.find(id); known != s.places.end()) {
        s.ring[known->second].signature = signature;
        return;
    }
    if (s.ring.size() < s.entries_max) {
        s.places.emplace(id, static_cast<std::uint32_t>(s.ring.size()));
        s.ring.push_back({id, signature});
        return;
    }
    auto& place = s.ring[s.oldest];
    s.places.erase(place.id);
    s.places.emplace(id, static_cast<std::uint32_t>(s.oldest));
    place = {id, signature};
    s.oldest = (s.oldest + 1) % s.ring.size();
}

std::size_t verified_set::size() const
{
    std::size_t sum = 0;
    for (std::size_t i = 0; i < shard_count; ++i) {
        std::lock_guard const lock{shards_[i].mutex};
        sum += shards_[i].ring.size();
    }
    return sum;
}

struct signature_checker::state {
    state(task_pool& p, options const& h) : pool{p}, how{h}, known{h.remembered, h.salt} {}

    task_pool& pool;
    options how;
    verified_set known;
    std::mutex mutex{};  // of what rests
    std::vector<crypto::batch_verifier> resting{};
    std::atomic<std::uint64_t> checked{0}, remembered{0}, bad{0};

    /// A verifier for one part at a time, so that each thread's cache of keys stays its own.
    crypto::batch_verifier borrow()
    {
        std::lock_guard const lock{mutex};
        if (resting.empty())
            return crypto::batch_verifier{{.path = how.path, .cached_keys = how.cached_keys}};
        auto out = std::move(resting.back());
        resting.pop_back();
        return out;
    }
    void give_back(crypto::batch_verifier&& verifier)
    {
        std::lock_guard const lock{mutex};
        resting.push_back(std::move(verifier));
    }

    std::vector<std::size_t> check(std::span<transaction_view const> txs,
                                   std::span<hash256 const> ids, std::size_t begin, std::size_t end)
    {
        std::array<std::size_t, batch> which;
        std::array<crypto::signed_bytes, batch> claims;
        std::array<crypto::verdict, batch> verdicts;
        std::size_t count = 0;
        for (auto i = begin; i < end; ++i) {
            if (known.contains(ids[i], txs[i].signature)) continue;
            which[count] = i;
            claims[count++] = {txs[i].sender.raw(), ids[i], txs[i].signature.raw()};
        }
        std::vector<std::size_t> out{};
        remembered += end - begin - count;
        if (count == 0) return out;
        auto verifier = borrow();
        verifier.verify(std::span{claims}.first(count), std::span{verdicts}.first(count));
        give_back(std::move(verifier));
        for (std::size_t k = 0; k < count; ++k) {
            if (verdicts[k] == crypto::verdict::valid)
                known.insert(ids[which[k]], txs[which[k]].signature);
            else
                out.push_back(which[k]);
        }
        checked += count;
        bad += out.size();
        return out;
    }
};

signature_checker::signature_checker(task_pool& pool) : signature_checker{pool, options{}} {}
signature_checker::signature_checker(task_pool& pool, options how)
    : state_{std::make_unique<state>(pool, how)}
{}
signature_checker::~signature_checker() = default;

std::vector<std::size_t> signature_checker::bad_ones(std::span<transaction_view const> txs,
                                                     std::span<hash256 const> ids)
{
    BLENDR_ASSERT(txs.size() == ids.size());
    if (txs.empty()) return {};
    return state_->pool.reduce(
        txs.size(), batch,
        [&](std::size_t begin, std::size_t end) { return state_->check(txs, ids, begin, end); },
        [](std::vector<std::size_t> all, std::vector<std::size_t> more) {
            all.insert(all.end(), more.begin(), more.end());
            return all;
        });
}

auto signature_checker::count() const -> counters
{
    return {state_->checked, state_->remembered, state_->bad};
}

void check_ahead(signature_checker& signatures, task_pool& pool, bytes_view payload)
{
    auto const block = decode_block(payload);
    if (!block) return;
    auto const& raw = block->transactions;
    std::vector<transaction_view> txs(raw.size());
    std::atomic<bool> good{true};
    pool.parallel_for(raw.size(), batch, [&](std::size_t begin, std::size_t end) {
        for (auto i = begin; i < end; ++i) {
            if (auto const tx = decode_transaction(raw[i]))
                txs[i] = *tx;
            else
                good = false;
        }
    });
    if (!good) return;
    std::vector<hash256> ids(txs.size());
    std::vector<crypto::address> senders(txs.size());
    identify(pool, txs, ids, senders);
    signatures.bad_ones(txs, ids);
}

}  // namespace blendr::ledger
