// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/seal.hpp>

#include <algorithm>
#include <utility>

#include <sodium.h>

#include <blendr/core/assert.hpp>

#include "library.hpp"

namespace blendr::crypto {
namespace {

constexpr domain key_seed{"seal.key/1"};
constexpr domain wrapping{"seal.wrap/1"};
constexpr domain commitment{"seal.commit/1"};

constexpr std::array<std::byte, 5> magic = {std::byte{'b'}, std::byte{'l'}, std::byte{'s'},
                                            std::byte{'b'}, std::byte{1}};
constexpr std::size_t stream_header_size = crypto_secretstream_xchacha20poly1305_HEADERBYTES;
constexpr std::size_t tag_size = crypto_secretstream_xchacha20poly1305_ABYTES;
constexpr std::size_t frame_size = 8;
constexpr std::uint32_t last_bit = 0x80000000;

static_assert(sealed_head_size == magic.size() + 32 + stream_header_size);
static_assert(sealed_chunk_extra == frame_size + tag_size);

using stream_state = crypto_secretstream_xchacha20poly1305_state;

stream_state* stream(secret& state) noexcept
{
    // Pages of its own, from their end: aligned because the size is a multiple of 16.
    return reinterpret_cast<stream_state*>(state.expose().data());
}
constexpr std::size_t stream_size = (sizeof(stream_state) + 15) / 16 * 16;

/// What ties a stream to one key: without it, one could be made that opens under two.
secret commit(secret const& key)
{
    secret out{32};
    int const status = crypto_generichash_blake2b_salt_personal(
        raw(out.expose().data()), out.size(), nullptr, 0, raw(key.expose().data()), key.size(),
        nullptr, reinterpret_cast<unsigned char const*>(commitment.personal().data()));
    BLENDR_ASSERT(status == 0);
    return out;
}

/// The key of one wrap, from the shared point and both public halves; nothing for a weak public key.
std::optional<secret> wrapping_key(secret const& mine, std::array<std::byte, 32> const& theirs,
                                   std::array<std::byte, 32> const& ephemeral,
                                   sealing_public_key const& to)
{
    secret shared{32};
    if (crypto_scalarmult_curve25519(raw(shared.expose().data()), raw(mine.expose().data()),
                                     raw(theirs.data())) != 0)
        return std::nullopt;
    std::array<std::byte, 64> both;
    std::copy(ephemeral.begin(), ephemeral.end(), both.begin());
    std::copy(to.raw.begin(), to.raw.end(), both.begin() + 32);
    secret out{32};
    int const status = crypto_generichash_blake2b_salt_personal(
        raw(out.expose().data()), out.size(), raw(both.data()), both.size(),
        raw(std::as_const(shared).expose().data()), shared.size(), nullptr,
        reinterpret_cast<unsigned char const*>(wrapping.personal().data()));
    BLENDR_ASSERT(status == 0);
    return out;
}

constexpr std::array<unsigned char, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES> no_nonce{};

seal_error error(seal_error::kind what, std::uint64_t chunk = 0) { return {what, chunk}; }

}  // namespace

std::string message(seal_error const& e)
{
    auto const at = " (chunk " + std::to_string(e.chunk) + ")";
    switch (e.what) {
    case seal_error::kind::not_sealed:
        return "this is no sealed data, or of a version that this software does not know";
    case seal_error::kind::truncated:
        return "the sealed data ends too early" + at;
    case seal_error::kind::reordered:
        return "a chunk of the sealed data is missing, repeated or out of order" + at;
    case seal_error::kind::tampered:
        return "the sealed data was changed after it was sealed" + at;
    case seal_error::kind::trailing:
        return "there is more behind the end of the sealed data" + at;
    case seal_error::kind::wrong_key:
        return "the data was sealed under another key";
    case seal_error::kind::not_for_us:
        return "the data was sealed for others";
    case seal_error::kind::bad_recipient:
        return "a recipient's key is no good key, is named twice, or there are none or too many";
    }
    return "unknown error of sealed data" + at;
}

result<wrapped_key, seal_error> content_key::wrap(sealing_public_key const& to) const
{
    auto const once = sealing_key::generate();
    return once.wrap(*this, to);
}

result<wrapped_key, seal_error> sealing_key::wrap(content_key const& key,
                                                  sealing_public_key const& to) const
{
    BLENDR_ASSERT(key.key_.size() == 32);
    wrapped_key out{.to = to, .ephemeral = self_.raw};
    auto const under = wrapping_key(scalar_, to.raw, out.ephemeral, to);
    if (!under) return fail{error(seal_error::kind::bad_recipient)};
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        raw(out.box.data()), nullptr, raw(key.key_.expose().data()), key.key_.size(), nullptr, 0,
        nullptr, no_nonce.data(), raw(under->expose().data()));
    return out;
}

sealing_key sealing_key::generate() { return from_seed(secret::random(32)); }

sealing_key sealing_key::of(secret_key const& owner) { return from_seed(owner.derive(key_seed)); }

sealing_key sealing_key::from_seed(secret const& seed)
{
    BLENDR_ASSERT(seed.size() == 32);
    require_library();
    sealing_key out;
    out.scalar_ = seed.clone();
    crypto_scalarmult_curve25519_base(raw(out.self_.raw.data()),
                                      raw(std::as_const(out.scalar_).expose().data()));
    return out;
}

result<content_key, seal_error> sealing_key::unwrap(wrapped_key const& wrapped) const
{
    BLENDR_ASSERT(!scalar_.empty());
    if (wrapped.to != self_) return fail{error(seal_error::kind::not_for_us)};
    auto const under = wrapping_key(scalar_, wrapped.ephemeral, wrapped.ephemeral, self_);
    if (!under) return fail{error(seal_error::kind::tampered)};
    secret key{32};
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            raw(key.expose().data()), nullptr, nullptr, raw(wrapped.box.data()), wrapped.box.size(),
            nullptr, 0, no_nonce.data(), raw(under->expose().data())) != 0)
        return fail{error(seal_error::kind::tampered)};
    return content_key{std::move(key)};
}

seal_writer::seal_writer(content_key const& key) : state_{stream_size}
{
    BLENDR_ASSERT(key.bytes().size() == 32);
    waiting_.reserve(chunk_size);
    head_.insert(head_.end(), magic.begin(), magic.end());
    auto const committed = commit(key.bytes());
    auto const shown = std::as_const(committed).expose();
    head_.insert(head_.end(), shown.begin(), shown.end());
    head_.resize(sealed_head_size);
    crypto_secretstream_xchacha20poly1305_init_push(
        stream(state_), raw(head_.data() + sealed_head_size - stream_header_size),
        raw(key.bytes().expose().data()));
}

seal_writer::~seal_writer()
{
    waiting_.resize(waiting_.capacity());
    wipe(waiting_);
}

void seal_writer::write(bytes_view data, bytes& out)
{
    BLENDR_ASSERT(!finished_ && !state_.empty());
    while (!data.empty()) {
        if (waiting_.size() == chunk_size) {
            chunk(waiting_, false, out);
            waiting_.clear();
        }
        if (waiting_.empty() && data.size() > chunk_size) {
            chunk(data.first(chunk_size), false, out);
            data = data.subspan(chunk_size);
            continue;
        }
        auto const taken = data.first(std::min(chunk_size - waiting_.size(), data.size()));
        waiting_.insert(waiting_.end(), taken.begin(), taken.end());
        data = data.subspan(taken.size());
    }
}

void seal_writer::finish(bytes& out)
{
    BLENDR_ASSERT(!finished_ && !state_.empty());
    chunk(waiting_, true, out);
    finished_ = true;
    state_ = {};
}

void seal_writer::chunk(bytes_view data, bool last, bytes& out)
{
    BLENDR_ASSERT(next_ != ~std::uint32_t{0});  // 2^32 chunks are 256 TiB
    if (next_ == 0) out.insert(out.end(), head_.begin(), head_.end());
    std::array<std::byte, frame_size> frame;
    impl::store_little(next_++, frame.data());
    impl::store_little(static_cast<std::uint32_t>(data.size()) | (last ? last_bit : 0),
                       frame.data() + 4);
    out.insert(out.end(), frame.begin(), frame.end());
    auto const before = out.size();
    out.resize(before + data.size() + tag_size);
    crypto_secretstream_xchacha20poly1305_push(
        stream(state_), raw(out.data() + before), nullptr, raw(data.data()), data.size(),
        raw(frame.data()), frame.size(),
        last ? static_cast<unsigned char>(crypto_secretstream_xchacha20poly1305_TAG_FINAL)
             : static_cast<unsigned char>(0));
}

seal_reader::seal_reader(content_key const& key) : key_{key.bytes().clone()}, state_{stream_size}
{
    BLENDR_ASSERT(key_.size() == 32);
}

result<nothing, seal_error> seal_reader::read(bytes_view sealed, bytes& out)
{
    while (!failed_ && !sealed.empty()) failed_ = step(sealed, out);
    if (failed_) return fail{*failed_};
    return nothing{};
}

result<nothing, seal_error> seal_reader::finish()
{
    if (!failed_ && at_ != part::done) failed_ = error(seal_error::kind::truncated, next_);
    if (failed_) return fail{*failed_};
    return nothing{};
}

/// Collects what the part at hand still wants, and reads it once it is whole.
std::optional<seal_error> seal_reader::step(bytes_view& sealed, bytes& out)
{
    if (at_ == part::done) return error(seal_error::kind::trailing, next_);
    auto const taken = sealed.first(std::min(wanted_ - waiting_.size(), sealed.size()));
    waiting_.insert(waiting_.end(), taken.begin(), taken.end());
    sealed = sealed.subspan(taken.size());
    if (waiting_.size() < wanted_) return std::nullopt;
    auto const failed = at_ == part::head ? head() : at_ == part::frame ? frame() : chunk(out);
    waiting_.clear();
    return failed;
}

std::optional<seal_error> seal_reader::head()
{
    if (!std::equal(magic.begin(), magic.end(), waiting_.begin()))
        return error(seal_error::kind::not_sealed);
    auto const committed = commit(key_);
    if (!equal(committed.expose(), bytes_view{waiting_}.subspan(magic.size(), 32)))
        return error(seal_error::kind::wrong_key);
    if (crypto_secretstream_xchacha20poly1305_init_pull(
            stream(state_), raw(waiting_.data() + sealed_head_size - stream_header_size),
            raw(std::as_const(key_).expose().data())) != 0)
        return error(seal_error::kind::not_sealed);
    key_ = {};
    at_ = part::frame;
    wanted_ = frame_size;
    return std::nullopt;
}

std::optional<seal_error> seal_reader::frame()
{
    std::copy_n(waiting_.begin(), frame_.size(), frame_.begin());
    auto const number = impl::load_little<std::uint32_t>(frame_.data());
    auto const shape = impl::load_little<std::uint32_t>(frame_.data() + 4);
    if (number != next_) return error(seal_error::kind::reordered, next_);
    auto const size = shape & ~last_bit;
    last_ = (shape & last_bit) != 0;
    // Only the last chunk may be short, and only the only one may be empty.
    bool const fits = size <= chunk_size && (last_ ? size > 0 || next_ == 0 : size == chunk_size);
    if (!fits) return error(seal_error::kind::tampered, next_);
    at_ = part::chunk;
    wanted_ = size + tag_size;
    return std::nullopt;
}

std::optional<seal_error> seal_reader::chunk(bytes& out)
{
    auto const before = out.size();
    auto const size = waiting_.size() - tag_size;
    out.resize(before + size);
    unsigned char tag = 0;
    int const status = crypto_secretstream_xchacha20poly1305_pull(
        stream(state_), raw(out.data() + before), nullptr, &tag, raw(waiting_.data()),
        waiting_.size(), raw(frame_.data()), frame_.size());
    bool const said_last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
    if (status != 0 || said_last != last_) {
        out.resize(before);
        return error(seal_error::kind::tampered, next_);
    }
    ++next_;
    at_ = last_ ? part::done : part::frame;
    wanted_ = frame_size;
    return std::nullopt;
}

result<sealed_for, seal_error> wrap_for(content_key const& key,
                                        std::span<sealing_public_key const> recipients)
{
    sealed_for out;
    if (recipients.empty()) return fail{error(seal_error::kind::bad_recipient)};
    for (auto const& each : recipients) BLENDR_CHECK(add_recipient(out, key, each));
    return out;
}

result<nothing, seal_error> add_recipient(sealed_for& all, content_key const& key,
                                          sealing_public_key const& recipient)
{
    bool const known = std::any_of(all.keys.begin(), all.keys.end(),
                                   [&](wrapped_key const& each) { return each.to == recipient; });
    if (known || all.keys.size() == sealed_for::recipients_max)
        return fail{error(seal_error::kind::bad_recipient)};
    BLENDR_TRY(auto const wrapped, key.wrap(recipient));
    all.keys.push_back(wrapped);
    return nothing{};
}

result<content_key, seal_error> unwrap(sealed_for const& all, sealing_key const& mine)
{
    for (auto const& each : all.keys)
        if (each.to == mine.self()) return mine.unwrap(each);
    return fail{error(seal_error::kind::not_for_us)};
}

result<bytes, seal_error> seal(bytes_view data, std::span<sealing_public_key const> recipients)
{
    auto const key = content_key::generate();
    BLENDR_TRY(auto const whom, wrap_for(key, recipients));
    auto out = encode(whom);
    auto const stream = seal(data, key);
    out.insert(out.end(), stream.begin(), stream.end());
    return out;
}

bytes seal(bytes_view data, content_key const& key)
{
    bytes out;
    out.reserve(sealed_size(data.size()));
    seal_writer writer{key};
    writer.write(data, out);
    writer.finish(out);
    return out;
}

result<bytes, seal_error> open(bytes_view sealed, sealing_key const& mine)
{
    reader in{sealed};
    sealed_for whom;
    if (!read(in, whom))
        return fail{error(in.error().what == decode_fault::truncated
                              ? seal_error::kind::truncated
                              : seal_error::kind::not_sealed)};
    BLENDR_TRY(auto const key, unwrap(whom, mine));
    return open(sealed.subspan(in.offset()), key);
}

result<bytes, seal_error> open(bytes_view sealed, content_key const& key)
{
    seal_reader stream{key};
    bytes out;
    BLENDR_CHECK(stream.read(sealed, out));
    BLENDR_CHECK(stream.finish());
    return out;
}

}  // namespace blendr::crypto
