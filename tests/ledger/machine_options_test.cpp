// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/machine_options.hpp>  // first: it stands alone

#include <doctest/doctest.h>

using namespace blendr::ledger;

TEST_CASE("machine_options: by default a node keeps nothing on disk and hands out no snapshots")
{
    machine_options const plain{};
    CHECK(plain.store == nullptr);
    CHECK(plain.snapshot_every == 0);
    CHECK_FALSE(plain.proposer.has_value());
}
