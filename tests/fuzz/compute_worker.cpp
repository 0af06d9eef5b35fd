// SPDX-License-Identifier: Apache-2.0
// Any bytes, as a program or as choices that make one, run in a worker as a stranger's. It ends in time, the worker outlives it,
// nothing is written outside of what it was given, and what it was to write is all there, or the trap says why. What a made program
// writes is what an interpreter of the hardened code writes.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <blendr/compute.hpp>

#include "../compute/generator.hpp"
#include "../compute/interpreter.hpp"

namespace {

using namespace blendr;
using namespace blendr::compute;
using word = std::uint32_t;

constexpr std::uint64_t room = 4096;  // of each of: guard, what a program is given, guard
constexpr word mark = 0x6A12D5A7;

[[noreturn]] void complain(std::string const& what)
{
    std::fprintf(stderr, "compute_worker: %s\n", what.c_str());
    std::abort();
}

policy small()
{
    policy under;
    under.as = profile::tolerance;
    under.loop_budget = 500;
    under.inlined_size_max = 5'000;
    return under;
}

class bench {
public:
    static bench* get()
    {
        // Without a driver there is nothing to try.
        static std::unique_ptr<bench> const one = [] {
            worker_options chosen;
            chosen.memory_bytes = 1 << 20;
            chosen.load_within = chosen.start_within = std::chrono::minutes{2};
            auto made = worker::start(chosen);
            return std::unique_ptr<bench>{made ? new bench{*std::move(made)} : nullptr};
        }();
        return one.get();
    }

    void try_bytes(bytes_view raw)
    {
        auto const made = load(raw);
        if (!made) return;
        dispatch d{made->id, {1, 1, 1}, {}, bytes(made->needs.push_bytes)};
        for (auto const& each : made->needs.bindings)
            if (each.bytes_min() > room)
                return;
            else
                d.bound.push_back({given_, 0, room});
        auto const how = run(std::move(d));
        if (how.what != fault::ok && how.what != fault::trapped)
            complain(message(failure{how.what, how.why}));
    }

    void try_choices(std::span<std::byte const> choices, bool alone)
    {
        auto const raw = test::generator{choices, alone}.make();
        auto const made = load(raw);
        if (!made) complain("a program that was made right is refused: " + message(made.error()));
        auto const under = [&] {
            auto p = small();
            p.device = on_->info().limits;
            return p;
        }();
        auto const code = admit(raw, under).value().code;
        std::vector<word> a(64), b(64);
        for (word i = 0; i < 64; ++i) a[i] = i * 0x9e3779b1u >> i % 32;
        auto const bytes_of = [](auto& words) { return std::as_writable_bytes(std::span{words}); };
        batch first;
        first.steps.emplace_back(upload{{given_, 0, 256}, bytes_of(a)});
        first.steps.emplace_back(upload{{given_, 256, 256}, bytes_of(b)});
        if (!on_->run(first)) complain("words do not come into memory");
        auto const before = a;
        auto const how = run({made->id, {1, 1, 1}, {{given_, 0, 256}, {given_, 256, 256}}, {}});
        batch last;
        last.steps.emplace_back(download{{given_, 0, 256}, bytes_of(a)});
        last.steps.emplace_back(download{{given_, 256, 256}, bytes_of(b)});
        if (!on_->run(last)) complain("words do not come out of memory");
        if (how.what != fault::ok && how.what != fault::trapped)
            complain(message(failure{how.what, how.why}));
        for (word const lane : {0u, 1u, 17u, 63u}) {
            if (alone && lane != 0) break;
            auto const m = spirv_module::parse(code).value();
            test::interpreter machine{m};
            machine.steps_max = 2'000'000;
            machine.buffers[{0, 0}] = before;
            machine.buffers[{0, 1}] = std::vector<word>(64);
            machine.buffers[{trap_set, trap_slot}] = {0, 0, 0, 0};
            machine.invocation = lane;
            machine.run();  // throws where something undefined is left
            auto const traps = machine.buffers[{trap_set, trap_slot}][0];
            if ((traps & ~how.traps) != 0 || (alone && traps != how.traps))
                complain("the worker tells traps " + std::to_string(how.traps) + ", lane " +
                         std::to_string(lane) + " noted " + std::to_string(traps));
            if (alone && (machine.buffers[{0, 0}] != a || machine.buffers[{0, 1}] != b))
                complain("other words came out than the program says");
            if (machine.buffers[{0, 1}][lane] != b[lane]) complain("another word came out");
        }
        if (how.what == fault::ok)
            for (word i = 0; i < (alone ? 1u : 64u); ++i)
                if ((b[i] & test::generator::done) == 0) complain("a word was not written");
    }

private:
    explicit bench(std::unique_ptr<worker> on) : on_{std::move(on)} { settle(); }

    void settle()
    {
        before_ = on_->allocate(room).value();
        given_ = on_->allocate(room).value();
        after_ = on_->allocate(room).value();
        std::vector<word> const marks(room / 4, mark);
        batch work;
        for (auto const each : {before_, after_})
            work.steps.emplace_back(upload{{each, 0, room}, std::as_bytes(std::span{marks})});
        if (!on_->run(work)) complain("words do not come into memory");
        process_ = on_->report().process;
    }

    result<loaded, failure> load(bytes_view raw)
    {
        if (++loads_ % 64 == 0) {
            if (!on_->forget()) complain("a tenancy does not end");
            settle();
        }
        auto made = on_->load(raw, small(), origin::stranger);
        if (!made && made.error().what != fault::refused &&
            made.error().what != fault::does_not_compile)
            complain(message(made.error()));
        still_there();
        return made;
    }

    outcome run(dispatch d)
    {
        batch work;
        work.deadline = std::chrono::minutes{2};  // whoever calls has a limit of its own
        work.steps.emplace_back(std::move(d));
        auto const how = on_->run(work);
        still_there();
        std::vector<word> seen(room / 4);
        for (auto const each : {before_, after_}) {
            batch look;
            look.steps.emplace_back(
                download{{each, 0, room}, std::as_writable_bytes(std::span{seen})});
            if (!on_->run(look)) complain("words do not come out of memory");
            for (auto const w : seen)
                if (w != mark) complain("a program wrote where nothing was bound");
        }
        return how;
    }

    void still_there() const
    {
        auto const now = on_->report();
        if (now.process != process_ || now.died + now.killed != 0) complain(now.last);
    }

    std::unique_ptr<worker> on_;
    memory_id before_{}, given_{}, after_{};
    int process_ = 0;
    std::uint64_t loads_ = 0;
};

}  // namespace

/// The worker starts before the clock of the first input does.
extern "C" int LLVMFuzzerInitialize(int*, char***)
{
    bench::get();
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    auto* const on = bench::get();
    auto const raw = std::as_bytes(std::span{data, size});
    if (on == nullptr || size == 0) return 0;
    constexpr std::uint8_t first_of_spirv = 0x03;
    if (data[0] == first_of_spirv)
        on->try_bytes(raw);
    else
        on->try_choices(raw.subspan(1), data[0] % 2 == 0);
    return 0;
}
