// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>
#include <blendr/work/error.hpp>

namespace blendr::work {

/// Compiles a compute shader in GLSL with the `glslc` of this machine. The problem is the compiler's own words, which
/// name the line.
result<bytes, problem> compile_glsl(std::string_view name, bytes_view source);

}  // namespace blendr::work
