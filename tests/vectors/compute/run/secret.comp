#version 450
// SPDX-License-Identifier: Apache-2.0
// Leaves a mark wherever the next tenant might look.
layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 0) buffer W { uint words[]; };
shared uint lane[4096];
void main()
{
    uint own[32];
    for (uint i = 0; i < 32; ++i) own[i] = 0x5ec7e7a1u;
    for (uint i = gl_LocalInvocationIndex; i < 4096; i += 64) lane[i] = 0x5ec7e7a1u;
    barrier();
    words[gl_GlobalInvocationID.x] = lane[gl_LocalInvocationIndex * 7] | own[gl_LocalInvocationIndex & 31];
}
