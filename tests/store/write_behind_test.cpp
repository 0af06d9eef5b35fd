// SPDX-License-Identifier: Apache-2.0
#include <blendr/store/write_behind.hpp>  // first: it stands alone

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <doctest/doctest.h>

#include <support/support.hpp>

#include "common.hpp"

namespace {

using namespace blendr;
using namespace blendr::store;
using state::io_error;
using state::io_fault;
using test::content;
using test::row_list;
using test::rows_of_block;

/// A store whose writes wait for a sign, and fail when told to.
class gate final : public state::store {
public:
    std::vector<std::size_t> batches;

    void let(bool through)
    {
        std::lock_guard const lock{mutex_};
        open_ = through;
        moved_.notify_all();
    }
    void break_down()
    {
        std::lock_guard const lock{mutex_};
        broken_ = true;
    }
    result<std::optional<bytes>, io_error> get(bytes_view key) const override
    {
        return rows_.get(key);
    }
    result<nothing, io_error> scan(bytes_view from, bytes_view to,
                                   row_visitor const& row) const override
    {
        return rows_.scan(from, to, row);
    }
    result<nothing, io_error> write(std::span<state::row_change const> batch, height at) override
    {
        std::unique_lock lock{mutex_};
        moved_.wait(lock, [this] { return open_; });
        if (broken_) return fail{io_error{io_fault::full, "the gate"}};
        batches.push_back(batch.size());
        return rows_.write(batch, at);
    }
    std::optional<height> durable() const override { return rows_.durable(); }
    result<nothing, io_error> check() const override { return nothing{}; }

private:
    std::mutex mutex_;
    std::condition_variable moved_;
    bool open_ = true, broken_ = false;
    state::memory_store rows_;
};

TEST_CASE("write_behind: reads see every batch at once, whether or not it is written" *
          doctest::test_suite("property"))
{
    INFO("seed ", test::seed());
    for (std::uint64_t round = 0; round < 10; ++round) {
        rng random{test::seed() * 100 + round};
        auto below = std::make_unique<gate>();
        auto& under = *below;
        write_behind store{std::move(below), {.checkpoint_rows = 60, .backlog_bytes = 1u << 30}};
        std::map<std::string, std::string> model;
        for (std::uint64_t at = 1; at <= 60; ++at) {
            under.let(random.chance(1, 2));
            auto const rows = rows_of_block(at + round * 1000);
            REQUIRE(store.write(rows.changes(), height{at}));
            rows.apply(model);
            REQUIRE(content(store) == model);
            for (int i = 0; i < 200; i += 11) {
                auto const key = "key " + std::to_string(i);
                auto const found = model.find(key);
                auto const got = store.get(as_bytes(key)).value();
                CHECK(got.has_value() == (found != model.end()));
                if (got && found != model.end()) CHECK(*got == to_bytes(found->second));
            }
            if (auto const d = store.durable()) CHECK(d->get() <= at);
        }
        under.let(true);
        REQUIRE(store.flush());
        CHECK(store.durable() == height{60});
        CHECK(store.backlog().rows == 0);
        CHECK(content(under) == model);
    }
}

TEST_CASE("write_behind: a row changed often is written once")
{
    auto below = std::make_unique<gate>();
    auto& under = *below;
    write_behind store{std::move(below), {.checkpoint_rows = 1000}};
    for (std::uint64_t at = 1; at <= 100; ++at) {
        row_list rows;
        for (int i = 0; i < 10; ++i) rows.set("k" + std::to_string(i), std::to_string(at));
        REQUIRE(store.write(rows.changes(), height{at}));
    }
    CHECK(store.backlog().rows == 10);
    REQUIRE(store.flush());
    CHECK(under.batches == std::vector<std::size_t>{10});
}

TEST_CASE("write_behind: a full backlog makes writers wait, and no longer than needed")
{
    auto below = std::make_unique<gate>();
    auto& under = *below;
    under.let(false);
    write_behind store{std::move(below), {.checkpoint_rows = 10, .backlog_bytes = 2u << 20}};
    std::atomic<std::uint64_t> taken{0};
    std::thread writer{[&] {
        for (std::uint64_t at = 1; at <= 100; ++at) {
            row_list rows;
            for (int i = 0; i < 20; ++i)
                rows.set(std::to_string(at * 100 + static_cast<std::uint64_t>(i)),
                         std::string(10'000, 'x'));
            if (store.write(rows.changes(), height{at})) taken = at;
        }
    }};
    for (int i = 0; i < 100 && taken < 10; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
    CHECK(taken < 100);
    CHECK(store.backlog().bytes < (8u << 20));
    under.let(true);
    writer.join();
    CHECK(taken == 100);
    REQUIRE(store.flush());
    CHECK(store.durable() == height{100});
}

TEST_CASE("write_behind: once the store below fails everything is refused, and reads go on")
{
    auto below = std::make_unique<gate>();
    auto& under = *below;
    write_behind store{std::move(below), {.checkpoint_rows = 10}};
    under.break_down();
    row_list rows;
    rows.set("a", "1");
    REQUIRE(store.write(rows.changes(), height{1}));
    CHECK(store.flush().error() == io_error{io_fault::full, "the gate"});
    auto const refused = store.write(rows.changes(), height{2});
    CHECK(refused.error() == io_error{io_fault::stopped, "the gate: no space is left"});
    CHECK(store.get(as_bytes("a")).value() == to_bytes("1"));
    CHECK_FALSE(store.durable());
}

TEST_CASE("write_behind: heights that go back are refused")
{
    write_behind store{std::make_unique<state::memory_store>(), {}};
    REQUIRE(store.write({}, height{5}));
    CHECK(store.write({}, height{4}).error().what == io_fault::misplaced);
    REQUIRE(store.flush());
    CHECK(store.write({}, height{4}).error().what == io_fault::misplaced);
    CHECK(store.durable() == height{5});
}

}  // namespace
