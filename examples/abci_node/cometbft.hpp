// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/crypto/identity.hpp>

/// CometBFT as a program that somebody installed: its files, its processes, its RPC.
namespace cometbft {

namespace fs = std::filesystem;

/// The program: what COMETBFT names, else what lies in PATH or in Go's own directory. Empty where there is none.
fs::path find();

std::string to_base64(blendr::bytes_view raw);
blendr::bytes from_base64(std::string_view text);

/// TCP ports of the loopback that nobody uses at the moment.
std::vector<std::uint16_t> free_ports(std::size_t count);

/// A program in the background. It dies with the thread that started it, and with this object.
class process {
public:
    process() = default;
    process(std::vector<std::string> const& command, fs::path const& log);
    ~process() { stop(9); }
    process(process&& other) noexcept : pid_{std::exchange(other.pid_, 0)} {}
    process& operator=(process&& other) noexcept
    {
        std::swap(pid_, other.pid_);
        return *this;
    }

    bool running();
    /// Sends the signal and waits until it is gone.
    void stop(int signal);

private:
    pid_t pid_ = 0;
};

/// What `state sync` trusts.
struct trust {
    std::vector<std::uint16_t> rpc{};
    std::uint64_t height{};
    std::string hash{};
};

/// One node's home directory.
struct home {
    fs::path directory{};
    blendr::crypto::identity validator;
    blendr::crypto::identity peer;
    std::uint16_t rpc{};
    std::uint16_t p2p{};
    std::string proxy_app{};  ///< an address, or the name of an application inside
    std::vector<std::string> peers{};
    std::optional<trust> sync{};
    std::string timeout_commit = "20ms";
    std::size_t pool = 5'000;
    bool recheck = true;  ///< of everything that waits, after each block

    /// "id@127.0.0.1:port": how others find it.
    std::string contact() const;
    /// Writes keys, configuration and the genesis file.
    void write(std::string const& genesis) const;
    std::vector<std::string> command(fs::path const& program) const;
};

/// A genesis file around an application's own state.
std::string genesis(std::string_view chain, std::string_view app_state,
                    std::vector<blendr::crypto::public_key> const& validators = {});

/// JSON-RPC over one connection that is kept, and made again when it is lost.
class rpc {
public:
    explicit rpc(std::uint16_t port) : port_{port} {}
    ~rpc();
    rpc(rpc&& other) noexcept
        : port_{other.port_},
          fd_{std::exchange(other.fd_, -1)},
          held_{std::move(other.held_)}
    {}

    /// The result; none when the node does not answer, or answers with an error.
    std::optional<boost::json::value> call(std::string_view method,
                                           boost::json::object params = {});
    /// Many transactions in one request, without waiting for their check. False: not answered.
    bool broadcast(std::vector<blendr::bytes> const& txs);

    std::uint64_t height();  ///< 0 while it does not answer
    bool catching_up();

private:
    std::optional<std::string> post(std::string const& body);
    std::optional<std::string> exchange(std::string const& request);
    bool connect();

    std::uint16_t port_;
    int fd_ = -1;
    std::string held_{};
};

/// Waits until it holds, looking again and again. False: the time is over.
bool wait_for(std::chrono::milliseconds longest, std::function<bool()> const& holds);

/// Milliseconds since 1970 of a time as JSON has it.
std::int64_t parse_time(std::string_view text);

}  // namespace cometbft
