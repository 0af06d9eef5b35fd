// SPDX-License-Identifier: Apache-2.0
#include <node/witness.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <set>

#include <blendr/consensus/simplex.hpp>
#include <blendr/ledger/transaction.hpp>
#include <blendr/node/judge.hpp>
#include <blendr/node/standard_chain.hpp>

#include "common.hpp"

using namespace blendr;
using namespace blendr::test;
using node::witness;

namespace {

/// A chain that never punishes anybody: whatever is reported changes nothing.
struct deaf final : node::chain_view {
    app::info last() const override { return {}; }
    app::query_result query(std::string_view, bytes_view) const override
    {
        ++asked;
        return {};
    }
    std::vector<node::submission> submit(std::span<bytes_view const>) override { return {}; }
    std::optional<bytes> waiting(hash256 const&) const override { return std::nullopt; }
    std::size_t waiting_count() const override { return 0; }
    void look_ahead(bytes_view) override {}
    mutable std::uint64_t asked = 0;
};

struct town {
    bytes genesis = small_genesis(1);
    hash256 document = node::genesis_name(genesis);
    deaf chain{};
    node::chain_kind kind = node::standard_chain();
    crypto::identity me = person(2);
    witness of{chain, *kind.forms, genesis, me, "simplex", document};

    void sees(std::uint64_t view)
    {
        auto const by = person(3);
        auto const ballot = [&](int block) {
            consensus::ballot about{consensus::ballot_kind::vote, view, view, 0, {}};
            about.id[0] = static_cast<std::byte>(block);
            consensus::membership const alone{
                height{}, 1, {{by.self(), weight{1}}}, node::chain_name(document, "simplex")};
            return consensus::signed_ballot{
                about,
                by.sign(consensus::ballot_domain, consensus::electorate{alone}.statement(about))};
        };
        of.saw(by.self(), encode(consensus::double_vote{ballot(1), ballot(2)}));
    }
};

}  // namespace

TEST_CASE(
    "witness: a fault that nobody punishes is reported a few times, however often it is shown")
{
    town t{};
    std::size_t sent = 0;
    for (std::uint64_t h = 1; h <= 2'000; ++h) {
        t.sees(9);
        sent += t.of.reports(height{h}).size();
    }
    CHECK(sent == witness::tries_max);
    auto const before = t.chain.asked;
    for (std::uint64_t h = 2'001; h <= 2'100; ++h) CHECK(t.of.reports(height{h}).empty());
    CHECK(t.chain.asked == before);  // and what is over costs nothing
}

TEST_CASE("witness: more faults than it keeps push out only those that are over")
{
    town t{};
    for (std::uint64_t view = 1; view <= 2 * witness::faults_max; ++view) t.sees(view);
    std::size_t sent = 0;
    std::uint64_t h = 1;
    for (; h <= 500; ++h) {
        std::set<std::uint64_t> nonces{};
        for (auto const& raw : t.of.reports(height{h})) {
            auto const tx = decode<ledger::transaction>(raw);
            REQUIRE(tx);
            CHECK(nonces.insert(tx->sequence.get()).second);  // of one round each its own
            ++sent;
        }
    }
    CHECK(sent == witness::faults_max * witness::tries_max);
    t.sees(1'000);
    sent = 0;
    for (; h <= 1'000; ++h) sent += t.of.reports(height{h}).size();
    CHECK(sent == witness::tries_max);
}
