// SPDX-License-Identifier: Apache-2.0
// Points of edwards25519, one in each lane, over the field of field_avx2.hpp or field_avx512.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "compiler.hpp"

namespace blendr::crypto::lanes {
namespace {

/// X/Z, Y/Z on -x^2 + y^2 = 1 + d x^2 y^2, and T = XY/Z.
struct point {
    element x, y, z, t;
};

/// A point to be added: Y + X, Y - X, 2dT, 2Z. `affine` ones have Z = 1 and leave 2Z out.
using projective_addend = element[4];
using affine_addend = element[3];

BLENDR_INLINE element one() { return small(1); }
BLENDR_INLINE element zero() { return small(0); }

BLENDR_INLINE point identity() { return {zero(), one(), one(), zero()}; }

/// Products one after the other, in a loop on purpose.
struct factors {
    element const* left;
    element const* right;
};

template <class Result>
BLENDR_INLINE void multiply_each(factors const* in, Result* const* out, int count)
{
    count = opaque(count);
    for (int i = 0; i < count; ++i) {
        if constexpr (std::is_same_v<Result, wide>)
            *out[i] = multiply_wide(*in[i].left, *in[i].right);
        else
            *out[i] = carry(multiply_wide(*in[i].left, *in[i].right));
    }
}

/// From the four intermediates of either formula to the point. T only where the next step needs it.
BLENDR_INLINE void finish(point& p, element const& e, element const& f, element const& g,
                          element const& h, bool with_t)
{
    factors const in[4] = {{&e, &f}, {&g, &h}, {&f, &g}, {&e, &h}};
    element* const out[4] = {&p.x, &p.y, &p.z, &p.t};
    multiply_each(in, out, with_t ? 4 : 3);
}

/// p = 2p. T is worked out only where the next step is an addition.
[[gnu::noinline]] inline void twice(point& p, bool with_t)
{
    element const sum = sum_factor(p.x, p.y);
    element const* const in[4] = {&p.x, &p.y, &p.z, &sum};
    wide squared[4];
    int const squares = opaque(4);
    for (int i = 0; i < squares; ++i) squared[i] = square_wide(*in[i]);
    wide const& xx = squared[0];
    wide const& yy = squared[1];
    wide const& zz = squared[2];
    element const h = carry(add(xx, yy));
    element const g = carry(subtract(yy, xx));
    element const f = carry(subtract(add(add(zz, zz), xx), yy));
    element const e = carry(subtract(squared[3], add(xx, yy)));
    finish(p, e, f, g, h, with_t);
}

/// p += q. These formulas hold for every pair of points of the curve, also equal, opposite and
/// small-order ones: -1 is a square mod p and d is not.
[[gnu::noinline]] inline void add_to(point& p, element const* q, bool affine, bool with_t)
{
    element const less = difference_factor(p.y, p.x), more = sum_factor(p.y, p.x);
    wide product[4];
    factors const in[4] = {{&less, q + 1}, {&more, q}, {&p.t, q + 2}, {&p.z, q + 3}};
    wide* const out[4] = {&product[0], &product[1], &product[2], &product[3]};
    if (affine) product[3] = add(widened(p.z), widened(p.z));
    multiply_each(in, out, affine ? 3 : 4);
    wide const &a = product[0], &b = product[1], &c = product[2], &d = product[3];
    element const e = carry(subtract(b, a));
    element const f = carry(subtract(d, c));
    element const g = carry(add(d, c));
    element const h = carry(add(b, a));
    finish(p, e, f, g, h, with_t);
}

template <bool WithT, std::size_t Count>
BLENDR_INLINE void add_to(point& p, element const (&q)[Count])
{
    add_to(p, q, Count == 3, WithT);
}

/// Negates the addend in some lanes: -(x, y) is (-x, y).
template <std::size_t Count>
BLENDR_INLINE void negate(lane_mask which, element (&q)[Count])
{
    element const sum = q[0];
    q[0] = select(which, q[0], q[1]);
    q[1] = select(which, q[1], sum);
    q[2] = select(which, q[2], negated(q[2]));
}

inline void to_addend(point const& p, projective_addend& out)
{
    out[0] = add(p.y, p.x);
    out[1] = subtract(p.y, p.x);
    out[2] = multiply(p.t, constant(twice_d));
    out[3] = add(p.z, p.z);
}

/// Squares Count elements `times` times. Each chain waits for itself, so two go side by side.
template <std::size_t Count>
[[gnu::noinline]] void square_often(element* in, int times)
{
    element x[Count];
#pragma GCC unroll 2
    for (std::size_t i = 0; i < Count; ++i) x[i] = in[i];
    for (int n = 0; n < times; ++n) {
#pragma GCC unroll 2
        for (std::size_t i = 0; i < Count; ++i) x[i] = carry(square_wide(x[i]));
    }
#pragma GCC unroll 2
    for (std::size_t i = 0; i < Count; ++i) in[i] = x[i];
}

/// z^(2^250 - 1), and z^11 on the way.
template <std::size_t Count>
void power_250(element const (&z)[Count], element (&out)[Count], element (&z11)[Count])
{
    auto const times = [](element(&a)[Count], element const(&b)[Count]) {
        for (std::size_t i = 0; i < Count; ++i) a[i] = multiply(a[i], b[i]);
    };
    auto const set = [](element(&a)[Count], element const(&b)[Count]) {
        for (std::size_t i = 0; i < Count; ++i) a[i] = b[i];
    };
    element a[Count], b[Count], c[Count];
    set(a, z), square_often<Count>(a, 1);                     // 2
    set(z11, a), square_often<Count>(z11, 2), times(z11, z);  // 9
    set(c, z11);
    times(z11, a);                                        // 11
    set(a, z11), square_often<Count>(a, 1), times(a, c);  // 2^5 - 1
    set(b, a), square_often<Count>(b, 5), times(b, a);    // 2^10 - 1
    set(c, b), square_often<Count>(c, 10), times(c, b);   // 2^20 - 1
    set(a, c), square_often<Count>(a, 20), times(a, c);   // 2^40 - 1
    square_often<Count>(a, 10), times(a, b);              // 2^50 - 1
    set(b, a), square_often<Count>(b, 50), times(b, a);   // 2^100 - 1
    set(c, b), square_often<Count>(c, 100), times(c, b);  // 2^200 - 1
    square_often<Count>(c, 50), times(c, a);              // 2^250 - 1
    set(out, c);
}

/// z^(p - 2), that is 1/z, and 0 for 0.
inline element inverse(element const& z)
{
    element const in[1] = {z};
    element out[1], z11[1];
    power_250<1>(in, out, z11);
    square_often<1>(out, 5);
    return multiply(out[0], z11[0]);
}

/// Bit 255 of every lane's 32 bytes.
inline lane_mask sign_bits(std::uint8_t const (*in)[32])
{
    unsigned bits = 0;
    for (unsigned lane = 0; lane < word::lanes; ++lane)
        bits |= static_cast<unsigned>(in[lane][31] >> 7) << lane;
    return mask_of(bits);
}

/// The point -A of an encoding A, for Count groups of lanes at once. Where A is no point of the curve,
/// the identity instead, and a 0 in `decoded`. y must be below p.
template <std::size_t Count>
void decode_negated(std::uint8_t const (*const (&in)[Count])[32], point (&out)[Count],
                    lane_mask (&decoded)[Count])
{
    // x^2 = u / v with u = y^2 - 1, v = d y^2 + 1. With w = u v^3 (u v^7)^((p - 5) / 8), w^2 v is u or
    // -u when u / v is a square; in the second case w times a root of -1 is the root.
    element u[Count], v[Count], w[Count], power[Count], unused[Count];
    for (std::size_t i = 0; i < Count; ++i) {
        out[i].y = from_bytes(in[i]);
        element const yy = square(out[i].y);
        u[i] = subtract(yy, one());
        v[i] = add(multiply(yy, constant(curve_d)), one());
        element const v3 = multiply(square(v[i]), v[i]);
        w[i] = multiply(u[i], v3);
        element const v4 = multiply(v3, v[i]);
        power[i] = multiply(w[i], v4);
    }
    element base[Count];
    for (std::size_t i = 0; i < Count; ++i) base[i] = power[i];
    power_250<Count>(base, power, unused);
    square_often<Count>(power, 2);
    for (std::size_t i = 0; i < Count; ++i) {
        power[i] = multiply(power[i], base[i]);  // 2^252 - 3
        element x = multiply(w[i], power[i]);
        element const vxx = multiply(v[i], square(x));
        lane_mask const is_root = is_zero(canonical(subtract(vxx, u[i])));
        lane_mask const is_other = is_zero(canonical(add(vxx, u[i])));
        x = select(is_other, x, multiply(x, constant(root_of_minus_1)));
        decoded[i] = either(is_root, is_other);
        // -A has the other sign than the encoding says.
        lane_mask const same = alike(is_odd(canonical(x)), sign_bits(in[i]));
        x = select(same, x, carry(widened(negated(x))));
        out[i].x = select(decoded[i], zero(), x);
        out[i].y = select(decoded[i], one(), out[i].y);
        out[i].z = one();
        out[i].t = multiply(out[i].x, out[i].y);
    }
}

/// Addends of the multiples 0, 1, ... of some points, one row each, spaced apart by row_words.
constexpr std::size_t projective_words = row_words<4>;
constexpr std::size_t affine_words = row_words<3>;

/// Multiples 0 to Count - 1 of p to each lane's rows. Count is odd.
template <std::size_t Count>
void projective_multiples(point const& p, std::uint64_t* const (&rows)[word::lanes])
{
    std::uint64_t* to[word::lanes];
    auto const put = [&](std::size_t at, projective_addend const& q) {
        for (std::size_t lane = 0; lane < word::lanes; ++lane)
            to[lane] = rows[lane] + at * projective_words;
        store_rows<4>(q, to);
    };
    projective_addend q;
    to_addend(identity(), q), put(0, q);
    projective_addend first;
    to_addend(p, first), put(1, first);
    point multiple[Count / 2 + 1];
    multiple[1] = p;
    for (std::size_t n = 2; n < Count; n += 2) {
        point even = multiple[n / 2];
        twice(even, true);
        to_addend(even, q), put(n, q);
        if (n < Count / 2 + 1) multiple[n] = even;
        if (n + 1 == Count) break;
        point odd = even;
        add_to<true>(odd, first);
        to_addend(odd, q), put(n + 1, q);
        if (n + 1 < Count / 2 + 1) multiple[n + 1] = odd;
    }
}

/// The same for points to be used often: affine, so with one inversion for all, and Count up to 129.
inline void affine_multiples(point const& p, std::size_t count,
                             std::uint64_t* const (&rows)[word::lanes], point* scratch)
{
    // scratch[n] is n p; its t is then overwritten with the product of all z up to there.
    projective_addend step;
    to_addend(p, step);
    scratch[0] = identity();
    for (std::size_t n = 1; n < count; ++n) {
        scratch[n] = scratch[n - 1];
        add_to<true>(scratch[n], step);
    }
    scratch[0].t = scratch[0].z;
    for (std::size_t n = 1; n < count; ++n) scratch[n].t = multiply(scratch[n - 1].t, scratch[n].z);
    element over = inverse(scratch[count - 1].t);
    for (std::size_t n = count; n-- > 0;) {
        element const z = n == 0 ? over : multiply(over, scratch[n - 1].t);
        over = multiply(over, scratch[n].z);
        element const x = multiply(scratch[n].x, z);
        element const y = multiply(scratch[n].y, z);
        affine_addend const q = {add(y, x), subtract(y, x),
                                 multiply(multiply(x, y), constant(twice_d))};
        std::uint64_t* to[word::lanes];
        for (std::size_t lane = 0; lane < word::lanes; ++lane)
            to[lane] = rows[lane] + n * affine_words;
        store_rows<3>(q, to);
    }
}

}  // namespace
}  // namespace blendr::crypto::lanes
