// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <blendr/core/bytes.hpp>
#include <blendr/core/task_pool.hpp>
#include <blendr/crypto/cpu.hpp>
#include <blendr/crypto/keys.hpp>
#include <blendr/ledger/transaction.hpp>

namespace blendr::ledger {

/// Ids and sender addresses of many transactions, hashed in SIMD lanes: what `id()` and `address_of`
/// give one by one. All spans are equally long.
void identify(std::span<transaction_view const> txs, std::span<hash256> ids,
              std::span<crypto::address> senders);

/// The same on all threads of a pool.
void identify(task_pool& pool, std::span<transaction_view const> txs, std::span<hash256> ids,
              std::span<crypto::address> senders);

/// Which signatures were found good, so that none is paid for twice: not when a transaction comes in a
/// block after it came alone, nor in a second proposal. Holds the last `entries_max`; what was forgotten
/// is merely checked again. An id alone proves nothing (it does not cover the signature), so both are
/// compared. Any thread.
class verified_set {
public:
    explicit verified_set(std::size_t entries_max, std::uint64_t salt = 0);
    ~verified_set();
    verified_set(verified_set&&) noexcept;
    verified_set& operator=(verified_set&&) noexcept;

    bool contains(hash256 const& id, crypto::signature const& signature) const;
    void insert(hash256 const& id, crypto::signature const& signature);
    std::size_t size() const;

private:
    struct shard;
    std::unique_ptr<shard[]> shards_;
};

/// Checks transactions' signatures in batches, in the lanes of every thread of a pool, each once.
/// The verdict is that of `well_signed`, one by one. Any thread.
class signature_checker {
public:
    struct options {
        std::size_t remembered = std::size_t{1} << 18;  ///< good signatures, about 140 bytes each
        std::size_t cached_keys = 1024;  ///< repeated signers, a thread, about 8 KiB each
        crypto::cpu path = crypto::default_cpu();
        std::uint64_t salt = 0;  ///< scatters the hash table: secret, each node its own
    };
    struct counters {
        std::uint64_t checked = 0;     ///< signatures that were paid for
        std::uint64_t remembered = 0;  ///< those that were not
        std::uint64_t bad = 0;
    };

    explicit signature_checker(task_pool& pool);
    signature_checker(task_pool& pool, options how);
    ~signature_checker();
    signature_checker(signature_checker const&) = delete;
    signature_checker& operator=(signature_checker const&) = delete;

    /// The places, ascending, of the transactions whose signature is bad. `ids` are theirs.
    std::vector<std::size_t> bad_ones(std::span<transaction_view const> txs,
                                      std::span<hash256 const> ids);

    counters count() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// Checks the signatures of a block's payload before its turn comes, so that they are remembered when it
/// does. Whatever is wrong with the payload is found out then, not here.
void check_ahead(signature_checker& signatures, task_pool& pool, bytes_view payload);

}  // namespace blendr::ledger
