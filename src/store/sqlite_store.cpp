// SPDX-License-Identifier: Apache-2.0
#include <blendr/store/sqlite_store.hpp>

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <optional>
#include <utility>

#include <blendr/core/assert.hpp>

#include "store/sqlite_files.hpp"

namespace blendr::store {
namespace {

constexpr int application = 0x626c6e64;
constexpr int schema = 1;

struct close_connection {
    void operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }
};
struct finish_statement {
    void operator()(sqlite3_stmt* s) const noexcept { sqlite3_finalize(s); }
};
using connection = std::unique_ptr<sqlite3, close_connection>;
using statement = std::unique_ptr<sqlite3_stmt, finish_statement>;

bytes_view column(sqlite3_stmt* s, int i)
{
    auto const* const at = static_cast<std::byte const*>(sqlite3_column_blob(s, i));
    return {at, static_cast<std::size_t>(sqlite3_column_bytes(s, i))};
}

int bind(sqlite3_stmt* s, int i, bytes_view value)
{
    // A null pointer would bind NULL, and an empty value is not that.
    void const* const at = value.empty() ? static_cast<void const*>("") : value.data();
    return sqlite3_bind_blob64(s, i, at, value.size(), SQLITE_STATIC);
}

class sqlite_store final : public state::store {
public:
    sqlite_store(file_layer& files, std::string path, sqlite_options const& chosen)
        : files_{files},
          path_{std::move(path)},
          chosen_{chosen},
          bridge_{files}
    {}

    result<nothing, io_error> open();

    result<std::optional<bytes>, io_error> get(bytes_view key) const override;
    result<nothing, io_error> scan(bytes_view from, bytes_view to,
                                   row_visitor const& row) const override;
    result<nothing, io_error> write(std::span<state::row_change const> sorted_batch,
                                    height at) override;
    std::optional<height> durable() const override;
    result<nothing, io_error> check() const override;

private:
    result<connection, io_error> connect(int flags) const;
    result<statement, io_error> prepare(sqlite3* db, char const* sql) const;
    result<nothing, io_error> run(sqlite3* db, char const* sql) const;
    result<std::int64_t, io_error> number(sqlite3* db, char const* sql) const;
    fail<io_error> refuse(sqlite3* db) const;
    result<nothing, io_error> write_all(std::span<state::row_change const> batch, height at);
    result<nothing, io_error> check_pages() const;

    file_layer& files_;
    std::string const path_;
    sqlite_options const chosen_;
    mutable sqlite_files bridge_;  // outlives the connections below

    mutable std::mutex writing_;
    connection writer_;
    statement begin_, commit_, rollback_, upsert_, remove_, set_height_;
    bool stopped_ = false;

    mutable std::mutex reading_;
    connection reader_;
    statement get_;

    static constexpr std::uint64_t no_height = ~std::uint64_t{0};
    std::atomic<std::uint64_t> durable_{no_height};
};

/// What went wrong: below SQLite if anything did, otherwise in it.
fail<io_error> sqlite_store::refuse(sqlite3* db) const
{
    if (auto below = bridge_.take_error()) return fail{std::move(*below)};
    int const code = db == nullptr ? SQLITE_NOMEM : sqlite3_errcode(db);
    auto what = io_fault::failed;
    switch (code & 0xff) {
    case SQLITE_FULL:
        what = io_fault::full;
        break;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        what = io_fault::denied;
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        what = io_fault::corrupt;
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        what = io_fault::in_use;
        break;
    default:
        break;
    }
    return fail{io_error{what, path_ + " (" + (db == nullptr ? "" : sqlite3_errmsg(db)) + ")"}};
}

result<connection, io_error> sqlite_store::connect(int flags) const
{
    sqlite3* raw = nullptr;
    int const code =
        sqlite3_open_v2(path_.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, bridge_.name());
    connection db{raw};
    if (code != SQLITE_OK) return refuse(raw);
    sqlite3_extended_result_codes(raw, 1);
    sqlite3_busy_timeout(raw, 10'000);
    return db;
}

result<statement, io_error> sqlite_store::prepare(sqlite3* db, char const* sql) const
{
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr) != SQLITE_OK)
        return refuse(db);
    return statement{raw};
}

result<nothing, io_error> sqlite_store::run(sqlite3* db, char const* sql) const
{
    if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return refuse(db);
    return nothing{};
}

result<std::int64_t, io_error> sqlite_store::number(sqlite3* db, char const* sql) const
{
    BLENDR_TRY(auto const asked, prepare(db, sql));
    if (sqlite3_step(asked.get()) != SQLITE_ROW) return refuse(db);
    return sqlite3_column_int64(asked.get(), 0);
}

result<nothing, io_error> sqlite_store::open()
{
    BLENDR_TRY(writer_, connect(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
    auto* const db = writer_.get();
    int reserve = page_reserved;
    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve) != SQLITE_OK)
        return refuse(db);
    auto const cache = "PRAGMA cache_size=-" + std::to_string(chosen_.cache_bytes / 1024);
    static_assert(page_size == 4096);
    BLENDR_CHECK(run(db, "PRAGMA page_size=4096; PRAGMA temp_store=MEMORY"));
    BLENDR_CHECK(run(db, cache.c_str()));
    BLENDR_CHECK(run(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
                         "PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=67108864"));

    BLENDR_CHECK(run(db, "PRAGMA wal_checkpoint"));  // what a crash left in the log

    BLENDR_TRY(auto const found, number(db, "PRAGMA user_version"));
    if (found > schema)
        return fail{io_error{io_fault::newer, path_ + " (schema " + std::to_string(found) + ")"}};
    if (found == 0) {
        BLENDR_TRY(auto const tables, number(db, "SELECT count(*) FROM sqlite_schema"));
        if (tables != 0) return fail{io_error{io_fault::corrupt, path_ + " (not one of ours)"}};
        auto const make =
            "BEGIN IMMEDIATE; "
            "CREATE TABLE rows(key BLOB NOT NULL PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID; "
            "CREATE TABLE state(name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID; "
            "PRAGMA application_id=" +
            std::to_string(application) + "; PRAGMA user_version=" + std::to_string(schema) +
            "; COMMIT";
        BLENDR_CHECK(run(db, make.c_str()));
    }
    BLENDR_TRY(auto const id, number(db, "PRAGMA application_id"));
    if (id != application) return fail{io_error{io_fault::corrupt, path_ + " (not one of ours)"}};
    BLENDR_TRY(auto const known, number(db, "SELECT count(*) FROM state WHERE name='height'"));
    if (known != 0) {
        BLENDR_TRY(auto const at, number(db, "SELECT value FROM state WHERE name='height'"));
        durable_ = static_cast<std::uint64_t>(at);
    }

    BLENDR_TRY(begin_, prepare(db, "BEGIN IMMEDIATE"));
    BLENDR_TRY(commit_, prepare(db, "COMMIT"));
    BLENDR_TRY(rollback_, prepare(db, "ROLLBACK"));
    BLENDR_TRY(upsert_, prepare(db, "INSERT OR REPLACE INTO rows VALUES(?1, ?2)"));
    BLENDR_TRY(remove_, prepare(db, "DELETE FROM rows WHERE key=?1"));
    BLENDR_TRY(set_height_, prepare(db, "INSERT OR REPLACE INTO state VALUES('height', ?1)"));
    BLENDR_TRY(reader_, connect(SQLITE_OPEN_READWRITE));
    BLENDR_CHECK(run(reader_.get(), "PRAGMA query_only=1"));
    BLENDR_TRY(get_, prepare(reader_.get(), "SELECT value FROM rows WHERE key=?1"));
    return nothing{};
}

// ---- reading -------------------------------------------------------------------------------------

result<std::optional<bytes>, io_error> sqlite_store::get(bytes_view key) const
{
    std::lock_guard const lock{reading_};
    bind(get_.get(), 1, key);
    int const code = sqlite3_step(get_.get());
    std::optional<bytes> out;
    if (code == SQLITE_ROW) out = to_bytes(column(get_.get(), 0));
    std::optional<fail<io_error>> refused;
    if (code != SQLITE_ROW && code != SQLITE_DONE) refused = refuse(reader_.get());
    sqlite3_reset(get_.get());
    if (refused) return *refused;
    return out;
}

result<nothing, io_error> sqlite_store::scan(bytes_view from, bytes_view to,
                                             row_visitor const& row) const
{
    // A connection of its own: it sees one state from beginning to end, and the visitor may read too.
    BLENDR_TRY(auto const db, connect(SQLITE_OPEN_READWRITE));
    BLENDR_TRY(auto const rows,
               prepare(db.get(), to.empty()
                                     ? "SELECT key, value FROM rows WHERE key>=?1 ORDER BY key"
                                     : "SELECT key, value FROM rows WHERE key>=?1 AND key<?2 "
                                       "ORDER BY key"));
    bind(rows.get(), 1, from);
    if (!to.empty()) bind(rows.get(), 2, to);
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(rows.get())) == SQLITE_ROW)
        if (!row(column(rows.get(), 0), column(rows.get(), 1))) return nothing{};
    if (code != SQLITE_DONE) return refuse(db.get());
    return nothing{};
}

std::optional<height> sqlite_store::durable() const
{
    std::uint64_t const at = durable_;
    if (at == no_height) return std::nullopt;
    return height{at};
}

// ---- writing -------------------------------------------------------------------------------------

result<nothing, io_error> sqlite_store::write(std::span<state::row_change const> sorted_batch,
                                              height at)
{
    BLENDR_ASSERT(state::strictly_increasing(sorted_batch));
    std::lock_guard const lock{writing_};
    if (stopped_) return fail{io_error{io_fault::stopped, path_}};
    if (auto const last = durable(); last && at < *last)
        return fail{io_error{io_fault::misplaced, path_ + ", block " + std::to_string(at.get()) +
                                                      " after " + std::to_string(last->get())}};
    auto const written = write_all(sorted_batch, at);
    if (!written) {
        stopped_ = true;
        sqlite3_step(rollback_.get());
        sqlite3_reset(rollback_.get());
        return written;
    }
    durable_ = at.get();
    // Into the database proper; readers may hold some of it back until the next time.
    if (sqlite3_wal_checkpoint_v2(writer_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr,
                                  nullptr) != SQLITE_OK) {
        stopped_ = true;
        return refuse(writer_.get());
    }
    return nothing{};
}

result<nothing, io_error> sqlite_store::write_all(std::span<state::row_change const> batch,
                                                  height at)
{
    auto const step = [this](statement const& s) -> result<nothing, io_error> {
        int const code = sqlite3_step(s.get());
        if (code == SQLITE_DONE) {
            sqlite3_reset(s.get());
            return nothing{};
        }
        auto refused = refuse(writer_.get());
        sqlite3_reset(s.get());
        return refused;
    };
    BLENDR_CHECK(step(begin_));
    for (auto const& [key, value] : batch) {
        auto const& how = value ? upsert_ : remove_;
        bind(how.get(), 1, key);
        if (value) bind(how.get(), 2, *value);
        BLENDR_CHECK(step(how));
    }
    sqlite3_bind_int64(set_height_.get(), 1, static_cast<std::int64_t>(at.get()));
    BLENDR_CHECK(step(set_height_));
    return step(commit_);
}

// ---- checking ------------------------------------------------------------------------------------

result<nothing, io_error> sqlite_store::check_pages() const
{
    BLENDR_TRY(auto const db, files_.open(path_, open_mode::read));
    BLENDR_TRY(auto const size, db->size());
    if (size % page_size != 0) return fail{io_error{io_fault::corrupt, path_ + " (half a page)"}};
    std::array<std::byte, page_size> page{};
    for (std::uint64_t at = 0; at < size; at += page_size) {
        BLENDR_TRY(auto const got, db->read(at, page));
        auto const number = static_cast<std::uint32_t>(at / page_size + 1);
        // A page that was freed before it was ever written is a hole in the file.
        bool const hole =
            std::all_of(page.begin(), page.end(), [](std::byte b) { return b == std::byte{}; });
        if (got != page_size || (!hole && !page_intact(page, number)))
            return fail{io_error{io_fault::corrupt, path_ + ", page " + std::to_string(number)}};
    }
    return nothing{};
}

result<nothing, io_error> sqlite_store::check() const
{
    std::lock_guard const lock{writing_};
    // A page may be torn in the database as long as the write-ahead log still has it whole.
    int logged = 0, moved = 0;
    if (sqlite3_wal_checkpoint_v2(writer_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &logged,
                                  &moved) != SQLITE_OK)
        return refuse(writer_.get());
    if (logged == moved) BLENDR_CHECK(check_pages());
    BLENDR_TRY(auto const db, connect(SQLITE_OPEN_READWRITE));  // with nothing cached
    BLENDR_TRY(auto const asked, prepare(db.get(), "PRAGMA integrity_check(1)"));
    if (sqlite3_step(asked.get()) != SQLITE_ROW) return refuse(db.get());
    std::string const says{as_text(column(asked.get(), 0))};
    if (says != "ok") return fail{io_error{io_fault::corrupt, path_ + " (" + says + ")"}};
    if (sqlite3_step(asked.get()) != SQLITE_DONE) return refuse(db.get());
    return nothing{};
}

}  // namespace

result<std::unique_ptr<state::store>, io_error> open_sqlite(file_layer& files, std::string path,
                                                            sqlite_options const& chosen)
{
    auto store = std::make_unique<sqlite_store>(files, std::move(path), chosen);
    BLENDR_CHECK(store->open());
    return std::unique_ptr<state::store>{std::move(store)};
}

}  // namespace blendr::store
