// SPDX-License-Identifier: Apache-2.0
#include <node/explorer.hpp>

#include <algorithm>
#include <array>
#include <string>

namespace blendr::node {
namespace {

/// Nothing from elsewhere, nothing inline, framed by nobody: what the chain says is text on this page,
/// and even a mistake in showing it could not run or send anything.
constexpr std::array<net::http_field, 6> guards{{
    {"content-security-policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
     "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"x-content-type-options", "nosniff"},
    {"referrer-policy", "no-referrer"},
    {"cross-origin-opener-policy", "same-origin"},
    {"cross-origin-resource-policy", "same-origin"},
    {"cache-control",
     "no-cache"},  // kept, and asked after: a tag is compared, nothing is sent twice
}};

}  // namespace

net::http_reply explorer_page(net::http_request const& in)
{
    auto const path = in.path == "/" ? std::string_view{"/index.html"} : in.path;
    auto const all = explorer_files();
    auto const found =
        std::find_if(all.begin(), all.end(), [&](page_file const& f) { return f.path == path; });
    if (found == all.end())
        return {404, "text/plain", "there is nothing here; see /openrpc.json\n", true, {}, {}};
    if (in.known == found->tag) return {304, found->type, {}, false, found->tag, guards};
    return {200, found->type, std::string{found->text}, false, found->tag, guards};
}

bool is_loopback(std::string_view listen) noexcept
{
    auto const host = listen.substr(0, listen.rfind(':'));
    return (host.starts_with("127.") && host.find_first_not_of("0123456789.") == host.npos) ||
           host == "localhost" || host == "::1" || host == "[::1]";
}

}  // namespace blendr::node
