// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/secret.hpp>

#include <algorithm>
#include <new>
#include <utility>

#include <sodium.h>

#include "library.hpp"

namespace blendr::crypto {

secret::secret(std::size_t size) : size_{size}
{
    if (size == 0) return;
    require_library();
    data_ = static_cast<std::byte*>(sodium_malloc(size));
    if (data_ == nullptr) throw std::bad_alloc{};
    locked_ = sodium_mlock(data_, size) == 0;  // a second time, to learn whether it worked
    std::fill_n(data_, size, std::byte{0});
}

secret secret::random(std::size_t size)
{
    secret out{size};
    randombytes_buf(out.data_, size);
    return out;
}

secret secret::take(std::span<std::byte> raw)
{
    secret out{raw.size()};
    std::copy(raw.begin(), raw.end(), out.data_);
    wipe(raw);
    return out;
}

secret secret::take(std::string& text)
{
    auto out = take(std::as_writable_bytes(std::span{text.data(), text.size()}));
    text.clear();
    return out;
}

secret secret::clone() const
{
    secret out{size_};
    std::copy_n(data_, size_, out.data_);
    return out;
}

secret::secret(secret&& other) noexcept
    : data_{std::exchange(other.data_, nullptr)},
      size_{std::exchange(other.size_, 0)},
      locked_{std::exchange(other.locked_, false)}
{}

secret& secret::operator=(secret&& other) noexcept
{
    if (this == &other) return *this;
    release();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    locked_ = std::exchange(other.locked_, false);
    return *this;
}

secret::~secret() { release(); }

void secret::release() noexcept
{
    sodium_free(data_);  // wipes; nothing for null
    data_ = nullptr;
}

bool secret::same_as(secret const& other) const noexcept
{
    return size_ == other.size_ && (size_ == 0 || sodium_memcmp(data_, other.data_, size_) == 0);
}

void wipe(std::span<std::byte> raw) noexcept { sodium_memzero(raw.data(), raw.size()); }

}  // namespace blendr::crypto
