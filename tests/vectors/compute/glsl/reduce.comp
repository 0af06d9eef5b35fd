#version 450
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer A { uint a[]; };
layout(set = 0, binding = 1) buffer B { uint b[]; };
layout(push_constant) uniform P { uint n; int k; };
shared uint part[64];
void main()
{
    uint lid = gl_LocalInvocationID.x;
    part[lid] = a[gl_GlobalInvocationID.x];
    barrier();
    for (uint s = 32u; s > 0u; s >>= 1) {
        if (lid < s) part[lid] += part[lid + s];
        barrier();
    }
    if (lid == 0u) atomicAdd(b[gl_WorkGroupID.x], part[0]);
}
