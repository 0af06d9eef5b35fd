// SPDX-License-Identifier: Apache-2.0
#include <blendr/state/tree.hpp>  // first: it stands alone

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include <doctest/doctest.h>

#include <blendr/core/random.hpp>
#include <blendr/core/task_pool.hpp>

#include <support/support.hpp>

namespace {

using namespace blendr;
using namespace blendr::state;

using rows = std::map<hash256, hash256>;

/// The definition, word by word: no arena, no batch, no versions.
hash256 root_by_definition(rows::const_iterator begin, rows::const_iterator end)
{
    if (begin == end) return empty_root;
    auto const last = std::prev(end);
    if (begin == last) return leaf_hash({begin->first, begin->second});
    unsigned bit = 0;
    while (bit_at(begin->first, bit) == bit_at(last->first, bit)) ++bit;
    auto middle = begin;
    while (!bit_at(middle->first, bit)) ++middle;
    return inner_hash(bit, root_by_definition(begin, middle), root_by_definition(middle, end));
}

hash256 root_by_definition(rows const& all) { return root_by_definition(all.begin(), all.end()); }

/// Keys of which many share long beginnings, so that every branch of the code has work.
hash256 some_key(rng& random)
{
    hash256 key{};
    switch (random.below(4)) {
    case 0:
        random.fill(key);
        break;
    case 1:
        key[0] = static_cast<std::byte>(random.below(4));
        break;  // shallow
    case 2:     // far down
        key[31] = static_cast<std::byte>(random.below(64));
        break;
    default:  // long ways without a branch, over the 24 bits that a node remembers
        key[random.below(32)] = static_cast<std::byte>(1u << random.below(8));
        key[random.below(32)] = static_cast<std::byte>(1u << random.below(8));
    }
    return key;
}

hash256 some_value(rng& random)
{
    hash256 value{};
    value[0] = static_cast<std::byte>(1 + random.below(200));
    return value;
}

std::vector<change> some_changes(rng& random, rows const& now, std::size_t count)
{
    std::map<hash256, std::optional<hash256>> out;
    for (std::size_t i = 0; i < count; ++i) {
        hash256 key = some_key(random);
        if (!now.empty() && random.chance(1, 2)) {
            auto const near = now.lower_bound(key);
            key = near == now.end() ? now.begin()->first : near->first;
        }
        if (random.chance(1, 3))
            out[key] = std::nullopt;
        else
            out[key] = some_value(random);
    }
    std::vector<change> list;
    for (auto const& [key, value] : out) list.push_back({key, value});
    random.shuffle(std::span{list});
    return list;
}

void change_model(rows& to, std::vector<change> const& changes)
{
    for (auto const& c : changes) {
        if (c.value)
            to[c.key] = *c.value;
        else
            to.erase(c.key);
    }
}

void check_equal(tree const& t, tree_version at, rows const& model)
{
    REQUIRE(t.root(at) == root_by_definition(model));
    REQUIRE(t.size(at) == model.size());
    auto expected = model.begin();
    t.for_each(at, [&](leaf const& row) {
        CHECK((expected != model.end() && row.key == expected->first &&
               row.value == expected->second));
        if (expected != model.end()) ++expected;
        return true;
    });
    CHECK(expected == model.end());
}

void check_proofs(tree const& t, tree_version at, rows const& model, rng& random, int count)
{
    for (int i = 0; i < count; ++i) {
        hash256 key = some_key(random);
        if (!model.empty() && i % 2 == 0) {
            auto const near = model.lower_bound(key);
            key = near == model.end() ? model.begin()->first : near->first;
        }
        auto const found = model.find(key);
        std::optional<hash256> value;
        if (found != model.end()) value = found->second;
        CHECK(t.get(at, key) == value);
        auto const shown = t.prove(at, key);
        REQUIRE(verify(t.root(at), key, value, shown));
        auto const again = decode_proof(encode_proof(shown));
        REQUIRE(again);
        CHECK(*again == shown);
        // The same proof shows nothing else.
        hash256 other = some_value(random);
        if (value != other) CHECK_FALSE(verify(t.root(at), key, other, shown));
        if (value) CHECK_FALSE(verify(t.root(at), key, std::nullopt, shown));
    }
}

std::vector<change> random_rows(std::size_t count, std::uint64_t seed)
{
    rng random{seed};
    std::vector<change> out(count);
    for (auto& c : out) {
        random.fill(c.key);
        c.value.emplace();
        random.fill(*c.value);
    }
    return out;
}

TEST_CASE("tree: the root is what the definition says, after every batch")
{
    INFO("seed ", test::seed());
    for (std::uint64_t round = 0; round < 60; ++round) {
        rng random{test::seed() * 1000 + round};
        tree t{{.keep = 3}};
        rows model;
        for (int batch = 0; batch < 12; ++batch) {
            auto const changes = some_changes(random, model, random.below(40));
            auto const v = t.apply(t.decided(), changes);
            change_model(model, changes);
            check_equal(t, v, model);
            t.decide(v);
        }
        check_proofs(t, t.decided(), model, random, 12);
    }
}

TEST_CASE("tree: one batch, many batches, any order and any number of threads give one root")
{
    auto all = random_rows(6000, test::seed());
    tree one;
    auto const root = one.root(one.apply(one.decided(), all));

    rng random{test::seed()};
    for (unsigned threads = 1; threads <= 8; threads += threads == 1 ? 1 : 3) {
        task_pool pool{threads};
        random.shuffle(std::span{all});
        tree t;
        for (std::size_t at = 0; at < all.size();) {
            auto const count = std::min<std::size_t>(all.size() - at, 1 + random.below(2500));
            t.decide(t.apply(t.decided(), std::span{all}.subspan(at, count), &pool));
            at += count;
        }
        CHECK(t.root(t.decided()) == root);
        // Parallel changes and removals too.
        std::vector<change> gone;
        for (std::size_t i = 0; i < all.size(); i += 2) gone.push_back({all[i].key, std::nullopt});
        auto const v = t.apply(t.decided(), gone, &pool);
        CHECK(t.size(v) == all.size() / 2);
        auto const back = t.apply(v, all, &pool);
        CHECK(t.root(back) == root);
    }
}

TEST_CASE("tree: removing everything gives the empty root again and nodes are used again")
{
    auto const all = random_rows(1000, test::seed());
    std::vector<change> gone;
    for (auto const& c : all) gone.push_back({c.key, std::nullopt});
    tree t{{.keep = 1}};
    std::size_t high = 0;
    for (int i = 0; i < 20; ++i) {
        t.decide(t.apply(t.decided(), all));
        t.decide(t.apply(t.decided(), gone));
        CHECK(t.root(t.decided()) == empty_root);
        CHECK(t.size(t.decided()) == 0);
        if (i == 1) high = t.memory();
    }
    CHECK(t.memory() <= high);
}

TEST_CASE("tree: an unchanged value and an absent removal change nothing")
{
    auto const all = random_rows(500, test::seed());
    tree t;
    auto const a = t.apply(t.decided(), all);
    auto const before = t.memory();
    auto const b = t.apply(a, all);
    std::vector<change> absent;
    for (auto c : random_rows(100, test::seed() + 1)) absent.push_back({c.key, std::nullopt});
    auto const c = t.apply(b, absent);
    CHECK(t.root(c) == t.root(a));
    CHECK(t.memory() == before);
}

TEST_CASE("tree: speculative versions stand side by side, and a decision drops the siblings")
{
    rng random{test::seed()};
    INFO("seed ", test::seed());
    struct branch {
        tree_version v;
        tree_version parent;
        rows model;
    };
    tree t{{.keep = 4}};
    std::vector<branch> alive{{t.decided(), tree_version::max(), {}}};
    std::vector<branch> kept{alive[0]};
    for (int step = 0; step < 400; ++step) {
        if (alive.size() < 12 && random.chance(3, 4)) {
            auto const on = alive[random.below(alive.size())];
            auto const changes = some_changes(random, on.model, random.below(30));
            branch next{t.apply(on.v, changes), on.v, on.model};
            change_model(next.model, changes);
            alive.push_back(next);
        } else if (random.chance(1, 4) && alive.size() > 1) {  // drop one with all above it
            auto const victim = alive[1 + random.below(alive.size() - 1)].v;
            t.drop(victim);
            std::erase_if(alive, [&](branch const& b) { return !t.alive(b.v); });
            CHECK_FALSE(t.alive(victim));
        } else {
            std::vector<branch> children;
            for (auto const& b : alive)
                if (b.parent == t.decided()) children.push_back(b);
            if (children.empty()) continue;
            auto const& chosen = children[random.below(children.size())];
            t.decide(chosen.v);
            for (auto const& c : children)
                if (c.v != chosen.v) CHECK_FALSE(t.alive(c.v));
            kept.push_back(chosen);
            if (kept.size() > 4) kept.erase(kept.begin());
            std::erase_if(alive, [&](branch const& b) { return !t.alive(b.v); });
            std::erase_if(alive, [&](branch const& b) {  // only what stands on the decided one
                return b.v < t.decided();
            });
        }
        auto const& b = alive[random.below(alive.size())];
        check_equal(t, b.v, b.model);
        auto const& old = kept[random.below(kept.size())];
        check_equal(t, old.v, old.model);
        check_proofs(t, old.v, old.model, random, 2);
    }
}

TEST_CASE("tree: the last roots stay provable, older ones retire unless they are held")
{
    tree t{{.keep = 3}};
    auto const first = t.apply(t.decided(), random_rows(100, 1));
    t.decide(first);
    auto held = t.keep(first);
    REQUIRE(held);
    auto const root = t.root(first);
    for (std::uint64_t i = 2; i < 10; ++i) t.decide(t.apply(t.decided(), random_rows(100, i)));
    CHECK(t.alive(first));
    CHECK(t.root(first) == root);
    check_equal(t, first, [] {
        rows model;
        change_model(model, random_rows(100, 1));
        return model;
    }());
    held.reset();
    CHECK_FALSE(t.alive(first));
    CHECK_FALSE(t.keep(first));
    CHECK_FALSE(t.keep(t.apply(t.decided(), random_rows(1, 99))));  // not decided
}

TEST_CASE("tree: memory stays within 140 bytes a row and what the kept versions changed")
{
    constexpr std::size_t count = 100'000, run = 256;
    auto all = random_rows(count, test::seed());
    for (std::size_t const keep : {std::size_t{1}, std::size_t{5}}) {
        tree t{{.keep = keep}};
        t.decide(t.apply(t.decided(), all));
        for (std::size_t i = 0; i < 10; ++i) {
            auto const from = all.begin() + static_cast<std::ptrdiff_t>(i) * 1000;
            std::vector<change> some(from, from + 1000);
            for (auto& c : some) (*c.value)[0] ^= std::byte{1};
            t.decide(t.apply(t.decided(), some));
        }
        // An entry for the row and for each node above it, of which all but the last are shared.
        CHECK(t.memory() <= (count + run) * (64 + 76) + (keep - 1) * 1000 * 36 * 20);
    }
}

TEST_CASE("tree: working on one version and another in turn leaves all of them as they were")
{
    // Every apply moves the nodes to the version that it stands on, past others' changes and back.
    rng random{test::seed()};
    INFO("seed ", test::seed());
    tree t{{.keep = 3}};
    rows const start = [] {
        rows model;
        change_model(model, random_rows(300, 5));
        return model;
    }();
    t.decide(t.apply(t.decided(), random_rows(300, 5)));
    std::vector<std::pair<tree_version, rows>> all{{t.decided(), start}};
    for (int step = 0; step < 60; ++step) {
        auto const on = all[random.below(all.size())];
        auto const changes = some_changes(random, on.second, random.below(60));
        auto model = on.second;
        change_model(model, changes);
        all.emplace_back(t.apply(on.first, changes), std::move(model));
    }
    for (auto const& [v, model] : all) {
        check_equal(t, v, model);
        check_proofs(t, v, model, random, 5);
    }
}

TEST_CASE("tree: what stands on a version that retires goes with it")
{
    tree t{{.keep = 2}};
    auto const first = t.apply(t.decided(), random_rows(50, 1));
    t.decide(first);
    t.decide(t.apply(first, random_rows(50, 2)));
    auto const late = t.apply(first, random_rows(50, 3));  // on a decided version, not the last
    auto const later = t.apply(late, random_rows(50, 4));
    auto const root = t.root(t.decided());
    CHECK(t.alive(later));
    t.decide(t.apply(t.decided(), {}));
    CHECK_FALSE(t.alive(first));
    CHECK_FALSE(t.alive(late));
    CHECK_FALSE(t.alive(later));
    CHECK(t.root(t.decided()) == root);
    rows model;
    change_model(model, random_rows(50, 1));
    change_model(model, random_rows(50, 2));
    check_equal(t, t.decided(), model);
}

TEST_CASE("tree: readers on other threads see whole versions while new ones are made")
{
    auto all = random_rows(2000, test::seed());
    tree t{{.keep = 4}};
    t.decide(t.apply(t.decided(), all));
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> checked{0}, wrong{0};
    std::thread reader{[&] {
        rng random{7};
        while (!stop) {
            auto const held = t.keep(t.decided());
            if (!held) continue;
            auto const at = held->at();
            auto const& key = all[random.below(all.size())].key;
            auto const value = t.get(at, key);
            if (!verify(t.root(at), key, value, t.prove(at, key))) ++wrong;
            ++checked;
        }
    }};
    rng random{test::seed()};
    for (std::size_t i = 0; i < 100 || checked < 20; ++i) {
        std::vector<change> some;
        for (std::size_t k = i % 7; k < all.size(); k += 7) {
            change c{all[k].key, std::nullopt};
            if (random.chance(4, 5)) c.value = some_value(random);
            some.push_back(c);
        }
        t.decide(t.apply(t.decided(), some));
    }
    stop = true;
    reader.join();
    CHECK(wrong == 0);
    CHECK(checked > 0);
}

}  // namespace
