#version 450
// SPDX-License-Identifier: Apache-2.0
// The path tracer of ../tracer.hpp, operation by operation: in fixed point (EXACT: the same bits) or in floats. One
// invocation a pixel; a dispatch adds some samples to the sums, the last one makes pixels of them.
#ifdef EXACT
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#define N int64_t
#define V i64vec3
#else
#define N float
#define V vec3
#endif
layout(local_size_x = 8, local_size_y = 8) in;
layout(std430, set = 0, binding = 0) readonly buffer S { int words[]; };
layout(std430, set = 0, binding = 1) buffer L { N sums[]; };
layout(std430, set = 0, binding = 2) writeonly buffer R { uint pixels[]; };
layout(push_constant) uniform P
{
    uint width, height, seed, bounces, left, top, wide, high, first, count, samples, last;
};

#ifdef EXACT
const N ONE = 1048576L, GAP = 2048L, FAR = 1073741824L;
const int SHIFT = 20;
N raw(int v) { return N(v); }
N ratio(int a, int b) { return (N(a) << SHIFT) / N(b); }
N chance_of(uint w) { return N(w >> 12); }
N mul(N a, N b) { return (a * b) >> SHIFT; }
V mul(V a, N b) { return (a * b) >> SHIFT; }
V mul(V a, V b) { return (a * b) >> SHIFT; }
N over(N a, N b)
{
    if (b == 0L) return a < 0L ? -1099511627776L : 1099511627776L;
    N wide_ = a << SHIFT;
    if (b == -1L) return wide_ == (1L << 63) ? 1099511627776L : -wide_;
    return wide_ / b;
}
N root(N v)
{
    if (v <= 0L) return 0L;
    uint64_t value = uint64_t(v) << SHIFT;
    uint upper = uint(value >> 32);
    int msb = upper != 0u ? 32 + findMSB(upper) : findMSB(uint(value) | 1u);
    uint64_t r = 0UL;
    for (int k = msb & ~1; k >= 0; k -= 2) {
        uint64_t bit = 1UL << k;
        bool fits = value >= r + bit;
        value -= fits ? r + bit : 0UL;
        r = (r >> 1) + (fits ? bit : 0UL);
    }
    return N(r);
}
uint byte_of(N v)
{
    if (v <= 0L) return 0u;
    if (v >= ONE) return 255u;
    return uint((v * 255L + ONE / 2L) >> SHIFT);
}
#else
const N ONE = 1.0, GAP = 1.0 / 512.0, FAR = 1024.0;
N raw(int v) { return float(v) / 1048576.0; }
N ratio(int a, int b) { return float(a) / float(b); }
N chance_of(uint w) { return float(w >> 12) / 1048576.0; }
N mul(N a, N b) { return a * b; }
V mul(V a, N b) { return a * b; }
V mul(V a, V b) { return a * b; }
N over(N a, N b) { return a / b; }
N root(N v) { return v > 0.0 ? sqrt(v) : 0.0; }
uint byte_of(N v)
{
    if (!(v > 0.0)) return 0u;
    return v >= 1.0 ? 255u : uint(v * 255.0 + 0.5);
}
#endif
const N NONE = N(0);

N along_(V a, V b) { V c = mul(a, b); return c.x + c.y + c.z; }
V across(V a, V b)
{
    return V(mul(a.y, b.z) - mul(a.z, b.y), mul(a.z, b.x) - mul(a.x, b.z), mul(a.x, b.y) - mul(a.y, b.x));
}
V normal(V a)
{
    N size = root(along_(a, a));
    if (!(size > raw(16))) return V(NONE, ONE, NONE);
    return V(over(a.x, size), over(a.y, size), over(a.z, size));
}

uint state;
uint mixed(uint v)
{
    v = (v ^ (v >> 16)) * 0x7feb352du;
    v = (v ^ (v >> 15)) * 0x846ca68bu;
    return v ^ (v >> 16);
}
N chance()
{
    state = state * 747796405u + 2891336453u;
    return chance_of(mixed(state));
}

V vector(uint at) { return V(raw(words[at]), raw(words[at + 1]), raw(words[at + 2])); }
const uint MATERIALS = 32;
uint balls_at, boxes_at, flats_at, end_at;
int kind_of(int material) { return words[MATERIALS + 5 * uint(material)]; }

V inside()
{
    for (int tries = 0; tries < 8; ++tries) {
        N x = chance(), y = chance(), z = chance();
        V v = V(x + x - ONE, y + y - ONE, z + z - ONE);
        N size = along_(v, v);
        if (size <= ONE && size > raw(16384)) return v;
    }
    return V(NONE, raw(524288), NONE);
}

// ---- what a ray meets
bool ball(uint at, V from, V along, N most, out N found)
{
    V to = from - vector(at);
    N radius = raw(words[at + 3]), b = along_(to, along);
    V beside = to - mul(along, b);
    N room = mul(radius, radius) - along_(beside, beside);
    found = NONE;
    if (!(room > NONE)) return false;
    N half_ = root(room);
    found = -b - half_;
    if (found < GAP) found = half_ - b;
    return !(found < GAP) && found < most;
}

bool slab(N from, N along, N low, N high, int axis, inout N near, inout N far, inout ivec2 sides)
{
    if (along < raw(8) && along > raw(-8)) return from > low && from < high;
    N first = over(low - from, along), second = over(high - from, along);
    int side = -1;
    if (second < first) {
        N t = first;
        first = second;
        second = t;
        side = 1;
    }
    if (first > near) {
        near = first;
        sides.x = side * axis;
    }
    if (second < far) {
        far = second;
        sides.y = -side * axis;
    }
    return !(near > far);
}

bool box(uint at, V from, V along, N most, out N found, out int side)
{
    N near = -most, far = most;
    ivec2 sides = ivec2(0);
    V low = vector(at), high = vector(at + 3);
    found = NONE;
    side = 0;
    if (!slab(from.x, along.x, low.x, high.x, 1, near, far, sides)) return false;
    if (!slab(from.y, along.y, low.y, high.y, 2, near, far, sides)) return false;
    if (!slab(from.z, along.z, low.z, high.z, 3, near, far, sides)) return false;
    bool outside = !(near < GAP);
    found = outside ? near : far;
    side = outside ? sides.x : sides.y;
    return !(found < GAP) && found < most;
}

bool flat_(uint at, V from, V along, N most, out N found)
{
    V edge1 = vector(at + 3), edge2 = vector(at + 6), p = across(along, edge2);
    N det = along_(edge1, p);
    found = NONE;
    if (det < raw(4) && det > raw(-4)) return false;
    V to = from - vector(at);
    N u = over(along_(to, p), det);
    if (u < NONE || u > ONE) return false;
    V q = across(to, edge1);
    N v = over(along_(along, q), det);
    if (v < NONE || u + v > ONE) return false;
    found = over(along_(edge2, q), det);
    return !(found < GAP) && found < most;
}

/// Where the nearest thing lies in `words`, 0 where there is none; a shadow's ray only asks whether there is one that
/// is no glass.
uint meet(V from, V along, bool shadow, out N best, out int best_side)
{
    best = FAR;
    best_side = 0;
    uint what = 0u, at = balls_at;
    while (at < end_at) {
        bool is_ball = at < boxes_at, is_box = !is_ball && at < flats_at;
        uint next = at + (is_ball ? 5u : is_box ? 7u : 10u);
        if (!shadow || kind_of(words[next - 1u]) != 2) {
            N found;
            int side = 0;
            bool met;
            if (is_ball) met = ball(at, from, along, best, found);
            else if (is_box) met = box(at, from, along, best, found, side);
            else met = flat_(at, from, along, best, found);
            if (met) {
                best = found;
                what = at;
                best_side = side;
                if (shadow) return what;
            }
        }
        at = next;
    }
    return what;
}

/// Of a triangle, not of length one yet; of a box, of length one.
V outwards(uint what, int side)
{
    if (what >= flats_at) return across(vector(what + 3u), vector(what + 6u));
    N one = side < 0 ? -ONE : ONE;
    int axis = abs(side);
    return V(axis == 1 ? one : NONE, axis == 2 ? one : NONE, axis == 3 ? one : NONE);
}

V mirrored(V along, V facing)
{
    N into = along_(along, facing);
    return along - mul(facing, into + into);
}

/// A path and the rays towards the sun beside it. What is written once is compiled once: drivers inline everything.
V follow(V from, V along)
{
    V light = V(NONE), share = V(ONE), sunlit = V(NONE), to_sun = V(NONE);
    bool shadow = false;
    uint hops = 0u;
    for (uint k = 0u; k <= 2u * bounces; ++k) {
        if (!shadow && hops == bounces) break;
        N far;
        int side;
        uint what = meet(from, shadow ? to_sun : along, shadow, far, side);
        if (shadow) {
            if (what == 0u) light = light + sunlit;
            shadow = false;
            continue;
        }
        ++hops;
        if (what == 0u) {
            V above = vector(17u);
            if (along.y > NONE) above = mul(above, ONE - along.y) + mul(vector(14u), along.y);
            return light + mul(share, above);
        }
        uint m = MATERIALS + 5u * uint(words[what + (what < boxes_at ? 4u : what < flats_at ? 6u : 9u)]);
        int kind = words[m];
        V colour = vector(m + 1u);
        if (kind == 3) return light + mul(share, colour);
        N detail = raw(words[m + 4u]);
        share = mul(share, colour);
        V at = from + mul(along, far);
        V facing = what < boxes_at ? from - vector(what) + mul(along, far) : outwards(what, side);
        if (what < boxes_at || what >= flats_at) facing = normal(facing);
        bool leaving = along_(facing, along) > NONE;
        if (leaving) facing = mul(facing, -ONE);
        V step = mul(facing, GAP), to = mirrored(along, facing), by_chance = V(NONE);
        for (uint turn = kind == 0 && words[31] != 0 ? 0u : kind == 2 ? 2u : 1u; turn < 2u; ++turn) {
            by_chance = inside();
            if (kind == 1) break;
            if (turn == 0u) by_chance = vector(20u) + mul(by_chance, raw(words[26]));
            by_chance = normal(by_chance);
            if (turn != 0u) break;
            N slant = along_(facing, by_chance);
            shadow = slant > NONE;
            to_sun = by_chance;
            sunlit = mul(share, mul(vector(23u), slant));
        }
        if (kind == 0) to = facing + by_chance;
        if (kind == 1) to = to + mul(by_chance, detail);
        if (kind == 2) {
            N r = leaving ? detail : over(ONE, detail);
            N slant = -along_(along, facing);
            N bent = mul(mul(r, r), ONE - mul(slant, slant));
            N base = over(ONE - r, ONE + r);
            N flat1 = ONE - slant, flat2 = mul(flat1, flat1);
            N part = mul(base, base) + mul(ONE - mul(base, base), mul(mul(flat2, flat2), flat1));
            N u = chance();
            if (!(bent > ONE || u < part)) {
                to = mul(along, r) + mul(facing, mul(r, slant) - root(ONE - bent));
                step = -step;
            }
        }
        from = at + step;
        along = normal(to);
        if (kind == 1 && !(along_(along, facing) > NONE)) return light;
    }
    return light;
}

N within(uint at, uint size)
{
    N u = chance();
    return mul(ratio(2 * int(at) - int(size), 2) + u, ratio(2, int(height)));
}

uint shown(N v)
{
    v = mul(v, ratio(1, int(samples)));
    return byte_of(root(over(mul(v, ONE + mul(v, ratio(1, 4))), ONE + v)));
}

void main()
{
    uint i = gl_GlobalInvocationID.x, j = gl_GlobalInvocationID.y;
    if (i >= wide || j >= high) return;
    uint x = left + i, y = top + j, slot = j * wide + i;
    balls_at = MATERIALS + 5u * uint(words[27]);
    boxes_at = balls_at + 5u * uint(words[28]);
    flats_at = boxes_at + 7u * uint(words[29]);
    end_at = flats_at + 10u * uint(words[30]);
    V sum = V(sums[3u * slot], sums[3u * slot + 1u], sums[3u * slot + 2u]);
    for (uint k = first; k < first + count; ++k) {
        state = mixed(mixed(mixed(mixed(seed) ^ x) ^ y) ^ k);
        V eye = vector(0u), right = vector(6u), up = vector(9u);
        N aperture = raw(words[12]), focus = raw(words[13]);
        N aside = within(x, width), down = within(y, height);
        V along = vector(3u) + mul(right, aside) - mul(up, down), from = eye;
        if (aperture > NONE) {
            V shift = inside();
            from = eye + mul(right, mul(shift.x, aperture)) + mul(up, mul(shift.y, aperture));
            along = eye + mul(along, focus) - from;
        }
        sum += follow(from, normal(along));
    }
    sums[3u * slot] = sum.x;
    sums[3u * slot + 1u] = sum.y;
    sums[3u * slot + 2u] = sum.z;
    if (last != 0u) pixels[slot] = shown(sum.x) | shown(sum.y) << 8 | shown(sum.z) << 16;
}
