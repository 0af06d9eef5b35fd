// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include <blendr/work/render.hpp>
#include <blendr/work/scene.hpp>

#include "numbers.hpp"

// A path tracer over one kind of numbers. Rays are followed for a bounded number of bounces; the sun is looked for at
// each matt surface, everything else is met by chance. All chance comes from the seed, the pixel and the sample.
namespace blendr::work {

template <class N>
struct vec {
    N x{}, y{}, z{};

    static constexpr vec of_raw(scene_vector const& v) noexcept
    {
        return {N::of_raw(v[0]), N::of_raw(v[1]), N::of_raw(v[2])};
    }
    friend constexpr vec operator+(vec const& a, vec const& b) noexcept
    {
        return {a.x + b.x, a.y + b.y, a.z + b.z};
    }
    friend constexpr vec operator-(vec const& a, vec const& b) noexcept
    {
        return {a.x - b.x, a.y - b.y, a.z - b.z};
    }
    friend constexpr vec operator*(vec const& a, N k) noexcept
    {
        return {a.x * k, a.y * k, a.z * k};
    }
    friend constexpr vec operator*(vec const& a, vec const& b) noexcept
    {
        return {a.x * b.x, a.y * b.y, a.z * b.z};
    }
};

template <class N>
constexpr N dot(vec<N> const& a, vec<N> const& b) noexcept
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}
template <class N>
constexpr vec<N> cross(vec<N> const& a, vec<N> const& b) noexcept
{
    return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
/// Something of length one, also for nothing.
template <class N>
vec<N> normal(vec<N> const& a) noexcept
{
    auto const size = square_root(dot(a, a));
    if (!(size > N::of_raw(16))) return {N{}, N::of_raw(scene_one), N{}};
    return {a.x / size, a.y / size, a.z / size};
}

/// Random words; 32 bits of state are enough for the few hundred that a path takes.
class chance {
public:
    chance(std::uint32_t seed, std::uint32_t x, std::uint32_t y, std::uint32_t sample) noexcept
        : state_{mix(mix(mix(mix(seed) ^ x) ^ y) ^ sample)}
    {}

    std::uint32_t next() noexcept
    {
        state_ = state_ * 747796405u + 2891336453u;
        return mix(state_);
    }

private:
    static constexpr std::uint32_t mix(std::uint32_t v) noexcept
    {
        v = (v ^ (v >> 16)) * 0x7feb352du;
        v = (v ^ (v >> 15)) * 0x846ca68bu;
        return v ^ (v >> 16);
    }

    std::uint32_t state_;
};

template <class N>
class tracer {
public:
    explicit tracer(scene const& what)
        : eye_{vec<N>::of_raw(what.eye.from),  vec<N>::of_raw(what.eye.forward),
               vec<N>::of_raw(what.eye.right), vec<N>::of_raw(what.eye.up),
               N::of_raw(what.eye.aperture),   N::of_raw(what.eye.focus)},
          sky_{vec<N>::of_raw(what.sky)},
          horizon_{vec<N>::of_raw(what.horizon)},
          sun_towards_{vec<N>::of_raw(what.sun.towards)},
          sun_colour_{vec<N>::of_raw(what.sun.colour)},
          sun_size_{N::of_raw(what.sun.size)},
          sunny_{what.sun.colour != scene_vector{}}
    {
        for (auto const& each : what.materials)
            surfaces_.push_back({each.kind, vec<N>::of_raw(each.colour), N::of_raw(each.detail)});
        for (auto const& each : what.spheres)
            balls_.push_back({vec<N>::of_raw(each.centre), N::of_raw(each.radius), each.of});
        for (auto const& each : what.blocks)
            boxes_.push_back({vec<N>::of_raw(each.low), vec<N>::of_raw(each.high), each.of});
        for (auto const& each : what.triangles)
            flats_.push_back({vec<N>::of_raw(each.corner), vec<N>::of_raw(each.edge1),
                              vec<N>::of_raw(each.edge2), each.of});
    }

    /// The colour of a pixel: red, green, blue.
    std::array<std::uint8_t, 3> pixel(picture const& of, std::uint32_t x, std::uint32_t y) const
    {
        vec<N> sum{};
        gather(of, x, y, 0, of.samples, sum);
        return shown(of, sum);
    }

    /// Adds the light of some of a pixel's paths, in their order.
    void gather(picture const& of, std::uint32_t x, std::uint32_t y, std::uint32_t first,
                std::uint32_t count, vec<N>& sum) const
    {
        for (std::uint32_t k = first; k < first + count; ++k) {
            chance random{of.seed, x, y, k};
            sum = sum + follow(towards(of, x, y, random), of.bounces, random);
        }
    }

    /// What the light of all paths looks like.
    static std::array<std::uint8_t, 3> shown(picture const& of, vec<N> const& sum)
    {
        auto const share = N::ratio(1, of.samples);
        // Light without bound to 0 … 1: what is twice as bright as white is shown as white.
        auto const part = [&](N v) {
            v = v * share;
            return byte_of(square_root(v * (one() + v * N::ratio(1, 4)) / (one() + v)));
        };
        return {part(sum.x), part(sum.y), part(sum.z)};
    }

private:
    struct ray {
        vec<N> from, along;
    };
    struct lens {
        vec<N> from, forward, right, up;
        N aperture, focus;
    };
    struct look {
        surface kind;
        vec<N> colour;
        N detail;
    };
    struct ball {
        vec<N> centre;
        N radius;
        std::uint16_t of;
    };
    struct cuboid {
        vec<N> low, high;
        std::uint16_t of;
    };
    struct flat {
        vec<N> corner, edge1, edge2;
        std::uint16_t of;
    };
    struct hit {
        N at = N::of_raw(1024 * scene_one);
        vec<N> normal{};  ///< outwards; of a triangle, to either side
        std::uint16_t of = nothing_hit;
    };
    static constexpr std::uint16_t nothing_hit = 0xFFFF;
    static constexpr std::int64_t gap =
        scene_one / 512;  ///< what keeps a ray from its own beginning

    static constexpr N one() noexcept { return N::of_raw(scene_one); }

    /// A point within a sphere of radius one, by trying.
    static vec<N> inside(chance& random) noexcept
    {
        for (int tries = 0; tries < 8; ++tries) {
            auto const signed_part = [&] {
                auto const u = N::random(random.next());
                return u + u - one();
            };
            vec<N> out;
            out.x = signed_part();
            out.y = signed_part();
            out.z = signed_part();
            auto const size = dot(out, out);
            if (size <= one() && size > N::of_raw(scene_one / 64)) return out;
        }
        return {N{}, N::of_raw(scene_one / 2), N{}};
    }

    ray towards(picture const& of, std::uint32_t x, std::uint32_t y, chance& random) const
    {
        auto const within = [&](std::uint32_t at, std::uint32_t size) {
            auto const u = N::random(random.next());
            return (N::ratio(2 * std::int64_t{at} - size, 2) + u) * N::ratio(2, of.height);
        };
        auto const right = within(x, of.width);
        auto const down = within(y, of.height);
        auto const along = eye_.forward + eye_.right * right - eye_.up * down;
        if (!(eye_.aperture > N{})) return {eye_.from, normal(along)};
        auto const shift = inside(random);
        auto const from = eye_.from + eye_.right * (shift.x * eye_.aperture) +
                          eye_.up * (shift.y * eye_.aperture);
        return {from, normal(eye_.from + along * eye_.focus - from)};
    }

    vec<N> follow(ray r, std::uint32_t bounces, chance& random) const
    {
        vec<N> light{}, share{one(), one(), one()};
        for (std::uint32_t k = 0; k < bounces; ++k) {
            auto const met = nearest(r);
            if (met.of == nothing_hit) return light + share * above(r.along);
            auto const& s = surfaces_[met.of];
            if (s.kind == surface::light) return light + share * s.colour;
            share = share * s.colour;
            auto const at = r.from + r.along * met.at;
            bool const leaving = dot(met.normal, r.along) > N{};
            auto const facing = leaving ? met.normal * -one() : met.normal;
            switch (s.kind) {
            case surface::diffuse:
                r.from = at + facing * N::of_raw(gap);
                if (sunny_) light = light + share * sunshine(r.from, facing, random);
                r.along = normal(facing + normal(inside(random)));
                break;
            case surface::metal:
                r.from = at + facing * N::of_raw(gap);
                r.along = normal(mirrored(r.along, facing) + inside(random) * s.detail);
                if (!(dot(r.along, facing) > N{})) return light;
                break;
            default:
                r = through(at, r.along, facing, leaving ? s.detail : one() / s.detail, random);
            }
        }
        return light;
    }

    vec<N> above(vec<N> const& along) const
    {
        if (!(along.y > N{})) return horizon_;
        return horizon_ * (one() - along.y) + sky_ * along.y;
    }

    vec<N> sunshine(vec<N> const& from, vec<N> const& facing, chance& random) const
    {
        auto const along = normal(sun_towards_ + inside(random) * sun_size_);
        auto const slant = dot(facing, along);
        if (!(slant > N{}) || !clear({from, along})) return {};
        return sun_colour_ * slant;
    }

    static vec<N> mirrored(vec<N> const& along, vec<N> const& facing)
    {
        auto const into = dot(along, facing);
        return along - facing * (into + into);
    }

    /// Glass: bent, or mirrored when too flat or by chance. `ratio` of refractive indexes, before ÷ behind.
    static ray through(vec<N> const& at, vec<N> const& along, vec<N> const& facing, N ratio,
                       chance& random)
    {
        auto const slant = -dot(along, facing);
        auto const bent = ratio * ratio * (one() - slant * slant);
        auto const base = (one() - ratio) / (one() + ratio);
        auto const flat = one() - slant;
        auto const flat2 = flat * flat;
        auto const part = base * base + (one() - base * base) * (flat2 * flat2 * flat);
        auto const u = N::random(random.next());
        if (bent > one() || u < part)
            return {at + facing * N::of_raw(gap), normal(mirrored(along, facing))};
        auto const behind = along * ratio + facing * (ratio * slant - square_root(one() - bent));
        return {at - facing * N::of_raw(gap), normal(behind)};
    }

    // ------------------------------------------------------------ what a ray meets
    hit nearest(ray const& r) const
    {
        hit best;
        for (auto const& each : balls_) meet(r, each, best);
        for (auto const& each : boxes_) meet(r, each, best);
        for (auto const& each : flats_) meet(r, each, best);
        return best;
    }

    /// Whether nothing but glass lies ahead.
    bool clear(ray const& r) const
    {
        auto const blocked = [&](auto const& things) {
            for (auto const& each : things) {
                if (surfaces_[each.of].kind == surface::glass) continue;
                hit found;
                meet(r, each, found);
                if (found.of != nothing_hit) return true;
            }
            return false;
        };
        return !blocked(balls_) && !blocked(boxes_) && !blocked(flats_);
    }

    static void meet(ray const& r, ball const& what, hit& best)
    {
        auto const to = r.from - what.centre;
        auto const b = dot(to, r.along);
        auto const beside = to - r.along * b;
        auto const room = what.radius * what.radius - dot(beside, beside);
        if (!(room > N{})) return;
        auto const half = square_root(room);
        auto at = -b - half;
        if (at < N::of_raw(gap)) at = half - b;
        if (at < N::of_raw(gap) || !(at < best.at)) return;
        best.at = at;
        best.of = what.of;
        best.normal = normal(to + r.along * at);
    }

    static void meet(ray const& r, cuboid const& what, hit& best)
    {
        N in = -best.at, out = best.at;
        vec<N> in_normal{}, out_normal{};
        auto const slab = [&](N from, N along, N low, N high, N vec<N>::* axis) {
            constexpr std::int64_t level = 8;
            if (along < N::of_raw(level) && along > N::of_raw(-level))
                return from > low && from < high;
            auto first = (low - from) / along, second = (high - from) / along;
            auto side = -one();
            if (second < first) {
                std::swap(first, second);
                side = one();
            }
            if (first > in) {
                in = first;
                in_normal = {};
                in_normal.*axis = side;
            }
            if (second < out) {
                out = second;
                out_normal = {};
                out_normal.*axis = -side;
            }
            return !(in > out);
        };
        if (!slab(r.from.x, r.along.x, what.low.x, what.high.x, &vec<N>::x) ||
            !slab(r.from.y, r.along.y, what.low.y, what.high.y, &vec<N>::y) ||
            !slab(r.from.z, r.along.z, what.low.z, what.high.z, &vec<N>::z))
            return;
        bool const outside = !(in < N::of_raw(gap));
        auto const at = outside ? in : out;
        if (at < N::of_raw(gap) || !(at < best.at)) return;
        best.at = at;
        best.of = what.of;
        best.normal = outside ? in_normal : out_normal;
    }

    static void meet(ray const& r, flat const& what, hit& best)
    {
        auto const p = cross(r.along, what.edge2);
        auto const det = dot(what.edge1, p);
        if (det < N::of_raw(4) && det > N::of_raw(-4)) return;
        auto const to = r.from - what.corner;
        auto const u = dot(to, p) / det;
        if (u < N{} || u > one()) return;
        auto const q = cross(to, what.edge1);
        auto const v = dot(r.along, q) / det;
        if (v < N{} || u + v > one()) return;
        auto const at = dot(what.edge2, q) / det;
        if (at < N::of_raw(gap) || !(at < best.at)) return;
        best.at = at;
        best.of = what.of;
        best.normal = normal(cross(what.edge1, what.edge2));
    }

    lens eye_;
    vec<N> sky_, horizon_, sun_towards_, sun_colour_;
    N sun_size_;
    bool sunny_;
    std::vector<look> surfaces_;
    std::vector<ball> balls_;
    std::vector<cuboid> boxes_;
    std::vector<flat> flats_;
};

}  // namespace blendr::work
