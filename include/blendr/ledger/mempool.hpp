// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <blendr/core/amount.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/crypto/keys.hpp>
#include <blendr/ledger/reject.hpp>
#include <blendr/ledger/transaction.hpp>
#include <blendr/ledger/types.hpp>

namespace blendr::ledger {

/// What the last committed state says of a sender.
struct account_state {
    nonce next{};      ///< of its next transaction
    amount balance{};  ///< what fees may be paid from
};

/// A transaction that wants to wait: decoded, its signature good. The pool copies its bytes.
struct candidate {
    transaction_view tx{};
    hash256 id{};
    crypto::address sender{};
    gas needs{};
    account_state account{};
};

/// How much may wait. A sender's transactions form a queue by nonce; what lies behind a gap waits for
/// it to close.
struct mempool_limits {
    std::size_t bytes_max = std::size_t{256} << 20;  ///< memory in all, an estimate included
    std::size_t per_sender_max = 64;
    std::uint64_t nonces_ahead_max = 64;       ///< a nonce is below the account's next plus this
    std::uint64_t expires_ahead_max = 86'400;  ///< blocks, a day of seconds
    std::uint64_t salt = 0;  ///< scatters the hash tables: give each node its own, secret
};

/// Transactions for a block of this node's, the best paying first. The lists are equally long.
struct picked {
    bytes raw{};                             ///< theirs, one behind the other
    std::vector<bytes_view> transactions{};  ///< each within `raw`
    std::vector<hash256> ids{};
    std::vector<crypto::address> senders{};
    std::vector<nonce> sequences{};
    std::vector<gas> needs_each{};
    gas needs{};  ///< of all
    amount tips{};
};

/// Where verified transactions wait for a block. It never looks at a signature: whoever adds has done so,
/// once (see verified_set.hpp), and what is picked needs no second look.
///
/// - Order: by tip for gas (`fee_rank`), earlier arrivals first; a sender's own by nonce.
/// - Refused: what cannot run by nonce, expiry or money; the queue's maximum fees together must be covered
///   by the balance. A replacement must raise maximum fee and tip by a tenth.
/// - When full, what is worst goes first, from the end of its sender's queue, where a transaction is worth
///   no more than the worst before it, and nothing behind a gap or below the base fee. Newcomers that are
///   not worth more than the worst are refused, so a flood of equals moves nothing.
/// - Bounded work: adding looks at one sender's queue at most, and at a logarithm of the pool.
///
/// Local to a node, hence not consensus; still the same calls have the same outcome everywhere.
/// Calls come from any thread, one at a time inside.
class mempool {
public:
    explicit mempool(mempool_limits limits = {});
    ~mempool();
    mempool(mempool const&) = delete;
    mempool& operator=(mempool const&) = delete;

    /// Refuses with a reason and then changes nothing.
    result<nothing, reject> add(candidate const& in);

    /// Many under one lock; one verdict each, in order.
    std::vector<std::optional<reject>> add(std::span<candidate const> in);

    /// What fits a block at `at` under this base fee. What is not ready or pays too little stays.
    picked pick(height at, gas_price base_fee, std::size_t bytes_max, gas gas_max) const;

    /// For after_block: fills in what the new state says of each sender.
    using account_lookup =
        std::function<void(std::span<crypto::address const>, std::span<account_state>)>;

    /// Looks at everything again after the block before `next` was committed: what was used, expired or can
    /// no longer be paid goes. `base_fee` is that of `next`: what pays less may stay, but is worth
    /// nothing. Says how many went. Call it once before the first `add`, too.
    std::size_t after_block(height next, gas_price base_fee, account_lookup const& lookup);

    bool contains(hash256 const& id) const;
    /// The bytes of a waiting transaction; none when it does not wait.
    std::optional<bytes> find(hash256 const& id) const;

    std::size_t size() const;
    std::size_t senders() const;
    std::size_t bytes_held() const;  ///< what counts against bytes_max

    /// Compares every index with every other. Our bug if it fails; for tests, costs a walk.
    bool consistent() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace blendr::ledger
