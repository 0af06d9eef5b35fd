#version 450
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer A { uint a[]; };
layout(set = 0, binding = 1) buffer B { uint b[]; };
layout(push_constant) uniform P { uint n; int k; };
shared uint s[16];
void main()
{
    uint q[8];
    for (int i = 0; i < 8; ++i) q[i] = a[i * k];
    uvec4 v = uvec4(q[0], q[1], q[2], q[3]);
    v[n] = 9u;
    s[n * 3u] = v[k];
    b[n << 30] = q[k] + s[a[0]] + v.x;
}
