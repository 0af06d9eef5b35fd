// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/blake2b_lanes.hpp>

#include <cstring>

#include <sodium.h>

#include "crypto/lanes/kernels.hpp"
#include <blendr/core/assert.hpp>

namespace blendr::crypto {
namespace {

/// One input through libsodium, which takes salt and personalisation and mixes them in again.
class one_by_one {
public:
    explicit one_by_one(blake2b_start const& start) noexcept
    {
        for (std::size_t i = 0; i < 2; ++i) {
            std::uint64_t const salt = start[4 + i] ^ blake2b_256_start[4 + i];
            std::uint64_t const about = start[6 + i] ^ blake2b_256_start[6 + i];
            for (std::size_t j = 0; j < 8; ++j) {
                salt_[8 * i + j] = static_cast<unsigned char>(salt >> 8 * j);
                about_[8 * i + j] = static_cast<unsigned char>(about >> 8 * j);
            }
        }
    }

    void hash(bytes_view in, hash256& out) const noexcept
    {
        int const failed = crypto_generichash_blake2b_salt_personal(
            reinterpret_cast<unsigned char*>(out.data()), out.size(),
            reinterpret_cast<unsigned char const*>(in.data()), in.size(), nullptr, 0, salt_,
            about_);
        BLENDR_ASSERT(failed == 0);
    }

private:
    unsigned char salt_[16];
    unsigned char about_[16];
};

/// Kernels and libsodium must agree, so only starts that both can express are let in.
bool is_keyless_256(blake2b_start const& start) noexcept
{
    return std::equal(start.begin(), start.begin() + 4, blake2b_256_start.begin());
}

}  // namespace

void blake2b_256_many(blake2b_start const& start, std::span<bytes_view const> inputs,
                      std::span<hash256> out, cpu path) noexcept
{
    BLENDR_ASSERT(inputs.size() == out.size() && is_keyless_256(start));
    if (auto const* const kernels = lanes::kernels_of(path)) {
        kernels->blake2b(start, inputs.data(), inputs.size(), out.data());
        return;
    }
    one_by_one const portable{start};
    for (std::size_t i = 0; i < inputs.size(); ++i) portable.hash(inputs[i], out[i]);
}

void blake2b_256_many(blake2b_start const& start, bytes_view packed, std::size_t size,
                      std::span<hash256> out, cpu path) noexcept
{
    BLENDR_ASSERT(packed.size() == size * out.size() && is_keyless_256(start));
    if (auto const* const kernels = lanes::kernels_of(path)) {
        kernels->blake2b_packed(start, packed.data(), size, out.size(), out.data());
        return;
    }
    one_by_one const portable{start};
    for (std::size_t i = 0; i < out.size(); ++i)
        portable.hash(packed.subspan(i * size, size), out[i]);
}

}  // namespace blendr::crypto
