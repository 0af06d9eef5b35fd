#version 450
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer A { uint a[]; };
layout(set = 0, binding = 1) buffer B { uint b[]; };
layout(push_constant) uniform P { uint n; int k; };
uint twice(uint x) { for (uint i = 0u; i < 4u; ++i) { if (x == a[i]) return x; x += i; } return x * 2u; }
uint stale;
void main()
{
    uint x; uint i = 0u;
    do { x = twice(i) + stale; ++i; switch (x & 3u) { case 0u: continue; case 2u: x += 1u; break; default: stale += x; } } while (i < n);
    b[i] = x;
}
