// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/committed.hpp>  // first: it stands alone

#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include <ledger/shelf.hpp>

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

TEST_CASE("committed: rows that no block moves are seen as they are, in order")
{
    rows<registry<shelf>> state{1};
    auto& books = state.table<shelf::books>();
    for (std::uint32_t const number : {5U, 1U, 9U}) {
        auto const at = books.intern(number);
        books.row(at).pages = number * 10;
        books.changed(at);
    }
    committed_rows<registry<shelf>> const seen{state};
    CHECK(seen.row<shelf::books>(5).pages == 50);
    CHECK(seen.row<shelf::books>(6).pages == 0);
    std::vector<std::uint32_t> order{};
    auto const keep = [&](std::uint32_t number, auto const&) {
        order.push_back(number);
        return true;
    };
    seen.each<shelf::books>(keep);
    CHECK(order == std::vector<std::uint32_t>{1, 5, 9});
    order.clear();
    seen.each<shelf::books>(2, keep);
    CHECK(order == std::vector<std::uint32_t>{5, 9});
}
