// SPDX-License-Identifier: Apache-2.0
#include <node/job_past.hpp>

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <blendr/core/json.hpp>
#include <blendr/crypto/bech32.hpp>
#include <blendr/crypto/json.hpp>

namespace blendr::node::impl {

namespace json = boost::json;

void each_message(client const& node, height from, height until, visit_message const& visit)
{
    constexpr std::uint64_t blocks_max = 50'000;
    auto const last = std::min(until, later(from, blocks_max));
    for (auto at = from; at <= last; ++at) {
        auto const block = node.call("block", json::array{at.get()});
        if (!block || !block->is_object()) continue;
        auto const* const ids = block->get_object().if_contains("transactions");
        if (ids == nullptr || !ids->is_array()) continue;
        for (auto const& id : ids->get_array()) {
            auto const t = node.call("transaction", json::array{id});
            if (!t || !t->is_object()) continue;
            auto const* const receipt = t->get_object().if_contains("receipt");
            if (receipt != nullptr && receipt->at("code").to_number<std::uint32_t>() != 0) continue;
            auto const* const tx = t->get_object().if_contains("transaction");
            if (tx == nullptr) continue;
            for (auto const& each : tx->at("messages").as_array())
                if (each.is_object())
                    for (auto const& m : each.get_object())
                        visit(at, tx->at("sender"), {m.key().data(), m.key().size()}, m.value());
        }
    }
}

std::optional<height> find_submission(client const& node, height from, height until,
                                      escrow::job_key const& key)
{
    std::optional<height> out{};
    auto const me = to_text(key.renter);
    each_message(
        node, from, std::min(until, later(from, 64)),
        [&](height at, json::value const& sender, std::string_view name, json::value const& m) {
            if (name != "escrow.submit") return;
            auto const said = from_json<escrow::contract::submit>(m);
            if (said && said->number == key.number && sender.is_string() &&
                sender.get_string() == me)
                out = at;
        });
    return out;
}

}  // namespace blendr::node::impl
