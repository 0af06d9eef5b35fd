// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/sandbox.hpp>  // first: it stands alone

#include <array>

#include <doctest/doctest.h>

using namespace blendr;
using namespace blendr::ledger;

namespace {
auto const ada = crypto::address_of("test", as_bytes("ada"));
auto const bob = crypto::address_of("test", as_bytes("bob"));
}  // namespace

TEST_CASE("sandbox: a transaction's messages happen together or not at all, its fee and nonce stay")
{
    sandbox<bank> chain;
    chain.fund(ada, 10_blnd);
    auto const codes =
        chain.block({{ada, {bank::transfer{bob, 4_blnd}, bank::transfer{bob, 7_blnd}}, 1_blnd},
                     {ada, {bank::transfer{bob, 2_blnd}}, 1_blnd},
                     {bob, {bank::transfer{ada, 1_blnd}}, {}}});
    CHECK(codes == std::vector<std::uint32_t>{code<bank>(bank::error::poor), 0, 0});
    CHECK(chain.balance(ada) == 7_blnd);
    CHECK(chain.balance(bob) == 1_blnd);
    CHECK(chain.row<purses>(ada).nonce == 2);
}

TEST_CASE("sandbox: every block stands one higher and later, and a trial may set where")
{
    sandbox<bank> chain;
    auto const first = chain.next();
    CHECK(chain.block().empty());
    CHECK(chain.next().at == height{first.at.get() + 1});
    CHECK(chain.next().time > first.time);
    chain.next().at = height{500};
    chain.block();
    CHECK(chain.next().at == height{501});
    CHECK(chain.row<purses>(ada) == purses::row{});
}
