// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/app/application.hpp>
#include <blendr/app/tally.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>
#include <blendr/crypto/keys.hpp>

namespace blendr::abci {

/// A payload as CometBFT sees one: a list of entries. What is not a transaction goes first.
struct entries {
    bytes head{};                   ///< what the application's blocks carry beside transactions
    std::vector<bytes_view> txs{};  ///< in block order; they lie in the payload
};

/// The first entry of every block: what this library's blocks carry and CometBFT's do not. It names the
/// proposer, whom CometBFT knows by address only.
struct lead {
    crypto::public_key proposer{};
    bytes head{};

    friend bool operator==(lead const&, lead const&) = default;
};
BOOST_DESCRIBE_STRUCT(lead, (), (proposer, head))

/// Where a chain stands after its last committed block, as far as the next one depends on it.
struct place {
    block_id id{};  ///< all zeros before the first block, and after a restore
    time_ms block_time{};
    app::validator_set next{};  ///< in force two heights later

    friend bool operator==(place const&, place const&) = default;
};

/// How an application of type A is put into CometBFT's words: specialise it. All members are static.
///
/// - `genesis(text)`: what `init` takes, made of the genesis file's `app_state`; or a sentence that says
///   what is wrong with it.
/// - `split(payload)`: a payload's entries; none where it is not a payload.
/// - `join(head, txs)`: the one payload that splits into these; none where there is no such.
/// - `admit(application, txs)`: CometBFT's pool offers these for the block that `propose` is about to make.
/// - `tip(application)`: where the chain stands; none before it began. Left out, the chain is
///   forgotten with the process.
/// - `check(application, txs, again)`: like `app::application::check` for several at once, on any thread;
///   `again` when they were accepted before. Left out, they are checked one by one.
/// - `refused(application)`: a sentence that says why `init` refused. May be left out.
/// - `parent_in(head)`: the parent that a block names, which only the next block tells after a restore. May be
///   left out where blocks name none.
/// - `failure(application)`: why what it committed is not durable, if it is not. May be left out.
template <class A>
struct form;

template <class A, class F = form<A>>
concept has_form =
    app::application<A> && requires(A a, A const& ca, bytes_view raw, std::vector<bytes_view> txs) {
        { F::genesis(raw) } -> std::same_as<result<bytes, std::string>>;
        { F::split(raw) } -> std::same_as<std::optional<entries>>;
        { F::join(raw, txs) } -> std::same_as<std::optional<bytes>>;
        { F::admit(a, txs) } -> std::same_as<void>;
    };

/// A tally's genesis is its `app_state` as it stands; a payload is transactions end to end.
template <>
struct form<app::tally> {
    static result<bytes, std::string> genesis(bytes_view text) { return to_bytes(text); }

    static std::optional<entries> split(bytes_view payload)
    {
        if (payload.size() % app::tally::tx_size != 0) return std::nullopt;
        entries out{};
        for (std::size_t i = 0; i < payload.size(); i += app::tally::tx_size)
            out.txs.push_back(payload.subspan(i, app::tally::tx_size));
        return out;
    }

    static std::optional<bytes> join(bytes_view head, std::vector<bytes_view> const& txs)
    {
        if (!head.empty()) return std::nullopt;
        bytes out{};
        for (auto const& each : txs) {
            if (each.size() != app::tally::tx_size) return std::nullopt;
            out.insert(out.end(), each.begin(), each.end());
        }
        return out;
    }

    static void admit(app::tally& to, std::vector<bytes_view> const& txs)
    {
        for (auto const& each : txs) to.submit(each);
    }
};
static_assert(has_form<app::tally>);

}  // namespace blendr::abci
