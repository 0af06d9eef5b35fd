// SPDX-License-Identifier: Apache-2.0
// An experiment: Ed25519 on Vulkan, a signature an invocation, in 32-bit arithmetic alone. Its yardstick are the processor's
// lanes (crypto/verify_batch.hpp) on one thread. Hashing is the processor's on both sides; what the program leaves out of the
// strict predicate (S below the order, small orders) costs next to nothing.
#include <harness.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include <sodium.h>

#include <blendr/compute.hpp>
#include <blendr/core.hpp>
#include <blendr/crypto/verify_batch.hpp>

#include <work/glslc.hpp>

namespace {

using namespace blendr;
using namespace blendr::bench;

constexpr std::string_view program = R"(#version 450
layout(local_size_x = 32) in;
layout(std430, set = 0, binding = 0) readonly buffer C { uint claims[]; };   // key, R, S, h: eight words each
layout(std430, set = 0, binding = 1) writeonly buffer V { uint verdicts[]; };
layout(push_constant) uniform P { uint count; };

// Numbers are 20 limbs of 13 bits, so that 20 products add up within 32. Registers: a point 0 to 3, the table's points from 4,
// temporaries 16 to 21, d, 2d, a root of -1, one; from 32 on a point of the table.
const uint DOUBLE = 14u, STEPS = 32u;
const uint steps[32] = uint[](64u, 16708u, 33352u, 299593u, 282701u, 16465u, 332880u, 332626u, 282690u, 266825u, 300032u, 315396u, 316428u, 266760u, 322u, 532806u, 282688u, 325u, 532809u, 299332u, 574280u, 381512u, 557644u, 316237u, 266578u, 299862u, 299853u, 266565u, 349184u, 315652u, 348936u, 283660u);
const uint known[100] = uint[](
    6307u, 6859u, 4740u, 5787u, 5982u, 3157u, 1287u, 2472u, 4106u, 3u, 6694u, 3827u, 1943u, 928u, 3635u, 8142u, 2927u, 1905u, 219u, 164u,
    4441u, 5527u, 1289u, 3383u, 3773u, 6315u, 2574u, 4944u, 20u, 7u, 5196u, 7655u, 3886u, 1856u, 7270u, 8092u, 5855u, 3810u, 438u, 72u,
    176u, 4213u, 2514u, 7222u, 3150u, 4668u, 5311u, 213u, 792u, 6522u, 5609u, 7159u, 2451u, 1664u, 3245u, 7137u, 4033u, 1026u, 201u, 87u,
    5402u, 6446u, 6179u, 3162u, 3221u, 5081u, 5270u, 3090u, 3271u, 841u, 5911u, 7085u, 799u, 4721u, 6914u, 2687u, 3438u, 5790u, 6733u, 66u,
    1624u, 4915u, 6553u, 3276u, 1638u, 4915u, 6553u, 3276u, 1638u, 4915u, 6553u, 3276u, 1638u, 4915u, 6553u, 3276u, 1638u, 4915u, 6553u, 204u);
uint r[27 * 20];

void carry(uint at)
{
    uint c = 0u;
    for (uint i = 0u; i < 20u; ++i) {
        uint v = r[at + i] + c;
        r[at + i] = v & 8191u;
        c = v >> 13;
    }
    r[at] += 608u * c;
}

// Multiplies, adds or takes away.
void op(uint what, uint to, uint a, uint b)
{
    to *= 20u, a *= 20u, b *= 20u;
    if (what == 0u) {
        uint t[40];
        for (uint i = 0u; i < 40u; ++i) t[i] = 0u;
        for (uint i = 0u; i < 20u; ++i) {
            uint x = r[a + i];
            for (uint j = 0u; j < 20u; ++j) t[i + j] += x * r[b + j];
        }
        uint c = 0u;
        for (uint i = 0u; i < 40u; ++i) {
            uint v = t[i] + c;
            t[i] = v & 8191u;
            c = v >> 13;
        }
        for (uint i = 0u; i < 20u; ++i) r[to + i] = t[i] + 608u * t[i + 20u];
        r[to] += 608u * (608u * c);
        carry(to);
        r[to + 1u] += r[to] >> 13;
        r[to] &= 8191u;
        return;
    }
    for (uint i = 0u; i < 20u; ++i)
        r[to + i] = what == 1u ? r[a + i] + r[b + i] : r[a + i] + (i == 0u ? 15168u : 16382u) - r[b + i];
    carry(to);
}

void copy(uint to, uint from)
{
    for (uint i = 0u; i < 20u; ++i) r[to * 20u + i] = r[from * 20u + i];
}

void set(uint to, uint value)
{
    for (uint i = 0u; i < 20u; ++i) r[to * 20u + i] = i == 0u ? value : 0u;
}

void run(uint from, uint to, uint table)
{
    for (uint k = from; k < to; ++k) {
        uint s = steps[k], a = s >> 8 & 63u, b = s >> 14 & 63u;
        op(s & 3u, s >> 2 & 63u, a >= 32u ? a - 32u + table : a, b >= 32u ? b - 32u + table : b);
    }
}

// Register 21 to a power of register 20: by 2^252 - 3, or by p - 2.
void power(bool invert)
{
    copy(21u, 20u);
    for (int i = invert ? 253 : 250; i >= 0; --i) {
        op(0u, 21u, 21u, 21u);
        if (invert ? i != 2 && i != 4 : i != 1) op(0u, 21u, 21u, 20u);
    }
}

// The least number that stands for it.
void freeze(uint which)
{
    uint at = which * 20u;
    for (uint round = 0u; round < 3u; ++round) {
        carry(at);
        uint top = r[at + 19u] >> 8;
        r[at + 19u] &= 255u;
        r[at] += 19u * top;
    }
    carry(at);
    uint t[20];
    uint c = 19u;
    for (uint i = 0u; i < 20u; ++i) {
        uint v = r[at + i] + c;
        t[i] = v & 8191u;
        c = v >> 13;
    }
    bool over = t[19] >> 8 != 0u;
    t[19] &= 255u;
    for (uint i = 0u; i < 20u; ++i) r[at + i] = over ? t[i] : r[at + i];
}

bool equal(uint a, uint b)
{
    freeze(a);
    freeze(b);
    uint differ = 0u;
    for (uint i = 0u; i < 20u; ++i) differ |= r[a * 20u + i] ^ r[b * 20u + i];
    return differ == 0u;
}

void read(uint to, uint word)
{
    for (uint i = 0u; i < 20u; ++i) {
        uint bit = 13u * i, at = bit >> 5, off = bit & 31u;
        uint v = claims[word + at] >> off;
        if (off > 19u && at < 7u) v |= claims[word + at + 1u] << (32u - off);
        r[to * 20u + i] = v & (i == 19u ? 255u : 8191u);
    }
}

void main()
{
    uint me = gl_GlobalInvocationID.x;
    if (me >= count) return;
    uint at = me * 32u;
    for (uint i = 0u; i < 60u; ++i) r[22u * 20u + i] = known[i];
    set(25u, 1u);

    // The key as a point, with its x negated: slots 8 to 11.
    read(9u, at);
    op(0u, 16u, 9u, 9u);
    op(2u, 17u, 16u, 25u);  // u
    op(0u, 18u, 16u, 22u);
    op(1u, 18u, 18u, 25u);  // v
    op(0u, 19u, 18u, 18u);
    op(0u, 19u, 19u, 18u);  // v^3
    op(0u, 20u, 19u, 19u);
    op(0u, 20u, 20u, 18u);
    op(0u, 20u, 20u, 17u);  // u v^7
    power(false);
    op(0u, 8u, 21u, 19u);
    op(0u, 8u, 8u, 17u);
    op(0u, 20u, 8u, 8u);
    op(0u, 20u, 20u, 18u);
    bool good = true;
    if (!equal(20u, 17u)) {
        set(16u, 0u);
        op(2u, 17u, 16u, 17u);
        good = equal(20u, 17u);
        op(0u, 8u, 8u, 24u);
    }
    freeze(8u);
    if ((r[160] & 1u) == claims[at + 7u] >> 31) {
        set(16u, 0u);
        op(2u, 8u, 16u, 8u);
    }
    copy(10u, 25u);
    op(0u, 11u, 8u, 9u);

    // The base point: slots 4 to 7. Both together: 12 to 15.
    for (uint i = 0u; i < 40u; ++i) r[80u + i] = known[60u + i];
    copy(6u, 25u);
    op(0u, 7u, 4u, 5u);
    for (uint k = 0u; k < 4u; ++k) copy(k, 4u + k);
    run(DOUBLE, STEPS, 8u);
    for (uint k = 0u; k < 4u; ++k) copy(12u + k, k);

    set(0u, 0u), set(1u, 1u), set(2u, 1u), set(3u, 0u);
    for (int bit = 252; bit >= 0; --bit) {
        uint word = uint(bit) >> 5, off = uint(bit) & 31u;
        uint which = (claims[at + 16u + word] >> off & 1u) + 2u * (claims[at + 24u + word] >> off & 1u);
        run(0u, which == 0u ? DOUBLE : STEPS, 4u * max(which, 1u));
    }
    copy(20u, 2u);
    power(true);
    op(0u, 16u, 0u, 21u);
    op(0u, 17u, 1u, 21u);
    read(18u, at + 8u);
    freeze(16u);
    freeze(17u);
    uint differ = 0u;
    for (uint i = 0u; i < 20u; ++i) differ |= r[17u * 20u + i] ^ r[18u * 20u + i];
    good = good && differ == 0u && (r[320] & 1u) == claims[at + 15u] >> 31;
    verdicts[me] = good ? 1u : 0u;
}
)";

unsigned char* raw(bytes& b, std::size_t at = 0)
{
    return reinterpret_cast<unsigned char*>(b.data() + at);
}

void must(bool good)
{
    if (!good) std::abort();
}

struct signatures {
    std::vector<bytes> keys{}, messages{}, made{};
    std::vector<crypto::signed_bytes> claims{};

    explicit signatures(std::size_t count)
        : keys(count, bytes(32)),
          messages(count, bytes(100)),
          made(count, bytes(64))
    {
        bytes secret(64), seed(32, std::byte{3});
        for (std::size_t i = 0; i < count; ++i) {
            seed[0] = static_cast<std::byte>(i), seed[1] = static_cast<std::byte>(i >> 8);
            crypto_sign_ed25519_seed_keypair(raw(keys[i]), raw(secret), raw(seed));
            messages[i][0] = seed[0];
            crypto_sign_ed25519_detached(raw(made[i]), nullptr, raw(messages[i]), 100, raw(secret));
            claims.push_back({keys[i], messages[i], made[i]});
        }
    }
};

/// Key, R, S and the hash modulo the order, 128 bytes each.
bytes packed(signatures& of)
{
    bytes out(of.claims.size() * 128);
    for (std::size_t i = 0; i < of.claims.size(); ++i) {
        auto const at = i * 128;
        std::memcpy(&out[at], of.keys[i].data(), 32);
        std::memcpy(&out[at + 32], of.made[i].data(), 64);
        bytes digest(64);
        crypto_hash_sha512_state hash;
        crypto_hash_sha512_init(&hash);
        crypto_hash_sha512_update(&hash, raw(of.made[i]), 32);
        crypto_hash_sha512_update(&hash, raw(of.keys[i]), 32);
        crypto_hash_sha512_update(&hash, raw(of.messages[i]), of.messages[i].size());
        crypto_hash_sha512_final(&hash, raw(digest));
        crypto_core_ed25519_scalar_reduce(raw(out, at + 96), raw(digest));
    }
    return out;
}

suite const ed25519{
    "work/experiment/ed25519", [](bench::run& r) {
        if (!r.wants("work/experiment/ed25519/vulkan")) return;
        ::setenv("LP_NUM_THREADS", "1", 1);
        auto const made = compute::open_vulkan();
        ::unsetenv("LP_NUM_THREADS");
        auto const spirv = work::compile_glsl("ed25519.comp", to_bytes(program));
        if (!made || !spirv) return;
        auto& device = **made;
        constexpr std::uint32_t count = 256;
        signatures of{count};
        compute::policy under;
        under.as = compute::profile::exact;
        auto const loaded = device.load(*spirv, under, compute::origin::own);
        must(loaded.has_value());
        auto const in = device.allocate(count * 128), out = device.allocate(count * 4);
        must(in && out);
        std::vector<std::uint32_t> verdicts(count);
        auto const verify = [&](bool forged) {
            auto all = packed(of);
            if (forged)
                for (std::size_t i = 0; i < count; i += 2) all[i * 128 + i % 128] ^= std::byte{1};
            compute::batch work;
            work.deadline = std::chrono::minutes{2};
            work.steps.emplace_back(compute::upload{{*in, 0, all.size()}, all});
            compute::dispatch go{loaded->id, {count / 32, 1, 1}, {}, encode(count)};
            go.bound = {{*in, 0, count * 128}, {*out, 0, count * 4}};
            work.steps.emplace_back(std::move(go));
            work.steps.emplace_back(compute::download{{*out, 0, count * 4},
                                                      std::as_writable_bytes(std::span{verdicts})});
            must(bool{device.run(work)});
        };
        verify(true);
        for (std::size_t i = 0; i < count; ++i) must(verdicts[i] == i % 2);
        verify(false);
        must(std::all_of(verdicts.begin(), verdicts.end(), [](auto v) { return v == 1; }));
        crypto::batch_verifier lanes{{.cached_keys = 0}};
        std::vector<crypto::verdict> theirs(count);
        options by_wall;
        by_wall.by = clock::wall;
        by_wall.rounds = 5;
        r.compare(
            "work/experiment/ed25519/vulkan", rate("sig/s", count), [&] { verify(false); },
            [&] { lanes.verify(of.claims, theirs); }, by_wall);
    }};

}  // namespace
