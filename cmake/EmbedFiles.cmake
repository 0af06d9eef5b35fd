# SPDX-License-Identifier: Apache-2.0
# cmake -D out=<file> -D root=<directory> -D header=<its declaration> -D files=<a;b> -P EmbedFiles.cmake
# Writes a source file that holds these files byte for byte, with the type and the tag (a hash of the content) they are
# served under.
set(types
    html text/html css text/css js text/javascript
    svg image/svg+xml png image/png json application/json)

set(arrays "")
set(rows "")
set(number 0)
foreach(name IN LISTS files)
    cmake_path(GET name EXTENSION LAST_ONLY extension)
    string(SUBSTRING "${extension}" 1 -1 extension)
    list(FIND types "${extension}" at)
    if(at EQUAL -1)
        message(FATAL_ERROR "${name}: no type is known for .${extension}; add it to EmbedFiles.cmake")
    endif()
    math(EXPR at "${at} + 1")
    list(GET types ${at} type)
    if(type MATCHES "^text/")
        string(APPEND type "; charset=utf-8")
    endif()

    file(READ "${root}/${name}" hex HEX)
    file(SHA256 "${root}/${name}" tag)
    string(SUBSTRING "${tag}" 0 16 tag)
    string(REGEX REPLACE "(..)" "'\\\\x\\1'," chars "${hex}")
    string(APPEND arrays "constexpr char file_${number}[] = {\n    ${chars}0};\n")
    string(APPEND rows
        "    {\"/${name}\", \"${type}\", \"\\\"${tag}\\\"\", {file_${number}, sizeof file_${number} - 1}},\n")
    math(EXPR number "${number} + 1")
endforeach()

file(WRITE "${out}"
"// Generated from the files of the explorer; changes go there.
#include <${header}>

namespace blendr::node {
namespace {
${arrays}
constexpr page_file all[] = {
${rows}};
}  // namespace

std::span<page_file const> explorer_files() noexcept { return all; }
}  // namespace blendr::node
")
