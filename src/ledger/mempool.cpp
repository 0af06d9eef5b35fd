// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/mempool.hpp>

#include <algorithm>
#include <limits>
#include <mutex>
#include <tuple>
#include <utility>

#include <boost/unordered/unordered_flat_map.hpp>

#include <blendr/core/assert.hpp>
#include <blendr/ledger/fees.hpp>

#include "ledger/salted_hash.hpp"

namespace blendr::ledger {

namespace {

constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

struct entry {
    bytes raw{};
    hash256 id{};
    nonce sequence{};
    amount fee_max{};
    amount tip{};
    gas needs{};
    height expires{};
    std::uint64_t rank{};
    std::uint64_t arrival{};
    std::uint32_t sender = none;
    std::uint32_t next = none;  // of the same sender, by nonce; or of the free list
};

struct sender_queue {
    crypto::address who{};
    account_state account{};
    amount reserved{};  // the queue's maximum fees
    std::uint32_t head = none;
    std::uint32_t size = 0;
    std::uint32_t version = 0;  // tells what the eviction heap says of it from what it once said
    std::uint32_t next_free = none;
};

// What an entry costs beside its bytes: itself, two index slots, allocation.
constexpr std::size_t entry_overhead = sizeof(entry) + 96;
// After so many that do not fit, a block counts as full.
constexpr std::size_t misfits_max = 64;
constexpr std::size_t sender_overhead = sizeof(sender_queue) + 80;

std::optional<amount> sum_of(amount a, amount b) noexcept { return add(a, b); }

struct candidate_worth {
    std::uint64_t worth{};
    std::uint32_t sender = none;
    std::uint32_t version{};

    friend bool operator<(candidate_worth const& a, candidate_worth const& b) noexcept
    {
        return std::tie(a.worth, a.sender) > std::tie(b.worth, b.sender);  // the worst on top
    }
};

}  // namespace

struct mempool::state {
    explicit state(mempool_limits l)
        : limits{l},
          by_id{0, salted_hash{l.salt}},
          by_sender{0, salted_hash{l.salt + 1}}
    {}

    mutable std::mutex mutex{};
    mempool_limits limits;
    height next_block{};
    gas_price base_fee{};
    std::uint64_t arrivals = 0;
    std::size_t bytes_used = 0;
    std::vector<entry> entries{};
    std::uint32_t free_entry = none;
    std::vector<sender_queue> queues{};
    std::uint32_t free_queue = none;
    boost::unordered_flat_map<hash256, std::uint32_t, salted_hash> by_id;
    boost::unordered_flat_map<crypto::address, std::uint32_t, salted_hash> by_sender;
    // Ends of queues by worth, some of them outdated; empty until the pool was full once.
    std::vector<candidate_worth> worst{};
    bool pressed = false;

    std::uint32_t new_entry()
    {
        if (free_entry == none) {
            entries.emplace_back();
            return static_cast<std::uint32_t>(entries.size() - 1);
        }
        return std::exchange(free_entry, entries[free_entry].next);
    }

    std::uint32_t queue_of(crypto::address const& who)
    {
        auto const [at, fresh] = by_sender.try_emplace(who, none);
        if (!fresh) return at->second;
        std::uint32_t index = free_queue;
        if (index == none) {
            index = static_cast<std::uint32_t>(queues.size());
            queues.emplace_back();
        } else {
            free_queue = queues[index].next_free;
        }
        auto const version = queues[index].version;
        queues[index] = sender_queue{};
        queues[index].who = who;
        queues[index].version = version;
        bytes_used += sender_overhead;
        return at->second = index;
    }

    void drop_if_empty(std::uint32_t index)
    {
        auto& queue = queues[index];
        if (queue.size != 0) return;
        by_sender.erase(queue.who);
        ++queue.version;
        queue.next_free = std::exchange(free_queue, index);
        bytes_used -= sender_overhead;
    }

    /// Unlinks what `link` points at, an entry of that queue.
    void remove(sender_queue& queue, std::uint32_t& link)
    {
        auto const index = link;
        auto& e = entries[index];
        link = e.next;
        queue.reserved -= e.fee_max;
        --queue.size;
        ++queue.version;
        by_id.erase(e.id);
        bytes_used -= e.raw.size() + entry_overhead;
        e.raw = bytes{};
        e.sender = none;
        e.next = std::exchange(free_entry, index);
    }

    /// Whether a block could hold it at the base fee of now.
    bool pays(gas needs, amount fee_max, amount tip) const
    {
        auto const fee = fee_of(needs, base_fee, tip);
        return fee && *fee <= fee_max;
    }

    /// What each entry of a queue is worth, in order: no more than the worst before it, nothing behind
    /// a gap or behind what cannot pay now, and always something where all is well.
    template <class Visit>
    void each_worth(sender_queue const& queue, Visit&& visit) const
    {
        auto worth = std::numeric_limits<std::uint64_t>::max();
        auto expected = queue.account.next;
        for (auto at = queue.head; at != none; at = entries[at].next) {
            auto const& e = entries[at];
            bool const stuck = e.sequence != expected || !pays(e.needs, e.fee_max, e.tip);
            worth = stuck ? 0 : std::min(worth, worth_of_rank(e.rank));
            visit(e, worth);
            expected = e.sequence + std::uint64_t{1};
        }
    }

    static std::uint64_t worth_of_rank(std::uint64_t rank) noexcept
    {
        return rank + (rank != std::numeric_limits<std::uint64_t>::max() ? 1 : 0);
    }

    std::uint64_t worth_of_end(sender_queue const& queue) const
    {
        std::uint64_t last = 0;
        each_worth(queue, [&](entry const&, std::uint64_t worth) { last = worth; });
        return last;
    }

    void note_end(std::uint32_t index)
    {
        if (!pressed || queues[index].size == 0) return;
        worst.push_back({worth_of_end(queues[index]), index, queues[index].version});
        std::push_heap(worst.begin(), worst.end());
        if (worst.size() > 2 * by_sender.size() + 64) rebuild_worst();
    }

    void rebuild_worst()
    {
        worst.clear();
        for (std::uint32_t i = 0; i < queues.size(); ++i)
            if (queues[i].size != 0)
                worst.push_back({worth_of_end(queues[i]), i, queues[i].version});
        std::make_heap(worst.begin(), worst.end());
    }

    std::optional<candidate_worth> worst_end()
    {
        if (!pressed) {
            pressed = true;
            rebuild_worst();
        }
        while (!worst.empty()) {
            auto const top = worst.front();
            if (queues[top.sender].size != 0 && queues[top.sender].version == top.version)
                return top;
            std::pop_heap(worst.begin(), worst.end());
            worst.pop_back();
        }
        return std::nullopt;
    }

    void evict_end(std::uint32_t index)
    {
        auto& queue = queues[index];
        auto* link = &queue.head;
        while (entries[*link].next != none) link = &entries[*link].next;
        remove(queue, *link);
        note_end(index);
        drop_if_empty(index);
    }

    /// A queue being cut from its end, in thought.
    struct cut {
        std::uint32_t sender = none;
        std::vector<std::pair<std::uint64_t, std::size_t>> left{};  // worth and bytes, in order
    };

    cut start_cut(std::uint32_t index) const
    {
        cut out{index, {}};
        each_worth(queues[index], [&](entry const& e, std::uint64_t worth) {
            out.left.emplace_back(worth, e.raw.size() + entry_overhead);
        });
        return out;
    }

    /// Makes `more` bytes fit by evicting, worst first, what is worth less than `worth` and not of
    /// `keep`. False, and nothing went, when that is not enough.
    bool make_room(std::size_t more, std::uint64_t worth, crypto::address const& keep)
    {
        if (bytes_used + more <= limits.bytes_max) return true;
        if (more > limits.bytes_max) return false;
        std::size_t freed = 0;
        std::vector<candidate_worth> taken{};  // off the heap, to be put back
        std::vector<cut> cuts{};
        std::vector<std::uint32_t> plan{};  // whose end goes, in order
        auto const worst_cut = [&] {
            return std::min_element(cuts.begin(), cuts.end(), [](cut const& a, cut const& b) {
                if (a.left.empty() || b.left.empty()) return b.left.empty() && !a.left.empty();
                return std::tie(a.left.back().first, a.sender) <
                       std::tie(b.left.back().first, b.sender);
            });
        };
        while (bytes_used + more > limits.bytes_max + freed) {
            auto const at = worst_cut();
            bool const in_cut = at != cuts.end() && !at->left.empty();
            auto const end = worst_end();
            if (end && end->worth < worth && (!in_cut || end->worth < at->left.back().first)) {
                std::pop_heap(worst.begin(), worst.end());
                worst.pop_back();
                taken.push_back(*end);
                if (queues[end->sender].who != keep) cuts.push_back(start_cut(end->sender));
                continue;
            }
            if (!in_cut || at->left.back().first >= worth) break;
            freed += at->left.back().second;
            at->left.pop_back();
            if (at->left.empty()) freed += sender_overhead;
            plan.push_back(at->sender);
        }
        for (auto const& each : taken) {
            worst.push_back(each);
            std::push_heap(worst.begin(), worst.end());
        }
        if (bytes_used + more > limits.bytes_max + freed) return false;
        for (auto const index : plan) evict_end(index);
        return true;
    }

    std::optional<reject> judge(candidate const& in, account_state const& account) const
    {
        auto const& tx = in.tx;
        if (by_id.contains(in.id)) return reject::duplicate;
        if (tx.expires < next_block) return reject::expired;
        if (tx.expires.get() - next_block.get() > limits.expires_ahead_max)
            return reject::expiry_too_far;
        if (tx.sequence < account.next) return reject::stale_nonce;
        if (tx.sequence.get() - account.next.get() >= limits.nonces_ahead_max)
            return reject::nonce_too_far;
        if (!pays(in.needs, tx.fee_max, tx.tip)) return reject::fee_below_base;
        return std::nullopt;
    }

    std::optional<reject> add(candidate const& in)
    {
        auto const& tx = in.tx;
        auto const rank = fee_rank(tx.tip, in.needs);
        auto const known = by_sender.find(in.sender);
        auto* const queue = known == by_sender.end() ? nullptr : &queues[known->second];
        // of a sender that waits already, after_block knows at least as much as the candidate
        auto const& account = queue == nullptr ? in.account : queue->account;
        if (auto const why = judge(in, account)) return why;

        entry const* replaced = nullptr;
        auto worth = worth_of_rank(rank);
        auto expected = account.next;
        if (queue != nullptr) {
            each_worth(*queue, [&](entry const& e, std::uint64_t its) {
                if (e.sequence == tx.sequence) replaced = &e;
                if (e.sequence >= tx.sequence) return;
                worth = std::min(worth, its);
                expected = e.sequence + std::uint64_t{1};
            });
            if (replaced == nullptr && queue->size >= limits.per_sender_max)
                return reject::sender_full;
        }
        if (expected != tx.sequence) worth = 0;

        auto reserved = queue == nullptr ? amount{} : queue->reserved;
        std::size_t less = 0;
        if (replaced != nullptr) {
            if (tx.fee_max < replacement_min(replaced->fee_max) ||
                tx.tip < replacement_min(replaced->tip))
                return reject::underpriced_replacement;
            reserved -= replaced->fee_max;
            less = replaced->raw.size() + entry_overhead;
        }
        auto const needed = sum_of(reserved, tx.fee_max);
        if (!needed || *needed > account.balance) return reject::underfunded;

        std::size_t const more =
            tx.raw.size() + entry_overhead + (queue == nullptr ? sender_overhead : std::size_t{0});
        if (more > less && !make_room(more - less, worth, in.sender)) return reject::pool_full;
        insert(in, rank);
        return std::nullopt;
    }

    void insert(candidate const& in, std::uint64_t rank)
    {
        auto const owner = queue_of(in.sender);
        auto const index = new_entry();
        auto& queue = queues[owner];
        if (queue.size == 0) queue.account = in.account;
        auto* link = &queue.head;
        while (*link != none && entries[*link].sequence < in.tx.sequence)
            link = &entries[*link].next;
        if (*link != none && entries[*link].sequence == in.tx.sequence) remove(queue, *link);

        auto& e = entries[index];
        e.raw.assign(in.tx.raw.begin(), in.tx.raw.end());
        e.id = in.id;
        e.sequence = in.tx.sequence;
        e.fee_max = in.tx.fee_max;
        e.tip = in.tx.tip;
        e.needs = in.needs;
        e.expires = in.tx.expires;
        e.rank = rank;
        e.arrival = arrivals++;
        e.sender = owner;
        e.next = std::exchange(*link, index);
        queue.reserved += e.fee_max;
        ++queue.size;
        ++queue.version;
        bytes_used += e.raw.size() + entry_overhead;
        by_id.emplace(e.id, index);
        note_end(owner);
    }

    std::size_t recheck(sender_queue& queue, account_state const& account)
    {
        queue.account = account;
        std::size_t gone = 0;
        amount kept{};
        for (auto* link = &queue.head; *link != none;) {
            auto const& e = entries[*link];
            auto const sum = sum_of(kept, e.fee_max);
            bool const keep = e.sequence >= account.next && e.expires >= next_block && sum &&
                              *sum <= account.balance;
            if (keep) {
                kept = *sum;
                link = &entries[*link].next;
            } else {
                remove(queue, *link);
                ++gone;
            }
        }
        return gone;
    }
};

mempool::mempool(mempool_limits limits) : state_{std::make_unique<state>(limits)} {}
mempool::~mempool() = default;

result<nothing, reject> mempool::add(candidate const& in)
{
    std::lock_guard const lock{state_->mutex};
    if (auto const why = state_->add(in)) return fail{*why};
    return nothing{};
}

std::vector<std::optional<reject>> mempool::add(std::span<candidate const> in)
{
    std::lock_guard const lock{state_->mutex};
    std::vector<std::optional<reject>> out{};
    out.reserve(in.size());
    for (auto const& each : in) out.push_back(state_->add(each));
    return out;
}

picked mempool::pick(height at, gas_price base_fee, std::size_t bytes_max, gas gas_max) const
{
    struct ready {
        std::uint64_t rank;
        std::uint64_t arrival;
        std::uint32_t index;
        bool operator<(ready const& other) const noexcept
        {
            return rank != other.rank ? rank < other.rank : arrival > other.arrival;
        }
    };
    std::lock_guard const lock{state_->mutex};
    auto const& entries = state_->entries;
    auto const fits = [&](entry const& e) {
        auto const fee = fee_of(e.needs, base_fee, e.tip);
        return fee && *fee <= e.fee_max && e.expires >= at;
    };
    std::vector<ready> heap{};
    heap.reserve(state_->by_sender.size());
    for (auto const& queue : state_->queues) {
        if (queue.size == 0) continue;
        auto const& e = entries[queue.head];
        if (e.sequence == queue.account.next && fits(e))
            heap.push_back({e.rank, e.arrival, queue.head});
    }
    std::make_heap(heap.begin(), heap.end());

    picked out{};
    std::vector<std::uint32_t> chosen{};
    std::size_t size = 0;
    for (std::size_t misfits = 0; !heap.empty() && misfits < misfits_max;) {
        std::pop_heap(heap.begin(), heap.end());
        auto const& e = entries[heap.back().index];
        auto const needs = blendr::add(out.needs, e.needs);
        // what does not fit is left with all that its sender has behind it; smaller ones still may
        constexpr std::size_t length_max = 3;
        if (!needs || *needs > gas_max || size + e.raw.size() + length_max > bytes_max) {
            heap.pop_back();
            ++misfits;
            continue;
        }
        chosen.push_back(heap.back().index);
        size += e.raw.size() + length_max;
        out.needs = *needs;
        out.tips += e.tip;
        auto const next = e.next;
        if (next != none && entries[next].sequence == e.sequence + std::uint64_t{1} &&
            fits(entries[next])) {
            heap.back() = {entries[next].rank, entries[next].arrival, next};
            std::push_heap(heap.begin(), heap.end());
        } else {
            heap.pop_back();
        }
    }

    std::size_t total = 0;
    for (auto const index : chosen) total += entries[index].raw.size();
    out.raw.reserve(total);
    out.transactions.reserve(chosen.size());
    out.ids.reserve(chosen.size());
    out.senders.reserve(chosen.size());
    out.sequences.reserve(chosen.size());
    out.needs_each.reserve(chosen.size());
    for (auto const index : chosen) {
        auto const& e = entries[index];
        auto const begin = out.raw.size();
        out.raw.insert(out.raw.end(), e.raw.begin(), e.raw.end());
        out.transactions.emplace_back(out.raw.data() + begin, e.raw.size());
        out.ids.push_back(e.id);
        out.senders.push_back(state_->queues[e.sender].who);
        out.sequences.push_back(e.sequence);
        out.needs_each.push_back(e.needs);
    }
    return out;
}

std::size_t mempool::after_block(height next, gas_price base_fee, account_lookup const& lookup)
{
    std::lock_guard const lock{state_->mutex};
    auto& s = *state_;
    s.next_block = next;
    s.base_fee = base_fee;
    std::vector<std::uint32_t> indices{};
    std::vector<crypto::address> who{};
    for (std::uint32_t i = 0; i < s.queues.size(); ++i) {
        if (s.queues[i].size == 0) continue;
        indices.push_back(i);
        who.push_back(s.queues[i].who);
    }
    std::vector<account_state> accounts(who.size());
    lookup(who, accounts);
    std::size_t gone = 0;
    for (std::size_t i = 0; i < indices.size(); ++i) {
        gone += s.recheck(s.queues[indices[i]], accounts[i]);
        s.drop_if_empty(indices[i]);
    }
    s.pressed = false;  // what queues are worth changed with their accounts
    s.worst.clear();
    return gone;
}

bool mempool::contains(hash256 const& id) const
{
    std::lock_guard const lock{state_->mutex};
    return state_->by_id.contains(id);
}

std::optional<bytes> mempool::find(hash256 const& id) const
{
    std::lock_guard const lock{state_->mutex};
    auto const at = state_->by_id.find(id);
    if (at == state_->by_id.end()) return std::nullopt;
    return state_->entries[at->second].raw;
}

std::size_t mempool::size() const
{
    std::lock_guard const lock{state_->mutex};
    return state_->by_id.size();
}

std::size_t mempool::senders() const
{
    std::lock_guard const lock{state_->mutex};
    return state_->by_sender.size();
}

std::size_t mempool::bytes_held() const
{
    std::lock_guard const lock{state_->mutex};
    return state_->bytes_used;
}

bool mempool::consistent() const
{
    std::lock_guard const lock{state_->mutex};
    auto const& s = *state_;
    std::size_t count = 0, bytes_seen = 0, queues = 0;
    for (std::uint32_t i = 0; i < s.queues.size(); ++i) {
        auto const& queue = s.queues[i];
        if (queue.size == 0) continue;
        ++queues;
        bytes_seen += sender_overhead;
        auto const known = s.by_sender.find(queue.who);
        if (known == s.by_sender.end() || known->second != i) return false;
        amount reserved{};
        std::uint32_t length = 0;
        std::optional<nonce> before{};
        for (auto at = queue.head; at != none; at = s.entries[at].next, ++length) {
            auto const& e = s.entries[at];
            auto const found = s.by_id.find(e.id);
            if (e.sender != i || found == s.by_id.end() || found->second != at) return false;
            if (e.sequence < queue.account.next || (before && e.sequence <= *before)) return false;
            before = e.sequence;
            reserved += e.fee_max;
            bytes_seen += e.raw.size() + entry_overhead;
        }
        if (length != queue.size || reserved != queue.reserved ||
            reserved > queue.account.balance || length > s.limits.per_sender_max)
            return false;
        count += length;
    }
    return count == s.by_id.size() && queues == s.by_sender.size() && bytes_seen == s.bytes_used &&
           s.bytes_used <= s.limits.bytes_max;
}

}  // namespace blendr::ledger
