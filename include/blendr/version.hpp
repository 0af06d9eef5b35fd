// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

// The one place where the version is written; the build reads it from here.
#define BLENDR_VERSION_MAJOR 0
#define BLENDR_VERSION_MINOR 1
#define BLENDR_VERSION_PATCH 0

namespace blendr {

/// The version of these headers.
inline constexpr std::string_view header_version = "0.1.0";

/// The version of the compiled library that was linked. Equal to `header_version` unless an older
/// installation is in the way; a program that cares compares the two.
std::string_view library_version() noexcept;

}  // namespace blendr
