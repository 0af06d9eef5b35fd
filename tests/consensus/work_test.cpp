// SPDX-License-Identifier: Apache-2.0
#include <blendr/consensus/work.hpp>

#include <algorithm>

#include <doctest/doctest.h>

#include "support/vectors.hpp"

using namespace blendr;
using namespace blendr::consensus;

TEST_CASE("work: the target of a difficulty is 2^256 divided by it")
{
    CHECK(to_hex(target_of(2)) == "80" + std::string(62, '0'));
    CHECK(to_hex(target_of(256)) == "01" + std::string(62, '0'));
    CHECK(to_hex(target_of(3)) == std::string(64, '5'));
    CHECK(to_hex(target_of(0)) == std::string(64, 'f'));
    CHECK(to_hex(target_of(std::uint64_t{1} << 63)) ==
          std::string(15, '0') + "2" + std::string(48, '0'));
    CHECK(meets(target_of(7), target_of(7)));
    CHECK(!meets(target_of(6), target_of(7)));
}

TEST_CASE("work: a seal that is found is accepted, another header, target or length is not")
{
    memory_hard const work{};
    hash256 header{std::byte{1}, std::byte{2}};
    auto const target = target_of(8);
    bytes seal(memory_hard::seal_size);
    std::uint32_t tries = 0;
    while (!work(header, target, seal) && tries < 1'000) seal[tries++ % 8] ^= std::byte{0x35};
    for (std::uint32_t n = 0; !work(header, target, seal); ++n) {
        REQUIRE(n < 10'000);
        for (std::size_t i = 0; i < 4; ++i) seal[i] = static_cast<std::byte>(n >> (8 * i));
    }
    CHECK(work(header, target, seal));
    CHECK(!work(header, target_of(~std::uint64_t{0}), seal));
    bytes longer(seal.size() + 1);
    std::ranges::copy(seal, longer.begin());
    CHECK(!work(header, target, longer));
    auto other = header;
    other[31] ^= std::byte{1};
    CHECK(work.hash(header, seal) != work.hash(other, seal));
}

TEST_CASE("work: the memory-hard hash is frozen")
{
    test::vector_list all{};
    memory_hard const work{};
    for (std::uint8_t i = 0; i < 4; ++i) {
        hash256 header{};
        header.fill(std::byte{static_cast<unsigned char>(17 * i)});
        bytes seal(memory_hard::seal_size);
        for (std::size_t k = 0; k < seal.size(); ++k) seal[k] = static_cast<std::byte>(i * 31 + k);
        all.emplace_back("memory_hard_" + std::to_string(i),
                         to_bytes(bytes_view{work.hash(header, seal)}));
    }
    CHECK(test::differs_from_frozen("consensus_work", all) == "");
}
