// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <blendr/app/application.hpp>
#include <blendr/app/block_id.hpp>
#include <blendr/consensus/engine.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/crypto/strict.hpp>

/// Blocks that were decided elsewhere, put in order once more by an engine of this library.
namespace example {

/// A block where it stands, as applications know it.
struct placed_block {
    blendr::app::proposal_context at{};
    blendr::block_id id{};
    blendr::bytes payload{};
};

/// Proposes exactly the recorded blocks. What it gives an engine is a block's name; it holds a proposal for valid
/// when that names the recorded block of its height and the application below agrees.
template <blendr::app::application A>
class recorded {
public:
    recorded(A& inner, std::vector<placed_block> const& blocks) : inner_{inner}, blocks_{blocks} {}

    std::optional<blendr::bytes> propose(blendr::app::proposal_context const& at)
    {
        auto const* const one = at_height(at.at);
        if (one == nullptr) return std::nullopt;
        return blendr::to_bytes(one->id);
    }
    std::optional<blendr::app::verdict> verify(blendr::app::proposal_context const& at,
                                               blendr::bytes_view payload)
    {
        auto const* const one = at_height(at.at);
        if (one == nullptr || !blendr::equal(payload, one->id))
            return blendr::app::verdict::invalid;
        if (at.at <= inner_.last().last) return blendr::app::verdict::valid;
        return inner_.verify(one->at, one->id, one->payload);
    }
    blendr::app::finalized decide(blendr::app::proposal_context const& at)
    {
        auto const& one = *at_height(at.at);
        auto out = inner_.finalize(one.at, one.id, one.payload);
        inner_.commit();
        hashes.push_back(out.app_hash);
        return out;
    }
    std::vector<blendr::hash256> hashes{};

private:
    placed_block const* at_height(blendr::height h) const
    {
        return h.get() == 0 || h.get() > blocks_.size() ? nullptr : &blocks_[h.get() - 1];
    }

    A& inner_;
    std::vector<placed_block> const& blocks_;
};

/// Hosts of one engine each, in one thread and in virtual time: nothing is lost, everything takes a millisecond.
template <blendr::consensus::engine E, blendr::app::application A>
class hosts {
public:
    using height = blendr::height;
    using time_ms = blendr::time_ms;

    hosts(std::vector<blendr::crypto::identity> const& who, std::vector<A*> const& apps,
          std::vector<placed_block> const& blocks, blendr::app::validator_set const& first,
          typename E::config config)
        : blocks_{blocks}
    {
        for (std::size_t i = 0; i < who.size(); ++i) {
            nodes_.push_back({E{config, blendr::consensus::identity{who[i]}, i + 1},
                              who[i].self(),
                              recorded<A>{*apps[i], blocks},
                              {},
                              {},
                              {}});
            blendr::consensus::started begin{};
            begin.from.last = {{}, {{}, height{0}, blocks.front().at.block_time, {}}, {}};
            for (std::uint64_t h = 1; h <= 2; ++h)
                begin.from.sets.push_back({height{h}, 1, first, chain_});
            nodes_[i].last_set = begin.from.sets.back();
            later(0, i, std::move(begin));
        }
    }

    /// Until everybody decided all blocks. The hashes of everybody, one after the other.
    std::vector<std::vector<blendr::hash256>> run()
    {
        auto const done = [&] {
            return std::all_of(nodes_.begin(), nodes_.end(), [&](node const& each) {
                return each.app.hashes.size() >= blocks_.size();
            });
        };
        while (!done()) {
            if (waiting_.empty() || now_ > 1000 * 60 * 60)
                throw std::runtime_error{"the engines stand still"};
            auto next = waiting_.extract(waiting_.begin());
            now_ = next.key().first;
            take(next.mapped());
        }
        std::vector<std::vector<blendr::hash256>> out{};
        for (auto const& each : nodes_) out.push_back(each.app.hashes);
        return out;
    }

private:
    struct node {
        E engine;
        blendr::crypto::public_key self{};
        recorded<A> app;
        std::map<std::uint64_t, std::uint64_t> timers{};  ///< the newest setting of each
        blendr::consensus::membership last_set{};
        std::vector<blendr::consensus::decide> log{};
    };
    struct message {
        blendr::crypto::public_key from{};
        blendr::bytes raw{};
    };
    struct fired {
        std::uint64_t timer{};
        std::uint64_t setting{};
    };
    struct arrival {
        std::size_t at{};
        std::variant<blendr::consensus::event, message, fired> what{};
    };

    template <class What>
    void later(std::int64_t ms, std::size_t at, What&& what)
    {
        waiting_.emplace(std::pair{now_ + ms, ++count_}, arrival{at, std::forward<What>(what)});
    }

    void take(arrival& a)
    {
        auto& n = nodes_[a.at];
        if (auto* e = std::get_if<blendr::consensus::event>(&a.what)) return step(a.at, *e);
        if (auto* f = std::get_if<fired>(&a.what)) {
            if (n.timers[f->timer] == f->setting)
                step(a.at, blendr::consensus::timer_fired{f->timer});
            return;
        }
        auto& m = std::get<message>(a.what);
        std::vector<blendr::consensus::claim> claims{};
        auto const told = n.engine.claims(m.from, m.raw, claims);
        if (told == false) return;
        for (auto const& each : claims)
            if (!blendr::crypto::verify_strict(each.key, each.digest, each.signature)) return;
        step(a.at, blendr::consensus::received{m.from, m.raw, told.has_value()});
    }

    void step(std::size_t at, blendr::consensus::event const& in)
    {
        blendr::consensus::effects out{};
        auto const base = blocks_.front().at.block_time;
        nodes_[at].engine.step(in, {time_ms{now_}, base + now_}, out);
        for (auto& each : out) std::visit([&](auto& effect) { carry_out(at, effect); }, each);
    }

    void carry_out(std::size_t at, blendr::consensus::send& e)
    {
        for (std::size_t i = 0; i < nodes_.size(); ++i)
            if (nodes_[i].self == e.to) later(1, i, message{nodes_[at].self, std::move(e.message)});
    }
    void carry_out(std::size_t at, blendr::consensus::broadcast& e)
    {
        for (std::size_t i = 0; i < nodes_.size(); ++i)
            if (i != at) later(1, i, message{nodes_[at].self, e.message});
    }
    void carry_out(std::size_t at, blendr::consensus::set_timer& e)
    {
        auto const setting = ++count_;
        nodes_[at].timers[e.timer] = setting;
        later(std::max<std::int64_t>(e.after_ms, 0), at, fired{e.timer, setting});
    }
    void carry_out(std::size_t at, blendr::consensus::build& e)
    {
        using blendr::consensus::event;
        later(0, at, event{blendr::consensus::built{e.request, nodes_[at].app.propose(e.at)}});
    }
    void carry_out(std::size_t at, blendr::consensus::verify& e)
    {
        using blendr::consensus::event;
        if (auto const v = nodes_[at].app.verify(e.at, e.payload))
            later(0, at, event{blendr::consensus::judged{e.id, *v}});
    }
    void carry_out(std::size_t at, blendr::consensus::load& e)
    {
        using blendr::consensus::event;
        blendr::consensus::loaded reply{e.request, {}};
        for (auto const& each : nodes_[at].log)
            if (each.blocks.back().at.at >= e.from && reply.batches.size() < 16)
                reply.batches.push_back(each);
        later(0, at, event{std::move(reply)});
    }
    void carry_out(std::size_t at, blendr::consensus::decide& e)
    {
        using blendr::consensus::event;
        auto& n = nodes_[at];
        for (auto const& block : e.blocks) {
            if (block.at.at.get() != n.app.hashes.size() + 1) continue;
            auto const done = n.app.decide(block.at);
            auto next = n.last_set;
            next.from = block.at.at + std::uint64_t{2};
            if (next.set != done.next) next.epoch = next.from.get();
            next.set = done.next;
            n.last_set = next;
            later(0, at, event{std::move(next)});
        }
        n.log.push_back(std::move(e));
    }
    void carry_out(std::size_t at, blendr::consensus::again& e)
    {
        later(0, at, message{e.from, std::move(e.message)});
    }
    void carry_out(std::size_t, blendr::consensus::halted& e)
    {
        throw std::runtime_error{"an engine halted: " + std::string{e.why}};
    }
    template <class Other>  // persist, trim, metric…: nobody crashes here
    void carry_out(std::size_t, Other&)
    {}

    std::vector<placed_block> const& blocks_;
    std::vector<node> nodes_{};
    std::map<std::pair<std::int64_t, std::uint64_t>, arrival> waiting_{};
    std::int64_t now_ = 0;
    std::uint64_t count_ = 0;
    blendr::hash256 chain_{std::byte{1}};
};

}  // namespace example
