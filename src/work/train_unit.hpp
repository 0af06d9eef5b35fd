// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/work/job.hpp>

#include "network.hpp"

namespace blendr::work {

/// What a unit of a training is told. Its inputs are the weights and its rows, 64-bit fixed point or floats.
struct train_unit {
    bool exact = true;
    bounded<std::vector<std::uint32_t>, shape::layers_max> sizes{};
    std::uint32_t rows = 0;
    std::uint32_t tested = 0;  ///< rows behind them, of which only the right answers are counted

    shape net() const
    {
        shape out;
        std::copy(sizes.begin(), sizes.end(), out.size.begin());
        out.depth = static_cast<std::uint32_t>(sizes.size()) - 1;
        return out;
    }
    /// Of the result: the gradient, loss and right answers of the rows, right answers of those only tested.
    std::size_t numbers() const { return std::size_t{net().weights()} + 3; }
    std::uint64_t number_bytes() const noexcept { return exact ? 8 : 4; }
};
BOOST_DESCRIBE_STRUCT(train_unit, (), (exact, sizes, rows, tested))

/// Refuses what does not fit itself.
result<train_unit, problem> read_train_unit(unit const& what);

}  // namespace blendr::work
