// SPDX-License-Identifier: Apache-2.0
#include <harness.hpp>

#include <cstdlib>
#include <set>
#include <utility>
#include <vector>

#include <blendr/core/random.hpp>
#include <blendr/escrow.hpp>

namespace {

using namespace blendr;
using namespace blendr::bench;
using escrow::deadlines;
using escrow::unit_id;

crypto::address someone(unsigned n)
{
    hash256 raw{};
    raw[0] = static_cast<std::byte>(n);
    return crypto::address{raw};
}

void must(bool done)
{
    if (!done) std::abort();
}

/// A job of `units` units over four providers, from its opening to the last grain. Returns how many
/// events that were.
std::size_t whole_job(std::uint32_t units)
{
    escrow::terms by{};
    by.each = price{100};
    by.bond = amount{1000};
    by.fund_within = by.start_within = 10;
    by.run_within = 1000;
    by.window = by.verdict_within = by.grace = 4;
    by.fee = 250;
    escrow::effects out;
    auto const renter = someone(1);
    auto job = escrow::job::open(renter, units, height{1}, 5, height{0}).value();
    must(job.deposit(renter, amount{100} + by.each * quantity{units}, height{0}, out).has_value());
    std::size_t events = 2;
    for (unsigned p = 0; p < 4; ++p) {
        auto const id = job.match(someone(10 + p), units / 4, by, height{1}, out).value();
        must(job.fund(id, height{1}, out).has_value());
        must(job.start(id, someone(10 + p), height{1}, out).has_value());
        events += 3;
    }
    std::uint64_t now = 1;
    for (std::uint32_t u = 0; u < units; ++u) {
        if (u % 16 == 0) must(job.tick(height{now++}, out).has_value());
        must(job.deliver(unit_id{u}, someone(10 + u / (units / 4)), height{now}, out).has_value());
        ++events;  // and one more when its window ends
    }
    while (!job.state().over) {
        must(job.tick(job.due(), out).has_value());
        ++events;
    }
    keep(out.size());
    return events + units;
}

suite const job_suite{"escrow/job", [](run& out) {
                          for (std::uint32_t const units : {64u, 4096u})
                              out.figure("escrow/job/events/" + std::to_string(units),
                                         rate("events/s", static_cast<double>(whole_job(units))),
                                         [units] { keep(whole_job(units)); });
                      }};

suite const deadline_suite{
    "escrow/deadlines", [](run& out) {
        constexpr std::uint32_t open = 1'000'000;
        constexpr std::uint64_t heights = 100'000;  // ten are due at each height
        rng random{1};
        deadlines heap;
        std::set<std::pair<height, std::uint32_t>> tree;
        for (std::uint32_t i = 0; i < open; ++i) {
            height const at{1 + random.below(heights)};
            heap.set(i, at);
            tree.emplace(at, i);
        }
        // What is done comes due again some time later, so that a million stay open.
        rng again_heap{2}, again_tree{2};
        auto heap_now = std::uint64_t{0}, tree_now = std::uint64_t{0};
        out.compare(
            "escrow/deadlines/tick/1M", us,
            [&] {
                ++heap_now;
                while (auto const which = heap.pop_due(height{heap_now}))
                    heap.set(*which, height{heap_now + 1 + again_heap.below(2 * heights)});
            },
            [&] {
                ++tree_now;
                while (tree.begin()->first <= height{tree_now}) {
                    auto const which = tree.begin()->second;
                    tree.erase(tree.begin());
                    tree.emplace(height{tree_now + 1 + again_tree.below(2 * heights)}, which);
                }
            });
    }};

}  // namespace
