// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/pipeline.hpp>  // first: it stands alone

#include <atomic>
#include <chrono>
#include <thread>

#include <doctest/doctest.h>

#include <blendr/app/block_id.hpp>
#include <blendr/app/tally.hpp>

#include "fixtures.hpp"

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

namespace {

app::tally fresh()
{
    app::tally out{{{person(1).self(), weight{1}}}};
    REQUIRE(out.init({}).has_value());
    return out;
}

std::vector<logged_block> decided_blocks(std::uint64_t count)
{
    std::vector<logged_block> out{};
    block_id parent{};
    for (std::uint64_t at = 1; at <= count; ++at) {
        logged_block one{};
        one.at = {parent, height{at}, time_ms{static_cast<std::int64_t>(at)}, person(1).self()};
        one.payload = encode(at);
        one.id = app::make_block_id(one.at, app::payload_digest(one.payload));
        parent = one.id;
        out.push_back(one);
    }
    return out;
}

/// A log whose sync waits to be let through, and which may fail at a height.
class slow_log final : public block_log {
public:
    explicit slow_log(std::uint64_t fails_at = ~std::uint64_t{0}) : fails_at_{fails_at} {}

    void let_through()
    {
        std::lock_guard const lock{mutex_};
        open_ = true;
        changed_.notify_all();
    }
    std::size_t syncs() const { return syncs_; }
    height synced() const { return height{synced_}; }

    result<nothing, state::io_error> append(logged_block const& block) override
    {
        if (block.at.at.get() == fails_at_)
            return fail{state::io_error{state::io_fault::full, "segment"}};
        return inner_.append(block);
    }
    result<std::optional<height>, state::io_error> sync() override
    {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [&] { return open_; });
        ++syncs_;
        synced_ = inner_.held()->last.get();
        return inner_.sync();
    }
    result<std::optional<logged_block>, state::io_error> read(height at) const override
    {
        return inner_.read(at);
    }
    std::optional<range> held() const override { return inner_.held(); }
    result<nothing, state::io_error> prune(height below) override { return inner_.prune(below); }
    result<nothing, state::io_error> check() const override { return inner_.check(); }

private:
    memory_block_log inner_{};
    std::uint64_t fails_at_;
    std::mutex mutex_{};
    std::condition_variable changed_{};
    bool open_ = false;
    std::atomic<std::size_t> syncs_{0};
    std::atomic<std::uint64_t> synced_{0};
};

}  // namespace

TEST_CASE(
    "pipeline: blocks come out in order, executed as without it, and never before they are durable")
{
    auto const blocks = decided_blocks(200);
    auto piped = fresh(), plain = fresh();
    slow_log log{};
    log.let_through();
    std::vector<hash256> hashes{};
    bool early = false;
    std::atomic<int> ahead{0};
    {
        block_pipeline<app::tally> pipe{piped, log, [&](bytes_view) { ++ahead; },
                                        [&](logged_block const& block, app::finalized const& out) {
                                            early = early || block.at.at > log.synced();
                                            hashes.push_back(out.app_hash);
                                        }};
        for (auto const& each : blocks) REQUIRE(pipe.push(each));
        pipe.finish();
        CHECK_FALSE(pipe.push(blocks.front()));
        CHECK_FALSE(pipe.error().has_value());
    }
    CHECK_FALSE(early);
    CHECK(ahead == 200);
    CHECK(piped.last().last == height{200});
    REQUIRE(hashes.size() == 200);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        CHECK(plain.finalize(blocks[i].at, blocks[i].id, blocks[i].payload).app_hash == hashes[i]);
        plain.commit();
    }
}

TEST_CASE("pipeline: while the log waits givers wait too, and then one sync serves many blocks")
{
    auto const blocks = decided_blocks(60);
    auto piped = fresh();
    slow_log log{};
    std::atomic<std::size_t> given{0};
    block_pipeline<app::tally> pipe{piped, log, {}, {}, {.blocks_max = 3, .together_max = 4}};
    std::thread giver{[&] {
        for (auto const& each : blocks) {
            pipe.push(each);
            ++given;
        }
    }};
    // two full queues, a block in the first stage's hands, one to four before the log
    while (given < 8) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
    CHECK(given <= 11);
    CHECK(piped.last().last == height{});
    log.let_through();
    giver.join();
    pipe.finish();
    CHECK(piped.last().last == height{60});
    CHECK(log.syncs() < 60);
}

TEST_CASE("pipeline: a log that fails stops it, with the reason, and nothing later is executed")
{
    auto const blocks = decided_blocks(40);
    auto piped = fresh();
    slow_log log{21};
    log.let_through();
    block_pipeline<app::tally> pipe{piped, log, {}, {}};
    std::size_t taken = 0;
    for (auto const& each : blocks) taken += pipe.push(each);
    CHECK(taken < 40);
    pipe.finish();
    REQUIRE(pipe.error().has_value());
    CHECK(pipe.error()->what == state::io_fault::full);
    CHECK(piped.last().last <= height{20});
}

TEST_CASE("pipeline: a queue hands over in order, bounds what waits and ends when closed")
{
    bounded_queue<int> queue{4};
    std::vector<int> got{};
    std::size_t most = 0;
    std::thread taker{[&] {
        while (auto const value = queue.pop()) {
            most = std::max(most, queue.size());
            got.push_back(*value);
        }
    }};
    for (int i = 0; i < 1000; ++i) CHECK(queue.push(i));
    queue.close();
    taker.join();
    CHECK_FALSE(queue.push(1));
    CHECK_FALSE(queue.try_pop().has_value());
    CHECK(most <= 4);
    REQUIRE(got.size() == 1000);
    for (int i = 0; i < 1000; ++i) CHECK(got[static_cast<std::size_t>(i)] == i);
}
