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
#include <blendr/core/codec.hpp>

namespace blendr::consensus {

struct solo_config {
    std::int64_t interval_ms = 1000;  ///< between blocks
};

/// One node that decides alone and at once: for development, tests and chains with one operator.
/// A block is final once the application finds it valid and a barrier has made it durable, behind a depth
/// of 0: what was decided is decided again after a crash, since nobody else could tell. With every interval
/// that passes without an answer the application is asked again, for a payload or for a verdict.
class solo {
public:
    using config = solo_config;
    static constexpr std::string_view name = "solo";
    static constexpr promise promises = promise::lone;
    static constexpr std::int64_t pace_ms(config const& c) noexcept { return c.interval_ms; }

    solo(config c, identity me, std::uint64_t) : config_{c}, me_{std::move(me)} {}

    void step(event const& in, clock now, effects& out)
    {
        if (auto const* s = std::get_if<started>(&in)) {
            tip_ = s->from.last;
            out.emplace_back(set_timer{0, config_.interval_ms});
            replay(s->journal, out);
        } else if (stopped_) {
            return;
        } else if (std::holds_alternative<timer_fired>(in)) {
            ask(now, out);
            out.emplace_back(set_timer{0, config_.interval_ms});
        } else if (auto const* b = std::get_if<built>(&in);
                   b != nullptr && b->request == request_ && b->payload && wants_payload()) {
            next_.payload = *b->payload;
            next_.id = app::make_block_id(next_.at, app::payload_digest(next_.payload));
            out.emplace_back(verify{next_.id, next_.at, next_.payload});
        } else if (auto const* j = std::get_if<judged>(&in); j != nullptr && j->id == next_.id) {
            auto done = std::exchange(next_, {});
            if (j->verdict != app::verdict::valid) return;
            out.emplace_back(persist{encode(done), true, done.at.at});
            settle(std::move(done), out);
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
    bool wants_payload() const noexcept
    {
        return next_.at.at == above(tip_.at.at) && next_.id == block_id{};
    }

    void ask(clock now, effects& out)
    {
        if (next_.at.at != above(tip_.at.at)) {  // nothing is on its way
            auto const time = std::max(now.wall, after(tip_.at.block_time));
            next_ = decide::entry{{}, {tip_.id, above(tip_.at.at), time, me_.self}, {}};
            ++request_;
        }
        if (wants_payload())
            out.emplace_back(build{request_, next_.at});
        else
            out.emplace_back(verify{next_.id, next_.at, next_.payload});
    }

    void settle(decide::entry done, effects& out)
    {
        tip_ = done;
        tip_.payload.clear();
        out.emplace_back(decide{{std::move(done)}, depth{}});
        out.emplace_back(trim{above(tip_.at.at)});
    }

    /// Decides again what was decided and may have been lost. A record that nobody can read may have been
    /// the next decision: then there is nothing safe to do but to stop and say so.
    void replay(std::vector<bytes> const& journal, effects& out)
    {
        stopped_ = false;
        for (auto const& raw : journal) {
            auto const r = decode<decide::entry>(raw);
            if (!r) {
                out.emplace_back(metric{"journal_corrupt", 1});
                out.emplace_back(halted{"the journal cannot be read", tip_.id, {}});
                stopped_ = true;
                return;
            }
            if (r->at.at == above(tip_.at.at) && r->at.parent == tip_.id) settle(*r, out);
        }
    }

    config config_;
    identity me_;
    decide::entry tip_{};
    decide::entry next_{};
    std::uint64_t request_{};
    bool stopped_ = true;  // until started; for ever when the journal is damaged
};

static_assert(engine<solo>);

}  // namespace blendr::consensus
