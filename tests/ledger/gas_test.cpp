// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/gas.hpp>  // first: it stands alone

#include <doctest/doctest.h>

using namespace blendr::ledger;

namespace {
struct heavy {
    std::uint64_t steps{};
};
struct light {};
struct worker {
    static std::uint64_t gas(heavy const& m) { return 7 * m.steps; }
};
}  // namespace

TEST_CASE("gas: a contract may ask more for a message, never less than any message weighs")
{
    static_assert(weighs_itself<worker, heavy> && !weighs_itself<worker, light>);
    auto const any = default_weights.message;
    CHECK(message_gas<worker>(light{}) == any);
    CHECK(message_gas<worker>(heavy{}) == any);
    CHECK(message_gas<worker>(heavy{100}) == any + 700);
}

TEST_CASE("gas: the weights are consensus, and do not change unnoticed")
{
    static_assert(default_weights.transaction == 6'000);
    static_assert(default_weights.byte == 4);
    static_assert(default_weights.message == 50);
    static_assert(default_weights.row == 900);
    CHECK(default_weights.transaction > 0);
}
