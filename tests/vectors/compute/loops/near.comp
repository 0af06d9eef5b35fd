#version 450
// Loops that look as if their rounds were fixed, and are not. One is compiled for each value of CASE.
layout(local_size_x = 1) in;
layout(set = 0, binding = 0) buffer A { uint a[]; };
layout(set = 0, binding = 1) buffer B { uint b[]; };
shared uint common_to_all;
void grow(inout uint x) { x += a[1]; }
void climb(uint from) { for (uint j = from; j < 5; ++j) b[0] += 1; }
void main()
{
#if CASE == 1  // the body changes the counter
    for (uint i = 0; i < 10; ++i) if (a[0] == 1) { i -= 1; b[0] += 1; }
#elif CASE == 2  // never less than zero
    for (uint i = 10; i >= 0; --i) b[0] += i;
#elif CASE == 3  // not a whole number: one more is nothing to it
    for (float f = 16777215.0; f < 16777218.0; f += 1.0) b[0] += 1;
#elif CASE == 4  // another number than those it goes by
    for (uint i = 1; i != 10; i += 2) b[0] += 1;
#elif CASE == 5  // the bound grows, in a function
    uint n = 10;
    for (uint i = 0; i < n; ++i) { grow(n); b[0] += 1; }
#elif CASE == 6  // the counter shrinks, in a function
    for (uint i = 0; i < 10; ++i) { grow(i); b[0] += 1; }
#elif CASE == 7  // it does not come to where it would count
    uint i = 0;
    while (i < 10) { if (a[0] == 1) continue; ++i; b[0] += 1; }
#elif CASE == 8  // the step is somebody's
    for (uint i = 0; i < 10; i += a[2]) b[0] += 1;
#elif CASE == 9  // no step
    for (uint i = 0; i < 10; i += 0) b[0] += 1;
#elif CASE == 10  // past the end of its numbers before it comes to its bound
    for (uint i = 0; i < 0xFFFFFFF0u; i += 0x40000000u) b[0] += 1;
#elif CASE == 11  // two ways out
    for (uint i = 0; i < 10; ++i) { if (b[0] == 5) break; b[0] += 1; }
#elif CASE == 12  // and by the door
    for (uint i = 0; i < 10; ++i) { if (b[0] == 5) return; b[0] += 1; }
#elif CASE == 13  // somebody's beginning
    for (uint i = a[0]; i < 1000000; ++i) b[0] += 1;
#elif CASE == 14  // everybody's counter
    for (common_to_all = 0; common_to_all < 10; common_to_all += 1) b[0] += 1;
#elif CASE == 15  // the loop inside changes the counter of the one around it
    for (uint i = 0; i < 10; ++i) for (uint j = 0; j < 2; ++j) { i -= a[0]; b[0] += 1; }
#elif CASE == 16  // another step every other time
    for (uint i = 0; i < 10; i += (b[0] & 1)) b[0] += 2;
#elif CASE == 17  // more at once than a budget has
    for (uint i = 0; i < 40000; ++i) b[0] += 1;
#elif CASE == 18  // a sign that is read two ways
    for (int i = 10; uint(i) > 0; i += 2147483647) b[0] += 1;
#elif CASE == 19  // upwards, and waits to be below
    for (int i = 10; i > 0; ++i) b[0] += 1;
#elif CASE == 20  // an element of an array counts, and another index is the same one
    uint c[4];
    c[0] = 0;
    for (c[0] = 0; c[0] < 10; c[0] += 1) { c[a[3]] = 0; b[0] += 1; }
#elif CASE == 21  // what it compares does not end it, and another question may
    for (uint i = 0;; ++i) { if (i < 10) b[0] += 1; else b[0] += 2; if (b[0] == 0) break; }
#elif CASE == 22  // a loop inside whose rounds are somebody's
    for (uint i = 0; i < 10; ++i) for (uint j = a[0]; j < 5; ++j) b[0] += 1;
#elif CASE == 23  // and one in a function
    for (uint i = 0; i < 10; ++i) climb(a[0]);
#elif CASE == 25  // no way out, whatever it compares
    for (uint i = 0;; ++i) { if (i < 10) b[0] += 1; else b[0] += 2; }
#endif
}
