#version 460
layout(set = 0, binding = 0) buffer A { uint a[]; };
#extension GL_EXT_buffer_reference : require
layout(local_size_x = 64) in;

layout(buffer_reference) buffer R { uint v; };
layout(push_constant) uniform P { R r; };
void main() { r.v = a[0]; }
