// SPDX-License-Identifier: Apache-2.0
#include <blendr/net/tcp.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <thread>
#include <utility>
#include <variant>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <sodium.h>

#include <blendr/core/assert.hpp>
#include <blendr/net/book.hpp>
#include <blendr/net/handshake.hpp>

namespace blendr::net {

/// What the transport itself says, on the control lane.
struct ping {
    std::uint64_t number{};
};
struct pong {
    std::uint64_t number{};
};
struct ask_contacts {
    std::uint8_t most{};
};
struct contacts {
    bounded<std::vector<std::string>, 32> known{};
};
BOOST_DESCRIBE_STRUCT(ping, (), (number))
BOOST_DESCRIBE_STRUCT(pong, (), (number))
BOOST_DESCRIBE_STRUCT(ask_contacts, (), (most))
BOOST_DESCRIBE_STRUCT(contacts, (), (known))
using control_message = std::variant<ping, pong, ask_contacts, contacts>;

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr std::size_t write_buffer = 4 * frame_max;
constexpr std::int64_t tick_ms = 100;
constexpr std::int64_t malice_points = 50;
constexpr std::int64_t book_every_ms = 20'000;

time_ms now_ms() noexcept
{
    return time_ms{std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::steady_clock::now().time_since_epoch())
                       .count()};
}

class tcp_transport;

struct connection : std::enable_shared_from_this<connection> {
    connection(tcp_transport& o, tcp::socket s, bool d, tcp_limits const& limits);

    tcp_transport& owner;
    tcp::socket socket;
    asio::steady_timer pause;
    bool const dialled;
    std::optional<contact> where{};  // as dialled
    std::string host{};
    std::string endpoint{};
    time_ms begun = now_ms();
    time_ms heard = begun;
    time_ms pinged = begun;

    std::optional<handshake> shaking{};
    std::array<std::byte, 1024> small{};
    bytes small_out{};
    bool small_writing = false;

    public_key key{};
    introduction peer{};
    std::optional<frame_key> out{};
    std::optional<frame_reader> in{};
    assembler parts;
    std::size_t parts_held = 0;
    budget byte_budget;
    budget message_budget;
    budget send_budget;
    asio::steady_timer send_pause;
    bool asked_contacts = false;
    std::size_t contact_asks = 0;
    bool established = false;
    bool dead = false;

    std::unique_ptr<std::byte[]> buffer{};
    bool writing = false;
    struct current {
        shared_message message{};
        std::size_t at = 0;
    };
    std::array<current, 4> sending{};  // the network thread's own

    std::mutex outbox_mutex{};
    struct queue {
        std::deque<shared_message> waiting{};
        std::size_t held = 0;
    };
    std::array<queue, 4> outbox{};
    bool flush_posted = false;
    bool closed = false;

    std::atomic<std::uint64_t> bytes_in{0};
    std::atomic<std::uint64_t> bytes_out{0};
    std::atomic<std::uint64_t> dropped{0};
};
using connection_ptr = std::shared_ptr<connection>;

class tcp_transport final : public transport {
public:
    explicit tcp_transport(tcp_options chosen)
        : options_{std::move(chosen)},
          acceptor_{io_},
          resolver_{io_},
          ticker_{io_},
          book_{options_.seed != 0 ? options_.seed : random_seed()},
          all_bytes_{options_.limits.bytes_per_second_all, options_.limits.bytes_per_second_all},
          all_sent_{options_.limits.send_bytes_per_second_all,
                    options_.limits.send_bytes_per_second_all}
    {}

    ~tcp_transport() override { stop(); }

    result<std::string, error> start(receiver& who) override
    {
        BLENDR_ASSERT(receiver_ == nullptr);
        for (auto const& each : options_.peers) {
            BLENDR_TRY(auto const where, parse_contact(each));
            book_.keep(where);
        }
        read_book();
        std::string listens{};
        if (!options_.listen.empty()) {
            BLENDR_TRY(listens, open());
        }
        receiver_ = &who;
        if (acceptor_.is_open()) accept();
        tick();
        thread_ = std::thread{[this] { io_.run(); }};
        return listens;
    }

    void stop() override
    {
        if (stopped_.exchange(true)) return;
        if (!thread_.joinable()) return;
        asio::post(io_, [this] {
            error_code ignored;
            acceptor_.close(ignored);
            resolver_.cancel();
            ticker_.cancel();
            auto const all = connections_;
            for (auto const& each : all) close(each, error::closed);
        });
        thread_.join();
        write_book();
    }

    bool send(public_key const& to, lane on, shared_message message) override
    {
        connection_ptr c{};
        {
            std::shared_lock const lock{peers_mutex_};
            auto const found = peers_.find(to);
            if (found == peers_.end()) return false;
            c = found->second;
        }
        return push(c, static_cast<std::uint8_t>(on), std::move(message));
    }

    std::size_t broadcast(lane on, shared_message message) override
    {
        std::vector<connection_ptr> all{};
        {
            std::shared_lock const lock{peers_mutex_};
            for (auto const& [key, c] : peers_) all.push_back(c);
        }
        std::size_t sent = 0;
        for (auto const& c : all) sent += push(c, static_cast<std::uint8_t>(on), message) ? 1u : 0u;
        return sent;
    }

    std::vector<peer_info> peers() const override
    {
        auto const now = now_ms();
        std::shared_lock const lock{peers_mutex_};
        std::vector<peer_info> out{};
        for (auto const& [key, c] : peers_)
            out.push_back({key, c->endpoint, c->peer.agent, c->dialled,
                           c->out->how() == cipher::aes256_gcm, c->bytes_in, c->bytes_out,
                           c->dropped, scores_.score(key, now)});
        return out;
    }

    void penalise(public_key const& peer, std::int64_t points, std::string_view) override
    {
        asio::post(io_, [this, peer, points] {
            auto const c = find(peer);
            if (count_against(peer, points) && c) close(c, error::banned);
        });
    }

    result<nothing, error> dial(std::string const& address) override
    {
        BLENDR_TRY(auto const where, parse_contact(address));
        asio::post(io_, [this, where] { book_.keep(where); });
        return nothing{};
    }

private:
    friend struct connection;

    static std::uint64_t random_seed()
    {
        std::uint64_t out{};
        randombytes_buf(&out, sizeof out);
        return out | 1;
    }

    connection_ptr find(public_key const& key) const
    {
        std::shared_lock const lock{peers_mutex_};
        auto const found = peers_.find(key);
        return found == peers_.end() ? nullptr : found->second;
    }

    bool count_against(public_key const& who, std::int64_t points)
    {
        std::unique_lock const lock{peers_mutex_};
        return scores_.add(who, points, now_ms());
    }

    // ---- the address book's file

    void read_book()
    {
        if (options_.book_file.empty() || !options_.exchange) return;
        std::error_code none{};
        if (!std::filesystem::is_regular_file(options_.book_file, none)) return;
        std::ifstream in{options_.book_file, std::ios::binary};
        std::string text(book_text_max, '\0');
        in.read(text.data(), static_cast<std::streamsize>(text.size()));
        text.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
        auto const now = now_ms();
        for (auto const& each : parse_book(text)) book_.recall(each, now);
        written_ = now;
    }

    /// At one stroke: whoever is killed meanwhile finds the old one. One that cannot be written is not missed.
    void write_book()
    {
        if (options_.book_file.empty() || !options_.exchange) return;
        auto const fresh = options_.book_file + ".new";
        {
            std::ofstream out{fresh, std::ios::binary | std::ios::trunc};
            out << to_text(book_.remember(now_ms()));
            if (!out.flush()) return;
        }
        std::error_code ignored{};
        std::filesystem::rename(fresh, options_.book_file, ignored);
    }

    // ---- listening and dialling

    result<std::string, error> open()
    {
        BLENDR_TRY(auto const where, parse_contact(options_.listen));
        error_code failed;
        auto const address = asio::ip::make_address(where.host, failed);
        if (failed) return fail{error::wrong_text};
        tcp::endpoint const at{address, where.port};
        acceptor_.open(at.protocol(), failed);
        if (!failed) acceptor_.set_option(asio::socket_base::reuse_address{true}, failed);
        if (!failed) acceptor_.bind(at, failed);
        if (!failed) acceptor_.listen(256, failed);
        if (failed) return fail{error::unreachable};
        port_ = acceptor_.local_endpoint().port();
        return to_text(contact{where.host, port_, {}});
    }

    void accept()
    {
        acceptor_.async_accept([this](error_code failed, tcp::socket s) {
            if (failed == asio::error::operation_aborted || stopped_) return;
            if (failed) {
                // Out of descriptors, most likely: others must go first.
                auto wait = std::make_shared<asio::steady_timer>(io_);
                wait->expires_after(std::chrono::milliseconds{tick_ms});
                wait->async_wait([this, wait](error_code) {
                    if (!stopped_) accept();
                });
                return;
            }
            greet(std::move(s), false, std::nullopt);
            accept();
        });
    }

    void dial_some()
    {
        auto const now = now_ms();
        std::size_t told = 0;
        for (auto const& c : connections_)
            if (c->dialled) ++told;
        auto const in_touch = [this](public_key const& who) {
            return who == options_.me.self() || find(who) != nullptr;
        };
        for (int tries = 0; tries < 8; ++tries) {
            bool const kept_only = told >= options_.limits.dialled_max || !options_.exchange;
            auto const where = book_.next(now, in_touch, kept_only);
            if (!where) return;
            ++told;
            error_code failed;
            auto const address = asio::ip::make_address(where->host, failed);
            if (!failed) {
                connect(*where, {address, where->port});
                continue;
            }
            resolver_.async_resolve(
                where->host, std::to_string(where->port),
                [this, where = *where](error_code not_found, tcp::resolver::results_type found) {
                    if (stopped_) return;
                    if (not_found || found.empty()) return book_.failed(where, now_ms());
                    connect(where, found.begin()->endpoint());
                });
        }
    }

    void connect(contact const& where, tcp::endpoint const& at)
    {
        auto s = std::make_shared<tcp::socket>(io_);
        auto limit = std::make_shared<asio::steady_timer>(io_);
        limit->expires_after(std::chrono::milliseconds{options_.limits.handshake_ms});
        limit->async_wait([s](error_code cancelled) {
            error_code ignored;
            if (!cancelled) s->close(ignored);
        });
        s->async_connect(at, [this, s, limit, where](error_code failed) {
            limit->cancel();
            if (stopped_) return;
            if (failed) return book_.failed(where, now_ms());
            greet(std::move(*s), true, where);
        });
    }

    void greet(tcp::socket s, bool dialled, std::optional<contact> where)
    {
        error_code failed;
        auto const remote = s.remote_endpoint(failed);
        if (failed) {
            if (where) book_.failed(*where, now_ms());
            return;
        }
        s.set_option(tcp::no_delay{true}, failed);
        auto c = std::make_shared<connection>(*this, std::move(s), dialled, options_.limits);
        c->host = remote.address().to_string();
        c->endpoint = to_text(contact{c->host, remote.port(), {}});
        c->where = std::move(where);
        if (!dialled) {
            std::size_t strangers = 0;
            std::size_t same = 0;
            for (auto const& each : connections_) {
                if (each->established) continue;
                ++strangers;
                if (each->host == c->host) ++same;
            }
            if (strangers >= options_.limits.strangers_max ||
                same >= options_.limits.strangers_by_host_max ||
                connections_.size() - strangers >= options_.limits.peers_max)
                return;  // the socket closes
        }
        connections_.insert(c);
        c->shaking.emplace(dialled ? handshake::side::dialler : handshake::side::listener,
                           handshake_options{options_.me, options_.chain,
                                             c->where ? c->where->key : std::nullopt, port_,
                                             options_.agent, options_.aes});
        c->small_out = c->shaking->begin();
        write_small(c);
        read_small(c);
    }

    // ---- the handshake

    void write_small(connection_ptr const& c)
    {
        if (c->small_writing || c->small_out.empty() || c->dead) return;
        c->small_writing = true;
        auto what = std::make_shared<bytes>(std::exchange(c->small_out, {}));
        asio::async_write(c->socket, asio::buffer(*what),
                          [this, c, what](error_code failed, std::size_t) {
                              c->small_writing = false;
                              if (c->dead) return;
                              if (failed) return close(c, error::closed);
                              write_small(c);
                              if (c->established) flush(c);
                          });
    }

    void read_small(connection_ptr const& c)
    {
        c->socket.async_read_some(asio::buffer(c->small),
                                  [this, c](error_code failed, std::size_t count) {
                                      if (c->dead) return;
                                      if (failed) return close(c, error::closed);
                                      bytes_view in{c->small.data(), count};
                                      auto const fed = c->shaking->feed(in, c->small_out);
                                      write_small(c);
                                      if (!fed) return close_later(c, fed.error());
                                      if (!c->shaking->done()) return read_small(c);
                                      establish(c, in);
                                  });
    }

    /// After what is on its way has left, so that the other side can learn why.
    void close_later(connection_ptr const& c, error why)
    {
        if (!c->small_writing) return close(c, why);
        c->pause.expires_after(std::chrono::milliseconds{50});
        c->pause.async_wait([this, c, why](error_code) { close(c, why); });
    }

    void establish(connection_ptr const& c, bytes_view rest)
    {
        auto made = c->shaking->finish();
        c->shaking.reset();
        c->peer = made.peer;
        c->key = made.peer.self;
        c->out.emplace(std::move(made.out));
        c->in.emplace(std::move(made.in));
        c->buffer.reset(new std::byte[write_buffer]);
        auto const now = now_ms();
        c->heard = now;
        if (scores_.banned(c->key, now)) return close(c, error::banned);
        if (auto const old = find(c->key)) {
            bool const ours_wins = options_.me.self() < c->key;
            if (old->dialled != c->dialled && c->dialled != ours_wins)
                return close(c, error::replaced);
            close(old, error::replaced);
        }
        if (c->where) book_.connected(*c->where, c->key);
        if (!c->dialled && c->peer.listens != 0)
            book_.hear({c->host, c->peer.listens, c->key}, c->host);
        c->established = true;
        {
            std::unique_lock const lock{peers_mutex_};
            peers_[c->key] = c;
        }
        receiver_->on_joined(c->key);
        if (options_.exchange && c->dialled) {
            c->asked_contacts = true;
            control(c, ask_contacts{32});
        }
        auto const room = c->in->room();
        std::copy(rest.begin(), rest.end(), room.begin());
        c->in->took(rest.size());
        if (!take_frames(c)) return;
        read(c);
    }

    // ---- reading

    void read(connection_ptr const& c)
    {
        if (c->dead) return;
        auto const now = now_ms();
        auto const wait = std::max(
            {c->byte_budget.wait_ms(now), c->message_budget.wait_ms(now), all_bytes_.wait_ms(now)});
        if (wait > 0) {
            c->pause.expires_after(std::chrono::milliseconds{std::min<std::int64_t>(wait, 1000)});
            c->pause.async_wait([this, c](error_code) { read(c); });
            return;
        }
        auto const room = c->in->room();
        c->socket.async_read_some(asio::buffer(room.data(), room.size()),
                                  [this, c](error_code failed, std::size_t count) {
                                      if (c->dead) return;
                                      if (failed) return close(c, error::closed);
                                      auto const at = now_ms();
                                      c->bytes_in += count;
                                      c->byte_budget.spend(count, at);
                                      all_bytes_.spend(count, at);
                                      c->in->took(count);
                                      if (take_frames(c)) read(c);
                                  });
    }

    bool take_frames(connection_ptr const& c)
    {
        auto const now = now_ms();
        while (!c->dead) {
            auto const part = c->in->next();
            if (!part) return blame(c, part.error());
            if (!*part) return true;
            c->heard = now;
            c->message_budget.spend(1, now);
            auto const whole = c->parts.add(**part);
            if (!whole) return blame(c, whole.error());
            unfinished_ += c->parts.held();
            unfinished_ -= std::exchange(c->parts_held, c->parts.held());
            if (unfinished_ > options_.limits.unfinished_bytes_max) {
                close(c, error::full);
                return false;
            }
            if (!*whole) continue;
            auto const on = (*part)->lane;
            bool const good = on == control_lane
                                  ? take_control(c, **whole)
                                  : receiver_->on_message(c->key, static_cast<lane>(on), **whole);
            if (!good) return blame(c, error::malformed_message);
        }
        return false;
    }

    bool blame(connection_ptr const& c, error why)
    {
        if (is_malice(why)) count_against(c->key, malice_points);
        close(c, why);
        return false;
    }

    // ---- what the transport says itself

    void control(connection_ptr const& c, control_message const& what)
    {
        push(c, control_lane, share(encode(what)));
    }

    bool take_control(connection_ptr const& c, bytes_view raw)
    {
        auto const said = decode<control_message>(raw);
        if (!said) return false;
        if (auto const* p = std::get_if<ping>(&*said)) {
            control(c, pong{p->number});
        } else if (std::holds_alternative<ask_contacts>(*said)) {
            if (!options_.exchange || ++c->contact_asks > 64) return true;
            contacts known{};
            for (auto const& each : book_.sample(24)) known.known.push_back(to_text(each));
            for (auto const& other : connections_)
                if (other->established && !other->dialled && other->peer.listens != 0 &&
                    other != c && known.known.size() < 32)
                    known.known.push_back(
                        to_text(contact{other->host, other->peer.listens, other->key}));
            control(c, known);
        } else if (auto const* list = std::get_if<contacts>(&*said)) {
            if (!std::exchange(c->asked_contacts, false)) return false;  // nobody asked
            for (auto const& each : list->known) {
                auto const where = parse_contact(each);
                if (!where) return false;
                if (where->key && *where->key == options_.me.self()) continue;
                book_.hear(*where, c->host);
            }
        }
        return true;
    }

    // ---- writing

    bool push(connection_ptr const& c, std::uint8_t on, shared_message message)
    {
        bool post = false;
        {
            std::lock_guard const lock{c->outbox_mutex};
            auto& q = c->outbox[on];
            bool const too_long = message->size() > options_.limits.messages.bytes_max[on];
            if (c->closed || too_long ||
                q.held + message->size() > options_.limits.queue_bytes[on]) {
                ++c->dropped;
                return false;
            }
            q.held += message->size() + 64;
            q.waiting.push_back(std::move(message));
            post = !std::exchange(c->flush_posted, true);
        }
        if (post) asio::post(io_, [this, c] { flush(c); });
        return true;
    }

    /// Takes the lane's next message, when it has none at hand.
    bool refill(connection& c, std::size_t on)
    {
        auto& s = c.sending[on];
        if (s.message) return true;
        std::lock_guard const lock{c.outbox_mutex};
        auto& q = c.outbox[on];
        if (q.waiting.empty()) return false;
        s = {std::move(q.waiting.front()), 0};
        q.waiting.pop_front();
        q.held -= s.message->size() + 64;
        return true;
    }

    void flush(connection_ptr const& c)
    {
        if (c->dead || c->writing || c->small_writing || !c->established) return;
        std::size_t filled = 0;
        static constexpr std::array<std::size_t, 4> order{control_lane, 0, 1, 2};
        static constexpr std::ptrdiff_t never_wait = 2;  // of these lanes
        auto const now = now_ms();
        auto const wait = std::max(c->send_budget.wait_ms(now), all_sent_.wait_ms(now));
        auto const end = wait > 0 ? order.begin() + never_wait : order.end();
        while (filled + frame_max <= write_buffer) {
            auto const on = std::find_if(order.begin(), end,
                                         [&](std::size_t each) { return refill(*c, each); });
            if (on == end) break;
            auto& s = c->sending[*on];
            auto const size = std::min(fragment_max, s.message->size() - s.at);
            bool const last = s.at + size == s.message->size();
            filled +=
                c->out->seal(static_cast<std::uint8_t>(*on), last,
                             bytes_view{*s.message}.subspan(s.at, size), c->buffer.get() + filled);
            s.at += size;
            if (last) s.message.reset();
        }
        c->send_budget.spend(filled, now);
        all_sent_.spend(filled, now);
        if (filled == 0) {
            std::lock_guard const lock{c->outbox_mutex};
            bool const more = std::any_of(order.begin(), end, [&](std::size_t each) {
                return !c->outbox[each].waiting.empty();
            });
            c->flush_posted = more;
            bool const paced = std::any_of(end, order.end(), [&](std::size_t each) {
                return c->sending[each].message || !c->outbox[each].waiting.empty();
            });
            if (paced) {
                c->send_pause.expires_after(
                    std::chrono::milliseconds{std::min<std::int64_t>(wait, 1000)});
                c->send_pause.async_wait([this, c](error_code cancelled) {
                    if (!cancelled) flush(c);
                });
            }
            if (more) asio::post(io_, [this, c] { flush(c); });
            return;
        }
        c->writing = true;
        asio::async_write(c->socket, asio::buffer(c->buffer.get(), filled),
                          [this, c](error_code failed, std::size_t count) {
                              c->writing = false;
                              if (c->dead) return;
                              if (failed) return close(c, error::closed);
                              c->bytes_out += count;
                              flush(c);
                          });
    }

    // ---- the end

    void close(connection_ptr const& c, error why)
    {
        if (std::exchange(c->dead, true)) return;
        error_code ignored;
        c->socket.close(ignored);
        c->pause.cancel();
        c->send_pause.cancel();
        unfinished_ -= c->parts_held;
        {
            std::lock_guard const lock{c->outbox_mutex};
            c->closed = true;
            for (auto& q : c->outbox) q = {};
        }
        connections_.erase(c);
        auto const now = now_ms();
        if (c->where) {
            if (why == error::own_key)
                book_.forget(*c->where);
            else if (c->established)
                book_.lost(*c->where, now);
            else
                book_.failed(*c->where, now);
        }
        if (!c->established) return;
        {
            std::unique_lock const lock{peers_mutex_};
            auto const found = peers_.find(c->key);
            if (found != peers_.end() && found->second == c) peers_.erase(found);
        }
        receiver_->on_left(c->key, why);
    }

    void tick()
    {
        if (stopped_) return;
        auto const now = now_ms();
        auto const all = connections_;
        for (auto const& c : all) {
            auto const& l = options_.limits;
            if (!c->established) {
                if (now - c->begun > l.handshake_ms) close(c, error::timed_out);
                continue;
            }
            if (now - c->heard > l.idle_ms) {
                close(c, error::timed_out);
            } else if (now - c->pinged > l.idle_ms / 4) {
                c->pinged = now;
                control(c, ping{++pings_});
                if (options_.exchange && pings_ % 16 == 0 && !c->asked_contacts) {
                    c->asked_contacts = true;
                    control(c, ask_contacts{32});
                }
            }
        }
        dial_some();
        if (now - written_ > book_every_ms) {
            written_ = now;
            write_book();
        }
        ticker_.expires_after(std::chrono::milliseconds{tick_ms});
        ticker_.async_wait([this](error_code cancelled) {
            if (!cancelled) tick();
        });
    }

    tcp_options options_;
    asio::io_context io_{1};
    tcp::acceptor acceptor_;
    tcp::resolver resolver_;
    asio::steady_timer ticker_;
    std::uint16_t port_ = 0;
    receiver* receiver_ = nullptr;
    std::thread thread_{};
    std::atomic<bool> stopped_{false};

    // the network thread's own
    std::set<connection_ptr> connections_{};
    address_book book_;
    budget all_bytes_;
    budget all_sent_;
    std::size_t unfinished_ = 0;
    std::uint64_t pings_ = 0;
    time_ms written_{};

    mutable std::shared_mutex peers_mutex_{};
    std::map<public_key, connection_ptr> peers_{};
    score_keeper scores_{};
};

connection::connection(tcp_transport& o, tcp::socket s, bool d, tcp_limits const& limits)
    : owner{o},
      socket{std::move(s)},
      pause{socket.get_executor()},
      dialled{d},
      parts{limits.messages},
      byte_budget{limits.bytes_per_second, limits.bytes_per_second},
      message_budget{limits.messages_per_second, limits.messages_per_second},
      send_budget{limits.send_bytes_per_second, limits.send_bytes_per_second},
      send_pause{socket.get_executor()}
{}

}  // namespace

std::unique_ptr<transport> make_tcp_transport(tcp_options chosen)
{
    return std::make_unique<tcp_transport>(std::move(chosen));
}

}  // namespace blendr::net
