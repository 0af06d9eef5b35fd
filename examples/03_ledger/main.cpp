// SPDX-License-Identifier: Apache-2.0
// Two accounts, one block, one proof: what a ledger does, without a network around it.

#include <array>
#include <cstdio>

#include <blendr/app/block_id.hpp>
#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/light_client.hpp>
#include <blendr/ledger/machine.hpp>
#include <blendr/ledger/message.hpp>

using namespace blendr;
using namespace blendr::ledger;

crypto::identity person(unsigned char n)
{
    std::array<std::byte, 32> const seed{std::byte{n}};
    return crypto::identity{crypto::secret_key::from_seed(seed)};
}

int main()
{
    auto const ada = person(1);
    auto const bob = person(2);

    // a chain begins with a document that everybody agrees on
    genesis document{};
    document.chain = chain_id{2026};
    document.money.premine = 100_blnd;
    document.accounts.push_back({ada.account(), 100_blnd});
    document.validators.push_back({ada.self(), weight{1}, {}});
    machine<bank> chain;
    if (!chain.init(encode(document))) return 1;

    // Ada signs a payment; the node keeps it for its next block
    transaction tx{};
    tx.chain = document.chain;
    tx.fee_max = 1_blnd;
    tx.expires = height{100};
    tx.messages.push_back(wrap<bank>(bank::transfer{bob.account(), 25_blnd}));
    sign(tx, ada);
    if (!chain.submit(encode(tx))) return 1;

    // somebody orders blocks: here, we do
    auto const decide = [&](app::proposal_context const& at) {
        auto const payload = chain.propose(at, 1 << 20).value();
        auto const id = app::make_block_id(at, app::payload_digest(payload));
        auto const done = chain.finalize(at, id, payload);
        chain.commit();
        for (auto const& each : done.results)
            std::printf("height %d: a transaction ended with code %u\n", int(at.at.get()),
                        each.code);
        return id;
    };
    auto const first = decide({{}, height{1}, time_ms{1'000}, ada.self()});

    // anybody who trusts one header can check what Bob has, and that somebody else has nothing
    app::proposal_context const next{first, height{2}, time_ms{2'000}, ada.self()};
    auto const header = decode_block(chain.propose(next, 1 << 20).value()).value().head;
    for (auto const& who : {bob.account(), person(3).account()}) {
        auto const answer = chain.query("ledger/purses", encode(who));
        std::optional<bytes_view> row;
        if (!answer.value.empty()) row = answer.value;
        bool const holds = state::verify(header.after_parent.state, state_key<base, purses>(who),
                                         row, answer.proof)
                               .has_value();
        auto const balance = row ? decode<purses::row>(*row).value().balance : amount{};
        std::printf("%s BLND, and the proof of %zu bytes %s\n", to_string(balance).c_str(),
                    answer.proof.size(), holds ? "holds" : "does not hold");
    }
}
