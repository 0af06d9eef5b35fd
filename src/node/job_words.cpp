// SPDX-License-Identifier: Apache-2.0
#include <node/job_words.hpp>

#include <blendr/node/renter.hpp>

namespace blendr::node {
namespace {

std::string words(amount value) { return to_string(value); }

}  // namespace

std::string impl::short_name(std::string const& address)
{
    return address.size() <= 16 ? address
                                : address.substr(0, 12) + "…" + address.substr(address.size() - 4);
}

std::string job_quote::sentence() const
{
    return std::to_string(units) + (units == 1 ? " unit, ≈ " : " units, ≈ ") + words(total) +
           " BLND, " + std::to_string(providers) +
           (providers == 1 ? " provider matches" : " providers match") + ", verifier: " + verifier;
}

std::string summary(job_story const& of)
{
    std::string out = "job " + std::to_string(of.number) + " (" + of.app +
                      "): " + impl::name_of(of.phase) + (of.why.empty() ? "" : ", " + of.why) +
                      '\n';
    for (auto const& stage : of.stages) {
        out += "  " + stage.name + ": " + std::to_string(stage.units.size()) +
               (stage.units.size() == 1 ? " unit, at most " : " units, at most ") +
               words(stage.each) + " BLND each\n";
        for (std::size_t u = 0; u < stage.units.size(); ++u) {
            auto const& unit = stage.units[u];
            out += "    unit " + std::to_string(u) + "  " + unit.state;
            if (!unit.provider.empty()) out += "  by " + impl::short_name(unit.provider);
            if (!unit.taken_from.empty() && unit.taken_from != unit.provider)
                out += ", taken over from " + impl::short_name(unit.taken_from);
            out += unit.checked.empty() ? "  (not done again)" : "  (" + unit.checked + ')';
            out += '\n';
        }
        for (auto const& d : stage.deals) {
            out += "    " + impl::short_name(d.provider) + "  " + d.phase + ": " +
                   std::to_string(d.paid_units) + " of " + std::to_string(d.units) +
                   " units, paid " + words(d.paid) + " + " + words(d.fees) + " burned";
            if (d.slashed != amount{}) out += ", slashed " + words(d.slashed);
            out += "; reputation " + std::to_string(d.score_before) + " → " +
                   std::to_string(d.score_after) + (d.rated ? ", rated" : "") +
                   (d.rated_us ? ", rated us" : "") + '\n';
        }
    }
    out += "  cost " + words(of.cost) + " BLND; our own reputation " +
           std::to_string(of.own_score_before) + " → " + std::to_string(of.own_score_after) + '\n';
    for (auto const& each : of.files) out += "  file " + each + '\n';
    return out;
}

}  // namespace blendr::node
