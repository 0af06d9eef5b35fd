// SPDX-License-Identifier: Apache-2.0
#include <blendr/abci/host.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include "fixtures.hpp"

using namespace blendr;
using namespace blendr::abci;
using namespace blendr::abci::test;

TEST_CASE("host: an application without snapshots offers none and takes none")
{
    app::tally plain{people(1)};
    bound<app::tally> seen{plain};
    static_assert(!bound<app::tally>::gives_snapshots);
    CHECK(seen.snapshots().empty());
    CHECK(!seen.chunk(height{1}, 0));
    CHECK(!seen.offer({}, {}));
    CHECK(seen.restore(0, {}) == app::chunk_verdict::abandoned);
    CHECK(!seen.tip());
}

TEST_CASE("host: an application with snapshots is asked for them")
{
    moving_tally full{people(4)};
    bound<moving_tally> seen{full};
    static_assert(bound<moving_tally>::gives_snapshots);
    CHECK(seen.offer({height{3}, moving_tally::format, moving_tally::pieces, {}}, {}));
    CHECK(!seen.offer({height{3}, 1, 1, {}}, {}));
    CHECK(seen.restore(0, as_bytes("give up")) == app::chunk_verdict::abandoned);
}

TEST_CASE("host: a refused genesis comes with a sentence")
{
    moving_tally full{people(4)};
    bound<moving_tally> seen{full};
    CHECK(seen.init(as_bytes("refuse me")).error() == "the application refuses this app_state");
    CHECK(seen.init(as_bytes("genesis")).value() == people(4));
}
