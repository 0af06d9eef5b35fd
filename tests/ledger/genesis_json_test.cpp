// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/genesis_json.hpp>  // first: it stands alone

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/machine.hpp>
#include <ledger/fixtures.hpp>

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

namespace {

/// A contract that begins with something.
struct garden {
    static constexpr std::uint16_t id = 9;
    static constexpr std::string_view name = "garden";
    enum class error : std::uint16_t { ok };
    using messages = type_list<>;
    struct bed {
        amount water{};
        std::uint8_t seeds{};
    };
    struct genesis_document {
        std::vector<bed> beds{};
    };
    static bool genesis(auto&, genesis_document const& document)
    {
        for (auto const& each : document.beds)
            if (each.seeds == 0) return false;
        return true;
    }
};
BOOST_DESCRIBE_STRUCT(garden::bed, (), (water, seeds))
BOOST_DESCRIBE_STRUCT(garden::genesis_document, (), (beds))

using chain = registry<bank, garden>;
using forms = genesis_forms<chain>;

genesis planted()
{
    genesis out{};
    out.chain = chain_id{7};
    out.begins = time_ms{1'000};
    out.money.premine = 100_blnd;
    out.accounts.push_back({person(2).account(), 100_blnd});
    out.validators.push_back(
        {person(0).self(), weight{10}, crypto::vrf_secret_key::of(person(0).key()).self()});
    out.sections.push_back(section<garden>({{{5_blnd, 3}, {6_blnd, 4}}}));
    return out;
}

/// The text of a genesis with one thing in it replaced.
std::string with(std::string_view what, std::string_view by)
{
    auto text = to_text(forms::to_json(planted()));
    auto const at = text.find(what);
    REQUIRE(at != std::string::npos);
    return text.replace(at, what.size(), by);
}
json_error fault_of(std::string const& text)
{
    auto const read = read_genesis_json<chain>(text);
    REQUIRE_FALSE(read.has_value());
    return read.error();
}

}  // namespace

TEST_CASE("genesis_json: the text and the encoding are the same genesis")
{
    auto const text = to_pretty_text(forms::to_json(planted()));
    CHECK(text.find("\"seeds\": 3") != std::string::npos);
    CHECK(encode(read_genesis_json<chain>(text).value()) == encode(planted()));
    // the plain form, documents in hex
    auto const plain = to_text(to_json(planted()));
    CHECK(encode(read_genesis_json<chain>(plain).value()) == encode(planted()));
    auto foreign = planted();
    foreign.sections[0].contract = "nobody";
    CHECK(to_text(forms::to_json(foreign)) == to_text(to_json(foreign)));
}

TEST_CASE("genesis_json: what is wrong in a text is named by its place")
{
    CHECK(fault_of("{").where != "");
    CHECK(fault_of("[]").where == "$");
    CHECK(fault_of("{}").where != "");
    CHECK(fault_of(with("\"power\":10", "\"power\":-1")).where == "$.validators[0].power");
    CHECK(fault_of(with("\"seeds\":4", "\"seeds\":256")).where ==
          "$.sections[0].document.beds[1].seeds");
    CHECK(fault_of(with("\"seeds\":4", "\"weeds\":4"))
              .where.starts_with("$.sections[0].document.beds[1]"));
    CHECK(fault_of(with("\"garden\"", "\"desert\"")).where == "$.sections[0].contract");
    CHECK(fault_of(with("\"garden\"", "\"bank\"")).where == "$.sections[0].contract");
    CHECK(fault_of(with("\"garden\"", "7")).where == "$.sections[0].contract");
    auto const plain = to_text(to_json(planted()));
    auto const hex = to_hex(planted().sections[0].document);
    auto shorter = plain;
    shorter.replace(shorter.find(hex), hex.size(), hex.substr(2));
    CHECK(fault_of(shorter).where == "$.sections[0].document");
}

TEST_CASE("genesis_json: a chain begins from text or from the encoding, or it is said why not")
{
    using gardens = machine<bank, garden>;
    machine_options alone{};
    alone.threads = 1;
    auto const begun_with = [&](bytes_view raw) {
        gardens chain{alone};
        auto const set = begin_chain(chain, raw);
        return set ? std::to_string(set->size()) + " validator" : set.error();
    };
    auto const with_text = [&](std::string const& text) { return begun_with(as_bytes(text)); };
    CHECK(begun_with(encode(planted())) == "1 validator");
    CHECK(with_text(to_pretty_text(forms::to_json(planted()))) == "1 validator");
    CHECK(with_text(to_text(to_json(planted()))) == "1 validator");

    CHECK(with_text("") != "1 validator");
    CHECK(with_text(with("\"power\":10", "\"power\":\"ten\"")).find("$.validators[0].power") !=
          std::string::npos);
    CHECK(with_text(with("\"power\":10", "\"power\":0")) ==
          "$.validators[0]: " + std::string{message(reject::wrong_weight)});
    CHECK(with_text(with("\"seeds\":4", "\"seeds\":0")) == message(reject::section_refused));
    CHECK(with_text(with("\"garden\"", "\"desert\"")).find("$.sections[0].contract") !=
          std::string::npos);
    auto document = planted();
    document.sections[0].contract = "desert";
    CHECK(begun_with(encode(document)) == message(reject::unknown_section));
    document = planted();
    document.sections[0].document.pop_back();
    CHECK(begun_with(encode(document)) == message(reject::malformed_genesis));
    document = planted();
    document.money.premine = 101_blnd;
    CHECK(begun_with(encode(document)) ==
          std::string{message(reject::allocation_mismatch)} + ", which is 101 BLND");
    document.money.premine = 99_blnd;
    CHECK(begun_with(encode(document)) ==
          "$.accounts[0]: " + std::string{message(reject::allocation_mismatch)});

    gardens chain{alone};
    REQUIRE(begin_chain(chain, encode(planted())));
    CHECK(begin_chain(chain, encode(planted())).error() == "the chain has begun already");
}
