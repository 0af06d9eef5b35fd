// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include <doctest/doctest.h>

#include <blendr/app/block_id.hpp>
#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/machine.hpp>
#include <blendr/ledger/message.hpp>
#include <ledger/fixtures.hpp>
#include <ledger/shelf.hpp>

/// A chain with a shelf, and blocks of what is put there.
namespace blendr::ledger::test {

using library = machine<bank, shelf>;

inline genesis readers(std::uint64_t people)
{
    genesis out{};
    out.chain = chain_id{7};
    out.begins = time_ms{1'000};
    out.money.premine = amount{};
    for (std::uint64_t i = 0; i < people; ++i) {
        out.accounts.push_back({person(i).account(), 1'000_blnd});
        out.money.premine += 1'000_blnd;
    }
    out.validators.push_back({person(0).self(), weight{10}, {}});
    return out;
}

inline machine_options small()
{
    machine_options out{};
    out.threads = 1;
    return out;
}

/// One block of `put`s in the tree of blocks, all by person 1.
struct written {
    app::proposal_context at{};
    block_id id{};
    bytes payload{};
    std::uint64_t next_nonce{};
};
inline written write(library& chain, written const& parent, std::vector<shelf::put> const& puts,
                     std::int64_t later = 0)
{
    std::vector<bytes> raw{};
    auto out = parent;
    for (auto const& each : puts) {
        transaction tx{};
        tx.chain = chain_id{7};
        tx.sequence = nonce{out.next_nonce++};
        tx.fee_max = 1_blnd;
        tx.expires = height{1'000};
        tx.messages.push_back(wrap<shelf>(each));
        sign(tx, person(1));
        raw.push_back(encode(tx));
    }
    auto const h = parent.at.at.get() + 1;
    out.at = {parent.id, height{h}, time_ms{static_cast<std::int64_t>(2'000 * h) + later},
              person(0).self()};
    auto const empty = chain.propose(out.at, 4'096).value();
    auto head = decode_block(empty)->head;
    std::vector<bytes_view> const txs(raw.begin(), raw.end());
    std::vector<hash256> ids{};
    rows<library::registry> const none{1};
    for (auto const& each : raw) {
        auto const tx = decode_transaction(each).value();
        ids.push_back(tx.id());
        head.gas_used += ledger::impl::block_preparer<library::registry>::needs(none, tx).value();
    }
    head.transactions = list_root(ids);
    out.payload = encode_block(head, txs);
    out.id = app::make_block_id(out.at, app::payload_digest(out.payload));
    REQUIRE(chain.verify(out.at, out.id, out.payload) == app::verdict::valid);
    return out;
}
inline app::finalized decide(library& chain, written const& block)
{
    auto out = chain.finalize(block.at, block.id, block.payload);
    chain.commit();
    return out;
}

/// What the shelf should look like, asked in every way.
inline void check_shelf(library const& chain, std::map<std::uint32_t, std::uint64_t> const& books)
{
    std::vector<shelf::listed> all{};
    std::map<std::uint64_t, std::uint64_t> thick{};
    for (auto const& [number, pages] : books) {
        all.push_back({number, pages});
        ++thick[pages];
    }
    REQUIRE(chain.ask(shelf::list{0, 1'000}).value() == all);
    for (std::uint32_t from = 0; from < 24; from += 5) {
        auto const first = books.lower_bound(from);
        std::vector<shelf::listed> some{};
        for (auto each = first; each != books.end() && some.size() < 3; ++each)
            some.push_back({each->first, each->second});
        REQUIRE(chain.ask(shelf::list{from, 3}).value() == some);
    }
    for (std::uint32_t number = 0; number < 24; ++number) {
        auto const got = chain.ask(shelf::book{number});
        REQUIRE(got.has_value() == books.contains(number));
        if (got) REQUIRE(got->pages == books.at(number));
    }
    for (std::uint64_t pages = 1; pages < 6; ++pages)
        REQUIRE(chain.ask(shelf::as_thick{pages}).value() == thick[pages]);
}

}  // namespace blendr::ledger::test
