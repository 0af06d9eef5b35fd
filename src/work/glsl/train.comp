#version 450
// SPDX-License-Identifier: Apache-2.0
// One step of training a multilayer perceptron, as ../network.hpp does it: with `sums` 0 a row an invocation, forward and
// backward; with `sums` 1 a weight an invocation, its gradient summed over the rows in their order, and behind the
// weights loss and right answers. Behind the rows lie others that are only tested: their right answers come last.
#ifdef EXACT
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#define N int64_t
#else
#define N float
#endif
layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 0) readonly buffer G { N given[]; };  // weights, then rows
layout(std430, set = 0, binding = 1) buffer W { N work[]; };
layout(std430, set = 0, binding = 2) writeonly buffer R { N gradient[]; };
layout(push_constant) uniform P { uint sums, rows, weights, nodes, depth, size0, size1, size2, size3, size4, tested; };

#ifdef EXACT
const N ONE = 65536L, MOST = 67108864L;
N mul(N a, N b) { return (a * b) >> 16; }
N leak(N a) { return a >> 3; }
uint label_of(N v) { return uint(v); }
#else
const N ONE = 1.0, MOST = 1024.0;
N mul(N a, N b) { return a * b; }
N leak(N a) { return a * 0.125; }
uint label_of(N v) { return uint(v); }
#endif
const N NONE = N(0);
N bounded(N v) { return v > MOST ? MOST : v < -MOST ? -MOST : v; }
uint size_of(uint layer)
{
    return layer == 0u ? size0 : layer == 1u ? size1 : layer == 2u ? size2 : layer == 3u ? size3 : size4;
}

void row_(uint row)
{
    uint stride = 2u * nodes + 2u, at = row * stride, data = weights + row * (size0 + 1u);
    uint first = 0u, before = data, out_ = at;
    for (uint layer = 1u; layer <= depth; ++layer) {
        uint from = size_of(layer - 1u), to = size_of(layer);
        for (uint j = 0u; j < to; ++j) {
            N z = given[first + from * to + j];
            for (uint i = 0u; i < from; ++i)
                z += mul(layer == 1u ? given[before + i] : work[before + i], given[first + i * to + j]);
            z = bounded(z);
            work[out_ + j] = layer == depth || z > NONE ? z : leak(z);
        }
        first += (from + 1u) * to;
        before = out_;
        out_ += to;
    }
    uint classes = size_of(depth), label = label_of(given[data + size0]), best = 0u;
    N loss = NONE;
    for (uint j = 0u; j < classes; ++j) {
        N z = work[before + j], e = z - (j == label ? ONE : -ONE);
        loss += mul(e, e);
        work[before + nodes + j] = e;
        if (z > work[before + best]) best = j;
    }
    work[at + 2u * nodes] = loss;
    work[at + 2u * nodes + 1u] = best == label ? ONE : NONE;
    if (row >= rows) return;
    for (uint layer = depth; layer > 1u; --layer) {
        uint from = size_of(layer - 1u), to = size_of(layer);
        first -= (from + 1u) * to;
        uint behind = before;
        before -= from;
        for (uint i = 0u; i < from; ++i) {
            N s = NONE;
            for (uint j = 0u; j < to; ++j) s += mul(given[first + i * to + j], work[behind + nodes + j]);
            work[before + nodes + i] = bounded(work[before + i] > NONE ? s : leak(s));
        }
    }
}

void sum_(uint which)
{
    uint stride = 2u * nodes + 2u, data = size0 + 1u;
    N sum = NONE;
    if (which == weights + 2u) {
        for (uint row = rows; row < rows + tested; ++row) sum += work[row * stride + 2u * nodes + 1u];
        gradient[which] = sum;
        return;
    }
    if (which >= weights) {
        for (uint row = 0u; row < rows; ++row) sum += work[row * stride + 2u * nodes + which - weights];
        gradient[which] = sum;
        return;
    }
    uint layer = 1u, first = 0u, before = 0u, behind = 0u;
    while (layer < depth && which >= first + (size_of(layer - 1u) + 1u) * size_of(layer)) {
        first += (size_of(layer - 1u) + 1u) * size_of(layer);
        before = behind;
        behind += size_of(layer);
        ++layer;
    }
    uint from = size_of(layer - 1u), to = size_of(layer), i = (which - first) / to, j = (which - first) % to;
    for (uint row = 0u; row < rows; ++row) {
        N into = ONE;
        if (i < from) into = layer == 1u ? given[weights + row * data + i] : work[row * stride + before + i];
        sum += mul(into, work[row * stride + nodes + behind + j]);
    }
    gradient[which] = sum;
}

void main()
{
    uint i = gl_GlobalInvocationID.x;
    if (sums == 0u) {
        if (i < rows + tested) row_(i);
    } else if (i < weights + 3u) {
        sum_(i);
    }
}
