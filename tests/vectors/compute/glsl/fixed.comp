#version 450
// Loops whose rounds stand in the program, beside and inside of others, and in a function that others call.
layout(local_size_x = 1) in;
layout(set = 0, binding = 0) buffer A { uint a[]; };
layout(set = 0, binding = 1) buffer B { uint b[]; };
layout(push_constant) uniform P { uint n; uint k; };

uint ten(uint x)
{
    for (uint i = 0; i < 10; ++i) {
        x = x * 5 + i;
        b[0] += 1;
    }
    return x;
}

void main()
{
    uint x = a[0];
    for (int i = -3; i <= 3; ++i) x += uint(i);
    for (int i = 20; i > -1; i -= 3) x ^= uint(i);
    for (uint i = 1; 100u >= i; i += 7)
        for (uint j = 5; j > 0; --j) x += i * j;
    for (uint r = 0; r < n; ++r) {
        for (uint i = 0; i < 4; ++i) x = x * 3 + i;
        x = ten(x);
    }
    a[0] = x;
}
