// SPDX-License-Identifier: Apache-2.0
// The input chooses what a town's people send to all of its contracts, and bytes of it that are then
// changed. No grain may appear or vanish, whatever is sent, and what leaves say is all that there is.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "../escrow/business.hpp"

namespace {

using namespace blendr;
using namespace blendr::escrow::testing;

struct chooser {
    std::uint8_t const* at;
    std::uint8_t const* end;

    std::uint64_t operator()(std::uint64_t n) noexcept
    {
        std::uint64_t value = 0;
        for (std::uint64_t reach = 1; reach != 0 && reach < n && at != end; reach <<= 8)
            value = value << 8 | *at++;
        return value % n;
    }
};

town const& begun()
{
    static town const made = [] {
        town t{};
        business::move_in(t, 20'000'000_blnd);
        t.fund(sponsor, 1'000'000_blnd);
        t.fund(stranger, 1'000_blnd);
        return t;
    }();
    return made;
}

/// The same message with one byte changed, if it still is one.
void bend(any_message& what, chooser& choose)
{
    std::visit(
        [&]<class M>(M& m) {
            auto raw = encode(m);
            if (raw.empty()) return;
            auto const place = static_cast<std::size_t>(choose(raw.size()));
            raw[place] ^= static_cast<std::byte>(1 + choose(255));
            if (auto bent = decode<M>(raw)) m = *std::move(bent);
        },
        what);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    chooser choose{data, data + size};
    town t{};
    t.become(begun());
    auto const money = t.money();
    business people{t, [&](std::uint64_t n) { return choose(n); }};
    for (unsigned b = 0; b < 24 && choose.at != choose.end; ++b) {  // seconds, sanitized
        auto txs = people.some_block(4);
        for (auto& each : txs)
            if (choose(4) == 0) bend(each.messages.front(), choose);
        (void)t.run_in_order(txs);
        if (t.money() != money) std::abort();
        if (choose(16) == 0) t.crash();
    }
    t.crash();
    t.pass(60);
    if (t.money() != money) std::abort();
    return 0;
}
