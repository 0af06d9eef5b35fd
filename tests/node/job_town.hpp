// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <support/support.hpp>

#include <blendr/bond/contract.hpp>
#include <blendr/crypto/bech32.hpp>
#include <blendr/ledger/base.hpp>
#include <blendr/ledger/genesis.hpp>
#include <blendr/market/contract.hpp>
#include <blendr/node/client.hpp>
#include <blendr/node/provider.hpp>
#include <blendr/node/renter.hpp>
#include <blendr/node/rpc.hpp>
#include <blendr/node/standard_chain.hpp>
#include <blendr/work/app.hpp>

#include "common.hpp"
#include "till.hpp"

namespace blendr::test {

inline constexpr std::string_view small_scene = R"(camera 0 1.2 4   look 0 0.6 0   angle 40
sky 0.3 0.5 0.9   horizon 0.8 0.8 0.8
sun 1 2 1   colour 2 2 2
material floor diffuse 0.6 0.6 0.6
material ball metal 0.9 0.7 0.3 0.05
box -8 -1 -8  8 0 8 floor
sphere 0 0.6 0 0.6 ball
)";

/// What a small picture costs nobody's time.
inline node::job_request small_picture(std::uint32_t units, std::uint32_t quorum = 2)
{
    node::job_request out{};
    out.what.options = R"({"width":48,"height":32,"samples":2,"bounces":3})";
    out.what.files.push_back({"small.scene", to_bytes(small_scene)});
    out.units = units;
    out.quorum = quorum;
    out.search_s = 60;
    out.check_s = 5;
    out.start_s = 5;
    out.run_s = 20;
    return out;
}

/// The files that the request's job makes when it is done here, at once.
inline std::vector<work::file> done_here(node::job_request const& what)
{
    auto const task = work::find_app(what.app)->make(what.what, {}).value();
    auto const device = work::make_native_device(1);
    std::vector<bytes> results{};
    while (auto const stage = task->next(results).value()) {
        results.clear();
        for (auto const& each : stage->units)
            results.push_back(work::find_app(what.app)->run(each, {*device}).value());
    }
    return task->files(results).value();
}

inline node::unit_function native_units()
{
    return [on = std::shared_ptr{work::make_native_device(1)}](
               std::string_view app, bytes_view packed,
               std::stop_token stop) -> result<bytes, std::string> {
        auto out = work::run_packed(
            app, packed, {*on, compute::origin::own, std::chrono::milliseconds{20'000}, stop});
        if (!out) return fail{message(out.error())};
        return *std::move(out);
    };
}

/// Never done: whoever rents it waits in vain.
inline node::unit_function endless_units()
{
    return [](std::string_view, bytes_view, std::stop_token stop) -> result<bytes, std::string> {
        while (!stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds{5});
        return fail{std::string{"stopped"}};
    };
}

/// One node, and whoever is let in: all of them talk to it through its RPC.
class job_town {
public:
    /// Block times are taken from `wall`, if there is one.
    explicit job_town(std::filesystem::path home, std::uint8_t people = 6,
                      std::int64_t interval_ms = 40, std::function<time_ms()> wall = {})
        : home_{std::move(home)},
          people_{people},
          blobs_{node::make_memory_shelf()}
    {
        std::filesystem::remove_all(home_);
        ledger::genesis out{};
        out.chain = ledger::chain_id{7};
        auto left = out.money.premine;
        for (std::uint8_t i = 10; i < 10 + people; ++i) {
            out.accounts.push_back({person(i).account(), 5'000_blnd});
            left -= 5'000_blnd;
        }
        out.accounts.push_back({person(100).account(), left});
        auto const who = person(1);
        out.validators.push_back(
            {who.self(), weight{1}, crypto::vrf_secret_key::of(who.key()).self()});
        out.sections.push_back(ledger::section<bond::contract>({}));
        out.sections.push_back(ledger::section<market::contract>(
            {{{market::device_class{1}, {1, 1, 1, 1}, price{1'000}}}, {}}));
        node::node_parts parts{{}, who, encode(out), node::standard_chain()};
        parts.with.home.clear();
        parts.with.consensus = "solo";
        parts.with.engine.interval_ms = interval_ms;
        parts.with.threads = 1;
        parts.log = quiet();
        parts.wall = std::move(wall);
        auto made = node::node::start(std::move(parts));
        if (!made) return;
        node_ = *std::move(made);
        server_ = std::make_unique<node::rpc_server>(*node_);
        rpc_ = server_->start().value();
    }
    ~job_town()
    {
        for (auto& each : providers_) each.reset();
        if (server_) server_->stop();
        if (node_) node_->stop();
    }
    bool good() const { return node_ != nullptr; }
    /// Inputs and results lie at the node from here on, where a page finds them, too.
    void keep_blobs_at_node() { blobs_ = node::make_node_shelf(rpc_); }
    std::string const& rpc() const { return rpc_; }
    std::shared_ptr<node::shelf> blobs() const { return blobs_; }
    node::client ask() const { return node::client{rpc_}; }
    std::filesystem::path const& home() const { return home_; }

    node::provider_settings settings(std::uint8_t who) const
    {
        node::provider_settings out{};
        out.rpc = rpc_;
        out.home = home_ / ("provider" + std::to_string(who));
        out.poll_ms = 10;
        return out;
    }
    /// Person `who` offers devices; started again it goes on where it was.
    node::provider& let_in(std::uint8_t who, node::provider_settings with, unsigned devices = 1,
                           node::unit_function const& work = native_units(),
                           std::string const& features = {})
    {
        std::vector<node::rented_device> all{};
        for (unsigned i = 0; i < devices; ++i)
            all.push_back({i, "native", market::device_class{1},
                           features + "vram=1_GiB, fp32=1, memory=1, integer=1", work});
        if (providers_.size() <= who) providers_.resize(who + 1u);
        providers_[who] =
            node::provider::start(std::move(with), person(who), blobs_, std::move(all)).value();
        return *providers_[who];
    }
    node::provider& let_in(std::uint8_t who) { return let_in(who, settings(who)); }
    node::provider& at(std::uint8_t who) { return *providers_[who]; }
    void send_home(std::uint8_t who) { providers_[who].reset(); }

    /// Offers in the book.
    std::uint64_t offers() const
    {
        auto const found = ask().ask<market::query::explained>(
            "market/explain", market::query::explain{market::device_class{1}, {}, price{}});
        return found ? found->satisfying : 0;
    }
    std::unique_ptr<node::renter> renter(std::uint8_t who) const
    {
        return std::make_unique<node::renter>(rpc_, person(who), blobs_,
                                              home_ / ("renter" + std::to_string(who)));
    }
    amount balance(std::uint8_t who) const
    {
        auto const found = ask().purse_of(person(who).account());
        return found ? found->balance : amount{};
    }
    /// All that there is, and all that there should be when no job and no order lives.
    std::pair<amount, amount> money(unsigned devices = 1) const
    {
        std::vector<crypto::address> purses{ledger::treasury_pot(), ledger::providers_pot(),
                                            person(1).account(), person(100).account()};
        std::vector<bond::subject> bonds{};
        for (std::uint8_t i = 10; i < 10 + people_; ++i) {
            purses.push_back(person(i).account());
            for (unsigned d = 0; d < devices; ++d)
                bonds.push_back(market::bond_of({person(i).account(), d}));
        }
        return test::money(ask(), purses, bonds);
    }

private:
    std::filesystem::path home_;
    std::uint8_t people_;
    std::shared_ptr<node::shelf> blobs_;
    std::unique_ptr<node::node> node_{};
    std::unique_ptr<node::rpc_server> server_{};
    std::string rpc_{};
    std::vector<std::unique_ptr<node::provider>> providers_{};
};

}  // namespace blendr::test
