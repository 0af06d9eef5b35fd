// SPDX-License-Identifier: Apache-2.0
#include <blendr/store/sqlite_store.hpp>  // first: it stands alone

#include <atomic>
#include <thread>

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <support/support.hpp>

#include "common.hpp"

namespace {

using namespace blendr;
using namespace blendr::store;
using test::content;
using test::row_list;
using test::rows_of_block;
using test::state_after;

std::unique_ptr<state::store> open(file_layer& in, std::string const& path = "d/state.db")
{
    auto store = open_sqlite(in, path);
    REQUIRE_MESSAGE(store.has_value(), (store ? "" : message(store.error())));
    return std::move(*store);
}

TEST_CASE("sqlite_store: behaves as the memory store does" * doctest::test_suite("property"))
{
    INFO("seed ", test::seed());
    memory_files disk;
    REQUIRE(disk.make_directory("d"));
    auto store = open(disk);
    state::memory_store model;
    CHECK_FALSE(store->durable());
    for (std::uint64_t at = 1; at <= 40; ++at) {
        auto const rows = rows_of_block(at + test::seed());
        REQUIRE(store->write(rows.changes(), height{at}));
        REQUIRE(model.write(rows.changes(), height{at}));
        CHECK(store->durable() == height{at});
        if (at % 10 == 0) {
            store.reset();
            store = open(disk);
            CHECK(store->durable() == height{at});
        }
        CHECK(content(*store) == content(model));
        for (int i = 0; i < 200; i += 7) {
            auto const key = "key " + std::to_string(i);
            CHECK(store->get(as_bytes(key)).value() == model.get(as_bytes(key)).value());
        }
    }
    CHECK(store->check());
    CHECK(store->write({}, height{39}).error().what == io_fault::misplaced);

    std::vector<std::string> keys;
    REQUIRE(store->scan(as_bytes("key 10"), as_bytes("key 12"), [&](bytes_view key, bytes_view) {
        keys.emplace_back(as_text(key));
        CHECK(store->get(key).value().has_value());  // a visitor may read
        return true;
    }));
    CHECK(std::is_sorted(keys.begin(), keys.end()));
    for (auto const& key : keys) CHECK((key >= "key 10" && key < "key 12"));
}

TEST_CASE("sqlite_store: empty keys and values, large ones, and bytes of every value")
{
    memory_files disk;
    REQUIRE(disk.make_directory("d"));
    row_list rows;
    std::string all;
    for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
    rows.set("", "empty key");
    rows.set("empty", "");
    rows.set(all, all);
    rows.set("large", std::string(100'000, 'l'));
    std::map<std::string, std::string> model;
    rows.apply(model);
    REQUIRE(open(disk)->write(rows.changes(), height{1}));
    auto const store = open(disk);
    CHECK(content(*store) == model);
    CHECK(store->get({}).value() == to_bytes("empty key"));
    CHECK(store->check());
}

TEST_CASE("sqlite_store: whatever a crash loses or tears, it has the last durable batch whole" *
          doctest::test_suite("property"))
{
    INFO("seed ", test::seed());
    std::size_t lost = 0;
    for (std::uint64_t round = 0; round < 150; ++round) {
        CAPTURE(round);
        rng random{test::seed() * 1'000'000 + round};
        memory_files disk;
        REQUIRE(disk.make_directory("d"));
        std::uint64_t durable = 0;
        for (int life = 0; life < 3; ++life) {
            disk.fail_at(disk.operations() + random.below(80), memory_files::failure::power);
            std::uint64_t tried = durable;
            if (auto const store = open_sqlite(disk, "d/state.db")) {
                for (std::uint64_t at = durable + 1;; ++at) {
                    tried = at;
                    if (!(*store)->write(rows_of_block(at).changes(), height{at})) break;
                    durable = at;
                }
                CHECK((*store)->write({}, height{tried}).error().what == io_fault::stopped);
            }
            disk.crash(random);
            auto const store = open(disk);
            std::uint64_t const now = store->durable() ? store->durable()->get() : 0;
            REQUIRE(now >= durable);
            REQUIRE(now <= tried);
            lost += tried - now;
            REQUIRE(content(*store) == state_after(now));
            auto const checked = store->check();
            REQUIRE_MESSAGE(checked.has_value(), (checked ? "" : message(checked.error())));
            durable = now;
        }
    }
    CHECK(lost > 50);
}

TEST_CASE("sqlite_store: a full disk or a failed sync is named, and loses no durable batch")
{
    for (std::uint64_t at = 0; at < 60; ++at) {
        CAPTURE(at);
        memory_files disk;
        REQUIRE(disk.make_directory("d"));
        std::uint64_t durable = 0;
        disk.fail_at(disk.operations() + at, at % 3 == 0   ? memory_files::failure::full_after
                                             : at % 3 == 1 ? memory_files::failure::full
                                                           : memory_files::failure::io);
        if (auto const store = open_sqlite(disk, "d/state.db")) {
            for (std::uint64_t i = 1; i <= 8; ++i) {
                auto const done = (*store)->write(rows_of_block(i).changes(), height{i});
                if (!done) {
                    CHECK((done.error().what == io_fault::full ||
                           done.error().what == io_fault::failed));
                    CHECK(done.error().where.starts_with("d/state.db"));
                    break;
                }
                durable = i;
            }
        }
        rng random{at};
        disk.crash(random);
        auto const store = open(disk);
        std::uint64_t const now = store->durable() ? store->durable()->get() : 0;
        CHECK(now >= durable);
        CHECK(content(*store) == state_after(now));
        CHECK(store->check());
    }
}

TEST_CASE("sqlite_store: a damaged page is named and never a wrong row" *
          doctest::test_suite("property"))
{
    memory_files disk;
    REQUIRE(disk.make_directory("d"));
    std::map<std::string, std::string> model;
    {
        auto const store = open(disk);
        row_list rows;
        for (int i = 0; i < 600; ++i)
            rows.set("key " + std::to_string(i), std::string(60, static_cast<char>('a' + i % 26)));
        rows.apply(model);
        REQUIRE(store->write(rows.changes(), height{1}));
    }
    auto const size = disk.open("d/state.db", open_mode::read).value()->size().value();
    rng random{test::seed()};
    for (std::uint64_t page = 2; page <= size / 4096; ++page) {
        auto const byte = (page - 1) * 4096 + random.below(4096);
        auto const bit = static_cast<unsigned>(random.below(8));
        REQUIRE(disk.flip("d/state.db", byte, bit));
        auto const name = "d/state.db, page " + std::to_string(page);
        auto const store = open_sqlite(disk, "d/state.db");
        if (!store) {
            CHECK(store.error() == io_error{io_fault::corrupt, name});
        } else {
            CHECK((*store)->check().error() == io_error{io_fault::corrupt, name});
            bool refused = false;
            for (auto const& [key, value] : model) {
                auto const got = (*store)->get(as_bytes(key));
                if (!got) {
                    CHECK(got.error() == io_error{io_fault::corrupt, name});
                    refused = true;
                } else {
                    CHECK(*got == to_bytes(value));
                }
            }
            CHECK(refused);
        }
        REQUIRE(disk.flip("d/state.db", byte, bit));
    }
    CHECK(content(*open(disk)) == model);
    REQUIRE(disk.flip("d/state.db", 5, 5));  // the header
    CHECK_FALSE(open_sqlite(disk, "d/state.db"));
}

TEST_CASE("sqlite_store: a newer schema, or another program's database, is refused with its name")
{
    auto const dir = test::scratch("schema");
    auto const path = (dir / "state.db").string();
    {
        open(system_files(), path);
    }
    auto const run = [](std::string const& at, char const* sql) {
        sqlite3* db = nullptr;
        REQUIRE(sqlite3_open(at.c_str(), &db) == SQLITE_OK);
        int const code = sqlite3_exec(db, sql, nullptr, nullptr, nullptr);
        sqlite3_close(db);
        return code;
    };
    {
        auto const store = open(system_files(), path);
        // SQLite's own tools find it locked while it is in use.
        CHECK(run(path, "SELECT count(*) FROM rows") == SQLITE_BUSY);
    }
    CHECK(run(path, "PRAGMA user_version=2") == SQLITE_OK);
    // A tool that knows nothing of page checksums breaks one by writing; a newer version would not.
    auto const newer = open_sqlite(system_files(), path);
    REQUIRE_FALSE(newer);
    CHECK((newer.error().what == io_fault::newer || newer.error().what == io_fault::corrupt));
    auto const foreign = (dir / "other.db").string();
    CHECK(run(foreign, "CREATE TABLE t(x)") == SQLITE_OK);
    CHECK(open_sqlite(system_files(), foreign).error().what == io_fault::corrupt);
}

TEST_CASE("sqlite_store: readers see whole batches while one is written")
{
    memory_files disk;
    REQUIRE(disk.make_directory("d"));
    auto const store = open(disk);
    std::atomic<bool> stop{false};
    std::atomic<int> torn{0}, scans{0};
    auto const batch = [](std::uint64_t at) {
        row_list rows;
        for (int i = 0; i < 100; ++i) rows.set("k" + std::to_string(i), std::to_string(at));
        return rows;
    };
    REQUIRE(store->write(batch(1).changes(), height{1}));
    std::thread reader{[&] {
        while (!stop) {
            auto const rows = content(*store);
            for (auto const& [key, value] : rows)
                if (value != rows.begin()->second || rows.size() != 100) ++torn;
            ++scans;
            if (!store->get(as_bytes("k5"))) ++torn;
        }
    }};
    for (std::uint64_t at = 2; at < 60 || scans < 5; ++at)
        REQUIRE(store->write(batch(at).changes(), height{at}));
    stop = true;
    reader.join();
    CHECK(torn == 0);
}

}  // namespace
