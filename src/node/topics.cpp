// SPDX-License-Identifier: Apache-2.0
#include <node/topics.hpp>

#include <algorithm>
#include <optional>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <blendr/core/json.hpp>

namespace blendr::node {
namespace {

namespace json = boost::json;

/// The answer to a contract's query, if there is one.
std::optional<json::value> ask(node const& of, std::string_view path, json::value const& question)
{
    if (of.calls() == nullptr) return std::nullopt;
    auto const raw = of.calls()->question(path, question);
    if (!raw) return std::nullopt;
    auto const found = of.view().query(path, *raw);
    if (found.code != 0) return std::nullopt;
    auto out = of.calls()->answer(path, found.value);
    return out ? std::optional{*std::move(out)} : std::nullopt;
}

json::array const* list_in(json::value const& answer)
{
    if (answer.is_array()) return &answer.get_array();
    if (auto const* const whole = answer.if_object())
        for (auto const& member : *whole)
            if (member.value().is_array()) return &member.value().get_array();
    return nullptr;
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> all)
{
    return std::find(all.begin(), all.end(), name) != all.end();
}

}  // namespace

void topic_watch::follows::add(json::value key)
{
    auto name = json::serialize(key);
    if (!all_.emplace(name, followed{std::move(key), {}}).second) return;
    order_.push_back(std::move(name));
    while (order_.size() > followed_max) {
        all_.erase(order_.front());
        order_.pop_front();
    }
}

template <class Body>
void topic_watch::follows::each(Body&& body)
{
    for (auto it = order_.begin(); it != order_.end();) {
        auto const found = all_.find(*it);
        if (found != all_.end() && body(found->second)) {
            ++it;
            continue;
        }
        if (found != all_.end()) all_.erase(found);
        it = order_.erase(it);
    }
}

void topic_watch::message(std::string_view name, json::object const& body,
                          json::value const& sender)
{
    if (name.starts_with("escrow.")) {
        if (auto const* job = body.if_contains("job"))
            jobs_.add(*job);
        else if (auto const* number = body.if_contains("number"))
            jobs_.add(json::object{{"renter", sender}, {"number", *number}});
        return;
    }
    if (!name.starts_with("market.")) return;
    if (name == "market.place") {
        if (auto const* of = body.if_contains("of")) instruments_.add(*of);
        return;
    }
    auto const* device = body.if_contains("device");
    if (device != nullptr && device->is_object())
        devices_.add(*device);
    else if (auto const* number = body.if_contains("number"))
        devices_.add(json::object{{"owner", sender}, {"number", *number}});
}

void topic_watch::on_block(node const& of, committed_block const& b,
                           std::set<std::string_view> const& wanted, teller const& tell)
{
    auto const height = b.block.at.at.get();
    auto const parts = of.forms().block(b.block.payload);
    if (!parts) return;
    for (std::size_t i = 0; i < parts->transactions.size() && i < b.done.results.size(); ++i) {
        if (b.done.results[i].code != 0) continue;
        auto const tx = of.forms().transaction(parts->transactions[i]);
        if (!tx) continue;
        auto const& sender = tx->at("sender");
        for (auto const& each : tx->at("messages").as_array()) {
            auto const* const said = each.if_object();
            if (said == nullptr || said->size() != 1) continue;
            std::string_view const name{said->begin()->key().data(), said->begin()->key().size()};
            auto const* const body = said->begin()->value().if_object();
            if (body == nullptr) continue;
            message(name, *body, sender);
            bool const order = is_one_of(name, {"market.place", "market.cancel", "market.replace"});
            std::string_view const topic = order                         ? "orders"
                                           : name.starts_with("escrow.") ? "agreements"
                                                                         : "";
            if (!wanted.contains(topic)) continue;
            tell(topic, json::object{{"height", height},
                                     {"transaction", to_json(parts->ids[i])},
                                     {"sender", sender},
                                     {"message", each}});
        }
    }
    if (wanted.contains("trades"))
        instruments_.each([&](followed& f) {
            auto const answer = ask(of, "market/trades",
                                    json::object{{"of", f.key}, {"from", height}, {"most", 8}});
            auto const* const list = answer ? list_in(*answer) : nullptr;
            if (list != nullptr)
                for (auto const& each : *list)
                    if (each.is_object() && each.at("at").to_number<std::uint64_t>() == height)
                        tell("trades", json::object{{"of", f.key}, {"trade", each}});
            return true;
        });
    if (wanted.contains("jobs"))
        jobs_.each([&](followed& f) {
            auto answer = ask(of, "escrow/job_of", json::object{{"job", f.key}});
            if (!answer || !answer->is_object()) return false;
            auto text = json::serialize(*answer);
            bool const known = answer->at("known").as_bool();
            if (text != f.last)
                tell("jobs", json::object{{"height", height},
                                          {"job", f.key},
                                          {"progress", *std::move(answer)}});
            f.last = std::move(text);
            return known;  // it was settled, and is gone
        });
    if (wanted.contains("providers"))
        devices_.each([&](followed& f) {
            auto const key = of.forms().key("market/devices", f.key);
            if (!key) return false;
            auto const found = of.view().query("market/devices", *key);
            auto row = of.forms().row("market/devices", found.value);
            if (found.code != 0 || !row) return false;
            auto const doing =
                ask(of, "escrow/engaged", json::object{{"devices", json::array{f.key}}});
            auto const* const told = doing ? list_in(*doing) : nullptr;
            json::value engaged = told != nullptr && !told->empty() ? told->front() : nullptr;
            auto text = json::serialize(*row) + json::serialize(engaged);
            if (text != f.last)
                tell("providers", json::object{{"height", height},
                                               {"device", f.key},
                                               {"present", !found.value.empty()},
                                               {"row", *std::move(row)},
                                               {"engaged", std::move(engaged)}});
            f.last = std::move(text);
            return !found.value.empty();
        });
}

}  // namespace blendr::node
