// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include <blendr/crypto/json.hpp>
#include <blendr/crypto/keystore.hpp>

#include "common.hpp"
#include "processes.hpp"

namespace blendr::test {

/// The owner of the premine, who pays.
struct payer {
    explicit payer(devnet const& net)
        : me{crypto::identity{*crypto::open_keystore(net.dir() / "wallet.key", crypto::secret{})}}
    {
        auto const text = text_of(net.home(0) / "genesis.json");
        chain = ledger::chain_id{parse_json(text)->at("chain").to_number<std::uint64_t>()};
    }
    std::string next(crypto::address const& to)
    {
        ledger::transaction tx{};
        tx.chain = chain;
        tx.sequence = ledger::nonce{nonce++};
        tx.fee_max = 1_blnd;
        tx.expires = height{80'000};
        tx.messages.push_back(ledger::wrap<ledger::bank>(ledger::bank::transfer{to, 1_blnd}));
        ledger::sign(tx, me);
        return to_hex(encode(tx));
    }
    crypto::identity me;
    ledger::chain_id chain{};
    std::uint64_t nonce = 0;
};

inline std::uint64_t paid(devnet const& net, unsigned i, crypto::address const& who)
{
    auto const got = net.call(i, "balance", "[\"" + to_text(who) + "\"]");
    if (!got) return 0;
    auto const& grains = got->at("balance").as_string();
    return std::stoull(std::string{grains.data(), grains.size()}) / grains_per_blnd;
}

/// Every node tells the same of every height that it holds.
inline void agree(devnet const& net, std::uint64_t from = 1)
{
    std::uint64_t least = ~std::uint64_t{0};
    for (unsigned i = 0; i < net.size(); ++i) least = std::min(least, net.height_of(i));
    REQUIRE(least > 0);
    for (auto h = from; h <= least; ++h) {
        auto const first = net.block_text(0, h);
        REQUIRE(!first.empty());
        for (unsigned i = 1; i < net.size(); ++i) REQUIRE(net.block_text(i, h) == first);
    }
}

}  // namespace blendr::test
