#version 450
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer A { uint a[]; };
layout(set = 0, binding = 1) buffer B { uint b[]; };
layout(push_constant) uniform P { uint n; int k; };
void main() { uint i = gl_LocalInvocationIndex; while (a[0] != 12345u) { b[i] += 1u; } }
