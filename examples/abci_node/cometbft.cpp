// SPDX-License-Identifier: Apache-2.0
#include "cometbft.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <blendr/abci/validators.hpp>

namespace cometbft {

using blendr::bytes;
using blendr::bytes_view;
using namespace std::chrono_literals;
namespace json = boost::json;

namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void write_file(fs::path const& path, std::string const& text)
{
    std::ofstream out{path, std::ios::binary | std::ios::trunc};
    out << text;
    if (!out.flush()) throw std::runtime_error{"cannot write " + path.string()};
}

std::string upper_hex(bytes_view raw)
{
    auto out = blendr::to_hex(raw);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
    return out;
}

json::object public_part(blendr::crypto::public_key const& key)
{
    return {{"type", "tendermint/PubKeyEd25519"}, {"value", to_base64(key.raw())}};
}

json::object private_part(blendr::crypto::identity const& of)
{
    auto both = blendr::to_bytes(of.key().expose_seed());
    auto const key = of.self().raw();
    both.insert(both.end(), key.begin(), key.end());
    return {{"type", "tendermint/PrivKeyEd25519"}, {"value", to_base64(both)}};
}

}  // namespace

fs::path find()
{
    auto const good = [](fs::path const& p) { return ::access(p.c_str(), X_OK) == 0; };
    if (auto const* named = std::getenv("COMETBFT"); named != nullptr && *named != 0)
        return good(named) ? fs::path{named} : fs::path{};
    std::vector<fs::path> places{};
    if (auto const* path = std::getenv("PATH")) {
        std::string_view rest{path};
        while (!rest.empty()) {
            auto const end = std::min(rest.find(':'), rest.size());
            places.emplace_back(rest.substr(0, end));
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
    }
    if (auto const* go = std::getenv("GOBIN")) places.emplace_back(go);
    if (auto const* go = std::getenv("GOPATH")) places.push_back(fs::path{go} / "bin");
    if (auto const* own = std::getenv("HOME")) places.push_back(fs::path{own} / "go/bin");
    for (auto const& each : places)
        if (good(each / "cometbft")) return each / "cometbft";
    return {};
}

std::string to_base64(bytes_view raw)
{
    std::string out{};
    out.reserve((raw.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < raw.size(); i += 3) {
        std::uint32_t three = 0;
        for (std::size_t k = 0; k < 3; ++k)
            three =
                three << 8 | (i + k < raw.size() ? std::to_integer<std::uint32_t>(raw[i + k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k)
            out += i + k > raw.size() ? '=' : alphabet[three >> (18 - 6 * k) & 63];
    }
    return out;
}

bytes from_base64(std::string_view text)
{
    bytes out{};
    std::uint32_t held = 0;
    int bits = 0;
    for (char const c : text) {
        auto const at = alphabet.find(c);
        if (at == std::string_view::npos) break;
        held = held << 6 | static_cast<std::uint32_t>(at);
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        out.push_back(static_cast<std::byte>(held >> bits));
    }
    return out;
}

std::vector<std::uint16_t> free_ports(std::size_t count)
{
    std::vector<int> open{};
    std::vector<std::uint16_t> out{};
    for (std::size_t i = 0; i < count; ++i) {
        int const fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        if (::bind(fd, reinterpret_cast<sockaddr*>(&at), size) != 0 ||
            ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) != 0)
            throw std::runtime_error{"no port is free"};
        open.push_back(fd);
        out.push_back(ntohs(at.sin_port));
    }
    for (int const fd : open) ::close(fd);
    return out;
}

process::process(std::vector<std::string> const& command, fs::path const& log)
{
    std::vector<char*> words{};
    for (auto const& each : command) words.push_back(const_cast<char*>(each.c_str()));
    words.push_back(nullptr);
    auto const parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error{"cannot start " + command[0]};
    if (pid_ > 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    int const out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    int const in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(in, 0);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::execv(words[0], words.data());
    ::_exit(127);
}

bool process::running()
{
    if (pid_ <= 0) return false;
    if (::waitpid(pid_, nullptr, WNOHANG) == 0) return true;
    pid_ = 0;
    return false;
}

void process::stop(int signal)
{
    if (pid_ <= 0) return;
    ::kill(pid_, signal);
    if (!wait_for(signal == SIGKILL ? 60s : 10s, [&] { return !running(); })) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    pid_ = 0;
}

std::string home::contact() const
{
    return blendr::to_hex(blendr::abci::short_address_of(peer.self())) +
           "@127.0.0.1:" + std::to_string(p2p);
}

void home::write(std::string const& genesis_file) const
{
    fs::create_directories(directory / "config");
    fs::create_directories(directory / "data");
    auto const address = upper_hex(blendr::abci::short_address_of(validator.self()));
    write_file(directory / "config/priv_validator_key.json",
               json::serialize(json::object{{"address", address},
                                            {"pub_key", public_part(validator.self())},
                                            {"priv_key", private_part(validator)}}));
    if (auto const state = directory / "data/priv_validator_state.json"; !fs::exists(state))
        write_file(state, R"({"height": "0", "round": 0, "step": 0})");
    write_file(directory / "config/node_key.json",
               json::serialize(json::object{{"priv_key", private_part(peer)}}));
    write_file(directory / "config/genesis.json", genesis_file);

    auto const quoted = [](std::string const& text) { return "\"" + text + "\"\n"; };
    std::string all{};
    for (auto const& each : peers) all += (all.empty() ? "" : ",") + each;
    std::string toml{};
    toml += "proxy_app = " + quoted(proxy_app);
    toml += "moniker = " + quoted(directory.filename().string());
    toml += "log_level = \"*:error,state:info,statesync:info\"\n";
    toml += "[rpc]\nladdr = " + quoted("tcp://127.0.0.1:" + std::to_string(rpc));
    toml += "max_request_batch_size = 10000\nmax_body_bytes = 20000000\n";
    toml += "[p2p]\nladdr = " + quoted("tcp://127.0.0.1:" + std::to_string(p2p));
    toml += "persistent_peers = " + quoted(all);
    toml += "addr_book_strict = false\nallow_duplicate_ip = true\npex = false\n";
    toml += "flush_throttle_timeout = \"5ms\"\nsend_rate = 51200000\nrecv_rate = 51200000\n";
    toml += "[mempool]\nsize = " + std::to_string(pool) +
            "\ncache_size = " + std::to_string(4 * pool) + "\n";
    toml += std::string{"recheck = "} + (recheck ? "true\n" : "false\n");
    toml += "[consensus]\ntimeout_propose = \"1s\"\ntimeout_commit = " + quoted(timeout_commit);
    toml += "peer_gossip_sleep_duration = \"5ms\"\npeer_query_maj23_sleep_duration = \"250ms\"\n";
    toml += "[tx_index]\nindexer = \"null\"\n";
    if (sync) {
        std::string servers{};
        for (auto const port : sync->rpc)
            servers += (servers.empty() ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(port);
        toml += "[statesync]\nenable = true\nrpc_servers = " + quoted(servers);
        toml += "trust_height = " + std::to_string(sync->height) + "\n";
        toml += "trust_hash = " + quoted(sync->hash);
        toml += "trust_period = \"168h0m0s\"\ndiscovery_time = \"5s\"\n";
    }
    write_file(directory / "config/config.toml", toml);
}

std::vector<std::string> home::command(fs::path const& program) const
{
    return {program.string(), "start", "--home", directory.string()};
}

std::string genesis(std::string_view chain, std::string_view app_state,
                    std::vector<blendr::crypto::public_key> const& validators)
{
    // a little in the past: the first block's time is this one
    auto const now = std::time(nullptr) - 2;
    std::array<char, 32> time{};
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    std::strftime(time.data(), time.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    json::array votes{};
    for (auto const& each : validators)
        votes.push_back(json::object{{"address", upper_hex(blendr::abci::short_address_of(each))},
                                     {"pub_key", public_part(each)},
                                     {"power", "10"},
                                     {"name", ""}});
    json::object const params{{"block", {{"max_bytes", "4194304"}, {"max_gas", "-1"}}},
                              {"evidence",
                               {{"max_age_num_blocks", "100000"},
                                {"max_age_duration", "172800000000000"},
                                {"max_bytes", "1048576"}}},
                              {"validator", {{"pub_key_types", json::array{"ed25519"}}}},
                              {"version", {{"app", "1"}}},
                              {"abci", {{"vote_extensions_enable_height", "0"}}}};
    json::object whole{{"genesis_time", time.data()},    {"chain_id", chain},
                       {"initial_height", "1"},          {"consensus_params", params},
                       {"validators", std::move(votes)}, {"app_hash", ""}};
    if (!app_state.empty()) whole["app_state"] = json::parse(app_state);
    return json::serialize(whole);
}

rpc::~rpc()
{
    if (fd_ >= 0) ::close(fd_);
}

bool rpc::connect()
{
    if (fd_ >= 0) return true;
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port_);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    timeval const patience{15, 0};
    int const on = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    held_.clear();
    if (::connect(fd_, reinterpret_cast<sockaddr const*>(&to), sizeof to) == 0) return true;
    ::close(std::exchange(fd_, -1));
    return false;
}

/// One request and its answer's body. None: the connection is gone.
std::optional<std::string> rpc::exchange(std::string const& request)
{
    for (std::string_view rest{request}; !rest.empty();) {
        auto const sent = ::send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent <= 0) return std::nullopt;
        rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    auto const more = [&] {
        std::array<char, 65536> raw{};
        auto const got = ::recv(fd_, raw.data(), raw.size(), 0);
        if (got > 0) held_.append(raw.data(), static_cast<std::size_t>(got));
        return got > 0;
    };
    auto const take = [&](std::size_t size) -> std::optional<std::string> {
        while (held_.size() < size)
            if (!more()) return std::nullopt;
        auto out = held_.substr(0, size);
        held_.erase(0, size);
        return out;
    };
    auto const line = [&]() -> std::optional<std::string> {
        for (;;) {
            if (auto const end = held_.find("\r\n"); end != std::string::npos) {
                auto out = take(end + 2);
                out->resize(end);
                return out;
            }
            if (!more()) return std::nullopt;
        }
    };
    auto const number = [](std::string_view text, int base) {
        while (text.starts_with(' ')) text.remove_prefix(1);
        std::size_t out = 0;
        std::from_chars(text.data(), text.data() + text.size(), out, base);
        return out;
    };
    std::size_t length = 0;
    bool chunked = false;
    if (!line()) return std::nullopt;
    for (;;) {
        auto head = line();
        if (!head) return std::nullopt;
        if (head->empty()) break;
        std::transform(head->begin(), head->end(), head->begin(),
                       [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
        if (head->starts_with("content-length:")) length = number(head->substr(15), 10);
        if (head->starts_with("transfer-encoding:")) chunked = true;
    }
    if (!chunked) return take(length);
    std::string body{};
    for (;;) {
        auto const size = line();
        if (!size) return std::nullopt;
        auto const count = number(*size, 16);
        auto const part = take(count + 2);
        if (!part) return std::nullopt;
        if (count == 0) return body;
        body.append(*part, 0, count);
    }
}

std::optional<std::string> rpc::post(std::string const& body)
{
    auto const request = "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                         "Content-Length: " +
                         std::to_string(body.size()) + "\r\n\r\n" + body;
    for (int attempt = 0; attempt < 2; ++attempt) {
        if (!connect()) return std::nullopt;
        auto out = exchange(request);
        if (out) return out;
        ::close(std::exchange(fd_, -1));
    }
    return std::nullopt;
}

std::optional<json::value> rpc::call(std::string_view method, json::object params)
{
    auto const body = post(json::serialize(json::object{
        {"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", std::move(params)}}));
    if (!body) return std::nullopt;
    boost::system::error_code bad{};
    auto const said = json::parse(*body, bad);
    if (bad || !said.is_object()) return std::nullopt;
    auto const* result = said.as_object().if_contains("result");
    return result != nullptr ? std::optional{*result} : std::nullopt;
}

bool rpc::broadcast(std::vector<bytes> const& txs)
{
    std::string body = "[";
    for (auto const& each : txs) {
        if (body.size() > 1) body += ',';
        body += R"({"jsonrpc":"2.0","id":1,"method":"broadcast_tx_async","params":{"tx":")" +
                to_base64(each) + "\"}}";
    }
    auto const said = post(body + "]");
    return said && said->find("\"error\"") == std::string::npos;
}

std::uint64_t rpc::height()
{
    auto const said = call("status");
    if (!said) return 0;
    auto const& text = said->at("sync_info").at("latest_block_height").as_string();
    return std::strtoull(text.c_str(), nullptr, 10);
}

bool rpc::catching_up()
{
    auto const said = call("status");
    return !said || said->at("sync_info").at("catching_up").as_bool();
}

bool wait_for(std::chrono::milliseconds longest, std::function<bool()> const& holds)
{
    auto const end = std::chrono::steady_clock::now() + longest;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(20ms);
    }
    return true;
}

std::int64_t parse_time(std::string_view text)
{
    auto const part = [&](std::size_t at, std::size_t size) {
        int out = 0;
        std::from_chars(text.data() + at, text.data() + at + size, out);
        return out;
    };
    using namespace std::chrono;
    auto const day = sys_days{year{part(0, 4)} / month{static_cast<unsigned>(part(5, 2))} /
                              std::chrono::day{static_cast<unsigned>(part(8, 2))}};
    auto const seconds = std::chrono::seconds{day.time_since_epoch()}.count() + part(11, 2) * 3600 +
                         part(14, 2) * 60 + part(17, 2);
    std::int64_t ms = 0;
    std::int64_t unit = 100;
    for (std::size_t i = 20; i < text.size() && unit > 0 && text[i] >= '0' && text[i] <= '9'; ++i) {
        ms += (text[i] - '0') * unit;
        unit /= 10;
    }
    return seconds * 1000 + ms;
}

}  // namespace cometbft
