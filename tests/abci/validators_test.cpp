// SPDX-License-Identifier: Apache-2.0
#include <blendr/abci/validators.hpp>  // first: it stands alone

#include <map>

#include <doctest/doctest.h>

#include <blendr/core/random.hpp>
#include <support/support.hpp>

using namespace blendr;
using namespace blendr::abci;

namespace {

crypto::public_key key(std::uint64_t n)
{
    std::array<std::byte, 32> raw{};
    raw[0] = static_cast<std::byte>(n >> 8);
    raw[1] = static_cast<std::byte>(n);
    return crypto::public_key::ed25519(raw);
}

}  // namespace

TEST_CASE("validators: an address is the first 20 bytes of the key's SHA-256")
{
    auto const raw = from_hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    auto const known = crypto::public_key::from(1, *raw).value();
    CHECK(to_hex(short_address_of(known)) == "21fe31dfa154a261626bf854046fd2271b7bed4b");
}

TEST_CASE("validators: changes lead from one set to the other and name nobody else" *
          doctest::test_suite("property"))
{
    rng random{blendr::test::seed()};
    INFO("seed ", blendr::test::seed());
    auto const draw = [&] {
        app::validator_set out{};
        for (std::uint64_t i = 0; i < 40; ++i)
            if (random.chance(1, 2)) out.push_back({key(i), weight{random.between(1, 3)}});
        return out;
    };
    for (int run = 0; run < 300; ++run) {
        auto const from = draw();
        auto const to = draw();
        std::map<crypto::public_key, std::uint64_t> told{};
        for (auto const& each : from) told[each.key] = each.power.get();
        for (auto const& each : changes(from, to)) {
            if (each.power == 0) {
                CHECK(told.erase(each.key) == 1);  // nobody goes who was not there
            } else {
                CHECK(told[each.key] != each.power);
                told[each.key] = each.power;
            }
        }
        app::validator_set reached{};
        for (auto const& [who, power] : told) reached.push_back({who, weight{power}});
        CHECK(reached == to);
        CHECK(changes(to, to).empty());
    }
}

TEST_CASE("validators: weights that CometBFT cannot add up are halved alike")
{
    app::validator_set const small{{key(1), weight{5}}, {key(2), weight{power_sum_max - 5}}};
    CHECK(as_powers(small) == small);
    app::validator_set const great{{key(1), weight{1}}, {key(2), weight{power_sum_max}}};
    CHECK(as_powers(great) ==
          app::validator_set{{key(1), weight{1}}, {key(2), weight{power_sum_max / 2}}});
    app::validator_set const all{{key(1), weight{~std::uint64_t{0} - 9}}, {key(2), weight{8}}};
    auto const shown = as_powers(all);
    CHECK(total_power(shown).get() <= power_sum_max);
    CHECK(shown[1].power == weight{1});
    CHECK(shown[0].power.get() == (~std::uint64_t{0} - 9) >> 5);
}
