// SPDX-License-Identifier: Apache-2.0
#include <blendr/work/render.hpp>

#include <algorithm>
#include <cstdlib>

#include <blendr/core/codec.hpp>
#include <blendr/crypto/hash.hpp>

#include "render_unit.hpp"
#include "tracer.hpp"

namespace blendr::work {
namespace {

constexpr crypto::domain render_domain{"work.render/1"};

template <class N>
result<bytes, problem> trace(scene const& what, picture const& of, box const& where,
                             std::stop_token const& stop)
{
    tracer<N> const by{what};
    bytes out;
    out.reserve(static_cast<std::size_t>(where.size.points()) * 3);
    for (std::uint32_t y = 0; y < where.size.y; ++y)
        for (std::uint32_t x = 0; x < where.size.x; ++x) {
            if (stop.stop_requested()) return fail{problem{fault::cancelled, {}}};
            for (auto const part : by.pixel(of, where.from.x + x, where.from.y + y))
                out.push_back(std::byte{part});
        }
    return out;
}

extent range_of(picture const& of) { return {of.width, of.height, 1}; }

}  // namespace

result<nothing, problem> check(picture const& what)
{
    constexpr std::uint32_t side = 16'384, paths = 65'536, hops = 64;
    auto const refuse = [](char const* why) { return fail{problem{fault::bad_input, why}}; };
    if (what.width == 0 || what.height == 0) return refuse("the picture has no pixels");
    if (what.width > side || what.height > side)
        return refuse("the picture has more than 16384 pixels to a side");
    if (what.width > 8 * what.height)
        return refuse("the picture is more than 8 times as wide as high");
    if (what.samples == 0 || what.samples > paths)
        return refuse("a pixel takes between 1 and 65536 samples");
    if (what.bounces == 0 || what.bounces > hops)
        return refuse("a path has between 1 and 64 bounces");
    return nothing{};
}

result<render_job, problem> render_job::make(scene const& what, picture const& of,
                                             std::span<double const> speeds)
{
    BLENDR_CHECK(check(what));
    BLENDR_CHECK(check(of));
    split_rules rules;
    rules.least = {8, 8, 1};
    rules.most = std::uint64_t{1} << 20;  // a tile's sums fit any device
    BLENDR_TRY(auto tiles, split(range_of(of), speeds, rules));
    return render_job{of, share(encode(what)), std::move(tiles)};
}

hash256 render_job::identity() const
{
    return crypto::hasher{render_domain}
        .update(encode(picture_))
        .update(encode(tiles_))
        .update(*scene_)
        .finish();
}

result<std::optional<stage>, problem> render_job::next(std::vector<bytes> const& results)
{
    if (!results.empty()) return std::nullopt;
    stage out{"render", {}};
    auto const parameters = encode(picture_);
    for (auto const& each : tiles_)
        out.units.push_back({each, parameters, {scene_}, each.size.points() * 3});
    return out;
}

bool same_tiles(bool exact, bytes_view a, bytes_view b)
{
    if (exact) return equal(a, b);
    // A path that just hits here and just misses there is another path: few of them may be.
    if (a.size() != b.size()) return false;
    std::size_t far = 0;
    for (std::size_t k = 0; k < a.size(); ++k)
        far += std::abs(std::to_integer<int>(a[k]) - std::to_integer<int>(b[k])) > 2 ? 1u : 0u;
    return far * 50 <= a.size();
}

bool render_job::same(unit const&, bytes_view a, bytes_view b) const
{
    return same_tiles(picture_.exact, a, b);
}

result<bytes, problem> render_job::pixels(std::span<bytes const> results) const
{
    if (results.size() != tiles_.size())
        return fail{problem{fault::wrong_size, std::to_string(results.size()) +
                                                   " tiles instead of " +
                                                   std::to_string(tiles_.size())}};
    bytes out(static_cast<std::size_t>(range_of(picture_).points()) * 3);
    for (std::size_t k = 0; k < tiles_.size(); ++k)
        if (!place(out, range_of(picture_), tiles_[k], results[k], 3))
            return fail{problem{fault::wrong_size, "tile " + std::to_string(k)}};
    return out;
}

result<tile, problem> read_tile(unit const& what)
{
    auto const refuse = [](std::string why) {
        return fail{problem{fault::program_failed, std::move(why)}};
    };
    auto const of = decode<picture>(what.parameters);
    if (!of) return refuse("the parameters are none of a picture");
    if (auto const good = check(*of); !good) return refuse(good.error().why);
    if (what.inputs.size() != 1) return refuse("a tile is rendered from one scene");
    auto from = decode<scene>(*what.inputs[0]);
    if (!from) return refuse("the input is no scene");
    if (auto const good = check(*from); !good) return refuse(good.error().why);
    auto const& w = what.where;
    if (w.size.z != 1 || w.from.z != 0 || std::uint64_t{w.from.x} + w.size.x > of->width ||
        std::uint64_t{w.from.y} + w.size.y > of->height)
        return refuse("the tile lies outside the picture");
    return tile{*of, *std::move(from), w};
}

result<bytes, problem> render_tile(unit const& what, std::stop_token stop)
{
    BLENDR_TRY(auto const t, read_tile(what));
    return t.of.exact ? trace<fixed>(t.from, t.of, t.where, stop)
                      : trace<real>(t.from, t.of, t.where, stop);
}

}  // namespace blendr::work
