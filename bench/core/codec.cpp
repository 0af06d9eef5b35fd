// SPDX-License-Identifier: Apache-2.0
#include <harness.hpp>

#include <array>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <blendr/core/codec.hpp>
#include <blendr/core/random.hpp>

namespace blendr::benched {

struct transfer {
    hash256 to{};
    amount value{};
    std::uint32_t memo{};
};
BOOST_DESCRIBE_STRUCT(transfer, (), (to, value, memo))

}  // namespace blendr::benched

namespace {

using namespace blendr;
using namespace blendr::bench;
using benched::transfer;

constexpr std::size_t count = 4096;  // fits the second-level cache
constexpr std::size_t wire = codec<transfer>::size_min;

/// What a careful person would write for this one struct.
void encode_by_hand(transfer const& t, std::byte* out)
{
    std::memcpy(out, t.to.data(), 32);
    u128 const grains = t.value.grains();
    std::memcpy(out + 32, &grains, 16);
    std::memcpy(out + 48, &t.memo, 4);
}

void decode_by_hand(std::byte const* in, transfer& t)
{
    std::memcpy(t.to.data(), in, 32);
    u128 grains{};
    std::memcpy(&grains, in + 32, 16);
    t.value = amount{grains};
    std::memcpy(&t.memo, in + 48, 4);
}

suite const codec_suite{"core/codec", [](run& out) {
                            rng random{1};
                            std::vector<transfer> messages(count);
                            for (auto& each : messages) {
                                random.fill(each.to);
                                each.value = amount{random()};
                                each.memo = static_cast<std::uint32_t>(random());
                            }
                            bytes arena(count * wire);
                            auto const per_call = rate("GB/s", 1e-9 * count * wire);

                            out.compare(
                                "core/codec/encode/transfer", per_call,
                                [&] {
                                    for (std::size_t i = 0; i < count; ++i)
                                        encode_into(messages[i],
                                                    std::span{arena}.subspan(i * wire));
                                    keep(arena.front());
                                },
                                [&] {
                                    for (std::size_t i = 0; i < count; ++i)
                                        encode_by_hand(messages[i], arena.data() + i * wire);
                                    keep(arena.front());
                                });
                            out.compare(
                                "core/codec/decode/transfer", per_call,
                                [&] {
                                    reader in{arena};
                                    for (auto& each : messages)
                                        if (!read(in, each)) std::abort();
                                    keep(messages.front());
                                },
                                [&] {
                                    for (std::size_t i = 0; i < count; ++i)
                                        decode_by_hand(arena.data() + i * wire, messages[i]);
                                    keep(messages.front());
                                });
                        }};

}  // namespace
