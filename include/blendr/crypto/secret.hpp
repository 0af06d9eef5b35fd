// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include <blendr/core/bytes.hpp>

namespace blendr::crypto {

/// Bytes that nobody else should see. They live on pages of their own between guard pages, kept out of
/// swap and core dumps where the system allows it, and are wiped before the memory goes back.
/// It moves, it does not copy, and nothing prints, encodes or compares it by accident: whoever wants
/// the bytes says `expose()`. One secret costs a few pages: it is for keys, not for data.
class secret {
public:
    /// Holds nothing.
    secret() = default;
    /// That many zero bytes. Throws std::bad_alloc when the system has no memory.
    explicit secret(std::size_t size);
    /// That many bytes from the system's generator.
    static secret random(std::size_t size);
    /// Copies `raw`, and wipes it where it was.
    static secret take(std::span<std::byte> raw);
    /// The same for text, such as a passphrase that was read; the text is empty afterwards.
    static secret take(std::string& text);
    /// A second copy, asked for by name.
    secret clone() const;

    secret(secret&& other) noexcept;
    secret& operator=(secret&& other) noexcept;
    secret(secret const&) = delete;
    secret& operator=(secret const&) = delete;
    ~secret();

    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }

    /// The bytes themselves. Whoever copies them out answers for the copy.
    bytes_view expose() const noexcept { return {data_, size_}; }
    std::span<std::byte> expose() noexcept { return {data_, size_}; }

    /// Whether both hold the same bytes, in a time that tells nothing but their sizes.
    bool same_as(secret const& other) const noexcept;

    /// False when the system refused to keep the pages out of swap (see RLIMIT_MEMLOCK).
    bool locked() const noexcept { return locked_; }

private:
    void release() noexcept;

    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
    bool locked_ = false;
};

/// Overwrites bytes in a way that the compiler may not leave out.
void wipe(std::span<std::byte> raw) noexcept;

}  // namespace blendr::crypto
