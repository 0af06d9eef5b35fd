#version 460
layout(set = 0, binding = 0) buffer A { uint a[]; };
layout(local_size_x = 64) in;

void main() { a[1u + atomicAdd(a[0], 1u)] = gl_LocalInvocationIndex; }
