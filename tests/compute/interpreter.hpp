// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <blendr/compute/spirv.hpp>

#include <compute/ops.hpp>

// One invocation of a kernel of 32-bit integers, executed literally: an address outside, a division without
// an answer, a shift too far, an instruction that is not reached, too many steps and the use of memory that
// nobody wrote all throw, and so does OpUndef. So it tells what a program relies on, and what hardening has taken away.
namespace blendr::compute::test {

struct undefined_behaviour : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// What a comparison of two words says.
inline bool holds(op compare, std::uint32_t a, std::uint32_t b)
{
    auto const s = static_cast<std::int32_t>(a), t = static_cast<std::int32_t>(b);
    switch (compare) {
    case op::u_less_than:
        return a < b;
    case op::u_less_than_equal:
        return a <= b;
    case op::u_greater_than:
        return a > b;
    case op::u_greater_than_equal:
        return a >= b;
    case op::s_less_than:
        return s < t;
    case op::s_less_than_equal:
        return s <= t;
    case op::s_greater_than:
        return s > t;
    case op::s_greater_than_equal:
        return s >= t;
    case op::i_equal:
        return a == b;
    default:
        return a != b;
    }
}

class interpreter {
public:
    using memory = std::vector<std::uint32_t>;

    explicit interpreter(spirv_module const& m) : m_{m}, values_(m.bound()) { load(); }

    std::map<std::pair<std::uint32_t, std::uint32_t>, memory> buffers;  // by set and slot
    memory push;
    std::uint32_t invocation = 0;
    std::uint64_t steps_max = 200'000;
    std::uint64_t steps = 0;

    void run()
    {
        for (std::uint32_t i = 0; i < m_.size(); ++i) {
            if (static_cast<op>(m_[i].opcode()) == op::function) break;
            global(m_[i]);
        }
        call(entry_);
    }

private:
    struct cells {
        memory words;
        std::vector<bool> written;
    };
    struct value {
        memory words;
        cells* base = nullptr;  // of a pointer
        std::size_t at = 0;
    };
    struct layout {
        op kind = op::nop;
        std::uint32_t element = 0, count = 1, size = 1;
        bool is_signed = false;
        std::vector<std::uint32_t> members;
    };
    static constexpr std::uint32_t nobody = 0xDEADBEEF;

    static op code(instruction const& in) { return static_cast<op>(in.opcode()); }

    void load()
    {
        for (std::uint32_t i = 0; i < m_.size(); ++i) {
            auto const in = m_[i];
            if (code(in) == op::entry_point) entry_ = in.word(2);
            if (code(in) == op::decorate) decorations_[{in.word(1), in.word(2)}] = in.word(3);
            if (code(in) == op::label) labels_[in.result()] = i;
        }
    }

    value& at(std::uint32_t id) { return values_.at(id); }
    std::uint32_t scalar(std::uint32_t id) { return at(id).words.at(0); }

    void global(instruction const& in)
    {
        auto& t = types_[in.result()];
        t.kind = code(in);
        switch (code(in)) {
        case op::type_int:
            t.is_signed = in.word(3) != 0;
            break;
        case op::type_vector:
            t.element = in.word(2);
            t.count = t.size = in.word(3);
            break;
        case op::type_array:
            t.element = in.word(2);
            t.count = scalar(in.word(3));
            t.size = t.count * types_[t.element].size;
            break;
        case op::type_runtime_array:
            t.element = in.word(2);
            t.size = 0;
            break;
        case op::type_struct:
            t.size = 0;
            for (std::uint32_t k = 2; k < in.size(); ++k) {
                t.members.push_back(in.word(k));
                t.size += types_[in.word(k)].size;
            }
            break;
        case op::type_pointer:
            t.element = in.word(3);
            break;
        case op::constant:
            at(in.result()).words = {in.word(3)};
            break;
        case op::constant_true:
            at(in.result()).words = {1};
            break;
        case op::constant_false:
            at(in.result()).words = {0};
            break;
        case op::constant_null:
            at(in.result()).words.assign(types_[in.type()].size, 0);
            break;
        case op::undef:
            throw undefined_behaviour{"a value is whatever it may be"};
        case op::constant_composite:
            composite(in);
            break;
        case op::variable:
            variable(in);
            break;
        default:
            break;
        }
    }

    void composite(instruction const& in)
    {
        memory made;
        for (std::uint32_t k = 3; k < in.size(); ++k) {
            auto const& part = at(in.word(k)).words;
            made.insert(made.end(), part.begin(), part.end());
        }
        at(in.result()).words = made;
    }

    void variable(instruction const& in)
    {
        auto& cell = variables_[in.result()];
        auto const size = types_[types_[in.type()].element].size;
        cell.words.assign(size, nobody);
        cell.written.assign(size, false);
        auto const fill = [&](memory const& with) {
            cell.words = with;
            cell.written.assign(with.size(), true);
        };
        switch (in.word(3)) {
        case 1:
            fill({invocation, 0, 0});
            break;
        case 9:
            fill(push);
            break;
        case 12: {
            auto const set = decorations_.at({in.result(), 34});
            fill(buffers.at({set, decorations_.at({in.result(), 33})}));
            break;
        }
        default:
            if (in.size() > 4) fill(at(in.word(4)).words);
        }
        auto& v = at(in.result());
        v.base = &cell;
        v.at = 0;
    }

    // ------------------------------------------------------------ functions
    memory call(std::uint32_t id)
    {
        auto i = m_.definition(id);
        std::uint32_t block = 0, from = 0;
        for (;;) {
            auto const in = m_[++i];
            if (++steps > steps_max) throw undefined_behaviour{"it does not end"};
            switch (code(in)) {
            case op::label:
                block = in.result();
                break;
            case op::branch:
                i = go(in.word(1), block, from);
                break;
            case op::branch_conditional:
                i = go(scalar(in.word(1)) != 0 ? in.word(2) : in.word(3), block, from);
                break;
            case op::switch_: {
                auto target = in.word(2);
                for (std::uint32_t k = 3; k < in.size(); k += 2)
                    if (in.word(k) == scalar(in.word(1))) target = in.word(k + 1);
                i = go(target, block, from);
                break;
            }
            case op::return_:
                if (id == entry_) store_buffers();
                return {};
            case op::return_value:
                return at(in.word(1)).words;
            case op::unreachable:
                throw undefined_behaviour{"it was never to come here"};
            case op::function_call: {
                auto p = m_.definition(in.word(3));
                for (std::uint32_t k = 4; k < in.size(); ++k) at(m_[++p].result()) = at(in.word(k));
                at(in.result()).words = call(in.word(3));
                break;
            }
            default:
                execute(in);
            }
        }
    }

    /// Enters a block; all its phis read before any is written.
    std::uint32_t go(std::uint32_t target, std::uint32_t& block, std::uint32_t& from)
    {
        from = block;
        block = target;
        auto i = labels_.at(target);
        std::vector<std::pair<std::uint32_t, memory>> read;
        while (code(m_[i + 1]) == op::phi) {
            auto const in = m_[++i];
            bool found = false;
            for (std::uint32_t k = 3; k < in.size(); k += 2) {
                if (in.word(k + 1) != from) continue;
                read.emplace_back(in.result(), at(in.word(k)).words);
                found = true;
            }
            if (!found) throw std::logic_error{"a phi lacks the block it was entered from"};
        }
        for (auto& [id, words] : read) at(id).words = std::move(words);
        return i;
    }

    void store_buffers()
    {
        for (auto const& [id, cell] : variables_) {
            if (auto const set = decorations_.find({id, 34}); set != decorations_.end())
                buffers[{set->second, decorations_.at({id, 33})}] = cell.words;
        }
    }

    // ------------------------------------------------------------ instructions
    void execute(instruction const& in)
    {
        auto const which = code(in);
        switch (which) {
        case op::function_parameter:
        case op::loop_merge:
        case op::selection_merge:
        case op::control_barrier:
        case op::memory_barrier:
            return;
        case op::variable:
            return variable(in);
        case op::undef:
            throw undefined_behaviour{"a value is whatever it may be"};
        case op::load:
            at(in.result()).words = read(at(in.word(3)), types_[in.type()].size);
            return;
        case op::store:
            return write(at(in.word(1)), at(in.word(2)).words);
        case op::access_chain:
        case op::in_bounds_access_chain:
            return chain(in);
        case op::array_length:
            at(in.result()).words = {static_cast<std::uint32_t>(at(in.word(3)).base->words.size())};
            return;
        case op::atomic_i_add:
        case op::atomic_or: {
            auto const old = read(at(in.word(3)), 1);
            auto const by = scalar(in.word(6));
            write(at(in.word(3)), {which == op::atomic_or ? old[0] | by : old[0] + by});
            at(in.result()).words = old;
            return;
        }
        case op::copy_object:
            at(in.result()) = at(in.word(3));
            return;
        case op::bitcast:
            at(in.result()).words = at(in.word(3)).words;
            return;
        case op::composite_construct:
            return composite(in);
        case op::composite_extract: {
            auto const [offset, size] = part(type_of(in.word(3)), in, 4);
            auto const& all = at(in.word(3)).words;
            memory const made{all.begin() + offset, all.begin() + offset + size};
            at(in.result()).words = made;
            return;
        }
        case op::composite_insert: {
            auto all = at(in.word(4)).words;
            auto const [offset, size] = part(type_of(in.word(4)), in, 5);
            for (std::ptrdiff_t k = 0; k < size; ++k)
                all.at(static_cast<std::size_t>(offset + k)) =
                    at(in.word(3)).words.at(static_cast<std::size_t>(k));
            at(in.result()).words = all;
            return;
        }
        case op::vector_shuffle: {
            auto both = at(in.word(3)).words;
            auto const& second = at(in.word(4)).words;
            both.insert(both.end(), second.begin(), second.end());
            memory made;
            for (std::uint32_t k = 5; k < in.size(); ++k) made.push_back(both.at(in.word(k)));
            at(in.result()).words = made;
            return;
        }
        case op::vector_extract_dynamic:
            at(in.result()).words = {outside(at(in.word(3)).words, scalar(in.word(4)))};
            return;
        case op::vector_insert_dynamic: {
            auto all = at(in.word(3)).words;
            outside(all, scalar(in.word(5))) = scalar(in.word(4));
            at(in.result()).words = all;
            return;
        }
        default:
            return each(in);
        }
    }

    static std::uint32_t& outside(memory& all, std::uint32_t index)
    {
        if (index >= all.size()) throw undefined_behaviour{"an index lies outside a vector"};
        return all[index];
    }

    std::uint32_t type_of(std::uint32_t id) const { return m_[m_.definition(id)].type(); }

    std::pair<std::ptrdiff_t, std::ptrdiff_t> part(std::uint32_t type, instruction const& in,
                                                   std::uint32_t k)
    {
        std::uint32_t offset = 0;
        for (; k < in.size(); ++k) type = step(type, in.word(k), offset);
        return {offset, types_[type].size};
    }

    std::uint32_t step(std::uint32_t type, std::uint32_t index, std::uint32_t& offset)
    {
        auto const& t = types_[type];
        if (t.kind == op::type_struct) {
            for (std::uint32_t k = 0; k < index; ++k) offset += types_[t.members.at(k)].size;
            return t.members.at(index);
        }
        if (t.kind != op::type_runtime_array && index >= t.count)
            throw undefined_behaviour{"an index lies outside an array"};
        offset += index * types_[t.element].size;
        return t.element;
    }

    void chain(instruction const& in)
    {
        auto type = types_[type_of(in.word(3))].element;
        auto made = at(in.word(3));
        for (std::uint32_t k = 4; k < in.size(); ++k) {
            auto const index = scalar(in.word(k));
            std::uint32_t offset = 0;
            bool const open = types_[type].kind == op::type_runtime_array;
            if (open && index >= made.base->words.size())
                throw undefined_behaviour{"an index lies outside a buffer"};
            type = step(type, index, offset);
            made.at += offset;
        }
        at(in.result()) = made;
    }

    memory read(value const& from, std::size_t size)
    {
        memory made;
        for (std::size_t k = from.at; k < from.at + size; ++k) {
            if (k >= from.base->words.size()) throw undefined_behaviour{"an address lies outside"};
            if (!from.base->written[k]) throw undefined_behaviour{"nobody wrote what it reads"};
            made.push_back(from.base->words[k]);
        }
        return made;
    }

    void write(value const& to, memory const& words)
    {
        for (std::size_t k = 0; k < words.size(); ++k) {
            if (to.at + k >= to.base->words.size())
                throw undefined_behaviour{"an address lies outside"};
            to.base->words[to.at + k] = words[k];
            to.base->written[to.at + k] = true;
        }
    }

    void each(instruction const& in)
    {
        std::uint32_t const first = code(in) == op::ext_inst ? 5 : 3;
        auto const pick = [&](std::uint32_t k, std::size_t i) -> std::uint32_t {
            auto const id = in.word(first + k);
            if (first + k >= in.size()) return 0;
            auto const& w = at(id).words;
            return w.at(w.size() == 1 ? 0 : i);
        };
        memory made(types_[in.type()].size);
        for (std::size_t i = 0; i < made.size(); ++i)
            made[i] = compute(in, pick(0, i), pick(1, i), pick(2, i));
        at(in.result()).words = made;
    }

    static std::uint32_t compute(instruction const& in, std::uint32_t a, std::uint32_t b,
                                 std::uint32_t c)
    {
        auto const s = static_cast<std::int32_t>(a), t = static_cast<std::int32_t>(b);
        auto const u = [](std::int64_t x) { return static_cast<std::uint32_t>(x); };
        auto const divides = [&](bool is_signed) {
            if (b == 0 || (is_signed && a == 0x80000000 && t == -1))
                throw undefined_behaviour{"a division has no answer"};
        };
        auto const shifts = [&] {
            if (b >= 32) throw undefined_behaviour{"a shift goes too far"};
        };
        switch (code(in)) {
        case op::i_add:
            return a + b;
        case op::i_sub:
            return a - b;
        case op::i_mul:
            return a * b;
        case op::s_negate:
            return 0 - a;
        case op::not_:
            return ~a;
        case op::u_div:
            divides(false);
            return a / b;
        case op::u_mod:
            divides(false);
            return a % b;
        case op::s_div:
            divides(true);
            return u(s / t);
        case op::s_rem:
            divides(true);
            return u(s % t);
        case op::s_mod:
            divides(true);
            return u((std::int64_t{s % t} + t) % t);
        case op::shift_left_logical:
            shifts();
            return a << b;
        case op::shift_right_logical:
            shifts();
            return a >> b;
        case op::shift_right_arithmetic:
            shifts();
            return u(s >> b);
        case op::bitwise_and:
            return a & b;
        case op::bitwise_or:
            return a | b;
        case op::bitwise_xor:
            return a ^ b;
        case op::logical_and:
            return a & b;
        case op::logical_or:
            return a | b;
        case op::logical_not:
            return a == 0;
        case op::select:
            return a != 0 ? b : c;
        case op::i_equal:
        case op::i_not_equal:
        case op::u_less_than:
        case op::u_less_than_equal:
        case op::u_greater_than:
        case op::u_greater_than_equal:
        case op::s_less_than:
        case op::s_less_than_equal:
        case op::s_greater_than:
        case op::s_greater_than_equal:
            return holds(code(in), a, b);
        case op::ext_inst:
            return extended(in.word(4), a, b, c);
        default:
            throw std::logic_error{"the interpreter has no " + opcode_name(in.opcode())};
        }
    }

    static std::uint32_t extended(std::uint32_t which, std::uint32_t a, std::uint32_t b,
                                  std::uint32_t c)
    {
        switch (which) {
        case 38:
            return std::min(a, b);
        case 41:
            return std::max(a, b);
        case 44:
            if (b > c) throw undefined_behaviour{"a clamp has its bounds crossed"};
            return std::min(std::max(a, b), c);
        default:
            throw std::logic_error{"the interpreter has no such extended instruction"};
        }
    }

    spirv_module const& m_;
    std::uint32_t entry_ = 0;
    std::vector<value> values_;
    std::map<std::uint32_t, layout> types_;
    std::map<std::uint32_t, cells> variables_;
    std::map<std::uint32_t, std::uint32_t> labels_;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> decorations_;
};

}  // namespace blendr::compute::test
