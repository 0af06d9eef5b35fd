// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <string_view>

#include <blendr/consensus/ballot.hpp>
#include <blendr/consensus/branching.hpp>

namespace blendr::consensus {

struct authority_config {
    std::int64_t slot_ms = 1000;  ///< one block each; must be well above the network's delay
    std::uint32_t depth = 6;      ///< blocks on top that make a block final
    std::int64_t drift_ms = 500;  ///< how far ahead of our clock a block may be
    std::int64_t ask_ms = 1000;   ///< how often somebody asks what it may have missed
};

inline constexpr crypto::domain seal_domain{"seal/1"};

/// What an author signs: its block is the one of its slot.
struct seal_statement {
    std::uint64_t slot{};
    block_id id{};
    hash256 chain{};
};
BOOST_DESCRIBE_STRUCT(seal_statement, (), (slot, id, chain))

struct slot_seal {
    std::uint64_t slot{};
    crypto::signature by{};
};
BOOST_DESCRIBE_STRUCT(slot_seal, (), (slot, by))

/// Two blocks that one author sealed for one slot.
struct double_seal {
    std::uint64_t slot{};
    block_id first{}, second{};
    crypto::signature first_by{}, second_by{};
};
BOOST_DESCRIBE_STRUCT(double_seal, (), (slot, first, second, first_by, second_by))

/// Proof of authority, of the family of Aura and Clique (EIP-225): time is cut into slots; each slot
/// has one author, drawn by weight, who seals one block on the longest valid branch it knows. Among
/// equally long ones the earlier last slot wins, then the smaller payload time. Final under `depth`.
///
/// Final means less than with a quorum: a partition longer than `depth` slots, or authors of half the
/// weight together, can fork below it; then nodes halt and say so. Who may seal height h follows
/// from the set in force at h - depth, which everybody on the branch knows.
///
/// One seal a slot: the slot is journaled behind a barrier before the block leaves, and no slot at or
/// before a journaled one is ever sealed again, whatever the clock says.
class authority : public branching<authority> {
    using base = branching<authority>;
    friend base;

public:
    using config = authority_config;
    static constexpr std::string_view name = "authority";
    static constexpr std::int64_t pace_ms(config const& c) noexcept
    {
        return (c.depth + std::int64_t{1}) * c.slot_ms;
    }

    authority(config c, identity me, std::uint64_t seed)
        : base{std::move(me), seed, c.depth, c.ask_ms, c.drift_ms},
          config_{c}
    {
        BLENDR_ASSERT(c.slot_ms > 0 && c.depth + 2 <= checkpoint::sets_below);
    }

    static bool check_evidence(membership const& set, public_key const& who, bytes_view raw,
                               std::vector<claim>& out)
    {
        auto const said = decode<double_seal>(raw);
        if (!said || said->first == said->second) return false;
        if (!electorate{set}.seat_of(who)) return false;
        out.push_back(claim_of(who, {said->slot, said->first, set.chain}, said->first_by));
        out.push_back(claim_of(who, {said->slot, said->second, set.chain}, said->second_by));
        return true;
    }

    /// Slot and block that a message seals, for whoever watches a node.
    static std::optional<std::pair<std::uint64_t, block_id>> statement_in(bytes_view raw)
    {
        auto const in = decode<branch_message>(raw);
        auto const* b = in ? std::get_if<sealed_block>(&*in) : nullptr;
        auto const seal = b != nullptr ? decode<slot_seal>(b->seal)
                                       : result<slot_seal, decode_error>{fail{decode_error{}}};
        if (!seal) return std::nullopt;
        return std::pair{seal->slot, id_of(b->body)};
    }

private:
    static constexpr std::uint64_t slot_timer = 1;
    static constexpr std::uint64_t build_timer = 2;

    static claim claim_of(public_key const& who, seal_statement const& said,
                          crypto::signature const& by)
    {
        return {who, crypto::hash(seal_domain, encode(said)), by};
    }

    std::uint64_t slot_of(time_ms t) const
    {
        return static_cast<std::uint64_t>(std::max<std::int64_t>(t.get(), 0) / config_.slot_ms);
    }

    electorate const* authors_at(height h) const
    {
        auto const from = h.get() > config_.depth ? h.get() - config_.depth : 1;
        auto at = sets_.upper_bound(from);
        if (at == sets_.begin() || from > known_to_) return nullptr;
        return &std::prev(at)->second;
    }

    std::optional<bool> claims_of(block_id const& id, sealed_block const& b,
                                  std::vector<claim>& out) const
    {
        auto const seal = decode<slot_seal>(b.seal);
        if (!seal || seal->slot != slot_of(b.body.at.block_time)) return false;
        if (b.body.at.at <= root_height()) return true;  // dropped by the step as well
        auto const* authors = authors_at(b.body.at.at);
        if (authors == nullptr) return std::nullopt;
        if (authors->key(authors->leader(seal->slot)) != b.body.at.proposer) return false;
        out.push_back(claim_of(b.body.at.proposer, {seal->slot, id, authors->chain()}, seal->by));
        return true;
    }

    std::optional<std::uint64_t> weigh(block_id const& id, node& n, node const& parent)
    {
        auto const& where = n.what.body.at;
        auto const seal = decode<slot_seal>(n.what.seal);
        if (!seal || seal->slot <= slot_of(parent.what.body.at.block_time)) return std::nullopt;
        n.extra = seal->slot;
        // Branches may have different sets, and so different authors for one slot: no crime of either.
        auto const [known, fresh] =
            seals_.try_emplace(std::pair{seal->slot, where.proposer}, id, seal->by);
        if (!fresh && known->second.first != id && where.proposer != me_.self) {
            auto const& [other, by] = known->second;
            emit(
                evidence{where.proposer, encode(double_seal{seal->slot, other, id, by, seal->by})});
        }
        return 1;
    }

    bool prefers(node const& a, node const& b) const
    {
        if (a.extra != b.extra) return a.extra < b.extra;
        return a.what.body.payload < b.what.body.payload;
    }

    void on_started(started const& s)
    {
        for (auto const& raw : s.journal) {
            auto const slot = decode<std::uint64_t>(raw);
            if (slot)
                sealed_to_ = std::max(sealed_to_, *slot);
            else  // some slot was sealed that nobody can read now: wait until it must be past
                silent_to_ = slot_of(after(now_.wall, 10 * config_.slot_ms + config_.drift_ms)),
                measure("journal_corrupt");
        }
        next_slot();
    }

    void on_membership(membership const& m)
    {
        if (m.from.get() <= known_to_) return;
        known_to_ = m.from.get();
        if (sets_.empty() || std::prev(sets_.end())->second.epoch() != m.epoch)
            sets_.emplace(m.from.get(), electorate{m});
        others_.clear();
        for (auto const& v : m.set)
            if (v.key != me_.self) others_.push_back(v.key);
    }

    void next_slot()
    {
        auto const into = now_.wall.get() % config_.slot_ms;
        emit(set_timer{slot_timer, config_.slot_ms - into});
    }

    void fired(std::uint64_t timer)
    {
        if (timer == build_timer && slot_of(draft_.block_time) == slot_of(now_.wall))
            return emit(build{++drafts_, draft_});
        if (timer != slot_timer) return;
        next_slot();
        auto const slot = slot_of(now_.wall);
        auto const& top = best_node().what.body.at;
        auto const* authors = authors_at(above(top.at));
        if (authors == nullptr || authors->key(authors->leader(slot)) != me_.self) return;
        if (slot <= sealed_to_ || slot <= silent_to_ || slot <= slot_of(top.block_time)) return;
        draft_ = {best(), above(top.at), now_.wall, me_.self};
        emit(build{++drafts_, draft_});
    }

    void on_built(built const& b)
    {
        auto const slot = slot_of(draft_.block_time);
        if (b.request != drafts_ || slot <= sealed_to_ || slot != slot_of(now_.wall) ||
            draft_.parent != best())
            return;
        if (!b.payload || b.payload->size() > payload_max)  // once more within the slot
            return emit(set_timer{build_timer, config_.slot_ms / 4});
        auto const* authors = authors_at(draft_.at);
        if (authors == nullptr) return;
        block body{draft_, *b.payload};
        auto const id = id_of(body);
        sealed_to_ = slot;
        sealed_at_ = draft_.at;
        emit(persist{encode(slot), true, draft_.at});
        slot_seal const seal{
            slot, me_.sign(seal_domain, encode(seal_statement{slot, id, authors->chain()}))};
        sealed_block const out{std::move(body), encode(seal)};
        emit(broadcast{lane::consensus, encode(branch_message{out})});
        store(id, out);
    }

    void on_mined(mined const&) {}
    void branch_changed() {}

    void decided_to(height h)
    {
        auto const past = slot_of(base_.what.body.at.block_time);
        seals_.erase(seals_.begin(), seals_.lower_bound({past, public_key{}}));
        while (sets_.size() > 1 && h.get() > config_.depth &&
               std::next(sets_.begin())->first + config_.depth < h.get())
            sets_.erase(sets_.begin());
        if (sealed_at_ > height{}) emit(trim{std::min(sealed_at_, h)});
    }

    config config_;
    std::map<std::uint64_t, electorate> sets_{};  // by the height that they begin at
    std::uint64_t known_to_{};
    std::uint64_t sealed_to_{};
    std::uint64_t silent_to_{};
    height sealed_at_{};
    app::proposal_context draft_{};
    std::uint64_t drafts_{};
    std::map<std::pair<std::uint64_t, public_key>, std::pair<block_id, crypto::signature>> seals_{};
};

static_assert(engine<authority>);

}  // namespace blendr::consensus
