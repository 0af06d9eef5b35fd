# SPDX-License-Identifier: Apache-2.0
# Everything that may be chosen. Working on libblendr turns everything on; using it, nothing but the library.

option(BLENDR_DEVELOPER "Warnings are errors, ccache and mold are used when present" ${PROJECT_IS_TOP_LEVEL})
option(BLENDR_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(BLENDR_EXAMPLES "Build the examples" ${PROJECT_IS_TOP_LEVEL})
option(BLENDR_INSTALL "Install headers, libraries, the CMake package and blendr.pc" ${PROJECT_IS_TOP_LEVEL})
option(BLENDR_BENCH "Build the benches" OFF)
option(BLENDR_FUZZ "Build the fuzz targets with libFuzzer (clang only)" OFF)

set(BLENDR_SANITIZE "" CACHE STRING "Sanitizers for everything built here: address,undefined or thread")
set(BLENDR_FUZZ_SECONDS 5 CACHE STRING "How long ctest runs each fuzz target")

# The libraries above blendr::core. AUTO builds one when what it needs is there and says so when it is not;
# ON makes that an error.
foreach(name IN ITEMS STORE COMPUTE WORK NET ABCI NODE)
    set(BLENDR_${name} AUTO CACHE STRING "Build this library: AUTO, ON or OFF")
    set_property(CACHE BLENDR_${name} PROPERTY STRINGS AUTO ON OFF)
endforeach()
