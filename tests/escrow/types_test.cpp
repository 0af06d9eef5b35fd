// SPDX-License-Identifier: Apache-2.0
#include <blendr/escrow/types.hpp>  // first: it stands alone

#include <doctest/doctest.h>

using namespace blendr::escrow;

static_assert(bond_lost_for(fault::none) == 0);
static_assert(bond_lost_for(fault::wrong) == basis_points);

TEST_CASE("types: the graver the fault, the more of the bond it costs, and never more than all")
{
    for (auto const what : {fault::no_show, fault::late, fault::quit, fault::gone, fault::wrong}) {
        CHECK(bond_lost_for(what) > 0);
        CHECK(bond_lost_for(what) <= bond_lost_for(fault::wrong));
    }
    CHECK(bond_lost_for(fault::wrong) <= basis_points);
}
