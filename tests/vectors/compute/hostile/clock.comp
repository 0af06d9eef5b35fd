#version 460
layout(set = 0, binding = 0) buffer A { uint a[]; };
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#extension GL_ARB_shader_clock : require
layout(local_size_x = 64) in;

void main() { a[0] = clock2x32ARB().x; }
