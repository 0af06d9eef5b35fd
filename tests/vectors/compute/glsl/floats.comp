#version 450
layout(local_size_x_id = 0, local_size_y = 2) in;
layout(constant_id = 0) const uint width = 32u;
layout(set = 1, binding = 3) readonly buffer A { mat4 m; vec4 rows[]; };
layout(set = 1, binding = 4) buffer B { float out_[]; };
layout(set = 2, binding = 0) uniform U { vec4 scale[3]; uint which; };
void main()
{
    uint i = gl_GlobalInvocationID.x;
    vec4 r = m * rows[i] * scale[which];
    float s = exp(r.x) + inversesqrt(abs(r.y)) + mod(r.z, 3.0);
    for (int j = 0; j < 4; ++j) s += r[j] * m[which][j];
    out_[i] = s + clamp(r.w, 0.0, 1.0);
}
