// SPDX-License-Identifier: Apache-2.0
#include <blendr/sim/mock_app.hpp>

#include <doctest/doctest.h>

using namespace blendr;

TEST_CASE("mock_app: proposes on what it knows, and tells a host that asks too early")
{
    sim::mock_app app{{}, 64, 1};
    app::proposal_context const first{{}, height{1}, time_ms{1}, {}};
    auto const payload = app.propose(first, 1'000);
    REQUIRE(payload);
    CHECK(app.verify(first, {std::byte{1}}, *payload) == app::verdict::valid);
    app::proposal_context const second{{std::byte{2}}, height{2}, time_ms{2}, {}};
    CHECK(!app.propose(second, 1'000));
    CHECK(!app.verify(second, {std::byte{3}}, *payload));
    auto bad = *payload;
    bad[16] = std::byte{1};
    CHECK(app.verify(first, {std::byte{4}}, bad) == app::verdict::invalid);
}
