// SPDX-License-Identifier: Apache-2.0
#pragma once

// What may be asked of verification; included by contract.hpp only.

#include <algorithm>

#include <blendr/verify/contract.hpp>

namespace blendr::verify {

contract::duty_list contract::query(auto const& view, duties_of const& asked)
{
    duty_list out{};
    auto const most = std::min<std::uint32_t>(asked.most, 1'000);
    auto const look = [&](due::key const& key) {
        duty each{};
        each.task = key.task;
        each.what = key.what;
        if (key.what == due_kind::round) {
            auto const& row = view.template row<rounds>(key.task);
            auto const& all = row.of.replicas;
            auto const me = std::find_if(
                all.begin(), all.end(), [&](replica const& r) { return r.worker == asked.worker; });
            if (me == all.end()) return;
            each.origin = row.origin;
            each.due = row.of.due;
            each.patron = row.patron;
            each.stage = row.of.at;
            each.mine = me->at;
            each.drawn = me != all.begin();
        } else if (key.what == due_kind::product) {
            auto const& row = view.template row<products>(key.task);
            auto const me = std::find_if(row.inspectors.begin(), row.inspectors.end(),
                                         [&](auto const& i) { return i.who == asked.worker; });
            if (me == row.inspectors.end() || me->attested) return;
            each.origin = row.origin;
            each.due = row.attest_by;
            each.patron = row.patron;
            each.drawn = true;
        } else {
            auto const& row = view.template row<disputes>(key.task);
            if (row.of.asserter != asked.worker && row.of.challenger != asked.worker) return;
            each.origin = row.origin;
            each.due = row.of.due;
            each.drawn = row.of.challenger == asked.worker;
            each.dispute = row.of;
        }
        out.list.push_back(each);
    };
    view.template each<due>({}, [&](due::key const& key, due::row const&) {
        look(key);
        return out.list.size() < most;
    });
    return out;
}

}  // namespace blendr::verify
