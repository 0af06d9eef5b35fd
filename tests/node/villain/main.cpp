// SPDX-License-Identifier: Apache-2.0
// A process that means harm, for tests.
//   villain forge run --home DIR ...   a validator of simplex: signs every ballot for every block that it hears of, says
//                                      different things to different nodes, and adds noise
//   villain noise --home DIR           a stranger: noise, lies and floods on every topic, at all whom DIR's config names
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <blendr/consensus/simplex.hpp>
#include <blendr/core/random.hpp>
#include <blendr/net/tcp.hpp>
#include <blendr/node/command_line.hpp>
#include <blendr/node/config.hpp>
#include <blendr/node/judge.hpp>
#include <blendr/node/snapshot_sync.hpp>
#include <blendr/node/standard_chain.hpp>
#include <blendr/node/sync.hpp>
#include <blendr/sim/byzantine.hpp>

#include "../ear.hpp"

using namespace blendr;

namespace {

/// Simplex by somebody who holds a validator's key and no rules.
class forging {
public:
    using config = consensus::simplex::config;
    static constexpr std::string_view name = consensus::simplex::name;
    static constexpr auto promises = consensus::simplex::promises;
    static std::int64_t pace_ms(config const& c) { return consensus::simplex::pace_ms(c); }

    forging(config const& c, consensus::identity const& me, std::uint64_t seed)
        : it_{sim::misbehave(sim::role::forging, sim::kind_of<consensus::simplex>(c), me, seed)},
          random_{seed}
    {}
    void step(consensus::event const& in, consensus::clock now, consensus::effects& out)
    {
        it_->step(in, now, out);
        if (random_.below(50) != 0) return;
        bytes noise(1 + random_.below(400));
        for (auto& each : noise) each = static_cast<std::byte>(random_());
        out.push_back(consensus::broadcast{consensus::lane::gossip, std::move(noise)});
    }
    std::optional<bool> claims(crypto::public_key const& from, bytes_view raw,
                               std::vector<consensus::claim>& out) const
    {
        return it_->claims(from, raw, out);
    }
    static bool check(consensus::membership const& set, consensus::decide::entry const& block,
                      bytes_view why, std::vector<consensus::claim>& out)
    {
        return consensus::simplex::check(set, block, why, out);
    }
    static bool check_evidence(consensus::membership const& set, crypto::public_key const& who,
                               bytes_view proof, std::vector<consensus::claim>& out)
    {
        return consensus::simplex::check_evidence(set, who, proof, out);
    }

private:
    std::unique_ptr<sim::any_engine> it_;
    rng random_;
};

int forge(std::span<std::string const> arguments)
{
    auto engines = node::engine_registry::standard();
    engines.add<forging>(node::chained_config_of);
    return node::run_command_line(arguments, node::standard_chain(), engines);
}

std::string file(std::string const& path)
{
    std::ifstream in{path};
    return {std::istreambuf_iterator<char>{in}, {}};
}

bytes about(std::byte topic, bytes message)
{
    message.insert(message.begin(), topic);
    return message;
}

int noise(std::string const& home)
{
    auto const kind = node::standard_chain();
    auto const with = node::make_config(file(home + "/config.json"), {});
    auto const genesis = kind.forms->genesis(file(home + "/genesis.json"));
    if (!with || !genesis) return 1;
    crypto::identity const me{crypto::secret_key::generate()};
    net::tcp_options o{me};
    o.chain = node::chain_name(node::genesis_name(kind.beginnings->naming(*genesis).bare),
                               with->consensus);
    o.listen = {};
    o.peers = with->p2p.peers;
    test::ear listens{};
    auto const it = net::make_tcp_transport(std::move(o));
    if (!it->start(listens)) return 1;
    std::printf("%s\n", to_text(me.self()).c_str());
    std::fflush(stdout);
    rng random{7};
    for (std::uint64_t i = 0;; ++i) {
        bytes message{};
        switch (random.below(6)) {
        case 0:
            message.resize(1 + random.below(5'000));
            for (auto& each : message) each = static_cast<std::byte>(random());
            message[0] = static_cast<std::byte>(random.below(6));
            break;
        case 1:
            message = about(std::byte{2}, encode(node::sync_message{node::sync_status{
                                              height{1}, height{1 + random.below(1'000'000)}}}));
            break;
        case 2: {  // a block that is none, unasked for
            node::sync_bodies lie{height{1 + random.below(50)}, {}};
            lie.row.push_back({bytes(random.below(100'000)), {}});
            message = about(std::byte{2}, encode(node::sync_message{lie}));
            break;
        }
        case 3: {
            node::piece lie{height{random.below(100)}, 0, bytes(random.below(100'000))};
            message = about(std::byte{4}, encode(node::state_message{lie}));
            break;
        }
        case 4:  // asks for all, again and again
            message =
                about(std::byte{2}, encode(node::sync_message{node::ask_bodies{height{1}, 64}}));
            break;
        default: {
            std::lock_guard const lock{listens.mutex};
            if (listens.heard.empty()) break;
            message = listens.heard[random.below(listens.heard.size())];
            message[random.below(message.size())] ^= std::byte{1};
        }
        }
        if (message.empty()) continue;
        it->broadcast(static_cast<net::lane>(random.below(3)), net::share(std::move(message)));
        if (i % 20 == 0) std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
}

}  // namespace

int main(int argc, char** argv)
{
    std::vector<std::string> const all(argv + 1, argv + argc);
    if (all.size() >= 2 && all[0] == "forge") return forge(std::span{all}.subspan(1));
    if (all.size() == 3 && all[0] == "noise" && all[1] == "--home") return noise(all[2]);
    std::fprintf(stderr, "forge run --home DIR | noise --home DIR\n");
    return 2;
}
