// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include <boost/describe.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/crypto/identity.hpp>
#include <blendr/crypto/keys.hpp>

namespace blendr::compute {

/// What was run, on what, and what came out. The encoding is frozen.
struct receipt {
    std::uint16_t version = 1;
    hash256 program{};  ///< of the SPIR-V as submitted: the task's identity
    std::uint8_t profile = 0;
    std::uint32_t hardening = 0;  ///< the rewriter's version; 0 for a program that ran as it was
    std::uint32_t loop_budget = 0;
    std::string device{};  ///< as the driver calls it
    std::string driver{};
    bool isolated = false;
    hash256 inputs{};               ///< of the grid, the push constants and all that was bound
    hash256 outputs{};              ///< of what the program wrote
    std::uint64_t milli_units = 0;  ///< thousandths of a unit, by the rating that the job was given
    std::uint64_t device_ns = 0;
    std::uint32_t slices = 0;

    friend bool operator==(receipt const&, receipt const&) = default;
};
BOOST_DESCRIBE_STRUCT(receipt, (),
                      (version, program, profile, hardening, loop_budget, device, driver, isolated,
                       inputs, outputs, milli_units, device_ns, slices))

/// A receipt that somebody stands for.
struct signed_receipt {
    receipt what{};
    crypto::public_key by{};
    crypto::signature signature{};
};
BOOST_DESCRIBE_STRUCT(signed_receipt, (), (what, by, signature))

signed_receipt sign(receipt const& what, crypto::identity const& by);
bool verify(signed_receipt const& it) noexcept;

/// A few lines for people.
std::string to_text(receipt const& r);

}  // namespace blendr::compute
