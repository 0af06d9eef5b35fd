// SPDX-License-Identifier: Apache-2.0
#include <market/offer_query.hpp>

#include <algorithm>
#include <utility>

#include <blendr/core/assert.hpp>

namespace blendr::market::impl {

using kind = requirement::part::kind;

offer_query::offer_query(offer_table const& table, requirement const& what) : table_{table}
{
    auto const parts = what.parts();
    nodes_.resize(parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
        nodes_[i].part = &parts[i];
        nodes_[i].span = parts[i].span;
    }
    for (auto i = parts.size(); i-- > 0;) resolve(i);  // members before their group
    if (parts.empty()) return;
    exact_ = nodes_[0].exact;
    if (parts[0].what != kind::all) {
        constraints_.push_back(0);
    } else {
        for (std::size_t i = 1; i < nodes_.size(); i += nodes_[i].span) constraints_.push_back(i);
    }
    in_order_ = constraints_;
    for (auto const c : constraints_) note_price(nodes_[c]);
    for (std::size_t i = 1; i < constraints_.size(); ++i)  // few: by insertion, nothing allocated
        for (auto k = i;
             k > 0 && nodes_[constraints_[k]].estimate < nodes_[constraints_[k - 1]].estimate; --k)
            std::swap(constraints_[k], constraints_[k - 1]);
    plan_steps();
}

/// Most constraints are one or two bitmaps; those need no walk through nodes. What a step lets pass
/// holds every match, and for exact constraints nothing else.
void offer_query::plan_steps()
{
    auto const keep = [&](bitmap const* m) {
        if (m == nullptr || m->count() == 0)
            nothing_ = true;
        else
            steps_.push_back({step::kind::keep, 0, 0, m, 0});
    };
    auto const remove = [&](bitmap const* m) {
        if (m != nullptr && m->count() != 0) steps_.push_back({step::kind::remove, 0, 0, m, 0});
    };
    for (auto const c : constraints_) {
        auto const& n = nodes_[c];
        auto const& p = *n.part;
        bool const group = p.what == kind::all || p.what == kind::any;
        bool const by_price = p.what == kind::compare && p.of == attribute::price;
        if (group || by_price) {
            // A bound on the price is one on blocks too; inside them it is looked at last.
            if (!by_price) steps_.push_back({step::kind::general, 0, 0, nullptr, c});
        } else if (!n.exact && p.how == op::not_equal) {
            keep(&table_.known(p.of));
        } else if (!n.exact && (p.how == op::less || p.how == op::at_most)) {
            keep(&table_.known(p.of));
            remove(n.high);
        } else if (!n.exact) {  // at least, or equal to, a value in a step
            keep(n.low);
            if (p.how == op::equal) remove(n.high);
        } else if (n.pluses == 0) {
            nothing_ = true;
        } else {
            if (n.pluses == 1)
                keep(maps_[n.plus]);
            else
                steps_.push_back({step::kind::keep_any, n.plus, n.pluses, nullptr, 0});
            for (auto i = n.minus; i < n.minus + n.minuses; ++i) remove(maps_[i]);
        }
    }
    for (auto const c : constraints_) {
        auto const& p = *nodes_[c].part;
        if (p.what == kind::compare && p.of == attribute::price)
            steps_.push_back({step::kind::general, 0, 0, nullptr, c});
    }
}

void offer_query::plus(node& n, bitmap const* map)
{
    if (map == nullptr || map->count() == 0) return;
    if (n.pluses == 0) n.plus = static_cast<std::uint16_t>(maps_.size());
    ++n.pluses;
    n.estimate += map->count();
    maps_.push_back(map);
}
void offer_query::minus(node& n, bitmap const* map)
{
    if (map == nullptr || map->count() == 0) return;
    if (n.minuses == 0) n.minus = static_cast<std::uint16_t>(maps_.size());
    ++n.minuses;
    n.estimate -= std::min(n.estimate, map->count());
    maps_.push_back(map);
}

void offer_query::resolve_number(node& n)
{
    auto const& p = *n.part;
    auto const steps = steps_of(p.of);
    auto const& maps = table_.at_least(p.of);
    auto value = p.number;
    auto how = p.how;
    // At most v is less than v + 1; more than v is at least v + 1.
    if (how == op::at_most || how == op::more) {
        if (value == ~std::uint64_t{0}) {
            if (how == op::at_most) plus(n, &table_.known(p.of));
            return;
        }
        ++value;
        how = how == op::at_most ? op::less : op::at_least;
    }
    auto const k = step_below(steps, value);
    auto const* const here = &maps[k];
    auto const* const above = k + 1 < maps.size() ? &maps[k + 1] : nullptr;
    bool const on_step = steps[k] == value;
    bool const single = on_step && above != nullptr && steps[k + 1] == value + 1;
    auto const look = [&] {
        n.exact = false;
        n.low = here;
        n.high = above;
        n.estimate += here->count() - (above == nullptr ? 0 : above->count());
    };
    switch (how) {
    case op::at_least:
        plus(n, on_step ? here : above);
        if (!on_step) look();
        return;
    case op::less:
        plus(n, &table_.known(p.of));
        minus(n, here);
        if (!on_step) look();
        return;
    case op::equal:
        if (!single) return look();
        plus(n, here);
        minus(n, above);
        return;
    default:
        // Not equal: outside this step, and inside it where values differ. Outside is below
        // `here` or at least `above`; as one difference it would need two, so all is looked at
        // inside the step and the outside is the known without it.
        plus(n, &table_.known(p.of));
        n.low = here;
        n.high = above;
        n.exact = false;
        return;
    }
}

void offer_query::resolve_word(node& n)
{
    auto const& p = *n.part;
    bool const equal = p.how == op::equal;
    if (!equal) plus(n, &table_.known(p.of));
    for (auto const& w : p.words) {
        auto const* const map = table_.with_word(p.of, w);
        equal ? plus(n, map) : minus(n, map);
    }
}

void offer_query::resolve(std::size_t i)
{
    auto& n = nodes_[i];
    auto const& p = *n.part;
    switch (p.what) {
    case kind::all:
    case kind::any:
        n.estimate = p.what == kind::all ? ~std::uint64_t{0} : 0;
        for (auto m = i + 1; m < i + n.span; m += nodes_[m].span) {
            n.exact = n.exact && nodes_[m].exact;
            n.estimate = p.what == kind::all ? std::min(n.estimate, nodes_[m].estimate)
                                             : n.estimate + nodes_[m].estimate;
        }
        return;
    case kind::known:
        if (p.of == attribute::price) {
            if (p.how == op::equal) plus(n, &table_.used());
        } else if (p.how == op::equal) {
            plus(n, &table_.known(p.of));
        } else {
            plus(n, &table_.used());
            minus(n, &table_.known(p.of));
        }
        return;
    case kind::word:
    case kind::has:
        return resolve_word(n);
    case kind::compare:
        if (p.of != attribute::price) return resolve_number(n);
        n.estimate = table_.size();
        return;
    }
}

void offer_query::note_price(node const& n) noexcept
{
    if (n.part->what != kind::compare || n.part->of != attribute::price) return;
    auto const v = n.part->number;
    if (n.part->how != op::not_equal && n.part->how != op::more && n.part->how != op::at_least)
        price_high_ = std::min(price_high_, v);
    if (n.part->how == op::equal || n.part->how == op::more || n.part->how == op::at_least)
        price_low_ = std::max(price_low_, v);
}

bool offer_query::compare(op how, std::uint64_t a, std::uint64_t b) noexcept
{
    switch (how) {
    case op::equal:
        return a == b;
    case op::not_equal:
        return a != b;
    case op::less:
        return a < b;
    case op::at_most:
        return a <= b;
    case op::more:
        return a > b;
    case op::at_least:
        return a >= b;
    }
    return false;
}

template <bool Exact>
void offer_query::price(node const& n, std::uint32_t block, lanes& out) const noexcept
{
    out = {};
    auto const& b = table_.at(block);
    if (b.count == 0) return;
    auto const base = block * block_size;
    auto const yes = [&](std::uint32_t i) {
        return compare(n.part->how, table_.key(base + b.by_key[i]).price, n.part->number);
    };
    // Prices in a block are sorted, so a comparison that agrees at both ends agrees between, but
    // for == and !=.
    bool const first = yes(0), last = yes(b.count - 1);
    bool const ordered = n.part->how != op::equal && n.part->how != op::not_equal;
    if (ordered && first == last) {
        if (first) out = b.used;
        return;
    }
    for (std::uint32_t i = 0; i < b.count; ++i)
        if (yes(i)) out.set(b.by_key[i]);
}

template <bool Exact>
void offer_query::leaf(node const& n, std::uint32_t block, lanes& out) const noexcept
{
    if (n.part->what == kind::compare && n.part->of == attribute::price)
        return price<Exact>(n, block, out);
    out = {};
    for (auto i = n.plus; i < n.plus + n.pluses; ++i)
        if (auto const* const m = maps_[i]->block(block)) out |= *m;
    for (auto i = n.minus; i < n.minus + n.minuses; ++i)
        if (auto const* const m = maps_[i]->block(block)) out.remove(*m);
    if (n.exact) return;
    lanes between{};
    if (auto const* const m = n.low->block(block)) between = *m;
    if (n.high != nullptr)
        if (auto const* const m = n.high->block(block)) between.remove(*m);
    if constexpr (!Exact) {
        out |= between;
    } else {
        out.remove(between);
        between.each([&](std::uint32_t place) {
            if (compare(n.part->how, table_.value(n.part->of, block * block_size + place),
                        n.part->number))
                out.set(place);
        });
    }
}

template <bool Exact>
void offer_query::evaluate(std::size_t i, std::uint32_t block, lanes& out) const noexcept
{
    auto const& n = nodes_[i];
    if (n.part->what != kind::all && n.part->what != kind::any) return leaf<Exact>(n, block, out);
    auto member = i + 1;
    evaluate<Exact>(member, block, out);
    for (member += nodes_[member].span; member < i + n.span; member += nodes_[member].span) {
        lanes one;
        evaluate<Exact>(member, block, one);
        if (n.part->what == kind::all)
            out &= one;
        else
            out |= one;
    }
}

void offer_query::possible(std::uint32_t block, lanes& out) const noexcept
{
    out = table_.at(block).used;
    for (auto const& s : steps_) {
        switch (s.what) {
        case step::kind::keep: {
            auto const* const m = s.map->block(block);
            if (m == nullptr) {
                out = {};
                return;
            }
            out &= *m;
            break;
        }
        case step::kind::remove:
            if (auto const* const m = s.map->block(block)) out.remove(*m);
            continue;
        case step::kind::keep_any: {
            lanes some{};
            for (auto i = s.maps; i < s.maps + s.count; ++i)
                if (auto const* const m = maps_[i]->block(block)) some |= *m;
            out &= some;
            break;
        }
        case step::kind::general: {
            lanes one;
            evaluate<false>(s.node, block, one);
            out &= one;
            break;
        }
        }
        if (!out.any()) return;
    }
}

void offer_query::holds(std::size_t constraint, std::uint32_t block, lanes& out) const noexcept
{
    evaluate<true>(constraint, block, out);
}

std::uint64_t offer_query::summary(std::size_t i, std::size_t word) const noexcept
{
    auto const& n = nodes_[i];
    if (n.part->what == kind::all || n.part->what == kind::any) {
        bool const all = n.part->what == kind::all;
        std::uint64_t out = all ? ~std::uint64_t{0} : 0;
        for (auto m = i + 1; m < i + n.span; m += nodes_[m].span) {
            auto const one = summary(m, word);
            out = all ? out & one : out | one;
        }
        return out;
    }
    if (n.part->what == kind::compare && n.part->of == attribute::price) return ~std::uint64_t{0};
    std::uint64_t out = n.low == nullptr ? 0 : n.low->summary(word);
    for (auto k = n.plus; k < n.plus + n.pluses; ++k) out |= maps_[k]->summary(word);
    return out;
}

std::uint64_t offer_query::candidates(std::size_t word) const noexcept
{
    if (nothing_) return 0;
    auto out = table_.used().summary(word);
    for (auto const& s : steps_) {
        if (s.what == step::kind::keep) {
            out &= s.map->summary(word);
        } else if (s.what == step::kind::keep_any) {
            std::uint64_t some = 0;
            for (auto i = s.maps; i < s.maps + s.count; ++i) some |= maps_[i]->summary(word);
            out &= some;
        } else if (s.what == step::kind::general) {
            out &= summary(s.node, word);
        }
    }
    return out;
}

bool offer_query::true_at(std::size_t i, std::uint32_t position) const noexcept
{
    auto const& n = nodes_[i];
    if (n.part->what == kind::all || n.part->what == kind::any) {
        bool const all = n.part->what == kind::all;
        for (auto m = i + 1; m < i + n.span; m += nodes_[m].span)
            if (true_at(m, position) != all) return !all;
        return all;
    }
    if (n.part->what == kind::compare) {
        bool const known =
            n.part->of == attribute::price || table_.known(n.part->of).test(position);
        return known && compare(n.part->how, table_.value(n.part->of, position), n.part->number);
    }
    bool in = false;
    for (auto k = n.plus; k < n.plus + n.pluses; ++k) in = in || maps_[k]->test(position);
    for (auto k = n.minus; k < n.minus + n.minuses; ++k) in = in && !maps_[k]->test(position);
    return in;
}

bool offer_query::matches(std::uint32_t position) const noexcept
{
    for (auto const c : constraints_)
        if (!true_at(c, position)) return false;
    return true;
}

}  // namespace blendr::market::impl
