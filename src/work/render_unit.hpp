// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <blendr/core/result.hpp>
#include <blendr/work/render.hpp>

namespace blendr::work {

/// A tile as it came, read and checked.
struct tile {
    picture of{};
    scene from{};
    box where{};
};
result<tile, problem> read_tile(unit const& what);

/// Whether two results of a tile may both be right.
bool same_tiles(bool exact, bytes_view a, bytes_view b);

}  // namespace blendr::work
