// SPDX-License-Identifier: Apache-2.0
#pragma once

// Devices: registered, heard of, judged, missed; included by contract.hpp only.

#include <utility>
#include <vector>

#include <blendr/market/contract.hpp>
#include <blendr/market/impl/contract_tokens.hpp>

namespace blendr::market {

namespace impl {

/// A judgement takes effect: the table decides whether it may.
inline contract::error judge(auto& ctx, auto const& rows, device_key const& which,
                             device_event what, auto&& change)
{
    auto device = ctx.read(rows.device);
    if (device.status.state == device_state::absent) return reject::unknown_device;
    if (auto const done = device.status.apply(what, ctx.block().at); !done) return done.error();
    change(device);
    ctx.edit(rows.device) = std::move(device);
    ctx.emit(device_changed{which, what, ctx.read(rows.device).status.state});
    return reject::ok;
}

/// Devices that were silent for too long; those whose time to be looked at came.
template <class Ctx>
class sweep {
public:
    explicit sweep(Ctx& ctx) : ctx_{ctx} {}

    void run()
    {
        for (auto const& post : ctx_.template posted<watches>()) watch(post.value);
        std::vector<watches::key> now{};
        ctx_.template each<watches>([&](watches::key const& key, watches::row const&) {
            if (key.due > ctx_.block().at || now.size() == contract::sweeps_per_block) return false;
            now.push_back(key);
            return true;
        });
        for (auto const& key : now) {
            ctx_.template edit<watches>(key) = {};
            if (ctx_.template row<devices>(key.device).watched != key.due) continue;  // another's
            look(key.device);
        }
    }

private:
    void look(device_key const& which)
    {
        auto& device = ctx_.template edit<devices>(which);
        device.watched = {};
        if (auto const what = device.status.due(ctx_.block().at, contract::heartbeats)) {
            (void)device.status.apply(*what, ctx_.block().at);
            ctx_.emit(device_changed{which, *what, device.status.state});
        }
        watch(which);
    }
    void watch(device_key const& which)
    {
        auto const& device = ctx_.template row<devices>(which);
        auto const next = device.status.next_due(contract::heartbeats);
        if (!next) return;
        auto const at = std::max(*next, later(ctx_.block().at, 1));
        if (device.watched != height{} && device.watched <= at) return;  // soon enough
        ctx_.template edit<devices>(which).watched = at;
        ctx_.template edit<watches>({at, which}) = {true};
    }

    Ctx& ctx_;
};

}  // namespace impl

contract::error contract::apply(auto& ctx, enrol const& m, auto const& rows)
{
    auto const& known = ctx.read(rows.known);
    if (!known.listed) return reject::unknown_instrument;
    auto const offered = capability::parse(m.capability);
    if (!offered) return offered.error();
    auto const spec = impl::spec_of(*offered);
    if (!serves(spec, known.spec)) return reject::wrong_device;
    auto status = ctx.read(rows.device).status;
    if (!status.apply(device_event::enrol, ctx.block().at)) return reject::already_registered;
    device_key const which{ctx.tx().sender, m.number};
    ctx.edit(rows.device) = {status, m.of, spec, offered->to_text(), {}, {}};
    ctx.post(rows.watch, which);
    ctx.emit(device_changed{which, device_event::enrol, status.state});
    return reject::ok;
}

contract::error contract::apply(auto& ctx, retire const& m, auto const& rows)
{
    auto const& device = ctx.read(rows.device);
    if (device.status.state == device_state::absent) return reject::unknown_device;
    auto calendar = device.calendar;
    calendar.forget_before(hour_of(ctx.block().time));
    if (!calendar.bookings().empty()) return reject::hour_taken;  // its promises come first
    auto status = device.status;
    (void)status.apply(device_event::release, ctx.block().at);  // of hours that went by
    if (auto const done = status.apply(device_event::retire, ctx.block().at); !done)
        return done.error();
    ctx.edit(rows.device) = {};
    ctx.emit(device_changed{{ctx.tx().sender, m.number}, device_event::retire, status.state});
    return reject::ok;
}

contract::error contract::apply(auto& ctx, heartbeat const& m, auto const& rows)
{
    auto status = ctx.read(rows.device).status;
    auto const before = status.state;
    if (!status.apply(device_event::heartbeat, ctx.block().at)) return reject::unknown_device;
    auto& device = ctx.edit(rows.device);
    device.status = status;
    device_key const which{ctx.tx().sender, m.number};
    bool const back = before != status.state;
    if (back || device.watched == height{}) ctx.post(rows.watch, which);
    if (back) ctx.emit(device_changed{which, device_event::heartbeat, status.state});
    return reject::ok;
}

contract::error contract::apply(auto& ctx, measure const& m, auto const& rows)
{
    if (!ctx.read(rows.warden).measures) return reject::not_warden;
    return impl::judge(ctx, rows, m.device, device_event::measure, [&](devices::row& device) {
        auto known = capability::parse(device.capability);
        if (!known) return;
        (void)known->set(attribute::fp32, m.fp32);
        (void)known->set(attribute::memory, m.memory);
        (void)known->set(attribute::integer, m.integer);
        device.capability = known->to_text();
        device.measured = impl::spec_of(*known);
    });
}

contract::error contract::apply(auto& ctx, attest const& m, auto const& rows)
{
    if (auto const& may = ctx.read(rows.warden); may.tier_max == 0 || m.tier > may.tier_max)
        return reject::not_warden;
    return impl::judge(ctx, rows, m.device, device_event::attest,
                       [&](devices::row& device) { device.status.tier = m.tier; });
}

contract::error contract::apply(auto& ctx, suspend const& m, auto const& rows)
{
    if (!ctx.read(rows.warden).suspends) return reject::not_warden;
    return impl::judge(ctx, rows, m.device, device_event::suspend, [](devices::row&) {});
}

contract::error contract::apply(auto& ctx, reinstate const& m, auto const& rows)
{
    if (!ctx.read(rows.warden).suspends) return reject::not_warden;
    return impl::judge(ctx, rows, m.device, device_event::reinstate, [&](devices::row& device) {
        device.status.heard = ctx.block().at;  // silence is counted anew
        ctx.post(rows.watch, m.device);
    });
}

}  // namespace blendr::market
