// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/rating.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <thread>

#include <support/vectors.hpp>

#include <blendr/core/codec.hpp>

#include "devices.hpp"

namespace {

using namespace blendr;
using namespace blendr::compute;
using namespace blendr::compute::test;

crypto::identity somebody(unsigned char which)
{
    std::array<std::byte, 32> seed{};
    seed[0] = std::byte{which};
    return crypto::identity{crypto::secret_key::from_seed(seed)};
}

rating_terms terms(unsigned char nonce, std::uint64_t memory = std::uint64_t{32} << 20)
{
    rating_terms t;
    t.nonce[0] = std::byte{nonce};
    t.session = somebody(1).self();
    t.memory_bytes = memory;
    return t;
}

/// Rates an honest device: again when the machine was so busy that its memory seemed not to be there.
result<rating, failure> rate_honest(device& on, rating_terms const& by)
{
    auto made = rate(on, by);
    for (int tries = 0; tries < 4 && !made; ++tries) made = rate(on, by);
    return made;
}

/// Passes everything on to another device, and lies where it is told to.
class fake : public device {
public:
    explicit fake(device& real) : real_{real}, info_{real.info()} {}

    device_info& claims() { return info_; }

    device_info const& info() const noexcept override { return info_; }
    result<loaded, failure> load(bytes_view spirv, policy const& under, origin whose) override
    {
        return real_.load(spirv, under, whose);
    }
    result<memory_id, failure> allocate(std::uint64_t bytes) override
    {
        return real_.allocate(bytes);
    }
    void release(memory_id which) noexcept override { real_.release(which); }
    outcome run(batch const& work) override { return real_.run(work); }
    std::future<outcome> submit(batch work) override { return real_.submit(std::move(work)); }
    result<nothing, failure> forget() override { return real_.forget(); }

private:
    device& real_;
    device_info info_;
};

/// Has half of the memory that it says: the second large piece lies where the first one does.
class half_memory final : public fake {
public:
    using fake::fake;
    result<memory_id, failure> allocate(std::uint64_t bytes) override
    {
        if (bytes < 8 << 20) return fake::allocate(bytes);
        if (first_) return *first_;
        BLENDR_TRY(auto const made, fake::allocate(bytes));
        first_ = made;
        return made;
    }
    void release(memory_id which) noexcept override
    {
        if (first_ && which == *first_) return;
        fake::release(which);
    }

private:
    std::optional<memory_id> first_;
};

/// Computes nothing.
class idle final : public fake {
public:
    using fake::fake;
    outcome run(batch const& work) override
    {
        batch less = work;
        std::erase_if(less.steps,
                      [](step const& s) { return std::holds_alternative<dispatch>(s); });
        return fake::run(less);
    }
};

/// Asks somebody far away.
class far final : public fake {
public:
    using fake::fake;
    outcome run(batch const& work) override
    {
        std::this_thread::sleep_for(std::chrono::milliseconds{30});
        return fake::run(work);
    }
};

}  // namespace

TEST_CASE("rating: an honest device is rated, and the rating is bound to the session and signed")
{
    auto const on = make_native_device({1, std::uint64_t{1} << 30, {}});
    auto const seen = rate_honest(*on, terms(1));
    REQUIRE_MESSAGE(seen.has_value(), message(seen.error()));
    CHECK(seen->speeds.size() == 3);
    for (auto const of : {workload::fp32, workload::bandwidth, workload::integer})
        CHECK(seen->micro_units(of) > 0);
    CHECK(seen->memory_bytes == std::uint64_t{32} << 20);
    CHECK(seen->turnaround_ns > 0);
    auto const it = sign(*seen, somebody(9));
    CHECK(verify(it, somebody(1).self(), somebody(9).self()));
    CHECK_FALSE(verify(it, somebody(2).self(), somebody(9).self()));  // another session
    CHECK_FALSE(verify(it, somebody(1).self(), somebody(8).self()));  // another rater
    auto changed = it;
    changed.what.memory_bytes += 1;
    CHECK_FALSE(verify(changed, somebody(1).self(), somebody(9).self()));
}

TEST_CASE("rating: half of the memory, or results without work, are caught")
{
    auto const on = make_native_device({1, std::uint64_t{1} << 30, {}});
    half_memory small{*on};
    auto const less = rate(small, terms(2));
    REQUIRE(!less.has_value());
    CHECK(less.error().what == fault::out_of_memory);
    idle lazy{*on};
    auto const nothing_done = rate(lazy, terms(3));
    REQUIRE(!nothing_done.has_value());
    CHECK(nothing_done.error().what == fault::wrong_result);
    auto const poor = make_native_device({1, std::uint64_t{16} << 20, {}});
    fake boast{*poor};
    boast.claims().memory_bytes = std::uint64_t{1} << 40;
    CHECK(rate(boast, terms(4)).error().what == fault::out_of_memory);
}

TEST_CASE("rating: one device behind two names, or far away, does not hold what it claims")
{
    auto const on = make_native_device({1, std::uint64_t{1} << 30, {}});
    auto const alone = rate_honest(*on, terms(5));
    REQUIRE(alone.has_value());
    rating_claim claimed;
    claimed.integer_micro_units = alone->micro_units(workload::integer);
    claimed.memory_bytes = alone->memory_bytes;
    CHECK(holds(claimed, *alone).has_value());

    fake first{*on}, second{*on};
    std::array<device*, 2> const names{&first, &second};
    std::array<rating_terms, 2> const both{terms(6), terms(7)};
    auto const together = rate_together(names, both);
    REQUIRE(together[0].has_value());
    REQUIRE(together[1].has_value());
    // They took turns on the integers: the slower of the two waited for the other.
    auto const [slower, faster] = std::minmax(
        {together[0]->micro_units(workload::integer), together[1]->micro_units(workload::integer)});
    rating_claim same;
    same.integer_micro_units = faster;
    auto const& waited =
        together[0]->micro_units(workload::integer) == slower ? *together[0] : *together[1];
    REQUIRE_FALSE(holds(same, waited).has_value());
    CHECK(holds(same, waited).error().find("integers") == 0);
    far away{*on};
    auto const distant = rate(away, terms(8));
    claimed = {};
    claimed.turnaround_ns_max = 20'000'000;
    if (distant)
        CHECK(holds(claimed, *distant).error().find("turnaround") == 0);
    else  // its memory is read so slowly that it may as well not be there
        CHECK(distant.error().what == fault::out_of_memory);
    claimed = {};
    claimed.memory_bytes = std::uint64_t{1} << 40;
    CHECK(holds(claimed, *alone).error().find("memory") == 0);
    claimed = {};
    claimed.fp32_micro_units = alone->micro_units(workload::fp32) * 2;
    CHECK(holds(claimed, *alone).error().find("fp32") == 0);
}

TEST_CASE("rating: a worker is rated like any device")
{
    if (!vulkan_here()) return;
    worker_options chosen;
    chosen.memory_bytes = std::uint64_t{96} << 20;
    auto const on = worker::start(chosen);
    REQUIRE(on.has_value());
    auto const seen = rate_honest(**on, terms(10));
    REQUIRE_MESSAGE(seen.has_value(), message(seen.error()));
    CHECK(seen->memory_bytes == std::uint64_t{32} << 20);
    CHECK(seen->micro_units(workload::fp32) > 0);
}

TEST_CASE("rating: is signed whole, and its encoding is frozen")
{
    rating seen;
    seen.nonce[0] = std::byte{9};
    seen.session = somebody(42).self();
    seen.device = "a device";
    seen.driver = "a driver";
    seen.speeds = {
        {workload::fp32, 1, 2, 3}, {workload::bandwidth, 4, 5, 6}, {workload::integer, 7, 8, 9}};
    seen.memory_bytes = 10;
    seen.turnaround_ns = 11;
    auto const differs = blendr::test::differs_from_frozen(
        "compute/ratings.txt",
        {{"rating", encode(seen)}, {"signed_rating", encode(sign(seen, somebody(42)))}});
    CHECK_MESSAGE(differs.empty(), differs);
}
