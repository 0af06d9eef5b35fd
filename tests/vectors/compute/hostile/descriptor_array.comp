#version 460
layout(set = 0, binding = 0) buffer A { uint a[]; };
layout(local_size_x = 64) in;

layout(set = 0, binding = 1) buffer B { uint b[]; } many[4];
void main() { many[a[0] & 3u].b[0] = 1u; }
