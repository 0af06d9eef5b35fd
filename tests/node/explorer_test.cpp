// SPDX-License-Identifier: Apache-2.0
#include <node/explorer.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace blendr;

namespace {

net::http_reply get(std::string_view path, std::string_view known = {})
{
    net::http_request in{};
    in.method = "GET";
    in.path = path;
    in.known = known;
    return node::explorer_page(in);
}

std::string field(net::http_reply const& of, std::string_view name)
{
    auto const at = std::find_if(of.head.begin(), of.head.end(),
                                 [&](net::http_field const& f) { return f.name == name; });
    return at == of.head.end() ? std::string{} : std::string{at->value};
}

}  // namespace

TEST_CASE("explorer: its files are served with their types, and asked for again not sent again")
{
    auto const page = get("/");
    CHECK(page.status == 200);
    CHECK(page.type == "text/html; charset=utf-8");
    CHECK(page.body.starts_with("<!doctype html>"));
    CHECK_FALSE(page.cors);
    for (auto const& each : node::explorer_files()) {
        INFO(each.path);
        auto const got = get(each.path);
        CHECK(got.status == 200);
        CHECK(got.body == each.text);
        CHECK(got.type == each.type);
        CHECK(field(got, "content-security-policy").starts_with("default-src 'none'"));
        CHECK(field(got, "x-content-type-options") == "nosniff");
        auto const again = get(each.path, got.tag);
        CHECK(again.status == 304);
        CHECK(again.body.empty());
        CHECK(get(each.path, "\"other\"").status == 200);
    }
    CHECK(get("/../secret").status == 404);
    CHECK(get("/app").status == 404);
}

TEST_CASE(
    "explorer: no file names another host, holds inline script or style, or makes HTML of text")
{
    // What the policy would block in a browser is found here without one.
    for (auto const& each : node::explorer_files()) {
        INFO(each.path);
        for (auto const* const never :
             {"http://", "https://", "innerHTML", "outerHTML", "insertAdjacentHTML",
              "document.write", "eval(", " style=\"", "onclick=", "@import", "new Function"}) {
            INFO(never);
            // An SVG's name space is a name, fetched by nobody.
            std::string text{each.text};
            for (auto at = text.find("http://www.w3.org/"); at != text.npos;
                 at = text.find("http://www.w3.org/"))
                text.erase(at, 18);
            CHECK(text.find(never) == text.npos);
        }
        if (each.path.ends_with(".html"))
            for (auto at = each.text.find("<script"); at != each.text.npos;
                 at = each.text.find("<script", at + 1))
                CHECK(each.text.substr(at, 60).find("src=\"/") != each.text.npos);
    }
}

TEST_CASE("explorer: only a server that listens on this machine alone shows it")
{
    for (auto const* const here : {"127.0.0.1:0", "localhost:80", "[::1]:26601", "127.1.2.3:5"})
        CHECK(node::is_loopback(here));
    for (auto const* const elsewhere : {"0.0.0.0:80", "10.0.0.1:1", "[::]:1", "127x.example:1", ""})
        CHECK_FALSE(node::is_loopback(elsewhere));
}
