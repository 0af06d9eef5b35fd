// SPDX-License-Identifier: Apache-2.0
// No bytes make a light client believe: not a block without a certificate, not a claim without its proof.
#include <cstdint>
#include <cstdlib>

#include <blendr/ledger/light_client.hpp>

namespace {

using namespace blendr;
using namespace blendr::ledger;

/// Two blocks after genesis, the second of which tells what the first one led to.
light_client two_blocks(bool& certified)
{
    app::validator_set const set{{crypto::public_key::ed25519({std::byte{1}}), weight{1}}};
    light_client out{{chain_id{7}, shard_id{}, height{}, block_id{}, time_ms{}, set},
                     [&certified](auto const&...) { return certified; }};
    certified = true;
    block_id parent{};
    for (std::uint64_t at = 1; at <= 2; ++at) {
        header head{};
        head.chain = chain_id{7};
        head.at = height{at};
        head.parent = parent;
        head.block_time = time_ms{static_cast<std::int64_t>(at)};
        head.proposer = set.front().key;
        head.after_parent = {hash256{std::byte{1}}, hash256{std::byte{2}}, validators_root(set)};
        head.transactions = hash256{std::byte{3}};
        if (!out.follow({head, {}, {}, {}})) std::abort();
        parent = out.tip_id();
    }
    certified = false;
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    auto const require = [](bool holds) {
        if (!holds) std::abort();
    };
    static bool certified = false;
    static auto client = two_blocks(certified);
    auto const raw = std::as_bytes(std::span{data, size});
    if (auto const block = decode<light_block>(raw)) {
        require(encode(*block) == to_bytes(raw));
        require(!client.follow(*block) && client.tip() == height{2});
    }
    require(!client.check_row(height{1}, as_bytes("key"), as_bytes("value"), raw));
    require(!client.check_row(height{1}, as_bytes("key"), std::nullopt, raw));
    if (auto const proof = decode<list_proof>(raw)) {
        require(encode(*proof) == to_bytes(raw));
        require(!client.check_receipt(height{1}, receipt{}, *proof));
        require(!client.check_transaction(height{1}, hash256{}, *proof));
    }
    return 0;
}
