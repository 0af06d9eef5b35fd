#version 460
layout(set = 0, binding = 0) buffer A { uint a[]; };
layout(local_size_x = 64) in;

layout(set = 0, binding = 2, rgba8) uniform image2D i;
void main() { imageStore(i, ivec2(0), vec4(1)); }
