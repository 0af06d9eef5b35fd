// SPDX-License-Identifier: Apache-2.0
#include <blendr/app/types.hpp>  // first: it stands alone

#include <doctest/doctest.h>

using namespace blendr;

namespace {

crypto::public_key key(int n)
{
    std::array<std::byte, 32> raw{};
    raw[0] = static_cast<std::byte>(n);
    return crypto::public_key::ed25519(raw);
}

}  // namespace

TEST_CASE("types: a set is well formed when sorted, without repetition, zero power or overflow")
{
    app::validator_set const good{{key(1), weight{3}}, {key(2), weight{4}}};
    CHECK(app::well_formed(good));
    CHECK(app::total_power(good) == weight{7});
    CHECK(app::well_formed({}));
    CHECK_FALSE(app::well_formed({{key(2), weight{1}}, {key(1), weight{1}}}));
    CHECK_FALSE(app::well_formed({{key(1), weight{1}}, {key(1), weight{1}}}));
    CHECK_FALSE(app::well_formed({{key(1), weight{0}}}));
    CHECK_FALSE(app::well_formed({{key(1), weight::max()}, {key(2), weight{1}}}));
}
