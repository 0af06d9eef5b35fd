#version 450
// SPDX-License-Identifier: Apache-2.0
// Each invocation makes 4 rows and 4 columns of C from values in registers.
layout(local_size_x = 8, local_size_y = 8) in;
layout(std430, set = 0, binding = 0) readonly buffer A { float a[]; };
layout(std430, set = 0, binding = 1) readonly buffer B { float b[]; };
layout(std430, set = 0, binding = 2) writeonly buffer C { float c[]; };
layout(push_constant) uniform P { uint m, n, k; };

void main()
{
    uint row = gl_GlobalInvocationID.y * 4, column = gl_GlobalInvocationID.x * 4;
    if (row >= m || column >= n) return;
    uvec4 rows = min(uvec4(row, row + 1, row + 2, row + 3), uvec4(m - 1)) * k;
    uvec4 columns = min(uvec4(column, column + 1, column + 2, column + 3), uvec4(n - 1));
    vec4 c0 = vec4(0), c1 = vec4(0), c2 = vec4(0), c3 = vec4(0);
    for (uint i = 0; i < k; ++i) {
        uint at = i * n;
        vec4 v = vec4(b[at + columns.x], b[at + columns.y], b[at + columns.z], b[at + columns.w]);
        c0 += a[rows.x + i] * v;
        c1 += a[rows.y + i] * v;
        c2 += a[rows.z + i] * v;
        c3 += a[rows.w + i] * v;
    }
    uint wide = min(4, n - column), high = min(4, m - row);
    for (uint j = 0; j < wide; ++j) {
        c[row * n + column + j] = c0[j];
        if (high > 1) c[(row + 1) * n + column + j] = c1[j];
        if (high > 2) c[(row + 2) * n + column + j] = c2[j];
        if (high > 3) c[(row + 3) * n + column + j] = c3[j];
    }
}
