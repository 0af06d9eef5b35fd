// SPDX-License-Identifier: Apache-2.0
// The rewriter, version 3. What it writes is frozen by tests/vectors/compute; another output is another
// version. It never looks at what a program means, only at single instructions and their types:
//
//   preamble    debug names and lines dropped, specialisation constants fixed at their defaults
//   variables   Workgroup, Private and Function variables begin as zero; OpUndef is zero
//   indexes     i >= length: notes trap::out_of_bounds, and the last element stands in
//   loops       each header counts down a private budget; at zero it notes trap::loop_budget and returns. Loops whose
//               rounds are fixed (loops.cpp) pay for all of them before they begin, in one go
//   arithmetic  x / 0 is x and x mod 0 is 0, INT_MIN / -1 is INT_MIN, shifts take their amount modulo the
//               width, clamp is max then min
//   the end     a wrapper around the kernel ORs what was noted into the trap buffer
#include <algorithm>
#include <array>
#include <initializer_list>
#include <map>
#include <tuple>
#include <utility>

#include "analysis.hpp"
#include "loops.hpp"

namespace blendr::compute {

namespace {

using words = std::vector<std::uint32_t>;

void put(words& to, op code, std::initializer_list<std::uint32_t> operands)
{
    to.push_back(static_cast<std::uint32_t>((operands.size() + 1) << 16) |
                 static_cast<std::uint32_t>(code));
    to.insert(to.end(), operands);
}

void copy(words& to, instruction const& in)
{
    to.insert(to.end(), in.words().begin(), in.words().end());
}

class rewriter {
public:
    rewriter(spirv_module const& m, analysis const& a, policy const& under)
        : m_{m},
          a_{a},
          under_{under},
          fixed_{find_fixed_loops(m, a, under.loop_budget)},
          next_{m.bound()}
    {}

    result<words, refusal> rewrite()
    {
        find_what_is_there();
        for (std::uint32_t i = 0; i < m_.size(); ++i) {
            auto const in = m_[i];
            auto const code = static_cast<op>(in.opcode());
            if (code == op::function) inside_ = true;
            if (inside_) {
                BLENDR_CHECK(in_function(in, code));
            } else {
                global(in, code);
            }
        }
        wrapper();
        words out(m_.words().begin(), m_.words().begin() + spirv_module::header_words);
        out[2] = 0;      // no generator
        out[3] = next_;  // the new bound
        for (auto const* part : {&head_, &annotations_, &globals_, &extra_, &body_})
            out.insert(out.end(), part->begin(), part->end());
        return out;
    }

private:
    using verdict = result<nothing, refusal>;

    // ------------------------------------------------------------ ids, types, constants
    std::uint32_t fresh() { return next_++; }

    void find_what_is_there()
    {
        for (std::uint32_t i = 0; i < m_.size(); ++i) {
            auto const in = m_[i];
            auto const& t = a_.type(in.result());
            if (t.kind == op::type_int && t.width == 32 && !t.is_signed) uint_ = in.result();
            if (t.kind == op::type_bool) bool_ = in.result();
            if (t.kind == op::type_vector && a_.type(t.element).kind == op::type_bool)
                bool_vectors_[t.count] = in.result();
            if (t.kind == op::type_pointer) pointers_[{t.where, t.element}] = in.result();
        }
        if (uint_ == 0) put(extra_, op::type_int, {uint_ = fresh(), 32, 0});
        if (bool_ == 0) put(extra_, op::type_bool, {bool_ = fresh()});
        budget_ = variable(constant(uint_, 0));
        notes_ = variable(constant(uint_, 0));
        trap_struct_ = fresh();
        put(extra_, op::type_struct, {trap_struct_, uint_, uint_, uint_, uint_});
        auto const pointer = fresh();
        put(extra_, op::type_pointer,
            {pointer, static_cast<std::uint32_t>(storage::storage_buffer), trap_struct_});
        trap_ = fresh();
        put(extra_, op::variable,
            {pointer, trap_, static_cast<std::uint32_t>(storage::storage_buffer)});
        put(annotations_, op::decorate, {trap_struct_, 2});
        for (std::uint32_t k = 0; k < 4; ++k)
            put(annotations_, op::member_decorate, {trap_struct_, k, 35, 4 * k});
        put(annotations_, op::decorate, {trap_, 34, trap_set});
        put(annotations_, op::decorate, {trap_, 33, trap_slot});
        wrapper_ = fresh();
    }

    std::uint32_t pointer_to(storage where, std::uint32_t element)
    {
        auto& id = pointers_[{where, element}];
        if (id == 0)
            put(extra_, op::type_pointer,
                {id = fresh(), static_cast<std::uint32_t>(where), element});
        return id;
    }

    std::uint32_t variable(std::uint32_t initial)
    {
        auto const type = pointer_to(storage::private_, uint_);
        auto const id = fresh();
        put(extra_, op::variable,
            {type, id, static_cast<std::uint32_t>(storage::private_), initial});
        return id;
    }

    /// An integer constant, or a vector full of it. Narrow signed values are kept sign-extended.
    std::uint32_t constant(std::uint32_t type, std::uint64_t value)
    {
        auto& id = constants_[{type, value}];
        if (id != 0) return id;
        auto const& t = a_.type(type);
        if (t.kind == op::type_vector) {
            auto const one = constant(t.element, value);
            auto const made = fresh();
            extra_.push_back((t.count + 3) << 16 |
                             static_cast<std::uint32_t>(op::constant_composite));
            extra_.push_back(type);
            extra_.push_back(made);
            for (std::uint32_t k = 0; k < t.count; ++k) extra_.push_back(one);
            return constants_[{type, value}] = made;
        }
        id = fresh();
        auto const low = static_cast<std::uint32_t>(value);
        if (t.width == 64) {
            put(extra_, op::constant, {type, id, low, static_cast<std::uint32_t>(value >> 32)});
        } else if (t.width < 32 && t.width != 0 && !t.is_signed) {
            put(extra_, op::constant, {type, id, low & ((1u << t.width) - 1)});
        } else {
            put(extra_, op::constant, {type, id, low});
        }
        return id;
    }

    std::uint32_t null_of(std::uint32_t type, words& to)
    {
        auto& id = nulls_[type];
        if (id == 0) put(to, op::constant_null, {type, id = fresh()});
        return id;
    }

    /// bool, or a vector of as many as `type` has components.
    std::uint32_t bool_like(std::uint32_t type)
    {
        auto const& t = a_.type(type);
        if (t.kind != op::type_vector) return bool_;
        auto& id = bool_vectors_[t.count];
        if (id == 0) put(extra_, op::type_vector, {id = fresh(), bool_, t.count});
        return id;
    }

    std::uint32_t emit(op code, std::uint32_t type, std::initializer_list<std::uint32_t> operands)
    {
        auto const id = fresh();
        body_.push_back(static_cast<std::uint32_t>((operands.size() + 3) << 16) |
                        static_cast<std::uint32_t>(code));
        body_.push_back(type);
        body_.push_back(id);
        body_.insert(body_.end(), operands);
        return id;
    }

    // ------------------------------------------------------------ outside of functions
    void global(instruction const& in, op code)
    {
        auto const index = in.opcode();
        bool const declares = (index >= static_cast<std::uint16_t>(op::type_void) &&
                               index <= static_cast<std::uint16_t>(op::spec_constant_composite)) ||
                              code == op::variable || code == op::undef;
        auto& to = declares ? globals_ : head_;
        switch (code) {
        case op::nop:
        case op::source_continued:
        case op::source:
        case op::source_extension:
        case op::name:
        case op::member_name:
        case op::string:
        case op::line:
        case op::no_line:
        case op::module_processed:
            return;
        case op::decorate:
            if (in.word(2) == 1 || in.word(2) == 0) return;  // SpecId, RelaxedPrecision
            copy(head_, in);
            return;
        case op::member_decorate:
            if (in.word(3) == 0) return;
            copy(head_, in);
            return;
        case op::entry_point: {
            auto const at = head_.size();
            copy(head_, in);
            head_[at + 2] = wrapper_;
            if (m_.version() >= 0x00010400) {
                head_[at] += 3u << 16;
                head_.insert(head_.end(), {budget_, notes_, trap_});
            }
            return;
        }
        case op::execution_mode:
        case op::execution_mode_id: {
            auto const at = head_.size();
            copy(head_, in);
            head_[at + 1] = wrapper_;
            return;
        }
        case op::undef:
            put(to, op::constant_null, {in.type(), in.result()});
            return;
        case op::spec_constant_true:
            put(to, op::constant_true, {in.type(), in.result()});
            return;
        case op::spec_constant_false:
            put(to, op::constant_false, {in.type(), in.result()});
            return;
        case op::spec_constant:
        case op::spec_constant_composite: {
            auto const at = to.size();
            copy(to, in);
            to[at] = (to[at] & 0xFFFF0000) |
                     static_cast<std::uint32_t>(code == op::spec_constant ? op::constant
                                                                          : op::constant_composite);
            return;
        }
        case op::variable: {
            auto const where = static_cast<storage>(in.word(3));
            if ((where == storage::workgroup || where == storage::private_) && in.size() == 4) {
                auto const zero = null_of(a_.type(in.type()).element, globals_);
                put(to, op::variable, {in.type(), in.result(), in.word(3), zero});
                return;
            }
            break;
        }
        default:
            break;
        }
        copy(to, in);
    }

    // ------------------------------------------------------------ inside of functions
    verdict in_function(instruction const& in, op code)
    {
        if (auto const due = fixed_.payments.find(in.index()); due != fixed_.payments.end())
            pay(due->second);
        switch (code) {
        case op::nop:
        case op::line:
        case op::no_line:
            return nothing{};
        case op::function:
            return_type_ = in.type();
            break;
        case op::label:
            block_ = in.result();
            break;
        case op::undef:
            put(extra_, op::constant_null, {in.type(), in.result()});
            return nothing{};
        case op::variable:
            if (in.size() == 4) {
                auto const zero = null_of(a_.type(in.type()).element, extra_);
                put(body_, op::variable, {in.type(), in.result(), in.word(3), zero});
                return nothing{};
            }
            break;
        case op::access_chain:
        case op::in_bounds_access_chain:
            return chain(in);
        case op::vector_extract_dynamic:
            return vector_index(in, 3, 4);
        case op::vector_insert_dynamic:
            return vector_index(in, 3, 5);
        case op::u_div:
        case op::u_mod:
            return divide(in, false);
        case op::s_div:
        case op::s_rem:
        case op::s_mod:
            return divide(in, true);
        case op::shift_left_logical:
        case op::shift_right_logical:
        case op::shift_right_arithmetic:
            return shift(in);
        case op::ext_inst:
            return extended(in);
        case op::phi:
            return phi(in);
        case op::loop_merge:
            if (fixed_.headers[block_]) break;
            return loop(in);
        case op::branch:
        case op::branch_conditional:
            if (loop_done_ == in.index()) return nothing{};
            break;
        case op::unreachable:
            note(trap::unreachable);
            leave();
            return nothing{};
        case op::function_end:
            copy(body_, in);
            fix_phis();
            return nothing{};
        default:
            break;
        }
        copy(body_, in);
        return nothing{};
    }

    void note(trap what)
    {
        auto const before = emit(op::load, uint_, {notes_});
        auto const after = emit(op::bitwise_or, uint_,
                                {before, constant(uint_, static_cast<std::uint32_t>(what))});
        put(body_, op::store, {notes_, after});
    }

    void note_if(std::uint32_t condition, trap what)
    {
        auto const bit = emit(
            op::select, uint_,
            {condition, constant(uint_, static_cast<std::uint32_t>(what)), constant(uint_, 0)});
        auto const before = emit(op::load, uint_, {notes_});
        auto const after = emit(op::bitwise_or, uint_, {before, bit});
        put(body_, op::store, {notes_, after});
    }

    /// Ends a block by leaving the function.
    void leave()
    {
        if (a_.type(return_type_).kind == op::type_void) {
            put(body_, op::return_, {});
        } else {
            put(body_, op::return_value, {null_of(return_type_, extra_)});
        }
    }

    // ------------------------------------------------------------ indexes
    struct bounded {
        std::uint32_t index = 0;
        std::uint32_t outside = 0;  ///< a bool, or 0 when it cannot be
    };

    result<bounded, refusal> bound_index(instruction const& in, std::uint32_t index,
                                         std::uint32_t length)
    {
        if (auto const fixed = a_.constant(index)) {
            if (*fixed >= length) return fail{at(rule::index_out_of_bounds, in)};
            return bounded{index, 0};
        }
        auto const type = type_of(m_, index);
        if (a_.type(type).kind != op::type_int || a_.type(type).width != 32)
            return fail{at(rule::index_width, in)};
        auto const outside = emit(op::u_greater_than_equal, bool_, {index, constant(type, length)});
        return bounded{emit(op::select, type, {outside, constant(type, length - 1), index}),
                       outside};
    }

    result<bounded, refusal> bound_runtime_index(instruction const& in, std::uint32_t index,
                                                 std::uint32_t variable, std::uint32_t member)
    {
        auto const type = type_of(m_, index);
        if (a_.type(type).kind != op::type_int || a_.type(type).width != 32)
            return fail{at(rule::index_width, in)};
        auto const length = emit(op::array_length, uint_, {variable, member});
        auto const outside = emit(op::u_greater_than_equal, bool_, {index, length});
        auto const empty = emit(op::i_equal, bool_, {length, constant(uint_, 0)});
        auto const one = emit(op::select, uint_, {empty, constant(uint_, 0), constant(uint_, 1)});
        auto last = emit(op::i_sub, uint_, {length, one});
        if (type != uint_) last = emit(op::bitcast, type, {last});
        return bounded{emit(op::select, type, {outside, last, index}), outside};
    }

    verdict chain(instruction const& in)
    {
        words operands;
        std::uint32_t outside = 0;
        auto const base = in.word(3);
        auto type = a_.type(type_of(m_, base)).element;
        auto const origin = open_arrays_.find(base);
        auto open = origin == open_arrays_.end() ? std::pair{0u, 0u} : origin->second;
        auto const base_at = m_.definition(base);
        bool const at_variable =
            base_at != refusal::nowhere && static_cast<op>(m_[base_at].opcode()) == op::variable;
        for (std::uint32_t k = 4; k < in.size(); ++k) {
            auto const& t = a_.type(type);
            auto index = in.word(k);
            bounded safe{index, 0};
            switch (t.kind) {
            case op::type_struct: {
                auto const member = a_.constant(index);
                if (!member || *member >= t.count) return fail{at(rule::index_out_of_bounds, in)};
                auto const definition = m_[m_.definition(type)];
                type = definition.word(2 + *member);
                if (a_.type(type).kind == op::type_runtime_array) {
                    if (!at_variable || k != 4) return fail{at(rule::pointer_not_allowed, in)};
                    open = {base, *member};
                }
                break;
            }
            case op::type_array:
            case op::type_vector:
            case op::type_matrix: {
                BLENDR_TRY(safe, bound_index(in, index, t.count));
                type = t.element;
                break;
            }
            case op::type_runtime_array: {
                if (open.first == 0) return fail{at(rule::pointer_not_allowed, in)};
                BLENDR_TRY(safe, bound_runtime_index(in, index, open.first, open.second));
                type = t.element;
                break;
            }
            default:
                return fail{at(rule::bad_type, in)};
            }
            operands.push_back(safe.index);
            if (safe.outside != 0)
                outside = outside == 0 ? safe.outside
                                       : emit(op::logical_or, bool_, {outside, safe.outside});
        }
        auto const& made = a_.type(in.type());
        if (made.element != type) return fail{at(rule::bad_type, in)};
        if (a_.type(type).kind == op::type_runtime_array) open_arrays_[in.result()] = open;
        if (outside != 0) note_if(outside, trap::out_of_bounds);
        put_chain(in, operands);
        return nothing{};
    }

    void put_chain(instruction const& in, words const& operands)
    {
        body_.push_back(static_cast<std::uint32_t>((operands.size() + 4) << 16) |
                        static_cast<std::uint32_t>(op::access_chain));
        body_.insert(body_.end(), {in.type(), in.result(), in.word(3)});
        body_.insert(body_.end(), operands.begin(), operands.end());
    }

    verdict vector_index(instruction const& in, std::uint32_t vector, std::uint32_t index)
    {
        auto const& t = a_.type(type_of(m_, in.word(vector)));
        if (t.kind != op::type_vector) return fail{at(rule::bad_type, in)};
        BLENDR_TRY(auto const safe, bound_index(in, in.word(index), t.count));
        if (safe.outside != 0) note_if(safe.outside, trap::out_of_bounds);
        auto const at = body_.size();
        copy(body_, in);
        body_[at + index] = safe.index;
        return nothing{};
    }

    // ------------------------------------------------------------ arithmetic
    std::uint32_t width_of(std::uint32_t type) const
    {
        auto const& t = a_.type(type);
        return t.kind == op::type_vector ? a_.type(t.element).width : t.width;
    }

    verdict divide(instruction const& in, bool is_signed)
    {
        auto const by = in.word(4);
        auto const known = a_.constant(by);
        if (known && *known != 0 && !(is_signed && *known == 0xFFFFFFFF)) {
            copy(body_, in);
            return nothing{};
        }
        auto const left = type_of(m_, in.word(3));
        auto const type = type_of(m_, by);
        auto const width = width_of(type);
        if (width == 0 || width_of(left) != width) return fail{at(rule::bad_type, in)};
        auto const truth = bool_like(type);
        auto bad = emit(op::i_equal, truth, {by, constant(type, 0)});
        if (is_signed) {
            auto const lowest = ~std::uint64_t{0} << (width - 1);
            auto const low = emit(op::i_equal, truth, {in.word(3), constant(left, lowest)});
            auto const minus = emit(op::i_equal, truth, {by, constant(type, ~std::uint64_t{0})});
            auto const both = emit(op::logical_and, truth, {low, minus});
            bad = emit(op::logical_or, truth, {bad, both});
        }
        auto const safe = emit(op::select, type, {bad, constant(type, 1), by});
        put(body_, static_cast<op>(in.opcode()), {in.type(), in.result(), in.word(3), safe});
        return nothing{};
    }

    verdict shift(instruction const& in)
    {
        auto const width = width_of(in.type());
        auto const type = type_of(m_, in.word(4));
        if (width == 0 || width_of(type) == 0) return fail{at(rule::bad_type, in)};
        auto const known = a_.constant(in.word(4));
        if (known && *known < width) {
            copy(body_, in);
            return nothing{};
        }
        auto const safe = emit(op::bitwise_and, type, {in.word(4), constant(type, width - 1)});
        put(body_, static_cast<op>(in.opcode()), {in.type(), in.result(), in.word(3), safe});
        return nothing{};
    }

    verdict extended(instruction const& in)
    {
        constexpr std::uint32_t u_min = 38, s_min = 39, u_max = 41, s_max = 42, u_clamp = 44,
                                s_clamp = 45;
        auto const which = in.word(4);
        if ((which != u_clamp && which != s_clamp) || in.size() != 8) {
            copy(body_, in);
            return nothing{};
        }
        bool const is_signed = which == s_clamp;
        auto const low = emit(op::ext_inst, in.type(),
                              {in.word(3), is_signed ? s_max : u_max, in.word(5), in.word(6)});
        put(body_, op::ext_inst,
            {in.type(), in.result(), in.word(3), is_signed ? s_min : u_min, low, in.word(7)});
        return nothing{};
    }

    // ------------------------------------------------------------ loops
    /// Takes rounds from the budget. When it has too few that is noted, and whatever is counted next ends.
    void pay(std::uint32_t rounds)
    {
        auto const cost = constant(uint_, rounds);
        auto const left = emit(op::load, uint_, {budget_});
        auto const too_few = emit(op::u_less_than, bool_, {left, cost});
        auto const less = emit(op::i_sub, uint_, {left, cost});
        auto const kept = emit(op::select, uint_, {too_few, constant(uint_, 0), less});
        put(body_, op::store, {budget_, kept});
        note_if(too_few, trap::loop_budget);
    }

    /// The header's terminator moves into a block of its own, behind a selection of its own:
    ///   header: phis, code, budget; merge; branch to check
    ///   check:  out of budget ? spent : rest      spent: note, return      rest: the terminator
    verdict loop(instruction const& in)
    {
        auto const next = m_[in.index() + 1];
        bool const conditional = static_cast<op>(next.opcode()) == op::branch_conditional;
        bool const alone = in.word(2) == block_;  // the header is its own continue target
        auto const check = fresh(), spent = fresh(), rest = fresh();
        auto const back = alone ? fresh() : in.word(2);

        auto const left = emit(op::load, uint_, {budget_});
        auto const none = emit(op::i_equal, bool_, {left, constant(uint_, 0)});
        auto const less = emit(op::i_sub, uint_, {left, constant(uint_, 1)});
        put(body_, op::store, {budget_, less});
        auto const at = body_.size();
        copy(body_, in);
        body_[at + 2] = back;
        put(body_, op::branch, {check});
        put(body_, op::label, {check});
        put(body_, op::selection_merge, {rest, 0});
        put(body_, op::branch_conditional, {none, spent, rest});
        put(body_, op::label, {spent});
        put(body_, op::store, {budget_, constant(uint_, 0)});
        note(trap::loop_budget);
        leave();
        put(body_, op::label, {rest});
        auto const last = body_.size();
        copy(body_, next);
        if (alone) {
            for (std::uint32_t k = conditional ? 2 : 1; k < (conditional ? 4u : 2u); ++k)
                if (body_[last + k] == block_) body_[last + k] = back;
            put(body_, op::label, {back});
            put(body_, op::branch, {block_});
        }
        tails_[block_] = {rest, alone ? back : rest};
        loop_done_ = next.index();
        return nothing{};
    }

    verdict phi(instruction const& in)
    {
        if (in.size() % 2 == 0) return fail{at(rule::bad_operand, in)};
        phis_.emplace_back(body_.size(), block_);
        copy(body_, in);
        return nothing{};
    }

    /// Blocks that were cut in two are left from their second half.
    void fix_phis()
    {
        for (auto const& [at, block] : phis_) {
            auto const end = at + (body_[at] >> 16);
            for (auto k = at + 4; k < end; k += 2) {
                auto const found = tails_.find(body_[k]);
                if (found == tails_.end()) continue;
                body_[k] = found->first == block ? found->second.second : found->second.first;
            }
        }
        phis_.clear();
        tails_.clear();
    }

    // ------------------------------------------------------------ the new entry point
    void wrapper()
    {
        constexpr std::uint32_t device_scope = 1, relaxed = 0;
        auto const kernel = m_[m_.definition(a_.entry)];
        auto const end = fresh(), tell = fresh();
        put(body_, op::function, {kernel.type(), wrapper_, 0, kernel.word(4)});
        put(body_, op::label, {fresh()});
        // The budget less a word that is 0, which a compiler cannot know: one of them takes the check for dead where it
        // believes that another way out of the loop comes first, and is wrong about that.
        auto const zero = emit(op::load, uint_,
                               {emit(op::access_chain, pointer_to(storage::storage_buffer, uint_),
                                     {trap_, constant(uint_, 1)})});
        put(body_, op::store,
            {budget_, emit(op::i_sub, uint_, {constant(uint_, under_.loop_budget), zero})});
        emit(op::function_call, kernel.type(), {a_.entry});
        auto const noted = emit(op::load, uint_, {notes_});
        auto const any = emit(op::i_not_equal, bool_, {noted, constant(uint_, 0)});
        put(body_, op::selection_merge, {end, 0});
        put(body_, op::branch_conditional, {any, tell, end});
        put(body_, op::label, {tell});
        auto const word = emit(op::access_chain, pointer_to(storage::storage_buffer, uint_),
                               {trap_, constant(uint_, 0)});
        emit(op::atomic_or, uint_,
             {word, constant(uint_, device_scope), constant(uint_, relaxed), noted});
        put(body_, op::branch, {end});
        put(body_, op::label, {end});
        put(body_, op::return_, {});
        put(body_, op::function_end, {});
    }

    spirv_module const& m_;
    analysis const& a_;
    policy const& under_;
    fixed_loops const fixed_;
    std::uint32_t next_;

    words head_, annotations_, globals_, extra_, body_;
    std::uint32_t uint_ = 0, bool_ = 0, budget_ = 0, notes_ = 0, trap_struct_ = 0, trap_ = 0,
                  wrapper_ = 0;
    std::map<std::uint32_t, std::uint32_t> bool_vectors_;                  // by length
    std::map<std::pair<storage, std::uint32_t>, std::uint32_t> pointers_;  // by what they point to
    std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint32_t>
        constants_;                                 // by type and value
    std::map<std::uint32_t, std::uint32_t> nulls_;  // by type

    bool inside_ = false;
    std::uint32_t return_type_ = 0;
    std::uint32_t block_ = 0;
    std::uint32_t loop_done_ = refusal::nowhere;
    std::map<std::uint32_t, std::pair<std::uint32_t, std::uint32_t>>
        open_arrays_;                                          // pointer: variable, member
    std::vector<std::pair<std::size_t, std::uint32_t>> phis_;  // where, and in which block
    std::map<std::uint32_t, std::pair<std::uint32_t, std::uint32_t>>
        tails_;  // header: to others, to itself
};

}  // namespace

result<words, refusal> harden(spirv_module const& m, analysis const& a, policy const& under)
{
    return rewriter{m, a, under}.rewrite();
}

}  // namespace blendr::compute
