// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <blendr/abci/frame.hpp>
#include <blendr/abci/service.hpp>
#include <blendr/abci/validators.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>

/// The other side, as the protocol's description has it: messages written and read by hand, field by field, so that
/// nothing of the library's own description is taken for granted.
namespace blendr::abci::test {

/// Protocol Buffers by hand: fields go behind their number and kind.
class message_writer {
public:
    message_writer& number(std::uint32_t field, std::uint64_t value)
    {
        if (value == 0) return *this;
        append_length(out_, field << 3);
        append_length(out_, value);
        return *this;
    }
    message_writer& data(std::uint32_t field, bytes_view raw)
    {
        append_length(out_, field << 3 | 2);
        append_frame(out_, raw);
        return *this;
    }
    message_writer& data(std::uint32_t field, std::string_view raw)
    {
        return data(field, as_bytes(raw));
    }
    message_writer& message(std::uint32_t field, message_writer const& inner)
    {
        return data(field, inner.out_);
    }
    bytes const& raw() const noexcept { return out_; }

private:
    bytes out_{};
};

/// A message taken apart.
class message_fields {
public:
    explicit message_fields(bytes_view raw)
    {
        reader in{raw};
        while (in.left() != 0) {
            std::uint64_t key = 0;
            std::uint64_t value = 0;
            if (!in.read_varint(key, ~std::uint64_t{0}) ||
                !in.read_varint(value, ~std::uint64_t{0}))
                throw std::runtime_error{"no message"};
            auto const field = static_cast<std::uint32_t>(key >> 3);
            if ((key & 7) == 0) {
                numbers_.emplace_back(field, value);
            } else {
                auto const* const at = in.take(value);
                if ((key & 7) != 2 || at == nullptr) throw std::runtime_error{"no message"};
                data_.emplace_back(field, bytes{at, at + value});
            }
        }
    }
    std::uint64_t number(std::uint32_t field) const
    {
        for (auto const& [f, v] : numbers_)
            if (f == field) return v;
        return 0;
    }
    std::vector<bytes> all(std::uint32_t field) const
    {
        std::vector<bytes> out{};
        for (auto const& [f, v] : data_)
            if (f == field) out.push_back(v);
        return out;
    }
    bytes data(std::uint32_t field) const
    {
        auto const found = all(field);
        return found.empty() ? bytes{} : found.front();
    }
    std::string text(std::uint32_t field) const { return std::string{as_text(data(field))}; }
    bool has(std::uint32_t field) const { return !all(field).empty(); }
    std::vector<std::pair<std::uint32_t, bytes>> const& parts() const noexcept { return data_; }

private:
    std::vector<std::pair<std::uint32_t, std::uint64_t>> numbers_{};
    std::vector<std::pair<std::uint32_t, bytes>> data_{};
};

/// What came back: which answer, and what stands in it.
struct reply {
    std::uint32_t tag{};
    message_fields in{bytes_view{}};

    bool refused() const noexcept { return tag == 1; }
    std::string sentence() const { return refused() ? in.text(1) : std::string{}; }
};

inline reply read_reply(bytes_view frame)
{
    message_fields const outer{frame};
    if (outer.parts().size() != 1) throw std::runtime_error{"not one answer"};
    return {outer.parts()[0].first, message_fields{outer.parts()[0].second}};
}

// the numbers of requests; an answer's is one more
enum tag : std::uint32_t {
    echo = 1,
    flush = 2,
    info = 3,
    init_chain = 5,
    query = 6,
    check_tx = 8,
    commit = 11,
    list_snapshots = 12,
    offer_snapshot = 13,
    load_chunk = 14,
    apply_chunk = 15,
    prepare = 16,
    process = 17,
    extend_vote = 18,
    verify_extension = 19,
    finalize = 20,
};

inline bytes request(tag which, message_writer const& body = {})
{
    return message_writer{}.message(which, body).raw();
}

inline message_writer timestamp(std::int64_t ms)
{
    return std::move(message_writer{}
                         .number(1, static_cast<std::uint64_t>(ms / 1000))
                         .number(2, static_cast<std::uint64_t>(ms % 1000 * 1'000'000)));
}

/// A block as CometBFT tells of it.
struct wire_block {
    std::vector<bytes> txs{};
    std::uint64_t height{};
    std::int64_t ms{};
    crypto::public_key proposer{};
};

inline bytes block_request(tag which, wire_block const& of)
{
    message_writer body{};
    for (auto const& each : of.txs) body.data(1, each);
    body.data(4, as_bytes("the block's own hash, 32 bytes  "));
    body.number(5, of.height).message(6, timestamp(of.ms));
    body.data(8, short_address_of(of.proposer));
    return request(which, body);
}

inline bytes prepare_request(wire_block const& of, std::uint64_t bytes_max = 1 << 20)
{
    message_writer body{};
    body.number(1, bytes_max);
    for (auto const& each : of.txs) body.data(2, each);
    body.number(5, of.height).message(6, timestamp(of.ms));
    body.data(8, short_address_of(of.proposer));
    return request(prepare, body);
}

inline bytes init_request(bytes_view app_state, std::uint64_t initial_height = 1)
{
    message_writer body{};
    body.message(1, timestamp(1'000)).data(2, "test-chain");
    return request(init_chain, body.data(5, app_state).number(6, initial_height));
}

inline bytes check_request(bytes_view tx, bool again = false)
{
    return request(check_tx, message_writer{}.data(1, tx).number(2, again ? 1 : 0));
}

inline bytes query_request(std::string_view path, bytes_view data, std::uint64_t height = 0,
                           bool prove = false)
{
    return request(query, message_writer{}.data(1, data).data(2, path).number(3, height).number(
                              4, prove ? 1 : 0));
}

/// One connection without a socket.
class direct_client {
public:
    explicit direct_client(service& to) : session_{to} {}

    /// Sends raw bytes; the answers of whole requests.
    std::vector<reply> send(bytes_view raw)
    {
        bytes out{};
        std::vector<reply> all{};
        how = session_.receive(raw, out);
        while (how == session::state_of::full) how = session_.receive({}, out);
        frame_reader in{};
        in.feed(out);
        for (auto next = in.next(); next && *next; next = in.next())
            all.push_back(read_reply(**next));
        return all;
    }
    reply call(bytes_view message)
    {
        bytes raw{};
        append_frame(raw, message);
        auto all = send(raw);
        if (all.size() != 1) throw std::runtime_error{"not one answer"};
        return std::move(all.front());
    }

    session::state_of how = session::state_of::hungry;

private:
    session session_;
};

/// One connection over a socket of the system.
class socket_client {
public:
    explicit socket_client(std::string const& address)
    {
        auto const path = address.substr(std::string_view{"unix://"}.size());
        fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un to{};
        to.sun_family = AF_UNIX;
        std::strncpy(to.sun_path, path.c_str(), sizeof to.sun_path - 1);
        if (::connect(fd_, reinterpret_cast<sockaddr const*>(&to), sizeof to) != 0)
            throw std::runtime_error{"cannot connect to " + path};
    }
    ~socket_client() { ::close(fd_); }
    socket_client(socket_client const&) = delete;
    socket_client& operator=(socket_client const&) = delete;

    bool send(bytes_view raw)
    {
        while (!raw.empty()) {
            auto const sent = ::send(fd_, raw.data(), raw.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            raw = raw.subspan(static_cast<std::size_t>(sent));
        }
        return true;
    }
    bool send_message(bytes_view message)
    {
        bytes raw{};
        append_frame(raw, message);
        return send(raw);
    }
    /// The next answer; none when the other side has gone.
    std::optional<reply> receive()
    {
        for (;;) {
            auto const next = in_.next();
            if (!next) throw std::runtime_error{"a broken frame came back"};
            if (*next) return read_reply(**next);
            bytes raw(1 << 16);
            auto const got = ::recv(fd_, raw.data(), raw.size(), 0);
            if (got <= 0) return std::nullopt;
            in_.feed({raw.data(), static_cast<std::size_t>(got)});
        }
    }
    reply call(bytes_view message)
    {
        send_message(message);
        auto out = receive();
        if (!out) throw std::runtime_error{"the connection was closed"};
        return *std::move(out);
    }

private:
    int fd_ = -1;
    frame_reader in_{};
};

}  // namespace blendr::abci::test
