// SPDX-License-Identifier: Apache-2.0
#include <blendr/sim/byzantine.hpp>

#include <array>
#include <optional>
#include <set>
#include <utility>

#include <blendr/consensus/ballot.hpp>
#include <blendr/consensus/messages.hpp>
#include <blendr/core/random.hpp>

namespace blendr::sim {
namespace {

namespace co = consensus;

/// An engine inside another that changes what it asks for.
class decorator : public any_engine {
public:
    decorator(std::unique_ptr<any_engine> inner, identity me, std::uint64_t seed)
        : inner_{std::move(inner)},
          me_{std::move(me)},
          rng_{seed}
    {}

    void step(co::event const& in, co::clock now, effects& out) override
    {
        learn(in);
        effects asked{};
        inner_->step(in, now, asked);
        for (auto& each : asked) pass(std::move(each), out);
        also(in, out);
    }

    std::optional<bool> claims(public_key const& from, bytes_view raw,
                               std::vector<claim>& out) const override
    {
        return inner_->claims(from, raw, out);
    }

protected:
    virtual void pass(co::effect&& each, effects& out) = 0;
    virtual void also(co::event const&, effects&) {}

    void learn(co::event const& in)
    {
        auto const take = [this](co::membership const& m) {
            others_.clear();
            for (auto const& v : m.set)
                if (v.key != me_.self) others_.push_back(v.key);
            voters_ = co::electorate{m};
        };
        if (auto const* s = std::get_if<co::started>(&in))
            for (auto const& m : s->from.sets) take(m);
        else if (auto const* m = std::get_if<co::membership>(&in))
            take(*m);
    }

    /// To some of the others, by chance.
    void to_some(bytes const& message, co::lane on, effects& out, std::uint64_t part = 1,
                 std::uint64_t whole = 2)
    {
        for (auto const& other : others_)
            if (rng_.chance(part, whole)) out.emplace_back(co::send{other, on, message});
    }

    std::unique_ptr<any_engine> inner_;
    identity me_;
    rng rng_;
    std::vector<public_key> others_{};
    co::electorate voters_{};
};

class silent final : public decorator {
    using decorator::decorator;
    void pass(co::effect&& each, effects& out) override
    {
        if (!std::holds_alternative<co::send>(each) && !std::holds_alternative<co::broadcast>(each))
            out.push_back(std::move(each));
    }
};

/// Holds messages back until a timer of its own.
class delaying final : public decorator {
    using decorator::decorator;
    static constexpr std::uint64_t mine = 1u << 20;

    void pass(co::effect&& each, effects& out) override
    {
        if (!std::holds_alternative<co::send>(each) &&
            !std::holds_alternative<co::broadcast>(each)) {
            out.push_back(std::move(each));
            return;
        }
        if (kept_.size() < 256) kept_.push_back(std::move(each));
        if (!armed_)
            out.emplace_back(co::set_timer{mine, 50 + static_cast<std::int64_t>(rng_.below(900))});
        armed_ = true;
    }
    void also(co::event const& in, effects& out) override
    {
        auto const* t = std::get_if<co::timer_fired>(&in);
        if (t == nullptr || t->timer != mine) return;
        armed_ = false;
        for (auto& each : std::exchange(kept_, {})) out.push_back(std::move(each));
    }

    std::vector<co::effect> kept_{};
    bool armed_{};
};

class selective final : public decorator {
    using decorator::decorator;
    void pass(co::effect&& each, effects& out) override
    {
        if (auto const* b = std::get_if<co::broadcast>(&each))
            to_some(b->message, b->on, out);
        else
            out.push_back(std::move(each));
    }
};

class garbage final : public decorator {
    using decorator::decorator;
    void pass(co::effect&& each, effects& out) override
    {
        if (auto const* b = std::get_if<co::broadcast>(&each)) {
            auto bad = b->message;
            for (std::uint64_t i = 0; i < 1 + rng_.below(3) && !bad.empty(); ++i)
                bad[rng_.below(bad.size())] ^= static_cast<std::byte>(1u << rng_.below(8));
            if (rng_.chance(1, 4)) bad.resize(rng_.below(bad.size() + 1));
            if (rng_.chance(1, 4)) rng_.fill(bad);
            to_some(bad, b->on, out);
        }
        out.push_back(std::move(each));
    }
};

/// Two engines behind one key. Request numbers are doubled to tell them apart.
class forking final : public any_engine {
public:
    forking(engine_kind const& kind, identity const& me, std::uint64_t seed)
        : halves_{kind.make(me, seed), kind.make(me, seed + 1)},
          me_{me},
          rng_{seed}
    {}

    void step(co::event const& in, co::clock now, effects& out) override
    {
        if (auto const* s = std::get_if<co::started>(&in))
            for (auto const& m : s->from.sets) learn(m);
        if (auto const* m = std::get_if<co::membership>(&in)) learn(*m);
        for (std::size_t h = 0; h < 2; ++h) {
            auto mine = in;
            if (auto const* r = std::get_if<co::received>(&in); r != nullptr) {
                std::vector<claim> unused{};
                if (!r->signatures_checked && halves_[h]->claims(r->from, r->message, unused))
                    continue;  // only the other half could not tell
            }
            if (auto* t = std::get_if<co::timer_fired>(&mine)) {
                if (t->timer % 2 != h) continue;
                t->timer /= 2;
            } else if (auto* b = std::get_if<co::built>(&mine)) {
                if (b->request % 2 != h) continue;
                b->request /= 2;
                if (h == 1 && b->payload && b->payload->size() > 8)
                    (*b->payload)[8] ^= std::byte{0x55};  // a nonce, in the simulator's payloads
            } else if (auto* l = std::get_if<co::loaded>(&mine)) {
                if (l->request % 2 != h) continue;
                l->request /= 2;
            } else if (auto* w = std::get_if<co::mined>(&mine)) {
                if (w->request % 2 != h) continue;
                w->request /= 2;
            }
            effects asked{};
            halves_[h]->step(mine, now, asked);
            for (auto& each : asked) pass(std::move(each), h, out);
        }
    }

    std::optional<bool> claims(public_key const& from, bytes_view raw,
                               std::vector<claim>& out) const override
    {
        auto const a = halves_[0]->claims(from, raw, out);
        auto const b = halves_[1]->claims(from, raw, out);
        if (a == false || b == false) return false;
        if (!a || !b) return std::nullopt;
        return true;
    }

private:
    void learn(co::membership const& m)
    {
        others_.clear();
        for (auto const& v : m.set)
            if (v.key != me_.self) others_.push_back(v.key);
    }

    void pass(co::effect&& each, std::size_t h, effects& out)
    {
        if (auto* b = std::get_if<co::broadcast>(&each)) {
            for (std::size_t i = 0; i < others_.size(); ++i)
                if (i % 2 == h || rng_.chance(1, 8))
                    out.emplace_back(co::send{others_[i], b->on, b->message});
            return;
        }
        if (auto* t = std::get_if<co::set_timer>(&each)) t->timer = t->timer * 2 + h;
        if (auto* b = std::get_if<co::build>(&each)) b->request = b->request * 2 + h;
        if (auto* l = std::get_if<co::load>(&each)) l->request = l->request * 2 + h;
        if (auto* w = std::get_if<co::mine>(&each)) w->request = w->request * 2 + h;
        out.push_back(std::move(each));
    }

    std::array<std::unique_ptr<any_engine>, 2> halves_;
    identity me_;
    rng rng_;
    std::vector<public_key> others_{};
};

class forging final : public decorator {
public:
    forging(engine_kind const& kind, identity const& me, std::uint64_t seed)
        : decorator{kind.make(me, seed), me, seed},
          kinds_{kind.kinds}
    {}

private:
    void pass(co::effect&& each, effects& out) override
    {
        if (auto const* b = std::get_if<co::broadcast>(&each))
            if (auto const in = decode<co::wire_message>(b->message))
                if (auto const* p = std::get_if<co::proposal>(&*in); p != nullptr && p->body)
                    return split(*p, b->message, out);
        if (std::holds_alternative<co::evidence>(each)) return;
        out.push_back(std::move(each));
    }

    /// One block to half of them, another to the rest.
    void split(co::proposal const& first, bytes const& raw, effects& out)
    {
        auto second = first;
        if (second.body->payload.size() > 8) second.body->payload[8] ^= std::byte{0xaa};
        second.said.about.id = id_of(*second.body);
        second.said.by = sign(second.said.about);
        auto const other = encode(co::wire_message{second});
        for (auto const& to : others_) {
            bool const coin = rng_.chance(1, 2);
            out.emplace_back(co::send{to, co::lane::consensus, coin ? raw : other});
            if (rng_.chance(1, 6))
                out.emplace_back(co::send{to, co::lane::consensus, coin ? other : raw});
        }
        vote_for(second.said, out);
        vote_for(first.said, out);
    }

    void also(co::event const& in, effects& out) override
    {
        auto const* r = std::get_if<co::received>(&in);
        if (r == nullptr) return;
        auto const m = decode<co::wire_message>(r->message);
        if (!m) return;
        if (auto const* p = std::get_if<co::proposal>(&*m)) {
            vote_for(p->said, out);
            if (rng_.chance(1, 8)) invent(*p, out);
        }
        if (auto const* v = std::get_if<co::vote>(&*m); v != nullptr && v->leader)
            vote_for({v->said.about, *v->leader}, out);
    }

    void vote_for(co::signed_ballot const& proposed, effects& out)
    {
        if (!voters_.seat_of(me_.self) || seen_.size() > 4096) seen_.clear();
        if (!seen_.insert({proposed.about.view, proposed.about.id}).second) return;
        for (std::uint8_t kind = 1; kind < kinds_; ++kind) {
            auto b = proposed.about;
            b.kind = kind;
            if (kind == co::ballot_kind::give_up) b.prior = 0, b.id = {};
            co::vote v{{b, sign(b)}, std::nullopt};
            if (kind == co::ballot_kind::vote) v.leader = proposed.by;
            to_some(encode(co::wire_message{v}), co::lane::consensus, out, 3, 4);
        }
    }

    /// A quorum that never was, for a view to come, in everything that carries quorums: behind a
    /// proposal heard long ago or just now, told, and as the end of a block.
    void invent(co::proposal const& heard, effects& out)
    {
        if (!old_ || rng_.chance(1, 16)) old_ = heard;
        co::certificate c{heard.said.about, {}, {}};
        c.about.kind = static_cast<std::uint8_t>(1 + rng_.below(kinds_ - 1u));
        c.about.view += rng_.below(40);
        if (c.about.kind == co::ballot_kind::give_up) c.about.prior = 0, c.about.id = {};
        c.seats.resize((voters_.size() + 7) / 8);
        for (std::size_t seat = 0; seat < voters_.size(); ++seat) {
            c.seats[seat / 8] |= static_cast<std::byte>(1u << (seat % 8));
            c.signatures.push_back(sign(c.about));
        }
        auto p = rng_.chance(1, 2) ? *old_ : heard;
        p.because = {c};
        to_some(encode(co::wire_message{p}), co::lane::consensus, out);
        to_some(encode(co::wire_message{co::tell{{c}, {}}}), co::lane::bulk, out);
        if (heard.body)
            to_some(encode(co::wire_message{co::catch_up{{*heard.body}, encode(std::vector{c})}}),
                    co::lane::bulk, out);
    }

    crypto::signature sign(co::ballot const& b) const
    {
        return me_.sign(co::ballot_domain, voters_.statement(b));
    }

    std::uint8_t kinds_;
    std::set<std::pair<std::uint64_t, block_id>> seen_{};
    std::optional<co::proposal> old_{};
};

}  // namespace

std::unique_ptr<any_engine> misbehave(role how, engine_kind const& kind, identity const& me,
                                      std::uint64_t seed)
{
    auto inner = kind.make(me, seed);
    switch (how) {
    case role::silent:
        return std::make_unique<silent>(std::move(inner), me, seed);
    case role::delaying:
        return std::make_unique<delaying>(std::move(inner), me, seed);
    case role::selective:
        return std::make_unique<selective>(std::move(inner), me, seed);
    case role::garbage:
        return std::make_unique<garbage>(std::move(inner), me, seed);
    case role::forking:
        return std::make_unique<forking>(kind, me, seed);
    case role::forging:
        if (kind.kinds != 0) return std::make_unique<forging>(kind, me, seed);
        return std::make_unique<forking>(kind, me, seed);
    case role::twins:
    case role::amnesia:
        break;
    }
    return inner;
}

std::optional<statement> impl::ballot_in(bytes_view message)
{
    auto const in = decode<co::wire_message>(message);
    if (!in) return std::nullopt;
    co::ballot const* b = nullptr;
    if (auto const* p = std::get_if<co::proposal>(&*in)) b = &p->said.about;
    if (auto const* v = std::get_if<co::vote>(&*in)) b = &v->said.about;
    if (b == nullptr) return std::nullopt;
    auto content = b->id;
    for (std::size_t i = 0; i < 8; ++i)
        content[i] ^= static_cast<std::byte>(co::scramble(b->prior) >> (8 * i));
    return statement{co::scramble(b->epoch) ^ b->view, b->kind, content};
}

}  // namespace blendr::sim
