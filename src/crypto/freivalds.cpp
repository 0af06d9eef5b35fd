// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/freivalds.hpp>

#include <algorithm>
#include <bit>

#include <blendr/core/codec.hpp>

namespace blendr::crypto {
namespace {

constexpr domain seed_domain{"freivalds.seed/1"};
constexpr domain challenge_domain{"freivalds/1"};

}  // namespace

hash256 freivalds_seed(hash256 const& beacon, hash256 const& committed) noexcept
{
    return hash(seed_domain, beacon, committed);
}

void freivalds_challenge(hash256 const& seed, std::uint32_t round, std::uint64_t modulus,
                         std::span<std::uint64_t> out) noexcept
{
    // Counter mode: four words a hash, cut to the modulus's width; what is not below it is thrown away.
    auto const mask = ~std::uint64_t{0} >> std::countl_zero(modulus - 1);
    std::array<std::byte, 32 + 4 + 8> input{};
    std::copy(seed.begin(), seed.end(), input.begin());
    impl::store_little(round, input.data() + 32);
    std::uint64_t counter = 0;
    for (std::size_t filled = 0; filled < out.size();) {
        impl::store_little(counter++, input.data() + 36);
        auto const words = hash(challenge_domain, input);
        for (std::size_t i = 0; i < words.size() && filled < out.size(); i += 8) {
            auto const word = impl::load_little<std::uint64_t>(words.data() + i) & mask;
            if (word < modulus) out[filled++] = word;
        }
    }
}

}  // namespace blendr::crypto
