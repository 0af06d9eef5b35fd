#version 460
layout(set = 0, binding = 0) buffer A { uint a[]; };
layout(local_size_x = 64) in;

void main() { uint q[100000]; q[a[1]] = 1u; a[0] = q[a[2]]; }
