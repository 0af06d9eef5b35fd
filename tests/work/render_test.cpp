// SPDX-License-Identifier: Apache-2.0
#include <blendr/work/render.hpp>

#include <array>
#include <fstream>
#include <iterator>
#include <string>

#include <doctest/doctest.h>

#include <blendr/core/random.hpp>
#include <blendr/crypto/cid.hpp>
#include <blendr/work/schedule.hpp>

#include "support/support.hpp"
#include "support/vectors.hpp"
#include "work/numbers.hpp"

using namespace blendr;
using namespace blendr::work;

namespace {

scene demo()
{
    std::ifstream in{blendr::test::data("../examples/render/demo.scene")};
    std::string const text{std::istreambuf_iterator<char>{in}, {}};
    return parse_scene(text).value();
}

picture small(bool exact)
{
    picture out;
    out.width = 48;
    out.height = 32;
    out.samples = 6;
    out.exact = exact;
    return out;
}

bytes rendered(picture const& of, std::span<double const> speeds, std::size_t runners)
{
    auto what = render_job::make(demo(), of, speeds).value();
    std::vector<std::unique_ptr<runner>> all;
    std::vector<runner*> on;
    for (std::size_t k = 0; k < runners; ++k) {
        all.push_back(make_runner("runner " + std::to_string(k), 0, render_tile));
        on.push_back(all.back().get());
    }
    auto const done = run(what, on).value();
    return what.pixels(done.results).value();
}

std::array<double, 2> const many_tiles{100, 100};

}  // namespace

TEST_CASE("render: an exact picture is frozen, however it is cut and whoever renders it")
{
    auto const whole = rendered(small(true), {}, 1);
    blendr::test::vector_list now;
    now.emplace_back("demo", to_bytes(bytes_view{crypto::cid::of(whole).digest()}));
    now.emplace_back("picture", encode(small(true)));
    now.emplace_back("scene", to_bytes(bytes_view{crypto::cid::of(encode(demo())).digest()}));
    CHECK(blendr::test::differs_from_frozen("work/render.txt", now) == "");
    for (std::size_t const runners : {1u, 2u, 4u})
        CHECK(rendered(small(true), many_tiles, runners) == whole);
}

TEST_CASE("render: floats and fixed point show the same picture")
{
    auto const exact = rendered(small(true), {}, 1);
    auto const floats = rendered(small(false), {}, 1);
    REQUIRE(exact.size() == floats.size());
    double difference = 0;
    for (std::size_t k = 0; k < exact.size(); ++k)
        difference += std::abs(std::to_integer<int>(exact[k]) - std::to_integer<int>(floats[k]));
    CHECK(difference / static_cast<double>(exact.size()) < 6);  // of 255: single paths part ways
    std::array<std::size_t, 256> shades{};
    for (auto const each : exact) ++shades[std::to_integer<std::size_t>(each)];
    std::size_t used = 0;
    for (auto const count : shades) used += count > 0 ? 1 : 0;
    CHECK(used > 100);  // and it is a picture
}

TEST_CASE("render: another seed is another picture, and nobody tolerates a repainted tile")
{
    auto other = small(true);
    other.seed = 2;
    CHECK(rendered(small(true), {}, 1) != rendered(other, {}, 1));

    auto what = render_job::make(demo(), small(false), many_tiles).value();
    auto const units = what.next({}).value()->units;
    auto const right = render_tile(units[0]).value();
    auto close = right;
    close[5] = static_cast<std::byte>(std::to_integer<int>(close[5]) ^ 1);
    CHECK(what.same(units[0], right, close));
    CHECK(!what.same(units[0], right, bytes(right.size())));
    CHECK(!what.same(units[0], right, bytes_view{right}.first(3)));
}

TEST_CASE("render: pictures and tiles that make no sense are refused")
{
    auto const bad = [](auto&& change) {
        picture of;
        change(of);
        return render_job::make(demo(), of).error().why;
    };
    CHECK(bad([](picture& p) { p.width = 0; }) == "the picture has no pixels");
    CHECK(bad([](picture& p) { p.height = 20'000; }) ==
          "the picture has more than 16384 pixels to a side");
    CHECK(bad([](picture& p) { p.width = 10'000; }) ==
          "the picture is more than 8 times as wide as high");
    CHECK(bad([](picture& p) { p.samples = 0; }) == "a pixel takes between 1 and 65536 samples");
    CHECK(bad([](picture& p) { p.bounces = 65; }) == "a path has between 1 and 64 bounces");

    auto what = render_job::make(demo(), small(true), many_tiles).value();
    auto const unit_of = what.next({}).value()->units[0];
    auto const refused = [&](auto&& change) {
        auto u = unit_of;
        change(u);
        auto const made = render_tile(u);
        return made ? std::string{} : made.error().why;
    };
    CHECK(refused([](unit&) {}) == "");
    CHECK(refused([](unit& u) { u.parameters.pop_back(); }) ==
          "the parameters are none of a picture");
    CHECK(refused([](unit& u) { u.inputs.clear(); }) == "a tile is rendered from one scene");
    CHECK(refused([](unit& u) { u.inputs[0] = share(bytes(9)); }) == "the input is no scene");
    CHECK(refused([](unit& u) { u.where.from.x = 48; }) == "the tile lies outside the picture");
    CHECK(refused([](unit& u) { u.where.size.z = 2; }) == "the tile lies outside the picture");
    std::stop_source stop;
    stop.request_stop();
    CHECK(render_tile(unit_of, stop.get_token()).error().what == fault::cancelled);
    CHECK(what.pixels(std::vector<bytes>(3)).error().what == fault::wrong_size);
}

TEST_CASE("render: any scene that passes the check is rendered, however wild" *
          doctest::test_suite("property"))
{
    auto const seed = blendr::test::seed();
    INFO("seed " << seed);
    rng random{seed};
    auto const any = [&](std::int64_t low, std::int64_t high) {
        auto const edge = random.below(8);
        if (edge == 0) return low;
        if (edge == 1) return high;
        return low +
               static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low) + 1));
    };
    auto const place = [&](std::int64_t most) {
        auto const x = any(-most, most);
        auto const y = any(-most, most);
        auto const z = any(-most, most);
        return scene_vector{x, y, z};
    };
    for (int round = 0; round < 60; ++round) {
        scene what;
        what.eye = {place(scene_edge),    place(2 * scene_one), place(4 * scene_one),
                    place(4 * scene_one), any(0, scene_edge),   any(1, 100 * scene_one)};
        what.sun.towards = place(2 * scene_one);
        what.sun.colour = {scene_one, scene_one, scene_one};
        for (auto const kind : {surface::diffuse, surface::metal, surface::glass, surface::light})
            what.materials.push_back(
                {kind,
                 {scene_one, scene_one / 2, 0},
                 kind == surface::glass ? any(scene_one, 4 * scene_one) : any(0, scene_one)});
        for (std::uint16_t k = 0; k < 4; ++k) {
            what.spheres.push_back({place(scene_edge), any(1, scene_edge), k});
            auto low = place(scene_edge), high = place(scene_edge);
            for (std::size_t j = 0; j < 3; ++j) {
                if (low[j] > high[j]) std::swap(low[j], high[j]);
                if (low[j] == high[j]) low[j] = -scene_edge, high[j] = scene_edge;
            }
            what.blocks.push_back({low, high, k});
            what.triangles.push_back(
                {place(scene_edge), place(scene_edge / 2), place(scene_edge / 2), k});
        }
        REQUIRE(check(what));
        picture of;
        of.width = 6;
        of.height = 4;
        of.samples = 2;
        of.exact = round % 4 != 0;
        auto job_of = render_job::make(what, of).value();
        auto const units = job_of.next({}).value()->units;
        for (auto const& each : units) REQUIRE(render_tile(each));
    }
}

TEST_CASE("render: roots and quotients of fixed point are the largest that fit")
{
    rng random{3};
    for (int k = 0; k < 20'000; ++k) {
        auto const shift = random.below(64);
        auto const v = random() >> shift;
        auto const root = root_of(v);
        REQUIRE(root * root <= v);
        if (root < 0xFFFFFFFF) REQUIRE((root + 1) * (root + 1) > v);
    }
    CHECK(root_of(~std::uint64_t{0}) == 0xFFFFFFFF);
    CHECK(root_of(0) == 0);
    auto const of = [](std::int64_t raw) { return fixed::of_raw(raw); };
    CHECK((of(3 * scene_one) / of(2 * scene_one)).raw == scene_one + scene_one / 2);
    CHECK((of(-scene_one) / of(3)).raw == -(scene_one * scene_one / 3));
    CHECK((of(5) / of(0)).raw == std::int64_t{1} << 40);
    CHECK((of(INT64_MIN) / of(-1)).raw == 0);
    CHECK((of(scene_one / 2) * of(scene_one / 2)).raw == scene_one / 4);
    CHECK((of(-1) * of(1)).raw == -1);  // rounded down
    CHECK(square_root(of(2 * scene_one)).raw == 1'482'910);
    CHECK(square_root(of(-5)).raw == 0);
    CHECK(byte_of(of(scene_one)) == 255);
    CHECK(byte_of(of(scene_one / 2)) == 128);
    CHECK(byte_of(of(-7)) == 0);
    CHECK(byte_of(real{0.0f / 1.0f - 1}) == 0);
}
