// SPDX-License-Identifier: Apache-2.0
#include "wire.hpp"

#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace blendr::compute::wire {

namespace {

constexpr auto spin = std::chrono::microseconds{60};

heard receive_all(int socket, std::span<std::byte> into, clock::time_point until)
{
    auto const began = clock::now();
    while (!into.empty()) {
        auto const got = ::recv(socket, into.data(), into.size(), MSG_DONTWAIT);
        if (got > 0) {
            into = into.subspan(static_cast<std::size_t>(got));
            continue;
        }
        if (got == 0 || (errno != EAGAIN && errno != EINTR)) return heard::closed;
        auto const now = clock::now();
        if (now - began < spin) {
            ::sched_yield();  // the driver's threads, on the other side, may need this very processor
            continue;
        }
        if (now >= until) return heard::late;
        auto const left = std::chrono::duration_cast<std::chrono::nanoseconds>(until - now).count();
        timespec const wait{left / 1'000'000'000, left % 1'000'000'000};
        pollfd one{socket, POLLIN, 0};
        if (::ppoll(&one, 1, &wait, nullptr) < 0 && errno != EINTR) return heard::closed;
    }
    return heard::message;
}

}  // namespace

bool send(int socket, kind what, bytes_view payload)
{
    std::array<std::uint32_t, 2> head{static_cast<std::uint32_t>(what),
                                      static_cast<std::uint32_t>(payload.size())};
    std::array<iovec, 2> parts{
        {{head.data(), sizeof head}, {const_cast<std::byte*>(payload.data()), payload.size()}}};
    while (parts[0].iov_len + parts[1].iov_len != 0) {
        msghdr message{};
        message.msg_iov = parts.data();
        message.msg_iovlen = parts.size();
        auto const sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EINTR) continue;
            return false;
        }
        auto left = static_cast<std::size_t>(sent);
        for (auto& each : parts) {
            auto const now = std::min(left, each.iov_len);
            each.iov_base = static_cast<std::byte*>(each.iov_base) + now;
            each.iov_len -= now;
            left -= now;
        }
    }
    return true;
}

heard receive(int socket, kind& what, bytes& payload, clock::time_point until)
{
    std::array<std::uint32_t, 2> head{};
    auto const raw = std::as_writable_bytes(std::span{head});
    if (auto const h = receive_all(socket, raw, until); h != heard::message) return h;
    if (head[1] > bytes_max) return heard::closed;
    what = static_cast<kind>(head[0]);
    payload.resize(head[1]);
    return receive_all(socket, payload, until);
}

}  // namespace blendr::compute::wire
