// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/blake2b_lanes.hpp>  // first: it stands alone

#include <cstring>
#include <random>
#include <vector>

#include <doctest/doctest.h>
#include <sodium.h>

namespace {

using namespace blendr;
using crypto::cpu;

hash256 by_sodium(bytes_view in, char const (&about)[17])
{
    hash256 out{};
    unsigned char const salt[16] = {};
    REQUIRE(crypto_generichash_blake2b_salt_personal(
                reinterpret_cast<unsigned char*>(out.data()), 32,
                reinterpret_cast<unsigned char const*>(in.data()), in.size(), nullptr, 0, salt,
                reinterpret_cast<unsigned char const*>(about)) == 0);
    return out;
}

crypto::blake2b_start start_of(char const (&about)[17])
{
    auto start = crypto::blake2b_256_start;
    std::uint64_t words[2];
    std::memcpy(words, about, 16);
    start[6] ^= words[0];
    start[7] ^= words[1];
    return start;
}

constexpr char plain[17] = "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
constexpr char named[17] = "a.domain's/name1";

bytes noise(std::size_t size, std::mt19937_64& random)
{
    bytes out(size);
    for (auto& b : out) b = static_cast<std::byte>(random());
    return out;
}

}  // namespace

TEST_CASE("blake2b_lanes: any mix of lengths hashes as libsodium does, on every path")
{
    std::mt19937_64 random{20};
    std::vector<bytes> inputs;
    for (std::size_t size = 0; size <= 390; ++size) inputs.push_back(noise(size, random));
    inputs.push_back(noise(65536, random));
    std::shuffle(inputs.begin(), inputs.end(), random);
    std::vector<bytes_view> const views(inputs.begin(), inputs.end());

    for (auto const path : crypto::every_cpu) {
        if (!crypto::runs(path)) continue;
        MESSAGE("path: " << crypto::name(path));
        for (auto const* about : {&plain, &named}) {
            std::vector<hash256> out(views.size());
            crypto::blake2b_256_many(start_of(*about), views, out, path);
            for (std::size_t i = 0; i < views.size(); ++i)
                REQUIRE(out[i] == by_sodium(views[i], *about));
        }
        for (std::size_t count = 0; count <= 40; ++count) {
            std::vector<hash256> out(count);
            crypto::blake2b_256_many(start_of(named), std::span{views}.first(count), out, path);
            for (std::size_t i = 0; i < count; ++i) REQUIRE(out[i] == by_sodium(views[i], named));
        }
    }
}

TEST_CASE("blake2b_lanes: packed inputs of one size hash as libsodium does, on every path")
{
    std::mt19937_64 random{21};
    for (auto const path : crypto::every_cpu) {
        if (!crypto::runs(path)) continue;
        for (std::size_t const size :
             {0u, 1u, 32u, 63u, 64u, 65u, 96u, 127u, 128u, 129u, 200u, 256u, 257u})
            for (std::size_t const count : {0u, 1u, 7u, 8u, 9u, 31u}) {
                bytes const packed = noise(size * count, random);
                std::vector<hash256> out(count);
                crypto::blake2b_256_many(start_of(named), packed, size, out, path);
                for (std::size_t i = 0; i < count; ++i)
                    REQUIRE(out[i] == by_sodium(bytes_view{packed}.subspan(i * size, size), named));
            }
    }
}
