// SPDX-License-Identifier: Apache-2.0
#include <blendr/sim/world.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <set>
#include <utility>

#include <blendr/app/block_id.hpp>
#include <blendr/consensus/ballot.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/random.hpp>
#include <blendr/crypto/strict.hpp>
#include <blendr/sim/byzantine.hpp>
#include <blendr/sim/ideal.hpp>
#include <blendr/sim/impl/queue.hpp>
#include <blendr/sim/mock_app.hpp>

namespace blendr::sim {
namespace {

namespace co = consensus;

constexpr std::int64_t wall_start_ms = 1'700'000'000'000;

std::uint64_t fold(bytes_view raw) noexcept
{
    std::uint64_t h = raw.size();
    std::size_t i = 0;
    for (; i + 8 <= raw.size(); i += 8) {
        std::uint64_t word = 0;
        for (std::size_t k = 0; k < 8; ++k)
            word |= std::to_integer<std::uint64_t>(raw[i + k]) << (8 * k);
        h = (h ^ word) * 0x9e3779b97f4a7c15;
        h ^= h >> 29;
    }
    for (; i < raw.size(); ++i)
        h = (h ^ std::to_integer<std::uint64_t>(raw[i])) * 0x9e3779b97f4a7c15;
    return h ^ (h >> 32);
}

std::string short_id(block_id const& id) { return to_hex(bytes_view{id}.first(4)); }

/// A sample of an exponential distribution with this mean, in integers: -ln(u) = ln 2 * -log2(u).
std::int64_t exponential(rng& r, u128 mean)
{
    auto u = r() | 1;
    unsigned const whole = static_cast<unsigned>(std::countl_zero(u));
    u <<= whole;
    std::uint64_t fraction = 0;  // log2 of u / 2^63, 32 bits
    auto x = u >> 1;             // in [2^62, 2^63)
    for (int bit = 31; bit >= 0; --bit) {
        auto square = static_cast<u128>(x) * x;  // in [2^124, 2^126)
        if ((square >> 125) != 0) {
            fraction |= std::uint64_t{1} << bit;
            x = static_cast<std::uint64_t>(square >> 63);
        } else {
            x = static_cast<std::uint64_t>(square >> 62);
        }
    }
    auto const minus_log2 = (static_cast<std::uint64_t>(whole + 1) << 32) - fraction;
    auto const nats = (static_cast<u128>(minus_log2) * 2'977'044'472u) >> 32;  // ln 2 in 32 bits
    auto const out = (mean * nats) >> 32;
    constexpr u128 most = std::numeric_limits<std::int64_t>::max() / 4;
    return static_cast<std::int64_t>(std::min(out, most));
}

enum class what : std::uint8_t { deliver, timer, local, synced, begin, end, restart, crash };

struct item {
    std::int64_t at{};
    std::uint64_t order{};
    std::uint32_t machine{};
    what kind{};
    std::uint32_t index{};
    std::uint64_t number{};
};

struct letter {
    bytes body{};
    std::uint64_t hash{};
    std::uint32_t from{};
    std::uint32_t left{};
};

struct journal_line {
    bytes record{};
    height tag{};
};

/// Decided blocks as a log holds them. Most nodes decide the same with the same proof: one copy is
/// enough for all their logs.
struct batch {
    co::decide what{};
    bool checked{};  // a stranger accepted its proof
};

/// What a node still has to carry out, first in first out. Keeps its memory, unlike a deque.
class effect_queue {
public:
    bool empty() const noexcept { return head_ == all_.size(); }
    void push(co::effect&& e) { all_.push_back(std::move(e)); }
    co::effect pop()
    {
        auto out = std::move(all_[head_++]);
        if (head_ == all_.size()) clear();
        return out;
    }
    void clear() noexcept
    {
        all_.clear();
        head_ = 0;
    }

private:
    std::vector<co::effect> all_{};
    std::size_t head_{};
};

/// Which setting of each timer counts: the last one. Engines have a handful.
class timer_table {
public:
    void set(std::uint64_t timer, std::uint32_t generation)
    {
        for (auto& [number, last] : all_)
            if (number == timer) return void(last = generation);
        all_.emplace_back(timer, generation);
    }
    /// Whether this setting is the one that counts; then the timer is spent.
    bool fires(std::uint64_t timer, std::uint32_t generation)
    {
        for (auto& [number, last] : all_)
            if (number == timer && last == generation) {
                last = 0;
                return true;
            }
        return false;
    }
    void clear() noexcept { all_.clear(); }

private:
    std::vector<std::pair<std::uint64_t, std::uint32_t>> all_{};  // generations begin at 1
};

/// Blocks found to be named by their content, so that a name is hashed once and not once a node.
class name_check {
public:
    bool operator()(block_id const& id, app::proposal_context const& at, bytes const& payload)
    {
        auto& last = seen_[std::to_integer<std::size_t>(id[0]) % seen_.size()];
        if (last.id == id && last.at == at && last.payload == payload) return true;
        if (app::make_block_id(at, app::payload_digest(payload)) != id) return false;
        last = {id, at, payload};
        return true;
    }

private:
    std::array<co::decide::entry, 16> seen_{};
};

/// One computer: what survives a crash, what does not.
struct machine {
    std::uint32_t validator{};
    bool honest = true;
    std::optional<role> how{};
    engine_kind const* kind{};
    identity me{};

    // durable
    std::vector<journal_line> journal{};
    std::size_t journal_synced{};
    std::optional<height> trim_to{};  // wanted, once what came before is durable
    std::vector<std::shared_ptr<batch const>> log{};
    std::size_t log_synced{};

    // of this incarnation
    std::unique_ptr<any_engine> engine{};
    std::unique_ptr<mock_app> app{};
    effect_queue todo{};
    timer_table timers{};
    std::uint32_t incarnation{};
    std::uint32_t timer_generation{};
    bool up{};
    bool syncing{};
    bool pumping{};
    bool stopped{};

    std::array<std::int64_t, 3> uplink_free{};
    std::int64_t skew_ms{};
    std::int64_t extra_sync_us{};
    std::int64_t app_late_us{};
    std::int64_t app_mute{};
    std::map<block_id, std::int64_t>
        unanswered{};  // questions about it, or for a child (parent's id)
    std::uint64_t barriers{};
    std::uint64_t decided{};
    std::int64_t first_after_calm{-1};
};

struct pending_event {
    std::uint32_t incarnation{};
    co::event in{};
};

}  // namespace

struct world::state {
    engine_kind honest;
    scenario script;
    world_options options;
    rng chance;
    std::map<std::uint32_t, engine_kind> replaced{};

    std::int64_t now{};
    std::uint64_t order{};
    impl::queue<item> events{};
    std::vector<letter> letters{};
    std::vector<std::uint32_t> free_letters{};
    std::vector<pending_event> locals{};
    std::vector<std::uint32_t> free_locals{};

    std::vector<machine> machines{};
    std::vector<identity> keys{};
    std::map<public_key, std::uint32_t> who{};
    std::vector<co::membership> sets{};  // by height - 1
    hash256 chain{};
    block_id genesis{};

    std::vector<std::vector<bool>> cut{};
    std::uint64_t partition{};
    bool partitioned{};
    std::uint32_t lose{}, repeat{};
    std::int64_t slow_us{};

    struct truth {
        block_id id{};
        std::uint64_t app{};
        std::vector<std::shared_ptr<batch>> batches{};  // that end here, by whomever decided
        std::int64_t last_decided{};
    };
    std::vector<truth> decided{};  // by height - 1
    std::map<block_id, std::int64_t> born{};
    std::map<std::pair<std::uint32_t, std::uint64_t>, std::vector<statement>> said{};
    std::set<std::uint32_t> accused{};
    std::uint64_t calm_height{};
    bool calm_seen{};
    report out{};
    effects scratch{};
    std::vector<claim> claims_scratch{};
    name_check named{};

    state(engine_kind h, scenario const& s, world_options const& o)
        : honest{std::move(h)},
          script{s},
          options{o},
          chance{co::scramble(s.seed) ^ 0x51}
    {
        chain = crypto::hash(co::ballot_domain, as_bytes("a simulated chain"));
        genesis = crypto::hash(co::ballot_domain, as_bytes("a simulated genesis"));
    }

    // ---- the set-up

    bool is_villain(std::uint32_t validator) const
    {
        return replaced.contains(validator) ||
               std::any_of(script.villains.begin(), script.villains.end(),
                           [&](villain const& v) { return v.node == validator; });
    }

    void start()
    {
        for (std::uint32_t i = 0; i < script.validators; ++i) {
            keys.push_back(options.real_signatures ? real_identity(i) : ideal_identity(i));
            who[keys.back().self] = i;
        }
        for (std::uint32_t i = 0; i < script.validators; ++i) add_machine(i, std::nullopt);
        for (auto const& v : script.villains) {
            auto& m = machines[v.node];
            m.honest = false;
            m.how = v.how;
            if (v.how == role::twins) add_machine(v.node, role::twins);
        }
        for (auto& [node, kind] : replaced) {
            machines[node].honest = false;
            machines[node].kind = &kind;
        }
        cut.assign(machines.size(), std::vector<bool>(machines.size()));
        for (std::uint32_t i = 0; i < script.faults.size(); ++i) {
            push(script.faults[i].at_ms * 1000, 0, what::begin, i, 0);
            push((script.faults[i].at_ms + script.faults[i].for_ms) * 1000, 0, what::end, i, 0);
        }
        for (std::uint32_t m = 0; m < machines.size(); ++m) {
            if (machines[m].how == role::amnesia)
                for (int k = 0; k < 4; ++k)
                    push(static_cast<std::int64_t>(
                             chance.below(static_cast<std::uint64_t>(script.end_ms) * 1000)),
                         m, what::crash, 0, 0);
            boot(m);
        }
    }

    void add_machine(std::uint32_t validator, std::optional<role> how)
    {
        machine m{};
        m.validator = validator;
        m.honest = !how;
        m.how = how;
        m.kind = &honest;
        m.me = keys[validator];
        machines.push_back(std::move(m));
    }

    co::membership const& set_at(std::uint64_t h)
    {
        while (sets.size() < h) {
            auto const at = sets.size() + 1;
            co::membership m{height{at}, at, {}, chain};
            for (std::uint32_t i = 0; i < script.validators; ++i)
                if (auto const p = power_of(script.power, i, script.validators, at); p > 0)
                    m.set.push_back({keys[i].self, weight{p}});
            std::sort(m.set.begin(), m.set.end(),
                      [](auto const& a, auto const& b) { return a.key < b.key; });
            if (!sets.empty() && sets.back().set == m.set) m.epoch = sets.back().epoch;
            sets.push_back(std::move(m));
        }
        return sets[h - 1];
    }

    void boot(std::uint32_t index)
    {
        auto& m = machines[index];
        auto const seed = chance();
        ++m.incarnation;
        m.up = true;
        m.syncing = m.stopped = false;
        m.todo.clear();
        m.timers.clear();
        m.unanswered.clear();
        m.app = std::make_unique<mock_app>(genesis, options.payload_bytes, seed);
        m.engine = m.how ? misbehave(*m.how, *m.kind, m.me, seed) : m.kind->make(m.me, seed);
        co::started in{};
        in.from.last = {genesis, {{}, height{0}, time_ms{wall_start_ms}, {}}, {}};
        for (auto const& d : m.log)
            for (auto const& b : d->what.blocks)
                if (m.app->last().last < b.at.at)
                    m.app->finalize(b.at, b.id, b.payload), m.app->commit();
        if (!m.log.empty()) {
            in.from.last = m.log.back()->what.blocks.back();
            in.from.why = m.log.back()->what.why;
        }
        auto const last = in.from.last.at.at.get();
        for (auto h = last > co::checkpoint::sets_below ? last - co::checkpoint::sets_below + 1 : 1;
             h <= last + 2; ++h)
            in.from.sets.push_back(set_at(h));
        if (m.how == role::amnesia) m.journal.clear();
        for (auto const& line : m.journal) in.journal.push_back(line.record);
        m.journal_synced = m.journal.size();
        step(index, in);
        pump(index);
    }

    void crash(std::uint32_t index, std::int64_t back_us)
    {
        auto& m = machines[index];
        if (!m.up) return;
        ++out.crashes;
        m.up = false;
        // What was not synced is lost from some point on; the last record that is left may be torn,
        // which the log's checksums find.
        auto const tail = m.journal.size() - m.journal_synced;
        m.journal.resize(m.journal_synced + chance.below(tail + 1));
        auto const logged = m.log.size() - m.log_synced;
        m.log.resize(m.log_synced + chance.below(logged + 1));
        m.journal_synced = m.journal.size();
        m.log_synced = m.log.size();
        m.trim_to.reset();
        m.engine.reset();
        m.app.reset();
        m.todo.clear();
        note(index, "crashes");
        push(now + back_us, index, what::restart, m.incarnation, 0);
    }

    // ---- time

    void push(std::int64_t at, std::uint32_t machine_index, what kind, std::uint32_t index,
              std::uint64_t number)
    {
        events.push({at, order++, machine_index, kind, index, number});
    }

    void later(std::uint32_t index, std::int64_t after_us, co::event in)
    {
        std::uint32_t slot = 0;
        if (free_locals.empty()) {
            slot = static_cast<std::uint32_t>(locals.size());
            locals.emplace_back();
        } else {
            slot = free_locals.back();
            free_locals.pop_back();
        }
        locals[slot] = {machines[index].incarnation, std::move(in)};
        push(now + after_us, index, what::local, slot, 0);
    }

    void trace(std::uint64_t value) noexcept { out.trace = co::scramble(out.trace ^ value); }

    void note(std::uint32_t index, std::string const& text)
    {
        if (!options.keep_log || out.log.size() > 20'000) return;
        out.log.push_back(std::to_string(now / 1000) + "." + std::to_string(now / 100 % 10) +
                          " ms node " + std::to_string(index) + " " + text);
    }

    void violate(std::uint32_t index, std::string const& text)
    {
        if (out.violation) return;
        out.violation =
            text + " (node " + std::to_string(index) + " at " + std::to_string(now / 1000) + " ms)";
        note(index, "VIOLATION " + text);
    }

    // ---- the network

    std::uint32_t new_letter(std::uint32_t from, bytes body)
    {
        std::uint32_t slot = 0;
        if (free_letters.empty()) {
            slot = static_cast<std::uint32_t>(letters.size());
            letters.emplace_back();
        } else {
            slot = free_letters.back();
            free_letters.pop_back();
        }
        auto const hash = fold(body);
        letters[slot] = {std::move(body), hash, from, 0};
        return slot;
    }

    bool reaches(std::uint32_t a, std::uint32_t b) const
    {
        if (cut[a][b]) return false;
        return !partitioned || ((partition >> (a % 64)) & 1) == ((partition >> (b % 64)) & 1);
    }

    void post(std::uint32_t from, std::uint32_t to, co::lane on, std::uint32_t slot)
    {
        auto& m = machines[from];
        auto const size = static_cast<std::int64_t>(letters[slot].body.size());
        out.bytes_sent += static_cast<std::uint64_t>(size);
        auto leaves = now;
        if (options.net.bytes_per_second != 0) {
            auto const lane_index = static_cast<std::size_t>(on);
            for (std::size_t l = 0; l <= lane_index; ++l)
                leaves = std::max(leaves, m.uplink_free[l]);
            leaves +=
                (size + 60) * 1'000'000 / static_cast<std::int64_t>(options.net.bytes_per_second);
            m.uplink_free[lane_index] = leaves;
        }
        if (!reaches(from, to)) return;
        auto const& net = options.net;
        if (net.lost_per_million != 0 && chance.chance(net.lost_per_million, 1'000'000)) return;
        if (lose != 0 && chance.chance(lose, 1000)) return;
        auto copies = 1u;
        if (net.repeated_per_million != 0 && chance.chance(net.repeated_per_million, 1'000'000))
            ++copies;
        if (repeat != 0 && chance.chance(repeat, 1000)) ++copies;
        for (; copies > 0; --copies) {
            auto arrives = leaves + net.between(m.validator, machines[to].validator);
            if (net.jitter_us != 0)
                arrives += static_cast<std::int64_t>(
                    chance.below(static_cast<std::uint64_t>(net.jitter_us)));
            if (slow_us != 0)
                arrives +=
                    static_cast<std::int64_t>(chance.below(static_cast<std::uint64_t>(slow_us)));
            ++letters[slot].left;
            push(arrives, to, what::deliver, slot, 0);
        }
    }

    void release(std::uint32_t slot)
    {
        if (letters[slot].left == 0) {
            letters[slot].body.clear();
            free_letters.push_back(slot);
        }
    }

    // ---- a machine

    co::clock clock_of(machine const& m) const
    {
        auto const ms = now / 1000;
        return {time_ms{ms}, time_ms{wall_start_ms + ms + m.skew_ms}};
    }

    void step(std::uint32_t index, co::event const& in)
    {
        auto& m = machines[index];
        if (!m.up || out.violation) return;
        scratch.clear();
        m.engine->step(in, clock_of(m), scratch);
        for (auto& each : scratch) m.todo.push(std::move(each));
    }

    void deliver(std::uint32_t index, std::uint32_t slot)
    {
        auto& m = machines[index];
        auto& l = letters[slot];
        --l.left;
        if (m.up) {
            ++out.messages;
            trace(l.hash ^ (static_cast<std::uint64_t>(now) << 16) ^ index);
            auto const from = keys[l.from].self;
            claims_scratch.clear();
            auto const known = m.engine->claims(from, l.body, claims_scratch);
            bool good = known != false;
            if (known == true)
                for (auto const& c : claims_scratch)
                    if (!holds(c)) {
                        good = false;
                        break;
                    }
            if (good) {
                step(index, co::received{from, l.body, known.has_value()});
                pump(index);
            } else {
                ++out.metrics["host_dropped"];
            }
        }
        release(slot);
    }

    bool holds(claim const& c) const
    {
        return options.real_signatures ? crypto::verify_strict(c.key, c.digest, c.signature)
                                       : ideal_holds(c.key, c.digest, c.signature);
    }

    void pump(std::uint32_t index)
    {
        auto& m = machines[index];
        if (m.pumping) return;
        m.pumping = true;
        while (m.up && !m.todo.empty() && !m.syncing && !out.violation) {
            auto each = m.todo.pop();
            std::visit([&](auto& e) { carry_out(index, e); }, each);
        }
        m.pumping = false;
    }

    void sync(machine& m)
    {
        m.journal_synced = m.journal.size();
        m.log_synced = m.log.size();
        if (m.trim_to) {
            auto const below = *m.trim_to;
            m.trim_to.reset();
            std::erase_if(m.journal, [&](journal_line const& l) { return l.tag < below; });
            m.journal_synced = m.journal.size();
        }
    }

    static bool crashes_at_barrier(fault const& f)
    {
        return f.what == fault_kind::crash_at || f.what == fault_kind::crash_before ||
               f.what == fault_kind::crash_after;
    }

    /// Whether a mute application leaves this question unanswered.
    static bool unanswered(machine& m, block_id const& about)
    {
        if (m.app_mute == 0) return false;
        if (m.unanswered.size() > 256) m.unanswered.clear();
        return m.unanswered[about]++ < m.app_mute;
    }

    void carry_out(std::uint32_t index, co::persist& e)
    {
        auto& m = machines[index];
        m.journal.push_back({std::move(e.record), e.tag});
        if (m.honest) out.journal_max = std::max(out.journal_max, m.journal.size());
        if (!e.barrier) return;
        ++m.barriers;
        ++out.barriers;
        for (auto const& f : script.faults)
            if (crashes_at_barrier(f) && f.node == index &&
                static_cast<std::uint64_t>(f.amount) == m.barriers) {
                if (f.what == fault_kind::crash_after ||
                    (f.what == fault_kind::crash_at && f.amount % 2 != 0))
                    sync(m);  // durable, but nothing after it leaves
                crash(index, f.for_ms * 1000);
                return;
            }
        auto const wait = options.sync_us + m.extra_sync_us;
        if (wait == 0) return sync(m);
        m.syncing = true;
        push(now + wait, index, what::synced, m.incarnation, 0);
    }
    void carry_out(std::uint32_t index, co::trim& e) { machines[index].trim_to = e.below; }

    void watch(std::uint32_t index, bytes_view message)
    {
        auto const& m = machines[index];
        if (!m.honest || m.kind->statement_in == nullptr) return;
        auto const s = m.kind->statement_in(message);
        if (!s) return;
        auto& all = said[{m.validator, s->group}];
        for (auto const& other : all) {
            bool const clash = other.kind == s->kind ? other.content != s->content
                                                     : m.kind->excludes != nullptr &&
                                                           m.kind->excludes(other.kind, s->kind);
            if (clash) return violate(index, "an honest node contradicts what it signed before");
            if (other.kind == s->kind) return;
        }
        all.push_back(*s);
    }

    void carry_out(std::uint32_t index, co::send& e)
    {
        watch(index, e.message);
        auto const to = who.find(e.to);
        if (to == who.end()) return;
        auto const slot = new_letter(machines[index].validator, std::move(e.message));
        for (std::uint32_t other = 0; other < machines.size(); ++other)
            if (machines[other].validator == to->second && other != index)
                post(index, other, e.on, slot);
        release(slot);
    }
    void carry_out(std::uint32_t index, co::broadcast& e)
    {
        watch(index, e.message);
        auto const slot = new_letter(machines[index].validator, std::move(e.message));
        for (std::uint32_t other = 0; other < machines.size(); ++other)
            if (other != index) post(index, other, e.on, slot);
        release(slot);
    }
    void carry_out(std::uint32_t index, co::set_timer& e)
    {
        auto& m = machines[index];
        auto const generation = ++m.timer_generation;
        m.timers.set(e.timer, generation);
        push(now + std::max<std::int64_t>(e.after_ms, 0) * 1000, index, what::timer, generation,
             e.timer);
    }
    void carry_out(std::uint32_t index, co::build& e)
    {
        auto& m = machines[index];
        if (unanswered(m, e.at.parent)) return later(index, 0, co::built{e.request, std::nullopt});
        auto payload = m.app->propose(e.at, 1u << 20);
        if (payload) {
            born.try_emplace(app::make_block_id(e.at, app::payload_digest(*payload)), now);
        }
        later(index, m.app_late_us, co::built{e.request, std::move(payload)});
    }
    void carry_out(std::uint32_t index, co::verify& e)
    {
        auto& m = machines[index];
        if (m.honest && !named(e.id, e.at, e.payload))
            return violate(index, "a block is not named by its content");
        auto const v = m.app->verify(e.at, e.id, e.payload);
        if (!v) {
            if (m.honest)
                violate(index, "the application is asked about a block before its parent");
            return;
        }
        if (unanswered(m, e.id)) return;
        if (m.app_late_us != 0 && chance.chance(1, 10)) return;  // never answers
        later(index, options.verify_us + m.app_late_us, co::judged{e.id, *v});
    }
    void carry_out(std::uint32_t index, co::load& e)
    {
        auto& m = machines[index];
        co::loaded reply{e.request, {}};
        std::size_t size = 0;
        auto const first = std::partition_point(m.log.begin(), m.log.end(), [&](auto const& d) {
            return d->what.blocks.back().at.at < e.from;
        });
        for (auto at = first; at != m.log.end() && reply.batches.size() < 16; ++at) {
            for (auto const& b : (*at)->what.blocks) size += b.payload.size() + 128;
            if (size > e.bytes_max && !reply.batches.empty()) break;
            reply.batches.push_back((*at)->what);
        }
        later(index, 0, std::move(reply));
    }
    void carry_out(std::uint32_t index, co::mine& e)
    {
        // Expected hashes are 2^256 over the target; its top 128 bits say enough.
        u128 top = 0;
        for (std::size_t i = 0; i < 16; ++i)
            top = top << 8 | std::to_integer<unsigned>(e.target[i]);
        auto const hashes = ~u128{0} / (top + (top == ~u128{0} ? 0 : 1));
        // Weights are hash power here, also that of a villain who works at two things at once.
        auto const& m = machines[index];
        std::uint64_t all = 0;
        for (std::uint32_t i = 0; i < script.validators; ++i)
            all += power_of(script.power, i, script.validators, m.decided + 1);
        u128 share = power_of(script.power, m.validator, script.validators, m.decided + 1);
        if (share == 0) return;
        share *= script.validators;
        bool const split = m.how == role::forking || m.how == role::forging || m.how == role::twins;
        auto const mean = hashes * 1'000'000u / options.hashes_per_second * all / share;
        // Only the newest wish is mined: an older one's sample is told apart by its request number.
        later(index, exponential(chance, std::max<u128>(mean * (split ? 2 : 1), 1)),
              co::mined{e.request, ideal_seal(e.header, e.target)});
    }
    void carry_out(std::uint32_t index, co::reorg&)
    {
        ++out.reorgs;
        note(index, "reorg");
    }
    void carry_out(std::uint32_t index, co::halted& e)
    {
        auto& m = machines[index];
        m.stopped = true;
        ++out.halts;
        note(index, "halted: " + std::string{e.why});
        if (m.honest && !options.finality_by_depth)
            violate(index, "an honest node halts: " + std::string{e.why});
    }
    void carry_out(std::uint32_t index, co::evidence& e)
    {
        auto const& m = machines[index];
        if (!m.honest) return;
        auto const culprit = who.find(e.culprit);
        if (culprit == who.end()) return violate(index, "evidence against nobody");
        if (!is_villain(culprit->second))
            return violate(index,
                           "evidence against honest node " + std::to_string(culprit->second));
        std::vector<claim> claims{};
        bool sound = false;
        std::set<std::uint64_t> epochs{};
        for (auto const& s : sets) {
            if (!epochs.insert(s.epoch).second) continue;
            claims.clear();
            if (m.kind->check_evidence(s, e.culprit, e.proof, claims) &&
                std::all_of(claims.begin(), claims.end(), [&](claim const& c) { return holds(c); }))
                sound = true;
        }
        if (!sound) return violate(index, "evidence that a stranger cannot check");
        accused.insert(culprit->second);
        note(index, "accuses " + std::to_string(culprit->second));
    }
    void carry_out(std::uint32_t index, co::metric& e)
    {
        if (!machines[index].honest) return;
        auto const at = out.metrics.find(e.name);
        if (at != out.metrics.end())
            at->second += e.value;
        else
            out.metrics.emplace(e.name, e.value);
    }
    void carry_out(std::uint32_t index, co::again& e)
    {
        auto const from = who.find(e.from);
        if (from == who.end()) return;
        auto const slot = new_letter(from->second, std::move(e.message));
        ++letters[slot].left;
        push(now, index, what::deliver, slot, 0);
    }

    void carry_out(std::uint32_t index, co::decide& e)
    {
        auto& m = machines[index];
        bool fresh = false;
        for (auto const& b : e.blocks) {
            auto const at = b.at.at.get();
            auto const last = m.app->last().last.get();
            if (m.honest && !agree(index, b)) return;
            if (at <= last) continue;
            if (at != last + 1 || b.at.parent != m.app->tip()) {
                if (m.honest) violate(index, "a decided block does not extend the last one");
                return;
            }
            fresh = true;
            auto const done = m.app->finalize(b.at, b.id, b.payload);
            m.app->commit();
            m.decided = at;
            if (m.honest) account(index, b, done);
            trace(fold(b.id) ^ at);
        }
        if (!fresh) return;
        auto const shared = intern(std::move(e));
        auto const& blocks = shared->what.blocks;
        if (m.honest) certify(index, *shared);
        if (m.how == role::forking && !m.log.empty() &&
            m.log.back()->what.blocks.back().at.at >= blocks.back().at.at)
            return;
        auto const known = blocks.front().at.at.get();
        auto const upto = blocks.back().at.at.get();
        if (options.keep_log)
            note(index, "decides " + std::to_string(upto) + " " + short_id(blocks.back().id));
        m.log.push_back(shared);
        for (auto h = known; h <= upto; ++h) step(index, set_at(h + 2));
    }

    bool agree(std::uint32_t index, co::decide::entry const& b)
    {
        auto const at = b.at.at.get();
        if (at == 0) {
            violate(index, "genesis decided");
            return false;
        }
        if (decided.size() < at) {
            if (decided.size() + 1 != at) {
                violate(index, "a height is skipped");
                return false;
            }
            decided.push_back({b.id, 0, {}, now});
            return true;
        }
        if (decided[at - 1].id == b.id) return true;
        violate(index, "two honest nodes decide different blocks at height " + std::to_string(at) +
                           ": " + short_id(decided[at - 1].id) + " and " + short_id(b.id));
        return false;
    }

    void account(std::uint32_t index, co::decide::entry const& b, app::finalized const& done)
    {
        auto const at = b.at.at.get();
        auto& t = decided[at - 1];
        if (!named(b.id, b.at, b.payload))
            return violate(index, "a decided block is not named by its content");
        if (!mock_app::well_formed(b.at, b.payload))
            return violate(index, "a block that is invalid is decided");
        auto const hash = fold(done.app_hash);
        if (t.app == 0)
            t.app = hash;
        else if (t.app != hash)
            return violate(index, "application hashes differ");
        t.last_decided = now;
        auto& m = machines[index];
        if (now >= script.calm_ms * 1000 && m.first_after_calm < 0) m.first_after_calm = now;
        if (options.keep_latencies)
            if (auto const birth = born.find(b.id); birth != born.end())
                out.latencies_us.push_back(now - birth->second);
    }

    /// The one copy of what was decided.
    std::shared_ptr<batch> intern(co::decide&& e)
    {
        auto const at = e.blocks.back().at.at.get();
        auto fresh = std::make_shared<batch>();
        if (at == 0 || at > decided.size()) {  // a villain ahead of everybody honest
            fresh->what = std::move(e);
            return fresh;
        }
        auto& all = decided[at - 1].batches;
        for (auto const& each : all)
            if (each->what == e) return each;
        fresh->what = std::move(e);
        if (all.size() < 8) all.push_back(fresh);
        return fresh;
    }

    void certify(std::uint32_t index, batch& all)
    {
        if (std::exchange(all.checked, true)) return;
        auto const& e = all.what;
        auto const* proof = std::get_if<bytes>(&e.why);
        if (proof == nullptr) {
            if (!options.finality_by_depth) violate(index, "a decision without a certificate");
            return;
        }
        std::vector<claim> claims{};
        auto const& b = e.blocks.back();
        if (!machines[index].kind->check(set_at(b.at.at.get()), b, *proof, claims) ||
            !std::all_of(claims.begin(), claims.end(), [&](claim const& c) { return holds(c); }))
            violate(index, "a certificate that a stranger refuses");
    }

    // ---- faults

    void begin(fault const& f)
    {
        if (f.node >= machines.size() || f.other >= machines.size()) return;
        auto& m = machines[f.node];
        switch (f.what) {
        case fault_kind::crash:
            return crash(f.node, f.for_ms * 1000);
        case fault_kind::crash_at:
        case fault_kind::crash_before:
        case fault_kind::crash_after:
            return;
        case fault_kind::partition:
            partitioned = true;
            partition = static_cast<std::uint64_t>(f.amount);
            return;
        case fault_kind::cut:
            cut[f.node][f.other] = true;
            return;
        case fault_kind::lose:
            lose = static_cast<std::uint32_t>(std::clamp<std::int64_t>(f.amount, 0, 1000));
            return;
        case fault_kind::slow:
            slow_us = f.amount * 1000;
            return;
        case fault_kind::repeat:
            repeat = static_cast<std::uint32_t>(std::clamp<std::int64_t>(f.amount, 0, 1000));
            return;
        case fault_kind::skew:
            m.skew_ms = f.amount;
            return;
        case fault_kind::slow_disk:
            m.extra_sync_us = f.amount * 1000;
            return;
        case fault_kind::deaf_app:
            m.app_late_us = f.amount * 1000;
            return;
        case fault_kind::mute_app:
            m.app_mute = f.amount;
            return;
        }
    }

    void end(fault const& f)
    {
        if (f.node >= machines.size() || f.other >= machines.size()) return;
        auto& m = machines[f.node];
        switch (f.what) {
        case fault_kind::crash:
        case fault_kind::crash_at:
        case fault_kind::crash_before:
        case fault_kind::crash_after:
            return;
        case fault_kind::partition:
            partitioned = false;
            return;
        case fault_kind::cut:
            cut[f.node][f.other] = false;
            return;
        case fault_kind::lose:
            lose = 0;
            return;
        case fault_kind::slow:
            slow_us = 0;
            return;
        case fault_kind::repeat:
            repeat = 0;
            return;
        case fault_kind::skew:
            m.skew_ms = 0;
            return;
        case fault_kind::slow_disk:
            m.extra_sync_us = 0;
            return;
        case fault_kind::deaf_app:
            m.app_late_us = 0;
            return;
        case fault_kind::mute_app:
            m.app_mute = 0;
            return;
        }
    }

    // ---- the run

    void handle(item const& i)
    {
        auto& m = machines[i.machine];
        switch (i.kind) {
        case what::deliver:
            return deliver(i.machine, i.index);
        case what::timer:
            if (!m.up) return;
            if (!m.timers.fires(i.number, i.index)) return;
            trace(i.number ^ (static_cast<std::uint64_t>(now) << 8) ^ i.machine);
            step(i.machine, co::timer_fired{i.number});
            pump(i.machine);
            if (m.up && m.honest && !m.kind->name.empty())
                out.held_max = std::max(out.held_max, m.engine->held());
            return;
        case what::local: {
            auto p = std::move(locals[i.index]);
            free_locals.push_back(i.index);
            if (!m.up || p.incarnation != m.incarnation) return;
            step(i.machine, p.in);
            return pump(i.machine);
        }
        case what::synced:
            if (!m.up || i.index != m.incarnation) return;
            sync(m);
            m.syncing = false;
            return pump(i.machine);
        case what::begin:
            return begin(script.faults[i.index]);
        case what::end:
            return end(script.faults[i.index]);
        case what::restart:
            if (!m.up && i.index == m.incarnation) {
                note(i.machine, "restarts");
                boot(i.machine);
            }
            return;
        case what::crash:
            return crash(i.machine, 1000 + static_cast<std::int64_t>(chance.below(500'000)));
        }
    }

    bool enough() const
    {
        if (options.blocks_max == 0) return false;
        return std::all_of(machines.begin(), machines.end(), [&](machine const& m) {
            return !m.honest || m.decided >= options.blocks_max;
        });
    }

    report go()
    {
        start();
        std::uint64_t since = 0;
        std::uint64_t idle = 0;
        auto const stuck_after = 100'000 * machines.size();
        while (!events.empty() && !out.violation) {
            auto const i = events.pop();
            if (i.at > script.end_ms * 1000) break;
            idle = i.at == now ? idle + 1 : 0;
            if (idle > stuck_after) violate(i.machine, "time does not pass");
            now = i.at;
            if (!calm_seen && now >= script.calm_ms * 1000) {
                calm_seen = true;
                for (auto const& m : machines)
                    if (m.honest) calm_height = std::max(calm_height, m.decided);
            }
            handle(i);
            if (++since % 1024 == 0 && enough()) break;
        }
        finish();
        return std::move(out);
    }

    void finish()
    {
        out.time_us = now;
        out.height_min = std::numeric_limits<std::uint64_t>::max();
        for (std::uint32_t i = 0; i < machines.size(); ++i) {
            auto const& m = machines[i];
            if (!m.honest) continue;
            out.height_min = std::min(out.height_min, m.decided);
            out.height_max = std::max(out.height_max, m.decided);
            out.recovered_us =
                std::max(out.recovered_us, m.first_after_calm - script.calm_ms * 1000);
            if (calm_seen && options.blocks_max == 0 && script.progress != 0 &&
                m.decided < calm_height + script.progress)
                violate(i, "no progress: height " + std::to_string(m.decided) + " at the end, " +
                               std::to_string(calm_height) + " when calm began");
        }
        if (options.keep_latencies)
            for (auto const& t : decided)
                if (auto const birth = born.find(t.id); birth != born.end())
                    out.lead_latencies_us.push_back(t.last_decided - birth->second);
        out.accused.assign(accused.begin(), accused.end());
        trace(out.messages);
    }
};

world::world(engine_kind honest, scenario const& s, world_options const& o)
    : state_{std::make_unique<state>(std::move(honest), s, o)}
{}

world::~world() = default;

void world::replace(std::uint32_t node, engine_kind with)
{
    state_->replaced.insert_or_assign(node, std::move(with));
}

report world::run() { return state_->go(); }

report run(engine_kind const& engine, scenario const& s, world_options const& o)
{
    return world{engine, s, o}.run();
}

}  // namespace blendr::sim
