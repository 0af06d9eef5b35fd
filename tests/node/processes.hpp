// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <blendr/core/json.hpp>
#include <blendr/net/http.hpp>

/// Real processes on loopback, which die with the test.
namespace blendr::test {

namespace fs = std::filesystem;

inline fs::path program(std::string const& name) { return fs::path{BLENDR_BIN_DIR} / name; }

class process {
public:
    process() = default;
    /// `before` runs in the new process, ahead of the program.
    process(std::vector<std::string> const& command, fs::path const& log,
            std::function<void()> const& before = {})
    {
        pid_ = ::fork();
        if (pid_ != 0) return;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (before) before();
        int const out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ::dup2(out, 1);
        ::dup2(out, 2);
        std::vector<char*> argv{};
        for (auto const& each : command) argv.push_back(const_cast<char*>(each.c_str()));
        argv.push_back(nullptr);
        ::execvp(argv[0], argv.data());
        ::_exit(127);
    }
    ~process() { kill(); }
    process(process&& other) noexcept : pid_{std::exchange(other.pid_, -1)} {}
    process& operator=(process&& other) noexcept
    {
        kill();
        pid_ = std::exchange(other.pid_, -1);
        return *this;
    }

    bool running() const { return pid_ > 0; }
    pid_t id() const { return pid_; }
    void kill()
    {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }
    /// Asks it to end; its exit status, or nothing when it did not within the time.
    std::optional<int> finish(std::int64_t ms = 20'000)
    {
        if (pid_ <= 0) return std::nullopt;
        ::kill(pid_, SIGTERM);
        return join(ms);
    }
    std::optional<int> join(std::int64_t ms)
    {
        for (std::int64_t waited = 0; waited < ms; waited += 20) {
            int status = 0;
            if (::waitpid(pid_, &status, WNOHANG) == pid_) {
                pid_ = -1;
                return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            }
            std::this_thread::sleep_for(std::chrono::milliseconds{20});
        }
        return std::nullopt;
    }
    /// Resident memory, in bytes.
    std::uint64_t resident() const
    {
        std::ifstream in{"/proc/" + std::to_string(pid_) + "/statm"};
        std::uint64_t all = 0, here = 0;
        in >> all >> here;
        return here * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    }

private:
    pid_t pid_ = -1;
};

/// A port from which `count` in a row were free a moment ago.
inline std::uint16_t free_ports(std::uint16_t count)
{
    auto const free = [](std::uint16_t port) {
        int const fd = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(port);
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        bool const good = ::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0;
        ::close(fd);
        return good;
    };
    // Tests that begin together have neighbouring ids: far apart all the same.
    auto start = static_cast<std::uint16_t>(20'000 + ::getpid() * 97 % 10'000);
    for (;; start = static_cast<std::uint16_t>(start + count)) {
        bool all = true;
        for (std::uint16_t i = 0; i < count && all; ++i)
            all = free(static_cast<std::uint16_t>(start + i));
        if (all) return start;
    }
}

/// N validators of one chain, each a process of its own.
class devnet {
public:
    devnet(fs::path dir, unsigned count, std::string const& engine,
           std::vector<std::string> settings = {})
        : dir_{std::move(dir)},
          nodes_(count)
    {
        port_ = free_ports(static_cast<std::uint16_t>(2 * count + 4));
        std::vector<std::string> command{program("fullnode"),
                                         "network",
                                         "--dir",
                                         dir_,
                                         "--validators",
                                         std::to_string(count),
                                         "--port",
                                         std::to_string(port_),
                                         "--consensus",
                                         engine};
        command.insert(command.end(), settings.begin(), settings.end());
        process made{command, dir_.string() + ".log"};
        good_ = made.join(60'000) == 0;
    }
    bool good() const { return good_; }
    void start(unsigned i, std::vector<std::string> const& flags = {},
               std::vector<std::string> const& as = {program("fullnode")})
    {
        auto command = as;
        command.insert(command.end(), {"run", "--home", home(i), "--log.level", "warning"});
        command.insert(command.end(), flags.begin(), flags.end());
        nodes_[i] =
            process{command, log(i), before_ ? [&] { before_(i); } : std::function<void()>{}};
        if (after_) after_(i, nodes_[i]);
    }
    /// What is done in each node's process ahead of the program, and beside it in this one.
    void around(std::function<void(unsigned)> before, std::function<void(unsigned, process&)> after)
    {
        before_ = std::move(before);
        after_ = std::move(after);
    }
    /// Puts each node at an address of its own; before any is started.
    void move_to(std::function<std::string(unsigned)> host)
    {
        host_ = std::move(host);
        for (unsigned i = 0; i < size(); ++i) {
            auto const path = home(i) / "config.json";
            std::ifstream in{path};
            std::string text{std::istreambuf_iterator<char>{in}, {}};
            for (unsigned k = 0; k < size(); ++k)
                for (auto const port : {p2p_port(k), p2p_port(k) + 1}) {
                    auto const from = "127.0.0.1:" + std::to_string(port);
                    auto const to = host_(k) + ':' + std::to_string(port);
                    for (auto at = text.find(from); at != std::string::npos;
                         at = text.find(from, at + to.size()))
                        text.replace(at, from.size(), to);
                }
            std::ofstream{path} << text;
        }
    }
    int p2p_port(unsigned i) const { return port_ + 2 * (static_cast<int>(i) + 1); }
    void start()
    {
        for (unsigned i = 0; i < nodes_.size(); ++i) start(i);
    }
    process& at(unsigned i) { return nodes_[i]; }
    unsigned size() const { return static_cast<unsigned>(nodes_.size()); }
    fs::path home(unsigned i) const { return dir_ / ("node" + std::to_string(i + 1)); }
    fs::path log(unsigned i) const { return dir_ / ("node" + std::to_string(i + 1) + ".log"); }
    fs::path const& dir() const { return dir_; }
    std::string rpc(unsigned i) const
    {
        return (host_ ? host_(i) : "127.0.0.1") + ':' + std::to_string(p2p_port(i) + 1);
    }

    /// A call's result; nothing when there is no answer, or an error.
    std::optional<boost::json::value> call(unsigned i, std::string const& method,
                                           std::string const& params = "[]") const
    {
        auto const got = net::http_ask(rpc(i), "POST", "/",
                                       R"({"jsonrpc":"2.0","id":1,"method":")" + method +
                                           R"(","params":)" + params + "}",
                                       3'000);
        if (!got) return std::nullopt;
        auto const read = parse_json(got->body);
        if (!read || !read->is_object() || !read->get_object().contains("result"))
            return std::nullopt;
        return read->at("result");
    }
    std::uint64_t height_of(unsigned i) const
    {
        auto const s = call(i, "status");
        return s ? s->at("last").to_number<std::uint64_t>() : 0;
    }
    /// What the node says the chain was after a block: the next header's roots, as text.
    std::string block_text(unsigned i, std::uint64_t at) const
    {
        auto const b = call(i, "block", "[" + std::to_string(at) + "]");
        return b ? to_text(b->at("header")) : std::string{};
    }

private:
    fs::path dir_;
    std::vector<process> nodes_;
    std::function<std::string(unsigned)> host_{};
    std::function<void(unsigned)> before_{};
    std::function<void(unsigned, process&)> after_{};
    std::uint16_t port_ = 0;
    bool good_ = false;
};

}  // namespace blendr::test
