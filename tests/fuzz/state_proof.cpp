// SPDX-License-Identifier: Apache-2.0
// Any bytes are a proof with exactly these bytes or a refusal, and no bytes prove what is not so.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include <blendr/state/tree.hpp>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace blendr;
    using namespace blendr::state;
    auto const raw = std::as_bytes(std::span{data, size});
    // The tree that the corpus's proofs were made in.
    static auto const root = [] {
        tree t;
        std::vector<change> all;
        for (unsigned i = 0; i < 100; ++i)
            all.push_back({key_hash(as_bytes("account " + std::to_string(i))),
                           value_hash(as_bytes(std::to_string(i * i) + " grains"))});
        return t.root(t.apply(t.decided(), all));
    }();
    auto const shown = decode_proof(raw);
    if (!shown) return 0;
    if (encode_proof(*shown) != to_bytes(raw)) std::abort();
    for (unsigned i = 0; i < 101; ++i) {
        auto const name = "account " + std::to_string(i);
        auto const key = as_bytes(name);
        bool const there = i < 100;
        if (there && verify(root, key_hash(key), std::nullopt, *shown)) std::abort();
        if (!there && verify(root, key_hash(key), value_hash({}), *shown)) std::abort();
        if (verify(root, key, as_bytes("all the money"), raw)) std::abort();
    }
    return 0;
}
