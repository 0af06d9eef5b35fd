// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/admission.hpp>

#include <algorithm>
#include <set>

#include <doctest/doctest.h>

#include <support/vectors.hpp>

#include <blendr/compute/spirv.hpp>
#include <blendr/core/random.hpp>

#include "kernels.hpp"

using namespace blendr;
using namespace blendr::compute;
using namespace blendr::compute::test;

namespace {

std::string verdict(bytes const& raw, policy const& under)
{
    auto const made = admit(raw, under);
    return made ? "" : message(made.error());
}

/// Bit flips, words from elsewhere, words cut out or doubled.
bytes mutant(bytes raw, rng& random)
{
    auto const words = raw.size() / 4;
    for (auto n = 1 + random.below(4) / 3; n > 0; --n) {
        auto const word = random.below(words);
        switch (random.below(4)) {
        case 0:
            raw = patched(raw, word, word_at(raw, random.below(words)));
            break;
        case 1:
            raw = patched(raw, word, static_cast<std::uint32_t>(random.below(200)));
            break;
        default:
            raw = patched(raw, word, word_at(raw, word) ^ (1u << random.below(32)));
            break;
        }
    }
    return raw;
}

struct tally {
    std::size_t admitted = 0, refused = 0;
};

/// Whatever is admitted has passed the validator after hardening: admit() itself refuses otherwise, and
/// says so in a way that these look for.
tally try_mutants(std::size_t count, std::uint64_t seed)
{
    auto const all = kernels();
    rng random{seed};
    tally seen;
    for (std::size_t i = 0; i < count; ++i) {
        auto const raw = mutant(all[random.below(all.size())].second, random);
        auto const made = admit(raw, roomy(profile::tolerance));
        if (made) {
            ++seen.admitted;
            continue;
        }
        ++seen.refused;
        auto const said = message(made.error());
        CHECK_MESSAGE(said.find("after hardening") == std::string::npos, said, " mutant ", i);
    }
    return seen;
}

}  // namespace

TEST_CASE("admission: kernels from a compiler are admitted, optimised or not")
{
    for (auto const& each : kernels()) {
        auto const& name = each.first;
        auto const& raw = each.second;
        bool const floats = name.starts_with("floats");
        CHECK_MESSAGE(verdict(raw, roomy(profile::tolerance)) == "", name);
        if (!floats) CHECK_MESSAGE(verdict(raw, roomy(profile::exact)) == "", name);
        if (floats) CHECK(admit(raw, roomy(profile::exact)).error().why == rule::not_exact);
    }
}

TEST_CASE("admission: what hardening writes is frozen")
{
    blendr::test::vector_list now;
    for (auto const& [name, raw] : kernels()) {
        auto const made = admit(raw, roomy(profile::tolerance)).value();
        now.emplace_back(name, to_bytes(bytes_view{made.code_hash}));
    }
    CHECK(blendr::test::differs_from_frozen("compute/hardened.txt", now) == "");
    CHECK(trap_set == 3);
    CHECK(trap_slot == 0);
    CHECK(trap_bytes == 16);
    CHECK(hardening_version == 3);
}

TEST_CASE("admission: programs that break a rule are refused by that rule")
{
    std::vector<std::pair<std::string, rule>> const expected = {
        {"clock", rule::unknown_instruction},
        {"compile_bomb", rule::too_much_code},
        {"descriptor_array", rule::binding_not_allowed},
        {"grid_huge", rule::workgroup_too_large},
        {"image", rule::unknown_instruction},
        {"old_version", rule::version_not_allowed},
        {"order", rule::not_exact},
        {"outside", rule::index_out_of_bounds},
        {"physical", rule::not_logical},
        {"private_huge", rule::private_too_large},
        {"raw_pointer", rule::unknown_instruction},
        {"recursion", rule::recursion},
        {"shared_huge", rule::shared_too_large},
        {"shuffle", rule::not_exact},
        {"field", rule::not_exact},
        {"subgroup", rule::unknown_instruction},
        {"trap_buffer", rule::binding_not_allowed},
        {"undef_pointer", rule::pointer_not_allowed},
        {"unstructured", rule::loop_shape}};
    std::size_t files = 0;
    for (auto const& each :
         std::filesystem::directory_iterator{blendr::test::data("vectors/compute/hostile")})
        files += each.path().extension() == ".spv";
    CHECK(files == expected.size());
    for (auto const& each : expected) {
        auto const& name = each.first;
        auto const why = each.second;
        auto const made = admit(kernel("hostile/" + name), roomy(profile::exact));
        REQUIRE_MESSAGE(!made, name);
        CHECK_MESSAGE(made.error().why == why, name, ": ", message(made.error()));
    }
}

TEST_CASE("admission: the exact profile has no floats, however they are used")
{
    for (auto const* const name : {"floats", "floats.opt", "floats_layout", "run/taps"}) {
        auto const made = admit(kernel(name), roomy(profile::exact));
        REQUIRE_MESSAGE(!made.has_value(), name);
        CHECK_MESSAGE(made.error().why == rule::not_exact, name);
        CHECK_MESSAGE(message(made.error()).find("OpTypeFloat") != std::string::npos, name);
        CHECK_MESSAGE(admit(kernel(name), roomy(profile::tolerance)).has_value(), name);
    }
}

TEST_CASE("admission: a program that does not fit the device is refused")
{
    auto const raw = kernel("matmul");
    auto const refused = [&](auto const& change) {
        auto under = roomy(profile::exact);
        change(under);
        auto const made = admit(raw, under);
        return made ? rule::ok : made.error().why;
    };
    CHECK(refused([](policy&) {}) == rule::ok);
    CHECK(refused([](policy& p) { p.device.invocations_max = 63; }) == rule::workgroup_too_large);
    CHECK(refused([](policy& p) { p.device.local_size_max[0] = 63; }) == rule::workgroup_too_large);
    CHECK(refused([](policy& p) { p.device.shared_bytes_max = 255; }) == rule::shared_too_large);
    CHECK(refused([](policy& p) { p.device.push_bytes_max = 7; }) == rule::push_too_large);
    CHECK(refused([](policy& p) { p.device.storage_buffers_max = 2; }) == rule::too_many_bindings);
    CHECK(refused([](policy& p) { p.device.storage_buffers_max = 3; }) == rule::ok);
    CHECK(refused([](policy& p) { p.private_bytes_max = 0; }) == rule::private_too_large);
    CHECK(refused([](policy& p) { p.inlined_size_max = 10; }) == rule::too_much_code);
    CHECK(refused([](policy& p) { p.value_bytes_max = 3; }) == rule::value_too_large);
}

TEST_CASE("admission: capabilities are a list, and what the device lacks is said")
{
    auto const raw = kernel("add");
    REQUIRE(word_at(raw, 5) == (2u << 16 | 17));  // OpCapability Shader comes first
    std::set<std::uint32_t> taken;
    auto under = roomy(profile::tolerance);
    auto& has = under.device;
    has.int8 = has.int16 = has.int64 = has.float16 = has.float64 = has.storage8 = has.storage16 =
        true;
    for (std::uint32_t capability = 0; capability < 6500; ++capability) {
        auto const made = admit(patched(raw, 6, capability), under);
        if (made || made.error().why != rule::capability_not_allowed) taken.insert(capability);
    }
    CHECK(taken == std::set<std::uint32_t>{0, 1, 9, 10, 11, 22, 39, 4433, 4434, 4448, 4449});
    CHECK(admit(patched(raw, 6, 11), roomy(profile::exact)).error().why == rule::feature_missing);
}

TEST_CASE(
    "admission: the same bytes under the same policy give the same code, another budget another")
{
    auto const raw = kernel("calls");
    auto under = roomy(profile::exact);
    auto const one = admit(raw, under).value();
    auto const two = admit(raw, under).value();
    CHECK(one.code == two.code);
    CHECK(one.submitted == two.submitted);
    under.loop_budget = 1000;
    auto const three = admit(raw, under).value();
    CHECK(three.submitted == one.submitted);
    CHECK(three.code_hash != one.code_hash);
}

TEST_CASE("admission: hardened code cannot be submitted as if it were a program")
{
    // It names the trap buffer, which a program may not.
    for (auto const& [name, raw] : kernels()) {
        auto const made = admit(raw, roomy(profile::tolerance)).value();
        auto const again = admit(made.code, roomy(profile::tolerance));
        REQUIRE(!again);
        CHECK(again.error().why == rule::binding_not_allowed);
    }
}

TEST_CASE("admission: mutants are refused with a sentence or stay valid after hardening" *
          doctest::test_suite("property"))
{
    auto const seed = blendr::test::seed();
    INFO("seed ", seed);
    auto const seen = try_mutants(3000, seed);
    CHECK(seen.admitted > 60);
    CHECK(seen.refused > 1000);
}

TEST_CASE("admission: 100,000 mutants are refused with a sentence or stay valid after hardening" *
          doctest::test_suite("slow"))
{
    auto const seed = blendr::test::seed() + 1;
    INFO("seed ", seed);
    auto const seen = try_mutants(100'000, seed);
    CHECK(seen.admitted > 3000);
}
