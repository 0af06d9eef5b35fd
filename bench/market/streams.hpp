// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <blendr/core/random.hpp>
#include <blendr/market/order.hpp>

/// Seeded streams of operations, the same for whatever book they are given to.
namespace blendr::market::streams {

enum class kind : std::uint8_t { submit, cancel, replace };

/// `which` numbers submissions from zero; cancel and replace name one of those.
struct op {
    kind what{};
    side way{};
    std::uint32_t owner{};
    std::uint32_t which{};
    std::uint64_t limit{};
    std::uint64_t size{};
};

struct shape {
    std::size_t live = 1000;  ///< resting orders that the stream holds on average
    std::size_t operations = 2'000'000;
    std::uint64_t spread = 200;  ///< resting prices lie within so many ticks of the middle
    unsigned cancel_percent = 45;
    unsigned replace_percent = 0;
    unsigned crossing_percent = 8;  ///< of submissions: they trade
    std::size_t recent = 0;         ///< act on one of so many last orders; 0: on any
    std::uint64_t middle = 1u << 15;
    bool drifts = true;  ///< the middle wanders, so that what rests far back comes to trade
};

/// About 1000 live orders; about 100 000 over 40 000 levels; 82 % cancel or replace at the touch.
inline constexpr shape k0{};
inline constexpr shape k1{.live = 100'000, .spread = 20'000};
inline constexpr shape k2{
    .spread = 10, .cancel_percent = 9, .replace_percent = 73, .crossing_percent = 5};

struct stream {
    std::vector<op> ops{};
    std::size_t submissions{};
};

inline stream make(shape const& of, std::uint64_t seed)
{
    rng any{seed};
    stream out;
    out.ops.reserve(of.live + of.operations);
    std::vector<std::uint32_t> live;
    std::vector<std::uint32_t> owner;
    auto middle = of.middle;
    auto const price_near = [&](side way, bool crosses) {
        auto const away = 1 + any.below(of.spread);
        if (crosses) return way == side::buy ? middle + 2 : middle - 2;
        return way == side::buy ? middle - away : middle + away;
    };
    auto const pick = [&] {
        auto const reach = of.recent == 0 || live.size() < of.recent ? live.size() : of.recent;
        return live.size() - 1 - any.below(reach);
    };
    while (out.ops.size() < of.live + of.operations) {
        if (of.drifts && any.below(64) == 0) middle += any.below(3);
        if (of.drifts && any.below(64) == 0) middle -= any.below(3);
        auto const roll = any.below(100);
        bool const filling = out.ops.size() < of.live;
        if (filling || live.empty() || roll >= of.cancel_percent + of.replace_percent) {
            auto const way = any.chance(1, 2) ? side::buy : side::sell;
            bool const crosses = !filling && any.below(100) < of.crossing_percent;
            auto const who = static_cast<std::uint32_t>(any.below(500));
            auto const number = static_cast<std::uint32_t>(out.submissions++);
            out.ops.push_back(
                {kind::submit, way, who, number, price_near(way, crosses), 1 + any.below(100)});
            live.push_back(number);
            owner.push_back(who);
            continue;
        }
        auto const at = pick();
        auto const number = live[at];
        if (roll < of.cancel_percent) {
            live[at] = live.back();
            live.pop_back();
            out.ops.push_back({kind::cancel, side::buy, owner[number], number, 0, 0});
        } else {
            auto const near = middle - of.spread + any.below(2 * of.spread);
            out.ops.push_back(
                {kind::replace, side::buy, owner[number], number, near, 1 + any.below(100)});
        }
    }
    return out;
}

struct tally {
    std::uint64_t trades{0}, volume{0};
    void operator()(trade const& t) noexcept
    {
        ++trades;
        volume += t.size.get();
    }
    void operator()(removal const&) noexcept {}
};

/// Runs a stream through a book; `ids` has room for its submissions.
template <class Book>
tally play(Book& book, stream const& in, std::vector<order_id>& ids)
{
    tally seen;
    for (auto const& o : in.ops) {
        switch (o.what) {
        case kind::submit: {
            auto const out = book.submit(order{.owner = trader_id{o.owner},
                                               .way = o.way,
                                               .size = quantity{o.size},
                                               .limit = price{o.limit}},
                                         seen);
            ids[o.which] = out ? out->id : order_id{};
            break;
        }
        case kind::cancel:
            (void)book.cancel(ids[o.which], trader_id{o.owner});
            break;
        case kind::replace:
            (void)book.replace(ids[o.which], trader_id{o.owner}, price{o.limit}, quantity{o.size},
                               seen);
            break;
        }
    }
    return seen;
}

}  // namespace blendr::market::streams
