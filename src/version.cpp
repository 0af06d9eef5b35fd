// SPDX-License-Identifier: Apache-2.0
#include <blendr/version.hpp>

#define BLENDR_STRING_OF(x) #x
#define BLENDR_DOTTED(a, b, c) BLENDR_STRING_OF(a) "." BLENDR_STRING_OF(b) "." BLENDR_STRING_OF(c)

namespace blendr {

static_assert(header_version ==
                  BLENDR_DOTTED(BLENDR_VERSION_MAJOR, BLENDR_VERSION_MINOR, BLENDR_VERSION_PATCH),
              "header_version and the three numbers above it must say the same");

std::string_view library_version() noexcept { return header_version; }

}  // namespace blendr
