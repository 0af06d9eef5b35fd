// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/shelf.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <fstream>

#include <support/support.hpp>

#include <blendr/crypto/cid.hpp>

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
