// SPDX-License-Identifier: Apache-2.0
// A light client: it holds headers of some hundred bytes, asks a full node that it does not trust, and believes
// only what is proven: a balance, a receipt, an absence.

#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/light_client.hpp>
#include <blendr/ledger/machine.hpp>
#include <blendr/ledger/message.hpp>

using namespace blendr;
using namespace blendr::ledger;

namespace {

using chain = machine<bank>;
constexpr crypto::domain vote{"example.vote/1"};

crypto::identity person(std::byte n)
{
    std::array<std::byte, 32> const seed{n};
    return crypto::identity{crypto::secret_key::from_seed(seed)};
}
crypto::identity const validator = person(std::byte{1}), ada = person(std::byte{2}),
                       bob = person(std::byte{3}), eve = person(std::byte{4});

/// Engines bring their own certificates; here the only validator signs the block's name.
bool certified(app::validator_set const& set, block_id const& id, app::proposal_context const&,
               bytes_view certificate)
{
    auto const sig = decode<crypto::signature>(certificate);
    return sig && set.size() == 1 && crypto::verify(set[0].key, vote, id, *sig);
}

/// The full node's side: makes the next block and says what a light client asks for.
struct full_node {
    chain ledger{};
    block_id tip{};
    std::vector<hash256> receipts{};

    light_block next()
    {
        auto const at = ledger.last().last + std::uint64_t{1};
        app::proposal_context const place{tip, at, time_ms{static_cast<std::int64_t>(at.get())},
                                          validator.self()};
        auto const payload = *ledger.propose(place, 1 << 20);
        tip = app::make_block_id(place, app::payload_digest(payload));
        auto const done = ledger.finalize(place, tip, payload);
        ledger.commit();
        receipts.clear();
        for (auto const& each : done.results)
            receipts.push_back(leaf_of(*decode<receipt>(each.receipt)));
        auto const block = *decode_block(payload);
        return {block.head, app::body_digest(block.body), encode(validator.sign(vote, tip)), {}};
    }
};

genesis beginning()
{
    genesis out{};
    out.chain = chain_id{5};
    out.money.premine = 10_blnd;
    out.accounts.push_back({ada.account(), 10_blnd});
    out.validators.push_back({validator.self(), weight{1}, {}});
    return out;
}

void say(std::string_view what, result<nothing, reject> const& answer)
{
    std::printf("%-38.*s %s\n", static_cast<int>(what.size()), what.data(),
                answer ? "proven" : std::string{message(answer.error())}.c_str());
}

}  // namespace

int main()
{
    full_node node{};
    auto const set = *node.ledger.init(encode(beginning()));
    light_client client{{chain_id{5}, shard_id{}, height{}, node.tip, time_ms{}, set}, certified};

    transaction tx{};
    tx.chain = chain_id{5};
    tx.fee_max = 1_blnd;
    tx.expires = height{10};
    tx.messages.push_back(wrap<bank>(bank::transfer{bob.account(), 3_blnd}));
    sign(tx, ada);
    if (!node.ledger.submit(encode(tx))) return 1;

    say("block 1", client.follow(node.next()));
    receipt const paid{id_of(tx), 0, {}, {}, {}};
    auto const receipts = node.receipts;
    auto const ask = [&](crypto::address const& who) {  // the node answers from its last block
        return node.ledger.query("ledger/purses", encode(who));
    };
    auto const bobs = ask(bob.account()), eves = ask(eve.account());

    auto forged = node.next();  // the state after block 1 is proven under the header of block 2
    auto const second = forged;
    forged.head.after_parent.state[0] ^= std::byte{1};
    say("block 2, forged", client.follow(forged));
    say("block 2", client.follow(second));

    auto const row = [](crypto::address const& who) { return state_key<base, purses>(who); };
    auto const three = encode(purses::row{3_blnd, 0}), four = encode(purses::row{4_blnd, 0});
    say("bob has 3 BLND", client.check_row(height{1}, row(bob.account()), three, bobs.proof));
    say("bob has 4 BLND", client.check_row(height{1}, row(bob.account()), four, bobs.proof));
    say("eve has no account",
        client.check_row(height{1}, row(eve.account()), std::nullopt, eves.proof));
    say("bob has no account",
        client.check_row(height{1}, row(bob.account()), std::nullopt, bobs.proof));
    say("ada's transaction is in block 1",
        client.check_transaction(height{1}, id_of(tx), prove(std::vector{id_of(tx)}, 0)));
    say("it cost nothing", client.check_receipt(height{1}, paid, prove(receipts, 0)));
}
