// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/engines.hpp>

#include <blendr/consensus/authority.hpp>
#include <blendr/consensus/hotstuff2.hpp>
#include <blendr/consensus/nakamoto.hpp>
#include <blendr/consensus/simplex.hpp>
#include <blendr/consensus/solo.hpp>

namespace blendr::node {

consensus::chained_config chained_config_of(engine_settings const& s)
{
    consensus::chained_config out{};
    out.interval_ms = s.interval_ms;
    out.view_ms = s.view_ms;
    out.delta_ms = s.delta_ms;
    out.ask_ms = s.ask_ms;
    return out;
}

engine_registry engine_registry::standard()
{
    engine_registry out{};
    out.add<consensus::solo>(
        [](engine_settings const& s) { return consensus::solo_config{s.interval_ms}; });
    out.add<consensus::simplex>(chained_config_of);
    out.add<consensus::hotstuff2>(chained_config_of);
    out.add<consensus::authority>([](engine_settings const& s) {
        consensus::authority_config c{};
        c.slot_ms = s.interval_ms;
        c.depth = s.depth;
        c.ask_ms = s.ask_ms;
        return c;
    });
    out.add<consensus::nakamoto<>>([](engine_settings const& s) {
        consensus::nakamoto_config c{};
        c.interval_ms = s.interval_ms;
        c.depth = s.depth;
        c.difficulty_first = s.difficulty;
        c.ask_ms = s.ask_ms;
        c.mines = s.mines;
        return c;
    });
    return out;
}

engine_kind const* engine_registry::find(std::string_view name) const
{
    auto const found = kinds_.find(name);
    return found == kinds_.end() ? nullptr : &found->second;
}

std::vector<std::string> engine_registry::names() const
{
    std::vector<std::string> out{};
    for (auto const& [name, kind] : kinds_) out.push_back(name);
    return out;
}

}  // namespace blendr::node
