// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <boost/describe.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/crypto/identity.hpp>
#include <blendr/crypto/keys.hpp>

#include <blendr/compute/device.hpp>

namespace blendr::compute {

/// Kinds of work that a device is rated for. The reference device does one unit a second of each:
/// 10 T floating operations, 500 GB moved, 5 T integer operations.
enum class workload : std::uint8_t { fp32 = 1, bandwidth = 2, integer = 3 };
BOOST_DESCRIBE_ENUM(workload, fp32, bandwidth, integer)
inline constexpr std::uint64_t reference_per_second(workload of) noexcept
{
    return of == workload::bandwidth ? 500'000'000'000
           : of == workload::fp32    ? 10'000'000'000'000
                                     : 5'000'000'000'000;
}

/// What is asked. Every number in the challenges comes from the nonce and the session key together, so
/// that an answer is of no use to anybody else, and none can be made ready beforehand.
struct rating_terms {
    hash256 nonce{};               ///< drawn by who rates, told only now
    crypto::public_key session{};  ///< of the provider whose device it is said to be
    std::uint64_t memory_bytes = std::uint64_t{64} << 20;  ///< how much is to be filled and proven
    std::uint32_t effort =
        1;  ///< a device that is done in less than milliseconds is asked for more
};

struct measured {
    workload of{};
    std::uint64_t work = 0;  ///< operations or bytes
    std::uint64_t ns = 0;    ///< by the rater's own clock
    std::uint64_t micro_units_per_second = 0;

    friend bool operator==(measured const&, measured const&) = default;
};
BOOST_DESCRIBE_STRUCT(measured, (), (of, work, ns, micro_units_per_second))

struct rating {
    std::uint16_t version = 1;
    hash256 nonce{};
    crypto::public_key session{};
    std::string device{};
    std::string driver{};
    std::vector<measured> speeds{};  ///< one for each workload, in order
    std::uint64_t memory_bytes = 0;  ///< filled, and read back from at random
    std::uint64_t turnaround_ns =
        0;  ///< from a small question to its answer, each made from the one before

    std::uint64_t micro_units(workload of) const noexcept;
    friend bool operator==(rating const&, rating const&) = default;
};
BOOST_DESCRIBE_STRUCT(rating, (),
                      (version, nonce, session, device, driver, speeds, memory_bytes,
                       turnaround_ns))

/// Challenges the device and checks every answer. A wrong one is `wrong_result`; memory that is not there,
/// or only made again when it is asked for, is `out_of_memory`.
result<rating, failure> rate(device& on, rating_terms const& terms);

/// All at the same time, so that one device behind several names does not count twice.
std::vector<result<rating, failure>> rate_together(std::span<device* const> all,
                                                   std::span<rating_terms const> terms);

/// What a provider says of its device.
struct rating_claim {
    std::uint64_t fp32_micro_units = 0, bandwidth_micro_units = 0, integer_micro_units = 0;
    std::uint64_t memory_bytes = 0;
    std::uint64_t turnaround_ns_max = 0;  ///< 0: not looked at
};

/// Nothing, or the sentence that says by how much the claim is above what was seen. `percent` of a claimed
/// speed have to be there.
result<nothing, std::string> holds(rating_claim const& claimed, rating const& seen,
                                   unsigned percent = 80);

struct signed_rating {
    rating what{};
    crypto::public_key by{};
    crypto::signature signature{};
};
BOOST_DESCRIBE_STRUCT(signed_rating, (), (what, by, signature))

signed_rating sign(rating const& what, crypto::identity const& by);

/// Whether it was made for this session, by a rater of this key.
bool verify(signed_rating const& it, crypto::public_key const& session,
            crypto::public_key const& rater) noexcept;

}  // namespace blendr::compute
