// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <blendr/app/block_id.hpp>
#include <blendr/consensus/engine.hpp>

namespace blendr::consensus {

struct solo_config {
    std::int64_t interval_ms = 1000;  ///< between blocks
};

/// One node that decides alone and at once: for development, tests and chains with one operator.
/// A block is final when it is built, behind a depth of 0; there is nothing to vote or lose. Before it
/// is decided the application is asked about it, as everywhere.
class solo {
public:
    using config = solo_config;
    static constexpr std::string_view name = "solo";

    solo(config c, identity me, std::uint64_t) : config_{c}, me_{std::move(me)} {}

    void step(event const& in, clock now, effects& out)
    {
        if (auto const* s = std::get_if<started>(&in)) {
            tip_ = s->from.last;
            out.emplace_back(set_timer{0, config_.interval_ms});
        } else if (std::holds_alternative<timer_fired>(in)) {
            auto const time = std::max(now.wall, after(tip_.at.block_time));
            next_ = decide::entry{{}, {tip_.id, above(tip_.at.at), time, me_.self}, {}};
            out.emplace_back(build{++request_, next_.at});
            out.emplace_back(set_timer{0, config_.interval_ms});  // asks again if nobody answers
        } else if (auto const* b = std::get_if<built>(&in);
                   b != nullptr && b->request == request_ && b->payload && next_.id == block_id{}) {
            next_.payload = *b->payload;
            next_.id = app::make_block_id(next_.at, app::payload_digest(next_.payload));
            out.emplace_back(verify{next_.id, next_.at, next_.payload});
        } else if (auto const* j = std::get_if<judged>(&in); j != nullptr && j->id == next_.id) {
            if (j->verdict == app::verdict::valid) {
                tip_ = next_;
                out.emplace_back(decide{{std::move(next_)}, depth{}});
            }
            next_ = {};
        }
    }

    std::optional<bool> claims(public_key const&, bytes_view, std::vector<claim>&) const
    {
        return false;  // it listens to nobody
    }
    /// Nothing proves a lone node's block to a stranger.
    static bool check(membership const&, decide::entry const&, bytes_view, std::vector<claim>&)
    {
        return false;
    }
    static bool check_evidence(membership const&, public_key const&, bytes_view,
                               std::vector<claim>&)
    {
        return false;
    }

private:
    config config_;
    identity me_;
    decide::entry tip_{};
    decide::entry next_{};
    std::uint64_t request_{};
};

static_assert(engine<solo>);

}  // namespace blendr::consensus
