// SPDX-License-Identifier: Apache-2.0
#include <blendr/abci/server.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <exception>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>

namespace blendr::abci {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using socket = asio::generic::stream_protocol::socket;

constexpr std::size_t read_bytes = std::size_t{256} << 10;

/// One connection and its thread. The thread ends when the other side closes or `shut` is called.
class connection {
public:
    connection(socket to, service& by) : socket_{std::move(to)}, session_{by}
    {
        thread_ = std::thread{[this] { run(); }};
    }
    ~connection()
    {
        shut();
        thread_.join();
    }
    connection(connection const&) = delete;
    connection& operator=(connection const&) = delete;

    void shut() noexcept { ::shutdown(socket_.native_handle(), SHUT_RDWR); }
    bool done() const noexcept { return done_; }

private:
    void run() noexcept
    {
        try {
            serve();
        } catch (std::exception const&) {
            // no memory for this connection's bytes: it closes, the others go on
        }
        shut();
        done_ = true;
    }

    void serve()
    {
        error_code failed{};
        bytes in(read_bytes);
        bytes out{};
        while (!failed) {
            auto const got = socket_.read_some(asio::buffer(in), failed);
            if (failed) break;
            auto how = session_.receive({in.data(), got}, out);
            for (;;) {
                if (!out.empty()) asio::write(socket_, asio::buffer(out), failed);
                out.clear();
                if (failed || how != session::state_of::full) break;
                how = session_.receive({}, out);
            }
            if (how == session::state_of::broken) break;
            if (out.capacity() > 4 * session::out_bytes_max) out = {};
        }
    }

    socket socket_;
    session session_;
    std::thread thread_;
    std::atomic<bool> done_ = false;
};

result<asio::ip::tcp::endpoint, std::string> parse_tcp(std::string_view where)
{
    auto const colon = where.rfind(':');
    if (colon == std::string_view::npos) return fail{std::string{"an address needs a port"}};
    auto host = where.substr(0, colon);
    auto const digits = where.substr(colon + 1);
    std::uint16_t port = 0;
    auto const [end, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (bad != std::errc{} || end != digits.data() + digits.size())
        return fail{std::string{"the port is no number below 65536"}};
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    error_code failed{};
    auto const ip = asio::ip::make_address(std::string{host}, failed);
    if (failed) return fail{std::string{"the host is no IP address"}};
    return asio::ip::tcp::endpoint{ip, port};
}

/// A socket's file that nobody listens on any more goes; anything else stays where it is.
void remove_stale(std::string const& path)
{
    struct stat found{};
    if (::stat(path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return;
    asio::io_context context;
    asio::local::stream_protocol::socket probe{context};
    error_code failed{};
    probe.connect(asio::local::stream_protocol::endpoint{path}, failed);
    if (failed == asio::error::connection_refused) ::unlink(path.c_str());
}

}  // namespace

struct endpoint::state {
    using acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;

    explicit state(service& to) : by{to} {}
    ~state()
    {
        closing = true;
        if (accepting.native_handle() >= 0) ::shutdown(accepting.native_handle(), SHUT_RDWR);
        if (thread.joinable()) thread.join();
        std::lock_guard const lock{mutex};
        for (auto& each : all) each.shut();
        all.clear();
        if (!path.empty()) ::unlink(path.c_str());
    }

    void open(asio::generic::stream_protocol::endpoint const& at)
    {
        accepting.open(at.protocol());
        if (path.empty()) accepting.set_option(asio::socket_base::reuse_address{true});
        accepting.bind(at);
        accepting.listen();
    }

    void run() noexcept
    {
        while (!closing) {
            error_code failed{};
            socket next{context};
            accepting.accept(next, failed);
            if (closing) return;
            if (failed == asio::error::no_descriptors) {
                std::this_thread::sleep_for(std::chrono::milliseconds{100});
                continue;
            }
            if (failed) continue;
            if (path.empty()) next.set_option(asio::ip::tcp::no_delay{true}, failed);
            std::lock_guard const lock{mutex};
            all.remove_if([](connection const& each) { return each.done(); });
            if (all.size() < connections_max) all.emplace_back(std::move(next), by);
        }
    }

    service& by;
    asio::io_context context{};
    acceptor accepting{context};
    std::string address{};
    std::string path{};
    std::atomic<bool> closing = false;
    std::mutex mutex{};
    std::list<connection> all{};
    std::thread thread{};
};

endpoint::endpoint() = default;
endpoint::~endpoint() = default;

result<std::unique_ptr<endpoint>, std::string> endpoint::listen(std::string_view where, service& by)
{
    constexpr std::string_view tcp = "tcp://";
    constexpr std::string_view local = "unix://";
    std::unique_ptr<endpoint> out{new endpoint};
    out->state_ = std::make_unique<state>(by);
    auto& s = *out->state_;
    auto const refused = [&](std::string why) {
        return fail{"cannot listen on " + std::string{where} + ": " + std::move(why)};
    };
    try {
        if (where.starts_with(tcp)) {
            auto const at = parse_tcp(where.substr(tcp.size()));
            if (!at) return refused(at.error());
            s.open(*at);
            auto const bound = s.accepting.local_endpoint();
            asio::ip::tcp::endpoint got{};
            got.resize(bound.size());
            std::memcpy(got.data(), bound.data(), bound.size());
            s.address = std::string{tcp} + (got.address().is_v6() ? "[" : "") +
                        got.address().to_string() + (got.address().is_v6() ? "]:" : ":") +
                        std::to_string(got.port());
        } else if (where.starts_with(local) && where.size() > local.size()) {
            std::string const path{where.substr(local.size())};
            remove_stale(path);
            s.open(asio::local::stream_protocol::endpoint{path});
            s.path = path;
            s.address = where;
        } else {
            return refused("an address begins with tcp:// or unix://");
        }
    } catch (boost::system::system_error const& e) {
        s.path.clear();
        return refused(e.code().message());
    }
    s.thread = std::thread{[&s] { s.run(); }};
    return out;
}

std::string const& endpoint::address() const noexcept { return state_->address; }

std::size_t endpoint::connections() const
{
    std::lock_guard const lock{state_->mutex};
    return static_cast<std::size_t>(
        std::count_if(state_->all.begin(), state_->all.end(),
                      [](connection const& each) { return !each.done(); }));
}

}  // namespace blendr::abci
