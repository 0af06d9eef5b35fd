// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/types.hpp>  // first: it stands alone

#include <concepts>
#include <limits>

#include <doctest/doctest.h>

using namespace blendr;
using namespace blendr::ledger;

namespace {
template <class A, class B>
concept added = requires(A a, B b) { a + b; };
template <class A, class B>
concept multiplied = requires(A a, B b) { a* b; };
}  // namespace

TEST_CASE("types: what means nothing does not compile, and gas at a price always fits")
{
    static_assert(!std::convertible_to<std::uint64_t, gas>);
    static_assert(!std::convertible_to<gas, std::uint64_t>);
    static_assert(added<gas, gas> && !added<gas_price, gas_price> && !added<chain_id, chain_id>);
    static_assert(!added<nonce, nonce>);
    static_assert(multiplied<gas, gas_price> && !multiplied<gas_price, gas_price>);
    static_assert(gas_price{3} * gas{5} == amount{15});
    static_assert(gas{5} * gas_price{3} == amount{15});
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    CHECK(gas{most} * gas_price{most} == amount{u128{most} * most});
}
