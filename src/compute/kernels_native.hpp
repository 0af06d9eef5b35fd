// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <blendr/compute/native.hpp>

namespace blendr::compute {

/// The shipped programs, each with what it does in C++.
std::vector<native_kernel> shipped_kernels();

}  // namespace blendr::compute
