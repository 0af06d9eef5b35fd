// SPDX-License-Identifier: Apache-2.0
// Any bytes are the one true chunk or are refused; whatever is accepted is what the tree has there.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include <blendr/state/snapshot.hpp>

namespace {

using namespace blendr;
using namespace blendr::state;

/// The tree that the corpus's chunks were made of.
struct sample {
    tree t;
    tree_version at{};
    sample()
    {
        std::vector<change> all;
        for (unsigned i = 0; i < 5; ++i)
            all.push_back({key_hash(as_bytes("key " + std::to_string(i))),
                           value_hash(as_bytes("v" + std::to_string(i)))});
        at = t.apply(t.decided(), all);
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    static sample const s;
    auto const raw = std::as_bytes(std::span{data, size});
    for (std::uint32_t i = 0; i < 8; ++i) {
        auto const opened = open_chunk(s.t.root(s.at), 3, i, raw);
        if (!opened) {
            if (opened.error().chunk != i) std::abort();
            continue;
        }
        auto const expected = s.t.part_of(s.at, 3, i).rows;
        if (opened->size() != expected.size()) std::abort();
        for (std::size_t r = 0; r < expected.size(); ++r)
            if (key_hash((*opened)[r].key) != expected[r].key ||
                value_hash((*opened)[r].value) != expected[r].value)
                std::abort();
    }
    return 0;
}
