// SPDX-License-Identifier: Apache-2.0
#include <blendr/core/strong.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <concepts>
#include <limits>
#include <type_traits>
#include <unordered_set>

using namespace blendr;

namespace {

struct order_id_tag {
    static constexpr auto rules = arithmetic::none;
};
using order_id = strong<order_id_tag>;

template <class A, class B>
concept adds = requires(A a, B b) { a + b; };
template <class A, class B>
concept subtracts = requires(A a, B b) { a - b; };

static_assert(!std::convertible_to<std::uint64_t, height> &&
              !std::convertible_to<height, std::uint64_t>);
static_assert(!adds<order_id, order_id> && !adds<order_id, std::uint64_t>);
static_assert(!adds<height, height> && adds<height, std::uint64_t>);
static_assert(std::same_as<decltype(height{9} - height{4}), std::uint64_t>);
static_assert(adds<weight, weight> && !adds<weight, height> && !subtracts<weight, quantity>);
static_assert(!std::equality_comparable_with<height, weight>);
static_assert(sizeof(height) == 8 && std::is_trivially_copyable_v<height>);

}  // namespace

TEST_CASE("strong: points move by distances and differ by them")
{
    CHECK(height{4} + std::uint64_t{3} == height{7});
    CHECK(height{7} - height{4} == 3);
    CHECK(time_ms{5} - std::int64_t{9} == time_ms{-4});
    height at{1};
    CHECK(++at == height{2});
    CHECK(later(height{4}, 3) == height{7});
    CHECK(later(height{4}, std::numeric_limits<std::uint64_t>::max()) == height::max());
}

TEST_CASE("strong: what does not fit is nothing when asked by name")
{
    auto const most = std::numeric_limits<std::uint64_t>::max();
    CHECK_FALSE(add(weight{most}, weight{1}).has_value());
    CHECK(add(weight{most - 1}, weight{1}) == weight::max());
    CHECK_FALSE(sub(quantity{1}, quantity{2}).has_value());
    CHECK(sub(quantity{2}, quantity{2}) == quantity{0});
    CHECK_FALSE(add(height{most}, std::uint64_t{1}).has_value());
}

TEST_CASE("strong: two quorums always share more than a third")
{
    CHECK(quorum_of(weight{1}) == weight{1});
    CHECK(quorum_of(weight{3}) == weight{3});
    CHECK(quorum_of(weight{4}) == weight{3});
    CHECK(quorum_of(weight{100}) == weight{67});
    for (std::uint64_t total = 1; total < 3000; ++total) {
        auto const quorum = quorum_of(weight{total}).get();
        auto const faulty = (total - 1) / 3;
        REQUIRE(quorum <= total - faulty);          // the honest alone can form one
        REQUIRE(2 * quorum >= total + faulty + 1);  // any two share an honest member
    }
    auto const most = std::numeric_limits<std::uint64_t>::max();
    CHECK(quorum_of(weight::max()).get() == most - (most - 1) / 3);
}

TEST_CASE("strong: ids can be keys of a hash table")
{
    std::unordered_set<order_id> seen{order_id{4}, order_id{4}, order_id{5}};
    CHECK(seen.size() == 2);
}
