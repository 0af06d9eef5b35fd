// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/reputation/feedback.hpp>

namespace blendr::reputation {

inline constexpr std::size_t panel_max = 31;

struct appeal_rules {
    std::uint32_t open_within{};    ///< heights after the rating
    std::uint32_t vote_within{};    ///< heights after the panel was drawn
    std::uint32_t defend_within{};  ///< heights for the rater to put in its stake
    std::uint16_t panel{};          ///< members, an odd number
    amount stake{};                 ///< of each side
    std::uint32_t panel_share{};    ///< of the loser's stake, in basis points, for those who voted
};
BOOST_DESCRIBE_STRUCT(appeal_rules, (),
                      (open_within, vote_within, defend_within, panel, stake, panel_share))

/// Whether an appeal by these rules has an end.
bool sound(appeal_rules const& by) noexcept;

enum class appeal_stage : std::uint8_t {
    defending = 1,   ///< the rater may stand by its rating
    voting = 2,      ///< the panel decides
    upheld = 3,      ///< the rating stays
    overturned = 4,  ///< it is taken back
};
BOOST_DESCRIBE_ENUM(appeal_stage, defending, voting, upheld, overturned)

enum class vote : std::uint8_t { none = 0, uphold = 1, overturn = 2 };
BOOST_DESCRIBE_ENUM(vote, none, uphold, overturn)

struct juror {
    crypto::address who{};
    vote said{vote::none};
    friend bool operator==(juror const&, juror const&) = default;
};
BOOST_DESCRIBE_STRUCT(juror, (), (who, said))

/// Who gets what of the two stakes when an appeal is over. Every grain of them is here.
struct payout {
    crypto::address to{};
    amount value{};
};

/// The subject of a rating says that it is wrong and puts a stake on it; the rater stands by it with
/// the same stake or it is taken back; then a panel, drawn by the beacon from bonded validators,
/// decides by the majority of those who vote. The loser's stake pays those jurors who voted with the
/// majority, and the rest of it goes to the winner. When nobody votes, or as many for as against, the
/// rating stays and both get their stakes back.
struct appeal {
    receipt about{};
    appeal_rules rules{};
    appeal_stage at{appeal_stage::defending};
    height seen{};
    height due{};
    bool defended{};
    bounded<std::vector<juror>, panel_max> panel{};

    /// By the subject. The caller has taken its stake.
    static result<appeal, reject> open(receipt const& about, crypto::address const& by,
                                       appeal_rules const& rules, height now);

    /// By the rater, whose stake the caller has taken. `panel` was drawn by the beacon of this height
    /// and names neither side; where there is nobody to draw, nobody will vote.
    result<nothing, reject> defend(crypto::address const& by,
                                   std::vector<crypto::address> const& panel, height now);
    result<nothing, reject> say(crypto::address const& who, vote what, height now);
    result<nothing, reject> tick(height now);

    bool over() const noexcept
    {
        return at == appeal_stage::upheld || at == appeal_stage::overturned;
    }

    /// Once it is over: where the stakes go.
    std::vector<payout> payouts() const;

private:
    result<nothing, reject> may_happen(height now) const;
    std::uint32_t count(vote what) const noexcept;
    void decide();
};
BOOST_DESCRIBE_STRUCT(appeal, (), (about, rules, at, seen, due, defended, panel))

}  // namespace blendr::reputation
