// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace blendr::work {

/// The line of a JSON text that a path ("$.inputs[2].file") leads to, or of what is nearest above it. The text is JSON.
std::size_t line_of_path(std::string_view text, std::string_view path);

}  // namespace blendr::work
