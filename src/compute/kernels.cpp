// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/kernels.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <vector>

#include <blendr/core/assert.hpp>

#include "gemm.hpp"
#include "kernels_native.hpp"
#include "kernels_spirv.hpp"

namespace blendr::compute {

namespace {

static_assert(std::endian::native == std::endian::little, "SPIR-V words lie as the machine's");

template <std::size_t N>
bytes_view view(std::array<std::uint32_t, N> const& words)
{
    return std::as_bytes(std::span{words});
}

constexpr std::uint32_t bit(trap which) { return static_cast<std::uint32_t>(which); }

/// Push constants as words.
template <std::size_t N>
std::array<std::uint32_t, N> words_of(bytes_view push)
{
    std::array<std::uint32_t, N> words{};
    std::memcpy(words.data(), push.data(), std::min(push.size(), sizeof words));
    return words;
}

/// How many of n items the groups cover.
std::size_t covered(std::uint32_t n, std::uint32_t groups, std::uint32_t each)
{
    return std::min<std::uint64_t>(n, std::uint64_t{groups} * each);
}

constexpr std::size_t grain = 4096;

std::uint32_t saxpy(native_call const& call)
{
    auto const [n, raw] = words_of<2>(call.push);
    auto const a = std::bit_cast<float>(raw);
    auto const x = call.as<float const>(0);
    auto const y = call.as<float>(1);
    auto const count = covered(n, call.groups[0], 64);
    if (count > x.size() || count > y.size()) return bit(trap::out_of_bounds);
    call.pool->parallel_for(count, 1 << 16, [&](std::size_t begin, std::size_t end) {
        for (auto i = begin; i < end; ++i) y[i] += a * x[i];
    });
    return 0;
}

std::uint32_t matmul_f32(native_call const& call)
{
    auto const sizes = words_of<3>(call.push);
    std::uint32_t const m = sizes[0], n = sizes[1], k = sizes[2];
    auto const a = call.as<float const>(0), b = call.as<float const>(1);
    auto const c = call.as<float>(2);
    auto const rows = covered(m, call.groups[1], 32), columns = covered(n, call.groups[0], 32);
    if (rows == 0 || columns == 0) return 0;
    if (std::uint64_t{m} * k > a.size() || std::uint64_t{k} * n > b.size() ||
        std::uint64_t{m} * n > c.size())
        return bit(trap::out_of_bounds);
    if (columns == n) {
        matmul(*call.pool, static_cast<std::uint32_t>(rows), n, k, a.data(), b.data(), c.data());
        return 0;
    }
    call.pool->parallel_for(rows, 1, [&](std::size_t begin, std::size_t end) {
        for (auto r = begin; r < end; ++r)
            for (std::size_t j = 0; j < columns; ++j) {
                float sum = 0;
                for (std::size_t i = 0; i < k; ++i) sum += a[r * k + i] * b[i * n + j];
                c[r * n + j] = sum;
            }
    });
    return 0;
}

std::uint32_t matmul_i32(native_call const& call)
{
    auto const sizes = words_of<3>(call.push);
    std::uint32_t const m = sizes[0], n = sizes[1], k = sizes[2];
    auto const a = call.as<std::uint32_t const>(0), b = call.as<std::uint32_t const>(1);
    auto const c = call.as<std::uint32_t>(2);
    auto const rows = covered(m, call.groups[1], 32), columns = covered(n, call.groups[0], 32);
    if (rows == 0 || columns == 0) return 0;
    if (std::uint64_t{m} * k > a.size() || std::uint64_t{k} * n > b.size() ||
        std::uint64_t{m} * n > c.size())
        return bit(trap::out_of_bounds);
    call.pool->parallel_for(rows, 4, [&](std::size_t begin, std::size_t end) {
        for (auto r = begin; r < end && !call.late(); ++r) {
            auto* const line = c.data() + r * n;
            std::fill_n(line, columns, 0u);
            for (std::size_t i = 0; i < k; ++i) {
                auto const one = a[r * k + i];
                auto const* const other = b.data() + i * n;
                for (std::size_t j = 0; j < columns; ++j) line[j] += one * other[j];
            }
        }
    });
    return 0;
}

std::uint32_t mixed(std::uint32_t x, std::uint32_t add)
{
    x = (x ^ x >> 16) * 0x7feb352d;
    return (x ^ x >> 15) * 0x846ca68b + add;
}

std::uint32_t mix(native_call const& call)
{
    auto const [n, rounds, seed] = words_of<3>(call.push);
    auto const words = call.as<std::uint32_t>(0);
    auto const count = covered(n, call.groups[0], 64);
    if (count > words.size()) return bit(trap::out_of_bounds);
    call.pool->parallel_for(count, 256,
                            [&, rounds = rounds, seed = seed](std::size_t begin, std::size_t end) {
                                for (auto i = begin; i < end && !call.late(); ++i) {
                                    auto x = words[i] ^ seed;
                                    for (std::uint32_t r = 0; r < rounds; ++r)
                                        x = mixed(x, static_cast<std::uint32_t>(i) + r);
                                    words[i] = x;
                                }
                            });
    return 0;
}

std::uint32_t fill(native_call const& call)
{
    auto const [columns, seed] = words_of<2>(call.push);
    auto const words = call.as<std::uint32_t>(0);
    auto const count = covered(columns, call.groups[0], 64);
    if (count * 64 > words.size()) return bit(trap::out_of_bounds);
    call.pool->parallel_for(
        count, grain / 64, [&, seed = seed](std::size_t begin, std::size_t end) {
            for (auto column = begin; column < end && !call.late(); ++column) {
                auto x = seed ^ static_cast<std::uint32_t>(column) * 0x9e3779b1u;
                for (std::uint32_t j = 0; j < 64; ++j) {
                    for (int r = 0; r < 16; ++r) x = mixed(x, j);
                    words[column * 64 + j] = x;
                }
            }
        });
    return 0;
}

std::uint32_t chase(native_call const& call)
{
    auto const [columns, walkers, steps, seed] = words_of<4>(call.push);
    auto const words = call.as<std::uint32_t const>(0);
    auto const ends = call.as<std::uint32_t>(1);
    auto const count = covered(walkers, call.groups[0], 64);
    auto const all = columns * 64;
    if (all == 0 || all > words.size() || count > ends.size()) return bit(trap::out_of_bounds);
    call.pool->parallel_for(
        count, 16, [&, steps = steps, seed = seed](std::size_t begin, std::size_t end) {
            for (auto walker = begin; walker < end && !call.late(); ++walker) {
                auto x = (seed ^ static_cast<std::uint32_t>(walker) * 0x9e3779b1u) * 0x85ebca6bu;
                for (std::uint32_t s = 0; s < steps; ++s)
                    x = (words[(x ^ x >> 15) % all] ^ x) * 0x2c1b3c6du + s;
                ends[walker] = x;
            }
        });
    return 0;
}

gemm_lane best_lane()
{
#if defined(BLENDR_HAS_AVX512)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vbmi") &&
        __builtin_cpu_supports("avx512ifma"))
        return gemm_lane_avx512();
#endif
#if defined(BLENDR_HAS_AVX2)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("bmi2"))
        return gemm_lane_avx2();
#endif
    return gemm_lane_generic();
}

constexpr std::size_t depth_max = 256, height_max = 144, width_max = 3072;

/// Strips of `each` lines side by side, the last one filled up with zeros: strip by strip, and in each
/// the values that are used together.
void pack_b(std::size_t each, std::size_t depth, std::size_t width, float const* from,
            std::size_t stride, float* to)
{
    auto const here = std::min(each, width);
    for (std::size_t k = 0; k < depth; ++k) {
        std::copy_n(from + k * stride, here, to + k * each);
        std::fill_n(to + k * each + here, each - here, 0.0F);
    }
}

void pack_a(std::size_t each, std::size_t height, std::size_t depth, float const* from,
            std::size_t stride, float* to)
{
    for (std::size_t top = 0; top < height; top += each, to += each * depth) {
        auto const here = std::min(each, height - top);
        for (std::size_t k = 0; k < depth; ++k) {
            for (std::size_t r = 0; r < here; ++r) to[k * each + r] = from[(top + r) * stride + k];
            for (std::size_t r = here; r < each; ++r) to[k * each + r] = 0;
        }
    }
}

}  // namespace

void matmul(task_pool& pool, std::uint32_t m, std::uint32_t n, std::uint32_t k, float const* a,
            float const* b, float* c)
{
    static gemm_lane const lane = best_lane();
    auto const rows = lane.rows, columns = lane.columns;
    pool.parallel_for(m, 64, [&](std::size_t begin, std::size_t end) {
        std::fill(c + begin * n, c + end * n, 0.0F);
    });
    // Heights so that every thread has work, in whole strips.
    auto const share = (m / pool.threads() + rows - 1) / rows * rows;
    auto const height = std::max(rows, std::min(height_max / rows * rows, share));
    std::vector<float> packed_b;
    for (std::size_t left = 0; left < n; left += width_max) {
        auto const width = std::min<std::size_t>(width_max, n - left);
        auto const strips = (width + columns - 1) / columns;
        for (std::size_t inner = 0; inner < k; inner += depth_max) {
            auto const depth = std::min<std::size_t>(depth_max, k - inner);
            packed_b.resize(strips * columns * depth);
            pool.parallel_for(strips, 4, [&](std::size_t begin, std::size_t end) {
                for (auto s = begin; s < end; ++s)
                    pack_b(columns, depth, width - s * columns, b + inner * n + left + s * columns,
                           n, packed_b.data() + s * columns * depth);
            });
            pool.parallel_for(m, height, [&](std::size_t begin, std::size_t end) {
                std::vector<float> packed_a((end - begin + rows - 1) / rows * rows * depth);
                pack_a(rows, end - begin, depth, a + begin * k + inner, k, packed_a.data());
                std::vector<float> corner(rows * columns);
                for (std::size_t s = 0; s < strips; ++s) {
                    auto const* const panel = packed_b.data() + s * columns * depth;
                    auto const wide = std::min(columns, width - s * columns);
                    for (auto top = begin; top < end; top += rows) {
                        auto const high = std::min(rows, end - top);
                        auto const* const mine = packed_a.data() + (top - begin) * depth;
                        auto* const out = c + top * n + left + s * columns;
                        if (high == rows && wide == columns) {
                            lane.tile(depth, mine, panel, out, n);
                            continue;
                        }
                        std::fill(corner.begin(), corner.end(), 0.0F);
                        lane.tile(depth, mine, panel, corner.data(), columns);
                        for (std::size_t r = 0; r < high; ++r)
                            for (std::size_t j = 0; j < wide; ++j)
                                out[r * n + j] += corner[r * columns + j];
                    }
                }
            });
        }
    }
}

bytes_view spirv_of(shipped which) noexcept
{
    switch (which) {
    case shipped::saxpy:
        return view(spirv::saxpy);
    case shipped::matmul:
        return view(spirv::matmul);
    case shipped::matmul_i32:
        return view(spirv::matmul_i32);
    case shipped::mix:
        return view(spirv::mix);
    case shipped::fill:
        return view(spirv::fill);
    case shipped::chase:
        return view(spirv::chase);
    }
    return {};
}

std::string_view name_of(shipped which) noexcept
{
    switch (which) {
    case shipped::saxpy:
        return "saxpy";
    case shipped::matmul:
        return "matmul";
    case shipped::matmul_i32:
        return "matmul_i32";
    case shipped::mix:
        return "mix";
    case shipped::fill:
        return "fill";
    case shipped::chase:
        return "chase";
    }
    return "unknown";
}

std::array<std::uint32_t, 3> groups_of(shipped which, std::uint32_t elements,
                                       std::uint32_t columns) noexcept
{
    auto const groups = [](std::uint32_t n, std::uint32_t each) {
        return n / each + (n % each != 0 ? 1 : 0);
    };
    if (which == shipped::matmul || which == shipped::matmul_i32)
        return {groups(columns, 32), groups(elements, 32), 1};
    return {groups(elements, 64), 1, 1};
}

std::vector<native_kernel> shipped_kernels()
{
    std::vector<native_kernel> all;
    auto const add = [&](shipped which, std::uint32_t (*run)(native_call const&)) {
        all.push_back({to_bytes(spirv_of(which)), run});
    };
    add(shipped::saxpy, saxpy);
    add(shipped::matmul, matmul_f32);
    add(shipped::matmul_i32, matmul_i32);
    add(shipped::mix, mix);
    add(shipped::fill, fill);
    add(shipped::chase, chase);
    return all;
}

}  // namespace blendr::compute
