// SPDX-License-Identifier: Apache-2.0
#include <blendr/net/frames.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

#include <sodium.h>

#include <blendr/core/assert.hpp>
#include <blendr/crypto/hash.hpp>
#include <blendr/crypto/secret.hpp>

namespace blendr::net {
namespace {

constexpr crypto::domain rekey_domain{"net.rekey/1"};
constexpr std::uint64_t rekey_after = std::uint64_t{1} << 20;

unsigned char* raw(std::byte* p) noexcept { return reinterpret_cast<unsigned char*>(p); }
unsigned char const* raw(std::byte const* p) noexcept
{
    return reinterpret_cast<unsigned char const*>(p);
}

std::uint32_t length_of(std::byte const* head) noexcept
{
    return std::to_integer<std::uint32_t>(head[0]) | std::to_integer<std::uint32_t>(head[1]) << 8 |
           std::to_integer<std::uint32_t>(head[2]) << 16;
}

}  // namespace

bool has_aes() noexcept
{
    static bool const has = sodium_init() >= 0 && crypto_aead_aes256gcm_is_available() == 1;
    return has;
}

struct frame_key::state {
    alignas(64) crypto_aead_aes256gcm_state expanded{};
    std::array<std::byte, 32> key{};
    std::uint64_t counter = 0;
    cipher how{};

    ~state()
    {
        sodium_memzero(&expanded, sizeof expanded);
        crypto::wipe(key);
    }
    void expand() noexcept
    {
        if (how == cipher::aes256_gcm) crypto_aead_aes256gcm_beforenm(&expanded, raw(key.data()));
    }
    /// The number of this frame as a nonce; numbers never come again under one key.
    std::array<unsigned char, 24> step() noexcept
    {
        if (counter == rekey_after) {
            key = crypto::hash(rekey_domain, key);
            counter = 0;
            expand();
        }
        std::array<unsigned char, 24> nonce{};
        for (std::size_t i = 0; i < 8; ++i)
            nonce[i] = static_cast<unsigned char>(counter >> (8 * i));
        ++counter;
        return nonce;
    }
};

frame_key::frame_key(cipher how, std::span<std::byte const, 32> key)
    : state_{std::make_unique<state>()}
{
    BLENDR_ASSERT(how != cipher::aes256_gcm || has_aes());
    state_->how = how;
    std::copy(key.begin(), key.end(), state_->key.begin());
    state_->expand();
}
frame_key::~frame_key() = default;
frame_key::frame_key(frame_key&&) noexcept = default;
frame_key& frame_key::operator=(frame_key&&) noexcept = default;

cipher frame_key::how() const noexcept { return state_->how; }

std::size_t frame_key::seal(std::uint8_t lane, bool last, bytes_view part, std::byte* out) noexcept
{
    BLENDR_ASSERT(part.size() <= fragment_max && lane <= control_lane);
    auto const length = part.size() + frame_tag;
    for (std::size_t i = 0; i < 3; ++i) out[i] = static_cast<std::byte>(length >> (8 * i));
    out[3] = static_cast<std::byte>(lane | (last ? 0x80 : 0));
    auto const nonce = state_->step();
    if (state_->how == cipher::aes256_gcm)
        crypto_aead_aes256gcm_encrypt_afternm(raw(out + frame_head), nullptr, raw(part.data()),
                                              part.size(), raw(out), frame_head, nullptr,
                                              nonce.data(), &state_->expanded);
    else
        crypto_aead_xchacha20poly1305_ietf_encrypt(raw(out + frame_head), nullptr, raw(part.data()),
                                                   part.size(), raw(out), frame_head, nullptr,
                                                   nonce.data(), raw(state_->key.data()));
    return frame_head + length;
}

bool frame_key::open(std::span<std::byte> frame) noexcept
{
    if (frame.size() < frame_head + frame_tag) return false;
    auto* const body = raw(frame.data() + frame_head);
    auto const length = frame.size() - frame_head;
    auto const nonce = state_->step();
    if (state_->how == cipher::aes256_gcm)
        return crypto_aead_aes256gcm_decrypt_afternm(body, nullptr, nullptr, body, length,
                                                     raw(frame.data()), frame_head, nonce.data(),
                                                     &state_->expanded) == 0;
    return crypto_aead_xchacha20poly1305_ietf_decrypt(body, nullptr, nullptr, body, length,
                                                      raw(frame.data()), frame_head, nonce.data(),
                                                      raw(state_->key.data())) == 0;
}

frame_reader::frame_reader(frame_key key)
    : key_{std::move(key)},
      buffer_{new std::byte[buffer_size]}
{}

std::span<std::byte> frame_reader::room()
{
    if (begin_ == end_) {
        begin_ = end_ = 0;
    } else if (buffer_size - end_ < frame_max) {
        std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    return {buffer_.get() + end_, buffer_size - end_};
}

result<std::optional<fragment>, error> frame_reader::next()
{
    if (end_ - begin_ < frame_head) return std::optional<fragment>{};
    auto* const head = buffer_.get() + begin_;
    auto const length = length_of(head);
    if (length < frame_tag || length > fragment_max + frame_tag)
        return fail{error::wrong_frame_length};
    auto const flags = std::to_integer<std::uint8_t>(head[3]);
    if ((flags & 0x7c) != 0) return fail{error::wrong_fragment};
    if (end_ - begin_ < frame_head + length) return std::optional<fragment>{};
    if (!key_.open({head, frame_head + length})) return fail{error::wrong_seal};
    begin_ += frame_head + length;
    return std::optional{fragment{static_cast<std::uint8_t>(flags & 3), (flags & 0x80) != 0,
                                  bytes_view{head + frame_head, length - frame_tag}}};
}

result<std::optional<bytes_view>, error> assembler::add(fragment const& part)
{
    auto& waiting = waiting_[part.lane];
    if (waiting.size() + part.data.size() > limits_.bytes_max[part.lane])
        return fail{error::message_too_long};
    if (part.last && waiting.empty()) return std::optional{part.data};
    // A fragment in the middle is full, so that nobody sends a message as a million empty ones.
    if (!part.last && part.data.size() != fragment_max) return fail{error::wrong_fragment};
    waiting.insert(waiting.end(), part.data.begin(), part.data.end());
    if (!part.last) return std::optional<bytes_view>{};
    done_ = std::exchange(waiting, {});
    return std::optional{bytes_view{done_}};
}

std::size_t assembler::held() const noexcept
{
    std::size_t sum = done_.capacity();
    for (auto const& each : waiting_) sum += each.capacity();
    return sum;
}

}  // namespace blendr::net
