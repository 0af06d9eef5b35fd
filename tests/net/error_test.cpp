// SPDX-License-Identifier: Apache-2.0
#include <blendr/net/error.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <set>

#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>

using namespace blendr;

TEST_CASE("error: every error has one sentence, and its group says whose fault it is")
{
    std::set<net::error> told{};
    for (auto const& each : net::error_texts) CHECK(told.insert(each.what).second);
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<net::error>>(
        [&](auto each) { CHECK(told.contains(each.value)); });
    CHECK(net::is_malice(net::error::wrong_seal));
    CHECK(!net::is_malice(net::error::wrong_chain));
    CHECK(!net::is_malice(net::error::closed));
    CHECK(message(net::error{999}) == "unknown network error");
}
