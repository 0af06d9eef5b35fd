#version 450
// SPDX-License-Identifier: Apache-2.0
layout(local_size_x = 1) in;
layout(std430, set = 0, binding = 0) buffer W { uint words[]; };
void main() { while (words[0] == 0) words[1] += 1; }
