// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace blendr::market::impl {

/// What an auction reads of an order, in the order of its rank.
struct ranked_price {
    std::uint64_t limit;
    std::uint64_t size;
    std::uint64_t id;
    std::uint32_t place;  // in the input
};

inline constexpr bool high_first = true;
inline constexpr bool low_first = false;

template <class Order>
constexpr auto const& plain_part(Order const& in) noexcept
{
    if constexpr (requires { in.what; })
        return in.what;
    else
        return in;
}

/// Orders by limit, then id. A stable radix sort over the digits in which limits differ; ids are
/// sorted first only where the input does not have them in order already.
class price_sorter {
public:
    template <class Order>
    void sort(std::span<Order const> in, bool high_comes_first, std::vector<ranked_price>& out)
    {
        sort(in, high_comes_first, out, [](Order const& o) { return plain_part(o).limit.get(); });
    }
    /// The same by another number than the limit, which then stands in its place.
    template <class Order, class By>
    void sort(std::span<Order const> in, bool high_comes_first, std::vector<ranked_price>& out,
              By&& by)
    {
        out.resize(in.size());
        bool by_id = true;
        std::uint64_t all = ~std::uint64_t{0}, any = 0, last = 0;
        for (std::size_t i = 0; i < in.size(); ++i) {
            auto const& o = plain_part(in[i]);
            auto const id = o.id.get();
            auto const key = by(in[i]);
            out[i] = {key, o.size.get(), id, static_cast<std::uint32_t>(i)};
            by_id = by_id && id >= last;
            last = id;
            all &= key;
            any |= key;
        }
        if (!by_id)
            std::sort(out.begin(), out.end(), [](ranked_price const& a, ranked_price const& b) {
                return a.id != b.id ? a.id < b.id : a.place < b.place;
            });
        if (in.empty()) return;
        auto const flip = high_comes_first ? ~std::uint64_t{0} : 0;
        auto const differ = any & ~all;
        if (in.size() < 64) {
            std::stable_sort(out.begin(), out.end(),
                             [flip](ranked_price const& a, ranked_price const& b) {
                                 return (a.limit ^ flip) < (b.limit ^ flip);
                             });
            return;
        }
        for (unsigned shift = 0; shift < 64; shift += digit_bits)
            if ((differ >> shift & digit_mask) != 0) pass(out, shift, flip);
    }

private:
    static constexpr unsigned digit_bits = 11;
    static constexpr std::uint64_t digit_mask = (1u << digit_bits) - 1;

    void pass(std::vector<ranked_price>& all, unsigned shift, std::uint64_t flip)
    {
        std::array<std::uint32_t, digit_mask + 1> start{};
        auto const digit = [shift, flip](ranked_price const& r) {
            return static_cast<std::size_t>((r.limit ^ flip) >> shift & digit_mask);
        };
        for (auto const& r : all) ++start[digit(r)];
        std::uint32_t sum = 0;
        for (auto& n : start) sum += std::exchange(n, sum);
        spare_.resize(all.size());
        for (auto const& r : all) spare_[start[digit(r)]++] = r;
        all.swap(spare_);
    }

    std::vector<ranked_price> spare_{};
};

}  // namespace blendr::market::impl
