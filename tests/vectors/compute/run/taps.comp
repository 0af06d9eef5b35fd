#version 450
// SPDX-License-Identifier: Apache-2.0
// A window of 8 x 8 around each word: loops whose rounds stand in the program, with little in them.
layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 0) buffer W { float words[]; };
void main()
{
    uint at = gl_GlobalInvocationID.x;
    float sum = 0.0;
    for (int y = 0; y < 8; ++y)
        for (int x = 0; x < 8; ++x) sum += float(x * y) * float(at & 255u + uint(x));
    words[at] = sum;
}
