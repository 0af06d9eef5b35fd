// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>

#include <blendr/compute/error.hpp>

namespace blendr::compute {

/// One instruction of a module, seen in place. Words past its end read as 0.
class instruction {
public:
    instruction(std::uint32_t index, std::span<std::uint32_t const> words, bool typed,
                bool results) noexcept
        : words_{words},
          index_{index},
          typed_{typed},
          results_{results}
    {}

    std::uint32_t index() const noexcept { return index_; }
    std::uint16_t opcode() const noexcept { return static_cast<std::uint16_t>(word(0)); }
    std::span<std::uint32_t const> words() const noexcept { return words_; }
    std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(words_.size()); }
    std::uint32_t word(std::size_t i) const noexcept { return i < words_.size() ? words_[i] : 0; }

    /// The id of the result's type, and of the result; 0 when it has none.
    std::uint32_t type() const noexcept { return typed_ ? word(1) : 0; }
    std::uint32_t result() const noexcept { return results_ ? word(typed_ ? 2 : 1) : 0; }

private:
    std::span<std::uint32_t const> words_;
    std::uint32_t index_;
    bool typed_;
    bool results_;
};

/// A SPIR-V module cut into instructions, each of a known opcode and long enough for it, ids within
/// the bound and defined once, result types defined before. Nothing else has been checked.
class spirv_module {
public:
    static constexpr std::size_t bytes_max = 256 * 1024;
    static constexpr std::uint32_t ids_max = 65'536;
    static constexpr std::size_t header_words = 5;

    /// Takes little-endian SPIR-V 1.3 to 1.6. Time and memory are linear in the bytes and the ids.
    static result<spirv_module, refusal> parse(bytes_view raw);

    std::span<std::uint32_t const> words() const noexcept { return words_; }
    std::uint32_t version() const noexcept { return words_[1]; }
    std::uint32_t bound() const noexcept { return words_[3]; }

    std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(starts_.size()); }
    /// Precondition: i < size().
    instruction operator[](std::uint32_t i) const noexcept;

    /// Where an id is defined: an instruction's index, or `refusal::nowhere`.
    std::uint32_t definition(std::uint32_t id) const noexcept
    {
        return id < defined_.size() ? defined_[id] : refusal::nowhere;
    }

private:
    std::vector<std::uint32_t> words_;
    std::vector<std::uint32_t> starts_;
    std::vector<std::uint32_t> defined_;
};

}  // namespace blendr::compute
