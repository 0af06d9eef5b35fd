// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bodies of chained.hpp: what survives a crash. Ballots are written before they leave; so are certificates
// that were relied on and blocks that were voted for, which go with the next barrier.

#include <algorithm>

#include <blendr/consensus/chained.hpp>

namespace blendr::consensus {

template <class Self>
void chained<Self>::write(std::uint64_t v, record const& what, bool barrier)
{
    auto const tag = above(root_.at);
    tags_.try_emplace(v, tag);
    emit(persist{encode(what), barrier, tag});
}

template <class Self>
void chained<Self>::replay(std::vector<bytes> const& journal)
{
    std::uint64_t seen = 0;
    std::vector<certificate> certificates{};
    auto const live = [&](std::uint64_t epoch, std::uint64_t v, record const& r) {
        if (epoch > voters_.epoch()) later_.emplace_back(epoch, r);
        if (epoch != voters_.epoch() || v <= root_.view) return false;
        tags_[v] = height{};  // of an earlier incarnation: stays until the view is decided
        return true;
    };
    for (auto const& raw : journal) {
        auto const r = decode<record>(raw);
        if (!r) {
            // Something was cast that nobody can read now. Ballots are cast at most two heights above
            // what is decided, so epochs that begin later are safe; in earlier ones we stay silent.
            measure("journal_corrupt");
            mute_to_ = std::max(mute_to_, root_.at.get() + 2);
        } else if (auto const* b = std::get_if<ballot>(&*r)) {
            if (!live(b->epoch, b->view, *r) || b->kind >= Self::kinds) continue;
            rounds_[b->view].mine[b->kind] = *b;
            seen = std::max(seen, b->view);
        } else if (auto const* body = std::get_if<block>(&*r)) {
            later_blocks_.push_back(*body);
        } else if (auto const& c = std::get<certificate>(*r);
                   live(c.about.epoch, c.about.view, *r) && c.about.kind < Self::kinds &&
                   voters_.check(c, nullptr)) {
            certificates.push_back(c);
        }
    }
    adopt_later();
    advance(std::max(seen, root_.view + 1));
    for (auto const& [v, r] : std::map<std::uint64_t, round>{rounds_})
        for (std::uint8_t k = 1; k < Self::kinds; ++k)
            if (r.mine[k] && seat_)
                count(*seat_, {*r.mine[k], me_.sign(ballot_domain, voters_.statement(*r.mine[k]))});
    for (auto const& c : certificates)
        if (!stopped_ && needs(c)) hold(c, true);
}

/// Blocks of the journal come into the tree when their height does: nobody else may hold them.
template <class Self>
void chained<Self>::adopt_later()
{
    std::erase_if(later_blocks_, [&](block& body) {
        auto const at = body.at.at;
        if (at <= root_.at) return true;
        if (at > above(root_.at, 2) || (next_ && at.get() >= next_->epoch())) return false;
        auto const id = id_of(body);
        store(id, std::move(body));
        if (auto const found = tree_.find(id); found != tree_.end()) found->second.journaled = true;
        return true;
    });
}

}  // namespace blendr::consensus
