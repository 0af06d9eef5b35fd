// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/freivalds.hpp>

#include <array>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include <blendr/core/codec.hpp>
#include <blendr/core/random.hpp>
#include <support/support.hpp>
#include <support/vectors.hpp>

using namespace blendr;
using namespace blendr::crypto;
using kind = product_error::kind;

namespace {

template <class T>
struct matrix {
    std::size_t rows{};
    std::size_t columns{};
    std::vector<T> data{};

    matrix(std::size_t r, std::size_t c) : rows{r}, columns{c}, data(r * c) {}
    T& at(std::size_t r, std::size_t c) { return data[r * columns + c]; }
    T const& at(std::size_t r, std::size_t c) const { return data[r * columns + c]; }
    matrix_view<T> view() const { return {data, rows, columns}; }
};

hash256 seed_of(std::uint64_t number)
{
    hash256 out{};
    rng{number}.fill(out);
    return out;
}

/// The product as it is defined, over a field.
template <class Field>
matrix<std::uint64_t> product(matrix<std::uint64_t> const& a, matrix<std::uint64_t> const& b)
{
    matrix<std::uint64_t> c{a.rows, b.columns};
    for (std::size_t i = 0; i < a.rows; ++i)
        for (std::size_t j = 0; j < b.columns; ++j)
            for (std::size_t k = 0; k < a.columns; ++k)
                c.at(i, j) = static_cast<std::uint64_t>(
                    (u128{a.at(i, k)} * b.at(k, j) + c.at(i, j)) % Field::modulus);
    return c;
}

template <class Field>
matrix<std::uint64_t> any(rng& random, std::size_t rows, std::size_t columns)
{
    matrix<std::uint64_t> out{rows, columns};
    for (auto& each : out.data)
        each = random.chance(1, 8) ? Field::modulus - 1 : random.below(Field::modulus);
    return out;
}

template <class Field>
void products_pass_and_changes_are_found(rng& random, int runs, std::uint32_t rounds)
{
    for (int run = 0; run < runs; ++run) {
        auto const a = any<Field>(random, random.between(1, 20), random.between(1, 150));
        auto const b = any<Field>(random, a.columns, random.between(1, 20));
        auto c = product<Field>(a, b);
        auto const seed = seed_of(random());
        REQUIRE(check_product<Field>(a.view(), b.view(), c.view(), seed, rounds));
        auto const row = random.below(c.rows);
        auto& entry = c.at(row, random.below(c.columns));
        entry = (entry + 1 + random.below(Field::modulus - 1)) % Field::modulus;
        auto const verdict = check_product<Field>(a.view(), b.view(), c.view(), seed, rounds);
        REQUIRE_FALSE(verdict);
        REQUIRE(verdict.error() == product_error{kind::wrong_product, row});
    }
}

}  // namespace

TEST_CASE("freivalds: right products pass, and a changed entry names its row" *
          doctest::test_suite("property"))
{
    auto const seed = test::seed();
    INFO("seed ", seed);
    rng random{seed};
    products_pass_and_changes_are_found<field_61>(random, 60, 1);
    products_pass_and_changes_are_found<field_61>(random, 20, 2);
    products_pass_and_changes_are_found<prime_field<(std::uint64_t{1} << 63) - 25>>(random, 40, 1);
    products_pass_and_changes_are_found<field_251>(random, 40, 8);  // 251^-8: never in our time
}

TEST_CASE("freivalds: over a small field a wrong product passes as often as the bound says" *
          doctest::test_suite("property"))
{
    // One round over p = 251 is fooled by exactly one seed in 251. In 40 000 draws that is 159 times,
    // with a standard deviation of 13.
    rng random{test::seed()};
    matrix<std::uint8_t> const one{1, 1};
    matrix<std::uint8_t> wrong{1, 2};
    wrong.at(0, 0) = 3;
    wrong.at(0, 1) = 200;
    matrix<std::uint8_t> const b{1, 2};
    int fooled = 0;
    int fooled_twice = 0;
    for (std::uint64_t draw = 0; draw < 40'000; ++draw) {
        auto const seed = seed_of(random());
        fooled += check_product<field_251>(one.view(), b.view(), wrong.view(), seed) ? 1 : 0;
        fooled_twice +=
            check_product<field_251>(one.view(), b.view(), wrong.view(), seed, 2) ? 1 : 0;
    }
    CHECK(fooled > 159 - 65);
    CHECK(fooled < 159 + 65);
    CHECK(fooled_twice < 8);  // 0.6 expected
}

TEST_CASE("freivalds: of a million cheats a small field lets through what the theory says, the "
          "production field none" *
          doctest::test_suite("property"))
{
    // Random products of 2 × 3 by 3 × 2, each with one row made wrong in one or both of its numbers. A
    // seed is fooled by one row with chance 1 / 251: 3 984 of a million, with a standard deviation of 63.
    auto const seed = test::seed();
    INFO("seed ", seed);
    rng random{seed};
    constexpr int cheats = 1'000'000;
    int small = 0, production = 0;
    matrix<std::uint8_t> a{2, 3}, b{3, 2}, c{2, 2};
    for (int n = 0; n < cheats; ++n) {
        for (auto& each : a.data) each = static_cast<std::uint8_t>(random.below(9));
        for (auto& each : b.data) each = static_cast<std::uint8_t>(random.below(9));
        for (std::size_t row = 0; row < 2; ++row)
            for (std::size_t column = 0; column < 2; ++column) {
                int sum = 0;
                for (std::size_t k = 0; k < 3; ++k) sum += a.at(row, k) * b.at(k, column);
                c.at(row, column) = static_cast<std::uint8_t>(sum);  // at most 192
            }
        auto const row = static_cast<std::size_t>(random.below(2));
        auto const lie = [&](std::size_t column) {
            auto const off = 1 + random.below(250);
            c.at(row, column) = static_cast<std::uint8_t>((c.at(row, column) + off) % 251);
        };
        auto const first = static_cast<std::size_t>(random.below(2));
        lie(first);
        if (random.chance(1, 2)) lie(1 - first);
        auto const draw = seed_of(random());
        small += check_product<field_251>(a.view(), b.view(), c.view(), draw) ? 1 : 0;
        production += check_product<field_61>(a.view(), b.view(), c.view(), draw) ? 1 : 0;
    }
    MESSAGE(small << " of " << cheats << " pass p = 251, " << production << " pass p = 2^61 - 1");
    CHECK(small > 3'984 - 5 * 63);
    CHECK(small < 3'984 + 5 * 63);
    CHECK(production == 0);
}

TEST_CASE("freivalds: products of whole numbers, signed and of mixed widths")
{
    matrix<std::int8_t> a{2, 3};
    a.data = {1, -2, 127, -128, 0, 5};
    matrix<std::int8_t> b{3, 2};
    b.data = {-1, 2, 3, -4, 127, -128};
    matrix<std::int32_t> c{2, 2};
    c.data = {-1 - 6 + 127 * 127, 2 + 8 - 127 * 128, 128 + 635, -256 - 640};
    CHECK(check_product<field_61>(a.view(), b.view(), c.view(), seed_of(1)));
    c.at(1, 0) = -c.at(1, 0);
    CHECK(check_product<field_61>(a.view(), b.view(), c.view(), seed_of(1)).error() ==
          product_error{kind::wrong_product, 1});
}

TEST_CASE("freivalds: a number that stands for another one modulo the prime is refused")
{
    auto const p = static_cast<std::int64_t>(field_61::modulus);
    matrix<std::int64_t> a{1, 1};
    matrix<std::int64_t> b{1, 1};
    matrix<std::int64_t> c{1, 1};
    a.data = b.data = {3};
    c.data = {9};
    CHECK(check_product<field_61>(a.view(), b.view(), c.view(), seed_of(1)));
    for (auto const other : {9 + p, 9 - p, std::numeric_limits<std::int64_t>::min(),
                             std::numeric_limits<std::int64_t>::max(), (p - 1) / 2 + 1}) {
        c.data = {other};
        CHECK(check_product<field_61>(a.view(), b.view(), c.view(), seed_of(1)).error().what ==
              kind::not_in_field);
    }
    c.data = {(p - 1) / 2};  // in range, and wrong
    CHECK(check_product<field_61>(a.view(), b.view(), c.view(), seed_of(1)).error().what ==
          kind::wrong_product);
    matrix<std::uint8_t> const ok{1, 1};
    matrix<std::uint8_t> high{1, 1};
    high.data = {251};
    CHECK(check_product<field_251>(high.view(), ok.view(), ok.view(), seed_of(1)).error().what ==
          kind::not_in_field);
    CHECK(check_product<field_251>(ok.view(), high.view(), ok.view(), seed_of(1)).error().what ==
          kind::not_in_field);
    CHECK(check_product<field_251>(ok.view(), ok.view(), high.view(), seed_of(1)).error().what ==
          kind::not_in_field);
}

TEST_CASE("freivalds: shapes that do not fit are refused")
{
    matrix<std::uint8_t> const a{2, 3};
    matrix<std::uint8_t> const b{3, 4};
    matrix<std::uint8_t> const c{2, 4};
    auto const shape = [](auto const& x, auto const& y, auto const& z, std::uint32_t rounds = 1) {
        auto const verdict = check_product<field_251>(x, y, z, hash256{}, rounds);
        return !verdict && verdict.error().what == kind::shape;
    };
    CHECK_FALSE(shape(a.view(), b.view(), c.view()));
    CHECK(shape(b.view(), a.view(), c.view()));
    CHECK(shape(a.view(), b.view(), b.view()));
    CHECK(shape(a.view(), b.view(), c.view(), 0));
    auto cut = a.view();
    cut.data = cut.data.first(5);
    CHECK(shape(cut, b.view(), c.view()));
    auto huge = a.view();
    huge.rows = std::size_t{1} << 63;  // rows times columns wraps to the right number
    huge.columns = 2;
    huge.data = {};
    CHECK(shape(huge, b.view(), c.view()));
    product_check<field_251> check{1, 2, hash256{}};
    std::array<std::uint8_t, 2> const two{};
    CHECK(
        check.check_row<std::uint8_t, std::uint8_t>(0, std::span{two}.first(1), two).error().what ==
        kind::shape);  // before all of B
    CHECK(check.add_factor_row<std::uint8_t>(two));
    CHECK(check.add_factor_row<std::uint8_t>(two).error().what == kind::shape);
    CHECK(check.check_row<std::uint8_t, std::uint8_t>(0, std::span{two}.first(1), two));
}

TEST_CASE("freivalds: the challenge is below the modulus, reaches every element, and is frozen")
{
    std::array<std::uint64_t, 4000> drawn{};
    freivalds_challenge(seed_of(1), 0, 251, drawn);
    std::array<int, 251> seen{};
    for (auto const each : drawn) {
        REQUIRE(each < 251);
        ++seen[each];
    }
    for (auto const count : seen) CHECK(count > 0);
    test::vector_list frozen;
    frozen.emplace_back("seed", to_bytes(freivalds_seed(seed_of(1), seed_of(2))));
    for (auto const modulus : {field_61::modulus, field_251::modulus}) {
        std::array<std::uint64_t, 9> few{};
        freivalds_challenge(seed_of(3), 1, modulus, few);
        bytes raw;
        for (auto const each : few) append(raw, each);
        frozen.emplace_back("challenge/" + std::to_string(modulus), raw);
    }
    CHECK(test::differs_from_frozen("crypto/freivalds.txt", frozen) == "");
}
