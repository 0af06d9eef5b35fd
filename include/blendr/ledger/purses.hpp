// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include <boost/describe/class.hpp>

#include <blendr/ledger/contract.hpp>

namespace blendr::ledger {

/// What an owner has: money, and how many transactions it has sent. Fee and nonce are the machine's
/// own; every contract may take and give money here, and look.
struct purses {
    static constexpr std::string_view name = "purses";
    using key = address;
    struct row {
        amount balance{};
        std::uint64_t nonce{};

        friend bool operator==(row const&, row const&) = default;
    };
    static constexpr auto quantity = &row::balance;
    static constexpr bool shared(mode m)
    {
        return m == mode::read || m == mode::debit || m == mode::credit;
    }
    static amount holds(row const& r) { return r.balance; }
};
BOOST_DESCRIBE_STRUCT(purses::row, (), (balance, nonce))

}  // namespace blendr::ledger
