#version 450
// SPDX-License-Identifier: Apache-2.0
// Reads and writes where it is told to.
layout(local_size_x = 1) in;
layout(std430, set = 0, binding = 0) buffer W { uint words[]; };
layout(push_constant) uniform P { uint from, to; };

void main() { words[to] = words[from] + 1; }
