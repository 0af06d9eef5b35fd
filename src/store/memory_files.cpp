// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include <blendr/store/files.hpp>

namespace blendr::store {
namespace {

/// A write or truncation that no sync covers yet.
struct pending_write {
    std::uint64_t offset;
    bytes data;
    bool cuts;    // truncates to `offset` instead of writing
    bool doomed;  // a sync of it failed: no later one brings it back
};

struct inode {
    bytes seen;     // what readers see
    bytes durable;  // what a crash cannot take
    std::vector<pending_write> pending;

    static void put(bytes& to, pending_write const& w, std::size_t size)
    {
        if (w.cuts) {
            to.resize(w.offset);
            return;
        }
        if (size == 0) return;
        if (to.size() < w.offset + size) to.resize(w.offset + size);
        std::memcpy(to.data() + w.offset, w.data.data(), size);
    }
};

using names = std::map<std::string, std::shared_ptr<inode>>;

/// A change of names that no sync of the directory covers yet.
struct pending_name {
    std::string directory;
    std::string path;  // gets `to`; null removes it
    std::shared_ptr<inode> to;
    std::string also_gone;  // the old name of a rename
};

std::string directory_of(std::string const& path)
{
    auto const slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash);
}

}  // namespace

struct memory_files::disk {
    std::mutex mutex;
    names seen, durable;
    std::vector<pending_name> pending;
    std::set<std::string> directories, locked;
    std::uint64_t operations = 0, generation = 0;
    std::map<std::uint64_t, failure> planned;
    bool off = false, full = false, read_only = false;
    rng torn{1};

    /// Counts an operation and says how it fails, if it does.
    std::optional<failure> next()
    {
        auto const planned_here = planned.find(operations++);
        if (planned_here == planned.end()) return std::nullopt;
        if (planned_here->second == failure::power) off = true;
        if (planned_here->second == failure::full_after) full = true;
        return planned_here->second;
    }

    result<nothing, io_error> change(std::string const& path)
    {
        if (off) return fail{io_error{io_fault::failed, path + " (the power is off)"}};
        if (read_only) return fail{io_error{io_fault::denied, path}};
        auto const how = next();
        if (how == failure::power || how == failure::io)
            return fail{io_error{io_fault::failed, path + " (planned)"}};
        if (full || how == failure::full) return fail{io_error{io_fault::full, path}};
        return nothing{};
    }
};

namespace {

class memory_file final : public file {
public:
    memory_file(std::shared_ptr<memory_files::disk> on, std::shared_ptr<inode> of, std::string path,
                bool writes)
        : disk_{std::move(on)},
          node_{std::move(of)},
          path_{std::move(path)},
          generation_{disk_->generation},
          writes_{writes}
    {}

    result<std::size_t, io_error> read(std::uint64_t offset,
                                       std::span<std::byte> into) const override
    {
        std::lock_guard const lock{disk_->mutex};
        BLENDR_CHECK(usable());
        auto const& all = node_->seen;
        if (offset >= all.size()) return std::size_t{0};
        std::size_t const count = std::min<std::size_t>(into.size(), all.size() - offset);
        if (count != 0) std::memcpy(into.data(), all.data() + offset, count);
        return count;
    }

    result<nothing, io_error> write(std::uint64_t offset, bytes_view data) override
    {
        std::lock_guard const lock{disk_->mutex};
        BLENDR_CHECK(usable());
        if (disk_->read_only || !writes_) return fail{io_error{io_fault::denied, path_}};
        auto const how = disk_->next();
        pending_write w{offset, to_bytes(data), false, false};
        std::size_t arrives = data.size();
        if (how || disk_->full) arrives = disk_->torn.below(data.size() + 1);
        if (how == memory_files::failure::io) arrives = 0;
        w.data.resize(arrives);
        inode::put(node_->seen, w, arrives);
        if (arrives != 0) node_->pending.push_back(std::move(w));
        if (how == memory_files::failure::power || how == memory_files::failure::io)
            return fail{io_error{io_fault::failed, path_ + " (planned)"}};
        if (how || disk_->full) return fail{io_error{io_fault::full, path_}};
        return nothing{};
    }

    result<nothing, io_error> truncate(std::uint64_t size) override
    {
        std::lock_guard const lock{disk_->mutex};
        BLENDR_CHECK(usable());
        BLENDR_CHECK(disk_->change(path_));
        pending_write w{size, {}, true, false};
        inode::put(node_->seen, w, 0);
        node_->pending.push_back(std::move(w));
        return nothing{};
    }

    result<nothing, io_error> sync() override
    {
        std::lock_guard const lock{disk_->mutex};
        BLENDR_CHECK(usable());
        auto const how = disk_->next();
        if (how == memory_files::failure::io || how == memory_files::failure::power) {
            for (auto& w : node_->pending) w.doomed = true;
            return fail{io_error{io_fault::failed, path_ + " (planned)"}};
        }
        std::vector<pending_write> left;
        for (auto& w : node_->pending) {
            if (w.doomed)
                left.push_back(std::move(w));
            else
                inode::put(node_->durable, w, w.data.size());
        }
        node_->pending = std::move(left);
        return nothing{};
    }

    result<std::uint64_t, io_error> size() const override
    {
        std::lock_guard const lock{disk_->mutex};
        BLENDR_CHECK(usable());
        return node_->seen.size();
    }

private:
    result<nothing, io_error> usable() const
    {
        if (disk_->off || generation_ != disk_->generation)
            return fail{io_error{io_fault::failed, path_ + " (the power went off)"}};
        return nothing{};
    }

    std::shared_ptr<memory_files::disk> disk_;
    std::shared_ptr<inode> node_;
    std::string path_;
    std::uint64_t generation_;
    bool writes_;
};

class memory_lock final : public directory_lock {
public:
    memory_lock(std::shared_ptr<memory_files::disk> on, std::string of)
        : disk_{std::move(on)},
          generation_{disk_->generation},
          of_{std::move(of)}
    {}
    ~memory_lock() override
    {
        std::lock_guard const lock{disk_->mutex};
        if (generation_ == disk_->generation) disk_->locked.erase(of_);
    }

private:
    std::shared_ptr<memory_files::disk> disk_;
    std::uint64_t generation_;
    std::string of_;
};

}  // namespace

memory_files::memory_files() : disk_{std::make_shared<disk>()} {}
memory_files::~memory_files() = default;

result<std::unique_ptr<file>, io_error> memory_files::open(std::string const& path, open_mode mode)
{
    std::lock_guard const lock{disk_->mutex};
    if (disk_->off) return fail{io_error{io_fault::failed, path + " (the power is off)"}};
    auto found = disk_->seen.find(path);
    if (found == disk_->seen.end()) {
        bool const makes = mode == open_mode::create || mode == open_mode::own;
        if (!makes || !disk_->directories.contains(directory_of(path)))
            return fail{io_error{io_fault::missing, path}};
        BLENDR_CHECK(disk_->change(path));
        found = disk_->seen.emplace(path, std::make_shared<inode>()).first;
        disk_->pending.push_back({directory_of(path), path, found->second, {}});
    }
    if (mode != open_mode::read && disk_->read_only) return fail{io_error{io_fault::denied, path}};
    return std::make_unique<memory_file>(disk_, found->second, path, mode != open_mode::read);
}

result<nothing, io_error> memory_files::remove(std::string const& path)
{
    std::lock_guard const lock{disk_->mutex};
    if (!disk_->off && !disk_->seen.contains(path)) return fail{io_error{io_fault::missing, path}};
    BLENDR_CHECK(disk_->change(path));
    disk_->seen.erase(path);
    disk_->pending.push_back({directory_of(path), path, nullptr, {}});
    return nothing{};
}

result<nothing, io_error> memory_files::rename(std::string const& from, std::string const& to)
{
    std::lock_guard const lock{disk_->mutex};
    BLENDR_CHECK(disk_->change(to));
    auto const found = disk_->seen.find(from);
    if (found == disk_->seen.end()) return fail{io_error{io_fault::missing, from}};
    auto const node = found->second;
    disk_->seen.erase(found);
    disk_->seen[to] = node;
    disk_->pending.push_back({directory_of(to), to, node, from});
    return nothing{};
}

result<std::vector<std::string>, io_error> memory_files::list(std::string const& directory)
{
    std::lock_guard const lock{disk_->mutex};
    if (disk_->off) return fail{io_error{io_fault::failed, directory + " (the power is off)"}};
    if (!disk_->directories.contains(directory))
        return fail{io_error{io_fault::missing, directory}};
    std::vector<std::string> out;
    for (auto const& [path, node] : disk_->seen)
        if (directory_of(path) == directory) out.push_back(path.substr(directory.size() + 1));
    return out;
}

result<nothing, io_error> memory_files::make_directory(std::string const& directory)
{
    std::lock_guard const lock{disk_->mutex};
    if (disk_->directories.contains(directory)) return nothing{};
    BLENDR_CHECK(disk_->change(directory));
    for (std::string at = directory; !at.empty(); at = directory_of(at))
        disk_->directories.insert(at);
    return nothing{};
}

result<nothing, io_error> memory_files::sync_directory(std::string const& directory)
{
    std::lock_guard const lock{disk_->mutex};
    BLENDR_CHECK(disk_->change(directory));
    std::vector<pending_name> left;
    for (auto& change : disk_->pending) {
        if (change.directory != directory) {
            left.push_back(std::move(change));
            continue;
        }
        if (!change.also_gone.empty()) disk_->durable.erase(change.also_gone);
        if (change.to)
            disk_->durable[change.path] = change.to;
        else
            disk_->durable.erase(change.path);
    }
    disk_->pending = std::move(left);
    return nothing{};
}

result<std::unique_ptr<directory_lock>, io_error> memory_files::lock(std::string const& directory)
{
    std::lock_guard const lock{disk_->mutex};
    if (disk_->off) return fail{io_error{io_fault::failed, directory + " (the power is off)"}};
    if (disk_->read_only) return fail{io_error{io_fault::denied, directory + "/LOCK"}};
    if (!disk_->locked.insert(directory).second) return fail{io_error{io_fault::in_use, directory}};
    return std::make_unique<memory_lock>(disk_, directory);
}

std::uint64_t memory_files::operations() const
{
    std::lock_guard const lock{disk_->mutex};
    return disk_->operations;
}

void memory_files::fail_at(std::uint64_t at, failure what)
{
    std::lock_guard const lock{disk_->mutex};
    disk_->planned[at] = what;
}

void memory_files::crash(rng& random)
{
    std::lock_guard const lock{disk_->mutex};
    // Names: a journal keeps a beginning of what happened.
    std::size_t const kept = random.below(disk_->pending.size() + 1);
    for (std::size_t i = 0; i < kept; ++i) {
        auto const& change = disk_->pending[i];
        if (!change.also_gone.empty()) disk_->durable.erase(change.also_gone);
        if (change.to)
            disk_->durable[change.path] = change.to;
        else
            disk_->durable.erase(change.path);
    }
    disk_->pending.clear();
    // Contents: each write arrives whole, in part or not at all, whatever came before or after.
    for (auto const& [path, node] : disk_->durable) {
        for (auto const& w : node->pending) {
            auto const fate = w.doomed ? 0 : random.below(3);
            if (fate == 0) continue;
            inode::put(node->durable, w,
                       fate == 1 ? w.data.size() : random.below(w.data.size() + 1));
        }
        node->pending.clear();
        node->seen = node->durable;
    }
    disk_->seen = disk_->durable;
    disk_->locked.clear();
    disk_->planned.clear();
    disk_->off = disk_->full = false;
    disk_->torn = random.fork(1);
    ++disk_->generation;
}

bool memory_files::flip(std::string const& path, std::uint64_t byte, unsigned bit)
{
    std::lock_guard const lock{disk_->mutex};
    auto const found = disk_->seen.find(path);
    if (found == disk_->seen.end() || byte >= found->second->seen.size()) return false;
    auto const mask = static_cast<std::byte>(1u << bit % 8);
    found->second->seen[byte] ^= mask;
    if (byte < found->second->durable.size()) found->second->durable[byte] ^= mask;
    return true;
}

bool memory_files::cut(std::string const& path, std::uint64_t size)
{
    std::lock_guard const lock{disk_->mutex};
    auto const found = disk_->seen.find(path);
    if (found == disk_->seen.end() || size > found->second->seen.size()) return false;
    found->second->pending.clear();
    found->second->seen.resize(size);
    found->second->durable = found->second->seen;
    return true;
}

void memory_files::make_read_only(bool on)
{
    std::lock_guard const lock{disk_->mutex};
    disk_->read_only = on;
}

}  // namespace blendr::store
