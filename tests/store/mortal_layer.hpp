// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <blendr/store/files.hpp>

namespace blendr::test {

using namespace blendr::store;

/// The system's files, in a process that kills itself at its n-th change, in the middle of a write too.
class mortal_layer final : public file_layer {
public:
    explicit mortal_layer(std::uint64_t lives) : left_{static_cast<std::int64_t>(lives)} {}

    class mortal_file final : public file {
    public:
        mortal_file(mortal_layer& of, std::unique_ptr<file> under)
            : of_{of},
              under_{std::move(under)}
        {}
        result<std::size_t, io_error> read(std::uint64_t at, std::span<std::byte> to) const override
        {
            return under_->read(at, to);
        }
        result<nothing, io_error> write(std::uint64_t at, bytes_view data) override
        {
            if (of_.last()) {
                (void)under_->write(at, data.first(data.size() / 2));
                die();
            }
            return under_->write(at, data);
        }
        result<nothing, io_error> truncate(std::uint64_t size) override
        {
            of_.live();
            return under_->truncate(size);
        }
        result<nothing, io_error> sync() override
        {
            of_.live();
            return under_->sync();
        }
        result<std::uint64_t, io_error> size() const override { return under_->size(); }

    private:
        mortal_layer& of_;
        std::unique_ptr<file> under_;
    };

    [[noreturn]] static void die()
    {
        ::kill(::getpid(), SIGKILL);
        for (;;) ::pause();
    }
    bool last() { return left_.fetch_sub(1) == 0; }
    void live()
    {
        if (last()) die();
    }

    result<std::unique_ptr<file>, io_error> open(std::string const& path, open_mode mode) override
    {
        if (mode != open_mode::read) live();
        BLENDR_TRY(auto under, system_files().open(path, mode));
        return std::make_unique<mortal_file>(*this, std::move(under));
    }
    result<nothing, io_error> remove(std::string const& path) override
    {
        live();
        return system_files().remove(path);
    }
    result<nothing, io_error> rename(std::string const& from, std::string const& to) override
    {
        live();
        return system_files().rename(from, to);
    }
    result<std::vector<std::string>, io_error> list(std::string const& directory) override
    {
        return system_files().list(directory);
    }
    result<nothing, io_error> make_directory(std::string const& directory) override
    {
        return system_files().make_directory(directory);
    }
    result<nothing, io_error> sync_directory(std::string const& directory) override
    {
        live();
        return system_files().sync_directory(directory);
    }
    result<std::unique_ptr<directory_lock>, io_error> lock(std::string const& directory) override
    {
        return system_files().lock(directory);
    }

private:
    std::atomic<std::int64_t> left_;
};

}  // namespace blendr::test
