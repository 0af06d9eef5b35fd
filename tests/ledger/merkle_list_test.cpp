// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/merkle_list.hpp>  // first: it stands alone

#include <set>

#include <doctest/doctest.h>

#include "fixtures.hpp"
#include "support/vectors.hpp"

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

namespace {

std::vector<hash256> leaves(std::size_t count)
{
    std::vector<hash256> out(count);
    for (std::size_t i = 0; i < count; ++i) out[i] = some_hash(1000 + i);
    return out;
}

}  // namespace

TEST_CASE("merkle_list: every element of lists of 1 to 70 is proven, and nothing else is")
{
    for (std::size_t count = 1; count <= 70; ++count) {
        auto const all = leaves(count);
        auto const root = list_root(all);
        for (std::size_t i = 0; i < count; ++i) {
            auto const proof = prove(all, i);
            CHECK(verify(root, all[i], proof));
            CHECK_FALSE(verify(root, some_hash(1), proof));
            auto elsewhere = proof;
            elsewhere.index = (i + 1) % (count + 1);
            CHECK_FALSE(verify(root, all[i], elsewhere));
            auto longer = proof;
            longer.count = count + 1;
            CHECK_FALSE(verify(root, all[i], longer));
            longer = proof;
            longer.path.push_back(hash256{});
            CHECK_FALSE(verify(root, all[i], longer));
            if (!proof.path.empty()) {
                auto shorter = proof;
                shorter.path.pop_back();
                CHECK_FALSE(verify(root, all[i], shorter));
            }
        }
    }
}

TEST_CASE("merkle_list: every bit of a proof counts")
{
    auto const all = leaves(11);
    auto const root = list_root(all);
    auto const raw = encode(prove(all, 6));
    for (std::size_t bit = 0; bit < raw.size() * 8; ++bit) {
        auto bad = raw;
        bad[bit / 8] ^= std::byte{1} << (bit % 8);
        auto const proof = decode<list_proof>(bad);
        if (proof) CHECK_FALSE(verify(root, all[6], *proof));
    }
}

TEST_CASE("merkle_list: lists that differ in length, order or content have other roots")
{
    std::set<hash256> roots{};
    for (std::size_t count = 0; count < 40; ++count)
        CHECK(roots.insert(list_root(leaves(count))).second);
    auto swapped = leaves(8);
    std::swap(swapped[2], swapped[5]);
    CHECK(roots.insert(list_root(swapped)).second);
    auto doubled = leaves(5);  // a last node that paired with itself would make these equal
    doubled.push_back(doubled.back());
    CHECK(list_root(doubled) != list_root(leaves(5)));
    // an inner node is no leaf
    auto const two = leaves(2);
    std::vector<hash256> const inner{crypto::hash(list_node_domain, two[0], two[1])};
    CHECK(list_root(inner) != list_root(two));
}

TEST_CASE("merkle_list: a proof of absurd size is refused at once")
{
    list_proof proof{0, ~std::uint64_t{0}, {}};
    CHECK_FALSE(verify(hash256{}, hash256{}, proof));
    proof.path.resize(64);
    CHECK_FALSE(verify(hash256{}, hash256{}, proof));
    proof.index = proof.count;
    CHECK_FALSE(verify(hash256{}, hash256{}, proof));
}

TEST_CASE("merkle_list: frozen vectors")
{
    blendr::test::vector_list now{};
    for (std::size_t const count : {0u, 1u, 2u, 3u, 7u, 64u})
        now.emplace_back("root_of_" + std::to_string(count), to_bytes(list_root(leaves(count))));
    now.emplace_back("proof_5_of_7", encode(prove(leaves(7), 5)));
    CHECK(blendr::test::differs_from_frozen("ledger/merkle_list.txt", now) == "");
}
