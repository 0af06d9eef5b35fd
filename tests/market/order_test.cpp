// SPDX-License-Identifier: Apache-2.0
#include <blendr/market/order.hpp>  // first: it stands alone

#include <doctest/doctest.h>

using namespace blendr;
using namespace blendr::market;

static_assert(opposite(side::buy) == side::sell && opposite(side::sell) == side::buy);
static_assert(book_sink<ignore_events>);
namespace {
struct throws {
    void operator()(trade const&) {}
    void operator()(removal const&) noexcept {}
};
}  // namespace
static_assert(!book_sink<throws>, "a sink that may throw would leave a book half changed");

TEST_CASE("order: what a caller does not set is the harmless choice")
{
    order const plain{};
    CHECK(plain.life == lifetime::resting);
    CHECK_FALSE(plain.market);
    CHECK(plain.expires == height::max());
    CHECK(plain.size == quantity{0});  // and refused until it is set
}
