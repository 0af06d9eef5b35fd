// SPDX-License-Identifier: Apache-2.0
// provider: offers this machine's devices on a libblendr chain, does the work that is rented, and is paid.
// needs: node, compute
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/json/object.hpp>

#include <blendr/compute/rating.hpp>
#include <blendr/compute/worker.hpp>
#include <blendr/core/json.hpp>
#include <blendr/crypto/bech32.hpp>
#include <blendr/crypto/keystore.hpp>
#include <blendr/market/capability.hpp>
#include <blendr/node/provider.hpp>
#include <blendr/work/app.hpp>

using namespace blendr;
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr std::string_view usage =
    R"(a provider's agent: offers devices, does what is rented, is paid and rates who paid

  provider [--rpc HOST:PORT] [--key FILE] [--home DIR] [--device KIND]... [limits] [--json]
  provider address --key FILE      who it is; the key is made if there is none

  --rpc HOST:PORT     a node (127.0.0.1:26603)
  --key FILE          its keystore (HOME/provider.key); made if there is none
  --home DIR          what must survive a restart (provider-home)
  --blobs WHERE       where inputs and results lie: node (default), or dir:PATH
  --device KIND       native[:threads], or vulkan[:index]; may be given several times (native:1)
  --class N           the class that it is offered as (1)
  --capability TEXT   said of every device instead of what was measured: "vram=8_GiB, fp32=2, ..."
  --ask GRAINS        the least for a market unit (50000000)
  --pricing HOW       fixed, curve (by the reference price and how busy), or forecast
  --bond BLND         locked for each device (200)
  --hours FROM-UNTIL  of the day (UTC) in which new work is taken (0-24)
  --ahead N           coming hours that are sold as capacity tokens (0)
  --apps A,B          kinds of jobs that are done; all by default. With it nothing is sold in the book:
                      units are taken one job at a time
  --power PERCENT     of the time that devices may work (100)
  --backlog N         units that may wait for a device (16)
  --no-checks         is not drawn to do work of others again
  --cheat             for trying things out: delivers wrong results
  --json              one JSON object a line
A passphrase comes from BLENDR_PASSPHRASE.
)";

struct failure {
    std::string why{};
};

std::sig_atomic_t volatile asked_to_stop = 0;

struct flags {
    std::map<std::string, std::string> values{};
    std::vector<std::string> devices{}, words{};
    bool json = false, cheat = false, checks = true, help = false;

    std::string get(std::string const& name, std::string otherwise) const
    {
        auto const found = values.find(name);
        return found == values.end() ? otherwise : found->second;
    }
    std::uint32_t number(std::string const& name, std::uint32_t otherwise) const
    {
        return number_of(get(name, std::to_string(otherwise)), "--" + name);
    }
    static std::uint32_t number_of(std::string const& text, std::string const& what)
    {
        char* end = nullptr;
        auto const out = std::strtoul(text.c_str(), &end, 10);
        if (text.empty() || *end != 0 || out > 0xffff'ffff)
            throw failure{what + " must be a number"};
        return static_cast<std::uint32_t>(out);
    }
};

flags read(int argc, char** argv)
{
    std::vector<std::string> const own{"rpc",        "key",   "home",    "blobs",  "class",
                                       "capability", "ask",   "pricing", "bond",   "hours",
                                       "apps",       "power", "backlog", "device", "ahead"};
    flags out{};
    for (int i = 1; i < argc; ++i) {
        std::string const word = argv[i];
        if (word == "--json") {
            out.json = true;
        } else if (word == "--cheat") {
            out.cheat = true;
        } else if (word == "--no-checks") {
            out.checks = false;
        } else if (word == "--help" || word == "help") {
            out.help = true;
        } else if (!word.starts_with("--")) {
            out.words.push_back(word);
        } else {
            auto const name = word.substr(2);
            if (std::find(own.begin(), own.end(), name) == own.end())
                throw failure{"there is no flag " + word + "; see: provider --help"};
            if (i + 1 == argc) throw failure{word + " needs a value"};
            if (name == "device")
                out.devices.emplace_back(argv[++i]);
            else
                out.values[name] = argv[++i];
        }
    }
    return out;
}

std::vector<std::string> split(std::string const& text, char at)
{
    std::vector<std::string> out{};
    std::string part{};
    for (char const c : text + at)
        if (c == at) {
            if (!part.empty()) out.push_back(part);
            part.clear();
        } else {
            part += c;
        }
    return out;
}

crypto::identity open_key(fs::path const& at)
{
    auto const* given = std::getenv("BLENDR_PASSPHRASE");
    std::string text = given != nullptr ? given : "";
    auto const under = crypto::secret::take(text);
    if (!fs::exists(at)) {
        if (at.has_parent_path()) fs::create_directories(at.parent_path());
        auto const made = crypto::create_keystore(at, crypto::secret_key::generate(), under,
                                                  under.empty() ? crypto::keystore_cost::none()
                                                                : crypto::keystore_cost::normal());
        if (!made) throw failure{message(made.error())};
    }
    auto key = crypto::open_keystore(at, under);
    if (!key) throw failure{message(key.error())};
    return crypto::identity{*std::move(key)};
}

struct opened {
    std::shared_ptr<compute::device> on{};
    std::string name{};
    std::string capability{};
};

/// Opens a device, rates it, and says what it is.
opened open_device(std::string const& kind, crypto::identity const& me, bool rate)
{
    auto const colon = kind.find(':');
    auto const what = kind.substr(0, colon);
    auto const rest = colon == kind.npos ? std::string{} : kind.substr(colon + 1);
    auto const number = rest.empty() ? 1u : flags::number_of(rest, "--device " + kind);
    opened out{};
    if (what == "native") {
        out.on = work::make_native_device(number);
    } else if (what == "vulkan") {
        compute::worker_options chosen{};
        if (!rest.empty()) chosen.device = number;
        auto made = compute::worker::start(chosen);
        if (!made)
            throw failure{"no Vulkan device: " + message(made.error()) +
                          "; --device native works everywhere"};
        out.on = *std::move(made);
    } else {
        throw failure{"--device is native[:threads] or vulkan[:index]"};
    }
    auto const info = out.on->info();
    out.name = info.name;
    if (!rate) return out;
    market::capability says{};
    auto const add = [&](market::attribute a, std::uint64_t v) {
        (void)says.set(a, std::max<std::uint64_t>(v, 1));
    };
    // programs that came from elsewhere run where SPIR-V does, apart from everything else
    if (what == "vulkan")
        (void)says.set(market::attribute::features, std::vector<std::string>{"spirv"});
    add(market::attribute::vram, info.memory_bytes);
    compute::rating_terms terms{};
    terms.session = me.self();
    auto const rated = compute::rate(*out.on, terms);
    auto const units = [&](compute::workload of) {
        return rated ? rated->micro_units(of) / 1'000'000 : 1;
    };
    add(market::attribute::fp32, units(compute::workload::fp32));
    add(market::attribute::memory, units(compute::workload::bandwidth));
    add(market::attribute::integer, units(compute::workload::integer));
    out.capability = says.to_text();
    return out;
}

std::vector<node::rented_device> open_devices(flags const& f, crypto::identity const& me)
{
    auto kinds = f.devices;
    if (kinds.empty()) kinds.emplace_back("native:1");
    std::vector<node::rented_device> out{};
    for (auto const& kind : kinds) {
        auto made = open_device(kind, me, !f.values.contains("capability"));
        node::rented_device one{};
        one.number = static_cast<std::uint32_t>(out.size());
        one.name = made.name;
        one.of = market::device_class{f.number("class", 1)};
        one.capability = f.get("capability", made.capability);
        one.run = [on = made.on](std::string_view app, bytes_view packed,
                                 std::stop_token stop) -> result<bytes, std::string> {
            constexpr std::chrono::milliseconds limit{60'000};
            auto done =
                work::run_packed(app, packed, {*on, compute::origin::own, limit, std::move(stop)});
            if (done) return *std::move(done);
            if (done.error().what == work::fault::device_failed) (void)on->forget();
            return fail{message(done.error())};
        };
        out.push_back(std::move(one));
    }
    return out;
}

node::provider_settings settings_of(flags const& f, fs::path const& home)
{
    node::provider_settings with{};
    with.rpc = f.get("rpc", "127.0.0.1:26603");
    with.home = home;
    with.ask = price{f.number("ask", 50'000'000)};
    auto const bond = parse_amount(f.get("bond", "200"));
    if (!bond) throw failure{"--bond is an amount in BLND"};
    with.bond = *bond;
    auto const how = f.get("pricing", "fixed");
    if (how != "fixed" && how != "curve" && how != "forecast")
        throw failure{"--pricing is fixed, curve or forecast"};
    with.how = how == "fixed"   ? node::pricing::fixed
               : how == "curve" ? node::pricing::curve
                                : node::pricing::forecast;
    auto const hours = split(f.get("hours", "0-24"), '-');
    if (hours.size() != 2) throw failure{"--hours is FROM-UNTIL, say 20-8"};
    with.limits.from_hour = flags::number_of(hours[0], "--hours");
    with.limits.until_hour = flags::number_of(hours[1], "--hours");
    with.limits.apps = split(f.get("apps", ""), ',');
    for (auto const& each : with.limits.apps)
        if (work::find_app(each) == nullptr) throw failure{"there is no app \"" + each + '"'};
    with.limits.power_percent = f.number("power", 100);
    if (with.limits.power_percent == 0 || with.limits.power_percent > 100)
        throw failure{"--power is a percentage, 1 to 100"};
    with.limits.backlog = f.number("backlog", 16);
    with.ahead = f.number("ahead", 0);
    with.check_others = f.checks;
    with.cheat = f.cheat;
    return with;
}

std::string in_words(json::object const& event)
{
    std::string out{};
    for (auto const& each : event) {
        auto const* const text = each.value().if_string();
        auto const value =
            text != nullptr ? std::string{text->data(), text->size()} : to_text(each.value());
        out += out.empty() ? value : ", " + std::string{each.key()} + ' ' + value;
    }
    return out;
}

int run(flags const& f)
{
    if (f.help) return std::fputs(std::string{usage}.c_str(), stdout), 0;
    fs::path const home = f.get("home", "provider-home");
    auto const with = settings_of(f, home);
    auto const me = open_key(f.get("key", (home / "provider.key").string()));
    auto const address = to_text(me.account());
    if (!f.words.empty()) {
        if (f.words[0] != "address")
            throw failure{"there is no command \"" + f.words[0] + "\"; see: provider --help"};
        std::printf("%s\n",
                    f.json ? to_text(json::object{{"address", address}}).c_str() : address.c_str());
        return 0;
    }
    fs::create_directories(home);
    auto devices = open_devices(f, me);

    bool const as_json = f.json;
    auto const tell = [as_json](json::object const& event) {
        std::printf("%s\n", as_json ? to_text(event).c_str() : in_words(event).c_str());
        std::fflush(stdout);
    };
    tell(json::object{{"what", "provider"}, {"address", address}, {"devices", devices.size()}});
    for (auto const& each : devices)
        tell(json::object{{"what", "device"},
                          {"number", each.number},
                          {"name", each.name},
                          {"capability", each.capability}});
    auto const stop = [](int) { asked_to_stop = 1; };
    std::signal(SIGINT, stop);
    std::signal(SIGTERM, stop);
    std::shared_ptr<node::shelf> const blobs = node::make_shelf(f.get("blobs", "node"), with.rpc);
    auto const agent = node::provider::start(with, me, blobs, std::move(devices), tell);
    if (!agent) throw failure{agent.error()};
    while (asked_to_stop == 0) std::this_thread::sleep_for(std::chrono::milliseconds{50});
    (*agent)->stop();
    auto const last = (*agent)->report();
    tell(json::object{{"what", "stopped"},
                      {"delivered", last.delivered},
                      {"checked", last.checked},
                      {"earned", to_string(last.earned)}});
    return 0;
}

}  // namespace

int main(int argc, char** argv)
{
    bool as_json = false;
    try {
        auto const f = read(argc, argv);
        as_json = f.json;
        return run(f);
    } catch (failure const& f) {
        if (as_json)
            std::printf("%s\n", to_text(json::object{{"error", f.why}}).c_str());
        else
            std::fprintf(stderr, "%s\n", f.why.c_str());
    } catch (std::exception const& e) {
        std::fprintf(stderr, "%s\n", e.what());
    }
    return 1;
}
