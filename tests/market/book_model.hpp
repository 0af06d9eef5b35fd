// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/market/order_book.hpp>

#include "naive_book.hpp"

namespace blendr::market::testing {

/// Drives order_book and naive_book with the same operations and says where they first differ.
/// `Choose` gives numbers: choose(n) is below n. A seeded generator in tests, the input in fuzzing.
template <class Choose>
class book_model {
public:
    book_model(book_config const& config, Choose choose)
        : book_{*order_book::make(config)},
          naive_{{config.lowest, config.tick, config.levels, config.orders_max}},
          choose_{std::move(choose)}
    {}

    /// One random operation on both. Nothing when they agree, else what differed.
    std::optional<std::string> step()
    {
        auto const kind = choose_(100);
        if (kind < 50) return submit();
        if (kind < 72) return cancel();
        if (kind < 94) return replace();
        if (kind < 97) return advance();
        return look();
    }

    /// The book goes through bytes and back; its snapshot may not change.
    std::optional<std::string> through_bytes()
    {
        auto const before = book_.snapshot();
        auto const raw = encode(before);
        auto const after = decode<book_snapshot>(raw);
        if (!after || *after != before) return "a snapshot changed on its way through bytes";
        auto restored = order_book::restore(*after);
        if (!restored) return "a snapshot was refused";
        if (restored->snapshot() != before) return "a restored book has another snapshot";
        book_ = std::move(*restored);
        return std::nullopt;
    }

    std::optional<std::string> look()
    {
        if (book_.size() != naive_.size()) return "sizes differ";
        for (auto const way : {side::buy, side::sell}) {
            if (book_.best(way) != naive_.best(way)) return "best prices differ";
            auto const wanted = naive_.depth(way);
            std::vector<depth_level> found(wanted.size() + 1);
            if (book_.depth(way, found) != wanted.size()) return "numbers of levels differ";
            for (std::size_t i = 0; i < wanted.size(); ++i)
                if (found[i].at != wanted[i].first || found[i].size != wanted[i].second)
                    return "depth differs";
        }
        return std::nullopt;
    }

    order_book const& book() const { return book_; }
    std::uint64_t fills() const { return fills_; }

private:
    using event = std::variant<trade, removal>;
    struct recorder {
        std::vector<event>& to;
        void operator()(trade const& f) noexcept { to.emplace_back(f); }
        void operator()(removal const& r) noexcept { to.emplace_back(r); }
    };

    price some_price()
    {
        auto const& c = book_.config();
        if (choose_(50) == 0) return price{choose_(c.lowest.get() + c.tick * (c.levels + 2))};
        return price{c.lowest.get() + c.tick * choose_(c.levels)};
    }
    quantity some_size() { return quantity{choose_(60) == 0 ? 0 : 1 + choose_(20)}; }

    std::optional<std::string> submit()
    {
        order in{};
        in.owner = trader_id{static_cast<std::uint32_t>(choose_(6))};
        in.way = choose_(2) == 0 ? side::buy : side::sell;
        in.size = choose_(500) == 0 ? quantity{~std::uint64_t{0}} : some_size();
        in.market = choose_(12) == 0;
        if (!in.market || choose_(20) == 0) in.limit = some_price();
        in.post_only = choose_(8) == 0;
        in.life = static_cast<lifetime>(std::min<std::uint64_t>(choose_(6), 2));
        if (choose_(2) == 0) in.life = lifetime::resting;
        in.on_self = static_cast<self_trade>(choose_(3));
        if (choose_(4) == 0)
            in.expires = height{now_ + choose_(choose_(10) == 0 ? 3000 : 40) - choose_(2)};
        return compare(book_.submit(in, ours()), naive_.submit(in, theirs()), true);
    }
    std::optional<std::string> cancel()
    {
        auto const [id, twin] = some_order();
        auto const who = someone();
        auto const a = book_.cancel(id, who);
        auto const b = naive_.cancel(twin, who);
        if (a != b) return "cancellations differ";
        return std::nullopt;
    }
    std::optional<std::string> replace()
    {
        auto const [id, twin] = some_order();
        auto const who = someone();
        auto const at = some_price();
        auto const size = some_size();
        return compare(book_.replace(id, who, at, size, ours()),
                       naive_.replace(twin, who, at, size, theirs()), false);
    }
    std::optional<std::string> advance()
    {
        now_ += choose_(20) == 0 ? choose_(2500) : choose_(6);
        book_.advance(height{now_}, ours());
        naive_.advance(height{now_}, theirs());
        for (auto* all : {&ours_, &theirs_})
            std::sort(all->begin(), all->end(), [&](event const& a, event const& b) {
                return twin_of(std::get<removal>(a).id, all) <
                       twin_of(std::get<removal>(b).id, all);
            });
        return same_events();
    }

    template <class A, class B>
    std::optional<std::string> compare(A const& a, B const& b, bool named)
    {
        if (a.has_value() != b.has_value()) return "one refused, the other did not";
        if (!a) {
            if (a.error() != b.error()) return "refused for different reasons";
            if (!ours_.empty() || !theirs_.empty()) return "a refused operation had events";
            return std::nullopt;
        }
        if (a->filled != b->filled || a->resting != b->resting) return "outcomes differ";
        if (named) {
            twins_[a->id] = b->id;
            if (a->resting != quantity{0}) remember(a->id);
        }
        return same_events();
    }
    std::optional<std::string> same_events()
    {
        bool same = ours_.size() == theirs_.size();
        for (std::size_t i = 0; same && i < ours_.size(); ++i) {
            auto mine = ours_[i];
            if (auto* f = std::get_if<trade>(&mine)) {
                ++fills_;
                f->resting = twins_[f->resting];
                f->incoming = twins_[f->incoming];
            } else {
                auto& r = std::get<removal>(mine);
                r.id = twins_[r.id];
            }
            same = mine == theirs_[i];
        }
        ours_.clear();
        theirs_.clear();
        if (!same) return "events differ";
        return std::nullopt;
    }
    order_id twin_of(order_id id, std::vector<event> const* from)
    {
        return from == &ours_ ? twins_[id] : id;
    }
    void remember(order_id id)
    {
        if (known_.size() < 4096)
            known_.push_back(id);
        else
            known_[choose_(known_.size())] = id;
    }
    std::pair<order_id, order_id> some_order()
    {
        if (known_.empty() || choose_(100) == 0) {
            order_id const id{choose_(1u << 20)};  // made up
            return twins_.contains(id) ? std::pair{id, twins_[id]}
                                       : std::pair{id, order_id{~std::uint64_t{0}}};
        }
        auto const reach = std::min<std::uint64_t>(known_.size(), 64);
        auto const id =
            known_[known_.size() - 1 - choose_(choose_(3) == 0 ? known_.size() : reach)];
        owner_hint_ = id;
        return {id, twins_[id]};
    }
    trader_id someone()
    {
        // Mostly the owner, so that most operations mean something.
        if (choose_(10) != 0)
            if (auto const who = book_.owner(owner_hint_)) return *who;
        return trader_id{static_cast<std::uint32_t>(choose_(6))};
    }
    recorder ours() { return {ours_}; }
    recorder theirs() { return {theirs_}; }

    order_book book_;
    naive_book naive_;
    Choose choose_;
    std::uint64_t now_{0};
    std::uint64_t fills_{0};
    std::unordered_map<order_id, order_id> twins_{};
    std::vector<order_id> known_{};
    order_id owner_hint_{};
    std::vector<event> ours_{}, theirs_{};
};

}  // namespace blendr::market::testing
