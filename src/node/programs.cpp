// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/programs.hpp>

#include <algorithm>
#include <optional>

#include <blendr/crypto/hash.hpp>
#include <blendr/work/app.hpp>
#include <blendr/work/render.hpp>
#include <blendr/work/scene.hpp>

namespace blendr::node {
namespace {

constexpr crypto::domain program_domain{"node.program/1"};

/// How an exact picture's tile is cut into steps: pieces of its rows.
struct render_steps {
    work::unit unit{};
    std::uint32_t piece{};  ///< pixels
    std::uint64_t per_row{};

    static std::optional<render_steps> of(bytes_view packed)
    {
        auto read = work::unpack(packed);
        if (!read || read->inputs.size() != 1) return std::nullopt;
        auto const what = decode<work::picture>(read->parameters);
        auto const scene = decode<work::scene>(*read->inputs[0]);
        if (!what || !what->exact || !work::check(*what) || !scene) return std::nullopt;
        auto const& size = read->where.size;
        if (size.x == 0 || size.y == 0 || size.z != 1) return std::nullopt;
        auto const things =
            4 + scene->spheres.size() + scene->blocks.size() + scene->triangles.size();
        auto const each = std::uint64_t{what->samples} * what->bounces * things;
        if (each > step_cost_max) return std::nullopt;
        if (packed.size() + std::uint64_t{size.x} * size.y * 3 + 16 > state_max)
            return std::nullopt;
        render_steps out{};
        out.piece =
            static_cast<std::uint32_t>(std::min<std::uint64_t>(size.x, step_cost_max / each));
        out.per_row = (size.x + out.piece - 1) / out.piece;
        out.unit = *std::move(read);
        return out;
    }
    std::uint64_t count() const noexcept { return per_row * unit.where.size.y; }
    /// Pixels that are done after so many steps.
    std::uint64_t pixels(std::uint64_t steps) const noexcept
    {
        auto const& size = unit.where.size;
        auto const rows = steps / per_row;
        if (rows >= size.y) return std::uint64_t{size.x} * size.y;
        return rows * size.x + std::min<std::uint64_t>(size.x, steps % per_row * piece);
    }
    bytes step(std::uint64_t number) const
    {
        auto part = unit;
        auto const from = static_cast<std::uint32_t>(number % per_row) * piece;
        part.where.from.x += from;
        part.where.from.y += static_cast<std::uint32_t>(number / per_row);
        part.where.size = {std::min(piece, unit.where.size.x - from), 1, 1};
        auto done = work::render_tile(part);
        return done ? *std::move(done) : bytes{};
    }
};

/// One step of an exact picture. A state that no such run goes through stays as it is.
bytes render_step(std::uint64_t number, bytes_view before)
{
    auto state = decode<run_state>(before);
    if (!state) return to_bytes(before);
    auto const by = render_steps::of(state->unit);
    if (!by || number >= by->count() || state->done.size() != 3 * by->pixels(number))
        return to_bytes(before);
    auto const more = by->step(number);
    state->done.insert(state->done.end(), more.begin(), more.end());
    return encode(*state);
}

}  // namespace

hash256 program_of(std::string_view app) { return crypto::hash(program_domain, as_bytes(app)); }

std::string app_of(hash256 const& program)
{
    for (auto const* const each : work::apps())
        if (program_of(each->info().name) == program) return std::string{each->info().name};
    return {};
}

hash256 hash_before(bytes_view packed) { return hash_after(packed, {}); }

hash256 hash_after(bytes_view packed, bytes_view result)
{
    return verify::hash_of_state(encode(run_state{to_bytes(packed), to_bytes(result)}));
}

std::uint64_t steps_of(std::string_view app, bytes_view packed)
{
    if (app != "render") return 0;
    auto const by = render_steps::of(packed);
    return by ? by->count() : 0;
}

std::size_t done_after(std::string_view app, bytes_view packed, std::uint64_t steps)
{
    if (app != "render") return 0;
    auto const by = render_steps::of(packed);
    return by ? static_cast<std::size_t>(3 * by->pixels(steps)) : 0;
}

bytes state_after(std::string_view app, bytes_view packed, bytes_view result, std::uint64_t steps)
{
    auto const size = std::min(done_after(app, packed, steps), result.size());
    return encode(run_state{to_bytes(packed), to_bytes(result.first(size))});
}

verify::step_registry const& programs::steps()
{
    static verify::step_registry const all = [] {
        verify::step_registry made{};
        (void)made.add({program_of("render"), state_max, &render_step});
        return made;
    }();
    return all;
}

}  // namespace blendr::node
