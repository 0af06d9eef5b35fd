// SPDX-License-Identifier: Apache-2.0
// Keys, signatures, proofs and wrapped keys from strangers: read and used, or refused.
#include <cstdint>
#include <cstdlib>

#include <blendr/core/codec.hpp>
#include <blendr/crypto.hpp>

namespace {

using namespace blendr;
using namespace blendr::crypto;

constexpr domain about{"fuzz"};

template <class T>
std::optional<T> once(bytes_view raw)
{
    auto const value = decode<T>(raw);
    if (!value) return std::nullopt;
    if (encode(*value) != to_bytes(raw)) std::abort();
    return *value;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    static auto const me = secret_key::from_seed(std::array<std::byte, 32>{std::byte{9}});
    static auto const mine = sealing_key::of(me);
    auto const raw = std::as_bytes(std::span{data, size});
    static auto const sig_of_nothing = me.sign(about, {});
    if (auto const key = once<public_key>(raw)) {
        if (parse_public_key(to_text(*key)) != *key) std::abort();
        if (verify(*key, about, {}, sig_of_nothing) && *key != me.self()) std::abort();
    }
    if (auto const sig = once<signature>(raw);
        sig && verify(me.self(), about, {}, *sig) && *sig != sig_of_nothing)
        std::abort();
    if (auto const who = once<address>(raw); who && parse_address(to_text(*who)) != *who)
        std::abort();
    if (auto const id = once<cid>(raw); id && parse_cid(to_text(*id)) != *id) std::abort();
    if (auto const proof = once<vrf_proof>(raw)) {
        static auto const vrf = vrf_secret_key::of(me);
        auto const output = verify(vrf.self(), {}, *proof);
        if (output && *output != vrf.prove({}).output) std::abort();
        (void)verify(vrf_public_key{proof->gamma}, {}, *proof);
    }
    if (auto const wrapped = once<wrapped_key>(raw)) (void)mine.unwrap(*wrapped);
    if (auto const whom = once<sealed_for>(raw)) (void)unwrap(*whom, mine);
    return 0;
}
