// SPDX-License-Identifier: Apache-2.0
#include <harness.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <blendr/core/random.hpp>
#include <blendr/core/task_pool.hpp>
#include <blendr/state/snapshot.hpp>
#include <blendr/state/tree.hpp>

namespace {

using namespace blendr;
using namespace blendr::bench;
using namespace blendr::state;

constexpr std::size_t leaves = std::size_t{1} << 20;

/// The yardstick: a full binary tree in one array, every update hashing its whole path, with the same
/// BLAKE2b but one hash at a time (the library's own, twice as quick as libsodium's). It knows no
/// versions, no absence and no insertion: the least that a path rehash can cost.
class path_rehash {
public:
    explicit path_rehash(std::size_t count) : count_{count}, nodes_(2 * count)
    {
        for (std::size_t i = count; i-- > 1;) join(i);
    }
    void update(std::size_t at, leaf const& row)
    {
        std::size_t i = count_ + at;
        nodes_[i] = leaf_hash(row);
        while ((i /= 2) != 0) join(i);
    }
    void prove(std::size_t at, std::vector<hash256>& out) const
    {
        out.clear();
        for (std::size_t i = count_ + at; i != 1; i /= 2) out.push_back(nodes_[i ^ 1]);
    }

private:
    void join(std::size_t i)
    {
        nodes_[i] = crypto::hash(inner_domain, nodes_[2 * i], nodes_[2 * i + 1]);
    }
    std::size_t count_;
    std::vector<hash256> nodes_;
};

std::vector<change> rows_of(std::size_t count)
{
    rng random{1};
    std::vector<change> out(count);
    for (auto& c : out) {
        random.fill(c.key);
        c.value = c.key;
    }
    return out;
}

/// A tree at rest and batches of changes of random rows, made beforehand.
struct field {
    std::vector<change> all;
    tree t{{.keep = 4}};
    std::vector<std::vector<change>> batches;
    std::vector<std::vector<std::size_t>> places;
    std::size_t next = 0;

    field(std::size_t rows, std::size_t batch) : all{rows_of(rows)}
    {
        t.decide(t.apply(t.decided(), all));
        rng random{2};
        for (int b = 0; b < 16; ++b) {
            std::vector<change> changes;
            std::vector<std::size_t> at;
            std::vector<bool> taken(rows, false);
            while (changes.size() < batch) {
                auto const i = random.below(rows);
                if (taken[i]) continue;
                taken[i] = true;
                change c = all[i];
                random.fill(*c.value);
                changes.push_back(c);
                at.push_back(i);
            }
            batches.push_back(std::move(changes));
            places.push_back(std::move(at));
        }
    }
    std::size_t step() { return next = (next + 1) % batches.size(); }
    void apply(std::size_t b, task_pool* pool)
    {
        // A value that is there already would be no change.
        for (auto& c : batches[b]) (*c.value)[0] ^= std::byte{1};
        t.decide(t.apply(t.decided(), batches[b], pool));
    }
};

void tree_batches(run& out)
{
    if (!out.wants("state/tree/batch")) return;
    path_rehash yardstick{leaves};
    for (std::size_t const batch : {std::size_t{100}, std::size_t{1000}, std::size_t{10'000}}) {
        field f{leaves, batch};
        auto const name =
            batch >= 1000 ? std::to_string(batch / 1000) + "k" : std::to_string(batch);
        auto const by_path = [&] {
            auto const b = f.next;
            for (std::size_t i = 0; i < batch; ++i)
                yardstick.update(f.places[b][i], {f.batches[b][i].key, *f.batches[b][i].value});
        };
        auto const per_batch = rate("updates/s", static_cast<double>(batch));
        out.compare(
            "state/tree/batch/" + name, per_batch, [&] { f.apply(f.step(), nullptr); }, by_path);
        if (batch != 10'000) continue;

        std::vector<hash256> path;
        out.compare(
            "state/tree/batch_and_proofs/" + name, per_batch,
            [&] {
                auto const b = f.step();
                f.apply(b, nullptr);
                for (auto const& c : f.batches[b]) keep(f.t.prove(f.t.decided(), c.key));
            },
            [&] {
                by_path();
                for (auto const at : f.places[f.next]) yardstick.prove(at, path), keep(path);
            });
        task_pool pool{2};
        out.compare("state/tree/batch/" + name + "/2core", per_batch,
                    [&] { f.apply(f.step(), &pool); }, by_path,
                    {.by = bench::clock::wall, .sample_ms = 50});
    }
}

void tree_proofs(run& out)
{
    if (!out.wants("state/tree/proof") && !out.wants("state/tree/verify") &&
        !out.wants("state/tree/prove") && !out.wants("state/tree/memory") &&
        !out.wants("state/tree/build"))
        return;
    auto const all = rows_of(1'000'000);
    {
        std::unique_ptr<tree> built;
        out.figure("state/tree/build/1M", ms,
                   [&] {
                       built = std::make_unique<tree>();
                       built->decide(built->apply(built->decided(), all));
                   },
                   {.rounds = 3});
    }
    tree t{{.keep = 1}};
    t.decide(t.apply(t.decided(), all));
    auto const v = t.decided();
    auto const root = t.root(v);
    out.report("state/tree/memory/1M", static_cast<double>(t.memory()) / 1e6, "B/row");

    rng random{3};
    std::size_t largest = 0;
    std::vector<proof> shown;
    std::vector<change> asked;
    for (std::size_t i = 0; i < 20'000; ++i) {
        change c = all[random.below(all.size())];
        if (i % 2 == 1) {
            random.fill(c.key);
            c.value.reset();
        }
        auto p = t.prove(v, c.key);
        largest = std::max(largest, encode_proof(p).size());
        if (i >= 1024) continue;
        shown.push_back(std::move(p));
        asked.push_back(c);
    }
    out.report("state/tree/proof_bytes_max/1M", static_cast<double>(largest), "B");
    std::size_t i = 0;
    out.figure("state/tree/prove/1M", us, [&] { keep(t.prove(v, asked[++i % asked.size()].key)); });
    out.figure("state/tree/verify/1M", us, [&] {
        auto const k = ++i % asked.size();
        keep(verify(root, asked[k].key, asked[k].value, shown[k]).has_value());
    });
}

suite const tree_suite{"state/tree", [](run& out) {
                           tree_batches(out);
                           tree_proofs(out);
                       }};

suite const snapshot_suite{
    "state/snapshot", [](run& out) {
        if (!out.wants("state/snapshot")) return;
        constexpr std::size_t rows = 100'000;
        rng random{4};
        std::vector<snapshot_row> raw(rows);
        std::vector<std::pair<hash256, std::size_t>> by_hash;
        std::vector<change> all;
        for (std::size_t i = 0; i < rows; ++i) {
            raw[i].key.resize(33);
            raw[i].value.resize(67);
            random.fill(raw[i].key);
            random.fill(raw[i].value);
            all.push_back({key_hash(raw[i].key), value_hash(raw[i].value)});
            by_hash.emplace_back(all.back().key, i);
        }
        std::sort(by_hash.begin(), by_hash.end());
        tree t;
        auto const v = t.apply(t.decided(), all);
        auto const bits = snapshot_bits(rows);
        auto const source = [&](leaf const& l) -> std::optional<snapshot_row> {
            auto const at =
                std::lower_bound(by_hash.begin(), by_hash.end(), std::pair{l.key, std::size_t{0}});
            return raw[at->second];
        };
        auto const one = make_chunk(t, v, bits, 1, source).value();
        auto const of_one =
            rate("rows/s", static_cast<double>(open_chunk(t.root(v), bits, 1, one)->size()));
        out.figure("state/snapshot/make_chunk", of_one,
                   [&] { keep(make_chunk(t, v, bits, 1, source)); });
        out.figure("state/snapshot/open_chunk", of_one,
                   [&] { keep(open_chunk(t.root(v), bits, 1, one)); });
    }};

}  // namespace
