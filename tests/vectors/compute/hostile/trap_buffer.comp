#version 460
layout(set = 0, binding = 0) buffer A { uint a[]; };
layout(local_size_x = 64) in;

layout(set = 3, binding = 0) buffer B { uint b[]; };
void main() { b[0] = 0u; }
