// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/shelf.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <fstream>

#include <support/support.hpp>

#include <blendr/crypto/cid.hpp>
#include <blendr/net/http.hpp>

using namespace blendr;

TEST_CASE("shelf: what was put is there under what it is, and damage is named")
{
    auto const dir = test::scratch("shelf") / "here";
    std::filesystem::remove_all(dir);
    auto const what = to_bytes(std::string_view{"a scene"});
    for (auto const& each : {std::shared_ptr{node::make_memory_shelf()},
                             std::shared_ptr{node::make_directory_shelf(dir)},
                             std::shared_ptr{node::make_shelf("dir:" + dir.string(), {})}}) {
        auto const name = each->put(what);
        REQUIRE(name);
        CHECK(*name == crypto::cid::of(what).digest());
        CHECK(each->put(what) == *name);
        CHECK(each->get(*name) == what);
        CHECK(!each->get(hash256{}));
    }
    for (auto const& file : std::filesystem::directory_iterator{dir})
        std::ofstream{file.path(), std::ios::app} << "!";
    auto const again = node::make_directory_shelf(dir);
    auto const bent = again->get(crypto::cid::of(what).digest());
    REQUIRE(!bent);
    CHECK(bent.error().find("damaged") != std::string::npos);
}

namespace {
/// A node that fetches a blob from its peers before it can give it.
struct fetching final : net::http_handler {
    net::http_reply on_request(net::http_request const&) override
    {
        if (++asked < 3) return {503, "text/plain", "it is being fetched from peers\n", true};
        return {200, "application/octet-stream", "from a peer", true};
    }
    std::string on_text(net::socket_id, std::string_view) override { return {}; }
    void on_closed(net::socket_id) override {}
    int asked = 0;
};
}  // namespace

TEST_CASE("shelf: what a node has to fetch from its peers is waited for")
{
    fetching behind{};
    net::http_server server{{}, behind};
    auto const there = node::make_node_shelf(*server.start());
    auto const got = there->get(crypto::cid::of(as_bytes("from a peer")).digest());
    REQUIRE(got);
    CHECK(*got == to_bytes(as_bytes("from a peer")));
    CHECK(behind.asked == 3);
    server.stop();
}
