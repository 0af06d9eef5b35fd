// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/mempool.hpp>  // first: it stands alone

#include <algorithm>
#include <map>
#include <set>

#include <doctest/doctest.h>

#include <blendr/ledger/fees.hpp>

#include "fixtures.hpp"
#include "support/support.hpp"

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

namespace {

/// The pool never looks at signatures or bodies, so these transactions need no real ones.
struct offer {
    bytes raw{};
    candidate in{};
};

struct terms {
    std::uint64_t who = 0;
    std::uint64_t sequence = 0;
    std::uint64_t tip = 0;
    std::uint64_t fee_max = 1'000'000;
    std::uint64_t expires = 1000;
    std::size_t body = 10;
    std::uint64_t needs = 1000;
    account_state account{nonce{0}, amount{1'000'000'000}};
};

crypto::address address_no(std::uint64_t n) { return crypto::address{some_hash(0xabc000 + n)}; }

offer make(terms const& t)
{
    transaction tx = plain(nonce{t.sequence});
    tx.sender = crypto::public_key::ed25519({});
    tx.signature = crypto::signature::ed25519({});
    tx.tip = amount{t.tip};
    tx.fee_max = amount{t.fee_max};
    tx.expires = height{t.expires};
    tx.messages.front().body.resize(t.body);
    offer out{encode(tx), {}};
    auto const view = decode_transaction(out.raw);
    REQUIRE(view);
    out.in.tx = *view;
    out.in.id =
        crypto::hash(transaction_domain, encode(std::pair{t.who, to_bytes(view->signed_part)}));
    out.in.sender = address_no(t.who);
    out.in.needs = gas{t.needs};
    out.in.account = t.account;
    return out;
}

std::optional<reject> add(mempool& pool, terms const& t)
{
    auto const o = make(t);
    auto const done = pool.add(o.in);
    return done ? std::nullopt : std::optional{done.error()};
}

mempool_limits small(std::size_t bytes_max)
{
    mempool_limits out{};
    out.bytes_max = bytes_max;
    return out;
}

void start(mempool& pool, std::uint64_t next = 1, std::uint64_t base_fee = 1)
{
    pool.after_block(height{next}, gas_price{base_fee}, [](auto, auto) {});
}

std::vector<hash256> ids_of(picked const& p) { return p.ids; }

constexpr std::size_t no_bound = 1 << 30;

}  // namespace

TEST_CASE("mempool: transactions leave by tip for gas, a sender's own by nonce")
{
    mempool pool{};
    start(pool);
    auto const a0 = make({.who = 1, .sequence = 0, .tip = 10});
    auto const a1 = make({.who = 1, .sequence = 1, .tip = 900});
    auto const b0 = make({.who = 2, .sequence = 0, .tip = 50});
    auto const c0 = make({.who = 3, .sequence = 0, .tip = 100, .needs = 10'000});
    auto const d0 = make({.who = 4, .sequence = 0, .tip = 50});
    for (auto const* each : {&a1, &a0, &b0, &c0, &d0}) CHECK(pool.add(each->in).has_value());
    auto const p = pool.pick(height{1}, gas_price{1}, no_bound, gas{1'000'000});
    CHECK(ids_of(p) == std::vector{b0.in.id, d0.in.id, a0.in.id, a1.in.id, c0.in.id});
    CHECK(p.needs == gas{14'000});
    CHECK(p.tips == amount{1110});
    CHECK(equal(p.transactions[3], a1.raw));
    CHECK(p.senders[3] == address_no(1));
    CHECK(p.sequences[3] == nonce{1});
    CHECK(p.needs_each[4] == gas{10'000});
    CHECK(pool.size() == 5);  // picking takes nothing out
}

TEST_CASE("mempool: a block's bytes and gas bound what is picked, and smaller ones still fit")
{
    mempool pool{};
    start(pool);
    auto const big = make({.who = 1, .tip = 900, .body = 4000, .needs = 500});
    auto const hungry = make({.who = 2, .tip = 800, .needs = 5000});
    auto const fits = make({.who = 3, .tip = 1, .needs = 900});
    for (auto const* each : {&big, &hungry, &fits}) CHECK(pool.add(each->in).has_value());
    CHECK(ids_of(pool.pick(height{1}, gas_price{1}, 1000, gas{1000})) == std::vector{fits.in.id});
    CHECK(ids_of(pool.pick(height{1}, gas_price{1}, 100, gas{1000})).empty());
    CHECK(ids_of(pool.pick(height{1}, gas_price{1}, no_bound, gas{5500})) ==
          std::vector{big.in.id, hungry.in.id});
}

TEST_CASE("mempool: nothing is picked above its maximum fee, past its expiry or behind a gap")
{
    mempool pool{};
    start(pool);
    auto const cheap = make({.who = 1, .tip = 9, .fee_max = 2009});
    auto const soon = make({.who = 2, .tip = 8, .expires = 5});
    auto const gap = make({.who = 3, .sequence = 1, .tip = 7});
    for (auto const* each : {&cheap, &soon, &gap}) CHECK(pool.add(each->in).has_value());
    auto const at = [&](std::uint64_t h, std::uint64_t base) {
        return ids_of(pool.pick(height{h}, gas_price{base}, no_bound, gas{1'000'000}));
    };
    CHECK(at(1, 2) == std::vector{cheap.in.id, soon.in.id});
    CHECK(at(1, 3) == std::vector{soon.in.id});
    CHECK(at(5, 3) == std::vector{soon.in.id});
    CHECK(at(6, 3).empty());
    CHECK(add(pool, {.who = 3, .sequence = 0, .tip = 1}) == std::nullopt);
    CHECK(at(6, 1).size() == 3);
}

TEST_CASE("mempool: each refusal has its own code and changes nothing")
{
    mempool pool{{.bytes_max = std::size_t{1} << 20, .per_sender_max = 3}};
    start(pool, 100, 2);
    terms const good{.who = 1,
                     .sequence = 5,
                     .tip = 100,
                     .expires = 200,
                     .account = {nonce{5}, amount{5'000'000}}};
    CHECK(add(pool, good) == std::nullopt);
    auto const refused = [&](auto change) {
        auto t = good;
        t.who = 2;
        change(t);
        auto const size = pool.size();
        auto const held = pool.bytes_held();
        auto const why = add(pool, t);
        CHECK(pool.size() == size);
        CHECK(pool.bytes_held() == held);
        CHECK(pool.consistent());
        return why;
    };
    CHECK(refused([](auto& t) { t.who = 1; }) == reject::duplicate);
    CHECK(refused([](auto& t) { t.expires = 99; }) == reject::expired);
    CHECK(refused([](auto& t) { t.expires = 100 + 86'401; }) == reject::expiry_too_far);
    CHECK(refused([](auto& t) { t.sequence = 4; }) == reject::stale_nonce);
    CHECK(refused([](auto& t) { t.sequence = 5 + 64; }) == reject::nonce_too_far);
    CHECK(refused([](auto& t) { t.fee_max = 2099; }) == reject::fee_below_base);
    CHECK(refused([](auto& t) { t.account.balance = amount{999'999}; }) == reject::underfunded);
    CHECK(refused([](auto& t) { t.who = 1, t.tip = 109; }) == reject::underpriced_replacement);
    CHECK(refused([](auto& t) { t.who = 1, t.tip = 110; }) == reject::underpriced_replacement);
    CHECK(refused([](auto& t) { t.who = 1, t.tip = 109, t.fee_max = 1'100'000; }) ==
          reject::underpriced_replacement);
    CHECK(refused([](auto& t) { t.body = 60'000, t.who = 3, t.account.balance = amount{}; }) ==
          reject::underfunded);
    // together the queue would cost more than there is
    CHECK(refused([](auto& t) { t.who = 1, t.sequence = 6, t.fee_max = 4'000'001; }) ==
          reject::underfunded);
    CHECK(add(pool, {.who = 1, .sequence = 6, .tip = 1, .expires = 200}) == std::nullopt);
    CHECK(add(pool, {.who = 1, .sequence = 7, .tip = 1, .expires = 200}) == std::nullopt);
    CHECK(refused([](auto& t) { t.who = 1, t.sequence = 8, t.tip = 500; }) == reject::sender_full);
    // a replacement is no new one
    CHECK(add(pool, {.who = 1, .sequence = 7, .tip = 2, .fee_max = 1'100'000, .expires = 200}) ==
          std::nullopt);
    CHECK(pool.size() == 3);
}

TEST_CASE("mempool: a full pool refuses equals, and the better evicts the worst from queue ends")
{
    auto const one = make({.who = 1, .tip = 10});
    mempool probe{};
    start(probe);
    REQUIRE(probe.add(one.in).has_value());
    mempool pool{small(probe.bytes_held() * 10)};
    start(pool);
    for (std::uint64_t n = 0; n < 10; ++n)
        CHECK(add(pool, {.who = n, .tip = 10 + n}) == std::nullopt);
    CHECK(add(pool, {.who = 90, .tip = 10}) == reject::pool_full);
    CHECK(add(pool, {.who = 90, .sequence = 1, .tip = 1000}) == reject::pool_full);  // behind a gap
    CHECK(add(pool, {.who = 90, .tip = 11}) == std::nullopt);
    CHECK_FALSE(pool.contains(make({.who = 0, .tip = 10}).in.id));
    CHECK(pool.size() == 10);
    CHECK(pool.consistent());
    // a great tip behind a poor one is worth no more than the poor one
    mempool queues{small(probe.bytes_held() * 10)};
    start(queues);
    CHECK(add(queues, {.who = 1, .sequence = 0, .tip = 1}) == std::nullopt);
    for (std::uint64_t n = 1; n < 9; ++n)
        CHECK(add(queues, {.who = 1, .sequence = n, .tip = 1'000}) == std::nullopt);
    std::size_t fresh = 0;
    while (add(queues, {.who = 100 + fresh, .tip = 2}) == std::nullopt) ++fresh;
    CHECK(fresh > 8);
    CHECK(queues.size() == fresh);
    CHECK(queues.consistent());
}

TEST_CASE("mempool: what pays less than the base fee is worth nothing, whatever its tip")
{
    mempool pool{small(100'000)};
    start(pool, 1, 1);
    std::uint64_t n = 0;  // high tips, but the maximum fee covers today's base fee only
    while (add(pool, {.who = n, .tip = 500, .fee_max = 1500}) == std::nullopt) ++n;
    CHECK(add(pool, {.who = 9999, .tip = 1}) == reject::pool_full);
    pool.after_block(height{2}, gas_price{2}, [](auto, auto accounts) {
        for (auto& each : accounts) each = {nonce{0}, amount{1'000'000'000}};
    });
    CHECK(pool.size() == n);
    CHECK(add(pool, {.who = 9998, .tip = 500, .fee_max = 1500}) == reject::fee_below_base);
    CHECK(add(pool, {.who = 9999, .tip = 1}) == std::nullopt);
    CHECK(pool.consistent());
}

TEST_CASE("mempool: an equal is never evicted, not even behind something worse")
{
    mempool probe{};
    start(probe);
    REQUIRE(add(probe, {.who = 1, .tip = 10}) == std::nullopt);
    auto const one = probe.bytes_held();
    mempool pool{small(one * 3)};
    start(pool);
    REQUIRE(add(pool, {.who = 1, .sequence = 0, .tip = 10}) == std::nullopt);
    REQUIRE(add(pool, {.who = 1, .sequence = 1, .tip = 1}) == std::nullopt);
    CHECK(add(pool, {.who = 2, .tip = 10, .body = one * 2}) == reject::pool_full);
    CHECK(pool.size() == 2);
    CHECK(add(pool, {.who = 2, .tip = 11, .body = one * 2}) == std::nullopt);
    CHECK(pool.size() == 1);
    CHECK(pool.consistent());
}

TEST_CASE(
    "mempool: of a sender that waits, the pool believes the last block and not a late candidate")
{
    mempool pool{};
    start(pool);
    REQUIRE(add(pool, {.who = 1, .sequence = 4, .account = {nonce{4}, amount{2'000'000}}}) ==
            std::nullopt);
    CHECK(add(pool, {.who = 1, .sequence = 3, .account = {nonce{3}, amount{9'000'000}}}) ==
          reject::stale_nonce);
    CHECK(add(pool, {.who = 1,
                     .sequence = 5,
                     .fee_max = 1'500'000,
                     .account = {nonce{3}, amount{9'000'000}}}) == reject::underfunded);
    CHECK(add(pool, {.who = 1, .sequence = 5, .account = {nonce{3}, amount{}}}) == std::nullopt);
    CHECK(pool.consistent());
}

TEST_CASE("mempool: after a block what was used, expired or lost its money goes")
{
    mempool pool{};
    start(pool);
    for (std::uint64_t n = 0; n < 4; ++n)
        CHECK(add(pool, {.who = 1, .sequence = n, .tip = n}) == std::nullopt);
    CHECK(add(pool, {.who = 2, .tip = 1, .expires = 1}) == std::nullopt);
    CHECK(add(pool, {.who = 3, .tip = 1}) == std::nullopt);
    CHECK(add(pool, {.who = 4, .tip = 1}) == std::nullopt);
    auto const gone = pool.after_block(height{2}, gas_price{1}, [](auto who, auto accounts) {
        for (std::size_t i = 0; i < who.size(); ++i) {
            accounts[i] = {nonce{0}, amount{1'000'000'000}};
            if (who[i] == address_no(1)) accounts[i] = {nonce{2}, amount{1'500'000}};
            if (who[i] == address_no(3)) accounts[i].balance = amount{999'999};
        }
    });
    CHECK(gone == 5);
    CHECK(pool.contains(make({.who = 1, .sequence = 2, .tip = 2}).in.id));
    CHECK(pool.contains(make({.who = 4, .tip = 1}).in.id));
    CHECK(pool.size() == 2);
    CHECK(pool.consistent());
}

TEST_CASE("mempool: replacing again and again costs ten per cent each time and holds one place")
{
    mempool pool{};
    start(pool);
    terms t{.who = 1, .tip = 1, .fee_max = 10'000};
    t.account.balance = amount{1'000'000'000'000};
    CHECK(add(pool, t) == std::nullopt);
    auto const held = pool.bytes_held();
    std::size_t replaced = 0;
    for (int round = 0; round < 100'000; ++round) {
        auto const tip = t.tip, fee = t.fee_max;
        t.tip += 1 + t.tip * static_cast<std::uint64_t>(round % 12) / 100;
        t.fee_max += 1 + t.fee_max * static_cast<std::uint64_t>(round % 12) / 100;
        if (add(pool, t) == std::nullopt) {
            ++replaced;
        } else {
            t.tip = tip;
            t.fee_max = fee;
        }
    }
    CHECK(replaced < 300);  // bounded by the balance: ln(10^8) / ln(1.1) < 200
    CHECK(pool.size() == 1);
    CHECK(pool.bytes_held() == held);
}

TEST_CASE("mempool: floods stay within the bounds and do not push out who pays more")
{
    mempool pool{small(400'000)};
    start(pool);
    std::vector<hash256> honest{};
    for (std::uint64_t n = 0; n < 100; ++n) {
        auto const o = make({.who = n, .tip = 1000 + n});
        REQUIRE(pool.add(o.in).has_value());
        honest.push_back(o.in.id);
    }
    rng random{3};
    for (std::uint64_t n = 0; n < 20'000; ++n) {
        terms t{.who = 1000 + random.below(5000),
                .sequence = random.below(70),
                .tip = random.below(900),
                .body = random.below(600)};
        static_cast<void>(add(pool, t));
    }
    CHECK(pool.bytes_held() <= 400'000);
    CHECK(pool.consistent());
    for (auto const& id : honest) CHECK(pool.contains(id));
    auto const p = pool.pick(height{1}, gas_price{1}, no_bound, gas{100'000});
    CHECK(p.ids.size() == 100);
    CHECK(std::all_of(p.ids.begin(), p.ids.end(), [&](hash256 const& id) {
        return std::find(honest.begin(), honest.end(), id) != honest.end();
    }));
}

namespace {

/// What the pool should do, said as plainly as possible over a list.
class model {
public:
    struct held {
        terms t{};
        hash256 id{};
        std::size_t raw = 0;
        std::uint64_t arrival = 0;
    };
    using queue = std::map<std::uint64_t, held>;

    std::map<std::uint64_t, queue> queues{};
    std::map<std::uint64_t, account_state> accounts{};
    mempool_limits limits{};
    std::uint64_t next_block = 1, base_fee = 1, arrivals = 0;

    bool pays(terms const& t, std::uint64_t base) const
    {
        return t.needs * base + t.tip <= t.fee_max;
    }

    /// 0 for nothing, else one more than the rank.
    std::vector<std::pair<hash256, std::uint64_t>> worths(std::uint64_t who) const
    {
        std::vector<std::pair<hash256, std::uint64_t>> out{};
        auto const found = queues.find(who);
        if (found == queues.end()) return out;
        auto expected = accounts.at(who).next.get();
        std::uint64_t least = ~std::uint64_t{0};
        for (auto const& [sequence, h] : found->second) {
            if (sequence != expected || !pays(h.t, base_fee)) least = 0;
            least = std::min(least, fee_rank(amount{h.t.tip}, gas{h.t.needs}) + 1);
            out.emplace_back(h.id, least);
            expected = sequence + 1;
        }
        return out;
    }

    std::uint64_t worth_if_added(terms const& t) const
    {
        auto copy = *this;
        auto& q = copy.queues[t.who];
        held h{t, {}, 0, 0};
        q[t.sequence] = h;
        if (!copy.accounts.contains(t.who)) copy.accounts[t.who] = t.account;
        std::uint64_t out = 0;
        auto const all = copy.worths(t.who);
        std::size_t at = 0;
        for (auto const& [sequence, each] : q) {
            if (sequence == t.sequence) out = all[at].second;
            ++at;
        }
        return out;
    }

    /// Everything but whether there is room.
    std::optional<reject> judge(offer const& o, terms const& t) const
    {
        auto const found = queues.find(t.who);
        auto const account = found == queues.end() ? t.account : accounts.at(t.who);
        if (found != queues.end())
            for (auto const& [sequence, h] : found->second)
                if (h.id == o.in.id) return reject::duplicate;
        if (t.expires < next_block) return reject::expired;
        if (t.expires - next_block > limits.expires_ahead_max) return reject::expiry_too_far;
        if (t.sequence < account.next.get()) return reject::stale_nonce;
        if (t.sequence >= account.next.get() + limits.nonces_ahead_max)
            return reject::nonce_too_far;
        if (!pays(t, base_fee)) return reject::fee_below_base;
        std::uint64_t reserved = t.fee_max;
        if (found != queues.end()) {
            bool const replaces = found->second.contains(t.sequence);
            if (!replaces && found->second.size() >= limits.per_sender_max)
                return reject::sender_full;
            for (auto const& [sequence, h] : found->second)
                if (sequence != t.sequence) reserved += h.t.fee_max;
            if (replaces) {
                auto const& old = found->second.at(t.sequence).t;
                auto const enough = [](std::uint64_t now, std::uint64_t before) {
                    return now > before && now * 10 >= before * 11;
                };
                if (!enough(t.tip, old.tip) || !enough(t.fee_max, old.fee_max))
                    return reject::underpriced_replacement;
            }
        }
        if (amount{reserved} > account.balance) return reject::underfunded;
        return std::nullopt;
    }

    void insert(offer const& o, terms const& t)
    {
        if (!queues.contains(t.who)) accounts[t.who] = t.account;
        queues[t.who][t.sequence] = {t, o.in.id, o.raw.size(), arrivals++};
    }

    std::vector<hash256> pick(std::uint64_t at, std::uint64_t base, std::uint64_t gas_max) const
    {
        auto next = accounts;
        std::vector<hash256> out{};
        std::uint64_t used = 0;
        std::set<std::uint64_t> closed{};
        for (;;) {
            held const* best = nullptr;
            for (auto const& [who, q] : queues) {
                auto const found = q.find(next.at(who).next.get());
                if (found == q.end() || closed.contains(who)) continue;
                auto const& h = found->second;
                if (!pays(h.t, base) || h.t.expires < at) continue;
                auto const rank = [](held const& x) {
                    return fee_rank(amount{x.t.tip}, gas{x.t.needs});
                };
                if (best == nullptr || rank(h) > rank(*best) ||
                    (rank(h) == rank(*best) && h.arrival < best->arrival))
                    best = &h;
            }
            if (best == nullptr) return out;
            if (used + best->t.needs > gas_max) {
                closed.insert(best->t.who);
                continue;
            }
            used += best->t.needs;
            out.push_back(best->id);
            next[best->t.who].next = nonce{best->t.sequence + 1};
        }
    }
};

}  // namespace

TEST_CASE("mempool: it does what a plain list would" * doctest::test_suite("property"))
{
    auto const first_seed = blendr::test::seed();
    std::map<std::string_view, int> outcomes{};
    int evictions = 0;
    for (std::uint64_t seed = first_seed; seed < first_seed + 12; ++seed) {
        INFO("seed " << seed);
        rng random{seed};
        model m{};
        m.limits.bytes_max = random.between(3'000, 40'000);
        m.limits.per_sender_max = random.between(2, 12);
        m.limits.nonces_ahead_max = 14;
        m.limits.expires_ahead_max = 60;
        m.limits.salt = random();
        mempool pool{m.limits};
        start(pool);
        std::map<std::uint64_t, account_state> chain{};
        for (std::uint64_t who = 0; who < 12; ++who)
            chain[who] = {nonce{random.below(3)}, amount{random.below(60'000)}};

        for (int step = 0; step < 600; ++step) {
            if (random.chance(1, 25)) {  // a block
                auto const picked_ids = ids_of(
                    pool.pick(height{m.next_block}, gas_price{m.base_fee}, no_bound, gas{9'000}));
                CHECK(picked_ids == m.pick(m.next_block, m.base_fee, 9'000));
                for (auto const& [who, q] : m.queues)
                    for (auto const& [sequence, h] : q)
                        if (std::find(picked_ids.begin(), picked_ids.end(), h.id) !=
                            picked_ids.end())
                            chain[who].next = nonce{sequence + 1};
                for (auto& [who, account] : chain)
                    if (random.chance(1, 3)) account.balance = amount{random.below(60'000)};
                m.next_block += random.between(1, 8);
                m.base_fee = random.between(1, 4);
                pool.after_block(height{m.next_block}, gas_price{m.base_fee},
                                 [&](auto who, auto accounts) {
                                     for (std::size_t i = 0; i < who.size(); ++i)
                                         for (auto const& [n, account] : chain)
                                             if (address_no(n) == who[i]) accounts[i] = account;
                                 });
                for (auto& [who, q] : m.queues) {
                    m.accounts[who] = chain[who];
                    std::uint64_t kept = 0;
                    for (auto it = q.begin(); it != q.end();) {
                        auto const& t = it->second.t;
                        bool const keep = t.sequence >= chain[who].next.get() &&
                                          t.expires >= m.next_block &&
                                          amount{kept + t.fee_max} <= chain[who].balance;
                        if (keep) kept += t.fee_max;
                        it = keep ? std::next(it) : q.erase(it);
                    }
                }
                std::erase_if(m.queues, [](auto const& each) { return each.second.empty(); });
            } else {
                terms t{};
                t.who = random.below(12);
                t.account = chain[t.who];
                t.sequence = t.account.next.get() + random.below(16);
                if (random.chance(1, 8) && t.sequence > 0) --t.sequence;
                if (random.chance(1, 2)) t.sequence = t.account.next.get() + random.below(3);
                t.tip = random.below(40) * random.below(40);
                t.needs = random.between(1, 5) * 300;
                t.fee_max = t.tip + t.needs * random.between(1, 5);
                t.expires = m.next_block + random.below(70);
                if (random.chance(1, 20)) t.expires = random.below(m.next_block);
                t.body = random.below(300);
                auto const o = make(t);
                auto const expected = m.judge(o, t);
                auto const worth = m.worth_if_added(t);
                auto const done = pool.add(o.in);
                if (!done) outcomes[text_of(done.error()).name]++;
                if (expected) {
                    REQUIRE_FALSE(done.has_value());
                    CHECK(message(done.error()) == message(*expected));
                } else if (!done) {
                    // full, and all that is worth less, of others, would not make room
                    REQUIRE(done.error() == reject::pool_full);
                    std::size_t freeable = 0;
                    for (auto const& [who, q] : m.queues) {
                        if (who == t.who) continue;
                        auto const all = m.worths(who);
                        bool whole = true;
                        std::size_t at = 0;
                        for (auto const& [sequence, h] : q) {
                            if (all[at++].second < worth)
                                freeable += h.raw + 232;  // less than it counts for
                            else
                                whole = false;
                        }
                        if (whole) freeable += 100;
                    }
                    CHECK(pool.bytes_held() + o.raw.size() + 1000 > m.limits.bytes_max + freeable);
                } else {
                    // what went was worth less, was the end of its queue, and nothing worse is left
                    std::uint64_t best_gone = 0;
                    std::map<std::uint64_t, std::size_t> gone{};
                    for (auto const& [who, q] : m.queues) {
                        auto const all = m.worths(who);
                        bool ended = false;
                        for (auto const& [id, its] : all) {
                            bool const replaced =
                                who == t.who && q.contains(t.sequence) && q.at(t.sequence).id == id;
                            if (replaced) continue;
                            bool const here = pool.contains(id);
                            CHECK_FALSE((here && ended));
                            if (here) continue;
                            ended = true;
                            ++gone[who];
                            ++evictions;
                            CHECK(who != t.who);
                            CHECK(its < worth);
                            best_gone = std::max(best_gone, its);
                        }
                    }
                    for (auto const& [who, count] : gone) {
                        auto& q = m.queues[who];
                        for (std::size_t i = 0; i < count; ++i) q.erase(std::prev(q.end()));
                        if (q.empty()) m.queues.erase(who);
                    }
                    if (!gone.empty())
                        for (auto const& [who, q] : m.queues)
                            if (who != t.who) CHECK(m.worths(who).back().second >= best_gone);
                    m.insert(o, t);
                }
            }
            std::size_t count = 0;
            for (auto const& [who, q] : m.queues)
                for (auto const& [sequence, h] : q) {
                    CHECK(pool.contains(h.id));
                    ++count;
                }
            CHECK(pool.size() == count);
            CHECK(pool.senders() == m.queues.size());
            CHECK(pool.consistent());
        }
    }
    // the walk went everywhere
    for (auto const* name :
         {"expired", "expiry_too_far", "stale_nonce", "nonce_too_far", "fee_below_base",
          "underfunded", "sender_full", "underpriced_replacement", "pool_full"})
        CHECK_MESSAGE(outcomes[name] > 5, name);
    CHECK(evictions > 50);
}
