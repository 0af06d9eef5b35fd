// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>

#include <blendr/work/checkpoint.hpp>
#include <blendr/work/error.hpp>
#include <blendr/work/job.hpp>
#include <blendr/work/receipt.hpp>

namespace blendr::work {

/// Who runs units: a device here, or somebody far away. One unit at a time, on a thread of the run; a referee's
/// thread may be another each time.
class runner {
public:
    virtual ~runner() = default;

    virtual std::string_view name() const noexcept = 0;

    /// Points a second, as measured before; 0 when nobody knows. A run learns better as it goes.
    virtual double speed() const noexcept = 0;

    /// Does one unit, all of it or none: half a result is a problem. Comes back soon after `stop` is asked
    /// for. `device_failed` speaks of the runner, `program_failed` of the unit; whatever is thrown counts
    /// as the former.
    virtual result<bytes, problem> run(unit const& what, std::stop_token stop) = 0;
};

using run_function = std::function<result<bytes, problem>(unit const&, std::stop_token)>;
std::unique_ptr<runner> make_runner(std::string name, double speed, run_function run);

/// How far a run is.
struct progress {
    std::string_view stage;  ///< its name
    std::uint32_t stages_before = 0;
    std::size_t done = 0, running = 0, all = 0;  ///< units of this stage
    double points_per_second = 0;                ///< of all runners together, lately
    std::size_t runners = 0;                     ///< that are still asked
};

/// "render [#####.....]  41/96  3 running  1.2 M points/s": one line for a terminal.
std::string bar(progress const& at, std::size_t width = 30);

struct run_options {
    unsigned attempts_max = 3;  ///< failures of one unit, wherever, after which the run stops
    unsigned failures_max = 3;  ///< of one runner in a row, after which it is no longer asked
    unsigned agree = 1;         ///< different runners that must return the same before it is taken
    runner* referee =
        nullptr;      ///< asked where nobody is left who could settle it: what it returns stands
    double late = 2;  ///< times the expected duration, after which another may try as well
    std::function<void(progress const&)>
        on_progress{};  ///< on the caller's thread, at most so often:
    std::chrono::milliseconds progress_every{100};
    std::stop_token stop{};       ///< cancels
    checkpoint* saved = nullptr;  ///< what is done is kept there, and taken from there
};

/// What a runner did.
struct runner_report {
    std::string name;
    std::size_t units = 0;  ///< whose results were taken from it, or agreed with what was taken
    double points = 0, seconds = 0;
    std::size_t failures = 0;
    std::size_t wrong =
        0;  ///< results that cannot be right, or that others outvoted: a cheat, or broken
    std::size_t stolen = 0;           ///< units that another finished first
    bool given_up = false;            ///< no longer asked
    std::vector<std::string> said{};  ///< the last few failures, a sentence each
};

/// Two runners returned different results for one unit. Where `agree` is 1 nothing says which is right.
struct disagreement {
    std::uint32_t stage = 0, unit = 0;
    std::string taken, other;  ///< names
};

struct run_report {
    std::vector<bytes> results{};          ///< of the last stage, in the order of its units
    std::vector<unit_receipt> receipts{};  ///< of all stages, in order
    hash256 root{};                        ///< of the receipts
    std::vector<runner_report> runners{};
    std::vector<disagreement> disagreements{};
    std::size_t resumed = 0;  ///< units that the checkpoint had
    double seconds = 0;
};

/// Runs a job on whoever is there. Results come out in order, whoever did what and when: who is idle
/// takes the next unit, at the end one that somebody else is late with; the first result of a unit
/// is taken, or with `agree` the first that so many return; those who returned another are named, as failed
/// as those whose result the job's own check refuses. A unit that fails is tried elsewhere first. Returns when the job is done, when it cannot be,
/// or after `stop`; what was done by then is in the checkpoint.
result<run_report, problem> run(job& what, std::span<runner* const> on, run_options chosen = {});

}  // namespace blendr::work
