// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <blendr/abci/form.hpp>
#include <blendr/abci/host.hpp>
#include <blendr/abci/service.hpp>
#include <blendr/abci/validators.hpp>

#include <abci/wire.pb.h>

namespace blendr::abci {

/// Why a call is refused: a sentence. The application was not touched, or says so itself.
using refusal = std::string;
template <class T>
using answer = result<T, refusal>;

/// The calls that make and decide blocks, one at a time and in the order that the protocol allows.
class chain {
public:
    chain(decisions& decide, reads& read, restores& restore, service_options const& chosen);

    answer<wire::init_chain_response> init(wire::init_chain_request const& in);
    answer<wire::prepare_response> prepare(wire::prepare_request const& in);
    answer<wire::verdict_response> process(wire::block_request const& in);
    answer<wire::finalize_response> finalize(wire::block_request const& in);
    answer<wire::commit_response> commit();
    answer<wire::offer_response> offer(wire::offer_request const& in);
    answer<wire::apply_response> apply(wire::apply_request const& in);

private:
    struct block {
        app::proposal_context at{};
        bytes payload{};
        block_id id{};
    };
    struct decided {
        place to{};  ///< `next` as powers
        height at{};
        wire::finalize_response said{};
    };

    void take_place(std::optional<place> const& at);
    answer<nothing> may_decide(std::int64_t at) const;
    answer<app::proposal_context> context(std::int64_t at, wire::timestamp const& time,
                                          crypto::public_key const& proposer) const;
    bool restored() const;
    std::optional<crypto::public_key> key_of(std::string const& address) const;
    answer<block> block_of(wire::block_request const& in) const;
    answer<wire::prepare_response> fill(app::proposal_context const& at,
                                        wire::prepare_request const& in);
    wire::finalize_response describe(app::finalized const& done,
                                     app::validator_set const& powers) const;

    /// Runs a call that cannot be taken back: if the application throws, nothing goes on from there.
    template <class Body>
    auto once(Body&& body) -> decltype(body());

    decisions& decide_;
    reads& read_;
    restores& restore_;
    service_options const& chosen_;

    std::mutex mutex_{};
    std::optional<refusal> failed_{};  ///< for good
    bool begun_ = false;
    height last_{};
    place place_{};  ///< `next` as powers
    std::deque<app::validator_set> sets_{};
    std::optional<decided> pending_{};  ///< finalized and not committed
    std::optional<bytes> began_with_{};
    std::optional<app::snapshot> offered_{};
    hash256 trusted_{};
};

/// What a snapshot is called between nodes: equal for equal ones only.
hash256 name_of(app::snapshot const& which);

}  // namespace blendr::abci
