#version 450
// SPDX-License-Identifier: Apache-2.0
// Two loops, more iterations together than 16 bits count.
layout(local_size_x = 8) in;
layout(std430, set = 0, binding = 0) buffer W { uint words[]; };
layout(push_constant) uniform P { uint count; };

void main()
{
    uint i = gl_GlobalInvocationID.x;
    uint x = i + 1, y = 0;
    for (uint k = 0; k < count; ++k) x = x * 1664525u + 1013904223u;
    for (uint k = 0; k < count + i; ++k) y += x ^ k;
    words[2 * i] = x;
    words[2 * i + 1] = y;
}
