#version 450
layout(local_size_x = 1) in;
layout(set = 0, binding = 0) buffer A
{
    mat3 m[2];
    layout(row_major) mat2x3 r;
    uint which;
    mat2 rest[];
};
void main() { rest[which][1][which] = m[which][2][which] + r[which][2]; }
