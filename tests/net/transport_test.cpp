// SPDX-License-Identifier: Apache-2.0
#include <blendr/net/transport.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <blendr/core/json.hpp>
#include <blendr/crypto/json.hpp>

using namespace blendr;

TEST_CASE("transport: what is known of a peer has a JSON form")
{
    net::peer_info p{};
    p.endpoint = "127.0.0.1:1";
    p.score = 3;
    auto const json = to_json(p);
    CHECK(json.at("endpoint").as_string() == "127.0.0.1:1");
    CHECK(json.at("score").to_number<int>() == 3);
}
