// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/error.hpp>

#include "ops.hpp"

namespace blendr::compute {

std::string_view message(rule why) noexcept
{
    switch (why) {
    case rule::ok:
        return "nothing is wrong";
    case rule::not_words:
        return "the bytes are no whole number of 32-bit words, or too few";
    case rule::bad_header:
        return "the header is not that of little-endian SPIR-V";
    case rule::cut_off:
        return "the instruction is shorter than its kind or longer than the module";
    case rule::bad_id:
        return "an id is 0, above the bound, or used where nothing defines it";
    case rule::defined_twice:
        return "an id is defined a second time";
    case rule::bad_type:
        return "a type is missing, or of a kind that does not go here";
    case rule::bad_operand:
        return "an operand has a value that means nothing here";
    case rule::invalid:
        return "the SPIR-V validator refuses it";
    case rule::too_many_bytes:
        return "the module has more bytes than a program may have";
    case rule::too_many_ids:
        return "the module has more ids than a program may have";
    case rule::too_much_code:
        return "with every call inlined the program is larger than it may be";
    case rule::value_too_large:
        return "a value is larger than one may be outside a buffer";
    case rule::private_too_large:
        return "an invocation needs more private memory than it may have";
    case rule::version_not_allowed:
        return "only SPIR-V 1.3 to 1.6 is taken";
    case rule::unknown_instruction:
        return "the instruction is not one that kernels may use";
    case rule::capability_not_allowed:
        return "the capability is not one that kernels may use";
    case rule::extension_not_allowed:
        return "the extension is not one that kernels may use";
    case rule::not_logical:
        return "only logical addressing with the GLSL450 memory model is taken";
    case rule::not_one_kernel:
        return "a program has exactly one entry point, a compute kernel";
    case rule::recursion:
        return "functions may not call each other in a circle";
    case rule::pointer_not_allowed:
        return "pointers may be formed from variables alone, not be data";
    case rule::storage_not_allowed:
        return "the storage class is not one that kernels may use";
    case rule::binding_not_allowed:
        return "a buffer is one struct, alone in sets 0 to 2 at slots 0 to 63, each place taken "
               "once";
    case rule::builtin_not_allowed:
        return "an input must be a built-in that every device computes alike";
    case rule::index_out_of_bounds:
        return "a constant index lies outside its array";
    case rule::index_width:
        return "an index must be a 32-bit integer";
    case rule::loop_shape:
        return "a loop must have a header with a merge, from which it goes on or leaves";
    case rule::not_exact:
        return "the exact profile has integers alone, and no result that devices may choose";
    case rule::mode_not_allowed:
        return "the execution mode or decoration is not one that kernels may use";
    case rule::function_not_allowed:
        return "a function must have a body and return data or nothing";
    case rule::feature_missing:
        return "the device lacks a feature that the capability stands for";
    case rule::workgroup_too_large:
        return "the workgroup is empty or larger than the device takes";
    case rule::shared_too_large:
        return "the workgroup needs more shared memory than the device has";
    case rule::push_too_large:
        return "the push constants are larger than the device takes";
    case rule::too_many_bindings:
        return "the program has more buffers than the device takes";
    }
    return "unknown reason";
}

std::string opcode_name(std::uint16_t opcode)
{
    auto const* const facts = facts_of(opcode);
    if (facts != nullptr) return std::string{facts->name};
    return "opcode " + std::to_string(opcode);
}

std::string message(refusal const& why)
{
    std::string text;
    if (why.instruction != refusal::nowhere) {
        text = "instruction " + std::to_string(why.instruction) + " (" + opcode_name(why.opcode) +
               "): ";
    }
    text += message(why.why);
    if (!why.detail.empty()) text += ": " + why.detail;
    return text;
}

}  // namespace blendr::compute
