// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>
#include <blendr/net/error.hpp>

namespace blendr::net {

// A frame is 4 bytes in the clear (24 bits of the length that follows, lowest byte first; then the lane
// in two bits and, in the highest, whether a message ends here), then a fragment of a message and a tag of
// 16 bytes. The clear part is authenticated too. Frames are numbered by the cipher's nonce, so none can be
// left out, repeated, moved or sent back. Every 2^20 frames each side hashes its key onward.

/// How frames are encrypted. Each side says what it can; AES only where both have hardware for it.
enum class cipher : std::uint8_t {
    xchacha20_poly1305 = 0,
    aes256_gcm = 1,
};

/// Whether this machine has AES and carry-less multiplication in hardware.
bool has_aes() noexcept;

inline constexpr std::size_t fragment_max = std::size_t{64} << 10;
inline constexpr std::size_t frame_head = 4;
inline constexpr std::size_t frame_tag = 16;
inline constexpr std::size_t frame_max = frame_head + fragment_max + frame_tag;

/// 0 to 2 are the lanes of `consensus::lane`; what the network itself has to say goes on 3.
inline constexpr std::uint8_t control_lane = 3;

/// One direction's key, kept out of sight and wiped with the object.
class frame_key {
public:
    frame_key(cipher how, std::span<std::byte const, 32> key);
    ~frame_key();
    frame_key(frame_key&&) noexcept;
    frame_key& operator=(frame_key&&) noexcept;

    /// Writes a frame to `out`, which has room for frame_head + fragment.size() + frame_tag bytes.
    /// `fragment` has at most fragment_max bytes. Returns how many bytes it took.
    std::size_t seal(std::uint8_t lane, bool last, bytes_view fragment, std::byte* out) noexcept;

    /// Opens a whole frame in place: its fragment. False when it is not the next one of this key.
    bool open(std::span<std::byte> frame) noexcept;

    cipher how() const noexcept;

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// A part of a message. The view lasts until the reader is used again.
struct fragment {
    std::uint8_t lane{};
    bool last{};
    bytes_view data{};
};

/// Cuts a stream into frames in one buffer of a fixed size, and opens them in place.
class frame_reader {
public:
    static constexpr std::size_t buffer_size = 4 * frame_max;

    explicit frame_reader(frame_key key);

    /// Where the stream's next bytes go: at least frame_max bytes of room after `next` said nothing.
    std::span<std::byte> room();
    void took(std::size_t count) noexcept { end_ += count; }

    /// The next fragment; nothing while bytes are missing. After an error the stream is of no use.
    result<std::optional<fragment>, error> next();

private:
    frame_key key_;
    std::unique_ptr<std::byte[]> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

/// How long a message may be, by lane.
struct message_limits {
    std::array<std::size_t, 4> bytes_max{std::size_t{20} << 20, std::size_t{1} << 20,
                                         std::size_t{20} << 20, std::size_t{16} << 10};
};

/// Puts fragments together. What fits one frame is never copied.
class assembler {
public:
    explicit assembler(message_limits const& limits = {}) : limits_{limits} {}

    /// A whole message when `part` was its last; the view lasts until the next call.
    result<std::optional<bytes_view>, error> add(fragment const& part);

    /// Bytes of unfinished messages.
    std::size_t held() const noexcept;

private:
    message_limits limits_;
    std::array<bytes, 4> waiting_{};
    bytes done_;
};

}  // namespace blendr::net
