// SPDX-License-Identifier: Apache-2.0
#include <blendr/verify/referee.hpp>  // first: it stands alone

#include <doctest/doctest.h>

using namespace blendr;
using namespace blendr::verify;

static_assert(program_list<no_programs>);
static_assert(referee<no_programs>::id != contract::id);

TEST_CASE("referee: a chain that names no programs recomputes none")
{
    CHECK(no_programs::steps().find(hash256{}) == nullptr);
    CHECK(no_programs::steps().find(hash256{std::byte{1}}) == nullptr);
}

TEST_CASE("referee: showing a greater state costs more")
{
    show small{}, large{};
    large.state.resize(shown_state_max);
    CHECK(referee<no_programs>::gas(small) == 0);
    CHECK(referee<no_programs>::gas(large) > 1'000'000);
}
