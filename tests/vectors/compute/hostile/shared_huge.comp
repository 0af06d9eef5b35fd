#version 460
layout(set = 0, binding = 0) buffer A { uint a[]; };
layout(local_size_x = 64) in;

shared uint s[1000000];
void main() { s[gl_LocalInvocationID.x] = 1u; a[0] = s[a[1]]; }
