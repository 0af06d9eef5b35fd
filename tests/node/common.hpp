// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <blendr/crypto/identity.hpp>
#include <blendr/crypto/vrf.hpp>
#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/genesis.hpp>
#include <blendr/ledger/message.hpp>
#include <blendr/node/node.hpp>

namespace blendr::test {

inline crypto::identity person(std::uint8_t n)
{
    std::array<std::byte, 32> seed{};
    seed[0] = static_cast<std::byte>(n);
    seed[1] = std::byte{0x6e};
    return crypto::identity{crypto::secret_key::from_seed(seed)};
}

/// A chain whose validators are persons 1 to `validators`; person 100 owns the premine.
inline bytes small_genesis(std::uint8_t validators)
{
    ledger::genesis out{};
    out.chain = ledger::chain_id{7};
    out.accounts.push_back({person(100).account(), out.money.premine});
    for (std::uint8_t i = 1; i <= validators; ++i) {
        auto const who = person(i);
        out.validators.push_back(
            {who.self(), weight{1}, crypto::vrf_secret_key::of(who.key()).self()});
    }
    return encode(out);
}

inline bytes transfer(crypto::identity const& from, crypto::address const& to, std::uint64_t nonce,
                      amount value = 1_blnd)
{
    ledger::transaction tx{};
    tx.chain = ledger::chain_id{7};
    tx.sequence = ledger::nonce{nonce};
    tx.fee_max = 1_blnd;
    tx.expires = height{10'000};
    tx.messages.push_back(ledger::wrap<ledger::bank>(ledger::bank::transfer{to, value}));
    ledger::sign(tx, from);
    return encode(tx);
}

/// Waits until `done` says so; false after that time.
template <class Done>
bool eventually(Done&& done, std::int64_t ms = 60'000)
{
    for (std::int64_t waited = 0; waited < ms; waited += 10) {
        if (done()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    return done();
}

inline std::string text_of(std::filesystem::path const& file)
{
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

inline std::shared_ptr<node::logger> quiet()
{
    return std::make_shared<node::logger>(node::log_level::none);
}

}  // namespace blendr::test
