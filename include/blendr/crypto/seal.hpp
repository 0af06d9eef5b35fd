// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/crypto/sealing_key.hpp>

namespace blendr::crypto {

// Sealed data is a head (magic, version, a commitment to the content key, a stream header) and chunks.
// Each chunk carries in the clear its number, its size and whether it is the last, then the
// encrypted bytes (libsodium's secretstream: XChaCha20-Poly1305, each chunk authenticated together
// with all before it). All chunks but the last hold `chunk_size` bytes, so data of one size has one shape.

/// The most that one chunk holds.
inline constexpr std::size_t chunk_size = std::size_t{64} << 10;
/// How many bytes the head takes, and each chunk beside its data.
inline constexpr std::size_t sealed_head_size = 5 + 32 + 24;
inline constexpr std::size_t sealed_chunk_extra = 8 + 17;

/// How many bytes `size` bytes take when they are sealed.
constexpr std::uint64_t sealed_size(std::uint64_t size) noexcept
{
    auto const chunks = size == 0 ? 1 : (size - 1) / chunk_size + 1;
    return sealed_head_size + size + chunks * sealed_chunk_extra;
}

/// Seals a stream of any length in constant memory. What it appends to `out` is the caller's to write
/// and clear. One writer seals one stream.
class seal_writer {
public:
    explicit seal_writer(content_key const& key);
    ~seal_writer();
    seal_writer(seal_writer&&) = default;
    seal_writer& operator=(seal_writer&&) = delete;

    void write(bytes_view data, bytes& out);
    /// The last chunk. Nothing may be written after it; without it the stream counts as truncated.
    void finish(bytes& out);

private:
    void chunk(bytes_view data, bool last, bytes& out);

    secret state_;
    bytes head_;
    bytes waiting_;  // up to one chunk: whether it is the last is known only at the end
    std::uint32_t next_ = 0;
    bool finished_ = false;
};

/// Opens a stream in constant memory. It appends only what is authentic, chunk by chunk: that nothing
/// is missing at the end is certain only once `finish` succeeds, so act on the whole, not on a part.
/// After an error it repeats that error.
class seal_reader {
public:
    explicit seal_reader(content_key const& key);

    result<nothing, seal_error> read(bytes_view sealed, bytes& out);
    /// Says whether the stream ended where its last chunk did.
    result<nothing, seal_error> finish();

private:
    std::optional<seal_error> step(bytes_view& sealed, bytes& out);
    std::optional<seal_error> head();
    std::optional<seal_error> frame();
    std::optional<seal_error> chunk(bytes& out);

    secret key_;
    secret state_;
    bytes waiting_;  // the part being collected: head, frame or chunk
    std::size_t wanted_ = sealed_head_size;
    enum class part : std::uint8_t { head, frame, chunk, done } at_ = part::head;
    std::uint32_t next_ = 0;  // number of the chunk whose turn it is
    std::array<std::byte, 8> frame_{};
    bool last_ = false;
    std::optional<seal_error> failed_;
};

/// Who may open sealed data: its content key, once for each recipient.
struct sealed_for {
    static constexpr std::size_t recipients_max = 256;

    bounded<std::vector<wrapped_key>, recipients_max> keys{};

    friend bool operator==(sealed_for const&, sealed_for const&) = default;
};
BOOST_DESCRIBE_STRUCT(sealed_for, (), (keys))

/// Wraps one key for all recipients. Refuses none, more than `recipients_max`, and one named twice.
result<sealed_for, seal_error> wrap_for(content_key const& key,
                                        std::span<sealing_public_key const> recipients);
/// One more recipient; the sealed data stays as it is. Whoever can open it can do this.
result<nothing, seal_error> add_recipient(sealed_for& all, content_key const& key,
                                          sealing_public_key const& recipient);
/// The content key, when it is wrapped for us.
result<content_key, seal_error> unwrap(sealed_for const& all, sealing_key const& mine);

/// Data in memory, sealed for some recipients: who may open it, then the stream.
result<bytes, seal_error> seal(bytes_view data, std::span<sealing_public_key const> recipients);
inline result<bytes, seal_error> seal(bytes_view data, sealing_public_key const& recipient)
{
    return seal(data, std::span{&recipient, 1});
}
/// Opens what `seal` made. All or nothing.
result<bytes, seal_error> open(bytes_view sealed, sealing_key const& mine);

/// The stream alone, under a key that others learn elsewhere.
bytes seal(bytes_view data, content_key const& key);
result<bytes, seal_error> open(bytes_view sealed, content_key const& key);

}  // namespace blendr::crypto
