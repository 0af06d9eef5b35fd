#version 450
// SPDX-License-Identifier: Apache-2.0
// Shows memory that nobody wrote.
layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 0) writeonly buffer W { uint words[]; };
layout(std430, set = 0, binding = 1) buffer B { uint before[]; };
shared uint lane[4096];
void main()
{
    uint own[32];
    uint seen = own[gl_LocalInvocationIndex & 31] | before[gl_GlobalInvocationID.x];
    for (uint i = gl_LocalInvocationIndex; i < 4096; i += 64) seen |= lane[i];
    words[gl_GlobalInvocationID.x] = seen;
}
