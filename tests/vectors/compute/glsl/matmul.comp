#version 450
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer A { uint a[]; };
layout(set = 0, binding = 1) buffer B { uint b[]; };
layout(push_constant) uniform P { uint n; int k; };
shared uint tile[64];
void main()
{
    uint i = gl_GlobalInvocationID.x, lid = gl_LocalInvocationID.x, sum = 0u;
    for (uint t = 0u; t < n; t += 64u) {
        tile[lid] = a[t + lid];
        barrier();
        for (int j = 0; j < 64; ++j) sum += tile[j] * a[(t + uint(j)) * n + i];
        barrier();
    }
    b[i] = sum;
}
