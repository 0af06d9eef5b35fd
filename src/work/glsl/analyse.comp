#version 450
// SPDX-License-Identifier: Apache-2.0
// Steps over a column of whole numbers; `step_` says which.
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 0) buffer V { int64_t values[]; };
layout(std430, set = 0, binding = 1) buffer C { uint counts[]; };
layout(std430, set = 0, binding = 2) buffer S { int64_t sums[]; };
layout(push_constant) uniform P { int64_t low, width; uint step_, n, bins, across, block, segments; };

const uint HISTOGRAM = 0u, SORT = 1u, SEGMENT_SUMS = 2u, SCAN = 3u, PREFIX = 4u, SEGMENT = 256u;

void main()
{
    uint i = gl_GlobalInvocationID.x;
    if (step_ == HISTOGRAM) {
        if (i >= n) return;
        int64_t bin = (values[i] - low) / width;
        atomicAdd(counts[bin < 0L ? 0u : bin >= int64_t(bins) ? bins - 1u : uint(bin)], 1u);
    } else if (step_ == SORT) {  // one step of a bitonic network over n = a power of two
        uint j = i ^ across;
        if (i >= n || j <= i) return;
        int64_t a = values[i], b = values[j];
        if ((i & block) == 0u ? a > b : a < b) {
            values[i] = b;
            values[j] = a;
        }
    } else if (step_ == SCAN) {
        if (i != 0u) return;
        int64_t sum = low;
        for (uint k = 0u; k < segments; ++k) {
            int64_t one = sums[k];
            sums[k] = sum;
            sum += one;
        }
        sums[segments] = sum;
    } else {
        if (i >= segments) return;
        int64_t sum = step_ == PREFIX ? sums[i] : 0L;
        for (uint k = i * SEGMENT; k < min((i + 1u) * SEGMENT, n); ++k) {
            sum += values[k];
            if (step_ == PREFIX) values[k] = sum;
        }
        if (step_ == SEGMENT_SUMS) sums[i] = sum;
    }
}
