// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bodies of chained.hpp: which signatures a message stands on, before anything in it is believed.
//
// What is skipped here must be skipped by the step as well, however the engine moved on meanwhile:
// every reason to skip, once true, stays true or makes the step drop the message.

#include <algorithm>

#include <blendr/consensus/chained.hpp>

namespace blendr::consensus {

template <class Self>
std::optional<bool> chained<Self>::claims(public_key const& from, bytes_view raw,
                                          std::vector<claim>& out) const
{
    auto const in = decode<wire_message>(raw);
    if (!in) return false;
    if (early(*in)) return std::nullopt;
    if (std::holds_alternative<ask>(*in)) return true;
    return std::visit(
        [&]<class T>(T const& each) {
            if constexpr (std::same_as<T, ask>)
                return true;
            else
                return claims_of(from, each, out);
        },
        *in);
}

/// Whether a certificate is news. One that is not is neither checked nor believed anew.
template <class Self>
bool chained<Self>::needs(certificate const& c) const
{
    if (c.about.epoch != voters_.epoch() || c.about.view <= root_.view) return false;
    auto const* mine = held(c.about.kind, c.about.view);
    return mine == nullptr || mine->about != c.about;
}

template <class Self>
bool chained<Self>::claims_of(certificate const& c, std::vector<claim>& out) const
{
    if (c.about.kind == ballot_kind::propose || c.about.kind >= Self::kinds) return false;
    return !needs(c) || voters_.check(c, &out);
}

template <class Self>
bool chained<Self>::claims_of(public_key const&, proposal const& p, std::vector<claim>& out) const
{
    auto const& b = p.said.about;
    if (b.kind != ballot_kind::propose || b.prior >= b.view) return false;
    if (b.epoch != voters_.epoch() || b.view <= root_.view) return true;
    auto const at = rounds_.find(b.view);
    if (at == rounds_.end() || !at->second.leader || at->second.leader->about != b)
        out.push_back(voters_.claim_of(voters_.leader(b.view), b, p.said.by));
    return std::all_of(p.because.begin(), p.because.end(),
                       [&](certificate const& c) { return claims_of(c, out); });
}

template <class Self>
bool chained<Self>::claims_of(public_key const& from, vote const& v, std::vector<claim>& out) const
{
    auto const& b = v.said.about;
    if (b.kind == ballot_kind::propose || b.kind >= Self::kinds) return false;
    if (b.kind == ballot_kind::give_up && (b.prior != 0 || b.id != block_id{})) return false;
    if (b.kind != ballot_kind::give_up && b.prior >= b.view) return false;
    if (v.leader && b.kind != ballot_kind::vote) return false;
    auto const seat = voters_.seat_of(from);
    if (b.epoch != voters_.epoch() || b.view <= root_.view || !seat) return true;
    auto const at = rounds_.find(b.view);
    bool const known = at != rounds_.end();
    if (known && at->second.certificates[b.kind] && at->second.certificates[b.kind]->about == b)
        return true;
    out.push_back(voters_.claim_of(*seat, b, v.said.by));
    if (v.leader) {
        auto led = b;
        led.kind = ballot_kind::propose;
        if (!known || !at->second.leader || at->second.leader->about != led)
            out.push_back(voters_.claim_of(voters_.leader(b.view), led, *v.leader));
    }
    return true;
}

template <class Self>
bool chained<Self>::claims_of(public_key const&, tell const& t, std::vector<claim>& out) const
{
    return std::all_of(t.certificates.begin(), t.certificates.end(),
                       [&](certificate const& c) { return claims_of(c, out); });
}

template <class Self>
bool chained<Self>::claims_of(public_key const&, catch_up const& c, std::vector<claim>& out) const
{
    if (c.blocks.empty()) return false;
    if (c.blocks.back().at.at <= root_.at) return true;
    auto const why = decode<std::vector<certificate>>(c.finality);
    if (!why || why->empty() || !Self::proves(*why, id_of(c.blocks.back()))) return false;
    return std::all_of(why->begin(), why->end(),
                       [&](certificate const& each) { return voters_.check(each, &out); });
}

template <class Self>
bool chained<Self>::check(membership const& set, decide::entry const& block, bytes_view raw,
                          std::vector<claim>& out)
{
    auto const why = decode<std::vector<certificate>>(raw);
    if (!why || why->empty() || !Self::proves(*why, block.id)) return false;
    if (block.at.at != set.from || set.epoch > set.from.get()) return false;
    electorate const all{set};
    return std::all_of(why->begin(), why->end(),
                       [&](certificate const& each) { return all.check(each, &out); });
}

}  // namespace blendr::consensus
