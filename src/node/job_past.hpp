// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include <boost/json/value.hpp>

#include <blendr/core/strong.hpp>
#include <blendr/escrow/contract.hpp>
#include <blendr/node/client.hpp>

namespace blendr::node::impl {

/// Visits what was asked for in blocks and done: where, the sender, a message's name and its members.
using visit_message = std::function<void(height, boost::json::value const& sender,
                                         std::string_view name, boost::json::value const& members)>;
void each_message(client const& node, height from, height until, visit_message const& visit);

/// The block that took a job's order, shortly behind `from`.
std::optional<height> find_submission(client const& node, height from, height until,
                                      escrow::job_key const& key);

}  // namespace blendr::node::impl
