// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <mutex>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <blendr/core/assert.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/wide.hpp>
#include <blendr/state/pages.hpp>
#include <blendr/state/same.hpp>

namespace blendr::state {

/// Where a row lies in its table on this node. Local: two nodes may disagree, and nothing that
/// leaves a node may depend on it. Only keys are observable.
using slot = std::uint32_t;
inline constexpr slot no_slot = std::numeric_limits<slot>::max();

namespace impl {

/// Mixes the bytes of a key with a secret of this process, so that nobody outside can choose keys
/// that crowd one place of the index.
inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept
{
    auto const wide = static_cast<u128>(a) * b;
    return static_cast<std::uint64_t>(wide) ^ static_cast<std::uint64_t>(wide >> 64);
}

inline std::uint64_t mix_bytes(std::byte const* raw, std::size_t size,
                               std::uint64_t secret) noexcept
{
    std::uint64_t state = secret ^ (size * 0x9e3779b97f4a7c15ULL);
    for (; size >= 16; raw += 16, size -= 16) {
        std::array<std::uint64_t, 2> words{};
        std::memcpy(words.data(), raw, 16);
        state = mix(words[0] ^ secret ^ 0xa0761d6478bd642fULL, words[1] ^ state);
    }
    if (size > 0) {
        std::array<std::uint64_t, 2> words{};
        std::memcpy(words.data(), raw, size);
        state = mix(words[0] ^ secret ^ 0xe7037ed1a0b428dbULL, words[1] ^ state);
    }
    return mix(state ^ 0x8ebc6af09c88c6e3ULL, secret | 1);
}

template <class Key>
std::uint32_t slot_hash(Key const& key, std::uint64_t secret)
{
    std::uint64_t mixed{};
    if constexpr (std::has_unique_object_representations_v<Key>) {
        mixed = mix_bytes(reinterpret_cast<std::byte const*>(&key), sizeof key, secret);
    } else {
        auto const raw = encode(key);
        mixed = mix_bytes(raw.data(), raw.size(), secret);
    }
    return static_cast<std::uint32_t>(mixed >> 32);
}

/// What a table is beside its keys and rows: slots that come and go, and the index from hashes to
/// them. Compiled once, for tables are many.
class slot_index {
public:
    slot_index(slot_index const&) = delete;
    slot_index& operator=(slot_index const&) = delete;

    /// Slots in use or to be reused: every valid slot is below it.
    std::size_t size() const noexcept { return next_.load(std::memory_order_relaxed); }

    /// Keys that have a slot.
    std::size_t keys() const noexcept { return size() - free_.size(); }

protected:
    explicit slot_index(std::uint64_t secret) : secret_{secret} {}
    ~slot_index() = default;

    std::size_t mask() const noexcept { return entries_.size() - 1; }
    static slot slot_of(std::uint64_t entry) noexcept { return static_cast<slot>(entry) - 1; }

    std::uint64_t load(std::size_t i) const noexcept
    {
        // atomic_ref has no const form in C++20; nothing is written
        return std::atomic_ref{const_cast<std::uint64_t&>(entries_[i])}.load(
            std::memory_order_acquire);
    }

    /// Places for that many keys.
    void make_room(std::size_t used)
    {
        if (entries_.size() * 7 < used * 10) grow(used);
    }
    /// A slot for a new key: one that was given back, if there is one, or a fresh one.
    slot reused_slot()
    {
        return free_count_.load(std::memory_order_relaxed) == 0 ? no_slot : take_free();
    }
    slot fresh_slot() noexcept { return next_.fetch_add(1, std::memory_order_relaxed); }
    void give_back(slot at);
    /// Takes the slot out of the index, where its key has that hash.
    void forget(slot at, std::uint32_t hash);
    /// What a recycling looks at: slots given out since the last one, then those that were emptied.
    std::vector<slot> to_recycle(std::span<slot const> emptied);
    std::size_t index_bytes() const noexcept
    {
        return entries_.capacity() * sizeof(std::uint64_t) + free_.capacity() * sizeof(slot);
    }

    std::uint64_t secret_;
    std::vector<std::uint64_t> entries_{};  // hash << 32 | slot + 1; zero is empty
    std::vector<slot> reused_{};            // since the last recycling

private:
    void grow(std::size_t used);
    slot take_free();

    std::atomic<slot> next_{0};
    std::vector<slot> free_{};
    slot swept_{};  // as far as the last recycling looked
    std::atomic<std::size_t> free_count_{0};
    std::mutex free_mutex_{};
};

}  // namespace impl

/// Rows of one type under keys of one type, in memory. A key is interned to a slot once; from then
/// on the row is an array element away. An absent row is a default row: a table holds a row for
/// every key, and what counts is which rows are not default. Rows and keys never move.
///
/// One thread changes a table; while none does, any may read. Between `reserve` and the next change
/// many threads may call `intern_shared`, which takes no lock for a key that is there.
template <class Key, class Row>
class table : public impl::slot_index {
public:
    using key_type = Key;
    using row_type = Row;

    /// A secret of the process; it moves slots, never results.
    explicit table(std::uint64_t secret = 0) : slot_index{secret} {}
    table(table const&) = delete;
    table& operator=(table const&) = delete;
    ~table()
    {
        cells_.stop(size());
        keys_.stop(size());
    }

    /// Makes room for that many more keys.
    void reserve(std::size_t more)
    {
        std::size_t const used = size() + more;
        BLENDR_ASSERT(used < no_slot);
        cells_.reserve(used);
        keys_.reserve(used);
        make_room(used);
    }

    /// The slot of a key, or no_slot when it has none yet.
    slot find(Key const& key) const
    {
        if (entries_.empty()) return no_slot;
        auto const hash = impl::slot_hash(key, secret_);
        for (std::size_t i = hash & mask();; i = (i + 1) & mask()) {
            auto const entry = entries_[i];
            if (entry == 0) return no_slot;
            if (matches(entry, hash, key)) return slot_of(entry);
        }
    }

    /// The slot of a key; a new one gets a default row.
    slot intern(Key const& key)
    {
        reserve(1);
        return intern_shared(key);
    }

    /// The same from any thread, for no more new keys than `reserve` made room for.
    slot intern_shared(Key const& key) { return intern_hashed(key, impl::slot_hash(key, secret_)); }

    /// In steps, so that the memory of many keys can be on its way at once.
    std::uint32_t hash(Key const& key) const { return impl::slot_hash(key, secret_); }
    [[gnu::always_inline]] void prefetch_index(std::uint32_t hash) const noexcept
    {
        __builtin_prefetch(&entries_[hash & mask()]);
    }
    [[gnu::always_inline]] void prefetch_key(std::uint32_t hash) const noexcept
    {
        auto const entry = load(hash & mask());
        if (entry != 0) __builtin_prefetch(&keys_[slot_of(entry)]);
    }
    slot intern_hashed(Key const& key, std::uint32_t hash)
    {
        slot fresh = no_slot;
        for (std::size_t i = hash & mask();; i = (i + 1) & mask()) {
            auto entry = load(i);
            if (entry == 0) {
                if (fresh == no_slot) fresh = new_slot(key);
                auto const mine = (std::uint64_t{hash} << 32) | (std::uint64_t{fresh} + 1);
                if (std::atomic_ref{entries_[i]}.compare_exchange_strong(
                        entry, mine, std::memory_order_release, std::memory_order_acquire))
                    return fresh;
            }
            if (matches(entry, hash, key)) {
                if (fresh != no_slot) give_back(fresh);
                return slot_of(entry);
            }
        }
    }

    Key const& key(slot at) const noexcept { return keys_[at]; }
    Row const& row(slot at) const noexcept { return cells_[at].row; }
    bool present(slot at) const { return !same(cells_[at].row, Row{}); }

    /// For whoever keeps count of what changed; see overlay.hpp.
    Row& row(slot at) noexcept { return cells_[at].row; }
    std::uint32_t& stamp(slot at) noexcept { return cells_[at].stamp; }
    /// For whoever executes in parallel; see ledger/parallel.hpp.
    std::uint32_t& mark(slot at) noexcept { return cells_[at].mark; }

    [[gnu::always_inline]] void prefetch(slot at) const noexcept
    {
        __builtin_prefetch(&cells_[at], 1);
    }

    /// Forgets a key whose row is default and gives its slot to the next new key.
    void release(slot at)
    {
        BLENDR_ASSERT(!present(at));
        forget(at, impl::slot_hash(keys_[at], secret_));
    }

    /// Forgets keys whose row is default: those that got their slots since the last call, and those in
    /// `emptied`, but none in `busy`, which is sorted: somebody will bring these rows back.
    void recycle(std::span<slot const> emptied, std::span<slot const> busy)
    {
        for (auto const at : to_recycle(emptied)) {
            if (present(at) || find(keys_[at]) != at) continue;
            if (std::binary_search(busy.begin(), busy.end(), at))
                reused_.push_back(at);  // looked at again next time
            else
                release(at);
        }
    }

    /// What the table takes in memory, whole pages counted as far as they were touched.
    std::size_t memory_bytes() const noexcept
    {
        return size() * (sizeof(cell) + sizeof(Key)) + index_bytes();
    }

private:
    // in a row's tail padding where there is some: a purse with its nonce is 32 bytes, two to a line
    struct cell {
        [[no_unique_address]] Row row{};
        std::uint32_t stamp{};
        std::uint32_t mark{};
    };

    bool matches(std::uint64_t entry, std::uint32_t hash, Key const& key) const
    {
        return static_cast<std::uint32_t>(entry >> 32) == hash && same(keys_[slot_of(entry)], key);
    }

    slot new_slot(Key const& key)
    {
        if (auto const at = reused_slot(); at != no_slot) {
            keys_[at] = key;
            return at;
        }
        auto const at = fresh_slot();
        BLENDR_ASSERT(at < cells_.capacity());
        cells_.start(at);
        keys_.start(at) = key;
        return at;
    }

    pages<cell> cells_{};
    pages<Key> keys_{};
};

}  // namespace blendr::state
