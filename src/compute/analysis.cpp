// SPDX-License-Identifier: Apache-2.0
#include "analysis.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

namespace blendr::compute {

namespace {

namespace decoration {
constexpr std::uint32_t block = 2, row_major = 4, array_stride = 6, matrix_stride = 7, builtin = 11,
                        slot = 33, set = 34, offset = 35;
constexpr std::array<std::uint32_t, 18> allowed{0,  1,  2,  4,  5,  6,  7,  11, 19,
                                                20, 21, 23, 24, 25, 33, 34, 35, 42};
}  // namespace decoration

constexpr std::uint32_t nowhere = refusal::nowhere;
constexpr std::uint32_t slots_max = 64;
constexpr std::uint32_t members_max = 16'384;

template <class Words>
bool contains(Words const& words, std::uint32_t value)
{
    return std::find(words.begin(), words.end(), value) != words.end();
}

/// The text that begins at a word; nothing when it does not end inside the instruction.
std::optional<std::string> text_at(instruction const& in, std::uint32_t word)
{
    std::string text;
    for (; word < in.size(); ++word) {
        for (unsigned shift = 0; shift < 32; shift += 8) {
            auto const c = static_cast<char>(in.word(word) >> shift & 0xFF);
            if (c == '\0') return text;
            text += c;
        }
    }
    return std::nullopt;
}

/// Letters of ASCII: what is told of a program can be told to anybody.
bool is_plain(std::string_view text)
{
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

struct member_decorations {
    std::optional<std::uint32_t> offset;
    std::uint32_t matrix_stride = 0;
    bool row_major = false;
};
struct id_decorations {
    std::optional<std::uint32_t> set, slot, builtin;
    std::uint32_t array_stride = 0;
    bool block = false;
};

class reader {
public:
    explicit reader(spirv_module const& m) : m_{m}
    {
        out_.types.resize(m.bound());
        out_.constants.resize(m.bound());
        out_.function_of.assign(m.bound(), nowhere);
        out_.headers.resize(m.bound());
        decorations_.resize(m.bound());
    }

    result<analysis, refusal> read()
    {
        for (std::uint32_t i = 0; i < m_.size(); ++i) {
            auto const in = m_[i];
            BLENDR_CHECK(instruction_(in));
        }
        BLENDR_CHECK(finish());
        return std::move(out_);
    }

private:
    using verdict = result<nothing, refusal>;
    static auto no(rule why, instruction const& in) { return fail{at(why, in)}; }

    verdict instruction_(instruction const& in)
    {
        auto const code = static_cast<op>(in.opcode());
        if (in.type() != 0) BLENDR_CHECK(typed(in, code));
        switch (code) {
        case op::extension:
            return extension(in);
        case op::ext_inst_import:
            if (text_at(in, 2) != "GLSL.std.450") return no(rule::extension_not_allowed, in);
            return nothing{};
        case op::memory_model:
            if (in.word(1) != 0 || in.word(2) != 1) return no(rule::not_logical, in);
            return nothing{};
        case op::entry_point:
            return entry_point(in);
        case op::execution_mode:
            return execution_mode(in, 17);
        case op::execution_mode_id:
            return execution_mode(in, 38);
        case op::decorate:
            return decorate(in);
        case op::member_decorate:
            return member_decorate(in);
        case op::constant:
        case op::spec_constant:
            return constant(in);
        case op::constant_composite:
        case op::spec_constant_composite:
            return composite(in);
        case op::variable:
            return variable(in);
        case op::function:
        case op::function_parameter:
        case op::function_end:
        case op::function_call:
            return function(in, code);
        case op::label:
            return label(in);
        case op::loop_merge:
            return loop_merge(in);
        case op::branch:
            return branch(in, 1);
        case op::branch_conditional:
            BLENDR_CHECK(branch(in, 2));
            return branch(in, 3);
        case op::switch_:
            return switch_targets(in);
        case op::load:
        case op::atomic_load:
        case op::access_chain:
        case op::in_bounds_access_chain:
            return pointer(in, 3);
        case op::store:
        case op::atomic_store:
            return pointer(in, 1);
        default:
            break;
        }
        if (in.opcode() >= static_cast<std::uint16_t>(op::atomic_exchange) &&
            in.opcode() <= static_cast<std::uint16_t>(op::atomic_xor))
            return pointer(in, 3);
        if (in.opcode() >= static_cast<std::uint16_t>(op::type_void) &&
            in.opcode() <= static_cast<std::uint16_t>(op::type_function))
            return type(in, code);
        return nothing{};
    }

    // ------------------------------------------------------------ what every result must be
    verdict typed(instruction const& in, op code)
    {
        auto const& t = out_.type(in.type());
        if (t.kind == op::nop) return no(rule::bad_type, in);
        if (t.kind == op::type_pointer) {
            bool const parameter = code == op::function_parameter;
            if (parameter && t.where != storage::function && t.where != storage::private_ &&
                t.where != storage::workgroup)
                return no(rule::pointer_not_allowed, in);
            if (!parameter && code != op::variable && code != op::access_chain &&
                code != op::in_bounds_access_chain)
                return no(rule::pointer_not_allowed, in);
        } else if (t.kind == op::type_void) {
            if (code != op::function && code != op::function_call) return no(rule::bad_type, in);
        } else if (!t.is_data() || t.open) {
            return no(rule::bad_type, in);
        }
        if (t.is_data() && t.bytes > out_.largest_value) {
            out_.largest_value = t.bytes;
            out_.largest_value_at = in.index();
        }
        if (inside_)
            current().size =
                add_capped(current().size, t.is_data() ? std::max<std::uint64_t>(t.scalars, 1) : 1);
        return nothing{};
    }

    verdict pointer(instruction const& in, std::uint32_t word)
    {
        if (out_.type(type_of(m_, in.word(word))).kind != op::type_pointer)
            return no(rule::pointer_not_allowed, in);
        return nothing{};
    }

    // ------------------------------------------------------------ the preamble
    verdict extension(instruction const& in)
    {
        static constexpr std::array<std::string_view, 3> allowed{
            "SPV_KHR_storage_buffer_storage_class", "SPV_KHR_16bit_storage",
            "SPV_KHR_8bit_storage"};
        auto const name = text_at(in, 1);
        if (!name || std::find(allowed.begin(), allowed.end(), *name) == allowed.end())
            return no(rule::extension_not_allowed, in);
        return nothing{};
    }

    verdict entry_point(instruction const& in)
    {
        constexpr std::uint32_t gl_compute = 5;
        auto const name = text_at(in, 3);
        if (out_.entry != 0 || in.word(1) != gl_compute || !name || !is_plain(*name))
            return no(rule::not_one_kernel, in);
        out_.entry = in.word(2);
        out_.seen.entry = *name;
        return nothing{};
    }

    verdict execution_mode(instruction const& in, std::uint32_t local_size)
    {
        if (in.word(2) != local_size || in.size() != 6 || in.word(1) != out_.entry)
            return no(rule::mode_not_allowed, in);
        for (std::uint32_t k = 0; k < 3; ++k)
            (local_size == 17 ? out_.seen.local_size : local_size_ids_)[k] = in.word(3 + k);
        return nothing{};
    }

    verdict decorate(instruction const& in)
    {
        if (in.word(1) >= m_.bound()) return no(rule::bad_id, in);
        auto const what = in.word(2);
        if (!contains(decoration::allowed, what)) return no(rule::mode_not_allowed, in);
        auto& d = decorations_[in.word(1)];
        switch (what) {
        case decoration::block:
            d.block = true;
            break;
        case decoration::array_stride:
            d.array_stride = in.word(3);
            break;
        case decoration::builtin:
            d.builtin = in.word(3);
            break;
        case decoration::slot:
            d.slot = in.word(3);
            break;
        case decoration::set:
            d.set = in.word(3);
            break;
        default:
            break;
        }
        return nothing{};
    }

    verdict member_decorate(instruction const& in)
    {
        auto const what = in.word(3);
        if (!contains(decoration::allowed, what)) return no(rule::mode_not_allowed, in);
        if (what == decoration::builtin) return no(rule::builtin_not_allowed, in);
        auto& d = members_[{in.word(1), in.word(2)}];
        if (what == decoration::offset) d.offset = in.word(4);
        if (what == decoration::matrix_stride) d.matrix_stride = in.word(4);
        if (what == decoration::row_major) d.row_major = true;
        return nothing{};
    }

    // ------------------------------------------------------------ types and constants
    verdict type(instruction const& in, op code)
    {
        auto& t = out_.types[in.result()];
        t.kind = code;
        auto const& element = out_.type(in.word(2));
        switch (code) {
        case op::type_void:
        case op::type_function:
            return nothing{};
        case op::type_bool:
            t.bytes = t.laid_out = 4;
            t.scalars = 1;
            return nothing{};
        case op::type_float:
            if (out_.first_float_at == nowhere) out_.first_float_at = in.index();
            [[fallthrough]];
        case op::type_int:
            t.width = in.word(2);
            t.is_signed = code == op::type_int && in.word(3) != 0;
            if (t.width != 8 && t.width != 16 && t.width != 32 && t.width != 64)
                return no(rule::bad_type, in);
            t.bytes = t.laid_out = t.width / 8;
            t.scalars = 1;
            return nothing{};
        case op::type_vector:
        case op::type_matrix:
        case op::type_array:
            return repeated(in, code, element, t);
        case op::type_runtime_array:
            if (!element.is_data() || element.open) return no(rule::bad_type, in);
            t.element = in.word(2);
            t.open = true;
            t.stride = decorations_[in.result()].array_stride;
            if (t.stride < element.laid_out) return no(rule::bad_type, in);
            return nothing{};
        case op::type_struct:
            return structure(in, t);
        case op::type_pointer: {
            auto const& to = out_.type(in.word(3));
            t.where = static_cast<storage>(in.word(2));
            t.element = in.word(3);
            if (!to.is_data() && to.kind != op::type_runtime_array)
                return no(rule::pointer_not_allowed, in);
            return nothing{};
        }
        default:
            return no(rule::unknown_instruction, in);  // images, samplers, opaque
        }
    }

    verdict repeated(instruction const& in, op code, type_facts const& element, type_facts& t)
    {
        if (element.block) return no(rule::binding_not_allowed, in);  // an array of descriptors
        if (!element.is_data() || element.open) return no(rule::bad_type, in);
        t.element = in.word(2);
        if (code == op::type_array) {
            auto const length = out_.constant(in.word(3));
            if (!length || *length == 0 || *length > 0x7FFFFFFF) return no(rule::bad_type, in);
            t.count = *length;
            t.innermost = element.kind == op::type_array ? element.innermost : t.element;
        } else {
            t.count = in.word(3);
            bool const right = code == op::type_vector
                                   ? element.width != 0 || element.kind == op::type_bool
                                   : element.kind == op::type_vector;
            if (!right || t.count < 2 || t.count > 4) return no(rule::bad_type, in);
        }
        t.bytes = multiply_capped(element.bytes, t.count);
        t.scalars = multiply_capped(element.scalars, t.count);
        t.laid_out = t.bytes;
        if (auto const stride = decorations_[in.result()].array_stride; stride != 0) {
            if (stride < element.laid_out) return no(rule::bad_type, in);
            t.laid_out = add_capped(multiply_capped(stride, t.count - 1), element.laid_out);
        }
        return nothing{};
    }

    /// A matrix is laid out by its member's stride, also inside of arrays.
    std::uint64_t member_bytes(type_facts const& member, member_decorations const& d) const
    {
        auto const* inner = member.kind == op::type_array ? &out_.type(member.innermost) : &member;
        if (inner->kind != op::type_matrix || d.matrix_stride == 0 || member.laid_out >= huge)
            return member.laid_out;
        auto const lines = d.row_major ? out_.type(inner->element).count : inner->count;
        return add_capped(member.laid_out - inner->laid_out,
                          multiply_capped(d.matrix_stride, lines));
    }

    verdict structure(instruction const& in, type_facts& t)
    {
        t.count = in.size() - 2;
        t.block = decorations_[in.result()].block;
        if (t.count > members_max) return no(rule::bad_type, in);
        std::uint64_t next = 0;
        for (std::uint32_t k = 0; k < t.count; ++k) {
            auto const& member = out_.type(in.word(2 + k));
            bool const last_array =
                member.kind == op::type_runtime_array && k + 1 == t.count && t.block;
            if (!last_array && (!member.is_data() || member.open)) return no(rule::bad_type, in);
            t.bytes = add_capped(t.bytes, member.bytes);
            t.scalars = add_capped(t.scalars, member.scalars);
            auto const found = members_.find({in.result(), k});
            auto const d = found == members_.end() ? member_decorations{} : found->second;
            auto const size = member_bytes(member, d);
            auto const from = d.offset ? *d.offset : next;
            next = std::max(next, add_capped(from, size));
            if (last_array) {
                t.open = true;
                t.stride = member.stride;
            }
        }
        t.laid_out = next;
        return nothing{};
    }

    verdict constant(instruction const& in)
    {
        auto const& t = out_.type(in.type());
        if (t.kind == op::type_int && t.width == 32) out_.constants[in.result()] = in.word(3);
        return nothing{};
    }

    verdict composite(instruction const& in)
    {
        constexpr std::uint32_t workgroup_size = 25;
        auto const& t = out_.type(in.type());
        if (in.size() - 3 != t.count) return no(rule::bad_operand, in);
        if (decorations_[in.result()].builtin == workgroup_size && t.count == 3) {
            for (std::uint32_t k = 0; k < 3; ++k) workgroup_size_[k] = in.word(3 + k);
            has_workgroup_size_ = true;
        }
        return nothing{};
    }

    // ------------------------------------------------------------ variables
    verdict variable(instruction const& in)
    {
        auto const& t = out_.type(in.type());
        if (t.kind != op::type_pointer || static_cast<storage>(in.word(3)) != t.where)
            return no(rule::pointer_not_allowed, in);
        auto const& to = out_.type(t.element);
        bool const is_buffer = t.where == storage::storage_buffer || t.where == storage::uniform;
        if (inside_ != (t.where == storage::function)) return no(rule::storage_not_allowed, in);
        if (to.kind == op::type_runtime_array || (to.open && t.where != storage::storage_buffer))
            return no(rule::bad_type, in);
        if (is_buffer) return buffer(in, t.where, to);
        switch (t.where) {
        case storage::function:
            current().private_bytes = add_capped(current().private_bytes, to.bytes);
            return nothing{};
        case storage::private_:
            out_.seen.private_bytes = add_capped(out_.seen.private_bytes, to.bytes);
            return nothing{};
        case storage::workgroup:
            if (in.size() > 4 && !is_null(in.word(4))) return no(rule::storage_not_allowed, in);
            out_.seen.shared_bytes = add_capped(out_.seen.shared_bytes, to.laid_out);
            return nothing{};
        case storage::push_constant:
            if (to.kind != op::type_struct || !to.block || out_.seen.push_bytes != 0)
                return no(rule::storage_not_allowed, in);
            out_.seen.push_bytes = to.laid_out;
            return nothing{};
        case storage::input: {
            static constexpr std::array<std::uint32_t, 5> allowed{24, 26, 27, 28, 29};
            auto const builtin = decorations_[in.result()].builtin;
            if (!builtin || !contains(allowed, *builtin)) return no(rule::builtin_not_allowed, in);
            return nothing{};
        }
        default:
            return no(rule::storage_not_allowed, in);
        }
    }

    bool is_null(std::uint32_t id) const
    {
        auto const where = m_.definition(id);
        return where != nowhere && static_cast<op>(m_[where].opcode()) == op::constant_null;
    }

    verdict buffer(instruction const& in, storage where, type_facts const& to)
    {
        auto const& d = decorations_[in.result()];
        if (to.kind != op::type_struct || !to.block || !d.set || !d.slot || *d.set >= trap_set ||
            *d.slot >= slots_max || in.size() > 4)
            return no(rule::binding_not_allowed, in);
        bool const is_storage = where == storage::storage_buffer;
        binding const made{*d.set, *d.slot,
                           is_storage ? buffer_kind::storage : buffer_kind::uniform, to.laid_out,
                           to.stride};
        for (auto const& each : out_.seen.bindings) {  // at most 3 * 64
            if (each.set == made.set && each.slot == made.slot)
                return no(rule::binding_not_allowed, in);
        }
        out_.seen.bindings.push_back(made);
        ++(is_storage ? out_.storage_buffers : out_.uniform_buffers);
        return nothing{};
    }

    // ------------------------------------------------------------ functions
    function_facts& current() { return out_.functions.back(); }

    verdict function(instruction const& in, op code)
    {
        if (code == op::function) {
            if (inside_) return no(rule::function_not_allowed, in);
            auto const& back = out_.type(in.type());
            if (back.kind != op::type_void && !back.is_data())
                return no(rule::function_not_allowed, in);
            inside_ = true;
            out_.function_of[in.result()] = static_cast<std::uint32_t>(out_.functions.size());
            out_.functions.push_back({in.result(), in.index(), false, false, 1, 0, {}, {}});
            return nothing{};
        }
        if (!inside_) return no(rule::function_not_allowed, in);
        if (code == op::function_end) {
            inside_ = false;
            if (!current().has_body) return no(rule::function_not_allowed, in);
            for (auto const& [target, from] : back_edges_) {
                if (!out_.headers[target]) return no(rule::loop_shape, m_[from]);
            }
            back_edges_.clear();
        } else if (code == op::function_call) {
            current().calls.push_back(in.word(3));
            current().call_at.push_back(in.index());
        }
        return nothing{};
    }

    verdict label(instruction const& in)
    {
        if (!inside_) return no(rule::function_not_allowed, in);
        current().has_body = true;
        block_ = in.result();
        return nothing{};
    }

    verdict loop_merge(instruction const& in)
    {
        if (!inside_ || block_ == 0 || in.index() + 1 >= m_.size()) return no(rule::loop_shape, in);
        auto const next = m_[in.index() + 1];
        auto const code = static_cast<op>(next.opcode());
        bool const leaves = code == op::branch_conditional &&
                            (next.word(2) == in.word(1) || next.word(3) == in.word(1) ||
                             next.word(2) == in.word(2) || next.word(3) == in.word(2));
        if (code != op::branch && !leaves) return no(rule::loop_shape, in);
        out_.headers[block_] = true;
        current().loops = true;
        return nothing{};
    }

    verdict branch(instruction const& in, std::uint32_t word)
    {
        auto const target = in.word(word);
        auto const where = m_.definition(target);
        if (!inside_ || where == nowhere || static_cast<op>(m_[where].opcode()) != op::label)
            return no(rule::bad_id, in);
        if (where <= in.index()) back_edges_.emplace_back(target, in.index());
        current().size = add_capped(current().size, 1);
        return nothing{};
    }

    verdict switch_targets(instruction const& in)
    {
        auto const& t = out_.type(type_of(m_, in.word(1)));
        if (t.kind != op::type_int) return no(rule::bad_type, in);
        BLENDR_CHECK(branch(in, 2));
        std::uint32_t const step = t.width == 64 ? 3 : 2;
        if ((in.size() - 3) % step != 0) return no(rule::cut_off, in);
        for (std::uint32_t k = 3 + step - 1; k < in.size(); k += step) BLENDR_CHECK(branch(in, k));
        return nothing{};
    }

    // ------------------------------------------------------------ over the call graph
    verdict finish()
    {
        if (inside_ || out_.entry == 0 || out_.entry >= m_.bound() ||
            out_.function_of[out_.entry] == nowhere)
            return fail{refusal{rule::not_one_kernel}};
        for (std::uint32_t k = 0; k < 3; ++k) {
            auto& size = out_.seen.local_size[k];
            if (has_workgroup_size_) local_size_ids_[k] = workgroup_size_[k];
            if (local_size_ids_[k] != 0) size = out_.constant(local_size_ids_[k]).value_or(0);
        }
        std::sort(out_.seen.bindings.begin(), out_.seen.bindings.end(),
                  [](binding const& a, binding const& b) {
                      return std::tie(a.set, a.slot) < std::tie(b.set, b.slot);
                  });
        BLENDR_CHECK(inline_calls());
        // Compilers inline in every function, also in those that the kernel never reaches.
        for (auto const& each : out_.functions)
            out_.seen.inlined_size = add_capped(out_.seen.inlined_size, each.size);
        auto const& kernel = out_.functions[out_.function_of[out_.entry]];
        out_.seen.private_bytes = add_capped(out_.seen.private_bytes, kernel.private_bytes);
        return nothing{};
    }

    /// Adds to each function what it calls, callees first, without recursion of our own.
    verdict inline_calls()
    {
        enum class mark : std::uint8_t { fresh, open, done };
        auto& all = out_.functions;
        std::vector<mark> marks(all.size(), mark::fresh);
        std::vector<std::pair<std::uint32_t, std::size_t>> stack;
        for (std::uint32_t root = 0; root < all.size(); ++root) {
            if (marks[root] != mark::fresh) continue;
            stack.emplace_back(root, 0);
            marks[root] = mark::open;
            while (!stack.empty()) {
                auto& [f, next] = stack.back();
                if (next == all[f].calls.size()) {
                    marks[f] = mark::done;
                    out_.callees_first.push_back(f);
                    stack.pop_back();
                    continue;
                }
                auto const k = next;
                auto const call = m_[all[f].call_at[k]];
                auto const id = all[f].calls[k];
                auto const g = id < m_.bound() ? out_.function_of[id] : nowhere;
                if (g == nowhere) return no(rule::bad_id, call);
                if (marks[g] == mark::open) return no(rule::recursion, call);
                if (marks[g] == mark::fresh) {
                    marks[g] = mark::open;
                    stack.emplace_back(g, 0);
                    continue;
                }
                all[f].size = add_capped(all[f].size, all[g].size);
                all[f].private_bytes = add_capped(all[f].private_bytes, all[g].private_bytes);
                all[f].loops = all[f].loops || all[g].loops;
                ++next;
            }
        }
        return nothing{};
    }

    spirv_module const& m_;
    analysis out_;
    std::vector<id_decorations> decorations_;
    std::map<std::pair<std::uint32_t, std::uint32_t>, member_decorations> members_;
    std::array<std::uint32_t, 3> local_size_ids_{}, workgroup_size_{};
    bool has_workgroup_size_ = false;
    bool inside_ = false;
    std::uint32_t block_ = 0;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> back_edges_;
};

}  // namespace

result<analysis, refusal> analyse(spirv_module const& m) { return reader{m}.read(); }

result<reflection, refusal> reflect(spirv_module const& of)
{
    BLENDR_TRY(auto read, analyse(of));
    return std::move(read.seen);
}

}  // namespace blendr::compute
