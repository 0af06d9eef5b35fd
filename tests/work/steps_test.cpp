// SPDX-License-Identifier: Apache-2.0
#include <blendr/work/steps.hpp>

#include <bit>
#include <fstream>
#include <iterator>

#include <doctest/doctest.h>

#include <blendr/core/random.hpp>
#include <blendr/work/app.hpp>

#include "support/support.hpp"
#include "work/npy.hpp"

using namespace blendr;
using namespace blendr::work;

namespace {

unit first_unit(std::string const& app_name, order const& asked)
{
    auto const made = find_app(app_name)->make(asked, {}).value();
    return made->next({}).value()->units.front();
}

unit unit_of(std::string const& app_name, std::string const& path, std::string options)
{
    std::ifstream in{blendr::test::data("../examples/" + path)};
    std::string const text{std::istreambuf_iterator<char>{in}, {}};
    order asked;
    asked.options = std::move(options);
    asked.files.push_back({"file", to_bytes(std::string_view{text})});
    return first_unit(app_name, asked);
}

unit unit_of_product(bool floats)
{
    rng random{8};
    matrix a{floats, 36, 12, {}}, b{floats, 12, 9, {}};
    for (auto* each : {&a, &b})
        for (std::uint32_t k = 0; k < each->rows * each->columns; ++k) {
            auto const v = static_cast<std::int32_t>(random.below(200)) - 100;
            append(each->values, floats ? std::bit_cast<std::uint32_t>(static_cast<float>(v))
                                        : static_cast<std::uint32_t>(v));
        }
    return first_unit("matmul", {"{}", {{"a.npy", write_npy(a)}, {"b.npy", write_npy(b)}}});
}

std::vector<std::pair<std::string, unit>> disputable()
{
    std::vector<std::pair<std::string, unit>> all{
        {"render", unit_of("render", "render/demo.scene", R"({"width":8,"height":6,"samples":2})")},
        {"train", unit_of("train", "train/spirals.csv", R"({"hidden":[5],"parts":12,"rounds":1})")},
        {"matmul", unit_of_product(false)},
        {"hash", unit_of("hash", "train/spirals.csv", R"({"block_bytes":200})")}};
    for (std::string const ask : {"histogram", "group", "sort", "prefix_sum"})
        all.emplace_back("analyse", unit_of("analyse", "train/spirals.csv",
                                            R"({"column":"x","by":"stone","unit_rows":90,"ask":")" +
                                                ask + "\"}"));
    return all;
}

}  // namespace

TEST_CASE(
    "steps: one after the other they lead from a unit's inputs to its result, and to no other")
{
    verify::step_registry all;
    add_steps(all);
    auto const native = make_native_device(1);
    for (auto const& each : disputable()) {
        auto const& name = each.first;
        auto const& what = each.second;
        INFO(name);
        auto result = find_app(name)->run(what, {*native}).value();
        auto const* const program = all.find(step_program(name));
        REQUIRE(program != nullptr);
        auto state = first_state(name, what).value();
        auto const steps = count_steps(name, what).value();
        CHECK(steps > 30);
        std::uint64_t changed = 0;
        for (std::uint64_t k = 0; k < steps; ++k) {
            auto next = program->run(k, state);
            changed += next != state ? 1u : 0u;  // a path that meets no light adds none
            state = std::move(next);
        }
        CHECK(2 * changed > steps);
        CHECK(state == last_state(name, what, result).value());
        for (std::size_t at = 0; at < result.size(); ++at) {
            result[at] ^= std::byte{1};
            REQUIRE(state != last_state(name, what, result).value());
            result[at] ^= std::byte{1};
        }
        CHECK(program->run(steps, state) == state);  // there are no more
    }
}

TEST_CASE("steps: a lie at any step is led to and refuted by recomputing one")
{
    verify::step_registry all;
    add_steps(all);
    crypto::address const liar{hash256{std::byte{1}}}, honest{hash256{std::byte{2}}};
    for (auto const& each : disputable()) {
        auto const& name = each.first;
        auto const& what = each.second;
        INFO(name);
        auto const* const program = all.find(step_program(name));
        std::vector<bytes> states{first_state(name, what).value()};
        auto const steps = count_steps(name, what).value();
        for (std::uint64_t k = 0; k < steps; ++k) states.push_back(program->run(k, states.back()));
        for (std::uint64_t lie = 1; lie <= steps; lie += 7) {
            auto const told = [&](std::uint64_t at) {  // by the liar
                auto h = verify::hash_of_state(states[at]);
                if (at >= lie) h[0] ^= std::byte{1};
                return h;
            };
            auto one = verify::dispute::open({step_program(name), steps, told(0), told(steps),
                                              verify::hash_of_state(states[steps])},
                                             liar, honest, 10, height{1})
                           .value();
            while (one.at == verify::dispute_stage::narrowing) {
                auto const asked = one.asked();
                REQUIRE(one.move(liar, told(asked), height{2}));
                REQUIRE(one.move(honest, verify::hash_of_state(states[asked]), height{2}));
            }
            CHECK(one.high == lie);
            REQUIRE(one.prove(states[one.low], all, height{3}));
            CHECK(one.end == verify::ruling::asserter_wrong);
        }
    }
}

TEST_CASE("steps: any state is taken, bounded, and left alone when no unit leads to it" *
          doctest::test_suite("property"))
{
    verify::step_registry all;
    add_steps(all);
    auto const seed = blendr::test::seed();
    INFO("seed " << seed);
    rng random{seed};
    for (auto const& each : disputable()) {
        auto const& name = each.first;
        auto const& what = each.second;
        auto const* const program = all.find(step_program(name));
        auto const good = first_state(name, what).value();
        CHECK(good.size() <= step_state_max);
        for (int k = 0; k < 300; ++k) {
            auto bad = good;
            auto const many = 1 + random.below(4);
            for (std::uint64_t j = 0; j < many; ++j) {
                auto const at = random.below(bad.size());
                bad[at] = static_cast<std::byte>(random.below(256));
            }
            auto const number = random.below(200);
            auto const after = program->run(number, bad);
            CHECK(after.size() == bad.size());
        }
        CHECK(program->run(0, {}).empty());
    }
    CHECK(!first_state("hash", disputable()[0].second));
    CHECK(!first_state("matmul", unit_of_product(true)));
    CHECK(!first_state("program", disputable()[0].second));
    CHECK(!first_state("render", unit_of("render", "render/demo.scene", R"({"exact":false})")));
}
