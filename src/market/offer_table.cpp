// SPDX-License-Identifier: Apache-2.0
#include <market/offer_table.hpp>

#include <algorithm>
#include <bit>
#include <utility>

#include <blendr/core/assert.hpp>

namespace blendr::market::impl {

namespace {

constexpr std::uint64_t gib = std::uint64_t{1} << 30;
constexpr auto vram_steps = [] {
    std::array<std::uint64_t, 30> s = {0,  1,  2,   3,   4,   6,   8,   10,  11,  12,
                                       16, 20, 24,  32,  36,  40,  44,  48,  64,  80,
                                       94, 96, 128, 141, 180, 192, 256, 288, 384, 512};
    for (auto& x : s) x *= gib;
    return s;
}();
constexpr std::array<std::uint64_t, 7> driver_steps = {
    0, *version(1), *version(1, 1), *version(1, 2), *version(1, 3), *version(1, 4), *version(1, 5)};
constexpr std::array<std::uint64_t, 6> tier_steps = {0, 1, 2, 3, 4, 5};
constexpr auto reputation_steps = [] {
    std::array<std::uint64_t, 41> s{};
    for (std::size_t i = 0; i < s.size(); ++i) s[i] = i * 25;
    return s;
}();
// Four steps an octave, so that a rating between steps is compared with a fifth of its neighbours.
constexpr auto rating_steps = [] {
    std::array<std::uint64_t, 4 + 4 * 30> s{};
    for (std::size_t i = 0; i < 4; ++i) s[i] = i;
    for (std::size_t i = 4; i < s.size(); ++i) s[i] = (4 + i % 4) << (i / 4 - 1);
    return s;
}();

}  // namespace

std::span<std::uint64_t const> steps_of(attribute a)
{
    switch (a) {
    case attribute::vram:
        return vram_steps;
    case attribute::driver_api:
        return driver_steps;
    case attribute::tier:
        return tier_steps;
    case attribute::reputation:
        return reputation_steps;
    default:
        return rating_steps;
    }
}

offer_table::offer_table(offer_index::limits bounds)
    : bounds_{bounds},
      where_(bounds.offers_max, nowhere),
      words_(word_kinds, dictionary{bounds.words_max}),
      sets_(2, dictionary{bounds.words_max})
{
    for (std::size_t i = 0; i < numbers; ++i)
        steps_[i].resize(steps_of(static_cast<attribute>(first_number + i)).size());
    order_.push_back(new_block());
    lows_.push_back({});
}

std::uint32_t offer_table::hold_set(std::size_t kind, std::span<std::string const> words)
{
    std::string text{'{'};
    for (auto const& w : words) text += w + ',';
    auto const set = sets_[kind - 3].hold(text);
    if (set == 0) return 0;
    auto& known = set_words_[kind - 3];
    if (known.size() <= set) known.resize(sets_[kind - 3].numbers_used());
    auto& members = known[set].members;
    if (!members.empty() || words.empty()) return set;
    for (auto const& w : words) {
        auto const number = words_[kind].hold(w);
        if (number == 0) {
            drop_set(kind, set);
            return 0;
        }
        members.push_back(number);
    }
    return set;
}

void offer_table::drop_set(std::size_t kind, std::uint32_t set)
{
    if (set == 0) return;
    auto& sets = sets_[kind - 3];
    sets.drop(set);
    if (!sets.word(set).empty()) return;
    auto& members = set_words_[kind - 3][set].members;
    for (auto const m : members) words_[kind].drop(m);
    members.clear();
}

bool offer_table::same_words(std::size_t kind, std::uint32_t number, capability const& what) const
{
    if (number == 0) return false;
    auto const a = static_cast<attribute>(kind);
    if (kind < 3) return words_[kind].word(number) == what.word(a);
    auto const& members = set_words_[kind - 3][number].members;
    return std::equal(
        members.begin(), members.end(), what.words(a).begin(), what.words(a).end(),
        [&](std::uint32_t w, std::string const& text) { return words_[kind].word(w) == text; });
}

/// A word that `before` has in the same place is shared with it, not held again.
std::optional<offer_table::row> offer_table::hold(capability const& what, row const& before)
{
    row out{};
    for (std::size_t i = 0; i < attributes_count - 1; ++i) {
        auto const a = static_cast<attribute>(i);
        if (!what.knows(a)) continue;
        out.known = static_cast<std::uint16_t>(out.known | 1u << i);
        if (i >= first_number) {
            out.number[i - first_number] = what.number(a);
            continue;
        }
        if (same_words(i, before.word[i], what)) {
            out.word[i] = before.word[i];
            continue;
        }
        out.word[i] = i < 3 ? words_[i].hold(what.word(a)) : hold_set(i, what.words(a));
        if (out.word[i] == 0) {
            release(out, before);
            return std::nullopt;
        }
    }
    return out;
}

void offer_table::release(row const& r, row const& kept)
{
    for (std::size_t i = 0; i < word_kinds; ++i) {
        if (r.word[i] == kept.word[i]) continue;
        if (i < 3)
            words_[i].drop(r.word[i]);
        else
            drop_set(i, r.word[i]);
    }
}

void offer_table::note_change(row const& before, row const& now, std::uint64_t price)
{
    changed_at_[changes_ % remembered] = price;
    ++changes_;
    for (auto const* const r : {&before, &now})
        for (std::size_t i = 0; i < word_kinds; ++i) {
            if (r->word[i] == 0) continue;
            auto& touched = touched_[i];
            if (i < 3) {
                if (touched.size() <= r->word[i]) touched.resize(r->word[i] + 1);
                ++touched[r->word[i]];
                continue;
            }
            for (auto const w : set_words_[i - 3][r->word[i]].members) {
                if (touched.size() <= w) touched.resize(w + 1);
                ++touched[w];
            }
        }
}

std::uint64_t offer_table::cheapest_changed_since(std::uint64_t then) const noexcept
{
    if (changes_ - then > remembered) return 0;
    auto lowest = ~std::uint64_t{0};
    for (auto i = then; i < changes_; ++i) lowest = std::min(lowest, changed_at_[i % remembered]);
    return lowest;
}

std::uint64_t offer_table::vocabulary() const noexcept
{
    std::uint64_t sum = 0;
    for (auto const& d : words_) sum += d.changes();
    return sum;
}

offer_table::row offer_table::read(std::uint32_t position) const
{
    row out{};
    out.known = known_of_[position];
    for (std::size_t i = 0; i < numbers; ++i) out.number[i] = numbers_[i][position];
    for (std::size_t i = 0; i < word_kinds; ++i) out.word[i] = symbols_[i][position];
    return out;
}

void offer_table::mark(std::size_t kind, std::uint32_t word, std::uint32_t position, bool on)
{
    if (word == 0) return;
    auto const one = [&](std::uint32_t w) {
        auto& maps = with_word_[kind];
        if (maps.size() <= w) maps.resize(w + 1);
        on ? maps[w].set(position) : maps[w].clear(position);
    };
    if (kind < 3) return one(word);
    for (auto const w : set_words_[kind - 3][word].members) one(w);
}

/// Makes the position say `now` where it said `before`; what did not change is not touched.
void offer_table::write(std::uint32_t position, row const& now, row const& before)
{
    for (auto gone = static_cast<unsigned>(before.known & ~now.known); gone != 0; gone &= gone - 1)
        known_[static_cast<std::size_t>(std::countr_zero(gone))].clear(position);
    for (auto come = static_cast<unsigned>(now.known & ~before.known); come != 0; come &= come - 1)
        known_[static_cast<std::size_t>(std::countr_zero(come))].set(position);
    known_of_[position] = now.known;
    for (std::size_t i = 0; i < numbers; ++i) {
        bool const stays = now.knows(first_number + i) == before.knows(first_number + i) &&
                           now.number[i] == before.number[i];
        if (stays) continue;
        auto const steps = steps_of(static_cast<attribute>(first_number + i));
        auto const levels = [&](row const& r) {
            return r.knows(first_number + i) ? step_below(steps, r.number[i]) + 1 : 0;
        };
        auto const from = levels(before), to = levels(now);
        for (auto k = from; k < to; ++k) steps_[i][k].set(position);
        for (auto k = to; k < from; ++k) steps_[i][k].clear(position);
        numbers_[i][position] = now.number[i];
    }
    for (std::size_t i = 0; i < word_kinds; ++i) {
        if (now.word[i] != before.word[i]) {
            mark(i, before.word[i], position, false);
            mark(i, now.word[i], position, true);
        }
        symbols_[i][position] = now.word[i];
    }
}

std::size_t offer_table::rank_of(offer_key key) const noexcept
{
    auto const above = std::upper_bound(lows_.begin(), lows_.end(), key);
    return static_cast<std::size_t>(above - lows_.begin()) - 1;
}

std::uint32_t offer_table::new_block()
{
    if (!free_blocks_.empty()) {
        auto const b = free_blocks_.back();
        free_blocks_.pop_back();
        blocks_[b] = {};
        return b;
    }
    auto const b = static_cast<std::uint32_t>(blocks_.size());
    blocks_.emplace_back();
    auto const positions = blocks_.size() * block_size;
    ids_.resize(positions);
    prices_.resize(positions);
    for (auto& c : numbers_) c.resize(positions);
    for (auto& c : symbols_) c.resize(positions);
    known_of_.resize(positions);
    return b;
}

/// Takes the first free place of a block that has one.
std::uint32_t offer_table::enter(std::uint32_t b, offer_key key)
{
    auto& in = blocks_[b];
    std::uint32_t place = 0;
    while (in.used.w[place >> 6] == ~std::uint64_t{0}) place += 64;
    place += static_cast<std::uint32_t>(std::countr_one(in.used.w[place >> 6]));
    auto const position = b * block_size + place;
    auto const end = in.by_key.begin() + in.count;
    auto const slot =
        std::lower_bound(in.by_key.begin(), end, key, [&](std::uint16_t p, offer_key k) {
            return this->key(b * block_size + p) < k;
        });
    std::move_backward(slot, end, end + 1);
    *slot = static_cast<std::uint16_t>(place);
    in.used.set(place);
    ++in.count;
    used_.set(position);
    ids_[position] = key.id;
    prices_[position] = key.price;
    where_[key.id] = position;
    return position;
}

void offer_table::leave(std::uint32_t position)
{
    auto& in = blocks_[position / block_size];
    auto const place = static_cast<std::uint16_t>(position % block_size);
    auto const end = in.by_key.begin() + in.count;
    auto const slot = std::find(in.by_key.begin(), end, place);
    BLENDR_ASSERT(slot != end);
    std::move(slot + 1, end, slot);
    in.used.clear(place);
    --in.count;
    used_.clear(position);
    where_[ids_[position]] = nowhere;
}

void offer_table::move(std::uint32_t from, std::uint32_t to_block)
{
    auto const what = read(from);
    auto const k = key(from);
    write(from, row{}, what);
    leave(from);
    write(enter(to_block, k), what, row{});
}

void offer_table::split(std::size_t rank)
{
    auto const b = order_[rank];
    auto const fresh = new_block();
    std::vector<std::uint32_t> upper{};
    for (auto i = blocks_[b].count / 2; i < blocks_[b].count; ++i)
        upper.push_back(b * block_size + blocks_[b].by_key[i]);
    auto const low = key(upper.front());
    for (auto const position : upper) move(position, fresh);
    order_.insert(order_.begin() + static_cast<std::ptrdiff_t>(rank) + 1, fresh);
    lows_.insert(lows_.begin() + static_cast<std::ptrdiff_t>(rank) + 1, low);
}

/// Joins a block and the next one when half a block holds both, so that blocks never stay sparse.
void offer_table::merge_after(std::size_t rank)
{
    if (rank + 1 >= order_.size()) return;
    auto const a = order_[rank], b = order_[rank + 1];
    if (blocks_[a].count + blocks_[b].count > block_size / 2) return;
    std::vector<std::uint32_t> all{};
    for (std::uint32_t i = 0; i < blocks_[b].count; ++i)
        all.push_back(b * block_size + blocks_[b].by_key[i]);
    for (auto const position : all) move(position, a);
    free_blocks_.push_back(b);
    order_.erase(order_.begin() + static_cast<std::ptrdiff_t>(rank) + 1);
    lows_.erase(lows_.begin() + static_cast<std::ptrdiff_t>(rank) + 1);
}

result<nothing, reject> offer_table::put(offer_id id, price at, capability const& what)
{
    if (id.get() >= bounds_.offers_max) return fail{reject::index_full};
    offer_key const k{at.get(), id.get()};
    auto const old = where_[id.get()];
    auto const before = old == nowhere ? row{} : read(old);
    auto const now = hold(what, before);
    if (!now) return fail{reject::index_full};
    note_change(before, *now, old == nowhere ? at.get() : std::min(at.get(), prices_[old]));
    if (old != nowhere) {
        if (prices_[old] == at.get()) {
            write(old, *now, before);
            release(before, *now);
            return nothing{};
        }
        remove(old);
        release(before, *now);
    }
    auto rank = rank_of(k);
    if (blocks_[order_[rank]].count == block_size) {
        split(rank);
        rank = rank_of(k);
    }
    write(enter(order_[rank], k), *now, row{});
    ++size_;
    return nothing{};
}

bool offer_table::erase(offer_id id)
{
    auto const position = where(id);
    if (position == nowhere) return false;
    auto const before = read(position);
    note_change(before, row{}, prices_[position]);
    remove(position);
    release(before, row{});
    return true;
}

void offer_table::remove(std::uint32_t position)
{
    auto const rank = rank_of(key(position));
    write(position, row{}, read(position));
    leave(position);
    --size_;
    merge_after(rank);
    if (rank > 0) merge_after(rank - 1);
}

std::string offer_table::value_text(attribute a, std::uint32_t position) const
{
    auto const i = static_cast<std::size_t>(a);
    if (a == attribute::price) return std::to_string(prices_[position]);
    if (!known(a).test(position)) return "unknown";
    if (i >= first_number) return number_text(info(a).type, value(a, position));
    auto const symbol = symbols_[i][position];
    if (i < 3) return words_[i].word(symbol);
    std::string text = "{";
    std::vector<std::string> names{};
    for (auto const w : set_words_[i - 3][symbol].members) names.push_back(words_[i].word(w));
    std::sort(names.begin(), names.end());
    for (auto const& n : names) text += (text.size() > 1 ? "," : "") + n;
    return text + '}';
}

void offer_table::check() const
{
    std::size_t total = 0;
    BLENDR_ASSERT(order_.size() == lows_.size() && lows_[0] == offer_key{});
    for (std::size_t rank = 0; rank < order_.size(); ++rank) {
        auto const& b = blocks_[order_[rank]];
        BLENDR_ASSERT(b.used.count() == b.count);
        total += b.count;
        for (std::uint32_t i = 0; i < b.count; ++i) {
            auto const position = order_[rank] * block_size + b.by_key[i];
            auto const k = key(position);
            BLENDR_ASSERT(b.used.test(b.by_key[i]) && used_.test(position));
            BLENDR_ASSERT(where_[k.id] == position && k >= lows_[rank]);
            BLENDR_ASSERT(rank + 1 == order_.size() || k < lows_[rank + 1]);
            BLENDR_ASSERT(i == 0 || key(order_[rank] * block_size + b.by_key[i - 1]) < k);
            auto const r = read(position);
            for (std::size_t n = 0; n < attributes_count - 1; ++n)
                BLENDR_ASSERT(known_[n].test(position) == r.knows(n));
            for (std::size_t n = 0; n < numbers; ++n) {
                auto const steps = steps_of(static_cast<attribute>(first_number + n));
                for (std::size_t s = 0; s < steps.size(); ++s)
                    BLENDR_ASSERT(steps_[n][s].test(position) ==
                                  (r.knows(first_number + n) && r.number[n] >= steps[s]));
            }
        }
    }
    BLENDR_ASSERT(total == size_ && used_.count() == size_);
    for (auto const& m : known_) BLENDR_ASSERT(m.count() <= size_);
}

}  // namespace blendr::market::impl
