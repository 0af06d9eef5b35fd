// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/self_test.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>

#include <compute/kernels_spirv.hpp>

#include "devices.hpp"

namespace {

using namespace blendr;
using namespace blendr::compute;
using namespace blendr::compute::test;
using word = std::uint32_t;

template <std::size_t N>
bytes raw(std::array<word, N> const& words)
{
    return to_bytes(std::as_bytes(std::span{words}));
}

// What the self-test's own programs do, in C++ (glsl/loops.comp and so on). `rounds_max` is a driver's that stops
// counting too early, `checked` one's that looks at indexes.
word loops(native_call const& call, word rounds_max)
{
    word count = 0;
    std::memcpy(&count, call.push.data(), sizeof count);
    auto const words = call.as<word>(0);
    for (word i = 0; i < 8; ++i) {
        word x = i + 1, y = 0;
        for (word k = 0; k < std::min(count, rounds_max); ++k) x = x * 1664525u + 1013904223u;
        for (word k = 0; k < std::min(count + i, rounds_max); ++k) y += x ^ k;
        words[2 * i] = x;
        words[2 * i + 1] = y;
    }
    return 0;
}

word mixed(word v, word other, word i)
{
    auto const divisor = other | 1u;
    auto const s = static_cast<std::int64_t>(static_cast<std::int32_t>(v));
    auto const t = static_cast<std::int64_t>(static_cast<std::int32_t>(divisor | 2u));
    word mirrored = 0;
    for (word b = 0; b < 32; ++b)
        if ((v & 1u << b) != 0) mirrored |= 0x80000000u >> b;
    return (v / divisor) ^ (v % divisor) ^ static_cast<word>(s / t) ^ (v << (i % 32)) ^
           static_cast<word>(s >> (i % 32)) ^ static_cast<word>(std::popcount(v)) ^
           (std::bit_width(v | 1u) - 1u) ^ mirrored;
}

word edges(native_call const& call)
{
    auto const words = call.as<word>(0), sums = call.as<word>(1);
    std::array<word, 64> x{}, lane{};
    for (word i = 0; i < 64; ++i) lane[i] = x[i] = mixed(words[i], words[63 - i], i);
    for (word half = 32; half > 0; half /= 2)
        for (word i = 0; i < half; ++i) lane[i] += lane[i + half] * 3;
    for (word i = 0; i < 64; ++i) {
        words[64 + i] = x[i] ^ lane[0];
        sums[0] += x[i];
        sums[1] = std::max(sums[1], x[i]);
        sums[2] ^= x[i];
        sums[3] = std::min(sums[3], x[i]);
    }
    return 0;
}

word outside(native_call const& call, bool checked)
{
    std::array<word, 2> at{};
    std::memcpy(at.data(), call.push.data(), sizeof at);
    auto const words = call.as<word>(0);
    auto const last = static_cast<word>(words.size() - 1);
    bool const beyond = at[0] > last || at[1] > last;
    words[std::min(at[1], last)] = words[std::min(at[0], last)] + 1;
    return beyond && checked ? static_cast<word>(trap::out_of_bounds) : 0;
}

struct flaws {
    word rounds_max = ~0u;
    bool checked = true;
};

std::unique_ptr<device> knows_all_programs(flaws with = {})
{
    native_options chosen;
    chosen.threads = 1;
    chosen.memory_bytes = 1 << 24;
    chosen.kernels = {{raw(spirv::loops),
                       [with](native_call const& call) { return loops(call, with.rounds_max); }},
                      {raw(spirv::edges), edges},
                      {raw(spirv::outside),
                       [with](native_call const& call) { return outside(call, with.checked); }}};
    return make_native_device(std::move(chosen));
}

/// Another device that says it is a GPU, so that everything is asked of it, and that lies where it is told to.
class liar : public device {
public:
    explicit liar(device& real) : real_{real}, info_{real.info()}
    {
        info_.kind = device_kind::discrete;
    }

    std::function<void(std::size_t, download const&)> after_download{};  ///< counted from 0
    std::function<bool(std::size_t)> drops{};                            ///< a dispatch
    bool leaves_dirt = false;
    bool fails = false;

    std::size_t downloads = 0, dispatches = 0, held = 0;

    device_info const& info() const noexcept override { return info_; }
    result<loaded, failure> load(bytes_view spirv, policy const& under, origin whose) override
    {
        return real_.load(spirv, under, whose);
    }
    result<memory_id, failure> allocate(std::uint64_t size) override
    {
        BLENDR_TRY(auto const made, real_.allocate(size));
        ++held;
        if (!leaves_dirt) return made;
        bytes const dirt(size, std::byte{7});
        batch work;
        work.steps.emplace_back(upload{{made, 0, size}, dirt});
        CHECK(real_.run(work));
        return made;
    }
    void release(memory_id which) noexcept override
    {
        --held;
        real_.release(which);
    }
    outcome run(batch const& work) override
    {
        if (fails) return {fault::lost, 0, 0, "it fell"};
        batch said;
        for (auto const& each : work.steps) {
            bool const dropped =
                std::holds_alternative<dispatch>(each) && drops && drops(dispatches);
            if (std::holds_alternative<dispatch>(each)) ++dispatches;
            if (!dropped) said.steps.push_back(each);
        }
        auto ended = real_.run(said);
        for (auto const& each : work.steps)
            if (auto const* const d = std::get_if<download>(&each)) {
                if (after_download) after_download(downloads, *d);
                ++downloads;
            }
        return ended;
    }
    std::future<outcome> submit(batch work) override { return real_.submit(std::move(work)); }
    result<nothing, failure> forget() override { return real_.forget(); }

private:
    device& real_;
    device_info info_;
};

/// What the self-test says of it; nothing when it is satisfied.
std::string verdict(device& on)
{
    auto const seen = self_test(on);
    if (seen) return {};
    CHECK(seen.error().what == fault::wrong_driver);
    return seen.error().why;
}

constexpr auto matrices = "a product of matrices is wrong";
constexpr auto counting = "loops of more than 65,535 iterations end early";
constexpr auto integers = "integers, shared memory or barriers give other results";
constexpr auto atomics = "atomics give other results";
constexpr auto remains = "new memory holds what somebody left";
constexpr auto indexes = "an index inside of its bounds is not followed";
constexpr auto beyond = "an index out of bounds is not noticed";

/// Which download each check looks at, in order.
constexpr std::array what_is_read{matrices, counting, counting, integers,
                                  atomics,  remains,  indexes};

}  // namespace

TEST_CASE("self_test: a right device passes, and nothing is left behind on it")
{
    auto const real = knows_all_programs();
    liar honest{*real};
    CHECK(verdict(honest) == "");
    CHECK(honest.held == 0);
    CHECK(honest.downloads == what_is_read.size());
    auto const native = make_native_device({1, 1 << 20, {}});
    CHECK(self_test(*native).has_value());
    if (!vulkan_here()) return;
    auto const gpu = open_vulkan().value();
    CHECK(self_test(*gpu).has_value());
    auto const apart = worker::start();
    REQUIRE(apart.has_value());
    CHECK(self_test(**apart).has_value());
}

TEST_CASE("self_test: a device that computes wrong results is caught and named")
{
    std::vector<device*> all;
    auto const simulated = knows_all_programs();
    all.push_back(simulated.get());
    auto const gpu = vulkan_here() ? open_vulkan().value() : nullptr;
    if (gpu) all.push_back(gpu.get());
    for (auto* const each : all)
        for (std::size_t which = 0; which < what_is_read.size(); ++which)
            for (bool const last : {false, true}) {  // one bit, at either end
                CAPTURE(which);
                liar bad{*each};
                bad.after_download = [&](std::size_t at, download const& d) {
                    if (at == which) (last ? d.to.back() : d.to.front()) ^= std::byte{1};
                };
                CHECK(verdict(bad) == what_is_read[which]);
                CHECK(bad.held == 0);
            }
}

TEST_CASE("self_test: a device that returns what it returned before is caught")
{
    auto const real = knows_all_programs();
    for (std::size_t which = 0; which + 2 < what_is_read.size(); ++which) {
        CAPTURE(which);
        liar bad{*real};
        bad.after_download = [&](std::size_t at, download const& d) {
            if (at == which) std::fill(d.to.begin(), d.to.end(), std::byte{0});
        };
        CHECK(verdict(bad) == what_is_read[which]);
    }
    liar bad{*real};
    bad.leaves_dirt = true;
    CHECK(verdict(bad) == remains);
}

TEST_CASE("self_test: a device that skips a program is caught, whichever it is")
{
    auto const real = knows_all_programs();
    std::array const of_each{matrices, counting, counting, integers,
                             indexes,  beyond,   beyond,   beyond};
    liar honest{*real};
    CHECK(verdict(honest) == "");
    CHECK(honest.dispatches == of_each.size());
    for (std::size_t which = 0; which < of_each.size(); ++which) {
        CAPTURE(which);
        liar bad{*real};
        bad.drops = [which](std::size_t at) { return at == which; };
        CHECK(verdict(bad) == of_each[which]);
    }
}

TEST_CASE("self_test: loops that stop counting at 16 bits, and indexes that nobody looks at")
{
    auto const counts = [](word rounds) {
        auto const real = knows_all_programs({rounds, true});
        liar it{*real};
        return verdict(it);
    };
    CHECK(counts(65'535) == counting);
    CHECK(counts(70'006) == counting);  // one round of one invocation is missing
    CHECK(counts(70'007) == "");
    auto const real = knows_all_programs({~0u, false});
    liar careless{*real};
    CHECK(verdict(careless) == beyond);
}

TEST_CASE("self_test: a device that fails is not called a liar")
{
    auto const real = knows_all_programs();
    liar lost{*real};
    lost.fails = true;
    auto const seen = self_test(lost);
    REQUIRE(!seen.has_value());
    CHECK(message(seen.error()) == "the device is lost: it fell");
    CHECK(lost.held == 0);
    auto const small = make_native_device({1, 64, {}});
    CHECK(self_test(*small).error().what == fault::out_of_memory);
}
