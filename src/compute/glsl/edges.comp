#version 450
// SPDX-License-Identifier: Apache-2.0
// Integers at their edges, shared memory, barriers and atomics; words[0..63] are given.
layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 0) buffer W { uint words[]; };
layout(std430, set = 0, binding = 1) buffer S { uint sums[]; };
shared uint lane[64];

void main()
{
    uint i = gl_LocalInvocationIndex, v = words[i];
    int s = int(v);
    uint divisor = words[63 - i] | 1u;
    uint x = v / divisor ^ v % divisor ^ uint(s / int(divisor | 2u)) ^ v << (i & 31) ^
             uint(s >> (i & 31)) ^ uint(bitCount(v)) ^ uint(findMSB(v | 1u)) ^ bitfieldReverse(v);
    lane[i] = x;
    barrier();
    for (uint half_ = 32; half_ > 0; half_ >>= 1) {
        if (i < half_) lane[i] += lane[i + half_] * 3u;
        barrier();
    }
    words[64 + i] = x ^ lane[0];
    atomicAdd(sums[0], x);
    atomicMax(sums[1], x);
    atomicXor(sums[2], x);
    atomicMin(sums[3], x);
}
