// SPDX-License-Identifier: Apache-2.0
#include <harness.hpp>

#include <string>
#include <utility>

#include <blendr/market/order_book.hpp>

#include "../../tests/market/naive_book.hpp"
#include "streams.hpp"

namespace {

using namespace blendr;
using namespace blendr::bench;
using namespace blendr::market;

constexpr book_config band{
    .lowest = price{1}, .tick = 1, .levels = 1u << 16, .orders_max = 1u << 21};

double operations(streams::stream const& s) { return static_cast<double>(s.ops.size()); }

suite const kinds{"market/book", [](run& out) {
                      options const with{.rounds = 5, .instructions = true};
                      for (auto const& [name, shape] : {std::pair{"market/book/k0", streams::k0},
                                                        std::pair{"market/book/k1", streams::k1},
                                                        std::pair{"market/book/k2", streams::k2}}) {
                          if (!out.wants(name)) continue;
                          auto const stream = streams::make(shape, 42);
                          std::vector<order_id> ids(stream.submissions);
                          out.compare(
                              name, rate("Mops/s", 1e-6 * operations(stream)),
                              [&] {
                                  auto book = *order_book::make(band);
                                  keep(streams::play(book, stream, ids));
                              },
                              [&] {
                                  testing::naive_book book{
                                      {band.lowest, band.tick, band.levels, band.orders_max}};
                                  keep(streams::play(book, stream, ids));
                              },
                              with);
                      }
                  }};

/// How the cost of an operation grows with the orders that rest: a book is filled once, then acted
/// on. Ratio: to the cost at a thousand.
suite const scale{
    "market/book/scale", [](run& out) {
        // clustered: within 50 ticks, and what came last is cancelled; drifting: the
        // same, but the middle wanders, so that old orders are bought up, more of
        // them the more there are; uniform: over 200,000 ticks, any order is cancelled
        for (std::string const kind : {"clustered", "drifting", "uniform"}) {
            bool const clustered = kind != "uniform";
            double first = 0;
            for (auto const& [label, live] :
                 {std::pair{"1k", 1'000}, std::pair{"10k", 10'000}, std::pair{"100k", 100'000},
                  std::pair{"1M", 1'000'000}}) {
                auto const name = "market/book/scale/" + kind + '/' + label;
                if (!out.wants(name)) continue;
                streams::shape shape{.live = static_cast<std::size_t>(live),
                                     .operations = 1'000'000,
                                     .spread = clustered ? 50u : 100'000u,
                                     .cancel_percent = 50,
                                     .crossing_percent = 0,
                                     .recent = clustered ? 1000u : 0u,
                                     .middle = 1u << 18,
                                     .drifts = kind == "drifting"};
                auto const stream = streams::make(shape, 7);
                auto fill = stream;
                fill.ops.resize(shape.live);
                auto rest = stream;
                rest.ops.erase(rest.ops.begin(), rest.ops.begin() + live);
                std::vector<order_id> ids(stream.submissions);
                double best = 1e9;
                for (int round = 0; round < 3; ++round) {
                    auto book = *order_book::make({.lowest = price{1},
                                                   .tick = 1,
                                                   .levels = 1u << 19,
                                                   .orders_max = 1u << 21});
                    streams::play(book, fill, ids);
                    stopwatch const time{};
                    keep(streams::play(book, rest, ids));
                    best = std::min(best, time.seconds() / operations(rest) * 1e9);
                }
                if (first == 0) first = best;
                out.report(name, best, "ns", best / first);
            }
        }
    }};

}  // namespace
