// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>

#include <blendr/work/error.hpp>

namespace blendr::work {

/// What of a job is done, in a file that is only ever appended to. A record that was cut off or damaged ends
/// what counts: the units behind it are done again, nothing else is lost. Results stay on disk until they are asked
/// for, so a file of any size takes little memory. One process at a time.
class checkpoint {
public:
    static constexpr std::uint64_t result_bytes_max = std::uint64_t{1} << 30;

    /// Opens it, or begins one. Refuses a file of another job, one in use, and one that is none.
    static result<checkpoint, problem> open(std::filesystem::path const& file,
                                            hash256 const& job_identity);

    checkpoint(checkpoint&& other) noexcept;
    checkpoint& operator=(checkpoint&& other) noexcept;
    ~checkpoint();

    std::size_t size() const noexcept { return done_.size(); }

    /// The result of a unit; nothing when it is not done, was saved when fewer had to agree on it, or can no longer be
    /// read.
    std::optional<bytes> find(std::uint32_t stage, std::uint32_t unit,
                              std::uint32_t agreed = 1) const;

    /// Keeps a result that so many agreed on. After a failure, of a disk that is full for one, nothing more can be
    /// saved; what was, is still there.
    result<nothing, problem> save(std::uint32_t stage, std::uint32_t unit, bytes_view result,
                                  std::uint32_t agreed = 1);

    /// What was saved survives a power cut from here on.
    result<nothing, problem> sync();

private:
    /// Where a record begins, how long its result is, and how many agreed on it.
    struct record {
        std::uint64_t at = 0, bytes = 0;
        std::uint32_t agreed = 0;
    };

    checkpoint() = default;

    int file_ = -1;
    bool broken_ = false;
    std::uint64_t end_ = 0;  ///< of what counts
    std::filesystem::path path_;
    std::map<std::pair<std::uint32_t, std::uint32_t>, record> done_;
};

}  // namespace blendr::work
