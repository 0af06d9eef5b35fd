// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include <blendr/compute/admission.hpp>

#include "ops.hpp"

namespace blendr::compute {

enum class storage : std::uint32_t {
    input = 1,
    uniform = 2,
    workgroup = 4,
    private_ = 6,
    function = 7,
    push_constant = 9,
    storage_buffer = 12,
};

inline constexpr std::uint64_t huge = std::numeric_limits<std::uint64_t>::max() / 4;

constexpr std::uint64_t add_capped(std::uint64_t a, std::uint64_t b) noexcept
{
    return a >= huge || b >= huge - a ? huge : a + b;
}
constexpr std::uint64_t multiply_capped(std::uint64_t a, std::uint64_t b) noexcept
{
    return a != 0 && b >= huge / a ? huge : a * b;
}

/// A type, by its id. Sizes stop at `huge`.
struct type_facts {
    op kind = op::nop;  ///< nop: the id is no type
    bool is_signed = false;
    std::uint32_t width = 0;      ///< bits of a number
    std::uint32_t element = 0;    ///< of a vector, matrix, array; what a pointer points to
    std::uint32_t innermost = 0;  ///< of an array of arrays: what is no array
    std::uint32_t count = 0;      ///< of a vector, matrix, array; members of a struct
    storage where{};              ///< of a pointer
    bool open = false;            ///< a runtime array, or a struct that ends in one
    bool block = false;           ///< a struct decorated Block
    std::uint64_t bytes = 0;      ///< packed
    std::uint64_t scalars = 0;
    std::uint64_t laid_out = 0;  ///< in a buffer, without the runtime array
    std::uint64_t stride = 0;    ///< of the runtime array

    bool is_data() const noexcept
    {
        switch (kind) {
        case op::type_bool:
        case op::type_int:
        case op::type_float:
        case op::type_vector:
        case op::type_matrix:
        case op::type_array:
        case op::type_struct:
            return true;
        default:
            return false;
        }
    }
};

struct function_facts {
    std::uint32_t id = 0;
    std::uint32_t first = 0;  ///< OpFunction
    bool loops = false;
    bool has_body = false;
    std::uint64_t size = 0;
    std::uint64_t private_bytes = 0;
    std::vector<std::uint32_t> calls;  ///< ids, with repetition, and the instructions
    std::vector<std::uint32_t> call_at;
};

/// What the whole module says, read once and used by reflection, policy and rewriter.
struct analysis {
    std::vector<type_facts> types;                        // by id
    std::vector<std::optional<std::uint32_t>> constants;  // 32-bit integers, by id
    std::vector<function_facts> functions;
    std::vector<std::uint32_t> function_of;    // by id: its place in `functions`, or nowhere
    std::vector<std::uint32_t> callees_first;  // the places of all functions, in this order
    std::vector<bool> headers;                 // by id: a block that begins a loop
    std::uint32_t entry = 0;                   // the kernel's function
    std::uint32_t storage_buffers = 0;
    std::uint32_t uniform_buffers = 0;
    std::uint64_t largest_value = 0;
    std::uint32_t largest_value_at = refusal::nowhere;
    std::uint32_t first_float_at = refusal::nowhere;
    reflection seen;

    type_facts const& type(std::uint32_t id) const noexcept
    {
        static type_facts const none{};
        return id < types.size() ? types[id] : none;
    }
    std::optional<std::uint32_t> constant(std::uint32_t id) const noexcept
    {
        return id < constants.size() ? constants[id] : std::nullopt;
    }
};

inline refusal at(rule why, instruction const& in) { return {why, in.index(), in.opcode()}; }

/// The type of a value, or of nothing when the id is no value.
inline std::uint32_t type_of(spirv_module const& m, std::uint32_t id) noexcept
{
    auto const where = m.definition(id);
    return where == refusal::nowhere ? 0 : m[where].type();
}

result<analysis, refusal> analyse(spirv_module const& m);

/// Everything of the policy that can be said before rewriting.
result<nothing, refusal> check_policy(spirv_module const& m, analysis const& a,
                                      policy const& under);

/// What SPIRV-Tools says to it.
result<nothing, refusal> validate(std::span<std::uint32_t const> words, std::string_view when);

/// The rewriter. Refuses constant indexes out of bounds and loops of a shape that it cannot bound.
result<std::vector<std::uint32_t>, refusal> harden(spirv_module const& m, analysis const& a,
                                                   policy const& under);

}  // namespace blendr::compute
