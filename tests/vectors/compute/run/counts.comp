#version 450
// SPDX-License-Identifier: Apache-2.0
// Knows how many groups there are, so it cannot be cut up.
layout(local_size_x = 1) in;
layout(std430, set = 0, binding = 0) buffer W { uint words[]; };
void main() { words[gl_WorkGroupID.x] = gl_NumWorkGroups.x; }
