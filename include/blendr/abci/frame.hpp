// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>

namespace blendr::abci {

/// The most bytes that a message may have unless options say otherwise: a full block with room beside it.
inline constexpr std::size_t frame_bytes_max_default = std::size_t{64} << 20;

/// Why a stream of frames cannot be read on: where the next frame begins is unknown.
enum class frame_fault : std::uint8_t {
    broken_length = 1,  ///< no varint of at most ten bytes, or not the shortest one
    oversize = 2,       ///< longer than this side takes
};

/// A sentence for people.
constexpr std::string_view message(frame_fault why) noexcept
{
    switch (why) {
    case frame_fault::broken_length:
        return "the length before a message is no varint";
    case frame_fault::oversize:
        return "a message is longer than this node takes";
    }
    return "unknown fault of a frame";
}

/// Takes messages out of a stream in which each stands behind its length, an unsigned varint.
///
/// Bytes come in any pieces. Room is made for what came, never for what a length promises. After a
/// fault it stays at fault.
class frame_reader {
public:
    explicit frame_reader(std::size_t bytes_max = frame_bytes_max_default) : bytes_max_{bytes_max}
    {}

    /// Bytes as they came. Views that `next` gave out are void afterwards.
    void feed(bytes_view raw)
    {
        held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(begin_));
        begin_ = 0;
        held_.insert(held_.end(), raw.begin(), raw.end());
    }

    /// The next whole message, nothing when more bytes are needed.
    result<std::optional<bytes_view>, frame_fault> next()
    {
        std::uint64_t size = 0;
        for (std::size_t i = 0; begin_ + i < held_.size(); ++i) {
            auto const b = std::to_integer<std::uint64_t>(held_[begin_ + i]);
            if (i == 9 && b > 1) return fail{frame_fault::broken_length};
            size |= (b & 0x7f) << (7 * i);
            if (b >= 0x80) continue;
            if (i > 0 && b == 0) return fail{frame_fault::broken_length};
            if (size > bytes_max_) return fail{frame_fault::oversize};
            if (held_.size() - begin_ - (i + 1) < size) return std::optional<bytes_view>{};
            bytes_view const whole{held_.data() + begin_ + i + 1, size};
            begin_ += i + 1 + size;
            return std::optional{whole};
        }
        return std::optional<bytes_view>{};
    }

    /// Bytes of a message that is not whole yet.
    std::size_t waiting() const noexcept { return held_.size() - begin_; }

private:
    std::size_t bytes_max_;
    bytes held_{};
    std::size_t begin_ = 0;
};

/// Writes the length of a message of that many bytes; the message goes behind it.
inline void append_length(bytes& out, std::size_t size)
{
    for (; size >= 0x80; size >>= 7) out.push_back(static_cast<std::byte>(size | 0x80));
    out.push_back(static_cast<std::byte>(size));
}

inline void append_frame(bytes& out, bytes_view message)
{
    append_length(out, message.size());
    out.insert(out.end(), message.begin(), message.end());
}

}  // namespace blendr::abci
