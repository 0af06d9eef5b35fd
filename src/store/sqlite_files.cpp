// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_files.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "store/crc32c.hpp"

namespace blendr::store {
namespace {

constexpr std::uint32_t page_data = page_size - page_reserved;

void seal_page(std::span<std::byte> page, std::uint32_t number) noexcept
{
    std::uint32_t const crc = crc32c(number, page.first(page_data));
    for (unsigned i = 0; i < 4; ++i) {
        page[page_data + i] = static_cast<std::byte>(crc >> (8 * i));
        page[page_data + 4 + i] = ~page[page_data + i];
    }
}

}  // namespace

bool page_intact(bytes_view page, std::uint32_t number) noexcept
{
    std::uint32_t const crc = crc32c(number, page.first(page_data));
    for (unsigned i = 0; i < 4; ++i)
        if (page[page_data + i] != static_cast<std::byte>(crc >> (8 * i)) ||
            page[page_data + 4 + i] != ~page[page_data + i])
            return false;
    return true;
}

/// One file as all connections of the process share it.
struct shared_file {
    std::shared_ptr<file> open;
    int users = 0;
    int shared_locks = 0;                              // connections at SQLITE_LOCK_SHARED or above
    void const* reserved = nullptr;                    // who has RESERVED, PENDING or EXCLUSIVE
    bool pending = false;                              // and waits for the others to leave
    std::vector<std::unique_ptr<std::byte[]>> memory;  // the WAL's index
    std::array<int, SQLITE_SHM_NLOCK> readers{};
    std::array<void const*, SQLITE_SHM_NLOCK> writer{};
};

struct sqlite_files::impl {
    file_layer& files;
    sqlite3_vfs vfs{};
    std::string name;
    std::mutex mutex;
    std::map<std::string, shared_file> open;
    std::optional<io_error> error;

    explicit impl(file_layer& f) : files{f} {}

    int note(io_error e, int otherwise)
    {
        int const code = e.what == io_fault::full ? SQLITE_FULL : otherwise;
        std::lock_guard const lock{mutex};
        if (!error) error = std::move(e);
        return code;
    }
};

namespace {

using shared_state = sqlite_files::impl;

/// What SQLite allocates for each file that a connection opens. `base` comes first.
struct connection_file {
    sqlite3_file base;
    shared_state* of;
    shared_file* node;
    std::string* path;
    int level;  // SQLITE_LOCK_*
    std::uint16_t shm_shared, shm_exclusive;
    bool is_database;
    bool name_unsynced;  // made here, its directory not synced since
    bool removed_on_close;
};

connection_file& self(sqlite3_file* f) { return *reinterpret_cast<connection_file*>(f); }

std::string directory_of(std::string const& path)
{
    auto const slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
}

int on_close(sqlite3_file* f)
{
    auto& c = self(f);
    bool gone = false;
    {
        std::lock_guard const lock{c.of->mutex};
        if (--c.node->users == 0) {
            c.of->open.erase(*c.path);
            gone = true;
        }
    }
    if (gone && c.removed_on_close) (void)c.of->files.remove(*c.path);
    delete c.path;
    return SQLITE_OK;
}

int on_read(sqlite3_file* f, void* into, int amount, sqlite3_int64 offset)
{
    auto& c = self(f);
    std::span const out{static_cast<std::byte*>(into), static_cast<std::size_t>(amount)};
    auto const got = c.node->open->read(static_cast<std::uint64_t>(offset), out);
    if (!got) return c.of->note(got.error(), SQLITE_IOERR_READ);
    if (*got < out.size()) {
        std::fill(out.begin() + static_cast<std::ptrdiff_t>(*got), out.end(), std::byte{});
        return SQLITE_IOERR_SHORT_READ;
    }
    if (c.is_database && out.size() == page_size && offset % page_size == 0) {
        auto const number = static_cast<std::uint32_t>(offset / page_size + 1);
        if (!page_intact(out, number))
            return c.of->note(
                io_error{io_fault::corrupt, *c.path + ", page " + std::to_string(number)},
                SQLITE_IOERR_DATA);
    }
    return SQLITE_OK;
}

int on_write(sqlite3_file* f, void const* from, int amount, sqlite3_int64 offset)
{
    auto& c = self(f);
    bytes_view data{static_cast<std::byte const*>(from), static_cast<std::size_t>(amount)};
    std::array<std::byte, page_size> sealed;
    if (c.is_database && data.size() == page_size && offset % page_size == 0) {
        std::memcpy(sealed.data(), data.data(), page_size);
        seal_page(sealed, static_cast<std::uint32_t>(offset / page_size + 1));
        data = sealed;
    }
    auto const written = c.node->open->write(static_cast<std::uint64_t>(offset), data);
    if (!written) return c.of->note(written.error(), SQLITE_IOERR_WRITE);
    return SQLITE_OK;
}

int on_truncate(sqlite3_file* f, sqlite3_int64 size)
{
    auto& c = self(f);
    auto const done = c.node->open->truncate(static_cast<std::uint64_t>(size));
    return done ? SQLITE_OK : c.of->note(done.error(), SQLITE_IOERR_TRUNCATE);
}

int on_sync(sqlite3_file* f, int)
{
    auto& c = self(f);
    auto const done = c.node->open->sync();
    if (!done) return c.of->note(done.error(), SQLITE_IOERR_FSYNC);
    if (c.name_unsynced) {
        auto const named = c.of->files.sync_directory(directory_of(*c.path));
        if (!named) return c.of->note(named.error(), SQLITE_IOERR_DIR_FSYNC);
        c.name_unsynced = false;
    }
    return SQLITE_OK;
}

int on_size(sqlite3_file* f, sqlite3_int64* out)
{
    auto& c = self(f);
    auto const size = c.node->open->size();
    if (!size) return c.of->note(size.error(), SQLITE_IOERR_FSTAT);
    *out = static_cast<sqlite3_int64>(*size);
    return SQLITE_OK;
}

int on_lock(sqlite3_file* f, int wanted)
{
    auto& c = self(f);
    auto& node = *c.node;
    std::lock_guard const lock{c.of->mutex};
    if (c.level >= wanted) return SQLITE_OK;
    if (c.level == SQLITE_LOCK_NONE) {
        if (node.pending && node.reserved != &c) return SQLITE_BUSY;
        ++node.shared_locks;
        c.level = SQLITE_LOCK_SHARED;
    }
    if (wanted == SQLITE_LOCK_SHARED) return SQLITE_OK;
    if (node.reserved != nullptr && node.reserved != &c) return SQLITE_BUSY;
    node.reserved = &c;
    if (wanted == SQLITE_LOCK_EXCLUSIVE) {
        node.pending = true;
        if (node.shared_locks > 1) {
            c.level = SQLITE_LOCK_PENDING;
            return SQLITE_BUSY;
        }
    }
    c.level = wanted;
    return SQLITE_OK;
}

int on_unlock(sqlite3_file* f, int wanted)
{
    auto& c = self(f);
    auto& node = *c.node;
    std::lock_guard const lock{c.of->mutex};
    if (c.level <= wanted) return SQLITE_OK;
    if (node.reserved == &c) {
        node.reserved = nullptr;
        node.pending = false;
    }
    if (wanted == SQLITE_LOCK_NONE) --node.shared_locks;
    c.level = wanted;
    return SQLITE_OK;
}

int on_reserved(sqlite3_file* f, int* out)
{
    auto& c = self(f);
    std::lock_guard const lock{c.of->mutex};
    *out = c.node->reserved != nullptr ? 1 : 0;
    return SQLITE_OK;
}

int on_control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int on_sector(sqlite3_file*) { return 4096; }
int on_device(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

int on_shm_map(sqlite3_file* f, int region, int size, int extend, void volatile** out)
{
    auto& c = self(f);
    std::lock_guard const lock{c.of->mutex};
    auto& memory = c.node->memory;
    *out = nullptr;
    auto const wanted = static_cast<std::size_t>(region);
    if (memory.size() <= wanted) {
        if (extend == 0) return SQLITE_OK;
        while (memory.size() <= wanted)
            memory.push_back(std::make_unique<std::byte[]>(static_cast<std::size_t>(size)));
    }
    *out = memory[wanted].get();
    return SQLITE_OK;
}

int on_shm_lock(sqlite3_file* f, int first, int count, int flags)
{
    auto& c = self(f);
    auto& node = *c.node;
    std::lock_guard const lock{c.of->mutex};
    auto const begin = static_cast<unsigned>(first), end = begin + static_cast<unsigned>(count);
    auto const bit = [](unsigned i) { return static_cast<std::uint16_t>(1u << i); };
    if ((flags & SQLITE_SHM_UNLOCK) != 0) {
        for (unsigned i = begin; i < end; ++i) {
            if ((c.shm_shared & bit(i)) != 0) --node.readers[i];
            if ((c.shm_exclusive & bit(i)) != 0) node.writer[i] = nullptr;
            c.shm_shared = static_cast<std::uint16_t>(c.shm_shared & ~bit(i));
            c.shm_exclusive = static_cast<std::uint16_t>(c.shm_exclusive & ~bit(i));
        }
        return SQLITE_OK;
    }
    bool const exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
    for (unsigned i = begin; i < end; ++i) {
        if (node.writer[i] != nullptr && node.writer[i] != &c) return SQLITE_BUSY;
        int const own = (c.shm_shared & bit(i)) != 0 ? 1 : 0;
        if (exclusive && node.readers[i] > own) return SQLITE_BUSY;
    }
    for (unsigned i = begin; i < end; ++i) {
        if (exclusive) {
            node.writer[i] = &c;
            c.shm_exclusive = static_cast<std::uint16_t>(c.shm_exclusive | bit(i));
        } else if ((c.shm_shared & bit(i)) == 0) {
            ++node.readers[i];
            c.shm_shared = static_cast<std::uint16_t>(c.shm_shared | bit(i));
        }
    }
    return SQLITE_OK;
}

// A full barrier on both sides of the mutex, which thread checkers understand too.
void on_shm_barrier(sqlite3_file* f)
{
    std::lock_guard const lock{self(f).of->mutex};
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

int on_shm_unmap(sqlite3_file* f, int)
{
    // The index lives as long as the file is open, and is rebuilt when it is opened again.
    return on_shm_lock(f, 0, SQLITE_SHM_NLOCK, SQLITE_SHM_UNLOCK);
}

sqlite3_io_methods const methods{
    2,           on_close,       on_read,      on_write,   on_truncate, on_sync,   on_size,
    on_lock,     on_unlock,      on_reserved,  on_control, on_sector,   on_device, on_shm_map,
    on_shm_lock, on_shm_barrier, on_shm_unmap, nullptr,    nullptr};

shared_state& state_of(sqlite3_vfs* vfs) { return *static_cast<shared_state*>(vfs->pAppData); }

int on_open(sqlite3_vfs* vfs, char const* name, sqlite3_file* f, int flags, int* out_flags)
{
    auto& of = state_of(vfs);
    f->pMethods = nullptr;
    if (name == nullptr) return SQLITE_CANTOPEN;  // temporary files: we keep those in memory
    std::string const path = name;
    std::lock_guard const lock{of.mutex};
    auto found = of.open.find(path);
    bool made = false;
    if (found == of.open.end()) {
        bool const database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
        bool const may_make = (flags & SQLITE_OPEN_CREATE) != 0;
        auto opened = of.files.open(path, open_mode::write);
        if (!opened && opened.error().what == io_fault::missing && may_make) {
            opened = of.files.open(path, open_mode::create);
            made = opened.has_value();
        }
        if (opened && database) {
            opened->reset();
            opened = of.files.open(path, open_mode::own);
        }
        if (!opened) {
            int const code = opened.error().what == io_fault::full ? SQLITE_FULL : SQLITE_CANTOPEN;
            if (!of.error) of.error = opened.error();
            return code;
        }
        found = of.open.emplace(path, shared_file{}).first;
        found->second.open = std::move(*opened);
    }
    ++found->second.users;
    auto* const c = new (f) connection_file{};
    c->base.pMethods = &methods;
    c->of = &of;
    c->node = &found->second;
    c->path = new std::string{path};
    c->is_database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
    c->name_unsynced = made;
    c->removed_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
    if (out_flags != nullptr) *out_flags = flags;
    return SQLITE_OK;
}

int on_delete(sqlite3_vfs* vfs, char const* name, int sync)
{
    auto& of = state_of(vfs);
    auto const removed = of.files.remove(name);
    if (!removed) {
        if (removed.error().what == io_fault::missing) return SQLITE_IOERR_DELETE_NOENT;
        return of.note(removed.error(), SQLITE_IOERR_DELETE);
    }
    if (sync != 0) {
        auto const synced = of.files.sync_directory(directory_of(name));
        if (!synced) return of.note(synced.error(), SQLITE_IOERR_DIR_FSYNC);
    }
    return SQLITE_OK;
}

int on_access(sqlite3_vfs* vfs, char const* name, int, int* out)
{
    auto& of = state_of(vfs);
    auto const opened = of.files.open(name, open_mode::read);
    *out = 0;
    if (opened) {
        auto const size = (*opened)->size();
        *out = size && *size != 0 ? 1 : 0;
    } else if (opened.error().what != io_fault::missing) {
        return of.note(opened.error(), SQLITE_IOERR_ACCESS);
    }
    return SQLITE_OK;
}

int on_full_path(sqlite3_vfs*, char const* name, int size, char* out)
{
    sqlite3_snprintf(size, out, "%s", name);
    return SQLITE_OK;
}

}  // namespace

sqlite_files::sqlite_files(file_layer& files) : impl_{std::make_unique<impl>(files)}
{
    static std::atomic<unsigned> count{0};
    sqlite3_vfs* const system = sqlite3_vfs_find(nullptr);
    impl_->name = "blendr-" + std::to_string(count++);
    auto& vfs = impl_->vfs;
    vfs.iVersion = 2;
    vfs.szOsFile = sizeof(connection_file);
    vfs.mxPathname = 4096;
    vfs.zName = impl_->name.c_str();
    vfs.pAppData = impl_.get();
    vfs.xOpen = on_open;
    vfs.xDelete = on_delete;
    vfs.xAccess = on_access;
    vfs.xFullPathname = on_full_path;
    vfs.xRandomness = system->xRandomness;
    vfs.xSleep = system->xSleep;
    vfs.xCurrentTime = system->xCurrentTime;
    vfs.xCurrentTimeInt64 = system->xCurrentTimeInt64;
    vfs.xGetLastError = [](sqlite3_vfs*, int, char*) { return 0; };
    sqlite3_vfs_register(&vfs, 0);
}

sqlite_files::~sqlite_files() { sqlite3_vfs_unregister(&impl_->vfs); }

char const* sqlite_files::name() const noexcept { return impl_->name.c_str(); }

std::optional<io_error> sqlite_files::take_error()
{
    std::lock_guard const lock{impl_->mutex};
    return std::exchange(impl_->error, std::nullopt);
}

}  // namespace blendr::store
