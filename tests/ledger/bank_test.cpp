// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/bank.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <blendr/ledger/message.hpp>
#include <blendr/ledger/sandbox.hpp>
#include <support/vectors.hpp>

using namespace blendr;
using namespace blendr::ledger;

namespace {
address who(std::string_view name) { return crypto::address_of("test", as_bytes(name)); }
auto const ada = who("ada");
auto const bob = who("bob");
auto const cleo = who("cleo");
constexpr auto code_of(bank::error why) { return code<bank>(why); }
}  // namespace

TEST_CASE("bank: a transfer moves money, and no more than there is")
{
    sandbox<bank> chain;
    chain.fund(ada, 10_blnd);
    CHECK(chain.call(ada, bank::transfer{bob, 4_blnd}) == 0);
    CHECK(chain.call(bob, bank::transfer{cleo, 5_blnd}) == code_of(bank::error::poor));
    CHECK(chain.call(bob, bank::transfer{cleo, 0_blnd}) == code_of(bank::error::nothing));
    CHECK(chain.balance(ada) == 6_blnd);
    CHECK(chain.balance(bob) == 4_blnd);
    CHECK(chain.balance(cleo) == 0_blnd);
}

TEST_CASE("bank: to oneself, a transfer changes nothing, and still needs the money")
{
    sandbox<bank> chain;
    chain.fund(ada, 10_blnd);
    CHECK(chain.call(ada, bank::transfer{ada, 10_blnd}) == 0);
    CHECK(chain.call(ada, bank::transfer{ada, 11_blnd}) == code_of(bank::error::poor));
    CHECK(chain.balance(ada) == 10_blnd);
}

TEST_CASE("bank: a multi-send pays all or nobody, also when the sum does not fit")
{
    sandbox<bank> chain;
    chain.fund(ada, 10_blnd);
    CHECK(chain.call(ada, bank::multi_send{{{{bob, 4_blnd}, {cleo, 5_blnd}, {bob, 1_blnd}}}}) == 0);
    CHECK(chain.balance(bob) == 5_blnd);
    CHECK(chain.balance(cleo) == 5_blnd);
    CHECK(chain.call(bob, bank::multi_send{{{{ada, 5_blnd}, {cleo, 1_grains}}}}) ==
          code_of(bank::error::poor));
    CHECK(chain.call(bob, bank::multi_send{{{{ada, amount::max()}, {cleo, amount::max()}}}}) ==
          code_of(bank::error::poor));
    CHECK(chain.call(bob, bank::multi_send{}) == code_of(bank::error::nothing));
    CHECK(chain.balance(bob) == 5_blnd);
}

TEST_CASE("bank: money received earlier in a block can be spent later in it")
{
    sandbox<bank> chain;
    chain.fund(ada, 3_blnd);
    auto const codes = chain.block({{bob, {bank::transfer{cleo, 1_blnd}}},
                                    {ada, {bank::transfer{bob, 3_blnd}}},
                                    {bob, {bank::transfer{cleo, 2_blnd}}},
                                    {cleo, {bank::transfer{ada, 2_blnd}}}});
    CHECK(codes == std::vector<std::uint32_t>{code_of(bank::error::poor), 0, 0, 0});
    CHECK(chain.balance(ada) == 2_blnd);
    CHECK(chain.balance(bob) == 1_blnd);
}

TEST_CASE("bank: messages of one transaction happen all together or not at all")
{
    sandbox<bank> chain;
    chain.fund(ada, 3_blnd);
    auto const codes =
        chain.block({{ada, {bank::transfer{bob, 2_blnd}, bank::transfer{cleo, 2_blnd}}, 1_grains}});
    CHECK(codes == std::vector<std::uint32_t>{code_of(bank::error::poor)});
    CHECK(chain.balance(bob) == 0_blnd);
    CHECK(chain.balance(ada) == 3_blnd - 1_grains);
    CHECK(chain.row<purses>(ada).nonce == 1);
}

TEST_CASE("bank: its messages and rows are frozen")
{
    auto const sent = [](auto const& message) { return encode(wrap<bank>(message)); };
    CHECK(blendr::test::differs_from_frozen(
              "ledger/bank.txt",
              {{"transfer", sent(bank::transfer{bob, 3_blnd})},
               {"multi_send", sent(bank::multi_send{{{{bob, 1_blnd}, {cleo, 2_blnd}}}})},
               {"purse", encode(purses::row{7_blnd, 9})}}) == "");
}
