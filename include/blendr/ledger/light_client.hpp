// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <utility>

#include <boost/describe/class.hpp>

#include <blendr/app/types.hpp>
#include <blendr/core/assert.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/ledger/block.hpp>
#include <blendr/ledger/merkle_list.hpp>
#include <blendr/ledger/receipt.hpp>
#include <blendr/ledger/reject.hpp>
#include <blendr/ledger/types.hpp>
#include <blendr/state/proof.hpp>

namespace blendr::ledger {

inline constexpr std::size_t certificate_bytes_max = std::size_t{1} << 20;
inline constexpr std::size_t validators_max = 10'000;

/// All of a block that a light client fetches: some hundred bytes and the certificate. The
/// validators come along only where they changed.
struct light_block {
    header head{};
    hash256 body_digest{};
    bounded<bytes, certificate_bytes_max> certificate{};
    bounded<app::validator_set, validators_max> validators{};

    friend bool operator==(light_block const&, light_block const&) = default;
};
BOOST_DESCRIBE_STRUCT(light_block, (), (head, body_digest, certificate, validators))

/// Whether `certificate` proves that the validators made the block final. Where a certificate's form is the
/// engine's own, this asks the engine (`Engine::check`); it never throws.
using certificate_verifier =
    std::function<bool(app::validator_set const& validators, block_id const& id,
                       app::proposal_context const& at, bytes_view certificate)>;

/// Follows a chain by headers and checks what others claim about it, trusting nobody but where it
/// started and two thirds of the validators since. Any input is safe; what is refused changes nothing.
///
/// The state after block h is proven under the header of h + 1, so claims are about heights below the tip.
class light_client {
public:
    static constexpr std::size_t headers_kept = 1024;

    /// What is trusted to begin with: the genesis that everybody agrees on, or a later block that
    /// somebody vouches for, with the validators of the block after it.
    struct start {
        chain_id chain{};
        shard_id shard{};
        height at{};
        block_id id{};
        time_ms block_time{};
        app::validator_set validators{};
    };

    light_client(start from, certificate_verifier verify)
        : tip_{std::move(from)},
          promised_{validators_root(tip_.validators)},
          verify_{std::move(verify)}
    {
        BLENDR_ASSERT(verify_ != nullptr);
    }

    height tip() const noexcept { return tip_.at; }
    block_id const& tip_id() const noexcept { return tip_.id; }

    /// Takes the block after the tip. `validators` may be empty while they are the tip's.
    result<nothing, reject> follow(light_block const& next)
    {
        auto const& head = next.head;
        auto const at = add(tip_.at, std::uint64_t{1});
        if (head.chain != tip_.chain || head.shard != tip_.shard)
            return fail{reject::block_wrong_chain};
        if (!at || head.at != *at || head.parent != tip_.id)
            return fail{reject::unconnected_header};
        if (tip_.at > height{} && head.block_time <= tip_.block_time)
            return fail{reject::wrong_time};

        auto const& claimed = next.validators.empty()
                                  ? tip_.validators
                                  : static_cast<app::validator_set const&>(next.validators);
        if (claimed.empty() || !app::well_formed(claimed) || validators_root(claimed) != promised_)
            return fail{reject::wrong_validator_set};
        auto const id = id_of(head, next.body_digest);
        if (!verify_(claimed, id, context_of(head), next.certificate))
            return fail{reject::wrong_certificate};

        if (!next.validators.empty()) tip_.validators = next.validators;
        tip_.at = head.at;
        tip_.id = id;
        tip_.block_time = head.block_time;
        promised_ = head.after_parent.validators;
        headers_.push_back(head);
        if (headers_.size() > headers_kept) headers_.pop_front();
        return nothing{};
    }

    /// The trusted header of that height, as long as it is kept.
    header const* find(height at) const noexcept
    {
        if (headers_.empty() || at < headers_.front().at || at > headers_.back().at) return nullptr;
        return &headers_[at - headers_.front().at];
    }

    /// That after block `after` the row `key` had this value or, without one, was absent.
    result<nothing, reject> check_row(height after, bytes_view key, std::optional<bytes_view> value,
                                      bytes_view encoded_proof) const
    {
        auto const* const head = find_after(after);
        if (head == nullptr) return fail{reject::unknown_height};
        if (!state::verify(head->after_parent.state, key, value, encoded_proof))
            return fail{reject::wrong_state_proof};
        return nothing{};
    }

    /// That block `in` left this receipt at the proof's place.
    result<nothing, reject> check_receipt(height in, receipt const& claimed,
                                          list_proof const& proof) const
    {
        auto const* const head = find_after(in);
        if (head == nullptr) return fail{reject::unknown_height};
        if (!verify(head->after_parent.receipts, leaf_of(claimed), proof))
            return fail{reject::wrong_receipt_proof};
        return nothing{};
    }

    /// That block `in` holds the transaction of that id at the proof's place.
    result<nothing, reject> check_transaction(height in, hash256 const& id,
                                              list_proof const& proof) const
    {
        auto const* const head = find(in);
        if (head == nullptr) return fail{reject::unknown_height};
        if (!verify(head->transactions, id, proof)) return fail{reject::wrong_transaction_proof};
        return nothing{};
    }

private:
    header const* find_after(height at) const noexcept
    {
        auto const next = add(at, std::uint64_t{1});
        return next ? find(*next) : nullptr;
    }

    start tip_;
    hash256 promised_;  // the root of the validators of the block after the tip
    certificate_verifier verify_;
    std::deque<header> headers_{};
};

}  // namespace blendr::ledger
