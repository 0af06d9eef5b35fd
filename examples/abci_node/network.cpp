// SPDX-License-Identifier: Apache-2.0
#include "network.hpp"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <blendr/core/amount.hpp>

#include "chain.hpp"
#include "cometbft.hpp"

namespace example {

using namespace blendr;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t validators = 4;
constexpr std::uint64_t people = 8;

/// A CometBFT and its application.
class node {
public:
    node(network_options const& chosen, std::size_t number, std::uint16_t rpc, std::uint16_t p2p)
        : chosen_{chosen},
          home_{chosen.directory / ("node" + std::to_string(number)),
                person(100 + number),
                person(200 + number),
                rpc,
                p2p,
                {},
                {},
                {}},
          rpc_{rpc}
    {
        home_.proxy_app = "unix://" + (home_.directory / "app.sock").string();
    }

    void prepare(std::vector<std::string> const& peers, std::string const& genesis,
                 std::optional<cometbft::trust> sync = std::nullopt)
    {
        home_.peers = peers;
        home_.sync = std::move(sync);
        home_.write(genesis);
    }
    void start()
    {
        app_ = cometbft::process{{chosen_.node.string(), "serve", "--home",
                                  (home_.directory / "app").string(), "--key",
                                  (home_.directory / "config/priv_validator_key.json").string(),
                                  "--listen", home_.proxy_app},
                                 home_.directory / "app.log"};
        engine_ = cometbft::process{home_.command(chosen_.program), home_.directory / "comet.log"};
        up_ = true;
    }
    void stop(int signal)
    {
        up_ = false;
        engine_.stop(signal);
        app_.stop(signal);
    }
    /// It was started, nobody stopped it, and a part of it is gone.
    bool ended() { return up_ && (!app_.running() || !engine_.running()); }

    cometbft::rpc& rpc() { return rpc_; }
    std::uint64_t height() { return rpc_.height(); }
    std::string contact() const { return home_.contact(); }
    std::uint16_t rpc_port() const { return home_.rpc; }

    /// The hash that this node's application gave after a block.
    std::optional<std::string> app_hash(std::uint64_t h)
    {
        auto const said = rpc_.call("block_results", {{"height", std::to_string(h)}});
        if (!said) return std::nullopt;
        return to_hex(cometbft::from_base64(std::string_view{said->at("app_hash").as_string()}));
    }

private:
    network_options const& chosen_;
    cometbft::home home_;
    cometbft::rpc rpc_;
    cometbft::process app_{};
    cometbft::process engine_{};
    bool up_ = false;
};

class network {
public:
    explicit network(network_options const& chosen) : chosen_{chosen}
    {
        beginning from{};
        for (std::size_t i = 0; i < validators; ++i) from.validators.push_back(person(100 + i));
        for (std::uint64_t i = 1; i <= people; ++i) from.people.push_back(person(i));
        app_state_ = genesis_text(from);
        genesis_ = cometbft::genesis("abci-node", app_state_);
        auto const ports = cometbft::free_ports(2 * (validators + 1));
        for (std::size_t i = 0; i <= validators; ++i)
            nodes_.push_back(std::make_unique<node>(chosen, i, ports[2 * i], ports[2 * i + 1]));
        for (auto const& each : nodes_) contacts_.push_back(each->contact());
        contacts_.pop_back();  // nobody waits for the one that joins late
    }

    void run()
    {
        for (std::size_t i = 0; i < validators; ++i) {
            nodes_[i]->prepare(contacts_, genesis_);
            nodes_[i]->start();
        }
        reach(2, "the network does not start");
        say("4 validators decide blocks");
        trade();
        reach(chosen_.blocks * 3 / 10, "the network stands still");
        kill_one();
        reach(chosen_.blocks / 2, "the network stands still");
        join_one();
        reach(chosen_.blocks + 1, "the network stands still");
        auto const all = [&] {
            return std::all_of(nodes_.begin(), nodes_.end(),
                               [&](auto const& each) { return each->height() > chosen_.blocks; });
        };
        if (!cometbft::wait_for(30s, all)) give_up("a node lags behind");
        compare();
    }

private:
    template <class... Parts>
    void say(char const* format, Parts... parts)
    {
        if constexpr (sizeof...(parts) == 0)
            std::fputs(format, stdout);
        else
            std::printf(format, parts...);
        std::printf("\n");
        std::fflush(stdout);
    }
    [[noreturn]] static void give_up(std::string const& why) { throw std::runtime_error{why}; }

    void send(bytes const& tx)
    {
        auto& to = *nodes_[sent_++ % 3];
        auto const said = to.rpc().call("broadcast_tx_sync", {{"tx", cometbft::to_base64(tx)}});
        if (!said) give_up("a transaction was not taken");
        if (said->at("code").to_number<std::uint64_t>() != 0)
            give_up("a transaction was refused: " + std::string{said->at("log").as_string()});
    }
    /// Everybody pays the next one a little.
    void pay_around()
    {
        for (std::uint64_t i = 1; i <= people; ++i)
            send(pay(person(i), numbers_[i]++, person(i % people + 1), 1_blnd));
    }
    void reach(std::uint64_t height, char const* otherwise)
    {
        auto rounds = 0;
        auto const there = [&] {
            for (auto const& each : nodes_)
                if (each->height() >= height) return true;
            for (auto const& each : nodes_)
                if (each->ended()) give_up("a node ended by itself");
            if (++rounds % 5 == 0 && nodes_[0]->height() > 0) pay_around();
            return false;
        };
        if (!cometbft::wait_for(60s, there)) give_up(otherwise);
    }
    std::string balance(std::uint64_t who)
    {
        auto const said = nodes_[0]->rpc().call(
            "abci_query", {{"path", "ledger/purses"}, {"data", to_hex(purse_key(person(who)))}});
        if (!said) give_up("a query was not answered");
        return balance_in(
            cometbft::from_base64(std::string_view{said->at("response").at("value").as_string()}));
    }
    void after_blocks(std::uint64_t more) { reach(nodes_[0]->height() + more, "no more blocks"); }

    /// A card's hour becomes a token that one sells and another buys; a validator's bond grows.
    void trade()
    {
        auto const now = static_cast<std::int64_t>(std::time(nullptr)) * 1000;
        send(enrol_card(person(1), numbers_[1]++));
        send(bond_card(person(1), numbers_[1]++));  // what stands behind its tokens and its jobs
        after_blocks(2);
        send(mint_hours(person(1), numbers_[1]++, now));
        after_blocks(2);
        send(order_hour(person(1), numbers_[1]++, now, true, 1'400'000'000));
        send(order_hour(person(2), numbers_[2]++, now, false, 1'600'000'000));
        send(bond_more(person(100), 0, person(100), 40_blnd));
        after_blocks(3);
        say("an hour of a card was sold: the seller has %s BLND, the buyer %s", balance(1).c_str(),
            balance(2).c_str());
        job();
        std::string powers{};
        auto const grown = [&] {
            auto const told = nodes_[0]->rpc().call("validators");
            if (!told) return false;
            powers.clear();
            for (auto const& each : told->at("validators").as_array())
                powers += " " + std::string{each.at("voting_power").as_string()};
            return powers.find(" 140") != std::string::npos;
        };
        if (!cometbft::wait_for(10s, grown))
            give_up("the weights did not follow the bond:" + powers);
        say("weights after a bond grew:%s", powers.c_str());
    }

    /// A renter's job of two units, done and paid.
    void job()
    {
        auto const renter = person(2);
        auto const provider = person(1);
        auto const before = balance(1);
        send(submit_job(renter, numbers_[2]++));
        after_blocks(3);
        send(take_job(provider, numbers_[1]++, renter));
        after_blocks(3);
        for (std::uint32_t unit = 0; unit < 2; ++unit)
            send(deliver_unit(provider, numbers_[1]++, renter, unit));
        after_blocks(3);
        for (std::uint32_t unit = 0; unit < 2; ++unit)
            send(accept_unit(renter, numbers_[2]++, unit));
        after_blocks(4);
        say("a job of two units was done: the provider had %s BLND and has %s", before.c_str(),
            balance(1).c_str());
    }

    void kill_one()
    {
        auto& victim = *nodes_[3];
        auto const at = nodes_[0]->height();
        victim.stop(SIGKILL);
        reach(at + chosen_.blocks / 10, "three of four cannot go on");
        victim.start();
        if (!cometbft::wait_for(30s, [&] {
                return victim.height() + 2 >= nodes_[0]->height() && victim.height() > at;
            }))
            give_up("the killed node does not come back");
        say("node 3 was killed at height %llu and is back at height %llu",
            static_cast<unsigned long long>(at), static_cast<unsigned long long>(victim.height()));
    }

    void join_one()
    {
        auto& late = *nodes_[4];
        std::optional<cometbft::trust> sync{};
        if (gives_snapshots()) {
            auto const h = std::max<std::uint64_t>(nodes_[0]->height() / 2, 1);
            auto const said = nodes_[0]->rpc().call("block", {{"height", std::to_string(h)}});
            if (!said) give_up("no block to trust");
            sync = cometbft::trust{{nodes_[0]->rpc_port(), nodes_[1]->rpc_port()},
                                   h,
                                   std::string{said->at("block_id").at("hash").as_string()}};
        }
        auto const from = nodes_[0]->height();
        late.prepare(contacts_, genesis_, sync);
        late.start();
        auto const there = [&] {
            if (late.ended()) give_up("the late node ended");
            return late.height() > 0 && !late.rpc().catching_up();
        };
        if (!cometbft::wait_for(60s, there)) give_up("the late node does not join");
        std::uint64_t first = late.height();
        while (first > 1 && late.app_hash(first - 1)) --first;
        if (sync && first <= 2) give_up("the late node did not join by state sync");
        say(sync ? "node 4 joined at height %llu by state sync: its first own block is %llu"
                 : "node 4 joined at height %llu block by block, from %llu on",
            static_cast<unsigned long long>(from), static_cast<unsigned long long>(first));
    }

    void compare()
    {
        auto last = ~std::uint64_t{0};
        for (auto const& each : nodes_) last = std::min(last, each->height());
        last -= 1;
        std::vector<decided_block> blocks{};
        std::vector<std::string> hashes{};
        std::vector<std::uint64_t> compared(nodes_.size());
        std::size_t txs = 0;
        for (std::uint64_t h = 1; h <= last; ++h) {
            auto const said = nodes_[0]->rpc().call("block", {{"height", std::to_string(h)}});
            if (!said) give_up("a block is missing");
            auto const& block = said->at("block");
            decided_block one{};
            one.height = h;
            one.time_ms =
                cometbft::parse_time(std::string_view{block.at("header").at("time").as_string()});
            auto const results =
                nodes_[0]->rpc().call("block_results", {{"height", std::to_string(h)}});
            for (auto const& each : results->at("txs_results").as_array())
                if (auto const code = each.at("code").to_number<std::uint64_t>(); code != 0)
                    give_up("a transaction ended with code " + std::to_string(code));
            for (auto const& each : block.at("data").at("txs").as_array())
                one.entries.push_back(cometbft::from_base64(std::string_view{each.as_string()}));
            txs += one.entries.size() - 1;
            blocks.push_back(std::move(one));
            std::optional<std::string> agreed{};
            for (std::size_t i = 0; i < nodes_.size(); ++i) {
                auto const mine = nodes_[i]->app_hash(h);
                if (!mine && i < validators) give_up("a node lacks a result");
                if (!mine) continue;
                ++compared[i];
                if (agreed && *agreed != *mine)
                    give_up("node " + std::to_string(i) + " has another hash at height " +
                            std::to_string(h));
                agreed = mine;
            }
            hashes.push_back(*agreed);
            if (h % 50 == 0)
                say("height %4llu  %s", static_cast<unsigned long long>(h), agreed->c_str());
        }
        for (std::size_t i = 0; i < nodes_.size(); ++i) nodes_[i]->stop(SIGTERM);
        say("%llu blocks with %zu transactions: 5 nodes agree on every application hash (node 4 on "
            "%llu)",
            static_cast<unsigned long long>(last), txs,
            static_cast<unsigned long long>(compared[4]));
        if (txs < last) give_up("too few transactions went through");
        if (last < chosen_.blocks) give_up("too few blocks were decided");

        for (auto const& [under, name] :
             {std::pair{engine::none, "no engine"}, std::pair{engine::solo, "solo"},
              std::pair{engine::simplex, "simplex, four nodes"}}) {
            auto const again = replay(app_state_, blocks, under);
            for (std::size_t i = 0; i < hashes.size(); ++i)
                if (to_hex(again.at(i)) != hashes[i])
                    give_up(std::string{"under "} + name + " height " + std::to_string(i + 1) +
                            " has another hash");
            say("decided once more under %s: the same application hashes", name);
        }
    }

    network_options const& chosen_;
    std::string app_state_{};
    std::string genesis_{};
    std::vector<std::unique_ptr<node>> nodes_{};
    std::vector<std::string> contacts_{};
    std::map<std::uint64_t, std::uint64_t> numbers_{};
    std::uint64_t sent_ = 0;
};

}  // namespace

int run_network(network_options const& chosen)
{
    try {
        network{chosen}.run();
        return 0;
    } catch (std::exception const& e) {
        std::printf("failed: %s (logs in %s)\n", e.what(), chosen.directory.c_str());
        return 1;
    }
}

}  // namespace example
