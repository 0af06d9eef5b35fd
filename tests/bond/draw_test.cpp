// SPDX-License-Identifier: Apache-2.0
#include <blendr/bond/draw.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace blendr;
using namespace blendr::bond;

namespace {
crypto::address who(unsigned i) { return crypto::address{hash256{std::byte(i)}}; }
}  // namespace

TEST_CASE("draw: an owner of many bonds is drawn once, and the excluded never")
{
    std::vector<weight> const weights(12, weight{10});
    std::vector<crypto::address> owners;
    for (unsigned i = 0; i < 12; ++i) owners.push_back(who(i < 8 ? 1 : i));  // 8 of one owner
    crypto::address const excluded[] = {who(9)};
    for (unsigned s = 0; s < 200; ++s) {
        auto const drawn = draw_owners(hash256{std::byte(s)}, weights, owners, excluded, 4);
        CHECK(drawn.size() == 4);  // owners 1, 8, 10, 11
        for (std::size_t i = 0; i < drawn.size(); ++i) {
            CHECK(owners[drawn[i]] != who(9));
            for (std::size_t k = 0; k < i; ++k) CHECK(owners[drawn[i]] != owners[drawn[k]]);
        }
        CHECK(draw_owners(hash256{std::byte(s)}, weights, owners, excluded, 9).size() == 4);
    }
    CHECK(draw_owners({}, {}, {}, {}, 3).empty());
}

TEST_CASE("draw: who asks for more gets the same ones first")
{
    std::vector<weight> const weights{weight{3}, weight{9}, weight{1}, weight{4}, weight{0}};
    auto const all = draw(hash256{std::byte{5}}, weights, 9);
    CHECK(all.size() == 4);
    for (std::uint32_t n = 0; n < 4; ++n) {
        auto const some = draw(hash256{std::byte{5}}, weights, n);
        CHECK(std::equal(some.begin(), some.end(), all.begin()));
    }
}
