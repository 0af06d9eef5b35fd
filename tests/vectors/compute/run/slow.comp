#version 450
// SPDX-License-Identifier: Apache-2.0
// Every group takes a while, and there can be very many groups.
layout(local_size_x = 1) in;
layout(std430, set = 0, binding = 0) buffer W { uint words[]; };
void main()
{
    uint x = gl_WorkGroupID.x;
    for (uint i = 0; i < 200000; ++i) x = x * 1664525u + 1013904223u + i;
    atomicAdd(words[0], 1);
    words[1] = x;
}
