// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include <blendr/net/http.hpp>

namespace blendr::node {

/// A file of the explorer, compiled in from src/node/explorer.
struct page_file {
    std::string_view path{};  ///< "/app.js"
    std::string_view type{};
    std::string_view tag{};  ///< an ETag: changes with the content
    std::string_view text{};
};

/// All of them, by path.
std::span<page_file const> explorer_files() noexcept;

/// The answer to a browser that asks for a page: the file of that path, `/` being index.html; 304 when it
/// has that already; 404. A page may run its own scripts, talk to its own node, and nothing else.
net::http_reply explorer_page(net::http_request const& in);

/// Whether "host:port" is an address of this machine alone.
bool is_loopback(std::string_view listen) noexcept;

}  // namespace blendr::node
