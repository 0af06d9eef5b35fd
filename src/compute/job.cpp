// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/job.hpp>

#include <algorithm>
#include <cstring>
#include <optional>
#include <random>
#include <utility>

#include <blendr/compute/sequence.hpp>
#include <blendr/core/random.hpp>
#include <blendr/crypto/hash.hpp>
#include <blendr/crypto/strict.hpp>

namespace blendr::compute {

namespace {

inline constexpr crypto::domain inputs_domain{"compute.in/1"};
inline constexpr crypto::domain outputs_domain{"compute.out/1"};
inline constexpr crypto::domain receipt_domain{"compute.rcpt/1"};

void add(crypto::hasher& h, bytes_view raw)
{
    h.update(encode(std::uint64_t{raw.size()}));
    h.update(raw);
}

hash256 hash_of_inputs(job const& what)
{
    crypto::hasher h{inputs_domain};
    for (auto const each : what.groups) h.update(encode(each));
    add(h, what.push);
    for (auto const& each : what.bindings) {
        h.update(encode(static_cast<std::uint8_t>(each.as)));
        h.update(encode(each.output_bytes));
        add(h, each.content);
    }
    return h.finish();
}

hash256 hash_of_outputs(std::vector<bytes> const& outputs)
{
    crypto::hasher h{outputs_domain};
    for (auto const& each : outputs) add(h, each);
    return h.finish();
}

/// Random words that nobody else knows.
bytes pattern(std::uint64_t size)
{
    std::random_device source;
    hash256 seed{};
    for (std::size_t i = 0; i < seed.size(); i += 4) {
        auto const word = static_cast<std::uint32_t>(source());
        std::memcpy(seed.data() + i, &word, 4);
    }
    bytes all(size);
    rng{seed}.fill(all);
    return all;
}

struct pass {
    std::vector<bytes> patterns;  // of each binding; empty where it is no output
    std::vector<bytes> after;     // of each binding that is written
    outcome how;
};

result<pass, failure> run_once(device& on, job const& what, loaded const& program,
                               std::vector<tensor<std::byte>> const& memory)
{
    pass one;
    batch work;
    work.deadline = what.deadline;
    dispatch d{program.id, what.groups, {}, what.push};
    one.patterns.resize(memory.size());
    one.after.resize(memory.size());
    for (std::size_t i = 0; i < memory.size(); ++i) {
        auto const& each = what.bindings[i];
        if (each.as == bound::role::output) one.patterns[i] = pattern(each.output_bytes);
        bytes_view const first =
            each.as == bound::role::output ? bytes_view{one.patterns[i]} : bytes_view{each.content};
        work.steps.emplace_back(upload{memory[i].all(), first});
        d.bound.push_back(memory[i].all());
    }
    work.steps.emplace_back(std::move(d));
    for (std::size_t i = 0; i < memory.size(); ++i) {
        if (what.bindings[i].as == bound::role::input) continue;
        one.after[i].resize(memory[i].size());
        work.steps.emplace_back(download{memory[i].all(), one.after[i]});
    }
    one.how = on.run(work);
    if (!one.how) return fail{failure{one.how.what, one.how.why}};
    return one;
}

bool same_word(bytes const& a, bytes const& b, std::size_t at)
{
    auto const size = std::min<std::size_t>(4, a.size() - at);
    return std::memcmp(a.data() + at, b.data() + at, size) == 0;
}

/// The words of an output that still hold the pattern: by binding, and byte.
std::vector<std::pair<std::size_t, std::size_t>> untouched(pass const& one)
{
    std::vector<std::pair<std::size_t, std::size_t>> all;
    for (std::size_t i = 0; i < one.patterns.size(); ++i)
        for (std::size_t at = 0; at < one.patterns[i].size(); at += 4)
            if (same_word(one.patterns[i], one.after[i], at)) all.emplace_back(i, at);
    return all;
}

}  // namespace

result<job_result, failure> run_job(device& on, job const& what)
{
    BLENDR_TRY(auto const program, on.load(what.program, what.under, origin::stranger));
    if (what.bindings.size() != program.needs.bindings.size())
        return fail{failure{fault::does_not_bind,
                            std::to_string(what.bindings.size()) +
                                " parts are bound, the program has " +
                                std::to_string(program.needs.bindings.size()) + " bindings"}};
    std::vector<tensor<std::byte>> memory;
    for (auto const& each : what.bindings) {
        auto const size = each.as == bound::role::output ? each.output_bytes : each.content.size();
        BLENDR_TRY(auto made, tensor<std::byte>::make(on, size));
        memory.push_back(std::move(made));
    }
    BLENDR_TRY(auto one, run_once(on, what, program, memory));
    if (auto const doubtful = untouched(one); !doubtful.empty()) {
        // A word may hold what the pattern was by chance: under another pattern it then does not.
        BLENDR_TRY(auto const two, run_once(on, what, program, memory));
        for (auto const& [i, at] : doubtful)
            if (same_word(two.patterns[i], two.after[i], at))
                return fail{failure{fault::incomplete, "binding " + std::to_string(i) + ", byte " +
                                                           std::to_string(at)}};
    }
    job_result made;
    for (std::size_t i = 0; i < memory.size(); ++i)
        if (what.bindings[i].as != bound::role::input)
            made.outputs.push_back(std::move(one.after[i]));
    auto& r = made.receipt;
    r.program = program.submitted;
    r.profile = static_cast<std::uint8_t>(what.under.as);
    r.hardening = on.info().kind == device_kind::native ? 0 : hardening_version;
    r.loop_budget = what.under.loop_budget;
    r.device = on.info().name;
    r.driver = on.info().driver;
    r.isolated = on.info().isolated;
    r.inputs = hash_of_inputs(what);
    r.outputs = hash_of_outputs(made.outputs);
    r.device_ns = static_cast<std::uint64_t>(std::max<std::int64_t>(one.how.device_ns, 0));
    r.slices = one.how.slices;
    r.milli_units = static_cast<std::uint64_t>(u128{what.micro_units_per_second} * r.device_ns /
                                               1'000'000'000'000);
    return made;
}

signed_receipt sign(receipt const& what, crypto::identity const& by)
{
    return {what, by.self(), by.sign(receipt_domain, encode(what))};
}

bool verify(signed_receipt const& it) noexcept
{
    return crypto::verify(it.by, receipt_domain, encode(it.what), it.signature);
}

std::string to_text(receipt const& r)
{
    // names are a stranger's: a line of one must not read like a line of ours
    auto const plain = [](std::string name) {
        std::replace_if(
            name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
        return name;
    };
    return "program  " + to_hex(r.program) + "\npolicy   " +
           (r.profile == 1 ? "exact" : "tolerance") + ", hardened by version " +
           std::to_string(r.hardening) + ", loop budget " + std::to_string(r.loop_budget) +
           "\ndevice   " + plain(r.device) + (r.isolated ? " (in a worker)" : "") + "\ndriver   " +
           plain(r.driver) + "\ninputs   " + to_hex(r.inputs) + "\noutputs  " + to_hex(r.outputs) +
           "\n";
}

}  // namespace blendr::compute
