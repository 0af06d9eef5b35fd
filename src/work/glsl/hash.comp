#version 450
// SPDX-License-Identifier: Apache-2.0
// BLAKE2b-256 of many blocks, one invocation each. `words` holds the blocks one after the other; the last may be shorter.
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 0) readonly buffer B { uint words[]; };
layout(std430, set = 0, binding = 1) writeonly buffer H { uint digests[]; };
layout(push_constant) uniform P { uint blocks, block_bytes, last_bytes; };

const uint64_t IV[8] = uint64_t[](0x6a09e667f3bcc908UL, 0xbb67ae8584caa73bUL, 0x3c6ef372fe94f82bUL,
    0xa54ff53a5f1d36f1UL, 0x510e527fade682d1UL, 0x9b05688c2b3e6c1fUL, 0x1f83d9abfb41bd6bUL, 0x5be0cd19137e2179UL);
const uint SIGMA[20] = uint[](0x76543210u, 0xfedcba98u, 0x6df984aeu, 0x357b20c1u, 0xdf250c8bu, 0x491763eau,
    0xebcd1397u, 0x8f04a562u, 0xfa427509u, 0xd386cb1eu, 0x38b0a6c2u, 0x91ef57d4u, 0xa4def15cu, 0xb8293670u,
    0x931ce7bdu, 0xa2684f05u, 0x803b9ef6u, 0x5a417d2cu, 0x5167482au, 0x0dc3e9bfu);

uint64_t v[16], m[16];

uint64_t turned(uint64_t x, uint by) { return x >> by | x << (64u - by); }
void mix(uint a, uint b, uint c, uint d, uint64_t x, uint64_t y)
{
    v[a] += v[b] + x;
    v[d] = turned(v[d] ^ v[a], 32u);
    v[c] += v[d];
    v[b] = turned(v[b] ^ v[c], 24u);
    v[a] += v[b] + y;
    v[d] = turned(v[d] ^ v[a], 16u);
    v[c] += v[d];
    v[b] = turned(v[b] ^ v[c], 63u);
}

void main()
{
    uint i = gl_GlobalInvocationID.x;
    if (i >= blocks) return;
    uint size = i + 1u == blocks ? last_bytes : block_bytes, from = i * (block_bytes / 4u);
    uint64_t h[8];
    for (uint k = 0u; k < 8u; ++k) h[k] = IV[k];
    h[0] ^= 0x01010020UL;
    uint parts = max(1u, (size + 127u) / 128u);
    for (uint part = 0u; part < parts; ++part) {
        bool last = part + 1u == parts;
        uint done = last ? size : (part + 1u) * 128u;
        for (uint k = 0u; k < 16u; ++k) {
            uint at = part * 128u + k * 8u;
            uint left = size > at ? size - at : 0u;  // bytes past the end are zeros
            uint low = left > 0u ? words[from + at / 4u] : 0u;
            uint high = left > 4u ? words[from + at / 4u + 1u] : 0u;
            if (left < 4u) low &= (1u << (left * 8u)) - 1u;
            if (left > 4u && left < 8u) high &= (1u << ((left - 4u) * 8u)) - 1u;
            m[k] = uint64_t(low) | uint64_t(high) << 32;
        }
        for (uint k = 0u; k < 8u; ++k) {
            v[k] = h[k];
            v[k + 8u] = IV[k];
        }
        v[12] ^= uint64_t(done);
        if (last) v[14] = ~v[14];
        for (uint r = 0u; r < 12u; ++r) {
            uint a = SIGMA[2u * (r % 10u)], b = SIGMA[2u * (r % 10u) + 1u];
            mix(0u, 4u, 8u, 12u, m[a & 15u], m[a >> 4 & 15u]);
            mix(1u, 5u, 9u, 13u, m[a >> 8 & 15u], m[a >> 12 & 15u]);
            mix(2u, 6u, 10u, 14u, m[a >> 16 & 15u], m[a >> 20 & 15u]);
            mix(3u, 7u, 11u, 15u, m[a >> 24 & 15u], m[a >> 28]);
            mix(0u, 5u, 10u, 15u, m[b & 15u], m[b >> 4 & 15u]);
            mix(1u, 6u, 11u, 12u, m[b >> 8 & 15u], m[b >> 12 & 15u]);
            mix(2u, 7u, 8u, 13u, m[b >> 16 & 15u], m[b >> 20 & 15u]);
            mix(3u, 4u, 9u, 14u, m[b >> 24 & 15u], m[b >> 28]);
        }
        for (uint k = 0u; k < 8u; ++k) h[k] ^= v[k] ^ v[k + 8u];
    }
    for (uint k = 0u; k < 4u; ++k) {
        digests[8u * i + 2u * k] = uint(h[k]);
        digests[8u * i + 2u * k + 1u] = uint(h[k] >> 32);
    }
}
