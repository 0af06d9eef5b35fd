// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <blendr/core/amount.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/crypto/identity.hpp>
#include <blendr/market/capacity.hpp>
#include <blendr/node/shelf.hpp>
#include <blendr/work/app.hpp>

namespace blendr::node {

/// What somebody wants done.
struct job_request {
    std::string app = "render";
    work::order what{};        ///< its options, and files that they name
    std::uint32_t units = 12;  ///< about so many parts
    std::string wanted{};      ///< of a device; see market::requirement
    market::device_class of{1};
    std::optional<amount> each_most{};  ///< for a unit; twice the estimate when nothing is said
    bool post = false;             ///< at a posted price, to whoever takes it, instead of by a bid
    std::uint32_t quorum = 2;      ///< results that must agree; 1: nobody looks but the renter
    std::uint32_t search_s = 60;   ///< providers are looked for so long
    std::uint32_t start_s = 10;    ///< a provider must begin
    std::uint32_t run_s = 60;      ///< and be done within this
    std::uint32_t check_s = 10;    ///< and who checks, for each of its two steps
    std::optional<amount> bond{};  ///< that stands behind an agreement
};
BOOST_DESCRIBE_STRUCT(job_request, (),
                      (app, what, units, wanted, of, each_most, post, quorum, search_s, start_s,
                       run_s, check_s, bond))

/// What it would cost, before anything is paid.
struct job_quote {
    std::string app{};
    std::uint32_t units{};
    std::uint64_t demand{};     ///< market units that a unit takes
    amount each{};              ///< expected for a unit …
    amount each_most{};         ///< … and the most that will be paid
    amount work{};              ///< expected for all units
    amount checks{};            ///< the most that checking may cost; what is not used comes back
    amount total{};             ///< expected, with checks
    std::uint64_t devices{};    ///< that offer themselves and satisfy the requirement
    std::uint64_t offers{};     ///< of the class at all
    std::uint32_t providers{};  ///< owners of those that satisfy it, as far as they are counted
    std::string verifier{};
    std::string explained{};  ///< who matches and why others do not
    /// "12 units, ≈ 0.84 BLND, 2 providers match, verifier: quorum ×2"
    std::string sentence() const;
};
BOOST_DESCRIBE_STRUCT(job_quote, (),
                      (app, units, demand, each, each_most, work, checks, total, devices, offers,
                       providers, verifier, explained))

enum class job_phase : std::uint8_t {
    submitted = 1,  ///< on its way into a block
    searching = 2,  ///< nobody has any unit yet
    running = 3,
    checking = 4,  ///< all is delivered; windows, checks and disputes are open
    settling = 5,  ///< over on the chain; results are fetched, both sides rate
    done = 6,
    failed = 7,  ///< not all units were done; what was not paid came back
};
BOOST_DESCRIBE_ENUM(job_phase, submitted, searching, running, checking, settling, done, failed)

/// One unit, as far as the renter saw.
struct unit_story {
    std::string state{};
    std::string provider{};
    std::string taken_from{};  ///< who had it before and did not deliver, or not what was right
    std::string checked{};     ///< in words; empty: nobody did it again
    bool fetched{};
    bool remade{};  ///< its bytes were made again by the renter itself
    hash256 input{}, data{}, claim{};
    std::uint32_t with{};
    friend bool operator==(unit_story const&, unit_story const&) = default;
};
/// One agreement: who, what for, how it ended.
struct deal_story {
    std::string provider{};
    std::uint32_t number{}, units{}, paid_units{};
    std::string phase{};
    amount each{}, paid{}, fees{}, bond{}, slashed{};
    std::uint32_t score_before{}, score_after{};
    bool rated{}, rated_us{};
    hash256 name{};
    friend bool operator==(deal_story const&, deal_story const&) = default;
};
/// A stage of a job: one job on the chain.
struct stage_story {
    std::string name{};
    std::uint64_t number{};
    height submitted{}, opened{};
    bool over{};
    std::uint64_t steps{};
    std::uint32_t quorum{};
    amount each{}, held{};
    std::vector<unit_story> units{};
    std::vector<deal_story> deals{};
};
struct job_story {
    std::uint64_t number{};
    std::string app{};
    job_phase phase{job_phase::submitted};
    std::string why{};  ///< it failed
    std::uint32_t own_score_before{}, own_score_after{};
    std::vector<stage_story> stages{};
    std::vector<std::string> files{};
    // sums, for who only wants these
    std::uint32_t units{}, listed{}, assigned{}, delivered{}, disputed{}, paid{};
    amount cost{};            ///< to providers, fees included, as far as it is settled
    std::string explained{};  ///< while nobody matches: why
};
BOOST_DESCRIBE_STRUCT(unit_story, (),
                      (state, provider, taken_from, checked, fetched, remade, input, data, claim,
                       with))
BOOST_DESCRIBE_STRUCT(deal_story, (),
                      (provider, number, units, paid_units, phase, each, paid, fees, bond, slashed,
                       score_before, score_after, rated, rated_us, name))
BOOST_DESCRIBE_STRUCT(stage_story, (),
                      (name, number, submitted, opened, over, steps, quorum, each, held, units,
                       deals))
BOOST_DESCRIBE_STRUCT(job_story, (),
                      (number, app, phase, why, own_score_before, own_score_after, stages, files,
                       units, listed, assigned, delivered, disputed, paid, cost, explained))

/// A renter: quotes, submits, follows, fetches, merges and rates. What it has to remember lies in its home, a
/// directory a job, so that it may be killed at any time: `look` goes on where things stand. The chain does
/// not wait for it.
class renter {
public:
    renter(std::string rpc, crypto::identity const& me, std::shared_ptr<shelf> blobs,
           std::filesystem::path home, amount fee_max = 500'000'000_grains);
    ~renter();

    result<job_quote, std::string> quote(job_request const& what);
    /// Puts the inputs where providers find them, and the order on the chain, with a bid or a posted
    /// price. The number by which the job is asked for.
    result<std::uint64_t, std::string> submit(job_request const& what);

    /// Looks where a job stands and does what is next: fetches and checks results, objects to what was not
    /// delivered as promised, submits the next stage, rates, writes the files. Again and again, until it
    /// is done or failed.
    result<job_story, std::string> look(std::uint64_t number);
    /// Looks until the job is over; `each` may stop it by saying false.
    template <class Each>
    result<job_story, std::string> watch(std::uint64_t number, Each&& each)
    {
        for (unsigned failures = 0; true; pause()) {
            auto story = look(number);
            if (!story && ++failures < failures_max) continue;  // a node may be away for a while
            if (!story) return story;
            failures = 0;
            bool const over = story->phase == job_phase::done || story->phase == job_phase::failed;
            if (!each(*story) || over) return story;
        }
    }
    /// What the job made, once it is done.
    result<std::vector<work::file>, std::string> files(std::uint64_t number);
    /// Ends it: what was delivered is paid, the rest comes back.
    result<nothing, std::string> cancel(std::uint64_t number);
    /// Jobs that lie in the home.
    std::vector<std::uint64_t> jobs() const;

    class body;

private:
    static constexpr unsigned failures_max = 100;
    static void pause();
    std::unique_ptr<body> body_;
};

/// As people read it: units, who ran them, how they were checked, what was paid, reputation before and after.
std::string summary(job_story const& of);

}  // namespace blendr::node
