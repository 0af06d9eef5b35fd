// SPDX-License-Identifier: Apache-2.0
#include <blendr/work/error.hpp>

namespace blendr::work {

std::string_view message(fault what) noexcept
{
    switch (what) {
    case fault::ok:
        return "nothing is wrong";
    case fault::empty_range:
        return "the range has no points";
    case fault::range_too_large:
        return "the range has more points than a job may have";
    case fault::too_many_units:
        return "the range would be cut into more units than a job may have";
    case fault::bad_plan:
        return "the plan contradicts itself";
    case fault::device_failed:
        return "the device did not do it";
    case fault::wrong_size:
        return "the result has the wrong size";
    case fault::wrong_result:
        return "the result is wrong";
    case fault::program_failed:
        return "the program itself failed";
    case fault::no_runners:
        return "there is nobody to run it";
    case fault::all_runners_gone:
        return "nobody who could run it is left; what is done can be resumed";
    case fault::unit_failed:
        return "a unit failed wherever it was tried";
    case fault::cancelled:
        return "the run was cancelled; what is done can be resumed";
    case fault::cannot_save:
        return "the checkpoint cannot be written";
    case fault::not_a_checkpoint:
        return "the file is no checkpoint of a run";
    case fault::another_job:
        return "the checkpoint belongs to another job";
    case fault::bad_input:
        return "the input cannot be read";
    }
    return "unknown fault";
}

std::string message(problem const& p)
{
    std::string text{message(p.what)};
    if (!p.why.empty()) text += ": " + p.why;
    return text;
}

}  // namespace blendr::work
