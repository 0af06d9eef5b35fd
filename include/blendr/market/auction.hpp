// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include <blendr/core/assert.hpp>
#include <blendr/market/impl/price_order.hpp>
#include <blendr/market/order.hpp>

namespace blendr::market {

/// A bid or an ask in a batch. Sizes are at most order_size_max and limits above zero.
struct batch_order {
    order_id id{};  ///< breaks ties: the lower id goes first
    trader_id owner{};
    price limit{};
    quantity size{};
    /// Asks: their place in line where it is not the limit's, lower first. All of a batch or none.
    std::uint64_t rank{};
};

/// A bid that not every ask will do for.
struct selective_bid {
    batch_order what{};
    bool all_or_none{};  ///< a gang: the whole size, over as many asks as it takes, or nothing
    quantity per_provider_max{};  ///< at most so much from one owner of asks; zero is no cap
};

/// One meeting of a bid and an ask, both named by their place in the input.
struct batch_fill {
    std::uint32_t bid{};
    std::uint32_t ask{};
    price at{};
    quantity size{};
    bool selective{};  ///< `bid` is a place among the selective bids
    friend bool operator==(batch_fill const&, batch_fill const&) = default;
};

/// The one price at which the plain orders of a batch traded; volume zero when none did.
struct clearing {
    price at{};
    quantity volume{};
    friend bool operator==(clearing const&, clearing const&) = default;
};

template <class S>
concept batch_sink = std::is_nothrow_invocable_v<S&, batch_fill const&>;
template <class E>
concept eligibility = std::is_invocable_r_v<bool, E&, std::uint32_t /*bid*/, std::uint32_t /*ask*/>;

/// A batch auction: all orders of a block at once, so that nobody gains by being first inside it.
///
/// Plain orders trade at one price. It is chosen by, in this order:
///  1. the largest volume;
///  2. among those prices, the least imbalance between what is bid and what is asked;
///  3. among those, the one nearest to the reference price; without a reference the middle, rounded
///     down.
/// The side with more on offer is served from its best price on. At the price where it runs out,
/// every order gets its share in proportion to its size, rounded down; the units left over go one
/// each to the lowest ids.
///
/// Selective bids come afterwards, highest limit first, then lowest id. Each takes what is left of
/// the asks that are eligible for it, cheapest first, then lowest id, each at the ask's own limit,
/// never its own owner's, within its cap per provider. A gang that ends short gives everything back
/// and the next bid finds it there. The rule is greedy: it takes the cheapest asks even where a
/// dearer choice would have left room for another gang. It does find a gang's size whenever asks
/// within its limit, its cap and the bounds below hold it.
///
/// Where asks are ranked, rank stands for the limit in who is served first: among the asks that
/// would sell at the one price, and for selective bids. Neither price nor volume nor what anybody is
/// paid depends on it.
///
/// The object is a workspace: reused, it allocates nothing. Same input, same fills, everywhere.
class auction {
public:
    static constexpr std::size_t orders_max = std::size_t{1} << 22;
    /// Bounds the work for one selective bid: asks that it may look at, and that it may take from;
    /// and what all of them may look at together, after which the rest get nothing.
    struct bounds {
        std::uint32_t looks_max = 4096;
        std::uint32_t parts_max = 256;
        std::uint64_t together_max = ~std::uint64_t{0};
    };

    /// Clears the plain orders. `reference` may be zero for none.
    template <batch_sink Sink>
    clearing run(std::span<batch_order const> bids, std::span<batch_order const> asks,
                 price reference, Sink&& fills);

    /// Serves selective bids from what the last run left of its asks. False when `together_max` left
    /// some unserved.
    template <eligibility Eligible, batch_sink Sink>
    bool serve(std::span<selective_bid const> bids, Eligible&& eligible, bounds limits,
               Sink&& fills);

    /// After run: how much of a bid was bought; after run or serve: how much of an ask is left.
    quantity bought(std::uint32_t bid) const noexcept { return quantity{bid_fill_[bid]}; }
    quantity left(std::uint32_t ask) const noexcept { return quantity{ask_left_[ask]}; }

private:
    using ranked = impl::ranked_price;

    static clearing choose_price(std::span<ranked const> bids, std::span<ranked const> asks,
                                 price reference) noexcept;
    void rank_asks(std::span<batch_order const> asks);
    static void ration(std::span<ranked const> best_first, std::uint64_t volume,
                       std::vector<std::uint64_t>& filled);

    impl::price_sorter sorter_{};
    std::vector<ranked> bids_{}, asks_{};                              // best first
    std::vector<std::uint64_t> bid_fill_{}, ask_fill_{}, ask_left_{};  // by place in the input
    std::vector<std::uint32_t> ask_owner_{};
    std::vector<std::uint64_t> least_{};  // ranked: the lowest limit from each place in line on
    std::vector<ranked> willing_{};
    std::vector<ranked> selective_{};
    struct part {
        std::uint32_t ask;
        std::uint64_t size, limit;
    };
    std::vector<part> parts_{};
};

template <batch_sink Sink>
clearing auction::run(std::span<batch_order const> bids, std::span<batch_order const> asks,
                      price reference, Sink&& fills)
{
    BLENDR_ASSERT(bids.size() <= orders_max && asks.size() <= orders_max);
    sorter_.sort(bids, impl::high_first, bids_);
    sorter_.sort(asks, impl::low_first, asks_);
    bid_fill_.assign(bids.size(), 0);
    ask_fill_.assign(asks.size(), 0);
    ask_left_.resize(asks.size());
    ask_owner_.resize(asks.size());
    for (std::size_t i = 0; i < asks.size(); ++i) {
        ask_left_[i] = asks[i].size.get();
        ask_owner_[i] = asks[i].owner.get();
    }
    auto const out = choose_price(bids_, asks_, reference);
    rank_asks(asks);
    if (out.volume == quantity{0}) return out;
    ration(bids_, out.volume.get(), bid_fill_);
    if (least_.empty()) {
        ration(asks_, out.volume.get(), ask_fill_);
    } else {
        willing_.clear();
        for (auto each : asks_) {
            if (each.limit > out.at.get()) continue;
            each.limit = asks[each.place].rank;
            willing_.push_back(each);
        }
        ration(willing_, out.volume.get(), ask_fill_);
    }

    std::size_t a = 0;
    std::uint64_t ask_open = ask_fill_[asks_[0].place];
    for (std::size_t b = 0; b < bids_.size(); ++b) {
        for (auto open = bid_fill_[bids_[b].place]; open != 0;) {
            while (ask_open == 0) ask_open = ask_fill_[asks_[++a].place];
            auto const size = open < ask_open ? open : ask_open;
            open -= size;
            ask_open -= size;
            ask_left_[asks_[a].place] -= size;
            fills(batch_fill{bids_[b].place, asks_[a].place, out.at, quantity{size}, false});
        }
    }
    return out;
}

template <eligibility Eligible, batch_sink Sink>
bool auction::serve(std::span<selective_bid const> bids, Eligible&& eligible, bounds limits,
                    Sink&& fills)
{
    BLENDR_ASSERT(bids.size() <= orders_max);
    sorter_.sort(bids, impl::high_first, selective_);
    std::uint64_t together = 0;
    std::size_t first = 0;  // asks before it have nothing left
    for (auto const& next : selective_) {
        if (together >= limits.together_max) return false;
        auto const& bid = bids[next.place];
        auto wanted = bid.what.size.get();
        std::uint32_t looks = 0;
        parts_.clear();
        while (first < asks_.size() && ask_left_[asks_[first].place] == 0) ++first;
        for (auto i = first; i < asks_.size(); ++i) {
            auto const& ask = asks_[i];
            auto const least = least_.empty() ? ask.limit : least_[i];
            if (wanted == 0 || least > bid.what.limit.get() || looks == limits.looks_max ||
                parts_.size() == limits.parts_max)
                break;
            ++together;
            auto const left = ask_left_[ask.place];
            if (left == 0 || ask.limit > bid.what.limit.get() ||
                ask_owner_[ask.place] == bid.what.owner.get())
                continue;
            ++looks;
            if (!eligible(next.place, ask.place)) continue;
            auto size = left < wanted ? left : wanted;
            if (auto const cap = bid.per_provider_max.get(); cap != 0) {
                std::uint64_t taken = 0;
                for (auto const& p : parts_)
                    if (ask_owner_[p.ask] == ask_owner_[ask.place]) taken += p.size;
                if (taken >= cap) continue;
                size = size < cap - taken ? size : cap - taken;
            }
            wanted -= size;
            parts_.push_back({ask.place, size, ask.limit});
        }
        if (bid.all_or_none && wanted != 0) continue;
        for (auto const& p : parts_) {
            ask_left_[p.ask] -= p.size;
            fills(batch_fill{next.place, p.ask, price{p.limit}, quantity{p.size}, true});
        }
    }
    return true;
}

/// Puts asks in the order of their ranks, if they have any.
inline void auction::rank_asks(std::span<batch_order const> asks)
{
    least_.clear();
    if (std::none_of(asks.begin(), asks.end(), [](auto const& a) { return a.rank != 0; })) return;
    sorter_.sort(asks, impl::low_first, asks_, [](batch_order const& a) { return a.rank; });
    least_.resize(asks_.size());
    std::uint64_t least = ~std::uint64_t{0};
    for (auto i = asks_.size(); i-- != 0;) {
        asks_[i].limit = asks[asks_[i].place].limit.get();
        least_[i] = least = std::min(least, asks_[i].limit);
    }
}

inline clearing auction::choose_price(std::span<ranked const> bids, std::span<ranked const> asks,
                                      price reference) noexcept
{
    std::uint64_t demand = 0, supply = 0;  // at the price looked at
    for (auto const& b : bids) demand += b.size;
    std::uint64_t volume = 0, imbalance = 0, low = 0, high = 0;
    auto const look = [&](std::uint64_t from, std::uint64_t to) {
        auto const here = demand < supply ? demand : supply;
        auto const gap = demand < supply ? supply - demand : demand - supply;
        if (here == 0 || here < volume || (here == volume && gap > imbalance)) return;
        if (here > volume || gap < imbalance) low = from;
        volume = here;
        imbalance = gap;
        high = to;
    };
    std::size_t b = bids.size(), a = 0;  // bids are walked from the lowest limit up
    while (b > 0 && (a > 0 || !asks.empty())) {
        bool const ask_next = a < asks.size() && asks[a].limit <= bids[b - 1].limit;
        auto const here = ask_next ? asks[a].limit : bids[b - 1].limit;
        while (a < asks.size() && asks[a].limit == here) supply += asks[a++].size;
        look(here, here);
        while (b > 0 && bids[b - 1].limit == here) demand -= bids[--b].size;
        if (b == 0) break;
        auto const next = a < asks.size() && asks[a].limit < bids[b - 1].limit ? asks[a].limit
                                                                               : bids[b - 1].limit;
        if (next - here > 1) look(here + 1, next - 1);
    }
    if (volume == 0) return {};
    auto const wish = reference.get() != 0 ? reference.get() : low + (high - low) / 2;
    return {price{wish < low ? low : wish > high ? high : wish}, quantity{volume}};
}

inline void auction::ration(std::span<ranked const> best_first, std::uint64_t volume,
                            std::vector<std::uint64_t>& filled)
{
    for (std::size_t from = 0; volume != 0;) {
        BLENDR_ASSERT(from < best_first.size());
        auto to = from;
        std::uint64_t level = 0;
        for (; to < best_first.size() && best_first[to].limit == best_first[from].limit; ++to)
            level += best_first[to].size;
        if (level <= volume) {
            for (; from < to; ++from) filled[best_first[from].place] = best_first[from].size;
            volume -= level;
            continue;
        }
        auto over = volume;
        for (auto i = from; i < to; ++i) {
            auto const share =
                static_cast<std::uint64_t>(u128{volume} * best_first[i].size / level);
            filled[best_first[i].place] = share;
            over -= share;
        }
        for (auto i = from; over != 0; ++i, --over) ++filled[best_first[i].place];
        return;
    }
}

}  // namespace blendr::market
