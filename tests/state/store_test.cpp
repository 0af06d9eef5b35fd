// SPDX-License-Identifier: Apache-2.0
#include <blendr/state/store.hpp>  // first: it stands alone

#include <doctest/doctest.h>

namespace {

using namespace blendr;
using namespace blendr::state;

bytes_view b(std::string_view text) { return as_bytes(text); }

TEST_CASE("memory_store: a batch is written whole, and read back in key order")
{
    memory_store s;
    CHECK_FALSE(s.durable());
    REQUIRE(s.write(std::vector<row_change>{{b("a"), b("1")}, {b("b"), b("2")}, {b("c"), b("3")}},
                    height{1}));
    REQUIRE(s.write(std::vector<row_change>{{b("b"), std::nullopt}, {b("d"), b("4")}}, height{2}));
    CHECK(s.durable() == height{2});
    CHECK(s.get(b("a")).value() == to_bytes("1"));
    CHECK(s.get(b("b")).value() == std::nullopt);
    std::string seen;
    auto const collect = [&](bytes_view key, bytes_view value) {
        seen += std::string{as_text(key)} + std::string{as_text(value)} + " ";
        return true;
    };
    REQUIRE(s.scan({}, {}, collect));
    CHECK(seen == "a1 c3 d4 ");
    seen.clear();
    REQUIRE(s.scan(b("b"), b("d"), collect));
    CHECK(seen == "c3 ");
    CHECK(s.check());
}

TEST_CASE("memory_store: a height that goes back is refused and changes nothing")
{
    memory_store s;
    REQUIRE(s.write({}, height{5}));
    auto const refused = s.write(std::vector<row_change>{{b("a"), b("1")}}, height{4});
    CHECK(refused.error().what == io_fault::misplaced);
    CHECK(s.get(b("a")).value() == std::nullopt);
    CHECK(s.durable() == height{5});
}

TEST_CASE("io_error: says where and what")
{
    CHECK(message(io_error{io_fault::corrupt, "log/00000007.seg, byte 4096"}) ==
          "log/00000007.seg, byte 4096: its content is damaged");
}

}  // namespace
