// SPDX-License-Identifier: Apache-2.0
// The kernels' parts, each against something independent: field arithmetic against multiprecision
// integers, SHA-512 and scalars against libsodium.
#include <crypto/lanes/kernels.hpp>

#include <array>
#include <cstring>
#include <vector>

#include <boost/multiprecision/cpp_int.hpp>
#include <doctest/doctest.h>
#include <sodium.h>

#include <blendr/core/random.hpp>
#include <crypto/lanes/scalar.hpp>
#include <support/support.hpp>

namespace {

using namespace blendr;
using namespace blendr::crypto;
using lanes::field_op;
using number = boost::multiprecision::cpp_int;

number const p = (number{1} << 255) - 19;

/// One element a lane, limb by limb, as kernels take them.
struct lane_elements {
    lanes::lane_kernels const& kernels;
    std::vector<std::uint64_t> words = std::vector<std::uint64_t>(kernels.limbs * kernels.lanes);

    std::uint64_t& limb(std::size_t lane, std::size_t i) { return words[i * kernels.lanes + lane]; }
    number value(std::size_t lane)
    {
        number sum = 0;
        for (std::size_t i = 0; i < kernels.limbs; ++i)
            sum += number{limb(lane, i)} << kernels.limb_bit[i];
        return sum;
    }
};

/// Limbs at their bounds, near them, at the ends of their bits, or random: whatever could overflow.
void pick(lane_elements& e, std::uint64_t const* bound, rng& random)
{
    for (std::size_t lane = 0; lane < e.kernels.lanes; ++lane) {
        auto const style = random.below(5);
        for (std::size_t i = 0; i < e.kernels.limbs; ++i) {
            std::uint64_t const most = bound[i];
            std::uint64_t limb = random.below(most + 1);
            if (style == 0) limb = most;
            if (style == 1) limb = random.chance(1, 2) ? most - random.below(3) : random.below(3);
            if (style == 2) limb = std::bit_floor(most) - random.below(40);
            if (style == 3 && random.chance(1, 2)) limb = random.chance(1, 2) ? 0 : most;
            e.limb(lane, i) = limb;
        }
    }
    if (random.chance(1, 8))  // p, p - 1, p + 1, 2p... as limbs: digits of a number near a multiple
        for (std::size_t lane = 0; lane < e.kernels.lanes; ++lane) {
            number n = p * random.below(2) + random.below(40);
            for (std::size_t i = 0; i < e.kernels.limbs; ++i) {
                unsigned const from = e.kernels.limb_bit[i];
                unsigned const to = i + 1 < e.kernels.limbs ? e.kernels.limb_bit[i + 1] : 255u;
                number const part = (n >> from) & ((number{1} << (to - from)) - 1);
                e.limb(lane, i) = static_cast<std::uint64_t>(part);
            }
        }
}

template <class F>
void on_lane_paths(F&& body)
{
    bool any = false;
    for (auto const path : every_cpu)
        if (auto const* const kernels = lanes::kernels_of(path)) {
            MESSAGE("path: " << name(path));
            body(*kernels);
            any = true;
        }
    if (!any) test::skip("this machine has no lanes");
}

}  // namespace

TEST_CASE("lanes: field arithmetic is exact up to the bounds of its limbs" *
          doctest::test_suite("property"))
{
    INFO("seed " << test::seed());
    on_lane_paths([](lanes::lane_kernels const& kernels) {
        rng random{test::seed()};
        std::size_t checked = 0;
        for (int round = 0; round < 1500; ++round) {
            for (auto const op :
                 {field_op::multiply, field_op::square, field_op::add, field_op::subtract,
                  field_op::canonical, field_op::invert, field_op::factors,
                  field_op::sums_of_products, field_op::negated_factor}) {
                if (op == field_op::invert && round % 30 != 0) continue;
                bool const product = op == field_op::multiply || op == field_op::square;
                auto const* const bound = product ? kernels.limb_usable : kernels.limb_tight;
                lane_elements a{kernels}, b{kernels}, out{kernels};
                pick(a, bound, random);
                pick(b, bound, random);
                kernels.field(op, a.words.data(), b.words.data(), out.words.data());
                for (std::size_t lane = 0; lane < kernels.lanes; ++lane) {
                    number const x = a.value(lane), y = b.value(lane), z = out.value(lane);
                    switch (op) {
                    case field_op::multiply:
                        REQUIRE((x * y - z) % p == 0);
                        break;
                    case field_op::square:
                        REQUIRE((x * x - z) % p == 0);
                        break;
                    case field_op::add:
                        REQUIRE((x + y - z) % p == 0);
                        break;
                    case field_op::subtract:
                        REQUIRE((x - y - z) % p == 0);
                        break;
                    case field_op::factors:
                        REQUIRE(((x - y) * (x + y) - z) % p == 0);
                        break;
                    case field_op::negated_factor:
                        REQUIRE((x * y + z) % p == 0);
                        break;
                    case field_op::sums_of_products:
                        REQUIRE((3 * x * y - 2 * y * y - z) % p == 0);
                        break;
                    case field_op::canonical:
                        REQUIRE(z == x % p);
                        break;
                    case field_op::invert:
                        REQUIRE(x * z % p == (x % p == 0 ? 0 : 1));
                        break;
                    }
                    for (std::size_t i = 0; i < kernels.limbs; ++i)
                        REQUIRE(out.limb(lane, i) <= kernels.limb_tight[i]);
                    ++checked;
                }
            }
        }
        MESSAGE(checked << " results compared");
    });
}

TEST_CASE("lanes: SHA-512 of R, A and a message is libsodium's, whatever the lengths")
{
    on_lane_paths([](lanes::lane_kernels const& kernels) {
        rng random{test::seed() + 1};
        std::vector<bytes> messages;
        for (std::size_t size = 0; size < 420; ++size) messages.emplace_back(size);
        for (std::size_t const size : {1000u, 65536u, 4096u, 65535u}) messages.emplace_back(size);
        for (std::size_t i = messages.size(); i > 1; --i)
            std::swap(messages[i - 1], messages[random.below(i)]);
        std::vector<std::array<std::byte, 64>> heads(messages.size());
        std::vector<lanes::challenge_input> in;
        for (std::size_t i = 0; i < messages.size(); ++i) {
            random.fill(messages[i]);
            random.fill(heads[i]);
            in.push_back({heads[i].data(), heads[i].data() + 32, messages[i]});
        }
        auto const check = [&](std::size_t first, std::size_t count) {
            std::vector<std::array<std::uint8_t, 64>> out(count);
            kernels.sha512(in.data() + first, count,
                           reinterpret_cast<std::uint8_t(*)[64]>(out.data()));
            for (std::size_t i = 0; i < count; ++i) {
                bytes whole(heads[first + i].begin(), heads[first + i].end());
                whole.insert(whole.end(), messages[first + i].begin(), messages[first + i].end());
                std::array<std::uint8_t, 64> expected{};
                crypto_hash_sha512(expected.data(),
                                   reinterpret_cast<unsigned char const*>(whole.data()),
                                   whole.size());
                REQUIRE(out[i] == expected);
            }
        };
        check(0, in.size());
        for (std::size_t count = 0; count < 20; ++count) check(3 * count, count);
    });
}

TEST_CASE("lanes: scalars are reduced as libsodium does, and their digits add up to them" *
          doctest::test_suite("property"))
{
    rng random{test::seed() + 2};
    auto const add_up = [](auto const& digits, unsigned bits) {
        number sum = 0;
        for (std::size_t i = std::size(digits); i-- > 0;) sum = (sum << bits) + int{digits[i]};
        return sum;
    };
    for (int round = 0; round < 20000; ++round) {
        std::uint8_t in[64];
        random.fill(std::as_writable_bytes(std::span{in}));
        if (round % 4 == 1) std::memset(in + random.below(64), round % 8 == 1 ? 0xff : 0, 1);
        if (round % 4 == 2) {
            auto const from = random.below(65);
            std::memset(in + from, random.chance(1, 2) ? 0xff : 0, 64 - from);
        }
        if (round % 4 == 3) {  // small multiples of the order, plus or minus little
            number const order =
                (number{1} << 252) + number{"27742317777372353535851937790883648493"};
            number n = order * random.below(~std::uint64_t{0}) + random.below(3);
            if (n > 0) n -= 1;
            for (auto& b : in) b = static_cast<std::uint8_t>(n & 255), n >>= 8;
        }
        std::uint64_t out[4];
        lanes::reduce(in, out);
        std::uint8_t expected[32];
        crypto_core_ed25519_scalar_reduce(expected, in);
        REQUIRE(std::memcmp(out, expected, 32) == 0);

        if (round > 2000) continue;
        number value = 0;
        for (std::size_t i = 4; i-- > 0;) value = (value << 64) + out[i];
        std::int8_t five[51], eight[32];
        lanes::to_digits<5>(out, five);
        lanes::to_digits<8>(out, eight);
        REQUIRE(add_up(five, 5) == value);
        REQUIRE(add_up(eight, 8) == value);
        for (auto const d : five) REQUIRE((d >= -16 && d <= 15));
        REQUIRE((five[50] >= 0 && eight[31] >= 0));
    }
}
