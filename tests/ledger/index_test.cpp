// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/index.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <blendr/ledger/bank.hpp>
#include <ledger/shelf.hpp>

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

static_assert(follows<shelf::index, shelf::books>);
static_assert(!follows<shelf::index, purses>);
static_assert(indexed<shelf> && !indexed<bank>);

TEST_CASE("index: it is made of the rows that are there, and of nothing that was before")
{
    rows<registry<bank, shelf>> state{1};
    indexes<registry<bank, shelf>> all{};
    auto& books = state.table<shelf::books>();
    books.row(books.intern(3)).pages = 30;
    books.row(books.intern(4)).pages = 30;
    books.intern(5);
    all.rebuild(state);
    CHECK(all.of<shelf>().by_pages == std::map<std::uint64_t, std::uint64_t>{{30, 2}});
    books.row(books.intern(4)).pages = 40;
    all.rebuild(state);
    CHECK(all.of<shelf>().by_pages == std::map<std::uint64_t, std::uint64_t>{{30, 1}, {40, 1}});
}
