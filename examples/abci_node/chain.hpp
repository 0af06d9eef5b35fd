// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <blendr/app/types.hpp>
#include <blendr/core/amount.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/crypto/identity.hpp>
#include <blendr/ledger/types.hpp>
#include <blendr/market/capacity.hpp>

/// The chain that the node runs: accounts, bonds and the market, and what people send to it.
namespace example {

using blendr::bytes;
using blendr::crypto::identity;

inline constexpr blendr::ledger::chain_id chain_number{12};
inline constexpr blendr::market::device_class card{1};

/// A person or a node; the same number is always the same key.
identity person(std::uint64_t n);

struct beginning {
    std::vector<identity> validators{};  ///< each with a bond of 100 BLND
    std::vector<identity> people{};      ///< each with 1000 BLND
};
/// The genesis as people write it: JSON.
std::string genesis_text(beginning const& from);

// signed transactions, each person's numbered from 0
bytes pay(identity const& from, std::uint64_t number, identity const& to, blendr::amount value);
bytes bond_more(identity const& from, std::uint64_t number, identity const& validator,
                blendr::amount value);
bytes enrol_card(identity const& from, std::uint64_t number);
/// Two hours of the card become tokens, from the hour of `now` + 2 on.
bytes mint_hours(identity const& from, std::uint64_t number, std::int64_t now_ms);
bytes order_hour(identity const& from, std::uint64_t number, std::int64_t now_ms, bool sell,
                 std::uint64_t price_each);

// a job of two units at one BLND each: submitted, taken, done, looked at
bytes bond_card(identity const& from, std::uint64_t number);
bytes submit_job(identity const& from, std::uint64_t number);
bytes take_job(identity const& from, std::uint64_t number, identity const& renter);
bytes deliver_unit(identity const& from, std::uint64_t number, identity const& renter,
                   std::uint32_t unit);
bytes accept_unit(identity const& from, std::uint64_t number, std::uint32_t unit);

/// What an account holds, from a query's answer.
std::string balance_in(bytes const& row);
bytes purse_key(identity const& of);

/// Serves the chain to CometBFT until it is told to stop.
struct node_options {
    std::filesystem::path home{};  ///< where its state lies
    std::filesystem::path key{};   ///< CometBFT's priv_validator_key.json
    std::string listen = "tcp://127.0.0.1:26658";
    std::uint64_t snapshot_every = 50;  ///< blocks
    std::size_t snapshots_kept = 8;
};
int serve(node_options const& chosen);
bool gives_snapshots();

/// A block that CometBFT decided.
struct decided_block {
    std::uint64_t height{};
    std::int64_t time_ms{};
    std::vector<bytes> entries{};
};
/// The application hash after each block, when they are decided by an engine of this library.
enum class engine { none, solo, simplex };
std::vector<blendr::hash256> replay(std::string const& genesis,
                                    std::vector<decided_block> const& blocks, engine under);

}  // namespace example
