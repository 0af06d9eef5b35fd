#version 450
// SPDX-License-Identifier: Apache-2.0
// Writes every word but one.
layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 0) writeonly buffer W { uint words[]; };
void main() { if (gl_GlobalInvocationID.x != 77) words[gl_GlobalInvocationID.x] = gl_GlobalInvocationID.x; }
