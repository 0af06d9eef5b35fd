# SPDX-License-Identifier: Apache-2.0
# Sets BLENDR_VERSION from the three numbers in include/blendr/version.hpp.
set(BLENDR_VERSION "")
foreach(part IN ITEMS MAJOR MINOR PATCH)
    file(STRINGS "${CMAKE_CURRENT_LIST_DIR}/../include/blendr/version.hpp" line
         REGEX "^#define BLENDR_VERSION_${part} [0-9]+$")
    if(NOT line MATCHES "([0-9]+)$")
        message(FATAL_ERROR "include/blendr/version.hpp does not define BLENDR_VERSION_${part}")
    endif()
    list(APPEND BLENDR_VERSION "${CMAKE_MATCH_1}")
endforeach()
list(JOIN BLENDR_VERSION "." BLENDR_VERSION)
