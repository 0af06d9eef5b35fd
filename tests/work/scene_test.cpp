// SPDX-License-Identifier: Apache-2.0
#include <blendr/work/scene.hpp>

#include <string>

#include <doctest/doctest.h>

using namespace blendr;
using namespace blendr::work;

namespace {

std::string why(std::string const& text)
{
    auto const made = parse_scene(text);
    if (made) return "";
    CHECK(made.error().what == fault::bad_input);
    return made.error().why;
}

std::string const eye = "camera 0 1 5 look 0 1 0\n";

}  // namespace

TEST_CASE("scene: every statement is read")
{
    auto const made =
        parse_scene("# all there is\r\n"
                    "camera 0 1 5   look 0 1 0   angle 90   aperture 0.5   focus 4\r\n"
                    "sky 0.1 0.2 0.3   horizon 0.4 0.5 0.6\n"
                    "sun 0 2 0   colour 3 2 1   size 0.25\n"
                    "material a diffuse 0.5 0.25 1   # matt\n"
                    "material b metal 1 1 1 0.5\n"
                    "material c glass 1 1 1 1.5\n"
                    "material d light 4 4 4\n"
                    "sphere 1 2 3 0.5 a\n"
                    "\tbox 1 1 1 0 0 0 b\n"
                    "triangle 0 0 0  1 0 0  0 1 0 c\n"
                    "vertex 0 0 0\nvertex 0 0 2\nvertex 0 2 0\n"
                    "face 1 3 2 d");
    REQUIRE(made);
    auto const half = scene_one / 2;
    CHECK(made->eye.from == scene_vector{0, scene_one, 5 * scene_one});
    CHECK(made->eye.forward == scene_vector{0, 0, -scene_one});
    CHECK(made->eye.right == scene_vector{scene_one, 0, 0});
    CHECK(made->eye.up == scene_vector{0, scene_one, 0});
    CHECK(made->eye.aperture == half);
    CHECK(made->eye.focus == 4 * scene_one);
    CHECK(made->sun.towards == scene_vector{0, scene_one, 0});
    CHECK(made->sun.size == scene_one / 4);
    CHECK(made->materials.size() == 4);
    CHECK(made->materials[1] == material{surface::metal, {scene_one, scene_one, scene_one}, half});
    REQUIRE(made->spheres.size() == 1);
    CHECK(made->spheres[0] == sphere{{scene_one, 2 * scene_one, 3 * scene_one}, half, 0});
    REQUIRE(made->blocks.size() == 1);
    CHECK(made->blocks[0].high == scene_vector{scene_one, scene_one, scene_one});
    REQUIRE(made->triangles.size() == 2);
    CHECK(made->triangles[1].edge1 == scene_vector{0, 2 * scene_one, 0});
    CHECK(decode<scene>(encode(*made)).value() == *made);
}

TEST_CASE("scene: what is wrong is named with its line")
{
    CHECK(why("") == "the scene has no camera");
    CHECK(why(eye) == "");
    CHECK(why("\n\ncamera 0 1") == "line 3: the camera's place is missing");
    CHECK(why("camera 0 1 x") == "line 1: \"x\" is no number for the camera's place");
    CHECK(why("camera 0 1 nan") == "line 1: \"nan\" is no number for the camera's place");
    CHECK(why("camera 0 1 65") == "line 1: the camera's place lies outside -64 to 64");
    CHECK(why("camera 0 0 0") == "line 1: the camera looks at its own place");
    CHECK(why("camera 0 1 5 angle 200") == "line 1: the angle in degrees lies outside 1 to 150");
    CHECK(why("camera 0 1 5 zoom 2") == "line 1: \"zoom\" is one word too many");
    CHECK(why(eye + "teapot 1") == "line 2: nobody knows what \"teapot\" is");
    CHECK(why(eye + "material a velvet 1 1 1") ==
          "line 2: \"velvet\" is none of diffuse, metal, glass, light");
    CHECK(why(eye + "material a diffuse 1 1 1.5") ==
          "line 2: the material's colour lies outside 0 to 1");
    CHECK(why(eye + "material a glass 1 1 1") == "line 2: the refractive index is missing");
    CHECK(why(eye + "material a light 1 1 1\nmaterial a light 1 1 1") ==
          "line 3: there is a material \"a\" already");
    CHECK(why(eye + "sphere 0 0 0 1 a") == "line 2: there is no material \"a\" above");
    CHECK(why(eye + "sphere 0 0 0 0 a") == "line 2: the radius lies outside 0.001 to 64");
    auto const with = eye + "material a light 1 1 1\n";
    CHECK(why(with + "box 0 0 0 1 0 1 a") == "line 3: the box is flat");
    CHECK(why(with + "triangle 0 0 0 1 1 1 2 2 2 a") == "line 3: the triangle has no area");
    CHECK(why(with + "triangle 0 0 0 33 0 0 0 1 0 a") ==
          "line 3: a side of the triangle is longer than 32");
    CHECK(why(with + "vertex 0 0 0\nface 1 2 3 a") == "line 4: there are only 1 vertices above");
    CHECK(why(with + "vertex 0 0 0\nface 1 1.5 1 a") == "line 4: there are only 1 vertices above");
    CHECK(why(eye + "sun 0 0 0") == "line 2: the sun has no direction");
    std::string many = with;
    for (int k = 0; k < 1'025; ++k) many += "sphere 0 0 0 1 a\n";
    CHECK(why(many) == "line 1027: there are more spheres than 1024");
}

TEST_CASE("scene: numbers that came from elsewhere are looked at before they are used")
{
    auto const good = parse_scene(eye + "material a glass 1 1 1 1.5\nsphere 0 0 0 1 a\n"
                                        "box 0 0 0 1 1 1 a\ntriangle 0 0 0 1 0 0 0 1 0 a")
                          .value();
    CHECK(check(good));
    auto const bad = [&](auto&& change) {
        auto what = good;
        change(what);
        return !check(what);
    };
    CHECK(bad([](scene& s) { s.eye.from[1] = INT64_MAX; }));
    CHECK(bad([](scene& s) { s.eye.right[2] = INT64_MIN; }));
    CHECK(bad([](scene& s) { s.eye.focus = 0; }));
    CHECK(bad([](scene& s) { s.sky[0] = -1; }));
    CHECK(bad([](scene& s) { s.sun.towards[0] = scene_edge; }));
    CHECK(bad([](scene& s) { s.materials[0].colour[0] = scene_one + 1; }));
    CHECK(bad([](scene& s) { s.materials[0].detail = 0; }));
    CHECK(bad([](scene& s) { s.materials.clear(); }));
    CHECK(bad([](scene& s) { s.spheres[0].of = 1; }));
    CHECK(bad([](scene& s) { s.spheres[0].radius = 0; }));
    CHECK(bad([](scene& s) { s.blocks[0].low[0] = s.blocks[0].high[0]; }));
    CHECK(bad([](scene& s) { s.triangles[0].edge2[1] = scene_edge; }));
}
