// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/query_json.hpp>  // first: it stands alone

#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <blendr/ledger/bank.hpp>
#include <ledger/shelf.hpp>

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

namespace {
using forms = query_forms<registry<bank, shelf>>;
}

TEST_CASE("query_json: JSON, a command line and one line ask the same")
{
    CHECK(forms::paths() ==
          std::vector<std::string>{"shelf/book", "shelf/list", "shelf/as_thick", "shelf/riches"});
    CHECK(forms::usage()[1] == "shelf/list --from <from> --most <most>");
    wire_query const asked{"shelf/list", encode(shelf::list{2, 5})};
    CHECK(forms::from_json("shelf/list", parse_json("{\"most\": 5, \"from\": 2}").value()) ==
          asked);
    std::array<std::string_view, 5> const words{"shelf/list", "--most", "5", "--from", "2"};
    CHECK(forms::from_arguments(words) == asked);
    CHECK(forms::from_line("shelf/list?from=2&most=5") == asked);
    auto const ada = crypto::address_of("test", as_bytes("ada"));
    wire_query const list{"shelf/riches", encode(shelf::riches{{ada, ada}})};
    auto const text = crypto::to_text(ada);
    CHECK(forms::from_line("shelf/riches?of=%5b%22" + text + "%22,+%22" + text + "%22%5D") == list);
}

TEST_CASE("query_json: an answer is JSON too")
{
    auto const json = forms::to_json("shelf/book", encode(shelf::books::row{30})).value();
    CHECK(to_text(json) == "{\"pages\":30}");
    std::vector<shelf::listed> const some{{1, 2}, {3, 4}};
    CHECK(to_text(forms::to_json("shelf/list", encode(some)).value()) ==
          "[{\"number\":1,\"pages\":2},{\"number\":3,\"pages\":4}]");
    CHECK(to_text(forms::to_json("shelf/book?proof", encode(shelf::books::row{1})).value()) ==
          "{\"pages\":1}");
}

TEST_CASE("query_json: what is wrong with a question is said")
{
    auto const line = [](std::string_view text) { return forms::from_line(text).error(); };
    CHECK(line("shelf/lost") ==
          "no query is called \"shelf/lost\"; there are shelf/book shelf/list shelf/as_thick "
          "shelf/riches");
    CHECK(line("shelf/list?from=2") == "missing: --most");
    CHECK(line("shelf/list?from=2&most=-1").starts_with("not a value for --most"));
    CHECK(line("shelf/list?from=2&most=1&of=3") == "an argument belongs to no member");
    CHECK(line("shelf/list?from") == "not a member and its value: from");
    CHECK(line("shelf/list?from=%4") == "not an escaped byte: from=%4");
    CHECK(line("shelf/list?from=%zz&most=1") == "not an escaped byte: from=%zz");
    std::vector<std::string_view> const none{};
    CHECK(forms::from_arguments(none).error() == "a query's path is expected");
    CHECK(forms::from_json("shelf/list", parse_json("{}").value()).error().find("from") !=
          std::string::npos);
    CHECK_FALSE(forms::to_json("shelf/book", {}).has_value());
}
