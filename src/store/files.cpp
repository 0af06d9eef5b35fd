// SPDX-License-Identifier: Apache-2.0
#include <blendr/store/files.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace blendr::store {
namespace {

fail<io_error> failed(std::string where)
{
    int const code = errno;
    auto what = io_fault::failed;
    switch (code) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        what = io_fault::full;
        break;
    case EACCES:
    case EPERM:
    case EROFS:
        what = io_fault::denied;
        break;
    case ENOENT:
    case ENOTDIR:
        what = io_fault::missing;
        break;
    default:
        break;
    }
    return fail{io_error{what, where + " (" + std::strerror(code) + ")"}};
}

class descriptor {
public:
    explicit descriptor(int fd) noexcept : fd_{fd} {}
    descriptor(descriptor const&) = delete;
    descriptor& operator=(descriptor const&) = delete;
    ~descriptor()
    {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const noexcept { return fd_; }

private:
    int fd_;
};

/// Opens again when a signal interrupts.
int open_file(std::string const& path, int flags)
{
    for (;;) {
        int const fd = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
        if (fd >= 0 || errno != EINTR) return fd;
    }
}

class system_file final : public file {
public:
    system_file(std::string path, int fd) : path_{std::move(path)}, fd_{fd} {}

    result<std::size_t, io_error> read(std::uint64_t offset,
                                       std::span<std::byte> into) const override
    {
        std::size_t done = 0;
        while (done < into.size()) {
            ssize_t const got = ::pread(fd_.get(), into.data() + done, into.size() - done,
                                        static_cast<off_t>(offset + done));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return failed(path_);
            if (got == 0) break;
            done += static_cast<std::size_t>(got);
        }
        return done;
    }

    result<nothing, io_error> write(std::uint64_t offset, bytes_view data) override
    {
        while (!data.empty()) {
            ssize_t const put =
                ::pwrite(fd_.get(), data.data(), data.size(), static_cast<off_t>(offset));
            if (put < 0 && errno == EINTR) continue;
            if (put < 0) return failed(path_);
            offset += static_cast<std::uint64_t>(put);
            data = data.subspan(static_cast<std::size_t>(put));
        }
        return nothing{};
    }

    result<nothing, io_error> truncate(std::uint64_t size) override
    {
        while (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0)
            if (errno != EINTR) return failed(path_);
        return nothing{};
    }

    result<nothing, io_error> sync() override
    {
        if (::fdatasync(fd_.get()) != 0) return failed(path_);
        return nothing{};
    }

    result<std::uint64_t, io_error> size() const override
    {
        struct stat found{};
        if (::fstat(fd_.get(), &found) != 0) return failed(path_);
        return static_cast<std::uint64_t>(found.st_size);
    }

private:
    std::string path_;
    descriptor fd_;
};

class system_lock final : public directory_lock {
public:
    explicit system_lock(int fd) : fd_{fd} {}

private:
    descriptor fd_;  // the lock goes with it, also when the process is killed
};

/// Takes the whole file, in the way that SQLite's own tools respect.
bool own(int fd)
{
    struct flock whole{};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
#if defined(F_OFD_SETLK)
    return ::fcntl(fd, F_OFD_SETLK, &whole) == 0;
#else
    return ::fcntl(fd, F_SETLK, &whole) == 0;
#endif
}

class system_layer final : public file_layer {
public:
    result<std::unique_ptr<file>, io_error> open(std::string const& path, open_mode mode) override
    {
        int const flags = mode == open_mode::read    ? O_RDONLY
                          : mode == open_mode::write ? O_RDWR
                                                     : O_RDWR | O_CREAT;
        int const fd = open_file(path, flags);
        if (fd < 0) return failed(path);
        auto opened = std::make_unique<system_file>(path, fd);
        if (mode == open_mode::own && !own(fd)) return fail{io_error{io_fault::in_use, path}};
        return opened;
    }

    result<nothing, io_error> remove(std::string const& path) override
    {
        if (::unlink(path.c_str()) != 0) return failed(path);
        return nothing{};
    }

    result<nothing, io_error> rename(std::string const& from, std::string const& to) override
    {
        if (::rename(from.c_str(), to.c_str()) != 0) return failed(to);
        return nothing{};
    }

    result<std::vector<std::string>, io_error> list(std::string const& directory) override
    {
        DIR* const open = ::opendir(directory.c_str());
        if (open == nullptr) return failed(directory);
        std::vector<std::string> names;
        while (dirent const* const entry = ::readdir(open)) {
            std::string name = entry->d_name;
            struct stat found{};
            if (::stat((directory + "/" + name).c_str(), &found) == 0 && S_ISREG(found.st_mode))
                names.push_back(std::move(name));
        }
        ::closedir(open);
        std::sort(names.begin(), names.end());
        return names;
    }

    result<nothing, io_error> make_directory(std::string const& directory) override
    {
        for (std::size_t at = 1; at <= directory.size(); ++at) {
            if (at != directory.size() && directory[at] != '/') continue;
            auto const part = directory.substr(0, at);
            if (::mkdir(part.c_str(), 0755) == 0) {
                auto const above = part.rfind('/');
                if (above == std::string::npos) continue;
                if (above != 0) BLENDR_CHECK(sync_directory(part.substr(0, above)));
            } else if (errno != EEXIST) {
                return failed(part);
            }
        }
        return nothing{};
    }

    result<nothing, io_error> sync_directory(std::string const& directory) override
    {
        descriptor const fd{open_file(directory, O_RDONLY | O_DIRECTORY)};
        if (fd.get() < 0 || ::fsync(fd.get()) != 0) return failed(directory);
        return nothing{};
    }

    result<std::unique_ptr<directory_lock>, io_error> lock(std::string const& directory) override
    {
        auto const path = directory + "/LOCK";
        int const fd = open_file(path, O_RDWR | O_CREAT);
        if (fd < 0) return failed(path);
        auto held = std::make_unique<system_lock>(fd);
        if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
            if (errno == EWOULDBLOCK) return fail{io_error{io_fault::in_use, directory}};
            return failed(path);
        }
        return held;
    }
};

}  // namespace

file_layer& system_files()
{
    static system_layer layer;
    return layer;
}

}  // namespace blendr::store
