#version 450
// SPDX-License-Identifier: Apache-2.0
layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 0) buffer W { uint words[]; };
layout(push_constant) uniform P { uint n, rounds, seed; };

void main()
{
    uint i = gl_GlobalInvocationID.x;
    if (i >= n) return;
    uint x = words[i] ^ seed;
    for (uint r = 0; r < rounds; ++r) {
        x = (x ^ x >> 16) * 0x7feb352du;
        x = (x ^ x >> 15) * 0x846ca68bu + i + r;
    }
    words[i] = x;
}
