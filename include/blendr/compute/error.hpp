// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace blendr::compute {

/// Why a program was refused. Numbers are frozen and only ever appended, grouped by consequence:
/// 1-99 malformed (no SPIR-V at all), 100-199 too large, 200-299 not allowed by the policy,
/// 300-399 does not fit the device that the limits describe.
enum class rule : std::uint16_t {
    ok = 0,

    not_words = 1,
    bad_header = 2,
    cut_off = 3,
    bad_id = 4,
    defined_twice = 5,
    bad_type = 6,
    bad_operand = 7,
    invalid = 8,

    too_many_bytes = 100,
    too_many_ids = 101,
    too_much_code = 102,
    value_too_large = 103,
    private_too_large = 104,

    version_not_allowed = 200,
    unknown_instruction = 201,
    capability_not_allowed = 202,
    extension_not_allowed = 203,
    not_logical = 204,
    not_one_kernel = 205,
    recursion = 206,
    pointer_not_allowed = 207,
    storage_not_allowed = 208,
    binding_not_allowed = 209,
    builtin_not_allowed = 210,
    index_out_of_bounds = 211,
    index_width = 212,
    loop_shape = 213,
    not_exact = 214,
    mode_not_allowed = 215,
    function_not_allowed = 216,

    feature_missing = 300,
    workgroup_too_large = 301,
    shared_too_large = 302,
    push_too_large = 303,
    too_many_bindings = 304,
};

/// A rule broken, and where.
struct refusal {
    static constexpr std::uint32_t nowhere = 0xFFFFFFFF;

    rule why{};
    std::uint32_t instruction = nowhere;  ///< counted from 0, in the order of the module
    std::uint16_t opcode = 0;             ///< of that instruction
    std::string detail{};                 ///< what SPIRV-Tools said, when it was the one to refuse

    friend bool operator==(refusal const&, refusal const&) = default;
};

/// The rule as a sentence for people.
std::string_view message(rule why) noexcept;

/// The instruction and the rule: "instruction 12 (OpTypePointer): ...".
std::string message(refusal const& why);

/// "OpIAdd"; "opcode 4433" for one that admission does not know.
std::string opcode_name(std::uint16_t opcode);

}  // namespace blendr::compute
