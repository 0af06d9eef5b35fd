// SPDX-License-Identifier: Apache-2.0
#include <market/offer_query.hpp>

#include <algorithm>
#include <bit>
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
    if (parts.empty()) {
        plan_steps();
        return;
    }
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
/// holds every match, and for exact constraints nothing else. Steps that keep go first, the rarest
/// first, then those that remove, then what needs a closer look.
void offer_query::plan_steps()
{
    boost::container::small_vector<std::pair<std::uint64_t, map_step>, 16> keeps{};
    boost::container::small_vector<map_step, 8> removes{};
    auto const add = [&](bitmap const* const* first, std::size_t count) {
        map_step const one{static_cast<std::uint16_t>(step_maps_.size()),
                           static_cast<std::uint16_t>(count), true};
        std::uint64_t offers = 0;
        for (std::size_t i = 0; i < count; ++i) {
            step_maps_.push_back(first[i]);
            offers += first[i]->count();
        }
        keeps.push_back({offers, one});
    };
    auto const keep = [&](bitmap const* m) {
        if (m == nullptr)
            nothing_ = true;
        else
            add(&m, 1);
    };
    auto const remove = [&](bitmap const* m) {
        if (m == nullptr) return;
        removes.push_back({static_cast<std::uint16_t>(step_maps_.size()), 1, false});
        step_maps_.push_back(m);
    };
    for (auto const c : constraints_) {
        auto const& n = nodes_[c];
        auto const& p = *n.part;
        bool const group = p.what == kind::all || p.what == kind::any;
        bool const by_price = p.what == kind::compare && p.of == attribute::price;
        if (group) {
            general_.push_back(c);
        } else if (by_price) {
            // A bound on the price is one on blocks too; inside them it is looked at last.
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
            add(&maps_[n.plus], n.pluses);
            for (auto i = n.minus; i < n.minus + n.minuses; ++i) remove(maps_[i]);
        }
    }
    for (auto const c : constraints_) {
        auto const& p = *nodes_[c].part;
        if (p.what == kind::compare && p.of == attribute::price) general_.push_back(c);
    }
    if (keeps.empty()) keep(&table_.used());
    for (std::size_t i = 1; i < keeps.size(); ++i)  // few: by insertion
        for (auto k = i; k > 0 && keeps[k].first < keeps[k - 1].first; --k)
            std::swap(keeps[k], keeps[k - 1]);
    for (auto const& [offers, one] : keeps) steps_.push_back(one);
    if (!keeps.empty() && keeps[0].second.count == 1 && keeps[0].first < table_.blocks())
        sparse_ = step_maps_[keeps[0].second.first];
    steps_.insert(steps_.end(), removes.begin(), removes.end());
}

offer_query::reach offer_query::views() const
{
    reach out{};
    for (auto const* const m : step_maps_) out.push_back(m->view());
    return out;
}

offer_query::anchor offer_query::rarest_words() const
{
    anchor out{};
    auto fewest = ~std::uint64_t{0};
    for (auto const c : constraints_) {
        auto const& n = nodes_[c];
        auto const& p = *n.part;
        bool const words = p.what == kind::word || p.what == kind::has;
        if (!words || p.how != op::equal || n.estimate >= fewest) continue;
        fewest = n.estimate;
        out = {static_cast<std::size_t>(p.of), {}};
        for (auto const& w : p.words)
            if (auto const number = table_.number_of(p.of, w); number != 0)
                out.words.push_back(number);
    }
    return out;
}

void offer_query::plus(node& n, bitmap const* map)
{
    if (map == nullptr) return;
    if (n.pluses == 0) n.plus = static_cast<std::uint16_t>(maps_.size());
    ++n.pluses;
    n.estimate += map->count();
    maps_.push_back(map);
}
void offer_query::minus(node& n, bitmap const* map)
{
    if (map == nullptr) return;
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

std::uint64_t offer_query::possible(reach const& views, std::span<std::uint32_t const> blocks,
                                    std::span<std::uint32_t const> ahead, lanes* out) const noexcept
{
    if (nothing_) return 0;
    auto mask = blocks.size() == blocks_at_once ? ~std::uint64_t{0}
                                                : (std::uint64_t{1} << blocks.size()) - 1;
    if (sparse_ != nullptr)
        for (std::size_t i = 0; i < blocks.size(); ++i)
            if (!sparse_->any_in(blocks[i])) mask &= ~(std::uint64_t{1} << i);
    mask = kernels().intersect(views.data(), steps_.data(), steps_.size(), blocks.data(), mask,
                               ahead.data(), ahead.size(), out->w.data());
    for (auto const c : general_)
        for (auto rest = mask; rest != 0; rest &= rest - 1) {
            auto const i = static_cast<std::size_t>(std::countr_zero(rest));
            lanes one;
            evaluate<false>(c, blocks[i], one);
            out[i] &= one;
            if (!out[i].any()) mask &= ~(std::uint64_t{1} << i);
        }
    return mask;
}

void offer_query::holds(std::size_t constraint, std::uint32_t block, lanes& out) const noexcept
{
    evaluate<true>(constraint, block, out);
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
