// SPDX-License-Identifier: Apache-2.0
#pragma once

// One instrument's auction, found from the rows alone and beside others; included by contract.hpp only.

#include <algorithm>
#include <limits>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include <boost/mp11/algorithm.hpp>

#include <blendr/ledger/context.hpp>
#include <blendr/market/auction.hpp>
#include <blendr/market/contract.hpp>
#include <blendr/reputation/contract.hpp>
#include <blendr/reputation/effects.hpp>

namespace blendr::market::impl {

constexpr bool selective(orders::row const& r) noexcept
{
    return r.gang || r.per_provider_max != quantity{0} || !r.wanted.empty();
}

/// Whether the chain that a view looks at keeps scores.
template <class View>
inline constexpr bool keeps_scores = false;
template <class Registry, class C>
inline constexpr bool keeps_scores<ledger::hook_view<Registry, C>> =
    boost::mp11::mp_contains<typename Registry::tables, reputation::scores>::value;

/// What an auction does to its orders. Carried out later, in order.
struct clearing_day {
    struct entry {
        order_key key{};
        price limit{};
        quantity left{};
        height placed{};
        std::uint32_t device{};
    };
    struct trade {
        std::uint32_t bid{}, ask{};  // entries
        price at{};
        quantity size{};
    };
    struct leaver {
        order_key key{};
        closed::cause why{};
        reject refusal{};
    };
    std::vector<entry> bids{}, asks{};
    std::vector<leaver> leaving{};
    std::vector<trade> trades{};
    clearing plain{};
    quantity selective{};
    bool unserved{};  ///< the bound on the work left selective bids out
};

/// Reads an instrument's orders and clears them. `View` shows rows and can change none.
template <class View>
class clearing_desk {
public:
    clearing_desk(View const& view, instrument const& of, height since)
        : view_{view},
          of_{of},
          since_{since}
    {}

    clearing_day run()
    {
        collect();
        refuse_takers();
        rank(out_.bids, bid_rows_);
        rank(out_.asks, ask_rows_);
        clear();
        return std::move(out_);
    }

private:
    using entry = clearing_day::entry;

    void collect()
    {
        auto const now = view_.block().at;
        bool const over = !is_spot(of_) && of_.when <= hour_of(view_.block().time);
        view_.template each<orders>(
            {of_, side::buy, {}, 0}, [&](order_key const& key, orders::row const& row) {
                if (key.of != of_) return false;
                bool const backed = is_spot(of_) && key.way == side::sell;
                if (over || row.expires < now)
                    out_.leaving.push_back({key, closed::cause::expired, {}});
                else if (!backed || stands(key, row))
                    take(key, row);
                return true;
            });
    }
    void take(order_key const& key, orders::row const& row)
    {
        bool const buys = key.way == side::buy;
        (buys ? out_.bids : out_.asks)
            .push_back({key, row.limit, row.left, row.placed, row.device});
        (buys ? bid_rows_ : ask_rows_).push_back(&row);
        any_post_only_ = any_post_only_ || (row.post_only && row.placed >= since_);
    }
    /// A device out of reach sits this auction out; one that is gone takes its order along.
    bool stands(order_key const& key, orders::row const& row)
    {
        auto const& device = view_.template row<devices>({key.owner, row.device});
        auto const& status = device.status;
        bool const gone = status.state == device_state::absent ||
                          status.state == device_state::suspended ||
                          !serves(device.measured, view_.template row<classes>(of_.what).spec);
        if (gone) out_.leaving.push_back({key, closed::cause::device_gone, {}});
        return !gone && status.state != device_state::disconnected;
    }

    /// Post-only orders that are new since the last auction may not trade with older ones.
    void refuse_takers()
    {
        if (!any_post_only_) return;
        auto best_bid = std::uint64_t{0}, best_ask = ~std::uint64_t{0};
        for (auto const& e : out_.bids)
            if (e.placed < since_) best_bid = std::max(best_bid, e.limit.get());
        for (auto const& e : out_.asks)
            if (e.placed < since_) best_ask = std::min(best_ask, e.limit.get());
        auto const sift = [&](std::vector<entry>& all, std::vector<orders::row const*>& rows,
                              auto const& crosses) {
            std::size_t kept = 0;
            for (std::size_t i = 0; i < all.size(); ++i) {
                if (rows[i]->post_only && all[i].placed >= since_ && crosses(all[i].limit.get())) {
                    out_.leaving.push_back(
                        {all[i].key, closed::cause::refused, reject::would_take});
                    continue;
                }
                all[kept] = all[i];
                rows[kept++] = rows[i];
            }
            all.resize(kept);
            rows.resize(kept);
        };
        sift(out_.bids, bid_rows_, [&](std::uint64_t limit) { return limit >= best_ask; });
        sift(out_.asks, ask_rows_, [&](std::uint64_t limit) { return limit <= best_bid; });
    }

    /// Older orders first, by their block, then by key: the auction's ids. They come in key order.
    static void rank(std::vector<entry>& all, std::vector<orders::row const*>& rows)
    {
        auto const older = [](entry const& a, entry const& b) { return a.placed < b.placed; };
        if (std::is_sorted(all.begin(), all.end(), older)) return;
        std::vector<std::uint32_t> order(all.size());
        std::iota(order.begin(), order.end(), 0u);
        std::stable_sort(order.begin(), order.end(),
                         [&](std::uint32_t a, std::uint32_t b) { return older(all[a], all[b]); });
        std::vector<entry> sorted(all.size());
        std::vector<orders::row const*> sorted_rows(all.size());
        for (std::size_t i = 0; i < order.size(); ++i) {
            sorted[i] = all[order[i]];
            sorted_rows[i] = rows[order[i]];
        }
        all.swap(sorted);
        rows.swap(sorted_rows);
    }

    void clear()
    {
        std::vector<batch_order> plain{}, asks{};
        std::vector<selective_bid> picky{};
        std::vector<std::uint32_t> plain_at{}, picky_at{};
        for (std::uint32_t i = 0; i < out_.bids.size(); ++i) {
            auto const& row = *bid_rows_[i];
            batch_order const what{order_id{i}, {}, row.limit, row.left};
            if (selective(row)) {
                picky.push_back({what, row.gang, row.per_provider_max});
                picky_at.push_back(i);
            } else {
                plain.push_back(what);
                plain_at.push_back(i);
            }
        }
        for (std::uint32_t i = 0; i < out_.asks.size(); ++i)
            asks.push_back(
                {order_id{i}, {}, ask_rows_[i]->limit, ask_rows_[i]->left, rank_of(out_.asks[i])});
        if (!picky.empty()) number_owners(asks, picky, picky_at);

        auction work{};
        out_.plain = work.run(plain, asks, view_.template row<markets>(of_).reference.at,
                              [&](batch_fill const& f) noexcept {
                                  out_.trades.push_back({plain_at[f.bid], f.ask, f.at, f.size});
                              });
        if (picky.empty()) return;
        wanted_.resize(picky.size());
        offered_.resize(asks.size());
        auto const eligible = [&](std::uint32_t b, std::uint32_t a) {
            return this->eligible(picky_at[b], wanted_[b], a);
        };
        auction::bounds bounds{};
        bounds.together_max = contract::selective_looks;
        out_.unserved = !work.serve(picky, eligible, bounds, [&](batch_fill const& f) noexcept {
            out_.trades.push_back({picky_at[f.bid], f.ask, f.at, f.size});
            out_.selective += f.size;
        });
    }

    /// A spot ask's place in line: its price, a little dearer for who is little trusted. Units are
    /// of fp32 work, so that is the score that counts.
    std::uint64_t rank_of(entry const& e) const
    {
        if constexpr (keeps_scores<View>) {
            if (!is_spot(of_)) return 0;
            auto const score = reputation::score(
                view_.template row<reputation::scores>(
                    {e.key.owner, reputation::role::provider, reputation::family::fp32}),
                view_.block().at, view_.template row<reputation::conditions>(0).scores);
            // in parts of a grain, so that small prices are told apart
            amount const fine{u128{e.limit.get()} * reputation::basis_points};
            auto const rank = reputation::rank_price(fine, score).grains();
            return static_cast<std::uint64_t>(std::min<u128>(rank, ~std::uint64_t{0}));
        } else {
            return 0;
        }
    }

    /// Who is whose: what selective bids need to know.
    void number_owners(std::vector<batch_order>& asks, std::vector<selective_bid>& picky,
                       std::vector<std::uint32_t> const& picky_at) const
    {
        std::vector<address const*> all{};
        for (auto const& e : out_.asks) all.push_back(&e.key.owner);
        auto const less = [](address const* a, address const* b) { return *a < *b; };
        std::sort(all.begin(), all.end(), less);
        all.erase(std::unique(all.begin(), all.end(),
                              [](address const* a, address const* b) { return *a == *b; }),
                  all.end());
        auto const number = [&](address const& who) {
            auto const at = std::lower_bound(all.begin(), all.end(), &who, less);
            bool const known = at != all.end() && **at == who;
            return trader_id{
                static_cast<std::uint32_t>(known ? at - all.begin() : std::ptrdiff_t(all.size()))};
        };
        for (std::size_t i = 0; i < asks.size(); ++i)
            asks[i].owner = number(out_.asks[i].key.owner);
        for (std::size_t i = 0; i < picky.size(); ++i)
            picky[i].what.owner = number(out_.bids[picky_at[i]].key.owner);
    }

    /// Something that is read when it is first asked for.
    template <class T>
    struct lazy {
        std::unique_ptr<T> value{};
        bool read{};
    };
    bool eligible(std::uint32_t bid, lazy<requirement>& wanted, std::uint32_t ask)
    {
        auto const& text = bid_rows_[bid]->wanted;
        if (text.empty()) return true;
        if (!std::exchange(wanted.read, true))
            if (auto parsed = requirement::parse(text))
                wanted.value = std::make_unique<requirement>(*std::move(parsed));
        auto& offered = offered_[ask];
        if (!std::exchange(offered.read, true)) {
            auto const& e = out_.asks[ask];
            auto const& device = view_.template row<devices>({e.key.owner, e.device});
            if (auto parsed = capability::parse(device.capability)) {
                offered.value = std::make_unique<capability>(*std::move(parsed));
                (void)offered.value->set(attribute::price, e.limit.get());
                (void)offered.value->set(attribute::tier, std::uint64_t{device.status.tier});
            }
        }
        return wanted.value && offered.value && wanted.value->of(*offered.value) == truth::yes;
    }

    View const& view_;
    instrument of_;
    height since_;
    clearing_day out_{};
    std::vector<orders::row const*> bid_rows_{}, ask_rows_{};
    bool any_post_only_{false};
    std::vector<lazy<requirement>> wanted_{};
    std::vector<lazy<capability>> offered_{};
};

}  // namespace blendr::market::impl
