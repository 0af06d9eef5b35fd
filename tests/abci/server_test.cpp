// SPDX-License-Identifier: Apache-2.0
#include <blendr/abci/server.hpp>  // first: it stands alone

#include <arpa/inet.h>
#include <netinet/in.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <support/support.hpp>

#include "fixtures.hpp"

using namespace blendr;
using namespace blendr::abci;
using namespace blendr::abci::test;

namespace {

/// A tally that stays in finalize until it is let go.
class stubborn_tally : public app::tally {
public:
    using app::tally::tally;
    app::finalized finalize(app::proposal_context const& at, block_id const& id, bytes_view payload)
    {
        std::unique_lock lock{mutex};
        inside = true;
        moved.notify_all();
        moved.wait(lock, [&] { return let_go; });
        return app::tally::finalize(at, id, payload);
    }
    std::mutex mutex{};
    std::condition_variable moved{};
    bool inside = false;
    bool let_go = false;
};

/// An application that keeps its promise about threads: what shows the last commit runs beside the rest.
template <class T>
class guarded : public T {
public:
    using T::T;
    std::optional<app::validator_set> init(bytes_view raw)
    {
        std::lock_guard const lock{guard_};
        return T::init(raw);
    }
    height commit()
    {
        std::lock_guard const lock{guard_};
        return T::commit();
    }
    app::info last() const
    {
        std::lock_guard const lock{guard_};
        return T::last();
    }
    app::query_result query(std::string_view path, bytes_view raw) const
    {
        std::lock_guard const lock{guard_};
        return T::query(path, raw);
    }

private:
    mutable std::mutex guard_{};
};

std::string unix_address()
{
    return "unix://" + (blendr::test::scratch("abci") / "socket").string();
}

template <class Condition>
bool soon(Condition&& c)
{
    for (int i = 0; i < 2000; ++i) {
        if (c()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    return false;
}

}  // namespace

template <>
struct blendr::abci::form<stubborn_tally> : form<app::tally> {};
template <class T>
struct blendr::abci::form<guarded<T>> : form<T> {};

TEST_CASE("server: queries and checks do not wait for consensus")
{
    guarded<stubborn_tally> app{people(1)};
    server<guarded<stubborn_tally>> node{app};
    auto const address = node.listen(unix_address());
    REQUIRE(address);
    socket_client consensus{*address}, mempool{*address}, asking{*address}, snapshots{*address};
    REQUIRE(consensus.call(init_request(as_bytes("x"))).tag == 6);
    auto const me = person(0).self();
    consensus.send_message(block_request(finalize, {{lead_of(me), number(5)}, 1, 2000, me}));
    {
        std::unique_lock lock{app.mutex};
        app.moved.wait(lock, [&] { return app.inside; });
    }
    // the consensus connection is inside the application; the three others are served
    CHECK(mempool.call(check_request(number(5))).tag == 9);
    CHECK(asking.call(query_request("sum", {})).in.data(7) == number(0));
    CHECK(asking.call(request(info)).in.number(4) == 0);
    CHECK(snapshots.call(request(list_snapshots)).tag == 13);
    {
        std::lock_guard const lock{app.mutex};
        app.let_go = true;
    }
    app.moved.notify_all();
    auto const done = consensus.receive();
    REQUIRE(done);
    CHECK(done->tag == 21);
    CHECK(consensus.call(request(commit)).tag == 12);
    CHECK(asking.call(query_request("sum", {})).in.data(7) == number(5));
}

TEST_CASE("server: requests may be sent ahead, and answers keep their order on each connection")
{
    app::tally app{people(1)};
    server<app::tally> node{app};
    auto const address = node.listen(unix_address());
    REQUIRE(address);
    auto const chat = [&](int who) {
        socket_client c{*address};
        int const count = 3000;
        std::thread sender{[&] {
            bytes ahead{};
            for (int i = 0; i < count; ++i) {
                auto const word = std::to_string(who) + "/" + std::to_string(i);
                append_frame(ahead, request(echo, message_writer{}.data(1, word)));
                if (i % 50 == 49) append_frame(ahead, request(flush));
            }
            c.send(ahead);
        }};
        int wrong = 0;
        for (int i = 0; i < count; ++i) {
            auto const got = c.receive();
            if (!got || got->in.text(1) != std::to_string(who) + "/" + std::to_string(i)) ++wrong;
            if (i % 50 == 49 && c.receive()->tag != 3) ++wrong;
        }
        sender.join();
        return wrong;
    };
    std::atomic<int> wrong = 0;
    std::vector<std::thread> all{};
    for (int i = 0; i < 4; ++i) all.emplace_back([&, i] { wrong += chat(i); });
    for (auto& each : all) each.join();
    CHECK(wrong == 0);
}

TEST_CASE("server: connections that vanish anywhere leave the node as it was")
{
    guarded<moving_tally> app{people(4)};
    server<guarded<moving_tally>> node{app};
    auto const address = node.listen(unix_address());
    REQUIRE(address);
    socket_client stays{*address};
    REQUIRE(stays.call(init_request(as_bytes("x"))).tag == 6);
    auto const before = app.last();
    auto const me = person(0).self();
    bytes raw{};
    append_frame(raw, check_request(number(1)));
    append_frame(raw, block_request(process, {{lead_of(me), number(5)}, 1, 2000, me}));
    append_frame(raw, query_request("sum", {}));
    for (std::size_t cut = 0; cut <= raw.size(); cut += 3) {
        socket_client gone{*address};
        gone.send(bytes_view{raw}.first(cut));
    }
    CHECK(app.last() == before);
    CHECK(stays.call(request(echo, message_writer{}.data(1, "still here"))).in.text(1) ==
          "still here");
    CHECK(soon([&] { return node.connections() == 1; }));
}

TEST_CASE("server: an oversize or broken frame gets an exception and closes its connection alone")
{
    app::tally app{people(1)};
    server<app::tally> node{app};
    auto const address = node.listen(unix_address());
    REQUIRE(address);
    socket_client good{*address};
    for (auto const length : {std::size_t{11}, std::size_t{10}}) {
        socket_client bad{*address};
        bytes const raw(length, length == 11 ? std::byte{0xff} : std::byte{0x80});
        bad.send(raw);
        if (length == 10) bad.send(bytes(1, std::byte{2}));
        auto const said = bad.receive();
        REQUIRE(said);
        CHECK(said->refused());
        CHECK(!bad.receive());
    }
    CHECK(good.call(request(flush)).tag == 3);
}

TEST_CASE("server: more connections than allowed are closed, and there is room again afterwards")
{
    app::tally app{people(1)};
    server<app::tally> node{app};
    auto const address = node.listen(unix_address());
    REQUIRE(address);
    std::vector<std::unique_ptr<socket_client>> all{};
    for (std::size_t i = 0; i < endpoint::connections_max; ++i) {
        all.push_back(std::make_unique<socket_client>(*address));
        REQUIRE(all.back()->call(request(flush)).tag == 3);
    }
    socket_client over{*address};
    over.send_message(request(flush));
    CHECK(!over.receive());
    all.clear();
    CHECK(soon([&] {
        socket_client again{*address};
        again.send_message(request(flush));
        return again.receive().has_value();
    }));
}

TEST_CASE("server: it listens on TCP and on Unix sockets, and says why where it cannot")
{
    app::tally app{people(1)};
    server<app::tally> tcp{app};
    auto const address = tcp.listen("tcp://127.0.0.1:0");
    REQUIRE(address);
    REQUIRE(address->starts_with("tcp://127.0.0.1:"));
    auto const port = std::stoi(address->substr(address->rfind(':') + 1));
    int const fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(::connect(fd, reinterpret_cast<sockaddr const*>(&to), sizeof to) == 0);
    auto const hello = *from_hex("021200");
    CHECK(::send(fd, hello.data(), hello.size(), MSG_NOSIGNAL) == 3);
    bytes answer(3);
    CHECK(::recv(fd, answer.data(), answer.size(), MSG_WAITALL) == 3);
    CHECK(to_hex(answer) == "021a00");
    ::close(fd);

    app::tally second{people(1)};
    server<app::tally> busy{second};
    CHECK(!busy.listen(*address));
    for (auto const* where :
         {"", "tcp://", "tcp://127.0.0.1", "tcp://127.0.0.1:70000", "tcp://nowhere:1",
          "http://127.0.0.1:1", "unix://", "unix:///no/such/directory/socket"}) {
        auto const refused = busy.listen(where);
        REQUIRE(!refused);
        CHECK(refused.error().starts_with("cannot listen on "));
    }
    auto const place = unix_address();
    REQUIRE(busy.listen(place));
    busy.stop();
    REQUIRE(busy.listen(place));
}
