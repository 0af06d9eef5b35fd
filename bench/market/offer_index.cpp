// SPDX-License-Identifier: Apache-2.0
#include <harness.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <blendr/core/random.hpp>
#include <blendr/market/offer_index.hpp>

namespace {

using namespace blendr;
using namespace blendr::bench;
using namespace blendr::market;

/// Offers as a large market might have them: 40 models of 3 vendors, 12 regions, ratings that differ.
struct crowd {
    rng any{11};
    std::vector<capability> offers{};
    std::vector<price> prices{};

    capability one()
    {
        constexpr std::array<std::uint64_t, 8> memory = {8, 12, 16, 24, 32, 48, 80, 141};
        constexpr std::array<char const*, 3> vendors = {"nvidia", "amd", "intel"};
        capability c;
        auto const model = any.below(40);
        (void)c.set(attribute::vendor, vendors[model % 3]);
        (void)c.set(attribute::model, "model-" + std::to_string(model));
        (void)c.set(attribute::region, "region-" + std::to_string(any.below(12)));
        (void)c.set(attribute::vram, memory[model % 8] << 30);
        std::vector<std::string> words;
        for (auto const* w : {"fp16", "int8", "coopmat", "rt"})
            if (any.chance(1, 2)) words.emplace_back(w);
        (void)c.set(attribute::features, std::move(words));
        (void)c.set(attribute::driver_api, *version(1, 1 + any.below(4)));
        if (any.chance(3, 4)) (void)c.set(attribute::tier, any.below(5));
        (void)c.set(attribute::fp32, 20 + model * 4 + any.below(20));
        (void)c.set(attribute::memory, 20 + any.below(200));
        (void)c.set(attribute::integer, 20 + any.below(200));
        (void)c.set(attribute::reputation, any.below(1001));
        return c;
    }
    void add(std::size_t count)
    {
        for (std::size_t i = 0; i < count; ++i) {
            offers.push_back(one());
            prices.push_back(price{100 + any.below(100'000)});
            (void)offers.back().set(attribute::price, prices.back().get());
        }
    }
    offer_index indexed(std::uint32_t count)
    {
        add(count);
        offer_index index{{.offers_max = count}};
        for (std::uint32_t i = 0; i < count; ++i)
            (void)index.put(offer_id{i}, prices[i], offers[i]);
        return index;
    }
    /// What renters ask: some of it common, most of it rare.
    std::string question(bool selective)
    {
        auto text = "vram >= " + std::to_string(8u << any.below(4)) + "_GiB && region in {region-" +
                    std::to_string(any.below(12)) + ", region-" + std::to_string(any.below(12)) +
                    "} && features has fp16 && driver_api >= 1.2";
        if (selective)
            text += " && model == model-" + std::to_string(any.below(40)) +
                    " && reputation >= " + std::to_string(700 + any.below(280)) +
                    " && tier >= 2 && memory >= " + std::to_string(120 + any.below(80));
        return text;
    }
};

/// Looks at every offer and keeps the ten cheapest.
std::size_t scan(crowd const& in, requirement const& what)
{
    std::vector<std::pair<price, std::uint32_t>> found;
    for (std::uint32_t i = 0; i < in.offers.size(); ++i)
        if (what.of(in.offers[i]) == truth::yes) found.emplace_back(in.prices[i], i);
    auto const n = std::min<std::size_t>(10, found.size());
    std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(n), found.end());
    return n;
}

/// Requests among 10,000 offers, one of which changes its reputation every eight requests. The
/// yardstick evaluates the parsed requirement for every offer with the library's own evaluator.
/// `once` requests are met for the first time; `standing` ones are asked again and again.
void among_10k(run& out, std::string const& name, bool selective)
{
    if (!out.wants(name)) return;
    crowd c;
    auto index = c.indexed(10'000);
    std::vector<requirement> asked;
    std::vector<standing_search> waiting;
    for (int i = 0; i < 64; ++i) {
        asked.push_back(*requirement::parse(c.question(selective)));
        waiting.emplace_back(index, asked.back(), 10);
    }
    std::array<offer_id, 10> found{};
    std::size_t i = 0, w = 0, s = 0;
    auto const sometimes_change = [&](std::size_t n) {
        if (n % 8 != 0) return;
        auto const at = static_cast<std::uint32_t>(c.any.below(10'000));
        (void)c.offers[at].set(attribute::reputation, c.any.below(1001));
        (void)index.put(offer_id{at}, c.prices[at], c.offers[at]);
    };
    auto const yardstick = [&] { keep(scan(c, asked[s++ % asked.size()])); };
    out.compare(
        name + "/once", rate("searches/s", 1),
        [&] {
            sometimes_change(i);
            keep(index.find(asked[i++ % asked.size()], found));
        },
        yardstick);
    out.compare(
        name + "/standing", rate("searches/s", 1),
        [&] {
            sometimes_change(w);
            keep(waiting[w++ % waiting.size()].find().size());
        },
        yardstick);
}

suite const search{"market/search", [](run& out) {
                       among_10k(out, "market/search/10k/selective", true);
                       among_10k(out, "market/search/10k/common", false);
                       if (out.wants("market/search/10k/change")) {
                           crowd c;
                           auto index = c.indexed(10'000);
                           std::uint64_t at = 0;
                           out.figure("market/search/10k/change/rating", us, [&] {
                               auto const id = static_cast<std::uint32_t>(at++ * 7919 % 10'000);
                               (void)c.offers[id].set(attribute::reputation, c.any.below(1001));
                               (void)index.put(offer_id{id}, c.prices[id], c.offers[id]);
                           });
                           out.figure("market/search/10k/change/price", us, [&] {
                               auto const id = static_cast<std::uint32_t>(at++ * 7919 % 10'000);
                               c.prices[id] = price{100 + c.any.below(100'000)};
                               (void)index.put(offer_id{id}, c.prices[id], c.offers[id]);
                           });
                       }
                       if (out.wants("market/search/1M") || out.wants("market/search/explain")) {
                           crowd c;
                           auto const index = c.indexed(1'000'000);
                           std::array<offer_id, 10> found{};
                           std::vector<double> times;
                           for (int i = 0; i < 4000; ++i) {
                               auto const what = *requirement::parse(c.question(true));
                               stopwatch const time{clock::thread_cpu};
                               keep(index.find(what, found));
                               times.push_back(time.seconds() * 1e6);
                           }
                           std::sort(times.begin(), times.end());
                           out.report("market/search/1M/p50", times[times.size() / 2], "us");
                           out.report("market/search/1M/p99", times[times.size() * 99 / 100], "us");
                           auto const hard = *requirement::parse(c.question(true));
                           out.figure("market/search/explain/1M", ms,
                                      [&] { keep(index.explain(hard)); });
                       }
                   }};

}  // namespace
