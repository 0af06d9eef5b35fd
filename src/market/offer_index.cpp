// SPDX-License-Identifier: Apache-2.0
#include <blendr/market/offer_index.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <utility>

#include <market/offer_query.hpp>
#include <market/offer_table.hpp>

namespace blendr::market {

using impl::block_size;
using impl::lanes;
using impl::offer_query;

class offer_index::state {
public:
    explicit state(limits bounds) : table{bounds} {}

    /// Calls visit(block, possible matches) in order of price until it says false. It looks at few
    /// blocks first, since often these have enough; when they have not, at all of them as they lie in
    /// memory, and then in order at those that have any.
    template <class Visit>
    void search(offer_query const& q, Visit&& visit) const
    {
        constexpr std::size_t most = offer_query::blocks_at_once;
        constexpr std::size_t patience = 2 * most;
        std::span const order{table.order()};
        auto const views = q.views();
        auto const end = end_rank(q);
        auto rank = first_rank(q);
        std::array<lanes, most> found;
        auto const look = [&](std::span<std::uint32_t const> at,
                              std::span<std::uint32_t const> ahead) {
            for (auto rest = q.possible(views, at, ahead, found.data()); rest != 0;
                 rest &= rest - 1) {
                auto const i = static_cast<std::size_t>(std::countr_zero(rest));
                if (!visit(at[i], found[i])) return false;
            }
            return true;
        };
        for (std::size_t width = 4, seen = 0; rank < end && seen < patience;) {
            auto const n = std::min(width, end - rank);
            auto const ahead = std::min(most, end - rank - n);
            if (!look(order.subspan(rank, n), order.subspan(rank + n, ahead))) return;
            rank += n;
            seen += n;
            width = std::min(4 * width, most);
        }
        if (rank >= end) return;
        std::array<std::uint32_t, 2 * most> some{};
        std::vector<std::uint64_t> any((table.blocks() + most - 1) / most);
        for (std::size_t w = 0; w < any.size(); ++w) {
            std::iota(some.begin(), some.end(), static_cast<std::uint32_t>(w * most));
            auto const left = table.blocks() - w * most;
            auto const n = std::min(most, left);
            std::span const all{some};
            any[w] = q.possible(views, all.first(n), all.subspan(n, std::min(most, left - n)),
                                found.data());
        }
        while (rank < end) {
            std::size_t n = 0;
            for (; rank < end && n < most; ++rank)
                if ((any[order[rank] / most] >> (order[rank] % most) & 1) != 0)
                    some[n++] = order[rank];
            if (n != 0 && !look(std::span{some}.first(n), {})) return;
        }
    }

    /// The cheapest matches; tells how many.
    std::size_t cheapest(offer_query const& q, std::span<offer_id> out) const
    {
        std::size_t n = 0;
        if (out.empty()) return n;
        auto const take = [&](std::uint32_t position) {
            if (!q.exact() && !q.matches(position)) return true;
            out[n++] = offer_id{table.key(position).id};
            return n < out.size();
        };
        search(q, [&](std::uint32_t b, lanes const& found) {
            auto const base = b * block_size;
            constexpr std::size_t few = 16;  // these are sorted; more are met on the way in order
            std::array<std::uint32_t, few> some;
            std::size_t count = 0;
            bool const sorts = found.each_until([&](std::uint32_t place) {
                if (count == few) return false;
                auto at = count++;
                for (; at > 0 && table.key(base + place) < table.key(some[at - 1]); --at)
                    some[at] = some[at - 1];
                some[at] = base + place;
                return true;
            });
            if (sorts) return std::all_of(some.begin(), some.begin() + count, take);
            auto const& block = table.at(b);
            for (std::uint32_t i = 0; i < block.count; ++i)
                if (found.test(block.by_key[i]) && !take(base + block.by_key[i])) return false;
            return true;
        });
        return n;
    }

    impl::offer_table table;

private:
    std::size_t first_rank(offer_query const& q) const
    {
        if (q.price_low() == 0) return 0;
        std::size_t low = 0, high = table.order().size();
        while (high - low > 1) {
            auto const mid = low + (high - low) / 2;
            if (table.low(mid).price < q.price_low())
                low = mid;
            else
                high = mid;
        }
        return low;
    }
    std::size_t end_rank(offer_query const& q) const
    {
        std::size_t low = 0, high = table.order().size();
        if (q.price_high() == ~std::uint64_t{0}) return high;
        while (low < high) {
            auto const mid = low + (high - low) / 2;
            if (table.low(mid).price > q.price_high())
                high = mid;
            else
                low = mid + 1;
        }
        return low;
    }
};

offer_index::offer_index(limits bounds) : state_{std::make_unique<state>(bounds)} {}
offer_index::~offer_index() = default;
offer_index::offer_index(offer_index&&) noexcept = default;
offer_index& offer_index::operator=(offer_index&&) noexcept = default;

result<nothing, reject> offer_index::put(offer_id id, price at, capability const& what)
{
    return state_->table.put(id, at, what);
}
bool offer_index::erase(offer_id id) { return state_->table.erase(id); }
bool offer_index::contains(offer_id id) const noexcept
{
    return state_->table.where(id) != impl::nowhere;
}
std::size_t offer_index::size() const noexcept { return state_->table.size(); }
void offer_index::check() const { state_->table.check(); }

std::size_t offer_index::find(requirement const& what, std::span<offer_id> out) const
{
    return state_->cheapest(offer_query{state_->table, what}, out);
}

std::uint64_t offer_index::count(requirement const& what) const
{
    offer_query const q{state_->table, what};
    std::uint64_t n = 0;
    state_->search(q, [&](std::uint32_t b, lanes const& found) {
        if (q.exact()) {
            n += impl::kernels().count(found.w.data(), 1);
        } else {
            found.each([&](std::uint32_t place) { n += q.matches(b * block_size + place); });
        }
        return true;
    });
    return n;
}

explanation offer_index::explain(requirement const& what) const
{
    auto const& table = state_->table;
    offer_query const q{table, what};
    auto const parts = what.constraints();
    auto const m = parts.size();
    explanation out{table.size(), 0, std::vector<explanation::constraint>(m)};
    for (std::size_t i = 0; i < m; ++i) out.constraints[i].text = requirement::to_text(parts[i]);

    std::vector<lanes> holds(m), only(m);
    std::vector<std::uint64_t> held(m), stated(m), alone(m);
    std::vector<std::uint64_t const*> known(m);
    std::vector<impl::bitmap const*> says(m);
    for (std::size_t i = 0; i < m; ++i) {
        auto const& head = parts[i][0];
        if (parts[i].size() == 1 && head.what != requirement::part::kind::known &&
            head.of != attribute::price)
            says[i] = &table.known(head.of);
    }
    for (auto const b : table.order()) {
        auto const& block = table.at(b);
        if (block.count == 0) continue;
        for (std::size_t i = 0; i < m; ++i) {
            q.holds(q.constraint_in_order(i), b, holds[i]);
            auto const* const stating = says[i] == nullptr ? nullptr : says[i]->block(b);
            known[i] = stating == nullptr ? nullptr : stating->w.data();
        }
        if (m == 0) {
            out.satisfying += block.count;
            continue;
        }
        impl::kernels().tally(block.used.w.data(), holds.front().w.data(), known.data(), m,
                              held.data(), stated.data(), alone.data(), &out.satisfying,
                              only.front().w.data());
        for (std::size_t i = 0; i < m; ++i) {
            auto& c = out.constraints[i];
            if (c.nearest || !only[i].any()) continue;
            for (std::uint32_t k = 0; k < block.count; ++k) {
                if (!only[i].test(block.by_key[k])) continue;
                auto const position = b * block_size + block.by_key[k];
                auto const key = table.key(position);
                c.nearest = explanation::near_miss{
                    offer_id{key.id}, price{key.price},
                    parts[i].size() == 1 ? table.value_text(parts[i][0].of, position) : ""};
                break;
            }
        }
    }
    for (std::size_t i = 0; i < m; ++i) {
        auto& c = out.constraints[i];
        c.failing = out.offers - held[i];
        c.unknown = says[i] == nullptr ? 0 : out.offers - stated[i];
        c.would_pass = alone[i];
    }
    return out;
}

class standing_search::state {
public:
    state(offer_index::state const& in, requirement what, std::size_t most)
        : in_{&in},
          what_{std::move(what)},
          room_(most)
    {}

    std::span<offer_id const> find()
    {
        auto const& table = in_->table;
        if (query_ && table.changes() == seen_) return found();
        auto const vocabulary = table.vocabulary();
        bool const same_words = query_ && vocabulary == vocabulary_;
        if (!same_words) {
            query_.emplace(table, what_);
            anchor_ = query_->rarest_words();
            vocabulary_ = vocabulary;
        }
        auto const touched = changes_of_anchor();
        bool const stands = same_words && (beyond_what_was_found() || touched == touched_);
        seen_ = table.changes();
        touched_ = touched;
        if (stands) return found();
        found_ = in_->cheapest(*query_, room_);
        if (found_ != 0) dearest_ = table.key(table.where(room_[found_ - 1])).price;
        return found();
    }

    requirement const& what() const noexcept { return what_; }

private:
    std::span<offer_id const> found() const { return std::span{room_}.first(found_); }
    /// Of the words that every match has one of; of all offers when there are no such words.
    std::uint64_t changes_of_anchor() const
    {
        if (anchor_.words.empty()) return in_->table.changes();
        std::uint64_t sum = 0;
        for (auto const w : anchor_.words) sum += in_->table.changes_of(anchor_.kind, w);
        return sum;
    }
    /// Enough was found, and all that changed since is dearer than that, before and after.
    bool beyond_what_was_found() const
    {
        return found_ == room_.size() &&
               (found_ == 0 || in_->table.cheapest_changed_since(seen_) > dearest_);
    }

    offer_index::state const* in_;
    requirement what_;
    std::vector<offer_id> room_;
    std::optional<offer_query> query_{};
    offer_query::anchor anchor_{};
    std::size_t found_{0};
    std::uint64_t dearest_{0}, seen_{0}, touched_{0}, vocabulary_{0};
};

standing_search::standing_search(offer_index const& in, requirement what, std::size_t most)
    : state_{std::make_unique<state>(*in.state_, std::move(what), most)}
{}
standing_search::~standing_search() = default;
standing_search::standing_search(standing_search&&) noexcept = default;
standing_search& standing_search::operator=(standing_search&&) noexcept = default;
std::span<offer_id const> standing_search::find() { return state_->find(); }
requirement const& standing_search::what() const noexcept { return state_->what(); }

namespace {

std::string counted(std::uint64_t n, std::string_view one, std::string_view many)
{
    return std::to_string(n) + ' ' + std::string{n == 1 ? one : many};
}

/// Padded to a column, so that the reasons stand below each other.
std::string padded(std::string text, std::size_t width)
{
    text.append(width > text.size() ? width - text.size() : 0, ' ');
    return text;
}

}  // namespace

std::string to_text(explanation const& e, std::function<std::string(offer_id)> const& name)
{
    auto const called = [&](offer_id id) {
        return name ? name(id) : "offer " + std::to_string(id.get());
    };
    std::string out{};
    if (e.offers == 0) return "There are no offers.\n";
    if (e.constraints.empty())
        return "Nothing was asked, so " + counted(e.offers, "offer does", "offers do") + ".\n";
    if (e.satisfying == 0)
        out = e.offers == 1
                  ? "The only offer does not satisfy the request.\n"
                  : "None of " + std::to_string(e.offers) + " offers satisfies the request.\n";
    else
        out = std::to_string(e.satisfying) + " of " +
              counted(e.offers, "offer satisfies", "offers satisfy") + " the request.\n";
    std::size_t width = 0;
    for (auto const& c : e.constraints)
        width = std::max(width, std::min<std::size_t>(c.text.size(), 40));
    for (auto const& c : e.constraints) {
        out += "  " + padded(c.text, width) + "  ";
        if (c.failing == 0) {
            out += "every offer passes\n";
            continue;
        }
        out += c.failing == e.offers ? "no offer passes"
                                     : counted(c.failing, "offer fails", "offers fail");
        if (c.unknown != 0)
            out += c.unknown == c.failing ? ", not stated"
                                          : " (" + std::to_string(c.unknown) + " do not say)";
        if (c.nearest) {
            auto const who = called(c.nearest->id);
            out += c.would_pass == 1 ? "; without it " + who + " would do, at "
                                     : "; without it " + std::to_string(c.would_pass) +
                                           " more would do, the cheapest of them " + who + " at ";
            out += std::to_string(c.nearest->at.get());
            if (!c.nearest->value.empty() && !c.text.starts_with("price"))
                out += " with " + c.text.substr(0, c.text.find(' ')) + " " + c.nearest->value;
        }
        out += '\n';
    }
    bool const alone = std::any_of(e.constraints.begin(), e.constraints.end(),
                                   [](auto const& c) { return c.would_pass != 0; });
    if (e.satisfying == 0 && !alone)
        out += "Every offer fails at least two of these, so relaxing one alone does not help.\n";
    return out;
}

}  // namespace blendr::market
