// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

// A multilayer perceptron over one kind of numbers: fixed point with 16 bits behind the point (std::int64_t), the same
// on every machine, or floats. Each layer's weights lie input by input, its biases behind them. What is hidden leaks
// an eighth below zero; the loss is the squared distance from +1 for the right class and -1 for the others.
namespace blendr::work {

struct shape {
    static constexpr std::size_t layers_max = 5;
    static constexpr std::uint32_t side_max = 64;

    std::array<std::uint32_t, layers_max> size{};  ///< inputs, hidden ones, classes
    std::uint32_t depth = 0;                       ///< layers of weights

    bool sound() const noexcept
    {
        if (depth == 0 || depth >= layers_max) return false;
        for (std::size_t k = 0; k < layers_max; ++k)
            if (k <= depth ? size[k] == 0 || size[k] > side_max : size[k] != 0) return false;
        return true;
    }
    std::uint32_t weights() const noexcept
    {
        std::uint32_t all = 0;
        for (std::uint32_t l = 1; l <= depth; ++l) all += (size[l - 1] + 1) * size[l];
        return all;
    }
    /// Of all layers but the first.
    std::uint32_t nodes() const noexcept
    {
        std::uint32_t all = 0;
        for (std::uint32_t l = 1; l <= depth; ++l) all += size[l];
        return all;
    }
    std::uint32_t inputs() const noexcept { return size[0]; }
    std::uint32_t classes() const noexcept { return size[depth]; }
};

template <class N>
struct network {
    static constexpr bool exact = std::is_same_v<N, std::int64_t>;
    static constexpr N one = exact ? N{65'536} : N{1};
    static constexpr N most = N{1024} * one;

    static constexpr N mul(N a, N b) noexcept
    {
        if constexpr (exact)
            return static_cast<N>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b)) >>
                   16;
        else
            return a * b;
    }
    static constexpr N add(N a, N b) noexcept
    {
        if constexpr (exact)
            return static_cast<N>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
        else
            return a + b;
    }
    static constexpr N leak(N a) noexcept
    {
        if constexpr (exact)
            return a >> 3;
        else
            return a * 0.125F;
    }
    /// Anything may stand there.
    static constexpr std::size_t class_of(N v) noexcept
    {
        return v >= N{} && v < N{shape::side_max} ? static_cast<std::size_t>(v) : shape::side_max;
    }
    static constexpr N bounded(N v) noexcept { return v > most ? most : v < -most ? -most : v; }

    /// What one row leaves behind: values and slopes of all nodes, then the loss, then `one` for a right answer.
    static constexpr std::size_t trace_size(shape const& of) { return 2 * of.nodes() + 2; }

    /// Forward and backward. `row` is the inputs and the class; what is no class has no right answer.
    static void trace(shape const& of, std::span<N const> weights, std::span<N const> row,
                      std::span<N> out)
    {
        auto const [first, at] = test(of, weights, row, out);
        backward(of, weights, out, first, at);
    }

    struct place {
        std::size_t first, at;  ///< behind the last layer's weights, and its values
    };

    /// Forward alone: values, loss, and whether the answer is right.
    static place test(shape const& of, std::span<N const> weights, std::span<N const> row,
                      std::span<N> out)
    {
        auto const nodes = of.nodes();
        std::size_t first = 0, at = 0;
        N const* before = row.data();
        for (std::uint32_t layer = 1; layer <= of.depth; ++layer) {
            std::size_t const from = of.size[layer - 1], to = of.size[layer];
            for (std::size_t j = 0; j < to; ++j) {
                N z = weights[first + from * to + j];
                for (std::size_t i = 0; i < from; ++i)
                    z = add(z, mul(before[i], weights[first + i * to + j]));
                z = bounded(z);
                out[at + j] = layer == of.depth || z > N{} ? z : leak(z);
            }
            first += (from + 1) * to;
            before = out.data() + at;
            at += to;
        }
        at -= of.classes();
        auto const label = class_of(row[of.inputs()]);
        std::size_t best = 0;
        N loss{};
        for (std::size_t j = 0; j < of.classes(); ++j) {
            N const z = out[at + j];
            N const e = add(z, j == label ? -one : one);
            loss = add(loss, mul(e, e));
            out[at + nodes + j] = e;
            if (z > out[at + best]) best = j;
        }
        out[2 * nodes] = loss;
        out[2 * nodes + 1] = best == label ? one : N{};
        return {first, at};
    }

    static void backward(shape const& of, std::span<N const> weights, std::span<N> out,
                         std::size_t first, std::size_t at)
    {
        auto const nodes = of.nodes();
        for (auto layer = of.depth; layer > 1; --layer) {
            std::size_t const from = of.size[layer - 1], to = of.size[layer];
            first -= (from + 1) * to;
            auto const behind = at;
            at -= from;
            for (std::size_t i = 0; i < from; ++i) {
                N s{};
                for (std::size_t j = 0; j < to; ++j)
                    s = add(s, mul(weights[first + i * to + j], out[behind + nodes + j]));
                out[at + nodes + i] = bounded(out[at + i] > N{} ? s : leak(s));
            }
        }
    }

    /// Adds what a row asks of the weights, its loss and its answer to sums of weights() + 2 numbers.
    static void add_row(shape const& of, std::span<N const> row, std::span<N const> traced,
                        std::span<N> sums)
    {
        auto const nodes = of.nodes();
        std::size_t w = 0, before = 0, behind = 0;
        for (std::uint32_t layer = 1; layer <= of.depth; ++layer) {
            std::size_t const from = of.size[layer - 1], to = of.size[layer];
            for (std::size_t i = 0; i <= from; ++i) {
                N const into = i == from ? one : layer == 1 ? row[i] : traced[before + i];
                for (std::size_t j = 0; j < to; ++j, ++w)
                    sums[w] = add(sums[w], mul(into, traced[nodes + behind + j]));
            }
            before = behind;
            behind += to;
        }
        sums[w] = add(sums[w], traced[2 * nodes]);
        sums[w + 1] = add(sums[w + 1], traced[2 * nodes + 1]);
    }
};

}  // namespace blendr::work
