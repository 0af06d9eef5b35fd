// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace blendr::verify {

/// Why an event was refused. Numbers are frozen and only ever appended, grouped by consequence:
/// 1-99 malformed (never works), 100-199 not now (may work later), 200-299 not allowed,
/// 300-399 conflict with what is there. A reject has changed nothing.
enum class reject : std::uint16_t {
    ok = 0,

    bad_rules = 1,
    too_many_steps = 2,
    summary_too_long = 3,
    wrong_size = 4,
    bad_proof = 5,

    not_committing = 100,
    not_revealing = 101,
    tick_first = 102,
    no_bond = 103,
    too_many_workers = 104,

    not_drawn = 200,
    not_a_party = 201,
    not_your_bond = 202,

    already_committed = 300,
    no_commitment = 301,
    commitment_broken = 302,
    already_revealed = 303,
    already_moved = 304,
    round_over = 305,
    already_drawn = 306,
    height_went_back = 307,
    nothing_disputed = 308,
    wrong_state = 309,
    unknown_program = 310,
    copied = 311,
    unknown_task = 312,
    already_enlisted = 313,
    not_enlisted = 314,
    product_is_right = 315,
    already_attested = 316,
};

/// A sentence for people.
constexpr std::string_view message(reject why) noexcept
{
    switch (why) {
    case reject::ok:
        return "nothing is wrong";
    case reject::bad_rules:
        return "the rules contradict each other or leave a deadline open";
    case reject::too_many_steps:
        return "the run has no steps, or more than a dispute may have";
    case reject::summary_too_long:
        return "the summary has more values than it may have";
    case reject::wrong_size:
        return "the state is larger than a step may take";
    case reject::not_committing:
        return "commitments are not taken now";
    case reject::not_revealing:
        return "results are not revealed now";
    case reject::tick_first:
        return "something was due at an earlier height and has not been done";
    case reject::not_drawn:
        return "this worker was not drawn for the task";
    case reject::not_a_party:
        return "only the two parties of the dispute may move";
    case reject::already_committed:
        return "this worker has committed already";
    case reject::no_commitment:
        return "this worker has not committed to anything";
    case reject::commitment_broken:
        return "the result is not the one that was committed to";
    case reject::already_revealed:
        return "this worker has revealed already";
    case reject::already_moved:
        return "this party has made its move already";
    case reject::round_over:
        return "this has been decided";
    case reject::already_drawn:
        return "this worker has a replica of the task already";
    case reject::height_went_back:
        return "the height is below one that was seen";
    case reject::nothing_disputed:
        return "the two parties claim the same result";
    case reject::wrong_state:
        return "the state is not the one that both parties agreed on";
    case reject::unknown_program:
        return "no step function of that program is part of the chain";
    case reject::copied:
        return "another worker has made the same commitment";
    case reject::bad_proof:
        return "what is shown is not part of what was committed to";
    case reject::no_bond:
        return "no money is locked in that bond";
    case reject::too_many_workers:
        return "as many workers are enlisted as there may be";
    case reject::not_your_bond:
        return "somebody else's bond is named";
    case reject::unknown_task:
        return "no check of that task is going on";
    case reject::already_enlisted:
        return "this bond is enlisted already";
    case reject::not_enlisted:
        return "this bond is not enlisted";
    case reject::product_is_right:
        return "that element of the product is right";
    case reject::already_attested:
        return "this worker has attested already";
    }
    return "unknown reason";
}

}  // namespace blendr::verify
