// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

#include <boost/describe.hpp>

#include <blendr/bond/panel.hpp>
#include <blendr/ledger/contract.hpp>
#include <blendr/reputation/appeal.hpp>
#include <blendr/reputation/feedback.hpp>
#include <blendr/reputation/score.hpp>

namespace blendr::reputation {

using crypto::address;
using ledger::mode;
using ledger::ref;
using ledger::tx_info;
using ledger::type_list;

/// Fixed when the chain begins.
struct conditions {
    static constexpr std::string_view name = "conditions";
    using key = std::uint8_t;
    struct row {
        score_rules scores{};
        appeal_rules appeals{1'000, 500, 200, 7, 10_blnd, 2'000};
        std::uint64_t rate_within = 5'000;  ///< heights after the agreement's end
    };
    static constexpr bool shared(mode m) { return m == mode::read; }
};

/// What is known of somebody, in one role and family of work.
struct scores {
    static constexpr std::string_view name = "scores";
    struct key {
        address who{};
        role as{role::provider};
        family work{family::fp32};
        friend constexpr auto operator<=>(key const&, key const&) = default;
    };
    using row = evidence;
    static constexpr bool shared(mode m) { return m == mode::read; }
};

/// What one party gave another of late.
struct pairs {
    static constexpr std::string_view name = "pairs";
    struct key {
        address rater{};
        address subject{};
        friend constexpr auto operator<=>(key const&, key const&) = default;
    };
    using row = pair_window;
};

/// Agreements that are over and paid, for as long as they may be rated.
struct ended {
    static constexpr std::string_view name = "ended";
    using key = hash256;
    using row = settled_agreement;
};

/// Every rating with what it did: the evidence behind a score, and what an appeal is about.
struct feedback {
    static constexpr std::string_view name = "feedback";
    static constexpr bool ordered = true;
    struct key {
        address subject{};
        hash256 agreement{};
        address rater{};
        friend constexpr auto operator<=>(key const&, key const&) = default;
    };
    struct row {
        receipt what{};
        bool appealed{};
        bool taken_back{};
    };
};

/// Ratings that are being judged, with both sides' stakes.
struct appeals {
    static constexpr std::string_view name = "appeals";
    using key = feedback::key;
    struct row {
        appeal of{};
        amount stakes{};
        height draws{};  ///< the rater stands by it: when the panel is drawn
        height queued{};
    };
    static amount holds(row const& r) { return r.stakes; }
};

/// What waits for its height: an appeal, or, without a subject, an agreement's last day.
struct due {
    static constexpr std::string_view name = "due";
    static constexpr bool ordered = true;
    struct key {
        height at{};
        feedback::key about{};
        friend constexpr auto operator<=>(key const&, key const&) = default;
    };
    struct row {
        bool waits{};
        friend bool operator==(row const&, row const&) = default;
    };
    using entry = feedback::key;
};

// -- what is told

struct settled {
    hash256 agreement{};
    settled_agreement what{};
};
struct rated {
    receipt what{};
    std::uint32_t score{};  ///< of the subject, now
};
struct appealed {
    feedback::key about{};
};
struct summoned {
    feedback::key about{};
    address juror{};
};
struct judged {
    feedback::key about{};
    appeal_stage how{};
};

/// Reputation on a ledger. A contract listed later says which agreements were settled and paid; both
/// sides may rate them, once; a rating may be appealed to a panel of bonded validators.
struct contract {
    static constexpr std::uint16_t id = 5;
    static constexpr std::string_view name = "reputation";
    using error = reject;
    static constexpr std::uint32_t work_per_block = 4'096;

    struct genesis_document {
        conditions::row by{};
    };

    /// Subject, role and work are as in the agreement; the message names them so that everybody
    /// knows beforehand what it touches.
    struct rate {
        hash256 agreement{};
        scores::key subject{};
        std::uint32_t rating{};
    };
    /// By the subject, with a stake.
    struct appeal {
        feedback::key about{};
    };
    /// By the rater, with the same stake.
    struct defend {
        feedback::key about{};
    };
    /// By a member of the panel.
    struct say {
        feedback::key about{};
        vote what{vote::none};
    };
    using messages = type_list<rate, appeal, defend, say>;
    using tables = type_list<conditions, scores, pairs, ended, feedback, appeals, due>;
    using events = type_list<settled, rated, appealed, summoned, judged>;

    /// Refuses rules that cannot be computed with.
    static bool genesis(auto& ctx, genesis_document const& document)
    {
        ctx.template edit<conditions>(0) = document.by;
        return sound(document.by.scores) && sound(document.by.appeals);
    }

    struct rate_plan {
        ref<ended, mode::write> agreement{};
        ref<scores, mode::write> subject{};
        ref<pairs, mode::write> pair{};
        ref<feedback, mode::write> receipt{};
        ref<conditions, mode::read> by{};
    };
    struct appeal_plan {
        ref<ledger::purses, mode::debit> purse{};
        ref<feedback, mode::write> rating{};
        ref<appeals, mode::write> of{};
        ref<conditions, mode::read> by{};
        ref<due, mode::post> out{};
    };
    static rate_plan touches(rate const& m, tx_info const& tx, auto& access)
    {
        return {access.template use<ended, mode::write>(m.agreement),
                access.template use<scores, mode::write>(m.subject),
                access.template use<pairs, mode::write>(pairs::key{tx.sender, m.subject.who}),
                access.template use<feedback, mode::write>(
                    feedback::key{m.subject.who, m.agreement, tx.sender}),
                access.template use<conditions, mode::read>(0)};
    }
    static appeal_plan touches(appeal const& m, tx_info const& tx, auto& access)
    {
        return rows_of(m.about, tx, access);
    }
    static appeal_plan touches(defend const& m, tx_info const& tx, auto& access)
    {
        return rows_of(m.about, tx, access);
    }
    static appeal_plan touches(say const& m, tx_info const& tx, auto& access)
    {
        return rows_of(m.about, tx, access);
    }

    static error apply(auto& ctx, rate const& m, rate_plan const& rows);
    static error apply(auto& ctx, appeal const& m, appeal_plan const& rows);
    static error apply(auto& ctx, defend const& m, appeal_plan const& rows);
    static error apply(auto& ctx, say const& m, appeal_plan const& rows);

    /// In a hook of a contract listed later: this agreement is settled and paid.
    static void settle(auto& ctx, hash256 const& agreement, settled_agreement const& what);

    /// Draws panels, ends appeals, forgets agreements that may not be rated any more.
    static void end_block(auto& ctx);

    // -- what may be asked

    struct score_of {
        scores::key subject{};
        height at{};
    };
    struct standing {
        evidence points{};
        std::uint32_t score{};
    };
    static standing query(auto const& view, score_of const& asked)
    {
        auto const& by = view.template row<conditions>(0).scores;
        auto const& known = view.template row<scores>(asked.subject);
        auto const at = std::max(asked.at, known.at);
        return {faded(known, at, by), score(known, at, by)};
    }
    /// What a subject was rated, from the agreement on that is named.
    struct feedback_of {
        address subject{};
        hash256 from{};
        std::uint32_t most{100};
    };
    struct ratings {
        std::vector<feedback::row> list{};
    };
    static ratings query(auto const& view, feedback_of const& asked)
    {
        ratings out{};
        auto const most = std::min<std::uint32_t>(asked.most, 1'000);
        view.template each<feedback>({asked.subject, asked.from, {}},
                                     [&](feedback::key const& key, feedback::row const& row) {
                                         if (key.subject != asked.subject) return false;
                                         if (out.list.size() == most) return false;
                                         out.list.push_back(row);
                                         return true;
                                     });
        return out;
    }
    using queries = type_list<score_of, feedback_of>;

private:
    static appeal_plan rows_of(feedback::key const& about, tx_info const& tx, auto& access)
    {
        return {access.template use<ledger::purses, mode::debit>(tx.sender),
                access.template use<feedback, mode::write>(about),
                access.template use<appeals, mode::write>(about),
                access.template use<conditions, mode::read>(0),
                access.template use<due, mode::post>()};
    }
};

BOOST_DESCRIBE_STRUCT(conditions::row, (), (scores, appeals, rate_within))
BOOST_DESCRIBE_STRUCT(scores::key, (), (who, as, work))
BOOST_DESCRIBE_STRUCT(pairs::key, (), (rater, subject))
BOOST_DESCRIBE_STRUCT(feedback::key, (), (subject, agreement, rater))
BOOST_DESCRIBE_STRUCT(feedback::row, (), (what, appealed, taken_back))
BOOST_DESCRIBE_STRUCT(appeals::row, (), (of, stakes, draws, queued))
BOOST_DESCRIBE_STRUCT(due::key, (), (at, about))
BOOST_DESCRIBE_STRUCT(due::row, (), (waits))
BOOST_DESCRIBE_STRUCT(contract::genesis_document, (), (by))
BOOST_DESCRIBE_STRUCT(contract::rate, (), (agreement, subject, rating))
BOOST_DESCRIBE_STRUCT(contract::appeal, (), (about))
BOOST_DESCRIBE_STRUCT(contract::defend, (), (about))
BOOST_DESCRIBE_STRUCT(contract::say, (), (about, what))
BOOST_DESCRIBE_STRUCT(contract::score_of, (), (subject, at))
BOOST_DESCRIBE_STRUCT(contract::standing, (), (points, score))
BOOST_DESCRIBE_STRUCT(contract::feedback_of, (), (subject, from, most))
BOOST_DESCRIBE_STRUCT(contract::ratings, (), (list))

}  // namespace blendr::reputation

#include <blendr/reputation/impl/contract_body.hpp>  // IWYU pragma: export
