// SPDX-License-Identifier: Apache-2.0
#include <blendr/abci/validators.hpp>

#include <algorithm>

#include <sodium.h>

#include <blendr/core/amount.hpp>
#include <blendr/core/assert.hpp>

namespace blendr::abci {

short_address short_address_of(crypto::public_key const& key) noexcept
{
    std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
    auto const raw = key.raw();
    crypto_hash_sha256(digest.data(), reinterpret_cast<unsigned char const*>(raw.data()),
                       raw.size());
    short_address out{};
    std::transform(digest.begin(), digest.begin() + out.size(), out.begin(),
                   [](unsigned char b) { return std::byte{b}; });
    return out;
}

app::validator_set as_powers(app::validator_set set)
{
    BLENDR_ASSERT(set.size() < power_sum_max);
    auto const halved = [](weight w, unsigned shift) {
        return std::max<std::uint64_t>(w.get() >> shift, 1);
    };
    unsigned shift = 0;
    for (bool fits = false; !fits; shift += fits ? 0U : 1U) {
        u128 sum = 0;
        for (auto const& each : set) sum += halved(each.power, shift);
        fits = sum <= power_sum_max;
    }
    for (auto& each : set) each.power = weight{halved(each.power, shift)};
    return set;
}

std::vector<power_change> changes(app::validator_set const& from, app::validator_set const& to)
{
    std::vector<power_change> out{};
    auto before = from.begin();
    for (auto const& each : to) {
        for (; before != from.end() && before->key < each.key; ++before)
            out.push_back({before->key, 0});
        bool const known = before != from.end() && before->key == each.key;
        if (!known || before->power != each.power) out.push_back({each.key, each.power.get()});
        if (known) ++before;
    }
    for (; before != from.end(); ++before) out.push_back({before->key, 0});
    return out;
}

}  // namespace blendr::abci
