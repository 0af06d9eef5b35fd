#version 450
// One loop with constants to patch.
layout(local_size_x = 1) in;
layout(set = 0, binding = 0) buffer A { uint a[]; };
layout(set = 0, binding = 1) buffer B { uint b[]; };
void main()
{
    for (uint i = 111111; i < 222222; i += 333333) b[0] += 1;
}
