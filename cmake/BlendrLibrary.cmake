# SPDX-License-Identifier: Apache-2.0
# One static library per floor, filled by convention: nobody edits a list of files.

# The rooms of floors 4 and 5 are libraries of their own; every other room is part of blendr::core.
set(BLENDR_UPPER_ROOMS store compute work net abci node)
set(BLENDR_LIBRARIES "" CACHE INTERNAL "libraries built, lowest first")

# blendr_rooms(<out> <library>): the rooms (directories under include/blendr and src) of a library.
function(blendr_rooms out library)
    if(NOT library STREQUAL "core")
        set(${out} ${library} PARENT_SCOPE)
        return()
    endif()
    file(GLOB found CONFIGURE_DEPENDS LIST_DIRECTORIES true
         RELATIVE "${PROJECT_SOURCE_DIR}/include/blendr" "${PROJECT_SOURCE_DIR}/include/blendr/*")
    file(GLOB compiled CONFIGURE_DEPENDS LIST_DIRECTORIES true
         RELATIVE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/src/*")
    list(APPEND found ${compiled})
    list(FILTER found EXCLUDE REGEX "\\.")
    list(REMOVE_DUPLICATES found)
    list(REMOVE_ITEM found ${BLENDR_UPPER_ROOMS})
    set(${out} ${found} PARENT_SCOPE)
endfunction()

# blendr_library(<name> [NEEDS <package> <what to install> ...] [PUBLIC <targets>] [PRIVATE <targets>]
#                [SOURCES <files>] [PKGCONFIG <modules>] [PKGCONFIG_LIBS <flags>])
#
# Makes blendr::<name> from include/blendr/<room>.hpp, include/blendr/<room>/**.hpp and src/<room>/**.cpp of
# its rooms. Without sources there is no such target yet. NEEDS pairs a find_package name with the words
# shown when it is missing; with BLENDR_<NAME>=AUTO the library is then left out, with ON that is an error.
# PKGCONFIG and PKGCONFIG_LIBS name the same things to those who use the .pc file.
function(blendr_library name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "NEEDS;PUBLIC;PRIVATE;SOURCES;PKGCONFIG;PKGCONFIG_LIBS")
    string(TOUPPER ${name} NAME)
    set(target blendr_${name})

    blendr_rooms(rooms ${name})
    list(JOIN BLENDR_UPPER_ROOMS "|" upper)
    file(GLOB headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/blendr/*.hpp")
    if(name STREQUAL "core")
        list(FILTER headers EXCLUDE REGEX "/(${upper})\\.hpp$")
    else()
        list(FILTER headers INCLUDE REGEX "/${name}\\.hpp$")
    endif()
    set(sources ${arg_SOURCES})
    foreach(room IN LISTS rooms)
        file(GLOB_RECURSE found CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/blendr/${room}/*.hpp")
        list(APPEND headers ${found})
        file(GLOB_RECURSE found CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${room}/*.cpp")
        list(FILTER found EXCLUDE REGEX "/programs/")  # those hold a main each
        list(APPEND sources ${found})
    endforeach()
    if(NOT sources)
        return()
    endif()

    set(packages "")
    if(NOT name STREQUAL "core")
        if(NOT BLENDR_${NAME} AND NOT BLENDR_${NAME} STREQUAL "AUTO")
            message(STATUS "blendr::${name} is switched off (BLENDR_${NAME})")
            return()
        endif()
        set(missing "")
        set(needs ${arg_NEEDS})
        while(needs)
            list(POP_FRONT needs package words)
            list(APPEND packages ${package})
            find_package(${package} QUIET)
            if(NOT ${package}_FOUND)
                list(APPEND missing "${words}")
            endif()
        endwhile()
        foreach(lower IN LISTS arg_PUBLIC arg_PRIVATE)
            if(lower MATCHES "^blendr::" AND NOT TARGET ${lower})
                list(APPEND missing "${lower}")
            endif()
        endforeach()
        if(missing)
            list(JOIN missing ", " missing)
            set(says "blendr::${name} needs ${missing}")
            if(BLENDR_${NAME} STREQUAL "AUTO")
                message(STATUS "${says}: left out")
                return()
            endif()
            message(FATAL_ERROR "${says}. Run cmake/setup, or leave it out with -DBLENDR_${NAME}=OFF")
        endif()
    endif()

    add_library(${target} STATIC)
    add_library(blendr::${name} ALIAS ${target})
    set_target_properties(${target} PROPERTIES
        EXPORT_NAME ${name}
        BLENDR_NEEDS "${packages}"
        BLENDR_PKGCONFIG "${arg_PKGCONFIG}"
        BLENDR_PKGCONFIG_LIBS "${arg_PKGCONFIG_LIBS}"
        VERIFY_INTERFACE_HEADER_SETS ${BLENDR_DEVELOPER}
        INTERFACE_HEADER_SETS_TO_VERIFY HEADERS)
    blendr_house_rules(${target})
    blendr_vector_lanes(${target} sources)
    # What lies in an impl/ is part of the header that includes it, and does not stand alone.
    set(parts ${headers})
    list(FILTER parts INCLUDE REGEX "/impl/")
    list(FILTER headers EXCLUDE REGEX "/impl/")
    target_sources(${target}
        PUBLIC
            FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES ${headers}
            FILE_SET parts TYPE HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES ${parts}
        PRIVATE ${sources})
    target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src")
    target_link_libraries(${target} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
    set_property(CACHE BLENDR_LIBRARIES PROPERTY VALUE ${BLENDR_LIBRARIES} ${name})
endfunction()
