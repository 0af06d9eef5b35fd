// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <utility>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>

#include <blendr/work/error.hpp>

namespace blendr::work {

/// What of a job is done, in a file that is only ever appended to. A record that was cut off or damaged ends
/// what counts: the units behind it are done again, nothing else is lost. One process at a time.
class checkpoint {
public:
    /// Opens it, or begins one. Refuses a file of another job, one in use, and one that is none.
    static result<checkpoint, problem> open(std::filesystem::path const& file,
                                            hash256 const& job_identity);

    checkpoint(checkpoint&& other) noexcept;
    checkpoint& operator=(checkpoint&& other) noexcept;
    ~checkpoint();

    std::size_t size() const noexcept { return done_.size(); }

    /// The result of a unit; null when it is not done, or was saved when fewer had to agree on it.
    bytes const* find(std::uint32_t stage, std::uint32_t unit, std::uint32_t agreed = 1) const;

    /// Keeps a result that so many agreed on. After a failure nothing more can be saved.
    result<nothing, problem> save(std::uint32_t stage, std::uint32_t unit, bytes_view result,
                                  std::uint32_t agreed = 1);

    /// What was saved survives a power cut from here on.
    result<nothing, problem> sync();

private:
    checkpoint() = default;

    int file_ = -1;
    bool broken_ = false;
    std::filesystem::path path_;
    struct kept {
        std::uint32_t agreed{};
        bytes result{};
    };
    std::map<std::pair<std::uint32_t, std::uint32_t>, kept> done_;
};

}  // namespace blendr::work
