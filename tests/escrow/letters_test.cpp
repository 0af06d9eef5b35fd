// SPDX-License-Identifier: Apache-2.0
#include <blendr/escrow/letters.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <cstdint>

#include <blendr/bond/contract.hpp>
#include <blendr/ledger/message.hpp>
#include <blendr/ledger/sandbox.hpp>
#include <blendr/verify/contract.hpp>
#include <support/vectors.hpp>

using namespace blendr;
using namespace blendr::escrow;

namespace {

using bonds = bond::contract;
using checks = verify::contract;
using reason = letter_error;

ledger::address who(int n) { return crypto::address_of("test", encode(n)); }
crypto::sealing_public_key key(int n)
{
    crypto::sealing_public_key out{};
    out.raw[0] = static_cast<std::byte>(n);
    return out;
}
hash256 blob(int n) { return hash256{static_cast<std::byte>(n)}; }
constexpr std::uint32_t code(reason why) { return ledger::code<letters>(why); }

struct town : ledger::sandbox<ledger::bank, bonds, checks, letters> {
    town()
    {
        genesis<bonds>({});
        genesis<checks>({});
        for (int n = 0; n < 6; ++n) fund(who(n), 1'000_blnd);
    }
    void enlist(int n, int device)
    {
        bond::subject const which{bond::purpose::provider, blob(10 * n + device + 1)};
        REQUIRE(call(who(n), bonds::lock_provider{which.id, 200_blnd}) == 0);
        REQUIRE(call(who(n), checks::enlist{which}) == 0);
    }
    hash256 letter(int n, std::uint64_t number) const
    {
        return row<letter_of>({who(n), number}).blob;
    }
    std::uint32_t left(int n) const { return row<boxes>(who(n)).left; }
};

}  // namespace

TEST_CASE("letters: one is left, replaced and withdrawn, by its owner and under its number alone")
{
    town chain;
    CHECK(chain.call(who(0), letters::leave{7, hash256{}}) == code(reason::no_letter));
    CHECK(chain.call(who(0), letters::withdraw{7}) == code(reason::no_letter));
    CHECK(chain.call(who(0), letters::leave{7, blob(1)}) == 0);
    CHECK(chain.call(who(0), letters::leave{8, blob(2)}) == 0);
    CHECK(chain.call(who(1), letters::leave{7, blob(3)}) == 0);
    CHECK(chain.call(who(0), letters::leave{7, blob(4)}) == 0);
    CHECK(chain.letter(0, 7) == blob(4));
    CHECK(chain.letter(0, 8) == blob(2));
    CHECK(chain.letter(1, 7) == blob(3));
    CHECK(chain.left(0) == 2);
    CHECK(chain.call(who(0), letters::withdraw{7}) == 0);
    CHECK(chain.call(who(0), letters::withdraw{7}) == code(reason::no_letter));
    CHECK(chain.letter(0, 7) == hash256{});
    CHECK(chain.letter(1, 7) == blob(3));
    CHECK(chain.left(0) == 1);
}

TEST_CASE("letters: an account has no more of them out than it may")
{
    town chain;
    for (std::uint64_t n = 0; n < letters::most; ++n)
        REQUIRE(chain.call(who(0), letters::leave{n, blob(1)}) == 0);
    CHECK(chain.call(who(0), letters::leave{letters::most, blob(1)}) == code(reason::too_many));
    CHECK(chain.call(who(0), letters::leave{3, blob(2)}) == 0);  // replaces one
    CHECK(chain.call(who(1), letters::leave{letters::most, blob(1)}) == 0);
    CHECK(chain.call(who(0), letters::withdraw{5}) == 0);
    CHECK(chain.call(who(0), letters::leave{letters::most, blob(1)}) == 0);
    CHECK(chain.left(0) == letters::most);
}

TEST_CASE("letters: a box keeps its owner's key until there is another, and letters beside it")
{
    town chain;
    CHECK(chain.call(who(0), letters::publish{{}}) == code(reason::no_key));
    CHECK(chain.call(who(0), letters::leave{1, blob(1)}) == 0);
    CHECK(chain.call(who(0), letters::publish{key(1)}) == 0);
    CHECK(chain.call(who(0), letters::publish{key(2)}) == 0);
    CHECK(chain.row<boxes>(who(0)) == boxes::row{key(2), 1});
    CHECK(chain.row<boxes>(who(1)) == boxes::row{});
}

TEST_CASE(
    "letters: readers are enlisted workers with a box, each once, no more than were asked for")
{
    town chain;
    for (int n = 1; n < 5; ++n) REQUIRE(chain.call(who(n), letters::publish{key(n)}) == 0);
    chain.enlist(1, 0);
    chain.enlist(1, 1);
    chain.enlist(2, 0);
    chain.enlist(5, 0);  // no box
    auto const all = chain.ask(letters::readers{10}).value();
    REQUIRE(all.size() == 2);
    for (auto const& each : all)
        CHECK((each.who == who(1) ? each.to == key(1) : each.who == who(2) && each.to == key(2)));
    CHECK(all[0].who != all[1].who);
    CHECK(chain.ask(letters::readers{1}).value().size() == 1);
}

TEST_CASE("letters: every error has a sentence of its own")
{
    for (auto const a : {reason::ok, reason::no_key, reason::no_letter, reason::too_many})
        for (auto const b : {reason::ok, reason::no_key, reason::no_letter, reason::too_many})
            CHECK((message(a) == message(b)) == (a == b));
    CHECK(message(static_cast<reason>(99)) == "unknown reason");
}

TEST_CASE("letters: encodings are frozen")
{
    auto const sent = []<class M>(M const& m) { return encode(ledger::wrap<letters>(m)); };
    CHECK(test::differs_from_frozen("escrow/letters.txt",
                                    {{"publish", sent(letters::publish{key(3)})},
                                     {"leave", sent(letters::leave{5, blob(9)})},
                                     {"withdraw", sent(letters::withdraw{5})},
                                     {"box", encode(boxes::row{key(3), 2})},
                                     {"letter", encode(letter_of::row{blob(9)})},
                                     {"name", encode(letter_of::key{who(1), 5})}}) == "");
}
