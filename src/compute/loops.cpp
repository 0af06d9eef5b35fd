// SPDX-License-Identifier: Apache-2.0
// Finds loops that end by what stands in them. All of it has to be seen in the program's text:
//
//   the blocks from its header to the block that goes back, as they stand, are entered by the header alone and left
//   by one edge alone, from the check to the merge block: no break, no return, no way in from the side
//   the check comes right after the header, in each round, and compares one 32-bit integer with a constant
//   that integer begins as a constant, and each round adds one constant to it: a phi of the header, or a variable
//   that nothing but loads and stores touches, stored to once in the loop, in the block that goes back
//   it reaches the limit before it could wrap
//   all loops inside are of this kind, and what is called inside has none
//
// So each entry costs the same number of rounds, known here. Nothing depends on dominators or on reachability.
#include "loops.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace blendr::compute {

namespace {

constexpr std::uint32_t nowhere = refusal::nowhere;

struct block {
    std::uint32_t id = 0;
    std::uint32_t begin = nowhere, end = nowhere;  // the label, the terminator
    std::uint32_t merge = nowhere;                 // the instruction before the terminator
    bool is_header = false;
    std::uint32_t edges_in = 0;
    std::uint32_t first_in = nowhere, last_in = 0;  // blocks that lead here
};

struct found {
    std::uint32_t header = 0, last = 0;  // blocks
    std::uint32_t payer = 0;             // the block that leads here
    std::uint64_t cost = 0;              // rounds of one entry, loops inside included
    bool inside = false;                 // of another one, which pays
};

class finder {
public:
    finder(spirv_module const& m, analysis const& a, std::uint32_t loop_budget)
        : m_{m},
          a_{a},
          budget_{loop_budget},
          work_left_{std::uint64_t{16} * m.size()}
    {}

    fixed_loops find()
    {
        fixed_loops made;
        made.headers.resize(m_.bound());
        block_of_.assign(m_.bound(), nowhere);
        touched_.resize(m_.bound());
        if (!read_blocks()) return made;
        loop_at_.assign(blocks_.size(), nowhere);
        for (auto h = static_cast<std::uint32_t>(blocks_.size()); h-- > 0;)  // inner ones first
            if (blocks_[h].is_header) examine(h);
        if (most() > budget_) return made;
        for (auto const& each : all_) {
            made.headers[blocks_[each.header].id] = true;
            if (each.inside) continue;
            auto const& from = blocks_[each.payer];
            auto& sum = made.payments[from.merge != nowhere ? from.merge : from.end];
            sum = static_cast<std::uint32_t>(std::min<std::uint64_t>(sum + each.cost, budget_));
        }
        return made;
    }

private:
    // ------------------------------------------------------------ what stands where
    static op code(instruction const& in) { return static_cast<op>(in.opcode()); }

    static bool ends_block(op code) { return code >= op::branch && code <= op::unreachable; }

    bool read_blocks()
    {
        bool inside = false;
        for (std::uint32_t i = 0; i < m_.size(); ++i) {
            auto const in = m_[i];
            if (code(in) == op::label) {
                if (inside) return false;
                inside = true;
                block_of_[in.result()] = static_cast<std::uint32_t>(blocks_.size());
                blocks_.push_back({in.result(), i});
            } else if (inside) {
                auto& b = blocks_.back();
                note_touched(in);
                if (code(in) == op::loop_merge || code(in) == op::selection_merge) b.merge = i;
                if (code(in) == op::loop_merge) b.is_header = true;
                if (!ends_block(code(in))) continue;
                b.end = i;
                inside = false;
            }
        }
        for (std::uint32_t k = 0; k < blocks_.size(); ++k) {
            bool const good = each_target(m_[blocks_[k].end], [&](std::uint32_t to) {
                auto& target = blocks_[to];
                ++target.edges_in;
                target.first_in = std::min(target.first_in, k);
                target.last_in = std::max(target.last_in, k);
                return true;
            });
            if (!good) return false;
        }
        return !inside;
    }

    /// Variables are left alone but for loads and stores; a literal that looks like one of them only makes us careful.
    void note_touched(instruction const& in)
    {
        auto const c = code(in);
        if (c == op::line || c == op::variable) return;
        std::uint32_t const pointer = c == op::load ? 3 : c == op::store ? 1 : 0;
        for (std::uint32_t k = in.type() != 0 ? 3 : 1; k < in.size(); ++k)
            if (k != pointer && in.word(k) < touched_.size()) touched_[in.word(k)] = true;
    }

    /// False when one of them is no block, or when `f` says so.
    template <class F>
    bool each_target(instruction const& in, F&& f) const
    {
        auto const go = [&](std::uint32_t word) {
            if (word >= in.size() || in.word(word) >= block_of_.size()) return false;
            auto const to = block_of_[in.word(word)];
            return to != nowhere && f(to);
        };
        switch (code(in)) {
        case op::branch:
            return go(1);
        case op::branch_conditional:
            return go(2) && go(3);
        case op::switch_: {
            std::uint32_t const step = a_.type(type_of(m_, in.word(1))).width == 64 ? 3 : 2;
            if (!go(2)) return false;
            for (std::uint32_t k = 3 + step - 1; k < in.size(); k += step)
                if (!go(k)) return false;
            return true;
        }
        default:
            return true;
        }
    }

    bool in_block(std::uint32_t at, std::uint32_t k) const
    {
        return at != nowhere && at >= blocks_[k].begin && at <= blocks_[k].end;
    }

    // ------------------------------------------------------------ one loop
    void examine(std::uint32_t h)
    {
        auto const& header = blocks_[h];
        auto const& merge = m_[header.merge];
        found made;
        made.header = h;
        made.payer = header.first_in;
        made.last = header.last_in;
        if (header.edges_in != 2 || made.payer >= h || made.last < h) return;
        auto const size = blocks_[made.last].end - header.begin;
        if (size > work_left_) return;  // nested too deep to be looked at in linear time
        work_left_ -= size;

        auto const end = m_[header.end];
        auto const check = code(end) == op::branch ? block_of_[end.word(1)] : h;
        auto const out = block_of_[merge.word(1)];
        if (check == nowhere || (check != h && blocks_[check].is_header)) return;
        auto const inner = closed(made, check, out);
        if (!inner) return;
        auto const how = count(made, check, out);
        if (!how) return;
        auto const rounds = rounds_of(*how);
        if (!rounds) return;
        made.cost = add_capped(*rounds + 1, multiply_capped(*rounds, *inner));
        if (made.cost > budget_) return;
        for (auto k = h; k <= made.last; ++k)
            if (loop_at_[k] != nowhere) all_[loop_at_[k]].inside = true;
        loop_at_[h] = static_cast<std::uint32_t>(all_.size());
        all_.push_back(made);
    }

    /// Whether it is entered and left as it should be. What the loops inside cost in one round, if so.
    std::optional<std::uint64_t> closed(found const& of, std::uint32_t check,
                                        std::uint32_t out) const
    {
        std::uint64_t inner = 0;
        std::uint32_t exits = 0;
        auto const inside = [&](std::uint32_t k) { return k >= of.header && k <= of.last; };
        if (!inside(check) || inside(out)) return std::nullopt;
        for (auto k = of.header; k <= of.last; ++k) {
            auto const& b = blocks_[k];
            if (k != of.header) {
                if (b.edges_in == 0 || b.first_in < of.header || b.last_in > of.last)
                    return std::nullopt;
                if (b.is_header && loop_at_[k] == nowhere) return std::nullopt;
                if (b.is_header && !all_[loop_at_[k]].inside)
                    inner = add_capped(inner, all_[loop_at_[k]].cost);
            }
            for (auto i = b.begin; i <= b.end; ++i) {
                auto const in = m_[i];
                if (code(in) == op::function_call && calls_loops(in)) return std::nullopt;
            }
            auto const end = m_[b.end];
            if (code(end) != op::branch && code(end) != op::branch_conditional &&
                code(end) != op::switch_)
                return std::nullopt;
            bool const good = each_target(end, [&](std::uint32_t to) {
                if (inside(to)) return true;
                ++exits;
                return k == check && to == out;
            });
            if (!good) return std::nullopt;
        }
        if (exits != 1) return std::nullopt;
        return inner;
    }

    bool calls_loops(instruction const& call) const
    {
        auto const id = call.word(3);
        auto const g = id < a_.function_of.size() ? a_.function_of[id] : nowhere;
        return g == nowhere || a_.functions[g].loops;
    }

    // ------------------------------------------------------------ its counter
    std::optional<counter> count(found const& of, std::uint32_t check, std::uint32_t out)
    {
        auto const end = m_[blocks_[check].end];
        if (code(end) != op::branch_conditional) return std::nullopt;
        counter made;
        made.stays = block_of_[end.word(3)] == out;
        auto const where = m_.definition(end.word(1));
        if (!in_block(where, check) && !in_block(where, of.header)) return std::nullopt;
        auto const test = m_[where];
        auto const mirrored = compared(code(test));
        if (!mirrored) return std::nullopt;
        for (std::uint32_t const k : {3u, 4u}) {
            auto const limit = a_.constant(test.word(7 - k));
            if (!limit || a_.constant(test.word(k))) continue;
            made.compare = k == 3 ? code(test) : *mirrored;
            made.limit = *limit;
            if (as_phi(of, test.word(k), made) || as_variable(of, check, test.word(k), made))
                return made;
        }
        return std::nullopt;
    }

    /// The same comparison with its sides exchanged, of those that go by order.
    static std::optional<op> compared(op code)
    {
        switch (code) {
        case op::u_less_than:
            return op::u_greater_than;
        case op::u_less_than_equal:
            return op::u_greater_than_equal;
        case op::u_greater_than:
            return op::u_less_than;
        case op::u_greater_than_equal:
            return op::u_less_than_equal;
        case op::s_less_than:
            return op::s_greater_than;
        case op::s_less_than_equal:
            return op::s_greater_than_equal;
        case op::s_greater_than:
            return op::s_less_than;
        case op::s_greater_than_equal:
            return op::s_less_than_equal;
        default:
            return std::nullopt;
        }
    }

    bool is_word(std::uint32_t type) const
    {
        return a_.type(type).kind == op::type_int && a_.type(type).width == 32;
    }

    /// `value` is `of_what` plus a constant, which becomes the step.
    bool adds(std::uint32_t value, std::uint32_t from, std::uint32_t to, auto const& of_what,
              counter& to_fill) const
    {
        auto const where = m_.definition(value);
        if (where == nowhere || where < from || where > to) return false;
        auto const in = m_[where];
        if (!is_word(in.type())) return false;
        if (code(in) == op::i_sub) {
            auto const by = a_.constant(in.word(4));
            if (!by || !of_what(in.word(3))) return false;
            to_fill.step = 0u - *by;
            return true;
        }
        if (code(in) != op::i_add) return false;
        for (std::uint32_t const k : {3u, 4u}) {
            auto const by = a_.constant(in.word(7 - k));
            if (!by || !of_what(in.word(k))) continue;
            to_fill.step = *by;
            return true;
        }
        return false;
    }

    bool as_phi(found const& of, std::uint32_t value, counter& to_fill) const
    {
        auto const where = m_.definition(value);
        if (!in_block(where, of.header)) return false;
        auto const in = m_[where];
        if (code(in) != op::phi || in.size() != 7 || !is_word(in.type())) return false;
        bool const turned = in.word(4) == blocks_[of.last].id;
        if (in.word(turned ? 6 : 4) != blocks_[of.payer].id ||
            in.word(turned ? 4 : 6) != blocks_[of.last].id)
            return false;
        auto const first = a_.constant(in.word(turned ? 5 : 3));
        if (!first) return false;
        to_fill.first = *first;
        return adds(
            in.word(turned ? 3 : 5), blocks_[of.header].begin, blocks_[of.last].end,
            [&](std::uint32_t id) { return id == value; }, to_fill);
    }

    /// The variable that `value` was loaded from, in one of two blocks; 0 when it was not.
    std::uint32_t loaded_from(std::uint32_t value, std::uint32_t k, std::uint32_t other) const
    {
        auto const where = m_.definition(value);
        if (!in_block(where, k) && !in_block(where, other)) return 0;
        return code(m_[where]) == op::load ? m_[where].word(3) : 0;
    }

    bool as_variable(found const& of, std::uint32_t check, std::uint32_t value, counter& to_fill)
    {
        auto const v = loaded_from(value, check, of.header);
        auto const where = v == 0 ? nowhere : m_.definition(v);
        if (where == nowhere || touched_[v] || code(m_[where]) != op::variable) return false;
        auto const& pointer = a_.type(m_[where].type());
        if (pointer.where != storage::function || !is_word(pointer.element)) return false;
        // The store is done once a round and after the check: its block is another one, and goes nowhere but back.
        if (of.last == of.header || of.last == check) return false;
        if (code(m_[blocks_[of.last].end]) != op::branch) return false;

        auto const size = blocks_[of.last].end - blocks_[of.header].begin;
        if (size > work_left_) return false;
        work_left_ -= size;
        std::uint32_t stored = 0, stores = 0;
        for (auto i = blocks_[of.header].begin; i <= blocks_[of.last].end; ++i) {
            if (code(m_[i]) != op::store || m_[i].word(1) != v) continue;
            ++stores;
            stored = i;
        }
        if (stores != 1 || !in_block(stored, of.last)) return false;
        bool const steps = adds(
            m_[stored].word(2), blocks_[of.last].begin, stored,
            [&](std::uint32_t id) { return loaded_from(id, of.last, of.last) == v; }, to_fill);
        if (!steps) return false;

        auto const& before = blocks_[of.payer];
        for (auto i = before.end; i > before.begin; --i) {
            if (code(m_[i]) != op::store || m_[i].word(1) != v) continue;
            auto const first = a_.constant(m_[i].word(2));
            if (first) to_fill.first = *first;
            return first.has_value();
        }
        return false;
    }

    // ------------------------------------------------------------ all of them
    /// What they cost together if the kernel goes by each of them once, however it calls its functions.
    std::uint64_t most() const
    {
        std::vector<std::uint64_t> sums(a_.functions.size());
        for (auto const& each : all_) {
            if (each.inside) continue;
            // Functions stand in order of their first instruction.
            auto const at = blocks_[each.header].begin;
            auto const after =
                std::upper_bound(a_.functions.begin(), a_.functions.end(), at,
                                 [](std::uint32_t i, auto const& f) { return i < f.first; });
            auto& sum = sums[static_cast<std::size_t>(after - a_.functions.begin()) - 1];
            sum = add_capped(sum, each.cost);
        }
        for (auto const f : a_.callees_first)
            for (auto const id : a_.functions[f].calls)
                sums[f] = add_capped(sums[f], sums[a_.function_of[id]]);
        return sums[a_.function_of[a_.entry]];
    }

    spirv_module const& m_;
    analysis const& a_;
    std::uint32_t budget_;
    std::uint64_t work_left_;  // instructions that may still be looked at again
    std::vector<block> blocks_;
    std::vector<std::uint32_t> block_of_;  // by id
    std::vector<bool> touched_;            // by id: used by more than loads and stores
    std::vector<found> all_;
    std::vector<std::uint32_t> loop_at_;  // by block: one of `all_` that begins there
};

}  // namespace

std::optional<std::uint64_t> rounds_of(counter const& of) noexcept
{
    bool is_signed = false, less = false, equal = false;
    switch (of.compare) {
    case op::s_less_than:
        is_signed = less = true;
        break;
    case op::u_less_than:
        less = true;
        break;
    case op::s_less_than_equal:
        is_signed = less = equal = true;
        break;
    case op::u_less_than_equal:
        less = equal = true;
        break;
    case op::s_greater_than:
        is_signed = true;
        break;
    case op::u_greater_than:
        break;
    case op::s_greater_than_equal:
        is_signed = equal = true;
        break;
    case op::u_greater_than_equal:
        equal = true;
        break;
    default:
        return std::nullopt;
    }
    if (!of.stays) less = !less, equal = !equal;
    auto const number = [&](std::uint32_t bits) {
        return is_signed ? std::int64_t{static_cast<std::int32_t>(bits)} : std::int64_t{bits};
    };
    // Counting down is counting up with all signs turned.
    std::int64_t const sign = less ? 1 : -1;
    auto const step = sign * std::int64_t{static_cast<std::int32_t>(of.step)};
    auto const first = sign * number(of.first);
    auto const limit = sign * number(of.limit) + (equal ? 1 : 0);
    auto const lowest = is_signed ? -(std::int64_t{1} << 31) : 0;
    auto const highest = is_signed ? (std::int64_t{1} << 31) - 1 : (std::int64_t{1} << 32) - 1;
    auto const end = less ? highest : -lowest;
    if (first >= limit) return 0;
    if (step <= 0) return std::nullopt;
    auto const rounds = (limit - first + step - 1) / step;
    if (first + rounds * step > end) return std::nullopt;
    return static_cast<std::uint64_t>(rounds);
}

fixed_loops find_fixed_loops(spirv_module const& m, analysis const& a, std::uint32_t loop_budget)
{
    return finder{m, a, loop_budget}.find();
}

}  // namespace blendr::compute
