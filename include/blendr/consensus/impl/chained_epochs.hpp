// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bodies of chained.hpp: epochs. Who votes may change with every height, two heights ahead. An epoch is the
// heights through which a set stays the same; views begin anew with each, right after the last block of the
// one before. Messages for an epoch to come wait, bounded.

#include <blendr/consensus/chained.hpp>

namespace blendr::consensus {

template <class Self>
void chained<Self>::on(membership const& m)
{
    if (m.from <= known_to_) return;
    known_to_ = m.from;
    if (voters_.size() == 0 || (m.epoch != voters_.epoch() && m.epoch == root_.at.get() + 1))
        enter_epoch(electorate{m});
    else if (m.epoch != voters_.epoch())
        next_ = electorate{m};
    stirred_ = true;
    flush_early();
    stir();
}

/// Whether a block at this height may be voted for now: its set is known, and is this epoch's.
template <class Self>
bool chained<Self>::open(height at) const
{
    return at <= known_to_ && at <= above(root_.at, 2) && !(next_ && at.get() >= next_->epoch());
}

template <class Self>
void chained<Self>::enter_epoch(electorate e)
{
    voters_ = std::move(e);
    next_.reset();
    seat_ = voters_.seat_of(me_.self);
    root_.view = view_ = 0;
    root_why_.clear();
    rounds_.clear();
    tree_.clear();
    pending_.reset();
    draft_.reset();
    tags_.clear();
    accused_.clear();
    impatience_ = 0;
    std::vector<record> mine{};
    std::erase_if(later_, [&](auto const& each) {
        if (each.first == voters_.epoch()) mine.push_back(each.second);
        return each.first <= voters_.epoch();
    });
    std::vector<bytes> again{};
    for (auto const& r : mine) again.push_back(encode(r));
    replay(again);
    advance(1);
}

/// Whether a message speaks of something whose voters are not known yet.
template <class Self>
bool chained<Self>::early(wire_message const& in) const
{
    if (stopped_ || voters_.size() == 0) return true;
    if (auto const* p = std::get_if<proposal>(&in)) return p->said.about.epoch > voters_.epoch();
    if (auto const* v = std::get_if<vote>(&in)) return v->said.about.epoch > voters_.epoch();
    if (auto const* c = std::get_if<catch_up>(&in)) {
        if (c->blocks.empty()) return false;
        auto const last = c->blocks.back().at.at;
        return c->blocks.front().at.at > above(root_.at) || last > known_to_ ||
               (next_ && last.get() >= next_->epoch());
    }
    return false;
}

/// Messages for an epoch to come wait here, so many a peer; the rest can be asked for later.
template <class Self>
void chained<Self>::keep_early(public_key const& from, bytes_view raw)
{
    behind_ = true;
    if (!early_.keep(from, raw)) measure("dropped_too_early");
}

template <class Self>
void chained<Self>::flush_early()
{
    if (out_ == nullptr) return;
    early_.empty_into([&](public_key const& from, bytes m) { emit(again{from, std::move(m)}); });
}

}  // namespace blendr::consensus
