#version 450
// SPDX-License-Identifier: Apache-2.0
// A Julia set in whole numbers, 12 bits behind the point, so that every device makes the same.
// glslc --target-env=vulkan1.3 -O -o julia.spv julia.comp
layout(local_size_x = 8, local_size_y = 8) in;
layout(std430, set = 0, binding = 0) readonly buffer Palette { uint palette[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Result { uint colours[]; };
// Six words that every program gets: where its part of the range begins, and how far it goes. Then those of the plan.
layout(push_constant) uniform Told { uint fx, fy, fz, nx, ny, nz, width, height, spacing, real, imaginary; };
void main()
{
    uint px = gl_GlobalInvocationID.x, py = gl_GlobalInvocationID.y;
    if (px >= nx || py >= ny) return;
    int x = (2 * int(fx + px) - int(width)) * int(spacing), y = (2 * int(fy + py) - int(height)) * int(spacing);
    uint steps = 0u;
    for (; steps < 63u && x * x + y * y < (4 << 24); ++steps) {
        int next = ((x * x - y * y) >> 12) + int(real) - 8192;
        y = (2 * x * y >> 12) + int(imaginary) - 8192;
        x = next;
    }
    colours[py * nx + px] = palette[steps];
}
