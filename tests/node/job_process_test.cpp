// SPDX-License-Identifier: Apache-2.0
// Node, providers and renter as real processes on loopback: what a person starts by hand.
#include <doctest/doctest.h>

#include <support/support.hpp>

#include <algorithm>
#include <cstdlib>

#include <blendr/core/random.hpp>
#include <blendr/crypto/keystore.hpp>

#include "job_town.hpp"
#include "processes.hpp"

using namespace blendr;
using namespace blendr::test;

namespace {

/// A validator, providers, and a renter who owns the premine.
class bazaar {
public:
    bazaar(std::string const& name, unsigned providers)
        : dir_{made(scratch("jobs") / name)},
          net_{dir_ / "net", 1, "solo", {"--engine.interval_ms", "80", "--threads", "1"}},
          agents_(providers)
    {
        if (!net_.good()) return;
        net_.start();
        if (!eventually([&] { return net_.height_of(0) >= 2; }, 60'000)) return;
        std::ofstream{dir_ / "small.scene"} << small_scene;
        for (unsigned i = 0; i < providers; ++i) {
            auto const said =
                run({program("provider"), "address", "--key", key(i), "--home", home(i)});
            if (said.first != 0) return;
            address_.push_back(said.second.substr(0, said.second.find('\n')));
            if (wallet({"send", "--to", address_.back(), "--value", "5000"}).first != 0) return;
        }
        good_ = true;
    }
    bool good() const { return good_; }
    void start(unsigned i, std::vector<std::string> more = {})
    {
        std::vector<std::string> command{program("provider"),
                                         "--rpc",
                                         net_.rpc(0),
                                         "--key",
                                         key(i),
                                         "--home",
                                         home(i),
                                         "--blobs",
                                         blobs(),
                                         "--capability",
                                         "fp32=1, vram=1_GiB, memory=1, integer=1",
                                         "--json"};
        command.insert(command.end(), more.begin(), more.end());
        agents_[i] = process{command, dir_ / ("provider" + std::to_string(i) + ".log")};
    }
    process& agent(unsigned i) { return agents_[i]; }
    std::string const& address(unsigned i) const { return address_[i]; }
    std::string log(unsigned i) const
    {
        return text_of(dir_ / ("provider" + std::to_string(i) + ".log"));
    }
    std::filesystem::path const& dir() const { return dir_; }
    devnet& net() { return net_; }
    node::client ask() const { return node::client{net_.rpc(0)}; }

    /// Runs a program to its end: its exit status and what it said.
    std::pair<int, std::string> run(std::vector<std::string> const& command)
    {
        auto const log = dir_ / ("said" + std::to_string(said_++));
        process one{command, log};
        auto const status = one.join(120'000);
        return {status.value_or(-1), text_of(log)};
    }
    std::vector<std::string> wallet_command(std::vector<std::string> const& words) const
    {
        std::vector<std::string> command{program("wallet"),
                                         "--rpc",
                                         net_.rpc(0),
                                         "--key",
                                         (dir_ / "net" / "wallet.key").string(),
                                         "--home",
                                         (dir_ / "wallet").string(),
                                         "--json"};
        command.insert(command.end(), words.begin(), words.end());
        return command;
    }
    std::pair<int, std::string> wallet(std::vector<std::string> const& words)
    {
        return run(wallet_command(words));
    }
    /// Orders a small picture; its number.
    std::string order(std::vector<std::string> const& more = {})
    {
        std::vector<std::string> words{"job",       "submit",    "--app",
                                       "render",    "--scene",   (dir_ / "small.scene").string(),
                                       "--width",   "48",        "--height",
                                       "32",        "--samples", "2",
                                       "--bounces", "3",         "--units",
                                       "6",         "--run",     "6",
                                       "--start",   "4",         "--check",
                                       "4",         "--blobs",   blobs()};
        words.insert(words.end(), more.begin(), more.end());
        auto const [status, said] = wallet(words);
        auto const read = parse_json(said);
        if (status != 0 || !read || !read->is_object()) return "refused: " + said;
        return to_text(read->at("number"));
    }
    std::vector<std::string> watching(std::string const& number) const
    {
        return wallet_command({"job", "watch", number, "--blobs", blobs()});
    }
    std::string blobs() const { return "dir:" + (dir_ / "blobs").string(); }
    /// The last line that is JSON of that kind.
    static boost::json::value last(std::string const& text, std::string_view what)
    {
        boost::json::value out{};
        for (std::size_t from = 0; from < text.size();) {
            auto const end = std::min(text.find('\n', from), text.size());
            auto const read = parse_json(text.substr(from, end - from));
            if (read && read->is_object() && read->get_object().contains("what") &&
                read->at("what").as_string() == what)
                out = *read;
            from = end + 1;
        }
        return out;
    }
    bool offers(std::uint64_t count) const
    {
        return eventually(
            [&] {
                auto const found = ask().ask<market::query::explained>(
                    "market/explain", market::query::explain{market::device_class{1}, {}, price{}});
                return found && found->satisfying >= count;
            },
            60'000);
    }
    /// Everybody stops selling; then every grain lies in purses and bonds, and they sum up to the supply.
    void count_all()
    {
        std::vector<crypto::address> purses{ledger::treasury_pot(), ledger::providers_pot()};
        std::vector<bond::subject> bonds{};
        auto const owner = [&](std::filesystem::path const& file) {
            crypto::identity out{*crypto::open_keystore(file, crypto::secret{})};
            purses.push_back(out.account());
            return out;
        };
        for (unsigned i = 0; i < agents_.size(); ++i) {
            agents_[i].kill();
            auto const seller = owner(key(i));
            bonds.push_back(market::bond_of({seller.account(), 0}));
            close_shop(ask(), seller);
        }
        bonds.push_back(bond::subject_of(owner(net_.home(0) / "node.key").self()));
        (void)owner(dir_ / "net" / "wallet.key");
        auto const [is, should] = money(ask(), purses, bonds);
        CHECK(is == should);
    }

private:
    static fs::path made(fs::path at)
    {
        fs::create_directories(at);
        return at;
    }
    std::string home(unsigned i) const
    {
        return (dir_ / ("provider" + std::to_string(i))).string();
    }
    std::string key(unsigned i) const { return home(i) + "/provider.key"; }

    std::filesystem::path dir_;
    devnet net_;
    std::vector<process> agents_;
    std::vector<std::string> address_{};
    unsigned said_ = 0;
    bool good_ = false;
};

bool programs_are_there()
{
    for (auto const* each : {"fullnode", "provider", "wallet"})
        if (!fs::exists(program(each))) {
            skip(std::string{"the example "} + each + " is not built");
            return false;
        }
    return true;
}

void is_a_picture(fs::path const& at)
{
    auto const raw = text_of(at);
    CHECK(raw.size() > 100);
    CHECK(raw.substr(1, 3) == "PNG");
}

/// Kills providers and the watching renter at random moments while jobs run, `times` times.
void killed(std::string const& name, unsigned times)
{
    if (!programs_are_there()) return;
    bazaar all{name, 3};
    REQUIRE(all.good());
    for (unsigned i = 0; i < 3; ++i) all.start(i);
    REQUIRE(all.offers(3));
    rng random{seed()};
    unsigned kills = 0, done = 0, refunded = 0;
    while (kills < times) {
        auto const number = all.order();
        REQUIRE_MESSAGE(number.find("refused") == std::string::npos, number);
        auto const log = all.dir() / ("watch" + number);
        process watching{all.watching(number), log};
        boost::json::value summary{};
        auto const until = std::chrono::steady_clock::now() + std::chrono::seconds{90};
        while (summary.is_null() && std::chrono::steady_clock::now() < until) {
            if (kills < times && random.below(3) != 0) {
                std::this_thread::sleep_for(std::chrono::milliseconds{random.below(900)});
                auto const who = static_cast<unsigned>(random.below(4));
                if (who == 3) {
                    watching.kill();
                    watching = process{all.watching(number), log};
                } else {
                    all.agent(who).kill();
                    std::this_thread::sleep_for(std::chrono::milliseconds{random.below(400)});
                    all.start(who);
                }
                ++kills;
            }
            if (watching.join(300)) summary = bazaar::last(text_of(log), "summary");
        }
        REQUIRE_MESSAGE(!summary.is_null(), "job " << number << " does not end");
        auto const phase = std::string{summary.at("phase").as_string()};
        (phase == "done" ? done : refunded) += 1;
    }
    MESSAGE(kills << " kills, " << done << " jobs done, " << refunded << " refunded");
    CHECK(done > 0);
    all.count_all();
}

}  // namespace

TEST_CASE("jobs: by programs alone, a picture is rendered by strangers, one of whom cheats" *
          doctest::test_suite("e2e"))
{
    if (!programs_are_there()) return;
    bazaar all{"cheat", 3};
    REQUIRE(all.good());
    all.start(0, {"--cheat"});
    all.start(1);
    all.start(2);
    REQUIRE(all.offers(3));
    auto const number = all.order();
    REQUIRE_MESSAGE(number.find("refused") == std::string::npos, number);
    auto const ran = all.run(all.watching(number));
    auto const& said = ran.second;
    auto const status = ran.first;
    auto const summary = bazaar::last(said, "summary");
    REQUIRE_MESSAGE(!summary.is_null(), said);
    CHECK_MESSAGE(status == 0, said);
    CHECK(summary.at("phase").as_string() == "done");
    CHECK(summary.as_object().contains("supply"));
    bool slashed = false;
    for (auto const& deal : summary.at("stages").as_array()[0].at("deals").as_array()) {
        bool const wicked = std::string{deal.at("provider").as_string()} == all.address(0);
        auto const phase = std::string{deal.at("phase").as_string()};
        if (wicked) {
            CHECK(phase == "slashed");
            slashed = true;
        }
        if (phase != "settled") continue;
        CHECK(deal.at("rated").as_bool());
        CHECK(deal.at("rated_us").as_bool());
    }
    CHECK(slashed);
    auto const out = (all.dir() / "out").string();
    auto const fetched = all.wallet({"job", "fetch", number, "--out", out, "--blobs", all.blobs()});
    REQUIRE_MESSAGE(fetched.first == 0, fetched.second);
    unsigned pictures = 0;
    for (auto const& each : fs::directory_iterator{out})
        if (each.path().extension() == ".png") is_a_picture(each.path()), ++pictures;
    CHECK(pictures == 1);
    auto const rated = all.wallet({"feedback", all.address(1)});
    CHECK(rated.first == 0);
    CHECK(rated.second.find("\"rating\":100") != std::string::npos);
    auto const state = all.wallet({"provider", "state", all.address(1)});
    CHECK(state.second.find("\"reputation\"") != std::string::npos);
    all.count_all();
}

TEST_CASE("jobs: a provider's process dies in the middle of a job, and others finish it" *
          doctest::test_suite("e2e"))
{
    if (!programs_are_there()) return;
    bazaar all{"dies", 3};
    REQUIRE(all.good());
    for (unsigned i = 0; i < 3; ++i) all.start(i);
    REQUIRE(all.offers(3));
    auto const number = all.order();
    REQUIRE_MESSAGE(number.find("refused") == std::string::npos, number);
    REQUIRE(eventually([&] { return all.log(0).find("\"rented\"") != std::string::npos; }));
    all.agent(0).kill();
    auto const ran = all.run(all.watching(number));
    auto const& said = ran.second;
    auto const status = ran.first;
    auto const summary = bazaar::last(said, "summary");
    REQUIRE_MESSAGE(!summary.is_null(), said);
    CHECK_MESSAGE(status == 0, said);
    all.count_all();
}

TEST_CASE("jobs: providers and renter are killed a few times, and every grain is accounted for" *
          doctest::test_suite("e2e"))
{
    killed("few", 6);
}

TEST_CASE("jobs: providers and renter are killed fifty times, and every grain is accounted for" *
          doctest::test_suite("slow"))
{
    killed("many", 50);
}
