# SPDX-License-Identifier: Apache-2.0
# How our own code is compiled. Nothing here reaches those who link the library.

include(CheckLinkerFlag)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
    message(FATAL_ERROR "libblendr needs g++ 12 or newer; this is ${CMAKE_CXX_COMPILER_VERSION}")
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
    message(FATAL_ERROR "libblendr needs clang 14 or newer; this is ${CMAKE_CXX_COMPILER_VERSION}")
endif()

if(PROJECT_IS_TOP_LEVEL)
    if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
        set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
    endif()
    set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
    set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
endif()

if(BLENDR_DEVELOPER)
    find_program(BLENDR_CCACHE ccache)
    if(BLENDR_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
        set(CMAKE_CXX_COMPILER_LAUNCHER "${BLENDR_CCACHE}")
    endif()
    find_program(BLENDR_MOLD mold)
    if(BLENDR_MOLD)
        check_linker_flag(CXX -fuse-ld=mold BLENDR_MOLD_WORKS)
        if(BLENDR_MOLD_WORKS)
            # Old versions of it lay out some programs so that the loader cannot protect what it relocated.
            add_link_options(-fuse-ld=mold LINKER:-z,norelro)
        endif()
    endif()
endif()

# Sanitizers concern every object of a program, so they are set for the directory and not per target.
if(BLENDR_SANITIZE)
    add_compile_options(-fsanitize=${BLENDR_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${BLENDR_SANITIZE})
endif()
if(BLENDR_FUZZ)
    if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
        message(FATAL_ERROR "BLENDR_FUZZ needs clang, for libFuzzer: cmake --preset fuzz picks it")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# blendr_house_rules(<target>): C++20, hidden visibility, and in developer builds every warning an error.
function(blendr_house_rules target)
    target_compile_features(${target} PUBLIC cxx_std_20)
    set_target_properties(${target} PROPERTIES
        CXX_EXTENSIONS OFF
        CXX_VISIBILITY_PRESET hidden
        VISIBILITY_INLINES_HIDDEN ON
        POSITION_INDEPENDENT_CODE ON)
    if(BLENDR_DEVELOPER)
        # g++ 12 sees overlapping copies in "text" + std::string that are not there, and null where there is none.
        target_compile_options(${target} PRIVATE
            -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast
            -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align -Wnull-dereference
            -Wimplicit-fallthrough -Wextra-semi -Werror
            $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op -Wno-null-dereference -Wno-restrict>)
        # Newer ones follow values through the standard library and get lost there; shown, but no error.
        if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
            target_compile_options(${target} PRIVATE -Wno-error=array-bounds -Wno-error=stringop-overflow
                -Wno-error=stringop-overread -Wno-error=maybe-uninitialized -Wno-error=free-nonheap-object)
        endif()
        # What a sanitizer adds makes g++ 12 see values that are never set and sizes that never are, and it notes that it does not follow fences.
        if(BLENDR_SANITIZE)
            target_compile_options(${target} PRIVATE
                $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds -Wno-tsan>)
        endif()
    endif()
endfunction()

# Code for one family of instructions: files named *_avx2.cpp and *_avx512.cpp get their flags here, and
# BLENDR_HAS_AVX2 and BLENDR_HAS_AVX512 tell the rest of that library that those files are in. On other
# processors neither happens. Whether the machine has the instructions is asked at run time.
set(BLENDR_AVX2_FLAGS -mavx2 -mbmi2)
set(BLENDR_AVX512_FLAGS -mavx512f -mavx512dq -mavx512bw -mavx512vl -mavx512ifma -mavx512vbmi -mbmi2 -madx)

function(blendr_vector_lanes target sources_var)
    set(sources "${${sources_var}}")
    foreach(lane IN ITEMS avx2 avx512)
        string(TOUPPER ${lane} LANE)
        set(files "${sources}")
        list(FILTER files INCLUDE REGEX "_${lane}\\.cpp$")
        if(NOT files)
            continue()
        elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
            set(flags ${BLENDR_${LANE}_FLAGS})
            if(BLENDR_SANITIZE MATCHES "undefined")
                # unsigned words only, and with both sanitizers clang takes minutes; memory stays checked
                list(APPEND flags -fno-sanitize=undefined)
            endif()
            set_source_files_properties(${files} TARGET_DIRECTORY ${target}
                PROPERTIES COMPILE_OPTIONS "${flags}")
            target_compile_definitions(${target} PRIVATE BLENDR_HAS_${LANE})
        else()
            list(REMOVE_ITEM sources ${files})
        endif()
    endforeach()
    set(${sources_var} "${sources}" PARENT_SCOPE)
endfunction()
