// SPDX-License-Identifier: Apache-2.0
// `examples/devnet`, as a newcomer runs it: every app, every engine, with a cheat and a death in the middle.
#include <doctest/doctest.h>

#include <support/support.hpp>

#include <algorithm>
#include <fstream>
#include <sstream>

#include <blendr/bond/contract.hpp>
#include <blendr/crypto/bech32.hpp>
#include <blendr/crypto/keystore.hpp>
#include <blendr/ledger/base.hpp>
#include <blendr/market/contract.hpp>
#include <blendr/node/client.hpp>
#include <blendr/work/app.hpp>

#include "job_town.hpp"
#include "processes.hpp"

using namespace blendr;
using namespace blendr::test;

namespace {

work::file file_at(fs::path const& at)
{
    return {at.filename().string(), to_bytes(std::string_view{text_of(at)})};
}

crypto::identity owner(fs::path const& key)
{
    return crypto::identity{crypto::open_keystore(key, crypto::secret{}).value()};
}

/// A run of the script with `--once`, and what it left.
class devnet_run {
public:
    devnet_run(std::string const& name, std::vector<std::string> const& words)
        : dir_{scratch("devnet") / name},
          tree_{BLENDR_TREE}
    {
        fs::remove_all(dir_);
        fs::create_directories(dir_);
        auto const status = script(words, true);
        said_ = text_of(dir_ / "said");
        auto const read = parse_json(text_of(home() / "job.json"));
        good_ = status == 0 && read && read->is_object();
        if (read) story_ = *read;
    }
    bool good() const { return good_; }
    std::string const& said() const { return said_; }
    boost::json::value const& story() const { return story_; }
    fs::path home() const { return dir_ / "net"; }

    /// The job as its files and options say, done here: what the network must have made, too.
    void made_the_same(node::job_request const& what) const
    {
        for (auto const& each : done_here(what)) {
            INFO(each.name);
            auto const got = text_of(home() / "results" / each.name);
            CHECK(got.size() == each.content.size());
            CHECK(got == as_text(each.content));
        }
    }

    /// The network is started again without providers; nobody sells any more; then all that purses and
    /// bonds hold is what there is, to the grain.
    void count_all() const
    {
        std::string port{}, validators{};
        std::istringstream{text_of(home() / "port")} >> port >> validators;
        node::client const ask{"127.0.0.1:" + std::to_string(std::stoul(port) + 3)};
        auto const voters = std::stoul(validators);
        std::vector<process> nodes{};
        for (unsigned long i = 1; i <= voters; ++i)
            nodes.emplace_back(
                std::vector<std::string>{program("fullnode"), "run", "--home",
                                         (home() / ("node" + std::to_string(i))).string()},
                dir_ / "again.log");
        REQUIRE(eventually([&] { return ask.where().has_value(); }, 60'000));
        std::vector<crypto::address> purses{ledger::treasury_pot(), ledger::providers_pot()};
        std::vector<bond::subject> bonds{};
        for (unsigned long i = 1; i <= voters; ++i) {
            auto const voter = owner(home() / ("node" + std::to_string(i)) / "node.key");
            purses.push_back(voter.account());
            bonds.push_back(bond::subject_of(voter.self()));
        }
        for (auto const* each : {"rich", "renter"})
            purses.push_back(owner(home() / "keys" / (std::string{each} + ".key")).account());
        for (unsigned i = 1; fs::exists(home() / ("provider" + std::to_string(i))); ++i) {
            auto const seller = owner(home() / ("provider" + std::to_string(i)) / "provider.key");
            purses.push_back(seller.account());
            bonds.push_back(market::bond_of({seller.account(), 0}));
            close_shop(ask, seller);
        }
        auto const [is, should] = money(ask, purses, bonds);
        CHECK(is == should);
    }

private:
    int script(std::vector<std::string> const& words, bool once) const
    {
        std::vector<std::string> command{"/bin/bash",    (tree_ / "examples" / "devnet").string(),
                                         "--no-build",   "--bin",
                                         BLENDR_BIN_DIR, "--dir",
                                         home().string()};
        if (once) command.emplace_back("--once");
        command.insert(command.end(), words.begin(), words.end());
        process run{command, dir_ / "said"};
        return run.join(280'000).value_or(-1);
    }
    fs::path dir_, tree_;
    std::string said_{};
    boost::json::value story_{};
    bool good_ = false;
};

/// What the script asks for with that app, done on one machine.
node::job_request asked(std::string const& app, devnet_run const& of)
{
    fs::path const examples = fs::path{BLENDR_TREE} / "examples";
    node::job_request out{};
    out.app = app;
    if (app == "render") {
        out.what.options = R"({"width":160,"height":100,"samples":8})";
        out.what.files.push_back(file_at(examples / "render" / "demo.scene"));
    } else if (app == "train") {
        out.what.options = R"({"rounds":3,"parts":6})";
        out.what.files.push_back(file_at(examples / "train" / "spirals.csv"));
    } else if (app == "analyse") {
        out.what.options = R"({"ask":"group","by":"city","column":"fare","unit_rows":60})";
        out.what.files.push_back(file_at(examples / "analyse" / "rides.csv"));
    } else if (app == "hash") {
        out.what.options = R"({"block_bytes":64})";
        out.what.files.push_back(file_at(examples / "train" / "spirals.csv"));
    } else {
        for (auto const* each : {"a.npy", "b.npy"})
            out.what.files.push_back(file_at(of.home() / "inputs" / each));
    }
    return out;
}

std::string word(boost::json::value const& of, char const* name)
{
    auto const& s = of.at(name).as_string();
    return {s.data(), s.size()};
}

/// The whole claim of a run: the files to the byte, the money to the grain, the cheat caught, the dead one's units taken
/// over, both sides rated.
void holds(std::string const& app, std::string const& engine, bool cheat, bool kill)
{
    for (auto const* each : {"fullnode", "provider", "wallet"})
        if (!fs::exists(program(each))) return skip(std::string{each} + " is not built");
    CAPTURE(app);
    CAPTURE(engine);
    auto const port = free_ports(12);
    std::vector<std::string> words{"--app",        app,
                                   "--consensus",  engine,
                                   "--size",       "160x100x8",
                                   "--port",       std::to_string(port),
                                   "--validators", engine == "solo" ? "1" : "4",
                                   "--providers",  cheat && kill ? "4" : "3"};
    if (cheat) words.insert(words.end(), {"--cheat", "1"});
    if (kill) words.emplace_back("--kill");
    devnet_run const run{app + '-' + engine + (cheat ? "-cheat" : "") + (kill ? "-kill" : ""),
                         words};
    REQUIRE_MESSAGE(run.good(), run.said());
    auto const& story = run.story();
    CHECK(word(story, "phase") == "done");
    run.made_the_same(asked(app, run));
    amount cost{}, slashed{};
    unsigned settled = 0, caught = 0, gone = 0;
    for (auto const& stage : story.at("stages").as_array()) {
        for (auto const& deal : stage.at("deals").as_array()) {
            cost += from_json<amount>(deal.at("paid")).value();
            cost += from_json<amount>(deal.at("fees")).value();
            slashed += from_json<amount>(deal.at("slashed")).value();
            gone += word(deal, "phase") == "refunded";
            if (word(deal, "phase") != "settled") continue;
            ++settled;
            CHECK(deal.at("rated").as_bool());
            CHECK(deal.at("rated_us").as_bool());
        }
        for (auto const& unit : stage.at("units").as_array())
            caught += unit.at("remade").as_bool() || word(unit, "state") == "outvoted";
    }
    CHECK(settled != 0);
    CHECK(cost == from_json<amount>(story.at("cost")).value());
    if (cheat && app == "render") CHECK(slashed != amount{});
    if (cheat && app != "render") CHECK((caught != 0 || slashed != amount{}));
    if (!cheat) CHECK(slashed == amount{});
    if (kill) CHECK(run.said().find("was killed") != std::string::npos);
    if (kill && app == "render") {
        CHECK(gone != 0);
        CHECK(run.said().find("taken over from") != std::string::npos);
    }
    run.count_all();
}

}  // namespace

TEST_CASE("devnet: a picture, with a cheat and a death, to the pixel and to the grain" *
          doctest::test_suite("e2e"))
{
    holds("render", "simplex", true, true);
}

TEST_CASE("devnet: an analysis and a product, to the byte and to the grain" *
          doctest::test_suite("e2e"))
{
    holds("analyse", "solo", false, false);
    holds("matmul", "authority", true, false);
}

TEST_CASE("devnet: every app with a cheat and a death" * doctest::test_suite("slow"))
{
    for (auto const* app : {"analyse", "matmul", "train"}) holds(app, "simplex", true, true);
    holds("hash", "simplex", false, false);  // of one unit
}

TEST_CASE("devnet: every engine with a cheat and a death" * doctest::test_suite("slow"))
{
    for (auto const* engine : {"solo", "authority", "hotstuff2", "nakamoto"})
        holds("render", engine, true, true);
}
