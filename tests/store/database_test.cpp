// SPDX-License-Identifier: Apache-2.0
#include <blendr/store/database.hpp>  // first: it stands alone

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include <doctest/doctest.h>

#include <support/support.hpp>

#include "common.hpp"
#include "mortal_layer.hpp"

namespace {

using namespace blendr;
using namespace blendr::store;
using test::block_at;
using test::content;
using test::mortal_layer;
using test::rows_of_block;
using test::state_after;

database::options small()
{
    database::options out;
    out.log.segment_bytes = 4000;
    out.behind.checkpoint_rows = 60;
    return out;
}

/// One step of a made-up node: log, execute, sync. Says how far the log is durable.
std::optional<std::uint64_t> step(database& in, std::uint64_t at)
{
    if (!in.log().append(block_at(at))) return std::nullopt;
    if (!in.state().write(rows_of_block(at).changes(), height{at})) return std::nullopt;
    auto const synced = in.log().sync();
    if (!synced) return std::nullopt;
    return synced->value().get();
}

/// What a node does after opening: executes again what the state lacks. Says the last height.
std::uint64_t recover(database& in)
{
    auto const todo = in.to_replay();
    for (auto at = todo.from.get(); at <= todo.to.get(); ++at) {
        auto const block = in.log().read(height{at});
        REQUIRE(block);
        REQUIRE(block->has_value());
        CHECK(**block == block_at(at));
        REQUIRE(in.state().write(rows_of_block(at).changes(), height{at}));
    }
    return in.log().held() ? in.log().held()->last.get() : 0;
}

std::unique_ptr<database> open(std::string const& dir, file_layer& files)
{
    auto db = database::open(dir, small(), files);
    REQUIRE_MESSAGE(db.has_value(), (db ? "" : message(db.error())));
    return std::move(*db);
}

io_error refusal(std::string const& dir, file_layer& files)
{
    auto const db = database::open(dir, small(), files);
    REQUIRE_FALSE(db.has_value());
    return db.error();
}

void check_all(database& in, std::uint64_t last)
{
    auto const checked = in.check();
    REQUIRE_MESSAGE(checked.has_value(), (checked ? "" : message(checked.error())));
    REQUIRE(content(in.state()) == state_after(last));
}

TEST_CASE("database: opens, goes on where it was, prunes no block that it needs")
{
    memory_files disk;
    {
        auto const db = open("node", disk);
        for (std::uint64_t at = 1; at <= 50; ++at) REQUIRE(step(*db, at) == at);
        check_all(*db, 50);
    }
    auto const db = open("node", disk);
    CHECK(db->state().durable() == height{50});  // a clean end leaves nothing to replay
    CHECK(recover(*db) == 50);
    for (std::uint64_t at = 51; at <= 60; ++at) REQUIRE(step(*db, at) == at);
    REQUIRE(db->state().flush());
    for (std::uint64_t at = 61; at <= 62; ++at) REQUIRE(step(*db, at) == at);
    REQUIRE(db->prune(height::max()));
    CHECK(db->log().held()->first.get() <= 61);
    CHECK(db->log().held()->first.get() > 40);
    check_all(*db, 62);
}

TEST_CASE(
    "database: whatever a crash loses or tears, no durable block is lost and the state follows" *
    doctest::test_suite("property"))
{
    INFO("seed ", test::seed());
    std::size_t lost = 0, replayed = 0;
    for (std::uint64_t round = 0; round < 120; ++round) {
        CAPTURE(round);
        rng random{test::seed() * 1'000'000 + round};
        memory_files disk;
        std::uint64_t synced = 0, written = 0;
        for (int life = 0; life < 3; ++life) {
            disk.fail_at(disk.operations() + random.below(200),
                         random.chance(1, 4)   ? memory_files::failure::io
                         : random.chance(1, 4) ? memory_files::failure::full_after
                                               : memory_files::failure::power);
            if (auto const opened = database::open("node", small(), disk)) {
                auto& db = **opened;
                auto at = recover(db);
                REQUIRE(at >= synced);
                for (int steps = 0; steps < 60; ++steps) {
                    written = ++at;
                    auto const done = step(db, at);
                    if (!done) break;
                    synced = *done;
                    if (random.chance(1, 10)) (void)db.prune(height{at - random.below(at)});
                }
                if (random.chance(1, 2))
                    disk.fail_at(disk.operations(), memory_files::failure::power);
            }
            disk.crash(random);
            auto const db = open("node", disk);
            auto const todo = db->to_replay();
            if (todo.to >= todo.from) replayed += todo.to - todo.from + 1;
            auto const last = recover(*db);
            REQUIRE(last >= synced);
            REQUIRE(last <= written);
            lost += written - last;
            check_all(*db, last);
            written = synced = last;
        }
    }
    CHECK(lost > 10);
    CHECK(replayed > 100);
}

/// The child's whole life. Tells its parent each height that it knows durable.
[[noreturn]] void live_and_die(std::string const& dir, std::uint64_t operations, int tell)
{
    mortal_layer files{operations};
    auto opened = database::open(dir, small(), files);
    if (!opened) ::_exit(3);
    auto& db = **opened;
    auto const todo = db.to_replay();
    for (auto at = todo.from.get(); at <= todo.to.get(); ++at)
        if (!db.state().write(rows_of_block(at).changes(), height{at})) ::_exit(4);
    for (std::uint64_t at = db.log().held() ? db.log().held()->last.get() + 1 : 1;; ++at) {
        auto const synced = step(db, at);
        if (!synced) ::_exit(5);
        if (::write(tell, &*synced, sizeof *synced) != sizeof *synced) ::_exit(6);
        if (at % 16 == 0) (void)db.prune(height{at - 8});
    }
}

TEST_CASE("database: 220 processes killed at random write points lose no durable block" *
          doctest::test_suite("property slow"))
{
    INFO("seed ", test::seed());
    rng random{test::seed()};
    std::string dir;
    std::uint64_t synced = 0;
    std::size_t replayed = 0, progress = 0;
    for (int death = 0; death < 220; ++death) {
        CAPTURE(death);
        if (death % 40 == 0) {
            dir = (test::scratch("killed") / std::to_string(death)).string();
            synced = 0;
        }
        int tube[2];
        REQUIRE(::pipe(tube) == 0);
        std::uint64_t const operations = random.below(death % 4 == 0 ? 20 : 80);
        pid_t const child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            ::close(tube[0]);
            live_and_die(dir, operations, tube[1]);
        }
        ::close(tube[1]);
        std::uint64_t told = 0;
        while (::read(tube[0], &told, sizeof told) == sizeof told) {
            ++progress;
            synced = told;
        }
        ::close(tube[0]);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WIFSIGNALED(status));
        REQUIRE(WTERMSIG(status) == SIGKILL);

        auto const db = open(dir, system_files());
        auto const todo = db->to_replay();
        if (todo.to >= todo.from) replayed += todo.to - todo.from + 1;
        auto const last = recover(*db);
        REQUIRE(last >= synced);
        REQUIRE(last <= synced + 1);
        check_all(*db, last);
        synced = last;
    }
    CHECK(progress > 1000);
    CHECK(replayed > 200);
}

TEST_CASE("database: two cannot use one directory, in one process or two")
{
    auto const dir = test::scratch("locked").string();
    auto const db = open(dir, system_files());
    CHECK(refusal(dir, system_files()) == io_error{io_fault::in_use, dir});
    pid_t const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        auto const other = database::open(dir);
        ::_exit(!other && other.error().what == io_fault::in_use ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
}

TEST_CASE("database: a newer version is said to be newer, a damaged one damaged")
{
    auto const dir = test::scratch("version");
    {
        open(dir.string(), system_files());
    }
    auto const with_format = [&](char const* text) {
        std::ofstream{dir / "FORMAT"} << text;
        return refusal(dir.string(), system_files());
    };
    auto const newer = with_format("blendr store 2\n");
    CHECK(newer.what == io_fault::newer);
    CHECK(message(newer) ==
          (dir / "FORMAT").string() + " (version 2): written by a newer version of this library");
    for (auto const* text :
         {"", "blendr store 1", "blendr store x\n", "blendr store 0\n", "else\n"})
        CHECK(with_format(text) == io_error{io_fault::corrupt, (dir / "FORMAT").string()});
    std::ofstream{dir / "FORMAT"} << "blendr store 1\n";
    open(dir.string(), system_files());
}

TEST_CASE("database: a log that lost blocks which the state has is refused")
{
    memory_files disk;
    {
        auto const db = open("node", disk);
        for (std::uint64_t at = 1; at <= 20; ++at) REQUIRE(step(*db, at));
    }
    auto const path = "node/log/" + disk.list("node/log").value().back();
    auto const size = disk.open(path, open_mode::read).value()->size().value();
    REQUIRE(disk.cut(path, size - 1));  // looks like a torn tail, but block 20 was durable
    auto const error = refusal("node", disk);
    CHECK(error.what == io_fault::missing);
    CHECK(error.where.find("block 19") != std::string::npos);
}

TEST_CASE("database: a state that lost what the log no longer holds is refused")
{
    memory_files disk;
    {
        auto const db = open("node", disk);
        for (std::uint64_t at = 1; at <= 200; ++at) REQUIRE(step(*db, at));
        REQUIRE(db->state().flush());
        REQUIRE(db->prune(height{150}));
    }
    REQUIRE(disk.remove("node/state.db"));
    // Without state at all it may have been lost or never been: blocks from the first one held are
    // offered for replay, and the caller knows whether that is genesis.
    CHECK(open("node", disk)->to_replay().from.get() > 100);
}

TEST_CASE("database: a read-only directory and a full disk are named")
{
    memory_files disk;
    {
        open("node", disk);
    }
    disk.make_read_only(true);
    CHECK(refusal("node", disk).what == io_fault::denied);
    disk.make_read_only(false);
    disk.fail_at(disk.operations() + 3, memory_files::failure::full_after);
    auto const opened = database::open("node", small(), disk);
    if (opened) {
        std::uint64_t at = 1;
        while (step(**opened, at)) ++at;
        CHECK((*opened)->log().append(block_at(at)).error().what == io_fault::stopped);
    } else {
        CHECK(opened.error().what == io_fault::full);
    }
}

TEST_CASE("database: check names a damaged file of the log or page of the state")
{
    memory_files disk;
    auto const db = open("node", disk);
    for (std::uint64_t at = 1; at <= 60; ++at) REQUIRE(step(*db, at));
    REQUIRE(db->state().flush());
    CHECK(db->check());
    auto const segment = "node/log/" + disk.list("node/log").value().front();
    REQUIRE(disk.flip(segment, 200, 0));
    CHECK(db->check().error().where.starts_with(segment));
    REQUIRE(disk.flip(segment, 200, 0));
    REQUIRE(disk.flip("node/state.db", 4096 + 77, 0));
    CHECK(db->check().error() == io_error{io_fault::corrupt, "node/state.db, page 2"});
    REQUIRE(disk.flip("node/state.db", 4096 + 77, 0));
    CHECK(db->check());
}

}  // namespace
