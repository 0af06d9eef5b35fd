// SPDX-License-Identifier: Apache-2.0
#include <node/job_calls.hpp>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <blendr/core/json.hpp>
#include <blendr/crypto/bech32.hpp>
#include <blendr/crypto/json.hpp>
#include <blendr/crypto/sealing_key.hpp>
#include <blendr/market/json.hpp>
#include <blendr/node/programs.hpp>

namespace blendr::node::impl {
namespace {

namespace json = boost::json;

std::string_view view(json::string const& of) { return {of.data(), of.size()}; }

result<work::file, std::string> file_of(json::value const& from)
{
    auto const* const all = from.if_object();
    auto const* const name = all != nullptr ? all->if_contains("name") : nullptr;
    auto const* const text = all != nullptr ? all->if_contains("text") : nullptr;
    auto const* const hex = all != nullptr ? all->if_contains("hex") : nullptr;
    auto const* const said = text != nullptr ? text : hex;
    if (name == nullptr || !name->is_string() || said == nullptr || !said->is_string())
        return fail{std::string{R"(a file is {"name", "text"} or {"name", "hex"})"}};
    work::file out{std::string{view(name->get_string())}, {}};
    if (text != nullptr) {
        out.content = to_bytes(view(text->get_string()));
        return out;
    }
    auto raw = from_hex(view(hex->get_string()));
    if (!raw) return fail{out.name + ": " + message(raw.error())};
    out.content = *std::move(raw);
    return out;
}

result<job_request, std::string> request_of(json::value const& from)
{
    auto const* const given = from.if_object();
    if (given == nullptr) return fail{std::string{"a job is an object"}};
    auto whole = to_json(job_request{});  // what is left out has the renter's own default
    work::order what{};
    for (auto const& [name, value] : *given) {
        if (name == "options") {
            if (!value.is_object()) return fail{std::string{"options are an object"}};
            what.options = to_text(value);
        } else if (name == "files") {
            if (!value.is_array()) return fail{std::string{"files are a list"}};
            for (auto const& each : value.get_array()) {
                BLENDR_TRY(auto file, file_of(each));
                what.files.push_back(std::move(file));
            }
        } else if (name != "what" && whole.as_object().contains(name)) {
            whole.as_object()[name] = value;
        } else {
            return fail{"a job has no \"" + std::string{name} + '"'};
        }
    }
    auto read = from_json<job_request>(whole);
    if (!read) return fail{message(read.error())};
    read->what = std::move(what);
    return *std::move(read);
}

result<std::vector<std::vector<bytes>>, std::string> results_of(json::value const* from)
{
    std::vector<std::vector<bytes>> out{};
    if (from == nullptr || from->is_null()) return out;
    auto const wrong = [] {
        return fail{std::string{"results are a list for each stage, of one hex text a unit"}};
    };
    if (!from->is_array()) return wrong();
    for (auto const& stage : from->get_array()) {
        if (!stage.is_array()) return wrong();
        auto& made = out.emplace_back();
        for (auto const& each : stage.get_array()) {
            if (!each.is_string()) return wrong();
            auto raw = from_hex(view(each.get_string()));
            if (!raw) return wrong();
            made.push_back(*std::move(raw));
        }
    }
    return out;
}

json::object shown(job_quote const& of)
{
    auto out = to_json(of).as_object();
    out.emplace("sentence", of.sentence());
    return out;
}

}  // namespace

json::value job_apps()
{
    json::array out{};
    for (auto const* const each : work::apps()) {
        auto const about = each->info();
        out.push_back(json::object{{"name", json::string_view{about.name}},
                                   {"about", json::string_view{about.about}}});
    }
    return json::value(std::move(out));
}

json_outcome quote_job(json::value const& request, chain_facts const& chain)
{
    BLENDR_TRY(auto const what, request_of(request));
    BLENDR_TRY(auto const made, plan_stage(what, {}, chain));
    return json::value(shown(made.quote));
}

json_outcome plan_job(plan_question const& asked_for, chain_facts const& chain, height now,
                      put_blob const& put)
{
    BLENDR_TRY(auto const what, request_of(asked_for.request));
    BLENDR_TRY(auto const before, results_of(asked_for.results));
    auto const seal = array_from_hex<32>(asked_for.seal);
    if (!seal) return fail{"the key to seal for: " + message(seal.error())};
    if (!before.empty()) {
        BLENDR_TRY(auto const task, task_of(what));
        BLENDR_TRY(auto const next, next_stage(*task, before));
        if (!next) return json::value(json::object{{"over", true}});
    }
    BLENDR_TRY(auto made, plan_stage(what, before, chain));
    job_sheet sheet{};
    sheet.app = what.app;
    sheet.renter.raw = *seal;
    json::array units{};
    for (auto const& each : made.stage.units) {
        BLENDR_TRY(auto const name, put(work::pack(each)));
        sheet.units.push_back(name);
        auto const& w = each.where;
        units.push_back(json::object{{"input", to_hex(name)},
                                     {"from", {w.from.x, w.from.y, w.from.z}},
                                     {"size", {w.size.x, w.size.y, w.size.z}}});
    }
    BLENDR_TRY(made.order.data, put(encode(sheet)));
    json::array messages{};
    messages.push_back(
        json::object{{"escrow.submit", to_json(submission_of(what, made, asked_for.number))}});
    if (!what.post)
        messages.push_back(
            json::object{{"market.place", to_json(bid_of(what, made, asked_for.number, now))}});
    return json::value(json::object{{"over", false},
                                    {"stage", made.stage.name},
                                    {"quote", shown(made.quote)},
                                    {"units", std::move(units)},
                                    {"messages", std::move(messages)}});
}

json_outcome make_unit(std::string_view app, bytes_view packed, std::stop_token stop,
                       std::chrono::milliseconds limit)
{
    std::stop_source ends{};
    std::stop_callback const told{stop, [&] { ends.request_stop(); }};
    std::jthread const watch{[&ends, limit](std::stop_token const& done) {
        std::mutex mutex{};
        std::condition_variable_any wake{};
        std::unique_lock lock{mutex};
        if (!wake.wait_for(lock, done, limit, [&] { return done.stop_requested(); }))
            ends.request_stop();
    }};
    auto const device = work::make_native_device(1);
    auto const made = work::run_packed(
        app, packed, {*device, compute::origin::own, std::chrono::seconds{20}, ends.get_token()});
    if (!made && ends.stop_requested())
        return fail{"the unit was not done within " + std::to_string(limit.count()) + " ms"};
    if (!made) return fail{message(made.error())};
    return json::value(json::string{to_hex(*made)});
}

json_outcome files_of_job(json::value const& request, json::value const& results)
{
    BLENDR_TRY(auto const what, request_of(request));
    BLENDR_TRY(auto const known, results_of(&results));
    BLENDR_TRY(auto const task, task_of(what));
    BLENDR_TRY(auto const next, next_stage(*task, known));
    if (next || known.empty()) return fail{std::string{"the job is not done yet"}};
    auto const made = task->files(known.back());
    if (!made) return fail{message(made.error())};
    json::array out{};
    for (auto const& each : *made)
        out.push_back(json::object{{"name", each.name}, {"hex", to_hex(each.content)}});
    return json::value(std::move(out));
}

}  // namespace blendr::node::impl
