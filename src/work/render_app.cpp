// SPDX-License-Identifier: Apache-2.0
// `render` on any device: the tracer in GLSL, and what stands for it in C++.
#include <chrono>
#include <cstdlib>

#include <boost/describe/class.hpp>

#include <blendr/core/codec.hpp>
#include <blendr/work/png.hpp>
#include <blendr/work/render.hpp>

#include "builtin.hpp"
#include "on_device.hpp"
#include "options.hpp"
#include "programs_spirv.hpp"
#include "render_unit.hpp"
#include "tracer.hpp"

namespace blendr::work {
namespace {

using word = std::int32_t;

struct render_options {
    std::string scene{};  ///< a file; none: the only one
    std::uint32_t width = 320, height = 200, samples = 32, bounces = 8, seed = 1;
    bool exact = true;
};
BOOST_DESCRIBE_STRUCT(render_options, (), (scene, width, height, samples, bounces, seed, exact))

/// What the program is told.
struct render_push {
    std::uint32_t width, height, seed, bounces, left, top, wide, high, first, count, samples, last;
};

constexpr std::size_t fixed_words = 32, material_words = 5, sphere_words = 5, block_words = 7,
                      triangle_words = 10;

/// A scene as the program reads it. Every number of a scene that was checked fits 32 bits.
std::vector<word> words_of(scene const& what)
{
    std::vector<word> out;
    auto const put = [&](std::int64_t v) { out.push_back(static_cast<word>(v)); };
    auto const put_all = [&](scene_vector const& v) {
        for (auto const each : v) put(each);
    };
    for (auto const& each : {what.eye.from, what.eye.forward, what.eye.right, what.eye.up})
        put_all(each);
    put(what.eye.aperture);
    put(what.eye.focus);
    for (auto const& each : {what.sky, what.horizon, what.sun.towards, what.sun.colour})
        put_all(each);
    put(what.sun.size);
    put(static_cast<std::int64_t>(what.materials.size()));
    put(static_cast<std::int64_t>(what.spheres.size()));
    put(static_cast<std::int64_t>(what.blocks.size()));
    put(static_cast<std::int64_t>(what.triangles.size()));
    put(what.sun.colour != scene_vector{} ? 1 : 0);
    for (auto const& each : what.materials) {
        put(static_cast<std::int64_t>(each.kind));
        put_all(each.colour);
        put(each.detail);
    }
    for (auto const& each : what.spheres) {
        put_all(each.centre);
        put(each.radius);
        put(each.of);
    }
    for (auto const& each : what.blocks) {
        put_all(each.low);
        put_all(each.high);
        put(each.of);
    }
    for (auto const& each : what.triangles) {
        put_all(each.corner);
        put_all(each.edge1);
        put_all(each.edge2);
        put(each.of);
    }
    return out;
}

/// The way back; nothing when the words are no scene.
std::optional<scene> scene_of(std::span<word const> words)
{
    if (words.size() < fixed_words) return std::nullopt;
    std::size_t at = 0;
    auto const get = [&] { return std::int64_t{words[at++]}; };
    auto const get_vector = [&] {
        scene_vector v{};
        for (auto& each : v) each = get();
        return v;
    };
    scene out;
    for (auto* each : {&out.eye.from, &out.eye.forward, &out.eye.right, &out.eye.up})
        *each = get_vector();
    out.eye.aperture = get();
    out.eye.focus = get();
    for (auto* each : {&out.sky, &out.horizon, &out.sun.towards, &out.sun.colour})
        *each = get_vector();
    out.sun.size = get();
    std::array<std::size_t, 4> counts{};
    for (auto& each : counts) {
        auto const n = get();
        if (n < 0 || n > 4096) return std::nullopt;
        each = static_cast<std::size_t>(n);
    }
    (void)get();
    if (words.size() < fixed_words + counts[0] * material_words + counts[1] * sphere_words +
                           counts[2] * block_words + counts[3] * triangle_words)
        return std::nullopt;
    for (std::size_t k = 0; k < counts[0]; ++k) {
        material one;
        one.kind = static_cast<surface>(get());
        one.colour = get_vector();
        one.detail = get();
        out.materials.push_back(one);
    }
    auto const material_at = [&] { return static_cast<std::uint16_t>(get()); };
    for (std::size_t k = 0; k < counts[1]; ++k) {
        sphere one;
        one.centre = get_vector();
        one.radius = get();
        one.of = material_at();
        out.spheres.push_back(one);
    }
    for (std::size_t k = 0; k < counts[2]; ++k) {
        block one;
        one.low = get_vector();
        one.high = get_vector();
        one.of = material_at();
        out.blocks.push_back(one);
    }
    for (std::size_t k = 0; k < counts[3]; ++k) {
        triangle one;
        one.corner = get_vector();
        one.edge1 = get_vector();
        one.edge2 = get_vector();
        one.of = material_at();
        out.triangles.push_back(one);
    }
    if (!check(out)) return std::nullopt;
    return out;
}

template <class N>
constexpr bool is_exact = std::is_same_v<N, fixed>;

/// As the program's sums lie in memory.
template <class N>
using sum_of = std::conditional_t<is_exact<N>, std::int64_t, float>;

template <class N>
N number_of(sum_of<N> v)
{
    if constexpr (is_exact<N>)
        return fixed::of_raw(v);
    else
        return real{v};
}
template <class N>
sum_of<N> sum_from(N v)
{
    if constexpr (is_exact<N>)
        return v.raw;
    else
        return v.value;
}

template <class N>
std::uint32_t render_natively(compute::native_call const& call)
{
    render_push push{};
    std::memcpy(&push, call.push.data(), sizeof push);
    auto const what = scene_of(call.as<word const>(0));
    auto const sums = call.as<sum_of<N>>(1);
    auto const pixels = call.as<std::uint32_t>(2);
    picture of{push.width, push.height, push.samples, push.bounces, push.seed, is_exact<N>};
    auto const wide = std::min<std::uint64_t>(push.wide, std::uint64_t{call.groups[0]} * 8);
    auto const high = std::min<std::uint64_t>(push.high, std::uint64_t{call.groups[1]} * 8);
    auto const all = std::uint64_t{push.wide} * push.high;
    if (!what || !check(of) || sums.size() < 3 * all || pixels.size() < all) return out_of_bounds;
    tracer<N> const by{*what};
    call.pool->parallel_for(high, 1, [&](std::size_t begin, std::size_t end) {
        for (auto y = begin; y < end; ++y)
            for (std::size_t x = 0; x < wide && !call.late(); ++x) {
                auto const slot = y * push.wide + x;
                auto* const at = &sums[3 * slot];
                vec<N> sum{number_of<N>(at[0]), number_of<N>(at[1]), number_of<N>(at[2])};
                by.gather(of, push.left + static_cast<std::uint32_t>(x),
                          push.top + static_cast<std::uint32_t>(y), push.first, push.count, sum);
                at[0] = sum_from(sum.x), at[1] = sum_from(sum.y), at[2] = sum_from(sum.z);
                if (push.last == 0) continue;
                auto const shown = tracer<N>::shown(of, sum);
                pixels[slot] =
                    shown[0] | std::uint32_t{shown[1]} << 8 | std::uint32_t{shown[2]} << 16;
            }
    });
    return 0;
}

class ordered_picture final : public task {
public:
    explicit ordered_picture(render_job what) : job_{std::move(what)} {}

    hash256 identity() const override { return job_.identity(); }
    result<std::optional<stage>, problem> next(std::vector<bytes> const& results) override
    {
        return job_.next(results);
    }
    std::optional<std::string> wrong(unit const& of, bytes_view result) const override
    {
        return render_app().wrong(of, result);
    }
    bool same(unit const& of, bytes_view a, bytes_view b) const override
    {
        return job_.same(of, a, b);
    }
    check_kind check() const noexcept override
    {
        return job_.what().exact ? check_kind::exact : check_kind::tolerance;
    }
    result<std::vector<file>, problem> files(std::span<bytes const> results) const override
    {
        BLENDR_TRY(auto const rgb, job_.pixels(results));
        std::vector<file> out;
        out.push_back({"picture.png", png_of(job_.what().width, job_.what().height, rgb)});
        return out;
    }

private:
    render_job job_;
};

class render_on_devices final : public app {
public:
    app_info info() const noexcept override
    {
        return {"render", "a path-traced picture of a scene in text, as PNG"};
    }

    result<std::unique_ptr<task>, problem> make(order const& what,
                                                std::span<double const> speeds) const override
    {
        BLENDR_TRY(auto const asked, options_of(what.options, render_options{}));
        BLENDR_TRY(auto const* const text, file_of(what, asked.scene));
        auto const read = parse_scene(as_text(text->content));
        if (!read) return fail{problem{read.error().what, text->name + ": " + read.error().why}};
        picture const of{asked.width,   asked.height, asked.samples,
                         asked.bounces, asked.seed,   asked.exact};
        BLENDR_TRY(auto job, render_job::make(*read, of, speeds));
        return std::make_unique<ordered_picture>(std::move(job));
    }

    result<bytes, problem> run(unit const& what, workplace const& where) const override
    {
        BLENDR_TRY(auto const tile, read_tile(what));
        return tile.of.exact ? traced<fixed>(tile, where) : traced<real>(tile, where);
    }

    bool same(unit const& of, bytes_view a, bytes_view b) const override
    {
        auto const read = decode<picture>(of.parameters);
        return read && same_tiles(read->exact, a, b);
    }

    cost estimate(unit const& of) const override
    {
        auto const tile = read_tile(of);
        if (!tile) return {};
        auto const& s = tile->from;
        auto const things = 1.0 + static_cast<double>(s.spheres.size() + s.blocks.size()) +
                            static_cast<double>(s.triangles.size());
        return {static_cast<double>(of.where.size.points()) * tile->of.samples * 2 * things * 60,
                of.inputs[0]->size(), of.where.size.points() * 3};
    }

private:
    template <class N>
    static result<bytes, problem> traced(tile const& t, workplace const& where)
    {
        on_device device{where};
        BLENDR_TRY(
            auto const program,
            device.program(is_exact<N> ? program_bytes(spirv::render_exact)
                                       : program_bytes(spirv::render),
                           is_exact<N> ? compute::profile::exact : compute::profile::tolerance));
        auto const words = words_of(t.from);
        auto const pixels_in = static_cast<std::size_t>(t.where.size.points());
        std::vector<std::uint32_t> pixels(pixels_in);
        BLENDR_TRY(auto const things, device.room(words.size() * sizeof(word)));
        BLENDR_TRY(auto const sums, device.room(pixels_in * 3 * sizeof(sum_of<N>)));
        BLENDR_TRY(auto const out, device.room(pixels_in * 4));
        device.upload(things, view_of(words));
        auto const& w = t.where;
        render_push push{t.of.width, t.of.height, t.of.seed,    t.of.bounces,
                         w.from.x,   w.from.y,    w.size.x,     w.size.y,
                         0,          1,           t.of.samples, 0};
        std::array<std::uint32_t, 3> const groups{groups_for(w.size.x, 8), groups_for(w.size.y, 8),
                                                  1};
        // More and more paths at once, until a batch takes long enough; sums do not depend on how they are cut.
        while (push.first < t.of.samples) {
            push.count = std::min(push.count, t.of.samples - push.first);
            push.last = push.first + push.count == t.of.samples ? 1 : 0;
            device.dispatch(program, groups, {things, sums, out}, push);
            if (push.last != 0) device.download(out, room_of(pixels));
            auto const began = std::chrono::steady_clock::now();
            BLENDR_CHECK(device.run());
            push.first += push.count;
            if (std::chrono::steady_clock::now() - began < std::chrono::milliseconds{100})
                push.count = std::min(push.count * 2, 4096u);
        }
        bytes raw;
        raw.reserve(pixels.size() * 3);
        for (auto const each : pixels)
            for (unsigned shift = 0; shift < 24; shift += 8)
                raw.push_back(static_cast<std::byte>(each >> shift));
        return raw;
    }
};

}  // namespace

app const& render_app()
{
    static render_on_devices const it;
    return it;
}

void add_render_kernels(std::vector<compute::native_kernel>& to)
{
    to.push_back({to_bytes(program_bytes(spirv::render_exact)), render_natively<fixed>});
    to.push_back({to_bytes(program_bytes(spirv::render)), render_natively<real>});
}

}  // namespace blendr::work
