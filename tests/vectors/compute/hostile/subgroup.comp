#version 460
layout(set = 0, binding = 0) buffer A { uint a[]; };
#extension GL_KHR_shader_subgroup_arithmetic : require
layout(local_size_x = 64) in;

void main() { a[0] = subgroupAdd(a[1]); }
