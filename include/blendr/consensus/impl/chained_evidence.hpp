// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bodies of chained.hpp: who contradicts itself. Two ballots that no honest validator casts both are proof,
// for whoever has the set. A leader that told two stories is found out because voters repeat its signature.

#include <blendr/consensus/chained.hpp>

namespace blendr::consensus {

template <class Self>
bool chained<Self>::hear_leader(signed_ballot const& said)
{
    auto& heard = rounds_[said.about.view].leader;
    if (!heard) {
        heard = said;
        stirred_ = true;
        if (said.about.view < view_) impatience_ += 4;  // it came after we had left
    } else if (heard->about != said.about) {
        accuse(voters_.leader(said.about.view), *heard, said);
        return false;
    }
    return true;
}

template <class Self>
void chained<Self>::accuse(std::size_t seat, signed_ballot const& a, signed_ballot const& b)
{
    if (accused_.insert(seat).second) emit(evidence{voters_.key(seat), encode(double_vote{a, b})});
}

template <class Self>
bool chained<Self>::check_evidence(membership const& set, public_key const& who, bytes_view raw,
                                   std::vector<claim>& out)
{
    auto const said = decode<double_vote>(raw);
    if (!said) return false;
    auto const& a = said->first.about;
    auto const& b = said->second.about;
    if (a.epoch != set.epoch || b.epoch != set.epoch || a.view != b.view) return false;
    if (a.kind >= Self::kinds || b.kind >= Self::kinds) return false;
    bool const guilty = a.kind != b.kind ? Self::excludes(a.kind, b.kind) : a != b;
    electorate const all{set};
    auto const seat = all.seat_of(who);
    if (!guilty || !seat) return false;
    out.push_back(all.claim_of(*seat, a, said->first.by));
    out.push_back(all.claim_of(*seat, b, said->second.by));
    return true;
}

}  // namespace blendr::consensus
