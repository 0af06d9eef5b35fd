// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <vector>

#include <blendr/core/bytes.hpp>

#include <compute/ops.hpp>

// Valid programs of 32-bit integers out of any bytes: arithmetic on awkward numbers, indexes from anywhere, loops that end or do
// not, branches. Each of 64 invocations ends by writing its word of the second buffer, its highest bit set.
namespace blendr::compute::test {

class generator {
public:
    explicit generator(std::span<std::byte const> choices, bool alone)
        : left_{choices},
          alone_{alone}
    {}

    static constexpr std::uint32_t done = 0x80000000;  ///< in each word that was written at the end

    /// With `alone`, one invocation, and stores to what others see; else 64 that keep to themselves.
    bytes make()
    {
        preamble();
        auto const v3 = emit(op::load, uvec3, {gid_variable});
        x_ = emit(op::composite_extract, uint, {v3, 0});
        pool_.push_back(x_);
        statements(3, 24);
        auto const last = emit(op::bitwise_or, uint, {pool_.back(), constants + 8});
        auto const to = emit(op::access_chain, pointer_to_word, {buffer_b, constants, x_});
        put(op::store, {to, last});
        put(op::return_, {});
        put(op::function_end, {});
        code_[3] = next_;
        bytes raw(code_.size() * 4);
        for (std::size_t i = 0; i < raw.size(); ++i)
            raw[i] = static_cast<std::byte>(code_[i / 4] >> (i % 4 * 8));
        return raw;
    }

private:
    using word = std::uint32_t;
    static constexpr word void_ = 1, kernel_type = 2, uint = 3, boolean = 4, uvec3 = 5,
                          pointer_uvec3 = 6, gid_variable = 7, open_array = 8, block = 9,
                          pointer_block = 10, buffer_a = 11, buffer_b = 12, pointer_to_word = 13,
                          array = 14, pointer_shared = 15, shared = 16, pointer_shared_word = 17,
                          pointer_private = 18, pointer_private_word = 19, kernel = 20,
                          own_array = 21, entry = 22, ext = 23, constants = 24;
    static constexpr std::array<word, 12> numbers{
        0, 1, 2, 3, 7, 16, 31, 0x40000000, 0x80000000, 0xFFFFFFFF, 33, 0x7FFFFFFF};

    word choose(std::size_t below)
    {
        if (left_.empty()) return 0;
        auto const b = std::to_integer<word>(left_.front());
        left_ = left_.subspan(1);
        return static_cast<word>(b % below);
    }
    /// A constant outside would be refused.
    word index() { return emit(op::i_add, uint, {any(), x_}); }
    word any() { return pool_[pool_.size() - 1 - choose(pool_.size())]; }

    void put(op code, std::initializer_list<word> operands)
    {
        code_.push_back(static_cast<word>(operands.size() + 1) << 16 | static_cast<word>(code));
        code_.insert(code_.end(), operands);
    }
    word emit(op code, word type, std::initializer_list<word> operands)
    {
        auto const id = next_++;
        code_.push_back(static_cast<word>(operands.size() + 3) << 16 | static_cast<word>(code));
        code_.insert(code_.end(), {type, id});
        code_.insert(code_.end(), operands);
        return id;
    }

    void preamble()
    {
        constexpr word storage_buffer = 12, input = 1, workgroup = 4, function = 7;
        constexpr word glsl[4]{0x4C534C47, 0x6474732E, 0x3035342E, 0};  // "GLSL.std.450"
        constexpr word main_name[2]{0x6E69616D, 0};
        code_ = {0x07230203, 0x00010300, 0, 0, 0};
        put(op::capability, {1});
        put(op::ext_inst_import, {ext, glsl[0], glsl[1], glsl[2], glsl[3]});
        put(op::memory_model, {0, 1});
        put(op::entry_point, {5, kernel, main_name[0], main_name[1], gid_variable});
        put(op::execution_mode, {kernel, 17, alone_ ? 1u : 64u, 1, 1});
        put(op::decorate, {gid_variable, 11, 28});
        put(op::decorate, {open_array, 6, 4});
        put(op::decorate, {block, 2});
        put(op::member_decorate, {block, 0, 35, 0});
        for (word const k : {0u, 1u}) {
            put(op::decorate, {buffer_a + k, 34, 0});
            put(op::decorate, {buffer_a + k, 33, k});
        }
        put(op::type_void, {void_});
        put(op::type_function, {kernel_type, void_});
        put(op::type_int, {uint, 32, 0});
        put(op::type_bool, {boolean});
        put(op::type_vector, {uvec3, uint, 3});
        put(op::type_pointer, {pointer_uvec3, input, uvec3});
        put(op::variable, {pointer_uvec3, gid_variable, input});
        put(op::type_runtime_array, {open_array, uint});
        put(op::type_struct, {block, open_array});
        put(op::type_pointer, {pointer_block, storage_buffer, block});
        put(op::variable, {pointer_block, buffer_a, storage_buffer});
        put(op::variable, {pointer_block, buffer_b, storage_buffer});
        put(op::type_pointer, {pointer_to_word, storage_buffer, uint});
        next_ = constants;
        for (auto const each : numbers) pool_.push_back(emit(op::constant, uint, {each}));
        put(op::type_array, {array, uint, constants + 5});
        put(op::type_pointer, {pointer_shared, workgroup, array});
        put(op::variable, {pointer_shared, shared, workgroup});
        put(op::type_pointer, {pointer_shared_word, workgroup, uint});
        put(op::type_pointer, {pointer_private, function, array});
        put(op::type_pointer, {pointer_private_word, function, uint});
        put(op::function, {void_, kernel, 0, kernel_type});
        put(op::label, {entry});
        block_ = entry;
        put(op::variable, {pointer_private, own_array, function});
    }

    word address()
    {
        switch (choose(alone_ ? 3 : 2)) {
        case 0:
            return emit(op::access_chain, pointer_to_word, {buffer_a, constants, index()});
        case 1:
            return emit(op::access_chain, pointer_private_word, {own_array, index()});
        default:
            return emit(op::access_chain, pointer_shared_word, {shared, index()});
        }
    }

    void statements(int depth, int most)
    {
        for (int i = 0; i < most && !left_.empty(); ++i) {
            switch (choose(depth > 0 ? 10 : 7)) {
            case 0:
            case 1:
            case 2:
                arithmetic();
                break;
            case 3:
                pool_.push_back(emit(op::load, uint, {address()}));
                break;
            case 4: {
                auto const what = any();
                auto const to =
                    alone_ ? address()
                           : emit(op::access_chain, pointer_private_word, {own_array, index()});
                put(op::store, {to, what});
                break;
            }
            case 5:
                pool_.push_back(emit(op::select, uint, {compare(), any(), any()}));
                break;
            case 6:
                pool_.push_back(emit(op::ext_inst, uint, {ext, 44, any(), any(), any()}));
                break;
            case 7:
                either(depth);
                break;
            default:
                loop(depth);
            }
        }
    }

    void arithmetic()
    {
        static constexpr std::array<op, 14> all{op::i_add,
                                                op::i_sub,
                                                op::i_mul,
                                                op::u_div,
                                                op::s_div,
                                                op::u_mod,
                                                op::s_rem,
                                                op::s_mod,
                                                op::bitwise_or,
                                                op::bitwise_xor,
                                                op::bitwise_and,
                                                op::shift_left_logical,
                                                op::shift_right_logical,
                                                op::shift_right_arithmetic};
        auto const code = all[choose(all.size())];
        auto const left = any();
        pool_.push_back(emit(code, uint, {left, any()}));
    }

    word compare()
    {
        auto const code = static_cast<op>(static_cast<word>(op::i_equal) + choose(10));
        auto const left = any();
        return emit(code, boolean, {left, any()});
    }

    void begin(word id)
    {
        put(op::label, {id});
        block_ = id;
    }

    void either(int depth)
    {
        auto const condition = compare();
        auto const yes = next_++, end = next_++;
        put(op::selection_merge, {end, 0});
        put(op::branch_conditional, {condition, yes, end});
        auto const known = pool_.size();
        begin(yes);
        statements(depth - 1, 6);
        pool_.resize(known);
        put(op::branch, {end});
        begin(end);
    }

    /// for (i = any; i compare any; i = i + any), also one whose bound changes, and one that may be left early.
    void loop(int depth)
    {
        auto const first = any(), step = any(), from = block_;
        auto const header = next_++, test = next_++, body = next_++, more = next_++, end = next_++;
        auto const i = next_++, next = next_++;
        put(op::branch, {header});
        begin(header);
        put(op::phi, {uint, i, first, from, next, more});
        put(op::loop_merge, {end, more, 0});
        put(op::branch, {test});
        begin(test);
        auto const known = pool_.size();
        pool_.push_back(i);
        auto const code = static_cast<op>(static_cast<word>(op::i_equal) + choose(10));
        auto const condition = emit(code, boolean, {i, any()});
        put(op::branch_conditional, {condition, body, end});
        begin(body);
        statements(depth - 1, 6);
        if (choose(4) == 3) {
            auto const leave = compare();
            put(op::branch_conditional, {leave, end, more});
        } else {
            put(op::branch, {more});
        }
        begin(more);
        put(op::i_add, {uint, next, i, step});
        put(op::branch, {header});
        pool_.resize(known);
        begin(end);
    }

    std::span<std::byte const> left_;
    bool alone_;
    std::vector<word> code_;
    word next_ = 0, block_ = 0, x_ = 0;
    std::vector<word> pool_;
};

}  // namespace blendr::compute::test
