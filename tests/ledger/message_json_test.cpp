// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/message_json.hpp>  // first: it stands alone

#include <array>

#include <doctest/doctest.h>

#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/message.hpp>

using namespace blendr;
using namespace blendr::ledger;

namespace {
using forms = message_forms<registry<bank>>;
auto const bob = crypto::address_of("test", as_bytes("bob"));
}  // namespace

TEST_CASE("message_json: a message goes to JSON and back, by its frozen name")
{
    CHECK(forms::names() == std::vector<std::string>{"bank.transfer", "bank.multi_send"});
    auto const sent = wrap<bank>(bank::transfer{bob, 3_blnd});
    auto const json = forms::to_json(sent).value();
    CHECK(json.as_object().begin()->key() == "bank.transfer");
    CHECK(forms::from_json(json).value() == sent);
    auto const many = wrap<bank>(bank::multi_send{{{{bob, 1_blnd}, {bob, 2_blnd}}}});
    CHECK(forms::from_json(forms::to_json(many).value()).value() == many);
}

TEST_CASE("message_json: a command line says the same, with amounts in BLND")
{
    auto const to = crypto::to_text(bob);
    std::array<std::string_view, 5> const line{"bank.transfer", "--value", "2.5", "--to", to};
    CHECK(forms::from_arguments(line).value() ==
          wrap<bank>(bank::transfer{bob, amount{2'500'000'000}}));
    CHECK(forms::usage().front() == "bank.transfer --to <to> --value <value>");
}

TEST_CASE("message_json: what is wrong with a line or an object is said")
{
    auto const line = [](auto... words) {
        std::array<std::string_view, sizeof...(words)> const all{words...};
        return forms::from_arguments(all).error();
    };
    CHECK(line("bank.borrow").find("bank.transfer") != std::string::npos);
    CHECK(line("bank.transfer", "--value", "1") == "missing: --to");
    CHECK(line("bank.transfer", "--to", "nobody", "--value", "1")
              .starts_with("not a value for --to"));
    auto const to = crypto::to_text(bob);
    CHECK(line("bank.transfer", "--to", std::string_view{to}, "--value", "1", "--value", "2") ==
          "twice: --value");
    CHECK(line("bank.transfer", "--to", std::string_view{to}, "--value", "1", "--more", "2") ==
          "an argument belongs to no member");
    CHECK_FALSE(forms::from_json(parse_json("{\"bank.transfer\": {}}").value()).has_value());
    CHECK_FALSE(forms::from_json(parse_json("[]").value()).has_value());
    CHECK_FALSE(forms::to_json({9, 9, {}}).has_value());
    CHECK_FALSE(forms::to_json({1, 0, {}}).has_value());
}
