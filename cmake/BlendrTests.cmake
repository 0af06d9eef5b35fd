# SPDX-License-Identifier: Apache-2.0

# The compiled half of doctest and the main that all test programs share.
function(blendr_test_main)
    add_library(blendr_test_main OBJECT
        "${CMAKE_CURRENT_SOURCE_DIR}/support/main.cpp"
        "${CMAKE_CURRENT_SOURCE_DIR}/support/vectors.cpp")
    blendr_house_rules(blendr_test_main)
    target_include_directories(blendr_test_main PUBLIC "${CMAKE_CURRENT_SOURCE_DIR}")
    target_compile_definitions(blendr_test_main
        PUBLIC  DOCTEST_CONFIG_SUPER_FAST_ASSERTS
        PRIVATE "BLENDR_TESTS_DIR=\"${CMAKE_CURRENT_SOURCE_DIR}\"")
    target_link_libraries(blendr_test_main PUBLIC doctest::doctest blendr::core)
endfunction()

# Test code is compiled far more often than it runs: -O1 takes a quarter less time than the -O2 of the library, which the
# tests link as it is. Sanitizer builds have -O1 anyway, a Release keeps its own. At -O1 g++ follows values less far, and
# takes some that are set for such that are not. Marks for libFuzzer are for the library and the fuzz targets alone.
function(blendr_test_code target)
    blendr_house_rules(${target})
    target_compile_options(${target} PRIVATE $<$<CONFIG:RelWithDebInfo>:-O1>
        $<$<BOOL:${BLENDR_FUZZ}>:-fno-sanitize=fuzzer-no-link>
        $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds>)
endfunction()

# What code of a room may use: blendr::core, and for a room of floors 4 and 5 its own library.
# Sets <out> to the targets, or to nothing when that library is not built.
function(blendr_targets_of out room)
    if(NOT room IN_LIST BLENDR_UPPER_ROOMS)
        set(${out} blendr::core PARENT_SCOPE)
    elseif(TARGET blendr::${room})
        set(${out} blendr::${room} PARENT_SCOPE)
    else()
        set(${out} "" PARENT_SCOPE)
    endif()
endfunction()

# blendr_test_module(<module>): test_<module> from tests/<module>/*.cpp. A CMakeLists.txt in that directory is
# read afterwards and may add to the target.
function(blendr_test_module module)
    set(directory "${CMAKE_CURRENT_SOURCE_DIR}/${module}")
    file(GLOB sources CONFIGURE_DEPENDS "${directory}/*.cpp")
    blendr_targets_of(libraries ${module})
    if(sources AND libraries)
        set(target test_${module})
        add_executable(${target} ${sources})
        blendr_test_code(${target})
        target_link_libraries(${target} PRIVATE blendr_test_main ${libraries})
        target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src")

        set(listed "${CMAKE_CURRENT_BINARY_DIR}/${target}.ctest.cmake")
        add_custom_command(TARGET ${target} POST_BUILD
            COMMAND ${target} --write-ctest ${module} "${listed}"
            BYPRODUCTS "${listed}" VERBATIM)
        set(include "${CMAKE_CURRENT_BINARY_DIR}/${target}.include.cmake")
        file(WRITE "${include}"
            "if(EXISTS [==[${listed}]==])\n  include([==[${listed}]==])\n"
            "else()\n  add_test([==[${module}/not built]==] [==[${target} is not built]==])\nendif()\n")
        set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${include}")
    endif()
    if(EXISTS "${directory}/CMakeLists.txt")
        add_subdirectory(${module})
    endif()
endfunction()

# blendr_fuzz_target(<source>): with BLENDR_FUZZ a libFuzzer program that starts from tests/fuzz/corpus/<name> and keeps
# what it finds in the build directory; without it, one that replays that corpus.
function(blendr_fuzz_target source)
    cmake_path(GET source STEM name)
    string(REGEX MATCH "^[^_]+" module ${name})
    blendr_targets_of(libraries ${module})
    if(NOT libraries)
        return()
    endif()
    set(corpus "${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${name}")
    if(NOT BLENDR_FUZZ)
        if(NOT TARGET blendr_fuzz_replay)
            add_library(blendr_fuzz_replay OBJECT "${CMAKE_CURRENT_SOURCE_DIR}/support/replay.cpp")
            blendr_test_code(blendr_fuzz_replay)
        endif()
        add_executable(replay_${name} ${source})
        blendr_test_code(replay_${name})
        target_link_libraries(replay_${name} PRIVATE blendr_fuzz_replay ${libraries})
        add_test(NAME "fuzz/${name}: its corpus replays" COMMAND replay_${name} "${corpus}")
        set_tests_properties("fuzz/${name}: its corpus replays" PROPERTIES LABELS unit TIMEOUT 600)
    else()
        add_executable(fuzz_${name} ${source})
        blendr_house_rules(fuzz_${name})
        target_link_libraries(fuzz_${name} PRIVATE ${libraries})
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
        set(found "${CMAKE_CURRENT_BINARY_DIR}/corpus/${name}")
        file(MAKE_DIRECTORY "${found}")
        add_test(NAME "fuzz/${name}: ${BLENDR_FUZZ_SECONDS} seconds find nothing"
            COMMAND fuzz_${name} -max_total_time=${BLENDR_FUZZ_SECONDS} -timeout=10 -rss_limit_mb=2048
                    -print_final_stats=1 "-artifact_prefix=${found}-" "${found}" "${corpus}")
        set_tests_properties("fuzz/${name}: ${BLENDR_FUZZ_SECONDS} seconds find nothing" PROPERTIES LABELS fuzz)
    endif()
endfunction()
