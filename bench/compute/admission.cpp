// SPDX-License-Identifier: Apache-2.0
// What admission costs: kernels as a compiler makes them, and one that is stretched to show that the
// cost of a word stays the same.
#include <harness.hpp>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include <blendr/compute.hpp>

namespace {

using namespace blendr;
using namespace blendr::bench;
namespace compute = blendr::compute;

bytes kernel(std::string const& name)
{
    std::ifstream file{std::string{BLENDR_KERNELS_DIR} + "/" + name + ".spv", std::ios::binary};
    std::string const text{std::istreambuf_iterator<char>{file}, {}};
    return to_bytes(text);
}

void put(bytes& to, std::initializer_list<std::uint32_t> words)
{
    for (auto const word : words)
        for (unsigned shift = 0; shift < 32; shift += 8)
            to.push_back(static_cast<std::byte>(word >> shift));
}

/// The kernel with `count` divisions of an input by itself before its end.
bytes stretched(bytes const& raw, std::uint32_t count)
{
    constexpr std::uint16_t load = 61, return_ = 253, u_div = 134;
    auto const m = compute::spirv_module::parse(raw).value();
    std::uint32_t value = 0, type = 0, id = m.bound();
    bytes out;
    std::uint32_t last = 0;
    for (std::uint32_t i = 0; i < m.size(); ++i)
        if (m[i].opcode() == return_) last = i;
    put(out, {m.words()[0], m.words()[1], 0, m.bound() + count, 0});
    for (std::uint32_t i = 0; i < m.size(); ++i) {
        auto const in = m[i];
        if (in.opcode() == load && value == 0) value = in.result(), type = in.type();
        for (std::uint32_t k = 0; i == last && k < count; ++k)
            put(out, {5u << 16 | u_div, type, id++, value, value});
        for (auto const word : in.words()) put(out, {word});
    }
    return out;
}

void admit(bytes const& raw)
{
    compute::policy under;
    under.device.storage_buffers_max = 8;
    auto const made = compute::admit(raw, under);
    if (!made) std::abort();
    keep(made->code.size());
}

suite const admission{
    "compute/admission", [](run& r) {
        for (auto const* const name : {"add", "matmul", "divide"}) {
            auto const raw = kernel(name);
            r.figure("compute/admission/" + std::string{name} + "/" + std::to_string(raw.size()),
                     us, [&] { admit(raw); });
            r.figure("compute/admission/parse_and_reflect/" + std::string{name}, us, [&] {
                auto const seen = compute::reflect(compute::spirv_module::parse(raw).value());
                keep(seen->inlined_size);
            });
        }
        auto const small = stretched(kernel("spin.opt"), 700),
                   large = stretched(kernel("spin.opt"), 7000);
        r.compare(
            "compute/admission/linear/" + std::to_string(large.size()), ms, [&] { admit(large); },
            [&] { admit(small); });
    }};

}  // namespace
