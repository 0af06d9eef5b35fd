#version 450
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer A { uint a[]; };
layout(set = 0, binding = 1) buffer B { uint b[]; };
layout(push_constant) uniform P { uint n; int k; };
uint gcd(uint x, uint y) { while (y != 0u) { uint t = x % y; x = y; y = t; } return x; }
void main()
{
    uint i = gl_GlobalInvocationID.x;
    ivec2 u = ivec2(k, int(a[i])) / ivec2(int(n), -1);
    b[i] = gcd(a[i], n) / a[i + 1u] + uint(k / int(a[i])) + uint(u.x % u.y) + (a[i] << n)
         + clamp(a[i], n, 40u) + uint(k >> 40);
}
