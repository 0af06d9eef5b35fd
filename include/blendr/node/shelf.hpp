// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>

namespace blendr::node {

/// Where bytes lie that are named by what they are: inputs of jobs and their results. Names are the
/// digests of content ids (crypto::cid, raw). Any thread may call.
class shelf {
public:
    virtual ~shelf() = default;
    /// Puts them there; their name, or why not. The same bytes may be put again.
    virtual result<hash256, std::string> put(bytes_view content) = 0;
    /// The bytes of that name, which are what the name says; or why not.
    virtual result<bytes, std::string> get(hash256 const& name) = 0;
};

std::unique_ptr<shelf> make_memory_shelf();
/// A directory that several programs of one machine share; made if it is not there.
std::unique_ptr<shelf> make_directory_shelf(std::filesystem::path const& at);
/// The blobs of a node, over HTTP: `PUT /blobs`, `GET /blobs/<content id>`.
std::unique_ptr<shelf> make_node_shelf(std::string rpc);
/// "dir:PATH" is a directory, nothing the node at `rpc`.
std::unique_ptr<shelf> make_shelf(std::string const& where, std::string const& rpc);

}  // namespace blendr::node
