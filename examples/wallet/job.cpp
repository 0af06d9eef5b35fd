// SPDX-License-Identifier: Apache-2.0
#include "job.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>

#include <unistd.h>

#include <boost/json/object.hpp>

#include <blendr/core/json.hpp>
#include <blendr/crypto/bech32.hpp>
#include <blendr/crypto/json.hpp>
#include <blendr/escrow/queries.hpp>
#include <blendr/ledger/base.hpp>
#include <blendr/market/json.hpp>
#include <blendr/market/queries.hpp>
#include <blendr/node/client.hpp>
#include <blendr/node/renter.hpp>
#include <blendr/reputation/contract.hpp>

using namespace blendr;
namespace fs = std::filesystem;
namespace json = boost::json;

namespace jobs {

char const* const help =
    R"(job quote  --app render --scene FILE [options]    what it would cost, before anything is paid
job submit --app render --scene FILE [options]    orders it; prints its number. --watch yes stays until it is done
job watch NUMBER     a line whenever something happens, until it is done; then the summary
job fetch NUMBER [--out DIR]    the files that it made
job cancel NUMBER    what was delivered is paid, the rest comes back
job list             jobs that this wallet ordered

  --app NAME           what is done; its own options follow: for render --scene FILE --width 320
                       --height 200 --samples 32 --bounces 8 --seed 1. Others: --options '{...}' --file FILE,
                       as often as there are files
  --plan FILE          a program of your own, SPIR-V or GLSL, over a range: app "program", the plan's text as its
                       options, files that it names beside it. See <blendr/work>, "A program of one's own"
  --units N            about so many parts (12)
  --each BLND          the most for a unit (twice what it would cost now)
  --wanted TEXT        of a device: "vram >= 8_GiB && region in {eu}"
  --class N            of devices (1)
  --quorum N           results that must agree; 1: only the renter looks (2)
  --by bid|post        a bid in the book (default), or a posted price for whoever takes it
  --bond BLND          that a provider stands for its share with
  --search S --start S --run S --check S    seconds to find providers (60), to begin (10), to be done (60), to check (10)
  --blobs WHERE        where inputs and results lie: node (default), or dir:PATH
)";

namespace {

using table = std::multimap<std::string, std::string>;

table table_of(std::vector<std::string> const& flags)
{
    table out{};
    for (std::size_t i = 0; i + 1 < flags.size(); i += 2)
        out.emplace(flags[i].substr(2), flags[i + 1]);
    return out;
}

std::string take(table& of, std::string const& name, std::string otherwise = {})
{
    auto const found = of.find(name);
    if (found == of.end()) return otherwise;
    auto out = found->second;
    of.erase(found);
    return out;
}
std::uint32_t take_number(table& of, std::string const& name, std::uint32_t otherwise)
{
    auto const text = take(of, name, std::to_string(otherwise));
    char* end = nullptr;
    auto const out = std::strtoul(text.c_str(), &end, 10);
    if (text.empty() || *end != 0 || out > 0xffff'ffff)
        throw failure{"--" + name + " must be a number"};
    return static_cast<std::uint32_t>(out);
}
std::optional<amount> take_amount(table& of, std::string const& name)
{
    auto const text = take(of, name);
    if (text.empty()) return std::nullopt;
    auto const out = parse_amount(text);
    if (!out) throw failure{"--" + name + " is an amount in BLND"};
    return *out;
}

work::file file_at(std::string const& path)
{
    std::ifstream in{path, std::ios::binary};
    if (!in) throw failure{"cannot read " + path};
    std::string const text{std::istreambuf_iterator<char>{in}, {}};
    return {fs::path{path}.filename().string(), to_bytes(std::string_view{text})};
}

/// A plan, with the program and the inputs that it names, from where it lies.
void take_plan(std::string const& path, node::job_request& to)
{
    auto const plan = file_at(path);
    auto const read = parse_json(as_text(plan.content));
    if (!read || !read->is_object())
        throw failure{path + " is no JSON object" + (read ? "" : ": " + message(read.error()))};
    to.app = "program";
    to.what.options = std::string{as_text(plan.content)};
    auto const beside = [&](json::value const* name) {
        if (name == nullptr || !name->is_string()) return;
        std::string const text{name->get_string().data(), name->get_string().size()};
        for (auto const& each : to.what.files)
            if (each.name == text) return;
        auto file = file_at((fs::path{path}.parent_path() / text).string());
        file.name = text;
        to.what.files.push_back(std::move(file));
    };
    auto const& all = read->get_object();
    beside(all.if_contains("program"));
    auto const* const inputs = all.if_contains("inputs");
    if (inputs != nullptr && inputs->is_array())
        for (auto const& each : inputs->get_array())
            if (each.is_object()) beside(each.get_object().if_contains("file"));
}

node::job_request request_of(table& f)
{
    node::job_request out{};
    out.app = take(f, "app", "render");
    out.units = take_number(f, "units", 12);
    out.wanted = take(f, "wanted");
    out.of = market::device_class{take_number(f, "class", 1)};
    out.each_most = take_amount(f, "each");
    out.bond = take_amount(f, "bond");
    out.quorum = take_number(f, "quorum", 2);
    out.search_s = take_number(f, "search", 60);
    out.start_s = take_number(f, "start", 10);
    out.run_s = take_number(f, "run", 60);
    out.check_s = take_number(f, "check", 10);
    auto const by = take(f, "by", "bid");
    if (by != "bid" && by != "post") throw failure{"--by is bid or post"};
    out.post = by == "post";

    json::object options{};
    if (auto const text = take(f, "options"); !text.empty()) {
        auto const read = parse_json(text);
        if (!read || !read->is_object()) throw failure{"--options is a JSON object"};
        options = read->get_object();
    }
    while (f.contains("file")) out.what.files.push_back(file_at(take(f, "file")));
    if (auto const path = take(f, "plan"); !path.empty()) {
        take_plan(path, out);
        // not every device runs programs that came from elsewhere
        if (out.wanted.empty()) out.wanted = "features has spirv";
        if (f.empty() && options.empty()) return out;
        throw failure{"a plan says all; other options of the job go into it"};
    }
    if (auto const path = take(f, "scene"); !path.empty()) out.what.files.push_back(file_at(path));
    // whatever else was said is the app's own: numbers are numbers, words are words
    for (auto const& [name, value] : std::exchange(f, {})) {
        auto const read = parse_json(value);
        bool const plain = read && !read->is_structured() && !read->is_null();
        options[name] = plain ? *read : json::value(json::string{value});
    }
    out.what.options = to_text(options);
    return out;
}

void print(where const& at, json::value const& machine, std::string const& people)
{
    std::printf("%s\n", (at.json ? to_text(machine) : people).c_str());
    std::fflush(stdout);
}

std::string supply_text(node::client const& ask, json::object& machine)
{
    auto const facts = ask.row<ledger::base, ledger::facts>(0);
    if (!facts) return {};
    auto const& m = facts->money;
    machine.emplace("supply", to_json(m));
    return "  supply: " + to_string(m.premined) + " premined + " + to_string(m.emitted) +
           " emitted - " + to_string(m.burned) +
           " burned; the node checks in every block that all accounts sum up to it\n";
}

std::string bar(node::job_story const& s)
{
    std::string out = "[";
    auto const width = 30u;
    auto const part = [&](std::uint32_t n) { return s.units == 0 ? 0u : n * width / s.units; };
    auto const done = part(s.paid), checked = part(s.paid + s.delivered + s.disputed);
    for (auto i = 0u; i < width; ++i) out += i < done ? '#' : i < checked ? '+' : '.';
    return out + "]  " + std::to_string(s.paid) + '/' + std::to_string(s.units) + " paid, " +
           std::to_string(s.delivered + s.disputed) + " delivered, " + std::to_string(s.assigned) +
           " assigned, " + std::to_string(s.listed) + " wait";
}

int watch(where const& at, node::renter& by, std::uint64_t number)
{
    std::string last{};
    std::string explained{};
    bool const terminal = ::isatty(1) == 1 && !at.json;
    auto const done = by.watch(number, [&](node::job_story const& s) {
        auto const phase = to_json(s.phase);
        auto line = std::string{phase.as_string()} + "  " + bar(s);
        if (line == last) return true;
        last = line;
        if (at.json) {
            print(at,
                  json::object{{"what", "progress"},
                               {"number", number},
                               {"phase", phase},
                               {"units", s.units},
                               {"listed", s.listed},
                               {"assigned", s.assigned},
                               {"delivered", s.delivered},
                               {"disputed", s.disputed},
                               {"paid", s.paid},
                               {"cost", to_string(s.cost)}},
                  {});
        } else {
            std::printf(terminal ? "\r%-110s" : "%s\n", line.c_str());
            std::fflush(stdout);
        }
        if (!s.explained.empty() && s.explained != explained && !at.json) {
            explained = s.explained;
            std::printf("%snobody matches yet:\n%s\n", terminal ? "\n" : "", explained.c_str());
        }
        return true;
    });
    if (terminal) std::printf("\n");
    if (!done) throw failure{done.error()};
    auto machine = to_json(*done).as_object();
    machine.emplace("what", "summary");
    auto people = summary(*done);
    people += supply_text(node::client{at.rpc}, machine);
    if (!people.empty()) people.pop_back();
    print(at, machine, people);
    return done->phase == node::job_phase::done ? 0 : 1;
}

std::uint64_t number_of(std::vector<std::string> const& words)
{
    if (words.size() < 3)
        throw failure{"job " + words[1] + " needs the job's number; see: job list"};
    char* end = nullptr;
    auto const out = std::strtoull(words[2].c_str(), &end, 10);
    if (*end != 0) throw failure{"\"" + words[2] + "\" is no number of a job"};
    return out;
}

}  // namespace

int job(where const& at, crypto::identity const& me, std::vector<std::string> const& words,
        std::vector<std::string> const& flags)
{
    auto const what = words.size() > 1 ? words[1] : std::string{"help"};
    auto f = table_of(flags);
    std::shared_ptr<node::shelf> const blobs = node::make_shelf(take(f, "blobs", "node"), at.rpc);
    node::renter by{at.rpc, me, blobs, at.home / "jobs"};
    if (what == "quote") {
        auto const request = request_of(f);
        auto const q = by.quote(request);
        if (!q) throw failure{q.error()};
        auto machine = to_json(*q).as_object();
        machine.emplace("sentence", q->sentence());
        print(at, machine,
              q->sentence() + "\nat most " + to_string(q->each_most) +
                  " BLND a unit; checks at most " + to_string(q->checks) +
                  " BLND, what is not used comes back" +
                  (q->providers == 0 ? "\n" + q->explained : ""));
        return 0;
    }
    if (what == "submit") {
        bool const stay = take(f, "watch", "no") == "yes";
        auto const request = request_of(f);
        auto const q = by.quote(request);
        if (!q) throw failure{q.error()};
        auto const number = by.submit(request);
        if (!number) throw failure{number.error()};
        print(at,
              json::object{{"what", "submitted"},
                           {"number", *number},
                           {"quote", to_json(*q)},
                           {"sentence", q->sentence()}},
              q->sentence() + "\njob " + std::to_string(*number));
        return stay ? watch(at, by, *number) : 0;
    }
    if (what == "watch") return watch(at, by, number_of(words));
    if (what == "fetch") {
        auto const number = number_of(words);
        fs::path const to = take(f, "out", ".");
        auto const files = by.files(number);
        if (!files) throw failure{files.error()};
        fs::create_directories(to);
        json::array names{};
        std::string people{};
        for (auto const& each : *files) {
            auto const path = to / each.name;
            std::ofstream out{path, std::ios::binary | std::ios::trunc};
            auto const text = as_text(each.content);
            out.write(text.data(), static_cast<std::streamsize>(text.size()));
            if (!out.flush()) throw failure{"cannot write " + path.string()};
            names.push_back(json::string{path.string()});
            people += (people.empty() ? "" : "\n") + path.string();
        }
        print(at, json::object{{"files", std::move(names)}}, people);
        return 0;
    }
    if (what == "cancel") {
        auto const done = by.cancel(number_of(words));
        if (!done) throw failure{done.error()};
        print(at, json::object{{"cancelled", words[2]}},
              "it ends; watch it to see what comes back");
        return 0;
    }
    if (what == "list") {
        json::array all{};
        std::string people{};
        for (auto const number : by.jobs()) {
            auto const s = by.look(number);
            auto const phase = s ? to_json(s->phase) : json::value("unknown");
            all.push_back(json::object{{"number", number}, {"phase", phase}});
            people += (people.empty() ? "" : "\n") + std::to_string(number) + "  " +
                      std::string{phase.as_string()};
        }
        print(at, json::value(std::move(all)), people.empty() ? "no jobs yet" : people);
        return 0;
    }
    throw failure{"job quote, submit, watch, fetch, cancel or list; see: job help"};
}

int provider_state(where const& at, std::string const& address)
{
    node::client const ask{at.rpc};
    auto const who = crypto::parse_address(address);
    if (!who) throw failure{message(who.error())};
    auto const found = ask.ask<std::vector<market::query::provider>>(
        "market/my_devices", market::query::my_devices{*who, {}, 100});
    if (!found) throw failure{found.error()};
    escrow::query::engaged asked{};
    for (auto const& each : *found) asked.devices.push_back(each.key);
    auto const doing = ask.ask<std::vector<escrow::query::engagement>>("escrow/engaged", asked);
    if (!doing) throw failure{doing.error()};
    std::string people{};
    for (std::size_t i = 0; i < found->size() && i < doing->size(); ++i) {
        auto const& each = (*found)[i];
        auto const state = to_json((*doing)[i].state);
        people += "device " + std::to_string(each.key.number) + "  " +
                  std::string{state.as_string()} + ", class " + std::to_string(each.of.get()) +
                  ", bond " + to_string(each.bond) + ", asks " + std::to_string(each.asks) +
                  "\n  " + each.capability + '\n';
    }
    json::object scores{};
    for (auto const work :
         {reputation::family::fp32, reputation::family::memory, reputation::family::integer}) {
        auto const s = ask.ask<reputation::contract::standing>(
            "reputation/score_of",
            reputation::contract::score_of{{*who, reputation::role::provider, work}, height{}});
        if (!s) continue;
        auto const name = to_json(work);
        scores.emplace(name.as_string(), s->score);
        people += "reputation for " + std::string{name.as_string()} + ": " +
                  std::to_string(s->score) + " of 1000\n";
    }
    if (found->empty()) people = "no devices\n" + people;
    people.pop_back();
    print(at,
          json::object{{"address", address},
                       {"devices", to_json(*found)},
                       {"doing", to_json(*doing)},
                       {"reputation", scores}},
          people);
    return 0;
}

int feedback(where const& at, std::string const& address)
{
    node::client const ask{at.rpc};
    auto const who = crypto::parse_address(address);
    if (!who) throw failure{message(who.error())};
    auto const found = ask.ask<reputation::contract::ratings>(
        "reputation/feedback_of", reputation::contract::feedback_of{*who, {}, 1'000});
    if (!found) throw failure{found.error()};
    std::string people{};
    for (auto const& each : found->list)
        people += "block " + std::to_string(each.what.at.get()) + "  " +
                  std::to_string(each.what.rating) + " of 100 by " + to_text(each.what.rater) +
                  ", " + std::to_string(each.what.points) + " points" +
                  (each.taken_back ? ", taken back"
                   : each.appealed ? ", appealed"
                                   : "") +
                  '\n';
    if (people.empty()) people = "nobody rated " + address + "\n";
    people.pop_back();
    print(at, to_json(found->list), people);
    return 0;
}

}  // namespace jobs
