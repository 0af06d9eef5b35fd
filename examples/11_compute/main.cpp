// SPDX-License-Identifier: Apache-2.0
// A kernel of one's own runs in a worker and gets a receipt; three hostile ones are refused or survived.
// needs: compute
#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <blendr/compute.hpp>
#include <blendr/crypto.hpp>

#include "programs.hpp"

using namespace blendr;
namespace compute = blendr::compute;

namespace {

using words = std::vector<std::uint32_t>;

bytes bytes_of(words const& all)
{
    auto const raw = std::as_bytes(std::span{all});
    return {raw.begin(), raw.end()};
}

void say(char const* what, std::string const& how) { std::printf("%-16s %s\n", what, how.c_str()); }

/// One's own work, as a job: what goes in, what comes out, and a receipt that somebody signs.
void own_kernel(compute::device& on, crypto::identity const& provider)
{
    words numbers(128);
    for (std::uint32_t i = 0; i < numbers.size(); ++i) numbers[i] = i;

    compute::job squares;
    squares.program = bytes_of(square);  // square.comp, compiled by glslc --target-env=vulkan1.3 -O
    squares.groups = {2, 1, 1};
    squares.bindings = {compute::bound::input(bytes_of(numbers)), compute::bound::output(4 * 128)};
    auto const done = compute::run_job(on, squares);
    if (!done) return say("failed:", message(done.error()));

    auto const& r = done->receipt;
    auto const signed_ = sign(r, provider);
    say("127 squared:", std::to_string(std::to_integer<int>(done->outputs[0][508]) +
                                       256 * std::to_integer<int>(done->outputs[0][509])));
    say("program:", to_hex(r.program).substr(0, 16));
    say("inputs:", to_hex(r.inputs).substr(0, 16));
    say("outputs:", to_hex(r.outputs).substr(0, 16));
    say("receipt:", verify(signed_) ? "signed, and it verifies" : "broken");
}

void hostile_kernels(compute::device& on)
{
    compute::policy under;
    under.loop_budget = 1 << 16;

    auto const pointer = on.load(bytes_of(raw_pointer), under, compute::origin::stranger);
    say("raw pointer:", pointer ? "was taken" : message(pointer.error()));
    auto const bomb = on.load(bytes_of(compile_bomb), under, compute::origin::stranger);
    say("compile bomb:", bomb ? "was taken" : message(bomb.error()));

    // This one is valid, so it runs, for ever if it could.
    auto const memory = compute::tensor<std::uint32_t>::make(on, 2);
    auto const made = compute::program::stranger(on, bytes_of(endless), under);
    if (!memory || !made) return say("failed:", "the endless one should have been taken");
    auto const ended = compute::sequence{on}.dispatch(*made, {1, 1, 1}, {memory->all()}).run();
    say("endless loop:", std::string{message(ended.what)} + ": " + ended.why);
}

}  // namespace

int main()
{
    auto const worker = compute::worker::start();
    if (!worker) {
        std::printf("skipped: %s\n", message(worker.error()).c_str());
        return 0;
    }
    std::array<std::byte, 32> const seed{std::byte{11}};
    own_kernel(**worker, crypto::identity{crypto::secret_key::from_seed(seed)});
    hostile_kernels(**worker);
    auto const report = (*worker)->report();
    std::printf("workers: %llu started, %llu killed, %llu died\n",
                static_cast<unsigned long long>(report.started),
                static_cast<unsigned long long>(report.killed),
                static_cast<unsigned long long>(report.died));
}
