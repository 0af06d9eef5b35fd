# SPDX-License-Identifier: Apache-2.0
# cmake --install: headers, static libraries, find_package(blendr CONFIG COMPONENTS ...), and one .pc a library
# (blendr.pc is the core, blendr-<name>.pc the others).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/blendr")
set(BLENDR_COMPONENT_NEEDS "")
# The .pc files find the prefix from where they lie: `cmake --install --prefix` may choose another than was configured.
file(RELATIVE_PATH PC_UP "${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")

foreach(library IN LISTS BLENDR_LIBRARIES)
    set(target blendr_${library})
    install(TARGETS ${target} EXPORT blendr-${library}
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT ${library}
        FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT ${library}
        FILE_SET parts DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT ${library})
    install(EXPORT blendr-${library} NAMESPACE blendr:: DESTINATION "${package_dir}" COMPONENT ${library})

    get_target_property(packages ${target} BLENDR_NEEDS)
    get_target_property(links ${target} LINK_LIBRARIES)
    get_target_property(pc_requires ${target} BLENDR_PKGCONFIG)
    get_target_property(pc_libs ${target} BLENDR_PKGCONFIG_LIBS)
    list(FILTER links INCLUDE REGEX "^blendr::")
    list(TRANSFORM links REPLACE "^blendr::" "")
    string(APPEND BLENDR_COMPONENT_NEEDS
        "set(_blendr_${library}_lower ${links})\nset(_blendr_${library}_packages ${packages})\n")

    set(PC_NAME blendr-${library})
    if(library STREQUAL "core")
        set(PC_NAME blendr)
    endif()
    set(PC_REQUIRES "")
    foreach(lower IN LISTS links)
        if(lower STREQUAL "core")
            list(APPEND PC_REQUIRES blendr)
        else()
            list(APPEND PC_REQUIRES blendr-${lower})
        endif()
    endforeach()
    list(APPEND PC_REQUIRES ${pc_requires})
    list(JOIN PC_REQUIRES " " PC_REQUIRES)
    list(JOIN pc_libs " " pc_libs)
    set(PC_LIBS "-l${target} ${pc_libs}")
    string(STRIP "${PC_LIBS}" PC_LIBS)
    configure_file("${CMAKE_CURRENT_LIST_DIR}/blendr.pc.in" "${PROJECT_BINARY_DIR}/${PC_NAME}.pc" @ONLY)
    install(FILES "${PROJECT_BINARY_DIR}/${PC_NAME}.pc"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT ${library})
endforeach()

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/blendr-config.cmake.in"
    "${PROJECT_BINARY_DIR}/blendr-config.cmake" INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/blendr-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES
    "${PROJECT_BINARY_DIR}/blendr-config.cmake"
    "${PROJECT_BINARY_DIR}/blendr-config-version.cmake"
    "${CMAKE_CURRENT_LIST_DIR}/FindSodium.cmake"
    DESTINATION "${package_dir}" COMPONENT core)
