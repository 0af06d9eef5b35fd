// SPDX-License-Identifier: Apache-2.0
#include <blendr/market/queries.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include <blendr/core/assert.hpp>
#include <blendr/crypto/bech32.hpp>
#include <blendr/ledger/index.hpp>

namespace blendr::market::query {

using ledger::row_step;

namespace {

std::size_t page(std::uint32_t most) { return std::min(most, page_max); }

/// Up to `most` things of an ordered set that come after `after`, as long as `of` says so.
template <class Set, class After, class Of, class Take>
void turn(Set const& all, After const& after, std::uint32_t most, Of&& of, Take&& take)
{
    auto left = page(most);
    for (auto at = all.upper_bound(after); left != 0 && at != all.end() && of(*at); ++at, --left)
        take(*at);
}

bool present(devices::row const& row) { return row.status.state != device_state::absent; }

}  // namespace

class index::state {
public:
    /// Spot asks of a class, searchable.
    struct shelf {
        offer_index offers{{.offers_max = 1u << 17, .words_max = 4096}};
        std::vector<order_key> keys{};  // by id
        std::vector<std::uint32_t> free{};
        std::map<order_key, std::uint32_t> ids{};

        void put(order_key const& key, price at, capability const& what)
        {
            auto const known = ids.find(key);
            auto const id = known == ids.end() ? new_id() : known->second;
            if (!id) return;
            if (!offers.put(offer_id{*id}, at, what)) {
                if (known == ids.end()) free.push_back(*id);
                return;  // more words than anybody needs: not found by them
            }
            keys[*id] = key;
            ids.insert_or_assign(key, *id);
        }
        void erase(order_key const& key)
        {
            auto const known = ids.find(key);
            if (known == ids.end()) return;
            offers.erase(offer_id{known->second});
            free.push_back(known->second);
            ids.erase(known);
        }

    private:
        std::optional<std::uint32_t> new_id()
        {
            if (!free.empty()) {
                auto const id = free.back();
                free.pop_back();
                return id;
            }
            if (keys.size() == 1u << 17) return std::nullopt;
            keys.emplace_back();
            return static_cast<std::uint32_t>(keys.size() - 1);
        }
    };
    struct device {
        std::optional<device_class> of{};
        std::optional<capability> offers{};  ///< while it may be rented
        std::map<order_key, price> asks{};
    };
    using ladder = std::map<price, level>;

    std::map<std::pair<instrument, side>, ladder> ladders{};
    std::set<std::pair<address, order_key>> by_owner{};
    std::set<instrument> traded{};
    std::map<device_key, device> devices{};
    std::set<std::pair<device_class, device_key>> by_class{};
    std::map<device_class, shelf> shelves{};

    void rest(order_key const& key, orders::row const& row, bool comes)
    {
        auto const name = std::pair{key.of, key.way};
        auto& prices = ladders[name];
        auto& at = prices[row.limit];
        at.at = row.limit;
        at.orders += comes ? 1u : ~0u;
        at.size = comes ? at.size + row.left : at.size - row.left;
        if (at.orders == 0) prices.erase(row.limit);
        if (prices.empty()) ladders.erase(name);
    }
    void show(order_key const& key, price at, device const& from)
    {
        auto& on = shelves[key.of.what];
        if (!from.offers) {
            on.erase(key);
            return;
        }
        on.put(key, at, *from.offers);
    }
};

index::index() : state_{std::make_unique<state>()} {}
index::~index() = default;
index::index(index&&) noexcept = default;
index& index::operator=(index&&) noexcept = default;

void index::follow(row_step<orders> const& step)
{
    auto const& [key, before, after] = step;
    auto& s = *state_;
    bool const was = orders::present(before), is = orders::present(after);
    if (was) s.rest(key, before, false);
    if (is) s.rest(key, after, true);
    if (was && !is) s.by_owner.erase({key.owner, key});
    if (is && !was) s.by_owner.insert({key.owner, key});
    if (key.way != side::sell || !is_spot(key.of)) return;
    if (was && !is) {
        device_key const of{key.owner, before.device};
        auto const known = s.devices.find(of);
        known->second.asks.erase(key);
        s.shelves[key.of.what].erase(key);
        if (known->second.asks.empty() && !known->second.of) s.devices.erase(known);
    } else if (is) {
        auto& known = s.devices[{key.owner, after.device}];
        known.asks.insert_or_assign(key, after.limit);
        s.show(key, after.limit, known);
    }
}

void index::follow(row_step<devices> const& step)
{
    auto const& [key, before, after] = step;
    auto& s = *state_;
    bool const was = present(before), is = present(after);
    if (!was && !is) return;
    if (was) s.by_class.erase({before.of, key});
    if (is) s.by_class.insert({after.of, key});
    auto& known = s.devices[key];
    known.of = is ? std::optional{after.of} : std::nullopt;
    bool const same = was && is && before.capability == after.capability &&
                      before.status.tier == after.status.tier &&
                      before.status.state == after.status.state;
    if (same) return;
    bool const reachable = is && after.status.state != device_state::disconnected &&
                           after.status.state != device_state::suspended;
    known.offers.reset();
    if (auto what = capability::parse(after.capability); reachable && what) {
        (void)what->set(attribute::tier, std::uint64_t{after.status.tier});
        known.offers = *std::move(what);
    }
    for (auto const& [order, at] : known.asks) s.show(order, at, known);
    if (known.asks.empty() && !is) s.devices.erase(key);
}

void index::follow(row_step<markets> const& step)
{
    if (step.after == markets::row{})
        state_->traded.erase(step.key);
    else
        state_->traded.insert(step.key);
}

std::vector<level> index::side_of(instrument const& of, side way, std::uint32_t most) const
{
    std::vector<level> out{};
    auto const found = state_->ladders.find({of, way});
    if (found == state_->ladders.end()) return out;
    auto const take = [&](auto from, auto end) {
        for (auto left = page(most); left != 0 && from != end; ++from, --left)
            out.push_back(from->second);
    };
    if (way == side::buy)
        take(found->second.rbegin(), found->second.rend());
    else
        take(found->second.begin(), found->second.end());
    return out;
}

std::vector<order_key> index::orders_of(address const& owner, order_key const& after,
                                        std::uint32_t most) const
{
    std::vector<order_key> out{};
    turn(
        state_->by_owner, std::pair{owner, after}, most,
        [&](auto const& each) { return each.first == owner; },
        [&](auto const& each) { out.push_back(each.second); });
    return out;
}

std::vector<instrument> index::traded(instrument const& after, std::uint32_t most) const
{
    std::vector<instrument> out{};
    turn(
        state_->traded, after, most, [](auto const&) { return true; },
        [&](auto const& each) { out.push_back(each); });
    return out;
}

std::vector<device_key> index::of_class(device_class what, device_key const& after,
                                        std::uint32_t most) const
{
    std::vector<device_key> out{};
    turn(
        state_->by_class, std::pair{what, after}, most,
        [&](auto const& each) { return each.first == what; },
        [&](auto const& each) { out.push_back(each.second); });
    return out;
}

std::vector<device_key> index::of_owner(address const& owner, device_key const& after,
                                        std::uint32_t most) const
{
    std::vector<device_key> out{};
    auto at = after < device_key{owner, 0} ? state_->devices.lower_bound(device_key{owner, 0})
                                           : state_->devices.upper_bound(after);
    for (; out.size() < page(most) && at != state_->devices.end() && at->first.owner == owner; ++at)
        if (at->second.of) out.push_back(at->first);
    return out;
}

std::uint32_t index::asks_of(device_key const& device) const
{
    auto const found = state_->devices.find(device);
    return found == state_->devices.end() ? 0
                                          : static_cast<std::uint32_t>(found->second.asks.size());
}

result<explained, reject> index::explain(query::explain const& asked) const
{
    std::string text = asked.wanted;
    if (asked.limit != price{0}) {
        auto const limit = "price <= " + std::to_string(asked.limit.get());
        bool const all = text.find_first_not_of(" \t\n") == std::string::npos;
        text = all ? limit : '(' + text + ") && " + limit;
    }
    auto const wanted = requirement::parse(text);
    if (!wanted)
        return fail{wanted.error().too_large ? reject::expression_too_long
                                             : reject::bad_expression};
    static state::shelf const empty{};
    auto const found = state_->shelves.find(asked.what);
    auto const& shelf = found == state_->shelves.end() ? empty : found->second;
    auto const why = shelf.offers.explain(*wanted);
    auto const name = [&](offer_id id) {
        auto const& key = shelf.keys[id.get()];
        return "order " + std::to_string(key.client_id) + " of " + crypto::to_text(key.owner);
    };
    explained out{why.offers, why.satisfying, {}, {}, to_text(why, name)};
    std::array<offer_id, 10> cheapest{};
    auto const n = shelf.offers.find(*wanted, cheapest);
    for (std::size_t i = 0; i < n; ++i) out.cheapest.push_back(shelf.keys[cheapest[i].get()]);
    for (auto const& c : why.constraints) {
        constraint each{c.text, c.failing, c.unknown, c.would_pass, {}};
        if (c.nearest)
            each.nearest =
                near_miss{shelf.keys[c.nearest->id.get()], c.nearest->at, c.nearest->value};
        out.constraints.push_back(std::move(each));
    }
    return out;
}

}  // namespace blendr::market::query
