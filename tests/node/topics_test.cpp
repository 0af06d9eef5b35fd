// SPDX-License-Identifier: Apache-2.0
// What contracts do, as it reaches a WebSocket.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <blendr/bond/contract.hpp>
#include <blendr/core/json.hpp>
#include <blendr/escrow/contract.hpp>
#include <blendr/market/contract.hpp>
#include <blendr/net/book.hpp>
#include <blendr/node/rpc.hpp>
#include <blendr/node/standard_chain.hpp>

#include "common.hpp"

using namespace blendr;
using namespace blendr::test;

namespace {

/// A WebSocket as a browser has it, as far as short texts go.
class listener {
public:
    explicit listener(std::string const& where)
    {
        auto const to = *net::parse_contact(where);
        fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(to.port);
        ::inet_pton(AF_INET, to.host.c_str(), &at.sin_addr);
        REQUIRE(::connect(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
        timeval const limit{0, 100'000};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        put("GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
        REQUIRE(eventually([&] {
            fill();
            return in_.find("\r\n\r\n") != in_.npos;
        }));
        in_.erase(0, in_.find("\r\n\r\n") + 4);
    }
    ~listener() { ::close(fd_); }
    listener(listener const&) = delete;
    listener& operator=(listener const&) = delete;

    void say(std::string const& text)  // under a mask of zeros
    {
        REQUIRE(text.size() < 126);
        put(std::string{'\x81', static_cast<char>(0x80 | text.size())} + std::string(4, '\0') +
            text);
    }
    /// The next text, if there is one within a tenth of a second.
    std::string next()
    {
        fill();
        std::size_t head = 2;
        if (in_.size() < head) return {};
        std::size_t size = static_cast<unsigned char>(in_[1]) & 0x7f;
        auto const wide = size == 126 ? 2U : size == 127 ? 8U : 0U;
        head += wide;
        if (in_.size() < head) return {};
        if (wide != 0) size = 0;
        for (std::size_t i = 0; i < wide; ++i)
            size = size << 8 | static_cast<unsigned char>(in_[2 + i]);
        if (in_.size() < head + size) return {};
        auto out = in_.substr(head, size);
        in_.erase(0, head + size);
        return out;
    }

private:
    void put(std::string const& raw)
    {
        REQUIRE(::send(fd_, raw.data(), raw.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(raw.size()));
    }
    void fill()
    {
        std::array<char, 65536> buffer{};
        auto const n = ::recv(fd_, buffer.data(), buffer.size(), 0);
        if (n > 0) in_.append(buffer.data(), static_cast<std::size_t>(n));
    }
    int fd_ = -1;
    std::string in_{};
};

constexpr market::instrument spot{market::device_class{1}, market::hour{0}};

bytes genesis_with_a_market()
{
    ledger::genesis out{};
    out.chain = ledger::chain_id{7};
    out.accounts.push_back({person(99).account(), 1'000_blnd});
    out.accounts.push_back({person(100).account(), out.money.premine - 1'000_blnd});
    auto const voter = person(1);
    out.validators.push_back(
        {voter.self(), weight{1}, crypto::vrf_secret_key::of(voter.key()).self()});
    out.sections.push_back(ledger::section<market::contract>(
        {{{market::device_class{1}, {1, 1, 1, 1}, price{10}}}, {}}));
    return encode(out);
}

struct sender {
    crypto::identity me;
    std::uint64_t nonce = 0;

    template <class Contract, class Message>
    bytes say(Message const& what)
    {
        ledger::transaction tx{};
        tx.chain = ledger::chain_id{7};
        tx.sequence = ledger::nonce{nonce++};
        tx.fee_max = 1_blnd;
        tx.expires = height{10'000};
        tx.messages.push_back(ledger::wrap<Contract>(what));
        ledger::sign(tx, me);
        return encode(tx);
    }
};

market::contract::place order(market::side way, std::uint64_t client_id)
{
    market::contract::place out{};
    out.of = spot;
    out.way = way;
    out.client_id = client_id;
    out.size = quantity{2};
    out.limit = price{1'000};
    out.expires = height{5'000};
    out.rounds = 5;
    if (way == market::side::sell) out.hours = 1;
    return out;
}

}  // namespace

TEST_CASE("topics: orders, trades, agreements, jobs and providers reach who subscribed to them")
{
    node::node_parts parts{{},
                           person(1),
                           genesis_with_a_market(),
                           node::standard_chain(),
                           node::engine_registry::standard(),
                           {},
                           quiet()};
    parts.with.home.clear();
    parts.with.consensus = "solo";
    parts.with.engine.interval_ms = 20;
    parts.with.threads = 1;
    auto const on = *node::node::start(std::move(parts));
    node::rpc_server rpc{*on};
    listener all{*rpc.start()};
    auto const call = [&](std::string const& topic) {
        all.say(R"({"jsonrpc":"2.0","id":1,"method":"subscribe","params":[")" + topic + "\"]}");
        std::string got{};
        REQUIRE(eventually([&] { return !(got = all.next()).empty(); }));
        return got;
    };
    // all that the OpenRPC document names can be subscribed to, and nothing else
    auto const document = node::rpc_server::openrpc();
    std::size_t topics = 0;
    for (auto const& each : document.at("x-topics").as_array()) {
        std::string const name{each.at("name").as_string()};
        ++topics;
        if (name != "blocks" && name != "transactions")
            CHECK(call(name).find("true") != std::string::npos);
    }
    CHECK(topics == 7);
    auto const refused = call("weather");
    CHECK(refused.find("-32602") != std::string::npos);
    CHECK(refused.find("agreements") != std::string::npos);

    sender seller{person(100)}, buyer{person(99)};
    auto const give = [&](bytes const& raw) { REQUIRE(on->submit(raw)); };
    market::device_key const device{seller.me.account(), 0};
    give(seller.say<market::contract>(market::contract::enrol{
        0, market::device_class{1},
        std::string{"vendor=nvidia, vram=24_GiB, fp32=80, memory=60, integer=50"}}));
    give(seller.say<bond::contract>(
        bond::contract::lock_provider{market::bond_of(device).id, 1'000_blnd}));
    give(seller.say<market::contract>(order(market::side::sell, 1)));
    give(buyer.say<market::contract>(order(market::side::buy, 2)));
    escrow::order what{};
    what.items = 6'000;
    what.units = 6;
    what.cap = price{100'000'000};
    what.bond = 1_blnd;
    what.search_within = 60;
    what.start_within = 5;
    what.run_within = 16;
    what.window = 3;
    what.grace = 10;
    give(buyer.say<escrow::contract>(escrow::contract::submit{1, what, 1_blnd, what.cap}));

    std::map<std::string, std::vector<boost::json::value>> seen{};
    bool over = false;
    CHECK(eventually(
        [&] {
            for (auto line = all.next(); !line.empty(); line = all.next()) {
                auto const said = parse_json(line);
                REQUIRE(said);
                auto const& params = said->at("params");
                std::string const topic{params.at("topic").as_string()};
                seen[topic].push_back(params.at("event"));
                // nobody takes the job: it ends by its deadline, without any message
                if (topic == "jobs" && !params.at("event").at("progress").at("known").as_bool())
                    over = true;
            }
            return over && !seen["trades"].empty();
        },
        30'000));
    CHECK(seen["orders"].size() == 2);
    CHECK(seen["agreements"].size() == 1);
    CHECK(seen["agreements"][0].at("message").as_object().contains("escrow.submit"));
    REQUIRE(seen["jobs"].size() >= 2);
    CHECK(seen["jobs"][0].at("progress").at("listed").to_number<int>() == 6);
    REQUIRE_FALSE(seen["providers"].empty());
    CHECK(seen["providers"][0].at("present").as_bool());
    CHECK(seen["providers"][0].at("engaged").at("state").as_string() == "idle");
    REQUIRE_FALSE(seen["trades"].empty());
    CHECK(seen["trades"][0].at("trade").at("volume").to_number<int>() == 2);
    rpc.stop();
    on->stop();
}
