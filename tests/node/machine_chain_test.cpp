// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/machine_chain.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <blendr/core/json.hpp>

#include "common.hpp"

using namespace blendr;
using namespace blendr::test;

namespace {

/// One contract of one's own beside the bank: all that a node needs is its name in the list.
struct greeter {
    static constexpr std::uint16_t id = 1001;
    static constexpr std::string_view name = "greeter";
    enum class error : std::uint16_t { ok, rude };
    struct counts {
        static constexpr std::string_view name = "counts";
        using key = std::uint32_t;
        struct row {
            std::uint64_t greetings{};
            friend bool operator==(row const&, row const&) = default;
        };
    };
    using tables = ledger::type_list<counts>;
    struct greet {
        std::uint32_t whom{};
    };
    using messages = ledger::type_list<greet>;
    struct plan {
        ledger::ref<counts, ledger::mode::write> row{};
    };
    static plan touches(greet const& m, ledger::tx_info const&, auto& access)
    {
        return {access.template use<counts, ledger::mode::write>(m.whom)};
    }
    static error apply(auto& ctx, greet const& m, plan const& rows)
    {
        if (m.whom == 0) return error::rude;
        ++ctx.edit(rows.row).greetings;
        return error::ok;
    }
};
BOOST_DESCRIBE_ENUM(greeter::error, ok, rude)
BOOST_DESCRIBE_STRUCT(greeter::counts::row, (), (greetings))
BOOST_DESCRIBE_STRUCT(greeter::greet, (), (whom))

bytes greeting(std::uint32_t whom, std::uint64_t nonce)
{
    ledger::transaction tx{};
    tx.chain = ledger::chain_id{7};
    tx.sequence = ledger::nonce{nonce};
    tx.fee_max = 1_blnd;
    tx.expires = height{100};
    tx.messages.push_back(ledger::wrap<greeter>(greeter::greet{whom}));
    ledger::sign(tx, person(100));
    return encode(tx);
}

}  // namespace

TEST_CASE("machine_chain: a contract of one's own runs, is queried and is told of in words")
{
    auto const kind = node::chain_of<ledger::bank, greeter>();
    auto const chain = kind.make({{}, person(1), 1, 1 << 20});
    auto const opened = chain->open(small_genesis(1));
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error()));
    REQUIRE(opened->begun);
    CHECK(opened->begun->size() == 1);

    auto const good = greeting(5, 0);
    auto const rude = greeting(0, 1);
    auto forged = greeting(6, 2);
    forged.back() ^= std::byte{1};
    std::vector<bytes_view> const all{good, rude, forged};
    auto const said = chain->submit(all);
    REQUIRE(said.size() == 3);
    CHECK(said[0]);
    CHECK(said[1]);
    REQUIRE(!said[2]);
    CHECK(said[2].error().code == code(ledger::reject::wrong_signature));
    CHECK(chain->waiting(*said[0]) == good);

    app::proposal_context const at{{}, height{1}, time_ms{1}, person(1).self()};
    auto const payload = chain->propose(at, 1 << 20);
    REQUIRE(payload);
    auto const done = chain->finalize(at, {std::byte{1}}, *payload);
    chain->commit();
    REQUIRE(done.results.size() == 2);
    auto const& forms = *kind.forms;
    CHECK(forms.receipt(done.results[0]).at("result").as_string() == "ok");
    CHECK(forms.receipt(done.results[1]).at("result").as_string() == "greeter.rude");

    auto const key = forms.key("greeter/counts", boost::json::value(5));
    REQUIRE(key);
    auto const found = chain->query("greeter/counts", *key);
    CHECK(forms.row("greeter/counts", found.value)->at("greetings").to_number<int>() == 1);
    CHECK(!found.proof.empty());
    CHECK(forms.row("greeter/counts", {})->at("greetings").to_number<int>() == 0);
    CHECK(forms.key("greeter/none", boost::json::value(5)).error().find("greeter/counts") !=
          std::string::npos);

    auto const parts = forms.block(*payload);
    REQUIRE(parts);
    CHECK(parts->ids == std::vector<hash256>{*said[0], *said[1]});
    auto const told = forms.transaction(good);
    REQUIRE(told);
    CHECK(told->at("messages").at(0).at("greeter.greet").at("whom").to_number<int>() == 5);
    CHECK(!forms.transaction(bytes(5)));
    CHECK(!forms.genesis("{}"));
}
