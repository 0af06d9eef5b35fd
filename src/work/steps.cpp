// SPDX-License-Identifier: Apache-2.0
#include <blendr/work/steps.hpp>

#include <algorithm>
#include <array>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/core/codec.hpp>
#include <blendr/crypto/hash.hpp>
#include <blendr/work/render.hpp>

#include "builtin.hpp"
#include "on_device.hpp"
#include "render_unit.hpp"
#include "tracer.hpp"
#include "train_unit.hpp"

namespace blendr::work {
namespace {

constexpr crypto::domain program_name{"work.steps/1"};
constexpr crypto::domain pixels_domain{"work.pixels/1"};

// ------------------------------------------------------------ render
struct render_state {
    picture of{};
    box where{};
    bytes from{};  ///< the scene
    std::array<std::int64_t, 3> sum{};
    hash256 pixels{};  ///< of those that are done, one after the other
};
BOOST_DESCRIBE_STRUCT(render_state, (), (of, where, from, sum, pixels))

hash256 with_pixel(hash256 const& before, std::array<std::uint8_t, 3> const& shown)
{
    return crypto::hasher{pixels_domain}.update(before).update(encode(shown)).finish();
}

/// One path. A state that no unit leads to stays as it is.
bytes render_step(std::uint64_t number, bytes_view before)
{
    auto state = decode<render_state>(before);
    if (!state) return to_bytes(before);
    unit whole{state->where, encode(state->of), {share(state->from)}, {}};
    auto const read = read_tile(whole);
    if (!read || !read->of.exact || number >= state->where.size.points() * read->of.samples)
        return to_bytes(before);
    auto const pixel = number / read->of.samples;
    auto const sample = static_cast<std::uint32_t>(number % read->of.samples);
    auto const x = state->where.from.x + static_cast<std::uint32_t>(pixel % state->where.size.x);
    auto const y = state->where.from.y + static_cast<std::uint32_t>(pixel / state->where.size.x);
    vec<fixed> sum{{state->sum[0]}, {state->sum[1]}, {state->sum[2]}};
    tracer<fixed>{read->from}.gather(read->of, x, y, sample, 1, sum);
    state->sum = {sum.x.raw, sum.y.raw, sum.z.raw};
    if (sample + 1 == read->of.samples) {
        state->pixels = with_pixel(state->pixels, tracer<fixed>::shown(read->of, sum));
        state->sum = {};
    }
    return encode(*state);
}

// ------------------------------------------------------------ train
struct train_state {
    bytes told{};
    bytes weights{}, rows{};
    std::vector<std::int64_t> sums{};
};
BOOST_DESCRIBE_STRUCT(train_state, (), (told, weights, rows, sums))

/// One row.
bytes train_step(std::uint64_t number, bytes_view before)
{
    using net = network<std::int64_t>;
    auto state = decode<train_state>(before);
    if (!state) return to_bytes(before);
    unit whole{{}, state->told, {share(state->weights), share(state->rows)}, {}};
    auto const read = read_train_unit(whole);
    if (!read || !read->exact || number >= std::uint64_t{read->rows} + read->tested)
        return to_bytes(before);
    auto const of = read->net();
    if (state->sums.size() != read->numbers()) return to_bytes(before);
    std::size_t const line = of.inputs() + 1;
    auto const weights = numbers_in<std::int64_t>(state->weights);
    auto const row = numbers_in<std::int64_t>(bytes_view{state->rows}.subspan(
        number * line * sizeof(std::int64_t), line * sizeof(std::int64_t)));
    std::vector<std::int64_t> traced(net::trace_size(of));
    if (number < read->rows) {
        net::trace(of, weights, row, traced);
        net::add_row(of, row, traced, state->sums);
    } else {
        (void)net::test(of, weights, row, traced);
        state->sums.back() = net::add(state->sums.back(), traced.back());
    }
    return encode(*state);
}

result<bytes, problem> fitting(bytes state)
{
    if (state.size() <= step_state_max) return state;
    return fail{problem{fault::range_too_large,
                        "the state of a step has " + std::to_string(state.size()) +
                            " bytes, a referee takes " + std::to_string(step_state_max)}};
}

problem no_steps(std::string_view app_name)
{
    return {fault::program_failed,
            std::string{app_name.substr(0, 40)} + " has no steps, or not for this variant"};
}

unit_steps const* steps_of(std::string_view app_name)
{
    for (auto const* each : {&analyse_steps(), &hash_steps(), &matmul_steps()})
        if (each->app == app_name) return each;
    return nullptr;
}

}  // namespace

hash256 step_program(std::string_view app_name) noexcept
{
    return crypto::hash(program_name, as_bytes(app_name));
}

void add_steps(verify::step_registry& to)
{
    to.add({step_program("render"), step_state_max, render_step});
    to.add({step_program("train"), step_state_max, train_step});
    for (auto const* each : {&analyse_steps(), &hash_steps(), &matmul_steps()})
        to.add({step_program(each->app), step_state_max, each->step});
}

result<bytes, problem> first_state(std::string_view app_name, unit const& what)
{
    if (auto const* const by = steps_of(app_name)) {
        BLENDR_TRY(auto state, by->first(what));
        return fitting(std::move(state));
    }
    if (app_name == "render") {
        BLENDR_TRY(auto const read, read_tile(what));
        if (!read.of.exact) return fail{no_steps(app_name)};
        return fitting(encode(render_state{read.of, what.where, *what.inputs[0], {}, {}}));
    }
    if (app_name == "train") {
        BLENDR_TRY(auto const read, read_train_unit(what));
        if (!read.exact) return fail{no_steps(app_name)};
        return fitting(encode(train_state{what.parameters, *what.inputs[0], *what.inputs[1],
                                          std::vector<std::int64_t>(read.numbers())}));
    }
    return fail{no_steps(app_name)};
}

result<std::uint64_t, problem> count_steps(std::string_view app_name, unit const& what)
{
    if (auto const* const by = steps_of(app_name)) return by->count(what);
    if (app_name == "render") {
        BLENDR_TRY(auto const read, read_tile(what));
        return what.where.size.points() * read.of.samples;
    }
    if (app_name == "train") {
        BLENDR_TRY(auto const read, read_train_unit(what));
        return std::uint64_t{read.rows} + read.tested;
    }
    return fail{no_steps(app_name)};
}

result<bytes, problem> last_state(std::string_view app_name, unit const& what, bytes_view result)
{
    BLENDR_TRY(auto const first, first_state(app_name, what));
    if (auto const* const by = steps_of(app_name)) return by->last(first, result);
    if (app_name == "render") {
        auto state = decode<render_state>(first).value();
        if (result.size() != what.where.size.points() * 3)
            return fail{problem{fault::wrong_size, "a tile"}};
        for (std::size_t k = 0; k < result.size(); k += 3)
            state.pixels = with_pixel(state.pixels, {std::to_integer<std::uint8_t>(result[k]),
                                                     std::to_integer<std::uint8_t>(result[k + 1]),
                                                     std::to_integer<std::uint8_t>(result[k + 2])});
        return encode(state);
    }
    auto state = decode<train_state>(first).value();
    if (result.size() != state.sums.size() * sizeof(std::int64_t))
        return fail{problem{fault::wrong_size, "a gradient"}};
    state.sums = numbers_in<std::int64_t>(result);
    return encode(state);
}

}  // namespace blendr::work
