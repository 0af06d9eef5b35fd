// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>

#include <blendr/work/job.hpp>
#include <blendr/work/scene.hpp>
#include <blendr/work/split.hpp>

namespace blendr::work {

/// What is asked of a rendering, beside the scene.
struct picture {
    std::uint32_t width = 320, height = 200;
    std::uint32_t samples = 32;  ///< paths a pixel
    std::uint32_t bounces = 8;
    std::uint32_t seed = 1;
    bool exact = true;  ///< fixed point: the same bytes everywhere; floats else, and faster
    friend bool operator==(picture const&, picture const&) = default;
};
BOOST_DESCRIBE_STRUCT(picture, (), (width, height, samples, bounces, seed, exact))

/// Refuses pictures without pixels, over 16,384 to a side, and over 65,536 paths a pixel.
result<nothing, problem> check(picture const& what);

/// A path-traced picture, tile by tile. Each unit returns the pixels of its tile, row by row, three bytes each: red,
/// green, blue. An exact one is bit by bit the same whoever renders it; two results of another may differ by a few
/// steps in a few pixels.
class render_job final : public job {
public:
    static result<render_job, problem> make(scene const& what, picture const& of,
                                            std::span<double const> speeds = {});

    hash256 identity() const override;
    result<std::optional<stage>, problem> next(std::vector<bytes> const& results) override;
    bool same(unit const& of, bytes_view a, bytes_view b) const override;

    /// The whole picture, once the run is over.
    result<bytes, problem> pixels(std::span<bytes const> results) const;
    picture const& what() const noexcept { return picture_; }

private:
    render_job(picture const& of, shared_bytes scene, std::vector<box> tiles)
        : picture_{of},
          scene_{std::move(scene)},
          tiles_{std::move(tiles)}
    {}

    picture picture_;
    shared_bytes scene_;
    std::vector<box> tiles_;
};

/// Renders one tile on this thread: what a runner without a GPU does, and what decides who is right. Takes any
/// bytes; a unit that no `render_job` made is refused.
result<bytes, problem> render_tile(unit const& what, std::stop_token stop = {});

}  // namespace blendr::work
