// SPDX-License-Identifier: Apache-2.0
#include <blendr/work/scene.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <numbers>
#include <optional>
#include <string>

namespace blendr::work {
namespace {

using numbers3 = std::array<double, 3>;

std::int64_t fixed_of(double v)
{
    return static_cast<std::int64_t>(std::llround(v * static_cast<double>(scene_one)));
}
scene_vector fixed_of(numbers3 const& v)
{
    return {fixed_of(v[0]), fixed_of(v[1]), fixed_of(v[2])};
}

numbers3 minus(numbers3 const& a, numbers3 const& b)
{
    return {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
}
numbers3 times(numbers3 const& a, double k) { return {a[0] * k, a[1] * k, a[2] * k}; }
numbers3 cross(numbers3 const& a, numbers3 const& b)
{
    return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}
double length(numbers3 const& a) { return std::hypot(a[0], a[1], a[2]); }

/// Words of one line, taken one after the other. The first thing that is wrong stays.
class words {
public:
    words(std::string_view line, std::size_t number) : left_{line}, number_{number} {}

    bool good() const noexcept { return why_.empty(); }
    void refuse(std::string why)
    {
        if (why_.empty()) why_ = std::move(why);
    }
    problem wrong() const
    {
        return {fault::bad_input, "line " + std::to_string(number_) + ": " + why_};
    }

    std::string_view next()
    {
        auto const begin = left_.find_first_not_of(" \t\r");
        if (begin == std::string_view::npos) return left_ = {};
        left_.remove_prefix(begin);
        auto const word = left_.substr(0, left_.find_first_of(" \t\r"));
        left_.remove_prefix(word.size());
        return word;
    }

    std::string_view name(std::string_view what)
    {
        auto const word = next();
        if (word.empty()) refuse("the " + std::string{what} + " is missing");
        return word;
    }

    double number(std::string_view what, double low, double high)
    {
        auto const word = next();
        double value = 0;
        auto const [end, code] = std::from_chars(word.data(), word.data() + word.size(), value);
        if (word.empty()) {
            refuse("the " + std::string{what} + " is missing");
        } else if (code != std::errc{} || end != word.data() + word.size() ||
                   !std::isfinite(value)) {
            refuse("\"" + std::string{word.substr(0, 40)} + "\" is no number for the " +
                   std::string{what});
        } else if (value < low || value > high) {
            refuse("the " + std::string{what} + " lies outside " + shown(low) + " to " +
                   shown(high));
        } else {
            return value;
        }
        return low;
    }

    numbers3 place(std::string_view what)
    {
        constexpr double edge = static_cast<double>(scene_edge / scene_one);
        return three(what, -edge, edge);
    }
    numbers3 colour(std::string_view what, double most) { return three(what, 0, most); }

    bool keyword(std::string_view wanted)
    {
        auto const before = left_;
        if (next() == wanted) return true;
        left_ = before;
        return false;
    }
    void end()
    {
        auto const word = next();
        if (!word.empty())
            refuse("\"" + std::string{word.substr(0, 40)} + "\" is one word too many");
    }

private:
    numbers3 three(std::string_view what, double low, double high)
    {
        auto const x = number(what, low, high);
        auto const y = number(what, low, high);
        auto const z = number(what, low, high);
        return {x, y, z};
    }
    static std::string shown(double v)
    {
        std::array<char, 32> text{};
        auto const end = std::to_chars(text.data(), text.data() + text.size(), v).ptr;
        return {text.data(), end};
    }

    std::string_view left_;
    std::size_t number_;
    std::string why_;
};

class scene_reader {
public:
    result<scene, problem> read(std::string_view text)
    {
        std::size_t number = 0;
        while (!text.empty()) {
            auto const end = std::min(text.find('\n'), text.size());
            auto const line = text.substr(0, end);
            text.remove_prefix(std::min(end + 1, text.size()));
            words in{line.substr(0, line.find('#')), ++number};
            auto const what = in.next();
            if (what.empty()) continue;
            statement(what, in);
            if (in.good()) in.end();
            if (!in.good()) return fail{in.wrong()};
        }
        if (!has_camera_) return fail{problem{fault::bad_input, "the scene has no camera"}};
        BLENDR_CHECK(check(out_));
        return std::move(out_);
    }

private:
    void statement(std::string_view what, words& in)
    {
        if (what == "camera") return eye(in);
        if (what == "sky") return sky(in);
        if (what == "sun") return sun(in);
        if (what == "material") return surface_of(in);
        if (what == "sphere") return ball(in);
        if (what == "box") return cuboid(in);
        if (what == "triangle") {
            auto const a = in.place("first corner");
            auto const b = in.place("second corner");
            auto const c = in.place("third corner");
            return flat(in, a, b, c);
        }
        if (what == "vertex") {
            auto const at = in.place("vertex");
            if (vertices_.size() == 65'536) in.refuse("there are more than 65536 vertices");
            return vertices_.push_back(at);
        }
        if (what == "face") return face(in);
        in.refuse("nobody knows what \"" + std::string{what.substr(0, 40)} + "\" is");
    }

    void eye(words& in)
    {
        auto const from = in.place("camera's place");
        numbers3 look{0, 0, 0};
        double angle = 40, aperture = 0, focus = 0;
        if (in.keyword("look")) look = in.place("point that it looks at");
        if (in.keyword("angle")) angle = in.number("angle in degrees", 1, 150);
        if (in.keyword("aperture")) aperture = in.number("aperture", 0, 4);
        auto const ahead = minus(look, from);
        if (in.keyword("focus")) focus = in.number("distance of what is sharp", 0.01, 100);
        if (!in.good()) return;
        auto const distance = length(ahead);
        if (distance < 1e-3) return in.refuse("the camera looks at its own place");
        auto const forward = times(ahead, 1 / distance);
        numbers3 const above = std::abs(forward[1]) > 0.999 ? numbers3{0, 0, 1} : numbers3{0, 1, 0};
        auto right = cross(forward, above);
        right = times(right, 1 / length(right));
        auto const up = cross(right, forward);
        auto const half = std::tan(angle * std::numbers::pi / 360);
        out_.eye = {fixed_of(from),
                    fixed_of(forward),
                    fixed_of(times(right, half)),
                    fixed_of(times(up, half)),
                    fixed_of(std::min(aperture / half, 64.0)),
                    fixed_of(focus > 0 ? focus : std::min(distance, 100.0))};
        has_camera_ = true;
    }

    void sky(words& in)
    {
        out_.sky = out_.horizon = fixed_of(in.colour("sky's colour", 100));
        if (in.keyword("horizon")) out_.horizon = fixed_of(in.colour("horizon's colour", 100));
    }

    void sun(words& in)
    {
        auto const towards = in.place("direction of the sun");
        numbers3 colour{1, 1, 1};
        double size = 0;
        if (in.keyword("colour")) colour = in.colour("sun's colour", 100);
        if (in.keyword("size")) size = in.number("sun's size", 0, 1);
        if (!in.good()) return;
        if (length(towards) < 1e-3) return in.refuse("the sun has no direction");
        out_.sun = {fixed_of(times(towards, 1 / length(towards))), fixed_of(colour),
                    fixed_of(size)};
    }

    void surface_of(words& in)
    {
        auto const name = std::string{in.name("material's name")};
        auto const kind = in.name("kind of material");
        material made;
        if (kind == "diffuse" || kind == "metal" || kind == "glass") {
            made.colour = fixed_of(in.colour("material's colour", 1));
            made.kind = kind == "metal" ? surface::metal : surface::diffuse;
            if (kind == "metal") made.detail = fixed_of(in.number("roughness", 0, 1));
            if (kind == "glass") {
                made.kind = surface::glass;
                made.detail = fixed_of(in.number("refractive index", 1, 4));
            }
        } else if (kind == "light") {
            made.kind = surface::light;
            made.colour = fixed_of(in.colour("light's colour", 100));
        } else if (in.good()) {
            in.refuse("\"" + std::string{kind.substr(0, 40)} +
                      "\" is none of diffuse, metal, glass, light");
        }
        if (!in.good()) return;
        if (out_.materials.size() == decltype(out_.materials)::elements_max)
            return in.refuse("there are too many materials");
        if (!materials_.emplace(name, static_cast<std::uint16_t>(out_.materials.size())).second)
            return in.refuse("there is a material \"" + name.substr(0, 40) + "\" already");
        out_.materials.push_back(made);
    }

    std::uint16_t material_in(words& in)
    {
        auto const name = in.name("material");
        auto const found = materials_.find(name);
        if (found != materials_.end()) return found->second;
        in.refuse("there is no material \"" + std::string{name.substr(0, 40)} + "\" above");
        return 0;
    }

    template <class List, class Thing>
    void add(words& in, List& to, Thing thing, char const* many)
    {
        if (to.size() == List::elements_max)
            in.refuse("there are more " + std::string{many} + " than " +
                      std::to_string(List::elements_max));
        if (in.good()) to.push_back(std::move(thing));
    }

    void ball(words& in)
    {
        sphere made;
        made.centre = fixed_of(in.place("centre"));
        made.radius = fixed_of(in.number("radius", 0.001, 64));
        made.of = material_in(in);
        add(in, out_.spheres, made, "spheres");
    }

    void cuboid(words& in)
    {
        auto const a = fixed_of(in.place("corner"));
        auto const b = fixed_of(in.place("opposite corner"));
        block made;
        for (std::size_t k = 0; k < 3; ++k) {
            made.low[k] = std::min(a[k], b[k]);
            made.high[k] = std::max(a[k], b[k]);
            if (made.low[k] == made.high[k]) in.refuse("the box is flat");
        }
        made.of = material_in(in);
        add(in, out_.blocks, made, "boxes");
    }

    void flat(words& in, numbers3 const& a, numbers3 const& b, numbers3 const& c)
    {
        auto const of = material_in(in);
        auto const corner = fixed_of(a);
        auto const edge = [&](numbers3 const& to) {
            auto out = fixed_of(to);
            for (std::size_t k = 0; k < 3; ++k) out[k] -= corner[k];
            return out;
        };
        if (in.good() && length(cross(minus(b, a), minus(c, a))) < 1e-6)
            in.refuse("the triangle has no area");
        if (length(minus(b, a)) > 32 || length(minus(c, a)) > 32)
            in.refuse("a side of the triangle is longer than 32");
        add(in, out_.triangles, triangle{corner, edge(b), edge(c), of}, "triangles");
    }

    void face(words& in)
    {
        std::array<std::size_t, 3> at{};
        for (auto& each : at) {
            auto const n = in.number("vertex", 1, 65'536);
            each = static_cast<std::size_t>(n);
            if (in.good() && (static_cast<double>(each) != n || each > vertices_.size()))
                in.refuse("there are only " + std::to_string(vertices_.size()) + " vertices above");
        }
        if (!in.good()) return;
        flat(in, vertices_[at[0] - 1], vertices_[at[1] - 1], vertices_[at[2] - 1]);
    }

    scene out_;
    bool has_camera_ = false;
    std::vector<numbers3> vertices_;
    std::map<std::string, std::uint16_t, std::less<>> materials_;
};

bool within(std::int64_t v, std::int64_t low, std::int64_t high) { return v >= low && v <= high; }
bool within(scene_vector const& v, std::int64_t most)
{
    return std::all_of(v.begin(), v.end(), [&](auto each) { return within(each, -most, most); });
}
bool is_colour(scene_vector const& v, std::int64_t most)
{
    return std::all_of(v.begin(), v.end(), [&](auto each) { return within(each, 0, most); });
}

}  // namespace

result<scene, problem> parse_scene(std::string_view text) { return scene_reader{}.read(text); }

result<nothing, problem> check(scene const& what)
{
    auto const refuse = [](char const* why) { return fail{problem{fault::bad_input, why}}; };
    auto const bright = 100 * scene_one;
    auto const& eye = what.eye;
    if (!within(eye.from, scene_edge) || !within(eye.forward, 2 * scene_one) ||
        !within(eye.right, 4 * scene_one) || !within(eye.up, 4 * scene_one) ||
        !within(eye.aperture, 0, scene_edge) || !within(eye.focus, 1, 100 * scene_one))
        return refuse("the camera lies outside the world");
    if (!is_colour(what.sky, bright) || !is_colour(what.horizon, bright) ||
        !is_colour(what.sun.colour, bright) || !within(what.sun.towards, 2 * scene_one) ||
        !within(what.sun.size, 0, scene_one))
        return refuse("sky or sun is too bright");
    for (auto const& each : what.materials) {
        if (!is_colour(each.colour, each.kind == surface::light ? bright : scene_one))
            return refuse("a material sends out more light than it gets");
        if (each.kind == surface::glass ? !within(each.detail, scene_one, 4 * scene_one)
                                        : !within(each.detail, 0, scene_one))
            return refuse("a material's detail lies outside its range");
    }
    auto const known = [&](std::uint16_t of) { return of < what.materials.size(); };
    for (auto const& each : what.spheres)
        if (!known(each.of) || !within(each.centre, scene_edge) ||
            !within(each.radius, 1, scene_edge))
            return refuse("a sphere lies outside the world");
    for (auto const& each : what.blocks) {
        bool good = known(each.of) && within(each.low, scene_edge) && within(each.high, scene_edge);
        for (std::size_t k = 0; k < 3; ++k) good = good && each.low[k] < each.high[k];
        if (!good) return refuse("a box lies outside the world");
    }
    for (auto const& each : what.triangles)
        if (!known(each.of) || !within(each.corner, scene_edge) ||
            !within(each.edge1, scene_edge / 2) || !within(each.edge2, scene_edge / 2))
            return refuse("a triangle lies outside the world");
    return nothing{};
}

}  // namespace blendr::work
