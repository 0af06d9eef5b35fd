// SPDX-License-Identifier: Apache-2.0
// What the socket costs, and what a network of four does with our application and with CometBFT's own.
#include <harness.hpp>

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/json/serialize.hpp>

#include <blendr/abci.hpp>
#include <blendr/core/assert.hpp>
#include <blendr/crypto/vrf.hpp>
#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/machine.hpp>
#include <blendr/ledger/message.hpp>

#include <abci_node/cometbft.hpp>

namespace {

using namespace blendr;
using namespace blendr::bench;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

using coins = ledger::machine<ledger::bank>;

constexpr std::size_t senders = 320;
constexpr std::size_t each_sends = 64;  // what one may have waiting

double now()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

crypto::identity person(std::uint64_t n)
{
    std::array<std::byte, 32> seed{std::byte{0xbe}};
    for (std::size_t i = 0; i < 8; ++i) seed[8 + i] = static_cast<std::byte>(n >> (8 * i));
    return crypto::identity{crypto::secret_key::from_seed(seed)};
}

std::string genesis_json()
{
    ledger::genesis out{};
    out.chain = ledger::chain_id{7};
    out.begins = time_ms{1'000};
    out.money.premine = amount{};
    for (std::uint64_t i = 0; i < senders; ++i) {
        out.accounts.push_back({person(i).account(), 1000_blnd});
        out.money.premine += 1000_blnd;
    }
    for (std::uint64_t i = 0; i < 4; ++i) {
        auto const who = person(10'000 + i);
        out.validators.push_back(
            {who.self(), weight{10}, crypto::vrf_secret_key::of(who.key()).self()});
    }
    return boost::json::serialize(ledger::genesis_forms<coins::registry>::to_json(out));
}

/// Signed transfers, everybody's first, then everybody's second.
std::vector<bytes> const& transfers()
{
    static std::vector<bytes> const made = [] {
        std::vector<crypto::identity> people{};
        for (std::uint64_t i = 0; i < senders; ++i) people.push_back(person(i));
        std::vector<bytes> out{};
        for (std::uint64_t k = 0; k < each_sends; ++k)
            for (std::uint64_t i = 0; i < senders; ++i) {
                ledger::transaction tx{};
                tx.chain = ledger::chain_id{7};
                tx.sequence = ledger::nonce{k};
                tx.fee_max = 1_blnd;
                tx.tip = amount{10};
                tx.expires = height{10'000};
                tx.messages.push_back(ledger::wrap<ledger::bank>(
                    ledger::bank::transfer{people[(i + 1) % senders].account(), 1_grains}));
                ledger::sign(tx, people[i]);
                out.push_back(encode(tx));
            }
        return out;
    }();
    return made;
}

class scratch {
public:
    scratch()
    {
        auto pattern = (fs::temp_directory_path() / "abci-bench-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) std::abort();
        path = pattern;
    }
    ~scratch() { fs::remove_all(path); }
    fs::path path{};
};

/// The chain and its socket in this process.
struct node {
    node(std::string const& listen, std::uint64_t number)
        : chain{options(number)},
          server{chain, {.name = "coins", .self = person(10'000 + number).self()}}
    {
        BLENDR_ASSERT(server.listen(listen).has_value());
    }
    static ledger::machine_options options(std::uint64_t number)
    {
        ledger::machine_options out{};
        out.threads = 1;
        out.proposer = person(10'000 + number);
        return out;
    }
    coins chain;
    abci::server<coins> server;
};

class raw_client {
public:
    explicit raw_client(fs::path const& path)
    {
        fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un to{};
        to.sun_family = AF_UNIX;
        std::strncpy(to.sun_path, path.c_str(), sizeof to.sun_path - 1);
        BLENDR_ASSERT(::connect(fd_, reinterpret_cast<sockaddr const*>(&to), sizeof to) == 0);
    }
    ~raw_client() { ::close(fd_); }
    raw_client(raw_client const&) = delete;
    raw_client& operator=(raw_client const&) = delete;

    /// Sends many requests at once and reads that many answers.
    void exchange(bytes_view raw, std::size_t answers)
    {
        while (!raw.empty()) {
            auto const sent = ::send(fd_, raw.data(), raw.size(), MSG_NOSIGNAL);
            BLENDR_ASSERT(sent > 0);
            raw = raw.subspan(static_cast<std::size_t>(sent));
        }
        while (answers > 0) {
            auto const next = in_.next();
            BLENDR_ASSERT(next.has_value());
            if (*next) {
                --answers;
                continue;
            }
            auto const got = ::recv(fd_, buffer_.data(), buffer_.size(), 0);
            BLENDR_ASSERT(got > 0);
            in_.feed({buffer_.data(), static_cast<std::size_t>(got)});
        }
    }

private:
    int fd_ = -1;
    abci::frame_reader in_{};
    bytes buffer_ = bytes(1 << 18);
};

/// A request of one field that holds bytes, by hand.
void append_request(bytes& out, std::uint32_t tag, bytes_view field_one)
{
    bytes body{};
    body.push_back(std::byte{0x0a});
    abci::append_frame(body, field_one);
    bytes message{};
    message.push_back(static_cast<std::byte>(tag << 3 | 2));
    abci::append_frame(message, body);
    abci::append_frame(out, message);
}

suite const echo{"abci/echo", [](run& out) {
                     if (!out.wants("abci/echo/pipelined")) return;
                     constexpr std::size_t ahead = 256;
                     scratch where{};
                     node one{"unix://" + (where.path / "s").string(), 0};
                     raw_client to{where.path / "s"};
                     bytes stream{};
                     for (std::size_t i = 0; i < ahead; ++i)
                         append_request(stream, 1, as_bytes("hello"));
                     out.figure("abci/echo/pipelined", rate("round trips/s", ahead),
                                [&] { to.exchange(stream, ahead); }, {.by = clock::wall});
                     bytes single{};
                     append_request(single, 1, as_bytes("hello"));
                     out.figure("abci/echo/one_by_one", rate("round trips/s", 1),
                                [&] { to.exchange(single, 1); }, {.by = clock::wall});
                 }};

// Every transaction is new, so that every signature is checked. Each side has a chain of its own.
suite const check{"abci/check_tx", [](run& out) {
                      if (!out.wants("abci/check_tx/pipelined")) return;
                      constexpr std::size_t part = 2'048;
                      scratch where{};
                      auto const document = *abci::form<coins>::genesis(as_bytes(genesis_json()));
                      coins here{node::options(0)};
                      coins single{node::options(0)};
                      node there{"unix://" + (where.path / "s").string(), 0};
                      for (auto* each : {&here, &single, &there.chain})
                          BLENDR_ASSERT(each->init(document).has_value());
                      raw_client to{where.path / "s"};
                      auto const& txs = transfers();
                      std::vector<double> ratios{};
                      std::vector<double> rates{};
                      std::vector<double> to_single{};
                      for (std::size_t from = 0; from + part <= txs.size(); from += part) {
                          bytes stream{};
                          std::vector<bytes_view> views{};
                          for (std::size_t i = from; i < from + part; ++i) {
                              append_request(stream, 8, txs[i]);
                              views.emplace_back(txs[i]);
                          }
                          // what both sides use of the processors: the client's part of the socket counts as well
                          stopwatch const through{clock::process_cpu};
                          to.exchange(stream, part);
                          auto const socket = through.seconds();
                          stopwatch const direct{clock::process_cpu};
                          for (std::size_t i = 0; i < part; i += 256)
                              keep(here.submit(std::span{views}.subspan(i, 256)));
                          auto const batches = direct.seconds();
                          stopwatch const slow{clock::process_cpu};
                          for (auto const& each : views) keep(single.submit(each));
                          auto const singles = slow.seconds();
                          rates.push_back(part / socket);
                          ratios.push_back(batches / socket);
                          to_single.push_back(singles / socket);
                      }
                      BLENDR_ASSERT(there.chain.waiting().size() == here.waiting().size());
                      // the yardstick: the same batches handed over in this process; and then one by one
                      out.report("abci/check_tx/pipelined", median(rates), "tx/s", median(ratios));
                      out.report("abci/check_tx/beside_one_by_one", median(rates), "tx/s",
                                 median(to_single));
                  }};

/// Whose application runs: ours, CometBFT's kvstore behind a socket of its own, as any application is, or the same one
/// linked into CometBFT.
enum class side : std::uint8_t { ours, kvstore, linked };

/// Four CometBFT nodes on the loopback with one application or the other.
class network {
public:
    network(fs::path const& program, fs::path const& directory, side whose, bool recheck)
    {
        auto const ports = cometbft::free_ports(8);
        std::vector<cometbft::home> homes{};
        std::vector<std::string> contacts{};
        std::vector<crypto::public_key> keys{};
        for (std::uint64_t i = 0; i < 4; ++i) {
            auto const home = directory / std::to_string(i);
            fs::create_directories(home);
            auto const address = "unix://" + (home / "s").string();
            homes.push_back({home,
                             person(10'000 + i),
                             person(20'000 + i),
                             ports[2 * i],
                             ports[2 * i + 1],
                             whose == side::linked ? "kvstore" : address,
                             {},
                             {}});
            homes.back().pool = 30'000;
            homes.back().recheck = recheck;
            homes.back().timeout_commit = "50ms";
            contacts.push_back(homes.back().contact());
            keys.push_back(person(10'000 + i).self());
            if (whose == side::ours) nodes_.push_back(std::make_unique<node>(address, i));
            if (whose == side::kvstore)
                processes_.emplace_back(
                    std::vector<std::string>{(program.parent_path() / "abci-cli").string(),
                                             "kvstore", "--address", address, "--log_level",
                                             "error"},
                    home / "kvstore.log");
        }
        auto const genesis = whose == side::ours ? cometbft::genesis("bench", genesis_json())
                                                 : cometbft::genesis("bench", "", keys);
        for (auto& each : homes) {
            each.peers = contacts;
            each.write(genesis);
            processes_.emplace_back(each.command(program), each.directory / "log");
            rpc_.emplace_back(each.rpc);
        }
        if (!cometbft::wait_for(30s, [&] { return rpc_[0].height() > 2; }))
            throw std::runtime_error{"the network does not start"};
    }
    ~network()
    {
        for (auto& each : processes_) each.stop(SIGKILL);
    }

    /// Transactions a second, from the first that is sent until the last is in a block.
    double speed(std::vector<bytes> const& txs)
    {
        constexpr std::size_t part = 200;
        constexpr std::size_t ahead = 2'000;
        auto const began = now();
        std::size_t sent = 0;
        std::size_t decided = 0;
        auto next = rpc_[0].height() + 1;
        auto const see = [&] {
            auto const said =
                rpc_[0].call("blockchain", {{"minHeight", std::to_string(next)},
                                            {"maxHeight", std::to_string(next + 19)}});
            if (!said) return;
            std::uint64_t top = next - 1;
            for (auto const& each : said->at("block_metas").as_array()) {
                auto const& header = each.at("header");
                auto const h = std::stoull(std::string{header.at("height").as_string()});
                if (h < next) continue;
                top = std::max<std::uint64_t>(top, h);
                decided += std::stoull(std::string{each.at("num_txs").as_string()});
                if (!nodes_.empty()) --decided;  // the block's lead is no transaction
            }
            next = top + 1;
        };
        for (std::size_t i = 0; decided < txs.size(); ++i) {
            if (now() - began > 60) throw std::runtime_error{"transactions got lost"};
            if (sent < txs.size() && sent - decided < ahead) {
                auto const end = std::min(sent + part, txs.size());
                std::vector<bytes> const some{txs.begin() + static_cast<std::ptrdiff_t>(sent),
                                              txs.begin() + static_cast<std::ptrdiff_t>(end)};
                if (!rpc_[i % 4].broadcast(some)) throw std::runtime_error{"refused"};
                sent = end;
            } else {
                std::this_thread::sleep_for(10ms);
            }
            see();
        }
        return static_cast<double>(txs.size()) / (now() - began);
    }

private:
    std::vector<std::unique_ptr<node>> nodes_{};
    std::vector<cometbft::process> processes_{};
    std::vector<cometbft::rpc> rpc_{};
};

/// All applications by turns, under one configuration.
void side_by_side(run& out, std::string const& name, bool recheck)
{
    if (!out.wants(name) && !out.wants(name + "/beside_linked")) return;
    auto const program = cometbft::find();
    if (program.empty() || !fs::exists(program.parent_path() / "abci-cli")) {
        std::fputs("abci/network: skipped, cometbft or abci-cli not found\n", stderr);
        return;
    }
    auto const& ours = transfers();
    std::vector<bytes> theirs{};  // as long as ours
    for (std::size_t i = 0; i < ours.size(); ++i) {
        auto text = "key" + std::to_string(i) + "=";
        text.resize(ours[i].size(), 'v');
        theirs.push_back(to_bytes(text));
    }
    constexpr int rounds = 3;
    std::vector<double> speed{};
    std::vector<double> ratio{};
    std::vector<double> ratio_linked{};
    for (int round = 0; round < rounds; ++round) {
        auto const of = [&](side whose) {
            scratch where{};
            return network{program, where.path, whose, recheck}.speed(whose == side::ours ? ours
                                                                                          : theirs);
        };
        auto const mine = of(side::ours);
        auto const yardstick = of(side::kvstore);
        auto const linked = of(side::linked);
        std::fprintf(stderr, "%s: %.0f beside kvstore's %.0f, and %.0f where that is linked in\n",
                     name.c_str(), mine, yardstick, linked);
        speed.push_back(mine);
        ratio.push_back(mine / yardstick);
        ratio_linked.push_back(mine / linked);
    }
    for (auto* each : {&speed, &ratio, &ratio_linked}) std::sort(each->begin(), each->end());
    out.report(name, speed[rounds / 2], "tx/s", ratio[rounds / 2]);
    out.report(name + "/beside_linked", speed[rounds / 2], "tx/s", ratio_linked[rounds / 2]);
}

// The yardstick is CometBFT's own kvstore, which checks no signature: as a program behind the same kind of socket, and
// linked into CometBFT, where it needs none. What waits is checked again after each block, over the socket; a ledger does
// not need that, since its own pool lets go what a block made useless.
suite const throughput{"abci/network", [](run& out) {
                           side_by_side(out, "abci/network/4", true);
                           side_by_side(out, "abci/network/4_no_recheck", false);
                       }};

}  // namespace
