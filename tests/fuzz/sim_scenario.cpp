// SPDX-License-Identifier: Apache-2.0
// Any bytes as a script of faults: refused, or a short world that keeps every promise that its villains' weight
// allows, comes to its end, and whose script survives writing, reading and shrinking.
#include <cstdint>
#include <cstdlib>
#include <span>

#include <blendr/consensus/hotstuff2.hpp>
#include <blendr/consensus/simplex.hpp>
#include <blendr/core/json.hpp>
#include <blendr/sim/battery.hpp>

namespace {

using namespace blendr;

/// Small enough for thousands of runs a minute; within that, as wild as it was.
sim::scenario tamed(sim::scenario s)
{
    constexpr std::int64_t end_ms = 1'500;
    s.validators = 1 + s.validators % 5;
    s.end_ms = end_ms;
    s.calm_ms = s.calm_ms % end_ms;
    s.progress = 0;
    std::erase_if(s.villains, [&](sim::villain const& v) { return v.node >= s.validators; });
    std::erase_if(s.faults, [&](sim::fault const& f) {
        return f.node >= s.validators || f.other >= s.validators;
    });
    if (s.faults.size() > 20) s.faults.resize(20);
    for (auto& f : s.faults) f.at_ms %= end_ms;
    return s;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    if (size == 0) return 0;
    auto const raw = std::as_bytes(std::span{data, size}).subspan(1);
    auto const read = decode<sim::scenario>(raw);
    if (!read) return 0;
    if (encode(*read) != to_bytes(raw)) std::abort();
    if (sim::refuse(*read)) return 0;
    auto const again = from_json<sim::scenario>(to_json(*read));
    if (!again || *again != *read) std::abort();
    (void)sim::to_text(*read);
    auto const s = tamed(*read);
    if (sim::refuse(s)) std::abort();
    auto const engine = data[0] % 2 == 0 ? sim::kind_of<consensus::simplex>()
                                         : sim::kind_of<consensus::hotstuff2>();
    auto const r = sim::run(engine, s, sim::options_of(engine));
    if (r.violation && sim::within_bound(s)) std::abort();
    auto const small = sim::shrink(s, [](sim::scenario const& t) { return !t.faults.empty(); }, 20);
    if (sim::refuse(small)) std::abort();
    return 0;
}
