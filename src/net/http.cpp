// SPDX-License-Identifier: Apache-2.0
#include <blendr/net/http.hpp>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

#include <blendr/net/book.hpp>
#include <blendr/net/websocket.hpp>

namespace blendr::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

class http_session;
class socket_session;

bool is_loopback_host(std::string_view host)
{
    if (auto const colon = host.rfind(':');
        colon != host.npos && host.find(']', colon) == host.npos)
        host = host.substr(0, colon);
    if (host == "localhost") return true;
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    error_code no_address;
    auto const address = asio::ip::make_address(std::string{host}, no_address);
    return !no_address && address.is_loopback();
}

/// Whether a browser may do more than look: from a page of this server, or of an origin that was allowed.
bool may_act(http_options const& o, std::string_view origin, std::string_view host)
{
    if (origin.empty() || o.cors == "*" || origin == o.cors) return true;
    auto const behind = origin.find("://");
    auto const scheme = origin.substr(0, behind);
    return !host.empty() && behind != origin.npos && (scheme == "http" || scheme == "https") &&
           origin.substr(behind + 3) == host;
}

bool may_name(http_options const& o, std::string_view host)
{
    if (!o.named_locally || host.empty() || o.cors == "*" || is_loopback_host(host)) return true;
    return o.cors == "http://" + std::string{host} || o.cors == "https://" + std::string{host};
}

}  // namespace

struct http_server::state : std::enable_shared_from_this<http_server::state> {
    state(http_options o, http_handler& w)
        : options{std::move(o)},
          handler{w},
          io{static_cast<int>(options.threads + (options.lends ? 1 : 0))},
          acceptor{io}
    {}

    void accept();
    void stop();

    http_options options;
    http_handler& handler;
    asio::io_context io;
    tcp::acceptor acceptor;
    std::vector<std::thread> threads{};
    std::atomic<bool> stopped{false};
    std::atomic<std::size_t> open{0};
    std::atomic<std::size_t> large{0};
    std::atomic<std::uint64_t> requests{0}, connections{0}, refused{0}, dropped{0}, texts{0},
        writes{0};

    std::mutex mutex{};
    std::map<socket_id, std::weak_ptr<socket_session>> sockets{};
    std::map<void*, std::weak_ptr<http_session>> sessions{};
    socket_id last_socket = 0;
};

namespace {

/// A WebSocket connection after the upgrade: our own framing, so that many texts leave in one write.
class socket_session : public std::enable_shared_from_this<socket_session> {
public:
    socket_session(std::shared_ptr<http_server::state> owner, tcp::socket s, socket_id id)
        : owner_{std::move(owner)},
          socket_{std::move(s)},
          silence_{socket_.get_executor()},
          id_{id},
          parser_{owner_->options.text_bytes_max}
    {}

    void begin(std::string_view already)
    {
        parser_.feed(already);
        watch();
        if (drain()) read();
    }

    bool push(std::string_view text)
    {
        bool start = false;
        {
            std::lock_guard const lock{mutex_};
            if (closed_) return false;
            if (waiting_.size() + text.size() > owner_->options.unsent_bytes_max) {
                ++owner_->dropped;
                closed_ = true;
                asio::post(socket_.get_executor(), [self = shared_from_this()] { self->close(); });
                return false;
            }
            websocket::append_frame(waiting_, websocket::opcode::text, text);
            ++owner_->texts;
            start = !std::exchange(writing_, true);
        }
        if (start)
            asio::post(socket_.get_executor(), [self = shared_from_this()] { self->write(); });
        return true;
    }

    void shut()
    {
        asio::post(socket_.get_executor(), [self = shared_from_this()] { self->close(); });
    }

private:
    void watch()
    {
        silence_.expires_after(std::chrono::milliseconds{owner_->options.idle_ms});
        silence_.async_wait([self = shared_from_this()](error_code cancelled) {
            if (cancelled || self->over_) return;
            if (!std::exchange(self->heard_, false)) return self->close();
            self->control(websocket::opcode::ping, {});
            self->watch();
        });
    }

    void read()
    {
        socket_.async_read_some(asio::buffer(buffer_),
                                [self = shared_from_this()](error_code failed, std::size_t n) {
                                    if (failed || self->over_) return self->close();
                                    self->heard_ = true;
                                    self->parser_.feed({self->buffer_.data(), n});
                                    if (self->drain()) self->read();
                                });
    }

    bool drain()
    {
        websocket::incoming m{};
        for (;;) {
            auto const got = parser_.next(m);
            if (!got) return bye(got.error());
            if (!*got) return true;
            switch (m.what) {
            case websocket::opcode::close:
                return bye(websocket::close_code::normal);
            case websocket::opcode::ping:
                control(websocket::opcode::pong, m.payload);
                break;
            case websocket::opcode::text:
                if (auto const answer = owner_->handler.on_text(id_, m.payload); !answer.empty())
                    push(answer);
                break;
            default:
                break;
            }
        }
    }

    void control(websocket::opcode what, std::string_view payload)
    {
        bool start = false;
        {
            std::lock_guard const lock{mutex_};
            if (closed_ || waiting_.size() > owner_->options.unsent_bytes_max) return;
            websocket::append_frame(waiting_, what, payload);
            start = !std::exchange(writing_, true);
        }
        if (start) write();
    }

    bool bye(websocket::close_code why)
    {
        auto const code = static_cast<unsigned>(why);
        std::string const payload{static_cast<char>(code >> 8), static_cast<char>(code)};
        control(websocket::opcode::close, payload);
        ending_ = true;
        std::lock_guard const lock{mutex_};
        closed_ = true;
        return false;
    }

    void write()
    {
        {
            std::lock_guard const lock{mutex_};
            if (waiting_.empty() || over_) {
                writing_ = false;
                if (!ending_) return;
            } else {
                sending_.clear();
                sending_.swap(waiting_);
            }
        }
        if (ending_ && sending_.empty()) return close();
        ++owner_->writes;
        asio::async_write(socket_, asio::buffer(sending_),
                          [self = shared_from_this()](error_code failed, std::size_t) {
                              self->sending_.clear();
                              if (failed) return self->close();
                              self->write();
                          });
    }

    void close()
    {
        if (std::exchange(over_, true)) return;
        {
            std::lock_guard const lock{mutex_};
            closed_ = true;
            waiting_.clear();
        }
        error_code ignored;
        socket_.shutdown(tcp::socket::shutdown_both, ignored);
        socket_.close(ignored);
        silence_.cancel();
        {
            std::lock_guard const lock{owner_->mutex};
            owner_->sockets.erase(id_);
        }
        --owner_->open;
        owner_->handler.on_closed(id_);
    }

    std::shared_ptr<http_server::state> owner_;
    tcp::socket socket_;
    asio::steady_timer silence_;
    socket_id id_;
    websocket::parser parser_;
    std::array<char, 16384> buffer_{};
    bool heard_ = true;
    bool over_ = false;
    bool ending_ = false;

    std::mutex mutex_{};
    std::string waiting_{};
    std::string sending_{};
    bool writing_ = false;
    bool closed_ = false;
};

class http_session : public std::enable_shared_from_this<http_session> {
public:
    http_session(std::shared_ptr<http_server::state> owner, tcp::socket s)
        : owner_{std::move(owner)},
          stream_{std::move(s)}
    {}

    ~http_session()
    {
        {
            std::lock_guard const lock{owner_->mutex};
            owner_->sessions.erase(this);
        }
        release();
        if (!moved_) --owner_->open;
    }

    void begin()
    {
        {
            std::lock_guard const lock{owner_->mutex};
            owner_->sessions.emplace(this, weak_from_this());
        }
        read();
    }

    beast::tcp_stream::executor_type executor() { return stream_.get_executor(); }
    void shut()
    {
        asio::post(stream_.get_executor(), [self = shared_from_this()] { self->stream_.close(); });
    }

private:
    void read()
    {
        if (owner_->stopped) return stream_.close();
        release();
        head_only_ = false;
        parser_.emplace();
        parser_->eager(true);  // a small body comes with its head
        parser_->body_limit(boost::none);
        parser_->header_limit(static_cast<std::uint32_t>(owner_->options.header_bytes_max));
        auto const limit = first_ ? owner_->options.request_ms : owner_->options.idle_ms;
        stream_.expires_after(std::chrono::milliseconds{limit});
        http::async_read_header(
            stream_, buffer_, *parser_,
            [self = shared_from_this()](error_code failed, std::size_t) { self->look(failed); });
    }

    /// The head is there: how long may the rest be?
    void look(error_code failed)
    {
        if (failed) return take(failed);
        auto const& in = parser_->get();
        auto const& o = owner_->options;
        auto const method = in.method_string();
        std::string_view const target{in.target().data(), in.target().size()};
        auto const own = owner_->handler.body_bytes_max({method.data(), method.size()},
                                                        target.substr(0, target.find('?')));
        auto const length = parser_->content_length();
        auto const most = own > o.body_bytes_max && length ? own : o.body_bytes_max;
        if ((length && *length > most) || in.body().size() > most)
            return take(http::error::body_limit);
        if (length && *length > o.body_bytes_max && !reserve(static_cast<std::size_t>(*length)))
            return busy();
        if (parser_->is_done()) return take({});
        parser_->body_limit(most);
        // who sends less than 256 KiB a second gives up with us
        stream_.expires_after(std::chrono::milliseconds{
            o.request_ms + static_cast<std::int64_t>(length.value_or(0) >> 8)});
        http::async_read(
            stream_, buffer_, *parser_,
            [self = shared_from_this()](error_code broken, std::size_t) { self->take(broken); });
    }

    bool reserve(std::size_t large)
    {
        auto const before = owner_->large.fetch_add(large);
        if (before + large > owner_->options.large_bytes_max) {
            owner_->large -= large;
            return false;
        }
        reserved_ += large;
        return true;
    }
    void release() { owner_->large -= std::exchange(reserved_, 0); }
    void busy()
    {
        ++owner_->refused;
        static constexpr std::array again{http_field{"Retry-After", "1"}};
        answer(
            {503, "text/plain", "too much is on its way already; ask again\n", true, {}, again, {}},
            11, false);
    }

    void take(error_code failed)
    {
        first_ = false;
        if (failed == http::error::end_of_stream || owner_->stopped) return stream_.close();
        if (failed) {
            ++owner_->refused;
            if (failed == beast::error::timeout || failed.category() != http_category())
                return stream_.close();
            http_reply bad{400, "text/plain", "that is no HTTP request\n", true};
            if (failed == http::error::body_limit)
                bad = {413, "text/plain", "the request is too large\n", true};
            if (failed == http::error::header_limit)
                bad = {431, "text/plain", "the request's head is too large\n", true};
            return answer(std::move(bad), 11, false);
        }
        auto const& in = parser_->get();
        std::string_view target{in.target().data(), in.target().size()};
        auto const path = target.substr(0, target.find('?'));
        auto const named = in[http::field::host];
        std::string_view const host{named.data(), named.size()};
        if (!may_name(owner_->options, host))
            return answer({421, "text/plain", "this server does not go by that name\n", false},
                          in.version(), false);
        if (beast::websocket::is_upgrade(in)) {
            if (path == "/ws") return upgrade();
            return answer({404, "text/plain", "WebSockets are at /ws\n", true}, in.version(),
                          in.keep_alive());
        }
        ++owner_->requests;
        head_only_ = in.method() == http::verb::head;
        if (in.method() == http::verb::options)
            return answer({204, "text/plain", {}, true}, in.version(), in.keep_alive());
        auto const method = in.method_string();
        auto const origin = in[http::field::origin];
        if (!head_only_ && in.method() != http::verb::get &&
            !may_act(owner_->options, {origin.data(), origin.size()}, host))
            return answer({403, "text/plain", "not from this origin\n", true}, in.version(), false);
        auto const known = in[http::field::if_none_match];
        auto const range = in[http::field::range];
        auto reply = owner_->handler.on_request({{method.data(), method.size()},
                                                 path,
                                                 in.body(),
                                                 {origin.data(), origin.size()},
                                                 {range.data(), range.size()},
                                                 {known.data(), known.size()}});
        if (reply.body.size() > owner_->options.body_bytes_max && !reserve(reply.body.size()))
            return busy();
        answer(std::move(reply), in.version(), in.keep_alive());
    }

    static boost::system::error_category const& http_category()
    {
        return http::make_error_code(http::error::end_of_stream).category();
    }

    void answer(http_reply&& what, unsigned version, bool keep)
    {
        response_ = {};
        response_.version(version);
        response_.result(what.status);
        response_.keep_alive(keep);
        if (!what.body.empty())
            response_.set(http::field::content_type, {what.type.data(), what.type.size()});
        if (!what.tag.empty()) response_.set(http::field::etag, {what.tag.data(), what.tag.size()});
        if (!what.part.empty()) response_.set(http::field::content_range, what.part);
        for (auto const& each : what.head)
            response_.set(beast::string_view{each.name.data(), each.name.size()},
                          beast::string_view{each.value.data(), each.value.size()});
        auto const& cors = owner_->options.cors;
        if (!cors.empty() && what.cors) {
            response_.set(http::field::access_control_allow_origin, cors);
            response_.set(http::field::access_control_allow_methods, "GET, POST, PUT, OPTIONS");
            response_.set(http::field::access_control_allow_headers, "content-type, range");
            if (cors != "*") response_.set(http::field::vary, "origin");
        }
        response_.body() = std::move(what.body);
        response_.prepare_payload();
        if (head_only_) response_.body().clear();  // its length stays said
        stream_.expires_after(std::chrono::milliseconds{
            owner_->options.request_ms + static_cast<std::int64_t>(response_.body().size() >> 8)});
        auto sent = [self = shared_from_this(), keep](error_code failed, std::size_t) {
            if (!failed && keep && !self->owner_->stopped) return self->read();
            error_code ignored;
            self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
            if (failed || self->owner_->stopped || self->parser_->is_done())
                return self->stream_.close();
            self->stream_.expires_after(std::chrono::seconds{2});
            self->drain(std::size_t{16} << 20);
        };
        if (response_.body().size() > whole_max)
            return http::async_write(stream_, response_, std::move(sent));
        write_whole();
        asio::async_write(stream_, asio::buffer(whole_), std::move(sent));
    }

    /// Head and body in one piece, which costs less than to send them as they lie.
    void write_whole()
    {
        auto const add = [&](beast::string_view text) { whole_.append(text.data(), text.size()); };
        whole_.clear();
        add(response_.version() == 10 ? "HTTP/1.0 " : "HTTP/1.1 ");
        whole_ += std::to_string(response_.result_int());
        whole_ += ' ';
        add(http::obsolete_reason(response_.result()));
        add("\r\n");
        for (auto const& each : response_) {
            add(each.name_string());
            add(": ");
            add(each.value());
            add("\r\n");
        }
        add("\r\n");
        whole_ += response_.body();
    }

    /// Who was refused may still be sending. What comes is thrown away for a while: a socket that is closed upon
    /// unread bytes takes the answer back.
    void drain(std::size_t most)
    {
        buffer_.clear();
        stream_.async_read_some(buffer_.prepare(16384), [self = shared_from_this(),
                                                         most](error_code failed, std::size_t got) {
            if (failed || got >= most || self->owner_->stopped) return self->stream_.close();
            self->drain(most - got);
        });
    }

    void upgrade()
    {
        auto const origin = parser_->get()[http::field::origin];
        auto const host = parser_->get()[http::field::host];
        if (!may_act(owner_->options, {origin.data(), origin.size()}, {host.data(), host.size()}))
            return answer({403, "text/plain", "not from this origin\n", true}, 11, false);
        stream_.expires_never();
        auto ws = std::make_shared<beast::websocket::stream<beast::tcp_stream>>(std::move(stream_));
        moved_ = true;
        ws->async_accept(parser_->get(), [self = shared_from_this(), ws](error_code failed) {
            if (failed || self->owner_->stopped) {
                --self->owner_->open;
                return;
            }
            self->continue_as_socket(ws->next_layer().release_socket());
        });
    }

    void continue_as_socket(tcp::socket s)
    {
        std::shared_ptr<socket_session> next{};
        {
            std::lock_guard const lock{owner_->mutex};
            auto const id = ++owner_->last_socket;
            next = std::make_shared<socket_session>(owner_, std::move(s), id);
            owner_->sockets.emplace(id, next);
        }
        auto const rest = buffer_.data();
        next->begin({static_cast<char const*>(rest.data()), rest.size()});
    }

    std::shared_ptr<http_server::state> owner_;
    beast::tcp_stream stream_;
    beast::flat_buffer buffer_{};
    std::optional<http::request_parser<http::string_body>> parser_{};
    http::response<http::string_body> response_{};
    bool first_ = true;
    bool head_only_ = false;
    static constexpr std::size_t whole_max = std::size_t{64} << 10;
    std::string whole_{};
    bool moved_ = false;
    std::size_t reserved_ = 0;  ///< of `large_bytes_max`
};

}  // namespace

void http_server::state::accept()
{
    // One thread keeps the order by itself.
    asio::any_io_executor const order = options.threads <= 1 && !options.lends
                                            ? asio::any_io_executor{io.get_executor()}
                                            : asio::any_io_executor{asio::make_strand(io)};
    acceptor.async_accept(order, [self = shared_from_this()](error_code failed, tcp::socket s) {
        if (failed == asio::error::operation_aborted || self->stopped) return;
        if (failed) {
            auto wait = std::make_shared<asio::steady_timer>(self->io);
            wait->expires_after(std::chrono::milliseconds{50});
            wait->async_wait([self, wait](error_code) {
                if (!self->stopped) self->accept();
            });
            return;
        }
        if (self->open >= self->options.connections_max) {
            ++self->refused;
        } else {
            ++self->open;
            ++self->connections;
            error_code ignored;
            s.set_option(tcp::no_delay{true}, ignored);
            auto const session = std::make_shared<http_session>(self, std::move(s));
            asio::post(session->executor(), [session] { session->begin(); });
        }
        self->accept();
    });
}

void http_server::state::stop()
{
    if (stopped.exchange(true)) return;
    asio::post(io, [self = shared_from_this()] {
        error_code ignored;
        self->acceptor.close(ignored);
    });
    std::vector<std::shared_ptr<socket_session>> all{};
    std::vector<std::shared_ptr<http_session>> plain{};
    {
        std::lock_guard const lock{mutex};
        for (auto const& [id, each] : sockets)
            if (auto s = each.lock()) all.push_back(std::move(s));
        for (auto const& [id, each] : sessions)
            if (auto s = each.lock()) plain.push_back(std::move(s));
    }
    for (auto const& each : all) each->shut();
    for (auto const& each : plain) each->shut();
    all.clear();
    plain.clear();
    for (auto& each : threads) each.join();
}

http_server::http_server(http_options chosen, http_handler& who)
    : state_{std::make_shared<state>(std::move(chosen), who)}
{}

http_server::~http_server() { stop(); }

result<std::string, error> http_server::start()
{
    auto& s = *state_;
    BLENDR_TRY(auto const where, parse_contact(s.options.listen));
    error_code failed;
    auto const address = asio::ip::make_address(where.host, failed);
    if (failed) return fail{error::wrong_text};
    tcp::endpoint const at{address, where.port};
    s.acceptor.open(at.protocol(), failed);
    if (!failed) s.acceptor.set_option(asio::socket_base::reuse_address{true}, failed);
    if (!failed) s.acceptor.bind(at, failed);
    if (!failed) s.acceptor.listen(1024, failed);
    if (failed) return fail{error::unreachable};
    s.accept();
    for (unsigned i = 0; i < std::max(1u, s.options.threads); ++i)
        s.threads.emplace_back([owner = state_] { owner->io.run(); });
    return to_text(contact{where.host, s.acceptor.local_endpoint().port(), {}});
}

void http_server::stop() { state_->stop(); }

void http_server::meanwhile(std::function<void()> const& what)
{
    std::jthread const other{[owner = state_](std::stop_token const& over) {
        while (!over.stop_requested() && !owner->io.stopped())
            owner->io.run_one_for(std::chrono::milliseconds{20});
    }};
    what();
}

result<http_answer, error> http_ask(std::string const& server, std::string_view method,
                                    std::string const& path, std::string body,
                                    std::int64_t limit_ms, std::string const& range)
{
    BLENDR_TRY(auto const where, parse_contact(server));
    asio::io_context io{1};
    beast::tcp_stream stream{io};
    error_code failed;
    auto const address =
        asio::ip::make_address(where.host == "localhost" ? "127.0.0.1" : where.host, failed);
    if (failed) return fail{error::wrong_text};
    auto const verb = method == "GET"    ? http::verb::get
                      : method == "HEAD" ? http::verb::head
                      : method == "PUT"  ? http::verb::put
                                         : http::verb::post;
    http::request<http::string_body> request{verb, path, 11};
    if (!range.empty()) request.set(http::field::range, range);
    request.set(http::field::host, server);
    if (!body.empty()) request.set(http::field::content_type, "application/json");
    request.body() = std::move(body);
    request.prepare_payload();
    beast::flat_buffer buffer{};
    http::response_parser<http::string_body> answer{};
    answer.body_limit(std::uint64_t{64} << 20);
    answer.skip(verb == http::verb::head);  // which only says how long the body would be
    auto why = error::unreachable;
    bool done = false;
    stream.expires_after(std::chrono::milliseconds{limit_ms});
    stream.async_connect(tcp::endpoint{address, where.port}, [&](error_code not_there) {
        if (not_there) return;
        why = error::closed;
        http::async_write(stream, request, [&](error_code not_sent, std::size_t) {
            if (not_sent) return;
            http::async_read(stream, buffer, answer, [&](error_code not_read, std::size_t) {
                if (not_read == beast::error::timeout) why = error::timed_out;
                done = !not_read;
            });
        });
    });
    io.run();
    if (!done) return fail{why};
    return http_answer{answer.get().result_int(), std::move(answer.get().body())};
}

bool http_server::push(socket_id to, std::shared_ptr<std::string const> text)
{
    std::shared_ptr<socket_session> s{};
    {
        std::lock_guard const lock{state_->mutex};
        auto const found = state_->sockets.find(to);
        if (found == state_->sockets.end()) return false;
        s = found->second.lock();
    }
    return s && s->push(*text);
}

http_server::counters http_server::count() const
{
    auto const& s = *state_;
    counters out{s.requests, s.connections, 0, s.refused, s.dropped, s.texts, s.writes};
    std::lock_guard const lock{state_->mutex};
    out.sockets = s.sockets.size();
    return out;
}

}  // namespace blendr::net
