// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include <blendr/compute/admission.hpp>

#include "interpreter.hpp"

namespace blendr::compute::test {

/// What a kernel of two buffers and two pushed words is run with by the interpreter.
struct given {
    interpreter::memory a{}, b{};
    std::uint32_t n = 0, k = 0, invocation = 0;
    std::uint64_t steps_max = 200'000;
};
struct ran {
    interpreter::memory a{}, b{};
    std::uint32_t traps = 0;
    std::string undefined{};  ///< what the interpreter threw
};

inline ran run(bytes const& code, given const& with)
{
    auto const m = spirv_module::parse(code).value();
    interpreter machine{m};
    machine.steps_max = with.steps_max;
    machine.buffers[{0, 0}] = with.a;
    machine.buffers[{0, 1}] = with.b;
    machine.buffers[{trap_set, trap_slot}] = interpreter::memory(trap_bytes / 4);
    machine.push = {with.n, with.k};
    machine.invocation = with.invocation;
    ran out;
    try {
        machine.run();
    } catch (undefined_behaviour const& what) {
        out.undefined = what.what();
    }
    out.a = machine.buffers[{0, 0}];
    out.b = machine.buffers[{0, 1}];
    auto const& told = machine.buffers[{trap_set, trap_slot}];
    out.traps = told[0];
    CHECK(told[1] + told[2] + told[3] == 0);
    return out;
}

}  // namespace blendr::compute::test
