// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>

#include <blendr/work/error.hpp>
#include <blendr/work/split.hpp>

namespace blendr::work {

/// Bytes that many units read, kept once.
using shared_bytes = std::shared_ptr<bytes const>;
inline shared_bytes share(bytes raw) { return std::make_shared<bytes const>(std::move(raw)); }

/// One unit of work, as whoever runs it gets it: everything that its result depends on.
struct unit {
    box where{};       ///< its part of the range
    bytes parameters;  ///< small: what the program is told
    std::vector<shared_bytes> inputs{};
    std::optional<std::uint64_t> result_bytes{};  ///< how many it must return, where that is known
};

/// Units that may run in any order and all at once.
struct stage {
    std::string name;  ///< for people
    std::vector<unit> units{};
};

/// A job: stage after stage, each made from the results of the one before. Map is one stage. Reduce is
/// a stage whose units read what a few units of the stage before returned. Iterate is a job that goes on
/// for as many stages as it likes.
///
/// What it returns may depend on its input and on the results alone, so that a job taken up again does
/// the same.
class job {
public:
    virtual ~job() = default;

    /// The same for two jobs only if they do the same: program, input and plan.
    virtual hash256 identity() const = 0;

    /// The next stage, given the results of the one before in the order of its units (none at first);
    /// nothing when the job is done, and `results` are its outcome.
    virtual result<std::optional<stage>, problem> next(std::vector<bytes> const& results) = 0;

    /// Why a result cannot be right, or nothing. Called from several threads at once.
    virtual std::optional<std::string> wrong(unit const& of, bytes_view result) const
    {
        (void)of, (void)result;
        return std::nullopt;
    }

    /// Whether two results of one unit may both be right: equal, unless the job says what it tolerates.
    virtual bool same(unit const& of, bytes_view a, bytes_view b) const
    {
        (void)of;
        return equal(a, b);
    }
};

}  // namespace blendr::work
