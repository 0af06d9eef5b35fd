# SPDX-License-Identifier: Apache-2.0
# The optional target `docs`: the reference from the comments in the public headers. A warning is an error.
find_package(Doxygen QUIET)
if(DOXYGEN_FOUND)
    set(DOXYGEN_PROJECT_NAME "libblendr")
    set(DOXYGEN_PROJECT_NUMBER "${PROJECT_VERSION}")
    set(DOXYGEN_PROJECT_BRIEF "${PROJECT_DESCRIPTION}")
    set(DOXYGEN_STRIP_FROM_PATH "${PROJECT_SOURCE_DIR}/include")
    set(DOXYGEN_EXCLUDE_PATTERNS "*/impl/*")
    set(DOXYGEN_EXCLUDE_SYMBOLS "*::impl::*")
    set(DOXYGEN_USE_MDFILE_AS_MAINPAGE "${PROJECT_SOURCE_DIR}/README.md")
    set(DOXYGEN_EXTRACT_ALL YES)
    # The lines that describe a struct or an enumeration are for the compiler, not for readers.
    set(DOXYGEN_MACRO_EXPANSION YES)
    set(DOXYGEN_EXPAND_ONLY_PREDEF YES)
    set(DOXYGEN_PREDEFINED "BOOST_DESCRIBE_STRUCT(...)=" "BOOST_DESCRIBE_ENUM(...)=" "BOOST_DESCRIBE_CLASS(...)="
        "BOOST_DESCRIBE_NESTED_ENUM(...)=")
    set(DOXYGEN_BUILTIN_STL_SUPPORT YES)
    set(DOXYGEN_JAVADOC_AUTOBRIEF YES)
    set(DOXYGEN_GENERATE_LATEX NO)
    set(DOXYGEN_HAVE_DOT NO)
    set(DOXYGEN_QUIET YES)
    set(DOXYGEN_WARN_AS_ERROR FAIL_ON_WARNINGS)
    set(DOXYGEN_WARN_IF_UNDOCUMENTED NO)
    doxygen_add_docs(docs "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/README.md"
        "${PROJECT_SOURCE_DIR}/bench/README.md" "${PROJECT_SOURCE_DIR}/.github/CONTRIBUTING.md"
        "${PROJECT_SOURCE_DIR}/.github/SECURITY.md"
        COMMENT "Reference in ${PROJECT_BINARY_DIR}/html")
else()
    add_custom_target(docs
        COMMAND ${CMAKE_COMMAND} -E echo "The target docs needs Doxygen: cmake/setup --with docs"
        COMMAND ${CMAKE_COMMAND} -E false)
endif()
