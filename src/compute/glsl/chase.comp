#version 450
// SPDX-License-Identifier: Apache-2.0
layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 0) readonly buffer W { uint words[]; };
layout(std430, set = 0, binding = 1) writeonly buffer R { uint ends[]; };
layout(push_constant) uniform P { uint columns, walkers, steps, seed; };

void main()
{
    uint walker = gl_GlobalInvocationID.x;
    if (walker >= walkers) return;
    uint all = columns * 64;
    uint x = (seed ^ walker * 0x9e3779b1u) * 0x85ebca6bu;
    for (uint s = 0; s < steps; ++s) x = (words[(x ^ x >> 15) % all] ^ x) * 0x2c1b3c6du + s;
    ends[walker] = x;
}
