#version 450
// SPDX-License-Identifier: Apache-2.0
// A bound that lies 2^30 rounds ahead, where a compiler may mistake it for one that is behind.
layout(local_size_x = 1) in;
layout(std430, set = 0, binding = 0) buffer W { uint words[]; };
void main()
{
    for (uint i = 0x80000000u; i >= 7; i += 2) words[i & 1] += i;
}
