// SPDX-License-Identifier: Apache-2.0
#include <blendr/store/block_log.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/support.hpp>

#include "common.hpp"

namespace {

using namespace blendr;
using namespace blendr::store;
using test::block_at;

std::unique_ptr<ledger::block_log> open(file_layer& in, std::uint64_t segment_bytes = 1000)
{
    auto log = open_block_log(in, "log", {.segment_bytes = segment_bytes});
    REQUIRE_MESSAGE(log.has_value(), (log ? "" : message(log.error())));
    return std::move(*log);
}

io_error refusal(file_layer& in)
{
    auto const log = open_block_log(in, "log", {.segment_bytes = 1000});
    REQUIRE_FALSE(log.has_value());
    return log.error();
}

void append(ledger::block_log& to, std::uint64_t from, std::uint64_t last)
{
    for (std::uint64_t at = from; at <= last; ++at) REQUIRE(to.append(block_at(at)));
}

void check_holds(ledger::block_log const& log, std::uint64_t first, std::uint64_t last)
{
    REQUIRE(log.held().has_value());
    CHECK(log.held()->last.get() == last);
    CHECK(log.held()->first.get() <= first);
    for (std::uint64_t at = first; at <= last; ++at) {
        auto const block = log.read(height{at});
        REQUIRE(block);
        REQUIRE(block->has_value());
        CHECK(**block == block_at(at));
    }
    CHECK(log.check());
}

TEST_CASE("block_log: blocks are read back, also after opening again, over many files")
{
    memory_files disk;
    {
        auto log = open(disk);
        CHECK_FALSE(log->held());
        CHECK(log->sync().value() == std::nullopt);
        append(*log, 5, 60);
        CHECK(log->sync().value() == height{60});
        check_holds(*log, 5, 60);
        CHECK(disk.list("log").value().size() > 5);
    }
    auto log = open(disk);
    check_holds(*log, 5, 60);
    CHECK(log->read(height{4}).value() == std::nullopt);
    CHECK(log->read(height{61}).value() == std::nullopt);
    append(*log, 61, 70);
    check_holds(*log, 5, 70);
}

TEST_CASE("block_log: a block that does not follow is refused and the log goes on")
{
    memory_files disk;
    auto log = open(disk);
    append(*log, 1, 3);
    CHECK(log->append(block_at(3)).error().what == io_fault::misplaced);
    CHECK(log->append(block_at(5)).error().what == io_fault::misplaced);
    append(*log, 4, 4);
}

TEST_CASE("block_log: one sync covers all blocks before it, and none is done without need")
{
    memory_files disk;
    auto log = open(disk, 1 << 20);
    append(*log, 1, 10);
    auto const before = disk.operations();
    CHECK(log->sync().value() == height{10});
    CHECK(disk.operations() == before + 1);
    CHECK(log->sync().value() == height{10});
    CHECK(disk.operations() == before + 1);
}

TEST_CASE("block_log: pruning removes whole files, never the last one")
{
    memory_files disk;
    auto log = open(disk);
    append(*log, 1, 60);
    auto const files = disk.list("log").value().size();
    REQUIRE(log->prune(height{30}));
    CHECK(disk.list("log").value().size() < files);
    CHECK(log->held()->first.get() > 20);
    check_holds(*log, 30, 60);
    REQUIRE(log->prune(height::max()));
    CHECK(disk.list("log").value().size() == 1);
    log = open(disk);
    check_holds(*log, log->held()->first.get(), 60);
}

TEST_CASE(
    "block_log: whatever a crash loses or tears, the log is a beginning with all that was synced" *
    doctest::test_suite("property"))
{
    INFO("seed ", test::seed());
    std::size_t lost = 0, kept = 0;
    for (std::uint64_t round = 0; round < 300; ++round) {
        CAPTURE(round);
        rng random{test::seed() * 1'000'000 + round};
        memory_files disk;
        std::uint64_t synced = 0, written = 0;
        for (int life = 0; life < 4; ++life) {
            auto const opened = open_block_log(disk, "log", {.segment_bytes = 900});
            if (opened) {  // otherwise the power went off while it opened
                auto& log = **opened;
                std::uint64_t const last = log.held() ? log.held()->last.get() : 0;
                REQUIRE(last >= synced);
                REQUIRE(last <= written);
                lost += written - last;
                kept += last;
                if (last != 0) check_holds(log, 1, last);
                written = synced = last;  // opening syncs what it found
                disk.fail_at(disk.operations() + random.below(60), memory_files::failure::power);
                while (log.append(block_at(++written))) {  // what fails may have arrived
                    if (!random.chance(1, 3)) continue;
                    auto const done = log.sync();
                    if (!done) break;
                    synced = done->value().get();
                }
                CHECK(log.append(block_at(written)).error().what == io_fault::stopped);
            }
            disk.crash(random);
            if (random.chance(1, 4))
                disk.fail_at(disk.operations() + random.below(6), memory_files::failure::power);
        }
        disk.crash(random);
        auto const log = open(disk, 900);
        std::uint64_t const last = log->held() ? log->held()->last.get() : 0;
        REQUIRE(last >= synced);
        if (last != 0) check_holds(*log, 1, last);
    }
    CHECK(lost > 100);  // the crashes did bite
    CHECK(kept > 100);
}

TEST_CASE("block_log: a damaged durable block is named, not cut off")
{
    // Every byte of a log whose last block is known durable to the one after it.
    memory_files disk;
    {
        auto log = open(disk, 1 << 20);
        append(*log, 1, 3);
        REQUIRE(log->sync());
        append(*log, 4, 4);
        REQUIRE(log->sync());
    }
    std::string const path = "log/" + disk.list("log").value()[0];
    auto const size = disk.open(path, open_mode::read).value()->size().value();
    auto const before_last = size - 32 - encoded_size(block_at(4));
    for (std::uint64_t byte = 0; byte < before_last; ++byte) {
        REQUIRE(disk.flip(path, byte, 3));
        auto const error = refusal(disk);
        auto const expected =
            byte >= 8 && byte < 12 ? error.what : io_fault::corrupt;  // the version
        CHECK(error.what == expected);
        CHECK(error.where.starts_with(path));
        REQUIRE(disk.flip(path, byte, 3));
    }
    // The last block: nothing later vouches for it, so it counts as torn. The state store notices.
    REQUIRE(disk.flip(path, size - 1, 0));
    CHECK(open(disk, 1 << 20)->held()->last == height{3});
}

TEST_CASE("block_log: damage in an older file is named when it is read and when it is checked")
{
    memory_files disk;
    auto log = open(disk);
    append(*log, 1, 60);
    REQUIRE(log->sync());
    log.reset();
    auto const names = disk.list("log").value();
    std::string const path = "log/" + names[1];
    REQUIRE(disk.flip(path, 100, 1));
    log = open(disk);
    auto const checked = log->check();
    CHECK(checked.error().what == io_fault::corrupt);
    CHECK(checked.error().where.starts_with(path));
    bool named = false;
    for (std::uint64_t at = 1; at <= 60; ++at) {
        auto const block = log->read(height{at});
        named = named || (!block && block.error().where.starts_with(path));
        if (block) CHECK(**block == block_at(at));
    }
    CHECK(named);
    log.reset();
    REQUIRE(disk.flip(path, 100, 1));
    REQUIRE(disk.remove(path));
    log = open(disk);
    CHECK_FALSE(log->check());
}

TEST_CASE("block_log: a full disk loses no durable block")
{
    for (std::uint64_t at = 0; at < 60; ++at) {
        memory_files disk;
        disk.fail_at(at, at % 2 == 0 ? memory_files::failure::full : memory_files::failure::io);
        std::uint64_t synced = 0;
        if (auto opened = open_block_log(disk, "log", {.segment_bytes = 900})) {
            for (std::uint64_t i = 1; i <= 30; ++i) {
                auto const done = (*opened)->append(block_at(i));
                if (!done) {
                    CHECK((*opened)->append(block_at(i)).error().what == io_fault::stopped);
                    CHECK((*opened)->sync().error().what == io_fault::stopped);
                    break;
                }
                if (auto const s = (*opened)->sync()) synced = s->value().get();
            }
        }
        rng random{at};
        disk.crash(random);
        auto log = open(disk, 900);
        std::uint64_t const last = log->held() ? log->held()->last.get() : 0;
        CHECK(last >= synced);
        if (last != 0) check_holds(*log, 1, last);
        append(*log, last + 1, last + 20);
        CHECK(log->sync());
    }
}

TEST_CASE("block_log: a file of a newer version is said to be newer")
{
    memory_files disk;
    {
        auto log = open(disk);
        append(*log, 1, 1);
        REQUIRE(log->sync());
    }
    REQUIRE(disk.flip("log/" + disk.list("log").value()[0], 8, 1));  // version 1 becomes 3
    CHECK(refusal(disk).what == io_fault::newer);
}

TEST_CASE("block_log: a block's content cannot pass for a record")
{
    // A payload that is itself a whole log file, then a torn tail: nothing in it vouches for anything.
    memory_files disk;
    {
        auto log = open(disk, 1 << 20);
        append(*log, 1, 9);
        REQUIRE(log->sync());
    }
    auto const path = "log/" + disk.list("log").value()[0];
    auto const inner = disk.open(path, open_mode::read).value();
    bytes raw(inner->size().value());
    REQUIRE(inner->read(0, raw));
    memory_files other;
    {
        auto log = open(other, 1 << 20);
        append(*log, 1, 1);
        REQUIRE(log->sync());
        auto block = block_at(2);
        block.payload = raw;
        REQUIRE(log->append(block));
    }
    auto const outer = other.open(path, open_mode::read).value();
    REQUIRE(other.cut(path, outer->size().value() - 1));
    CHECK(open(other, 1 << 20)->held()->last == height{1});
}

TEST_CASE("block_log: a pruning that fails on the way leaves no gap")
{
    for (std::uint64_t at = 0; at < 12; ++at) {
        memory_files disk;
        auto log = open(disk);
        append(*log, 1, 60);
        REQUIRE(log->sync());
        disk.fail_at(disk.operations() + at, memory_files::failure::io);
        (void)log->prune(height{30});
        (void)log->prune(height{40});
        log = open(disk);
        check_holds(*log, 40, 60);
        REQUIRE(log->prune(height{50}));
        check_holds(*log, 50, 60);
    }
}

}  // namespace
