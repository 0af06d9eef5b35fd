// SPDX-License-Identifier: Apache-2.0
#include <blendr/market/offer_index.hpp>

#include <algorithm>
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

    /// Calls visit(block, possible matches) in order of price until it says false.
    template <class Visit>
    void search(offer_query const& q, Visit&& visit) const
    {
        constexpr std::size_t probe = 48;  // blocks before it pays to look at all of them at once
        auto const& order = table.order();
        auto rank = first_rank(q);
        auto const end = order.size();
        std::uint64_t word = 0;
        std::size_t word_at = ~std::size_t{0};
        std::vector<std::uint64_t> some{};
        for (std::size_t n = 0; rank < end; ++rank, ++n) {
            if (table.low(rank).price > q.price_high()) return;
            auto const b = order[rank];
            if (n == probe) some = nonempty(q);
            if (n >= probe) {
                word = some[b / 64];
            } else if (word_at != b / 64) {
                word_at = b / 64;
                word = q.candidates(word_at);
            }
            if ((word >> (b % 64) & 1) == 0) continue;
            lanes found;
            q.possible(b, found);
            if (found.any() && !visit(b, found)) return;
        }
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
    /// Which blocks have a possible match: bitmaps read front to back, as memory likes it.
    std::vector<std::uint64_t> nonempty(offer_query const& q) const
    {
        std::vector<std::uint64_t> out((table.blocks() + 63) / 64);
        for (std::size_t w = 0; w < out.size(); ++w)
            for (auto rest = q.candidates(w); rest != 0; rest &= rest - 1) {
                auto const bit = static_cast<std::uint32_t>(std::countr_zero(rest));
                lanes found;
                q.possible(static_cast<std::uint32_t>(w * 64) + bit, found);
                if (found.any()) out[w] |= std::uint64_t{1} << bit;
            }
        return out;
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
    auto const& table = state_->table;
    offer_query const q{table, what};
    std::size_t n = 0;
    if (out.empty()) return n;
    state_->search(q, [&](std::uint32_t b, lanes const& found) {
        auto const& block = table.at(b);
        for (std::uint32_t i = 0; i < block.count; ++i) {
            auto const place = block.by_key[i];
            if (!found.test(place)) continue;
            auto const position = b * block_size + place;
            if (!q.exact() && !q.matches(position)) continue;
            out[n++] = offer_id{table.key(position).id};
            if (n == out.size()) return false;
        }
        return true;
    });
    return n;
}

std::uint64_t offer_index::count(requirement const& what) const
{
    offer_query const q{state_->table, what};
    std::uint64_t n = 0;
    state_->search(q, [&](std::uint32_t b, lanes const& found) {
        if (q.exact()) {
            n += found.count();
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

    std::vector<lanes> holds(m), before(m + 1);
    for (auto const b : table.order()) {
        auto const& block = table.at(b);
        before[0] = block.used;
        for (std::size_t i = 0; i < m; ++i) {
            q.holds(q.constraint_in_order(i), b, holds[i]);
            auto& c = out.constraints[i];
            c.failing += block.count - holds[i].count();
            auto const& head = parts[i][0];
            if (parts[i].size() == 1 && head.what != requirement::part::kind::known &&
                head.of != attribute::price) {
                auto const* const known = table.known(head.of).block(b);
                c.unknown += block.count - (known == nullptr ? 0 : known->count());
            }
            before[i + 1] = before[i];
            before[i + 1] &= holds[i];
        }
        out.satisfying += before[m].count();
        lanes after = block.used;
        for (auto i = m; i-- > 0;) {
            auto only = before[i];  // all others hold, this one does not
            only &= after;
            only.remove(holds[i]);
            after &= holds[i];
            auto const n = only.count();
            auto& c = out.constraints[i];
            c.would_pass += n;
            if (n == 0 || c.nearest) continue;
            for (std::uint32_t k = 0; k < block.count; ++k) {
                if (!only.test(block.by_key[k])) continue;
                auto const position = b * block_size + block.by_key[k];
                auto const key = table.key(position);
                c.nearest = explanation::near_miss{
                    offer_id{key.id}, price{key.price},
                    parts[i].size() == 1 ? table.value_text(parts[i][0].of, position) : ""};
                break;
            }
        }
    }
    return out;
}

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

std::string to_text(explanation const& e)
{
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
        out += c.failing == e.offers ? "no offer passes" : counted(c.failing, "fails", "fail");
        if (c.unknown != 0)
            out += c.unknown == c.failing ? ", not stated"
                                          : " (" + std::to_string(c.unknown) + " do not say)";
        if (c.would_pass != 0)
            out += "; without it " + std::to_string(c.would_pass) + " more would do";
        if (c.nearest) {
            out += ", the cheapest is offer " + std::to_string(c.nearest->id.get()) + " at " +
                   std::to_string(c.nearest->at.get());
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
