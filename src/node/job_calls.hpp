// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>

#include <boost/json/value.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>
#include <blendr/core/strong.hpp>
#include <node/job_plan.hpp>

/// What a node does for renters who have nothing but a page and a key: it plans, and it makes files of
/// results. It is told no secret but what is to be done and what came of it, and keeps no more than units' inputs.
namespace blendr::node::impl {

using json_outcome = result<boost::json::value, std::string>;

/// Apps by name, each with a sentence.
boost::json::value job_apps();
/// What `request` would cost. {"app", "options", "files": [{"name", "text" or "hex"}], "units", …}
json_outcome quote_job(boost::json::value const& request, chain_facts const& chain);

/// Where a plan's inputs go: the name of a blob, or why it cannot be kept.
using put_blob = std::function<result<hash256, std::string>(bytes_view)>;
struct plan_question {
    boost::json::value const& request;
    std::uint64_t number{};               ///< of this stage
    std::string_view seal{};              ///< hex of the key that results are sealed for
    boost::json::value const* results{};  ///< of earlier stages: for each a list of hex
};
/// The next stage: its units, whose inputs are put, and the messages that order it. {"over": true} when
/// nothing is left to do.
json_outcome plan_job(plan_question const& what, chain_facts const& chain, height now,
                      put_blob const& put);
/// Does a unit here, on the processor: a result in hex. For bytes that were judged and did not arrive. It
/// ends with `stop`, and after `limit` in any case.
json_outcome make_unit(std::string_view app, bytes_view packed, std::stop_token stop,
                       std::chrono::milliseconds limit = std::chrono::seconds{100});
/// The files that a job's results make: [{"name", "hex"}].
json_outcome files_of_job(boost::json::value const& request, boost::json::value const& results);

}  // namespace blendr::node::impl
