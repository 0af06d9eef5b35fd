// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/provider.hpp>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <thread>
#include <utility>

#include <blendr/core/json.hpp>
#include <blendr/crypto/bech32.hpp>
#include <blendr/crypto/json.hpp>
#include <blendr/escrow/contract.hpp>
#include <blendr/escrow/letters.hpp>
#include <blendr/market/forecast.hpp>
#include <blendr/node/client.hpp>
#include <blendr/verify/referee.hpp>
#include <node/provider_tasks.hpp>

namespace blendr::node {
namespace {

namespace json = boost::json;
using escrows = escrow::contract;
using markets = market::contract;
using verifiers = verify::contract;
using ratings = reputation::contract;
using escrow::letters;
using judge = verify::referee<programs>;

/// An agreement of ours, until both its end and its rating are behind us. Kept on disk: once a job is
/// over the chain does not list it any more.
struct deal {
    escrow::job_key job{};
    height opened{};
    std::uint32_t which{};
    reputation::family work{};
    height gone{};  ///< when the job was first missed
};
BOOST_DESCRIBE_STRUCT(deal, (), (job, opened, which, work, gone))

std::string text_of(escrow::job_key const& job)
{
    return to_text(job.renter) + '/' + std::to_string(job.number);
}

}  // namespace

class provider::body {
public:
    body(provider_settings chosen, crypto::identity const& me, std::shared_ptr<shelf> blobs,
         std::vector<rented_device> devices, tell_function tell)
        : chosen_{std::move(chosen)},
          me_{me},
          self_{me.account()},
          tell_{std::move(tell)},
          node_{chosen_.rpc},
          out_{node_, me_, chosen_.fee_max},
          tasks_{chosen_.home, me_, std::move(blobs), devices, chosen_.limits.power_percent,
                 chosen_.cheat},
          box_{crypto::sealing_key::of(me_.key()).self()}
    {
        for (auto& each : devices) {
            devices_.emplace_back();
            devices_.back().what = std::move(each);
        }
        report_.provider = to_text(self_);
        for (auto const& each : devices_) {
            device_report one{};
            one.number = each.what.number;
            one.name = each.what.name;
            one.state = agent_state::starting;
            report_.devices.push_back(std::move(one));
        }
    }
    ~body() { stop(); }

    result<nothing, std::string> start()
    {
        BLENDR_CHECK(tasks_.open());
        if (auto const raw = impl::read_whole(chosen_.home / "deals")) {
            if (auto read = decode<std::vector<deal>>(*raw)) deals_ = *std::move(read);
        }
        tasks_.start();
        thread_ = std::jthread{[this](std::stop_token stop) { run(std::move(stop)); }};
        return nothing{};
    }
    void stop()
    {
        thread_.request_stop();
        if (thread_.joinable()) thread_.join();
        tasks_.stop();
    }
    provider_report report() const
    {
        std::lock_guard const lock{mutex_};
        return report_;
    }

private:
    struct own_device {
        rented_device what{};
        market::device_status status{};
        amount bond{};
        std::uint32_t asks{};
        bool reserved_now{};
        market::device_state shown{market::device_state::absent};  ///< agreements counted
        crypto::address serves{};  ///< whose hour runs on it; nobody's by default
        height look_ahead{};       ///< when coming hours are looked at next
    };
    using bookings = std::span<market::device_calendar::booking const>;
    static constexpr std::uint64_t look_every = 20;  ///< blocks, at what seldom changes

    // ---- the loop

    void run(std::stop_token stop)
    {
        std::optional<height> last{};
        while (!stop.stop_requested()) {
            auto const at = node_.where();
            if (!at) {
                set_state(agent_state::offline);
            } else if (!last || at->last > *last) {
                last = at->last;
                look(at->last, at->block_time);
            }
            std::this_thread::sleep_for(std::chrono::milliseconds{chosen_.poll_ms});
        }
    }

    void look(height now, time_ms block_time)
    {
        now_ = now;
        out_.settle(now);
        for (auto const& each : out_.refused())
            say("refused", {{"wish", each.name}, {"why", each.why}});
        for (auto const& each : tasks_.failures())
            say("failed", {{"task", to_hex(each.task)}, {"why", each.why}});
        needed_.clear();
        live_ = 0;
        put_up_box();
        look_at_devices(block_time);
        if (!look_at_jobs() || !look_at_duties()) return;  // the node went away meanwhile
        tasks_.keep(needed_);
        rate();
        note();
    }

    // ---- devices

    bool within_hours() const
    {
        auto const t = std::time(nullptr);
        std::tm day{};
        ::gmtime_r(&t, &day);
        return within_hours(static_cast<std::uint32_t>(day.tm_hour));
    }
    bool within_hours(std::uint32_t hour) const
    {
        auto const& l = chosen_.limits;
        if (l.from_hour <= l.until_hour) return hour >= l.from_hour && hour < l.until_hour;
        return hour >= l.from_hour || hour < l.until_hour;
    }
    bool does(std::string const& app) const
    {
        auto const& allowed = chosen_.limits.apps;
        return !app.empty() &&
               (allowed.empty() || std::find(allowed.begin(), allowed.end(), app) != allowed.end());
    }

    /// Where renters find the key that inputs are sealed for.
    void put_up_box()
    {
        if (readable_) return;
        auto const box = node_.row<letters, escrow::boxes>(self_);
        if (!box) return;
        readable_ = box->to == box_;
        if (!readable_) out_.say("box", {ledger::wrap<letters>(letters::publish{box_})});
    }

    void look_at_devices(time_ms block_time)
    {
        auto const found = node_.ask<std::vector<market::query::provider>>(
            "market/my_devices", market::query::my_devices{self_, {}, 100});
        escrow::query::engaged asked{};
        for (auto const& each : devices_) asked.devices.push_back({self_, each.what.number});
        auto const doing =
            node_.ask<std::vector<escrow::query::engagement>>("escrow/engaged", asked);
        if (!found || !doing || doing->size() != devices_.size()) return;
        for (std::size_t i = 0; i < devices_.size(); ++i) {
            auto& each = devices_[i];
            market::device_key const key{self_, each.what.number};
            each.shown = (*doing)[i].state;
            auto const mine = std::find_if(found->begin(), found->end(),
                                           [&](auto const& p) { return p.key == key; });
            each.status = mine == found->end() ? market::device_status{} : mine->status;
            each.asks = mine == found->end() ? 0 : mine->asks;
            each.reserved_now = false;
            each.serves = {};
            if (mine != found->end()) {
                auto const hour = market::hour_of(block_time).get();
                for (auto const& b : mine->taken)
                    each.reserved_now = each.reserved_now || (b.use == market::hour_use::token &&
                                                              b.from <= hour && hour < b.end());
            }
            settle_in(each, key);
            if (mine != found->end()) {
                auto const hour = market::hour_of(block_time);
                keep_promises(each, key, mine->taken, hour);
                sell_ahead(each, key, mine->taken, hour);
            }
            offer(each, key);
        }
    }

    void settle_in(own_device& of, market::device_key const& key)
    {
        auto const number = std::to_string(of.what.number);
        auto const which = escrow::device_bond(key);
        auto const held = node_.row<bond::contract, bond::contract::bonds>(which);
        if (!held) return;
        of.bond = held->held.owner == self_ ? held->held.locked : amount{};
        if (of.bond < chosen_.bond) {
            out_.say("bond " + number, {ledger::wrap<bond::contract>(bond::contract::lock_provider{
                                           which.id, chosen_.bond - of.bond})});
            if (of.bond == amount{}) return;
        }
        if (of.status.state == market::device_state::absent) {
            markets::enrol m{of.what.number, of.what.of, {}};
            static_cast<std::string&>(m.capability) = of.what.capability;
            out_.say("enrol " + number, {ledger::wrap<markets>(m)});
            return;
        }
        constexpr std::uint64_t beat_every = 8;
        if (now_ >= later(of.status.heard, beat_every))
            out_.say("heartbeat " + number,
                     {ledger::wrap<markets>(markets::heartbeat{of.what.number})});
        if (!chosen_.check_others || !readable_) return;
        auto const worker = node_.row<verifiers, verify::workers>(which);
        if (worker && worker->owner != self_)
            out_.say("enlist " + number, {ledger::wrap<verifiers>(verifiers::enlist{which})});
    }

    static std::string name_of(market::device_key const& key, market::hour at)
    {
        return std::to_string(key.number) + '@' + std::to_string(at.get());
    }

    /// Hours that were sold ahead: one that is claimed begins when its time has come, one that ran ends
    /// when it is over, so that what stood for it comes back; and so does what nobody claimed.
    void keep_promises(own_device& of, market::device_key const& key, bookings taken,
                       market::hour now)
    {
        constexpr std::uint32_t hours_back = 24;
        auto const first = now.get() > hours_back ? now.get() - hours_back : 0;
        for (auto const& b : taken) {
            if (b.use != market::hour_use::token) continue;
            for (std::uint64_t h = std::max(b.from, first); h < b.end() && h <= now.get(); ++h) {
                market::hour const at{static_cast<std::uint32_t>(h)};
                auto const row =
                    node_.row<markets, market::promises>(market::promises::key{key, at});
                if (!row) continue;
                if (at == now && row->state == market::promise_state::running)
                    of.serves = row->holder;
                auto const name = name_of(key, at);
                auto const due = impl::due_of(row->state, at, now);
                if (due == market::promise_event::start &&
                    out_.say("begin " + name,
                             {ledger::wrap<markets>(markets::start{key.number, row->of})}))
                    say("begins", {{"device", key.number}, {"hour", h}});
                if (due == market::promise_event::finish)
                    out_.say("end " + name, {ledger::wrap<markets>(markets::finish{key, row->of})});
                if (due == market::promise_event::lapse)
                    out_.say("end " + name,
                             {ledger::wrap<markets>(markets::settle{key, row->of, self_})});
            }
        }
    }

    /// What an hour of the device is offered for: as many market units as it does in that time.
    price hour_quote(own_device const& of)
    {
        auto const each = u128{quote(of).get()} * market_units_an_hour(of);
        constexpr auto most = std::numeric_limits<std::int64_t>::max();
        return price{static_cast<std::uint64_t>(std::min<u128>(each, most))};
    }
    static std::uint64_t market_units_an_hour(own_device const& of)
    {
        auto const capability = market::capability::parse(of.what.capability);
        auto const speed =
            capability ? capability->number(market::attribute::fp32) : std::uint64_t{1};
        return std::max<std::uint64_t>(speed, 1) * 3'600;
    }

    /// Mints the coming hours that the owner sells, offers their tokens, brings more cover when it is
    /// called for, and takes back what is not to be sold any more or was not sold in time.
    void sell_ahead(own_device& of, market::device_key const& key, bookings taken, market::hour now)
    {
        auto const is_token = [](auto const& b) { return b.use == market::hour_use::token; };
        bool const any = std::any_of(taken.begin(), taken.end(), is_token);
        if ((chosen_.ahead == 0 && !any) || now_ < of.look_ahead) return;
        of.look_ahead = later(now_, look_every);
        auto const orders = node_.ask<std::vector<market::query::my_order>>(
            "market/my_orders", market::query::my_orders{self_, {}, 256});
        if (!orders) return;
        bool const may = of.status.state != market::device_state::absent &&
                         of.status.state != market::device_state::suspended &&
                         of.status.state != market::device_state::disconnected &&
                         chosen_.limits.apps.empty();
        auto const last = std::uint64_t{now.get()} +
                          std::min(chosen_.ahead, market::device_calendar::horizon_hours - 1);
        auto const wanted = [&](std::uint64_t h) {
            return may && h > now.get() && h <= last &&
                   within_hours(static_cast<std::uint32_t>(h % 24));
        };
        for (std::uint64_t h = std::uint64_t{now.get()} + 1; h <= last; ++h) {
            bool const free = std::none_of(taken.begin(), taken.end(), [h](auto const& b) {
                return b.from <= h && h < b.end();
            });
            if (free && wanted(h)) mint(of, key, market::hour{static_cast<std::uint32_t>(h)});
        }
        for (auto const& b : taken)
            for (std::uint64_t h = std::max(b.from, now.get()); is_token(b) && h < b.end(); ++h)
                offer_hour(of, key, market::hour{static_cast<std::uint32_t>(h)}, wanted(h),
                           *orders);
    }

    /// The bond that an hour of the class asks for, when it is sold at that price.
    std::optional<amount> cover_of(market::instrument const& hour, price at) const
    {
        auto const known =
            node_.ask<market::query::price_now>("market/reference", market::query::reference{hour});
        if (!known) return std::nullopt;
        return std::max(known->hour, at * quantity{1})
            .share(market::capacity_rules{}.cover_bps, market::bps, rounding::up);
    }

    void mint(own_device const& of, market::device_key const& key, market::hour at)
    {
        market::instrument const hour{of.what.of, at};
        auto const cover = cover_of(hour, hour_quote(of));
        if (!cover) return;
        // beside the bond, which stands behind the work
        std::vector<ledger::wire_message> both{};
        auto const needed = add(chosen_.bond, *cover).value_or(amount::max());
        if (auto const more = sub(needed, of.bond); more && *more != amount{})
            both.push_back(ledger::wrap<bond::contract>(
                bond::contract::lock_provider{escrow::device_bond(key).id, *more}));
        both.push_back(ledger::wrap<markets>(markets::mint{key.number, hour, *cover}));
        if (out_.say("mint " + name_of(key, at), std::move(both)))
            say("mints", {{"device", key.number}, {"hour", at.get()}});
    }

    void offer_hour(own_device const& of, market::device_key const& key, market::hour at,
                    bool wanted, std::vector<market::query::my_order> const& orders)
    {
        auto const row = node_.row<markets, market::promises>(market::promises::key{key, at});
        if (!row || row->state != market::promise_state::open) return;
        auto const& hour = row->of;
        auto const name = name_of(key, at);
        auto const hand = node_.row<markets, market::holdings>(market::holdings::key{hour, self_});
        if (!hand) return;
        if (row->due != time_ms{}) {  // the price rose above what stands for it
            auto const cover = cover_of(hour, price{});
            auto const more = cover ? sub(*cover, row->cover) : std::nullopt;
            if (more && *more != amount{})
                out_.say("cover " + name,
                         {ledger::wrap<bond::contract>(
                              bond::contract::lock_provider{escrow::device_bond(key).id, *more}),
                          ledger::wrap<markets>(markets::top_up{key.number, hour, *more})});
        }
        if (!wanted && hand->tokens != quantity{}) {
            out_.say("buy back " + name,
                     {ledger::wrap<markets>(markets::buy_back{key.number, hour})});
            return;
        }
        if (wanted && hand->tokens != quantity{}) {
            markets::place m{};
            m.of = hour;
            m.way = market::side::sell;
            m.client_id = now_.get() << 16 | of.what.number;
            m.size = hand->tokens;
            m.limit = hour_quote(of);
            m.expires = later(now_, 1'000'000);
            m.rounds = 2'000;
            out_.say("sell " + std::to_string(hour.what.get()) + '@' + std::to_string(at.get()),
                     {ledger::wrap<markets>(m)});
            return;
        }
        for (auto const& each : orders)
            if (!wanted && each.key.of == hour && each.key.way == market::side::sell)
                out_.say("keep " + std::to_string(each.key.client_id) + '@' +
                             std::to_string(at.get()),
                         {ledger::wrap<markets>(markets::cancel{each.key})});
    }

    bool sells(own_device const& of) const
    {
        return of.status.sells() && !of.reserved_now && within_hours() &&
               chosen_.limits.apps.empty() &&
               tasks_.waiting(of.what.number) < chosen_.limits.backlog;
    }

    /// One ask in the book for each device that would do work at once; none for others.
    void offer(own_device& of, market::device_key const& key)
    {
        auto const number = std::to_string(of.what.number);
        market::instrument const spot{of.what.of, market::hour{0}};
        bool const wants = sells(of);
        if (wants && of.asks == 0) {
            markets::place m{};
            m.of = spot;
            m.way = market::side::sell;
            m.client_id = now_.get() << 16 | of.what.number;
            m.size = quantity{market_units_an_hour(of)};
            m.limit = quote(of);
            m.expires = later(now_, 10'000);
            m.rounds = 2'000;
            m.device = of.what.number;
            m.hours = 1;
            out_.say("ask " + number, {ledger::wrap<markets>(m)});
            return;
        }
        bool const look = of.asks != 0 && (!wants || now_.get() % look_every == 0);
        if (!look) return;
        auto const mine = node_.ask<std::vector<market::query::my_order>>(
            "market/my_orders", market::query::my_orders{self_, {}, 100});
        if (!mine) return;
        for (auto const& each : *mine) {
            if (each.key.of != spot || each.key.way != market::side::sell ||
                each.now.device != key.number)
                continue;
            auto const name = "ask " + number;
            auto const at = quote(of);
            auto const was = each.now.limit.get();
            auto const moved = at.get() > was ? at.get() - was : was - at.get();
            if (!wants)
                out_.say(name, {ledger::wrap<markets>(markets::cancel{each.key})});
            else if (moved > was / 50)
                out_.say(name,
                         {ledger::wrap<markets>(markets::replace{each.key, each.now.left, at})});
        }
    }

    price quote(own_device const& of)
    {
        if (chosen_.how == pricing::fixed) return chosen_.ask;
        market::instrument const spot{of.what.of, market::hour{0}};
        auto const known =
            node_.ask<market::query::price_now>("market/reference", market::query::reference{spot});
        auto const reference =
            known && known->reference != price{} ? known->reference : chosen_.ask;
        static auto const busy_curve =
            market::quote_curve::make({{0, 10'000}, {5'000, 12'000}, {10'000, 20'000}}).value();
        auto const busy =
            std::min<std::uint64_t>(10'000, tasks_.waiting(of.what.number) * 10'000 /
                                                std::max<std::uint64_t>(chosen_.limits.backlog, 1));
        auto out = std::max(chosen_.ask, busy_curve.quote(reference, busy));
        if (chosen_.how != pricing::forecast) return out;
        auto const hours = node_.ask<std::vector<market::query::candle>>(
            "market/chart", market::query::chart{spot, market::hour{0}, 24 * 7});
        if (!hours || hours->empty()) return out;
        market::forecast expected{24};
        for (auto const& each : *hours) expected.observe(each.close);
        return std::max(out, expected.ahead(1));
    }

    // ---- jobs

    bool look_at_jobs()
    {
        std::map<escrow::job_key, chance> jobs{};  // ours, and units that we might take
        if (!find_own(jobs)) return false;
        auto const engaged = [own = jobs](escrow::job_key const& key) { return own.contains(key); };
        if (auto const* idle = least_busy(); idle != nullptr && !find_open(*idle, jobs))
            return false;
        for (auto const& each : devices_)
            if (each.serves != crypto::address{} && !find_open(each, jobs)) return false;

        std::vector<client::question> questions{};
        auto const path = client::path_of<escrows, escrow::jobs>();
        auto const post = client::path_of<letters, escrow::letter_of>();
        for (auto const& [key, open] : jobs) {
            questions.push_back({path, encode(key)});
            questions.push_back({post, encode(letter_name(key))});
        }
        auto const rows = node_.ask(questions);
        std::size_t i = 0;
        for (auto const& [key, open] : jobs) {
            auto const& answer = rows[i++];
            auto const& letter = rows[i++];
            if (!answer || !letter) return false;
            auto const row = client::read<escrow::jobs::row>(path, *answer);
            auto const left = client::read<escrow::letter_of::row>(post, *letter);
            if (!row || !left || !escrow::jobs::present(*row)) continue;
            if (engaged(key)) look_at_agreements(key, *row, left->blob);
            if (open.listed != 0) consider(key, *row, open);
        }
        return true;
    }

    static escrow::letter_of::key letter_name(escrow::job_key const& job)
    {
        return {job.renter, job.number};
    }

    /// Units that wait at a posted price, and for which device.
    struct chance {
        std::uint32_t listed{};
        own_device const* with{};
    };

    bool find_own(std::map<escrow::job_key, chance>& jobs) const
    {
        constexpr std::uint32_t most = 64;
        escrow::job_key after{};
        while (true) {
            auto const page = node_.ask<std::vector<escrow::query::assignment>>(
                "escrow/work_of", escrow::query::work_of{self_, after, most});
            if (!page) return false;
            if (page->empty()) return true;
            for (auto const& each : *page) jobs[each.job];
            after = page->back().job;
        }
    }
    /// In an hour that is somebody's: jobs of nobody else.
    bool find_open(own_device const& with, std::map<escrow::job_key, chance>& jobs) const
    {
        bool const hired = with.serves != crypto::address{};
        market::device_key const device{self_, with.what.number};
        escrow::job_key after{};
        while (true) {
            auto const page = node_.ask<escrow::query::openings>(
                "escrow/open_jobs",
                escrow::query::open_jobs{device, after, escrow::query::page_max});
            if (!page) return false;
            for (auto const& each : page->list)
                if (!hired || each.job.renter == with.serves) jobs[each.job] = {each.listed, &with};
            if (!page->more) return true;
            after = page->last;
        }
    }

    bool mine(std::uint32_t device) const
    {
        return std::any_of(devices_.begin(), devices_.end(),
                           [&](auto const& d) { return d.what.number == device; });
    }

    void look_at_agreements(escrow::job_key const& key, escrow::jobs::row const& row,
                            hash256 const& letter)
    {
        auto const app = app_of(row.what.program);
        for (std::uint32_t i = 0; i < row.money.agreements.size(); ++i) {
            auto const& a = row.money.agreements[i];
            if (a.provider != self_ || i >= row.devices.size() || !mine(row.devices[i])) continue;
            remember({key, row.opened, i, row.what.work, {}});
            if (escrow::is_end(a.at)) continue;
            ++live_;
            auto const name = text_of(key) + '#' + std::to_string(i);
            if (a.at == escrow::phase::open || a.at == escrow::phase::funded)
                begin(key, row, i, app, name, letter);
            if (a.at == escrow::phase::running) go_on(key, row, i, app, name, letter);
            // what was delivered may have to be shown, or defended
            for (std::uint32_t u = 0; u < row.money.units.size(); ++u)
                if (row.money.units[u].with == i)
                    needed_.insert(escrow::task_of({key, row.opened, u, i}));
        }
    }

    void begin(escrow::job_key const& key, escrow::jobs::row const& row, std::uint32_t i,
               std::string const& app, std::string const& name, hash256 const& letter)
    {
        auto const& a = row.money.agreements[i];
        escrow::agreement_id const which{i};
        if (!does(app) || a.assigned == 0) {
            if (out_.say("leave " + name, {ledger::wrap<escrows>(escrows::quit{key, which})}))
                say("left", {{"agreement", name}, {"why", "the owner does not want such jobs"}});
            return;
        }
        std::vector<ledger::wire_message> both{};
        if (a.at == escrow::phase::open && a.by.bond != amount{}) {
            // sold on the market, and the bond does not cover what it is to stand for
            auto const bond = escrow::device_bond({self_, row.devices[i]});
            auto const held = node_.row<bond::contract, bond::contract::bonds>(bond);
            auto const pledged = node_.row<escrows, escrow::pledges>(bond);
            if (!held || !pledged) return;
            auto const needed = add(pledged->value, a.by.bond).value_or(amount::max());
            if (auto const more = sub(needed, held->held.locked); more && *more != amount{})
                both.push_back(
                    ledger::wrap<bond::contract>(bond::contract::lock_provider{bond.id, *more}));
        }
        both.push_back(ledger::wrap<escrows>(escrows::start{key, which, row.devices[i]}));
        if (out_.say("start " + name, std::move(both)))
            say("rented", {{"agreement", name},
                           {"app", app},
                           {"units", a.assigned},
                           {"each", to_string(a.by.each * quantity{1})}});
        // the work may begin before the block that says so
        go_on(key, row, i, app, name, letter);
    }

    void go_on(escrow::job_key const& key, escrow::jobs::row const& row, std::uint32_t i,
               std::string const& app, std::string const& name, hash256 const& letter)
    {
        bool const running = row.money.agreements[i].at == escrow::phase::running;
        for (std::uint32_t u = 0; u < row.money.units.size(); ++u) {
            auto const& unit = row.money.units[u];
            if (unit.with != i || unit.at != escrow::unit_state::assigned) continue;
            escrow::task_origin const origin{key, row.opened, u, i};
            auto const task = escrow::task_of(origin);
            if (auto const done = tasks_.find(task)) {
                if (running) deliver(row, *done, task, name);
                continue;
            }
            if (!tasks_.want(wanted(row, origin, true, row.devices[i], app, letter)) && running &&
                out_.say("leave " + name,
                         {ledger::wrap<escrows>(escrows::quit{key, escrow::agreement_id{i}})}))
                say("left", {{"agreement", name}, {"why", "a unit cannot be done here"}});
        }
    }

    static impl::wanted_unit wanted(escrow::jobs::row const& row, escrow::task_origin const& origin,
                                    bool own, std::uint32_t device, std::string const& app,
                                    hash256 const& letter)
    {
        auto const input = row.what.checks.steps != 0 || row.what.inputs.size() == row.what.units
                               ? escrow::input_of(row.what, origin.unit)
                               : hash256{};
        return {escrow::task_of(origin),
                origin,
                own,
                device,
                app,
                row.what.data,
                letter,
                row.what.units,
                input,
                row.what.checks.steps};
    }

    hash256 commitment(impl::done_unit const& done, hash256 const& task) const
    {
        return verify::commit(
            {self_, task, done.nonce, verify::digest_of(hash_after(done.packed, done.result), {})});
    }

    void deliver(escrow::jobs::row const& row, impl::done_unit const& done, hash256 const& task,
                 std::string const& name)
    {
        auto const by = row.what.checks.by;
        if (by == escrow::checker::product) return;
        auto const claim = by == escrow::checker::renter ? hash_after(done.packed, done.result)
                                                         : commitment(done, task);
        escrow::unit_id const unit{done.origin.unit};
        if (!out_.say("deliver " + to_hex(task),
                      {ledger::wrap<escrows>(escrows::deliver{done.origin.job, unit, claim,
                                                              done.result.size(), done.data})}))
            return;
        ++delivered_;
        say("delivered", {{"agreement", name}, {"unit", done.origin.unit}});
    }

    own_device const* least_busy() const
    {
        own_device const* best = nullptr;
        for (auto const& each : devices_) {
            if (!each.status.sells() || each.reserved_now) continue;
            if (best == nullptr ||
                tasks_.waiting(each.what.number) < tasks_.waiting(best->what.number))
                best = &each;
        }
        return best;
    }

    /// Takes units that wait at a posted price: of a job whose provider failed, of a renter who posts, or
    /// of one whose hour this is.
    void consider(escrow::job_key const& key, escrow::jobs::row const& row, chance const& open)
    {
        auto const app = app_of(row.what.program);
        bool const hired = open.with->serves != crypto::address{};
        if (key.renter == self_ || !does(app) || (!hired && !within_hours()) ||
            row.what.checks.by == escrow::checker::product)
            return;
        auto const demand = std::max<std::uint64_t>(row.what.demand, 1);
        for (auto const& a : row.money.agreements)  // who was proven wrong there stays away
            if (a.provider == self_ && a.at == escrow::phase::slashed) return;
        auto const* const best = hired ? open.with : least_busy();
        if (best == nullptr || out_.waits("take " + text_of(key))) return;
        auto const waits = tasks_.waiting(best->what.number);
        if (waits >= chosen_.limits.backlog) return;
        if (!hired && u128{row.posted.get()} < u128{quote(*best).get()} * demand) return;
        constexpr std::uint32_t at_once = 4;
        auto const count = std::min(
            {open.listed, at_once, static_cast<std::uint32_t>(chosen_.limits.backlog - waits)});
        if (out_.say("take " + text_of(key), {ledger::wrap<escrows>(escrows::take{
                                                 key, count, best->what.number, row.what.work})}))
            say("takes", {{"job", text_of(key)}, {"units", count}, {"app", app}});
    }

    // ---- checks and disputes

    bool look_at_duties()
    {
        auto const all =
            node_.ask<verifiers::duty_list>("verify/duties_of", verifiers::duties_of{self_, 1'000});
        if (!all) return false;
        for (auto const& each : all->list) {
            needed_.insert(each.task);
            if (each.what == verify::due_kind::round) look_at_round(each);
            if (each.what == verify::due_kind::dispute && each.dispute) look_at_dispute(each);
        }
        return true;
    }

    void look_at_round(verifiers::duty const& of)
    {
        using verify::replica_state;
        auto const done = tasks_.find(of.task);
        if (of.drawn && !done) {
            if (of.mine == replica_state::drawn) do_again(of);
            return;
        }
        if (!done) return;
        if (of.drawn && of.mine == replica_state::drawn &&
            of.stage == verify::round_stage::committing) {
            if (out_.say("commit " + to_hex(of.task), {ledger::wrap<verifiers>(verifiers::commit{
                                                          of.task, commitment(*done, of.task)})})) {
                ++checked_;
                say("checks", {{"task", to_hex(of.task)}});
            }
        }
        if (of.mine == replica_state::committed && of.stage == verify::round_stage::revealing)
            out_.say("reveal " + to_hex(of.task),
                     {ledger::wrap<verifiers>(verifiers::reveal{
                         of.task, done->nonce, hash_after(done->packed, done->result), {}})});
    }

    void do_again(verifiers::duty const& of)
    {
        auto const origin = decode<escrow::task_origin>(of.origin);
        if (!origin) return;
        auto const row = node_.row<escrows, escrow::jobs>(origin->job);
        auto const letter = node_.row<letters, escrow::letter_of>(letter_name(origin->job));
        if (!row || !letter || !escrow::jobs::present(*row) || devices_.empty()) return;
        auto const least =
            std::min_element(devices_.begin(), devices_.end(), [&](auto const& a, auto const& b) {
                return tasks_.waiting(a.what.number) < tasks_.waiting(b.what.number);
            });
        (void)tasks_.want(wanted(*row, *origin, false, least->what.number,
                                 app_of(row->what.program), letter->blob));
    }

    void look_at_dispute(verifiers::duty const& of)
    {
        auto const& d = *of.dispute;
        auto const done = tasks_.find(of.task);
        if (!done || d.at == verify::dispute_stage::over) return;
        auto const state = [&](std::uint64_t steps) {
            return state_after(done->app, done->packed, done->result, steps);
        };
        auto const name = to_hex(of.task) + '@';
        if (d.at == verify::dispute_stage::narrowing) {
            bool const said =
                self_ == d.asserter ? d.asserter_move.has_value() : d.challenger_move.has_value();
            if (!said)
                out_.say("move " + name + std::to_string(d.asked()),
                         {ledger::wrap<verifiers>(
                             verifiers::move{of.task, verify::hash_of_state(state(d.asked()))})});
            return;
        }
        // who is right shows the state before the step; who is not gains nothing by it
        bool const right = !(chosen_.cheat && self_ == d.asserter);
        auto const before = state(d.low);
        if (!right || verify::hash_of_state(before) != d.agreed) return;
        verify::show proof{of.task, {}};
        static_cast<bytes&>(proof.state) = before;
        if (out_.say("show " + name + std::to_string(d.low), {ledger::wrap<judge>(proof)}))
            say("proves", {{"task", to_hex(of.task)}, {"step", d.low}});
    }

    // ---- what is left when a job is over

    void remember(deal const& made)
    {
        for (auto const& each : deals_)
            if (each.job == made.job && each.opened == made.opened && each.which == made.which)
                return;
        deals_.push_back(made);
        keep_deals();
    }
    void keep_deals() { (void)impl::write_whole(chosen_.home / "deals", encode(deals_)); }

    void rate()
    {
        if (deals_.empty()) return;
        std::vector<client::question> questions{};
        auto const path = client::path_of<ratings, reputation::ended>();
        for (auto const& each : deals_) questions.push_back({path, encode(name_of(each))});
        auto const rows = node_.ask(questions);
        bool changed = false;
        std::vector<deal> left{};
        for (std::size_t i = 0; i < deals_.size(); ++i) {
            auto of = deals_[i];
            auto const row =
                rows[i] ? client::read<reputation::settled_agreement>(path, *rows[i])
                        : result<reputation::settled_agreement, std::string>{fail{rows[i].error()}};
            if (!row) {
                left.push_back(of);
                continue;
            }
            auto const name = text_of(of.job) + '#' + std::to_string(of.which);
            if (row->provider == self_ && row->rated_by_provider) {
                earned_ += row->paid;
                ++rated_;
                say("paid", {{"agreement", name}, {"value", to_string(row->paid)}});
                changed = true;
                continue;
            }
            if (row->provider == self_) {
                constexpr std::uint32_t pays_as_agreed = 100;
                out_.say("rate " + name, {ledger::wrap<ratings>(ratings::rate{
                                             name_of(of),
                                             {of.job.renter, reputation::role::renter, of.work},
                                             pays_as_agreed})});
            } else {
                // not settled yet, or ended without pay: given up some time after the job is gone
                constexpr std::uint64_t wait = 200;
                auto const job = node_.row<escrows, escrow::jobs>(of.job);
                bool const there =
                    !job || (escrow::jobs::present(*job) && job->opened == of.opened);
                if (!there && of.gone == height{}) of.gone = now_, changed = true;
                if (!there && now_ > later(of.gone, wait)) {
                    changed = true;
                    continue;
                }
            }
            left.push_back(of);
        }
        if (!changed) return;
        deals_ = std::move(left);
        keep_deals();
    }
    static hash256 name_of(deal const& of)
    {
        return escrow::task_of({of.job, of.opened, escrow::nobody, of.which});
    }

    // ---- what the owner sees

    void say(std::string_view what, json::object about)
    {
        if (!tell_) return;
        about.emplace("height", now_.get());
        json::object out{{"what", json::string_view{what.data(), what.size()}}};
        for (auto& each : about) out.emplace(each.key(), std::move(each.value()));
        tell_(out);
    }

    void set_state(agent_state to)
    {
        bool changed = false;
        {
            std::lock_guard const lock{mutex_};
            changed = std::exchange(report_.state, to) != to;
        }
        if (changed) say("state", {{"state", to_json(to)}});
    }

    void note()
    {
        bool starting = false, busy = live_ != 0, reserved = false;
        {
            std::lock_guard const lock{mutex_};
            for (std::size_t i = 0; i < devices_.size(); ++i) {
                auto const& d = devices_[i];
                auto& r = report_.devices[i];
                r.waiting = static_cast<std::uint32_t>(tasks_.waiting(d.what.number));
                r.done = tasks_.done_on(d.what.number);
                r.bond = d.bond;
                auto const on_chain = to_json(d.shown);
                r.on_chain = std::string{on_chain.as_string()};
                bool const absent = d.status.state == market::device_state::absent;
                bool const kept =
                    d.reserved_now || d.status.state == market::device_state::reserved;
                r.state = absent ? agent_state::starting
                          : r.waiting != 0 || d.shown == market::device_state::sharing
                              ? agent_state::sharing
                          : kept           ? agent_state::reserved
                          : within_hours() ? agent_state::idle
                                           : agent_state::resting;
                starting = starting || absent;
                busy = busy || r.state == agent_state::sharing;
                reserved = reserved || kept;
            }
            report_.last = now_;
            report_.jobs = live_;
            report_.delivered = delivered_;
            report_.checked = checked_;
            report_.rated = rated_;
            report_.earned = earned_;
            report_.fees = out_.fees_paid();
        }
        set_state(busy             ? agent_state::sharing
                  : starting       ? agent_state::starting
                  : reserved       ? agent_state::reserved
                  : within_hours() ? agent_state::idle
                                   : agent_state::resting);
        (void)impl::write_whole(chosen_.home / "state.json",
                                as_bytes(to_text(to_json(report())) + '\n'), false);
    }

    provider_settings chosen_;
    crypto::identity me_;
    crypto::address self_;
    tell_function tell_;
    client node_;
    outbox out_;
    impl::task_book tasks_;
    crypto::sealing_public_key box_;
    bool readable_ = false;  // the chain shows that key
    std::vector<own_device> devices_{};
    std::vector<deal> deals_{};
    height now_{};
    std::set<hash256> needed_{};
    std::uint32_t live_{};
    std::uint64_t delivered_{}, checked_{}, rated_{};
    amount earned_{};
    mutable std::mutex mutex_{};
    provider_report report_{};
    std::jthread thread_{};
};

provider::provider(std::unique_ptr<body> made) : body_{std::move(made)} {}
provider::~provider() = default;
void provider::stop() { body_->stop(); }
provider_report provider::report() const { return body_->report(); }

result<std::unique_ptr<provider>, std::string>
provider::start(provider_settings chosen, crypto::identity const& me, std::shared_ptr<shelf> blobs,
                std::vector<rented_device> devices, tell_function tell)
{
    if (devices.empty()) return fail{std::string{"a provider needs a device"}};
    for (auto const& each : devices)
        if (auto const good = market::capability::parse(each.capability); !good)
            return fail{"device " + std::to_string(each.number) + ": " +
                        std::string{message(good.error())}};
    auto made = std::make_unique<body>(std::move(chosen), me, std::move(blobs), std::move(devices),
                                       std::move(tell));
    BLENDR_CHECK(made->start());
    return std::unique_ptr<provider>{new provider{std::move(made)}};
}

}  // namespace blendr::node
