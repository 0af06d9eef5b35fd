// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/state/store.hpp>
#include <blendr/store/files.hpp>

namespace blendr::node {

using state::io_error;
using state::io_fault;

/// Records in one file, in the order in which they were appended, each with a height ("tag") that never
/// falls. What was synced is there after a crash; a torn end is cut off; damage before that is an error.
///
///     record = checksum u32 ‖ length u32 ‖ tag u64 ‖ synced u64 ‖ checksum of the payload u32 ‖ payload
///
/// `synced` is how long the file was known to be durable when the record was written: what a later record
/// calls durable and does not read was damaged, not torn. One thread at a time.
class record_file {
public:
    static constexpr std::size_t record_max = std::size_t{24} << 20;
    static constexpr std::size_t head_size = 28;

    using visitor = std::function<void(height tag, bytes_view record)>;

    /// Reads what is there, oldest first.
    static result<std::unique_ptr<record_file>, io_error>
    open(store::file_layer& files, std::string directory, std::string name, visitor const& each);

    result<nothing, io_error> append(height tag, bytes_view record);
    /// Nothing happens when nothing was appended since.
    result<nothing, io_error> sync();

    /// Records with a tag below may go. They do once they are most of the file: what is left is written
    /// to a new one, which then takes the old one's place.
    result<nothing, io_error> trim(height below);

    std::size_t size() const noexcept { return records_.size(); }
    std::uint64_t bytes_held() const noexcept { return end_; }

private:
    struct place {
        height tag{};
        std::uint64_t at{};
        std::uint32_t size{};  // with its head
    };

    record_file(store::file_layer& files, std::string directory, std::string name)
        : files_{files},
          directory_{std::move(directory)},
          name_{std::move(name)}
    {}
    std::string path() const { return directory_ + '/' + name_; }
    result<nothing, io_error> load(visitor const& each);
    result<nothing, io_error> rewrite();

    store::file_layer& files_;
    std::string directory_;
    std::string name_;
    std::unique_ptr<store::file> file_{};
    std::deque<place> records_{};
    std::uint64_t end_ = 0;
    std::uint64_t synced_ = 0;
    std::uint64_t dead_ = 0;
};

}  // namespace blendr::node
