// SPDX-License-Identifier: Apache-2.0
#include <harness.hpp>
#include <scratch.hpp>

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <blendr/core/random.hpp>
#include <blendr/store.hpp>

namespace {

using namespace blendr;
using namespace blendr::bench;
namespace fs = std::filesystem;

constexpr std::size_t key_size = 32, value_size = 68;  // rows of 100 bytes
constexpr std::size_t batch_rows = 10'000, accounts = 1'000'000;

double now()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

/// Rows of one block: random accounts, in key order as a state hands them over.
class rows {
public:
    explicit rows(std::uint64_t seed) : random_{seed} {}

    void next()
    {
        picked_.resize(batch_rows);
        for (auto& p : picked_) p = random_.below(accounts);
        make();
    }
    /// All accounts, once, in slices.
    bool fill()
    {
        if (filled_ == accounts) return false;
        picked_.clear();
        for (std::size_t i = 0; i < batch_rows; ++i) picked_.push_back(filled_++);
        make();
        return true;
    }
    std::vector<state::row_change> changes;
    bytes packed;  // the same rows one after the other: what a log takes

private:
    void make()
    {
        raw_.resize(picked_.size() * 100);
        std::vector<std::byte*> order;
        for (std::size_t i = 0; i < picked_.size(); ++i) {
            auto* const at = raw_.data() + i * 100;
            rng{picked_[i]}.fill({at, key_size});
            random_.fill({at + key_size, value_size});
            order.push_back(at);
        }
        auto const less = [](std::byte* a, std::byte* b) {
            return std::memcmp(a, b, key_size) < 0;
        };
        std::sort(order.begin(), order.end(), less);
        changes.clear();
        packed.clear();
        for (auto* const at : order) {
            bytes_view const key{at, key_size};
            if (!changes.empty() && equal(changes.back().first, key)) continue;
            changes.emplace_back(key, bytes_view{at + key_size, value_size});
            packed.insert(packed.end(), at, at + 100);
        }
    }
    rng random_;
    std::size_t filled_ = 0;
    std::vector<std::uint64_t> picked_;
    bytes raw_;
};

ledger::logged_block block_of(std::uint64_t at, bytes const& payload)
{
    ledger::logged_block out;
    out.at.at = height{at};
    out.payload = payload;
    return out;
}

/// The yardstick of the log: write and fdatasync, nothing else.
class raw_log {
public:
    explicit raw_log(fs::path const& path)
        : fd_{::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644)}
    {}
    ~raw_log() { ::close(fd_); }
    void append(bytes const& data)
    {
        if (::write(fd_, data.data(), data.size()) != static_cast<ssize_t>(data.size()) ||
            ::fdatasync(fd_) != 0)
            std::abort();
    }

private:
    int fd_;
};

/// The yardstick of commits: the same rows straight into SQLite, as its manual would have it.
class plain_sqlite {
public:
    explicit plain_sqlite(fs::path const& path)
    {
        if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK) std::abort();
        run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-32768;"
            "CREATE TABLE rows(key BLOB NOT NULL PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID");
        sqlite3_prepare_v2(db_, "INSERT OR REPLACE INTO rows VALUES(?1, ?2)", -1, &put_, nullptr);
    }
    ~plain_sqlite()
    {
        sqlite3_finalize(put_);
        sqlite3_close(db_);
    }
    void commit(std::vector<state::row_change> const& changes)
    {
        run("BEGIN");
        for (auto const& [key, value] : changes) {
            sqlite3_bind_blob(put_, 1, key.data(), key_size, SQLITE_STATIC);
            sqlite3_bind_blob(put_, 2, value->data(), value_size, SQLITE_STATIC);
            if (sqlite3_step(put_) != SQLITE_DONE) std::abort();
            sqlite3_reset(put_);
        }
        run("COMMIT");
    }

private:
    void run(char const* sql)
    {
        if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) std::abort();
    }
    sqlite3* db_ = nullptr;
    sqlite3_stmt* put_ = nullptr;
};

void log_appends(run& out)
{
    if (!out.wants("store/log")) return;
    directory here;
    raw_log raw{here.path / "raw"};
    auto const log =
        store::open_block_log(store::system_files(), (here.path / "log").string()).value();
    rows r{1};
    r.next();
    std::uint64_t at = 0;
    out.compare(
        "store/log/append_synced/10k_rows", rate("rows/s", double(batch_rows)),
        [&] {
            if (!log->append(block_of(++at, r.packed)) || !log->sync()) std::abort();
        },
        [&] { raw.append(r.packed); }, {.by = bench::clock::wall, .rounds = 41, .sample_ms = 20});
    bytes const small(200);
    out.figure("store/log/append_unsynced/200B", us,
               [&] {
                   if (!log->append(block_of(++at, small))) std::abort();
               },
               {.rounds = 5});
}

/// Ours for as long as asked, the yardstick before and after it. Commits are all that is timed, with
/// nothing made meanwhile, so that the checkpoints behind ours have only the time that commits take; and
/// a second figure counts the last checkpoint, to the last row, as ours too.
void commits(run& out)
{
    if (!out.wants("store/commit")) return;
    directory here;
    double const seconds = [] {
        char const* const chosen = std::getenv("BLENDR_BENCH_SECONDS");
        return chosen != nullptr ? std::atof(chosen) : 30.0;
    }();
    std::vector<rows> all;  // two million draws from a million accounts
    for (std::uint64_t i = 0; i < 200; ++i) {
        all.emplace_back(100 + i);
        all.back().next();
    }
    plain_sqlite direct{here.path / "direct.db"};
    auto const db = store::database::open((here.path / "node").string()).value();
    std::uint64_t at = 0;
    auto const commit = [&](rows const& r) {
        if (!db->log().append(block_of(++at, r.packed)) || !db->log().sync() ||
            !db->state().write(r.changes, height{at}))
            std::abort();
    };
    for (rows r{2}; r.fill();) {
        direct.commit(r.changes);
        commit(r);
    }
    if (!db->state().flush()) std::abort();

    double theirs = 0, theirs_rows = 0;
    std::size_t next = 0;
    auto const time_direct = [&] {
        double const begin = now();
        while (now() - begin < seconds / 4) {
            auto const& r = all[next++ % all.size()];
            direct.commit(r.changes);
            theirs_rows += double(r.changes.size());
        }
        theirs += now() - begin;
    };
    time_direct();

    double ours_rows = 0, slowest = 0;
    std::vector<std::size_t> backlog;  // the highest of each tenth of the time
    double const begin = now();
    for (int tenth = 0; tenth < 10; ++tenth) {
        std::size_t high = 0;
        while (now() - begin < seconds * (tenth + 1) / 10) {
            auto const& r = all[next++ % all.size()];
            double const before = now();
            commit(r);
            slowest = std::max(slowest, now() - before);
            ours_rows += double(r.changes.size());
            high = std::max(high, db->state().backlog().bytes);
            if (at % 64 == 0 && !db->prune(height{at})) std::abort();
        }
        backlog.push_back(high);
    }
    double const ours = now() - begin;
    if (!db->state().flush()) std::abort();
    double const flushed = now() - begin;
    time_direct();

    double const yardstick = theirs_rows / theirs;
    out.report("store/commit/random/direct_sqlite", yardstick, "rows/s");
    out.report("store/commit/random", ours_rows / ours, "rows/s", ours_rows / ours / yardstick);
    out.report("store/commit/random/to_the_last_row", ours_rows / flushed, "rows/s",
               ours_rows / flushed / yardstick);
    out.report("store/commit/random/slowest_block", slowest * 1e3, "ms");
    auto const first = *std::max_element(backlog.begin(), backlog.begin() + 5);
    auto const second = *std::max_element(backlog.begin() + 5, backlog.end());
    out.report("store/commit/backlog_of_second_half", double(second) / 1e6, "MB",
               double(second) / double(first));
    if (!db->check()) std::abort();
}

/// A state of a million rows and a thousand blocks to replay into it.
void recovery(run& out)
{
    if (!out.wants("store/recovery")) return;
    directory here;
    auto const path = (here.path / "node").string();
    {
        auto const db = store::database::open(path, {}).value();
        rows r{5};
        std::uint64_t at = 0;
        while (r.fill())
            if (!db->log().append(block_of(++at, r.packed)) ||
                !db->state().write(r.changes, height{at}))
                std::abort();
        if (!db->state().flush()) std::abort();
        for (int i = 0; i < 1000; ++i) {
            if (i % 100 == 0) r.next();
            if (!db->log().append(
                    block_of(++at, bytes(r.packed.begin(), r.packed.begin() + 100'000))))
                std::abort();
        }
        if (!db->log().sync()) std::abort();
    }
    double const before = now();
    auto const db = store::database::open(path).value();
    std::size_t count = 0;
    if (!db->state().scan({}, {}, [&](bytes_view, bytes_view) { return ++count != 0; }))
        std::abort();
    auto const todo = db->to_replay();
    for (auto at = todo.from.get(); at <= todo.to.get(); ++at) {
        auto const block = db->log().read(height{at}).value();
        if (!block) std::abort();
        std::vector<state::row_change> changes;
        for (std::size_t i = 0; i + 100 <= block->payload.size(); i += 100)
            changes.emplace_back(bytes_view{block->payload}.subspan(i, key_size),
                                 bytes_view{block->payload}.subspan(i + key_size, value_size));
        if (!db->state().write(changes, height{at})) std::abort();
    }
    out.report("store/recovery/1M_rows/1000_blocks", now() - before, "s");
    if (count != accounts || todo.to.get() - todo.from.get() + 1 != 1000) std::abort();
}

suite const store_suite{"store", [](run& out) {
                            log_appends(out);
                            commits(out);
                            recovery(out);
                        }};

}  // namespace
