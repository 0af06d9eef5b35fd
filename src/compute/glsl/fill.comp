#version 450
// SPDX-License-Identifier: Apache-2.0
// To know a word without having kept it, all words above it in its column have to be made again.
layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 0) writeonly buffer W { uint words[]; };
layout(push_constant) uniform P { uint columns, seed; };

void main()
{
    uint column = gl_GlobalInvocationID.x;
    if (column >= columns) return;
    uint x = seed ^ column * 0x9e3779b1u;
    for (uint j = 0; j < 64; ++j) {
        for (uint r = 0; r < 16; ++r) {
            x = (x ^ x >> 16) * 0x7feb352du;
            x = (x ^ x >> 15) * 0x846ca68bu + j;
        }
        words[column * 64 + j] = x;
    }
}
