// SPDX-License-Identifier: Apache-2.0
#include <blendr/net/handshake.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include <sodium.h>

#include <blendr/core/assert.hpp>
#include <blendr/crypto/secret.hpp>
#include <blendr/crypto/strict.hpp>

namespace blendr::net {
namespace {

constexpr crypto::domain transcript_domain{"net.transcript/1"};
constexpr crypto::domain dialler_domain{"net.dialler/1"};
constexpr crypto::domain listener_domain{"net.listener/1"};
constexpr crypto::domain key_domain{"net.keys/1"};

constexpr std::array<char, 8> magic{'b', 'l', 'e', 'n', 'd', 'r', '/', '1'};
constexpr std::size_t introduction_max = 512;
constexpr std::uint8_t can_aes = 1;

struct hello {
    std::array<std::byte, 8> magic_{};
    hash256 chain{};
    std::array<std::byte, 32> share{};
    std::uint8_t flags{};
};
BOOST_DESCRIBE_STRUCT(hello, (), (magic_, chain, share, flags))

unsigned char* raw(std::byte* p) noexcept { return reinterpret_cast<unsigned char*>(p); }

std::array<std::byte, 8> magic_bytes() noexcept
{
    std::array<std::byte, 8> out{};
    std::transform(magic.begin(), magic.end(), out.begin(),
                   [](char c) { return static_cast<std::byte>(c); });
    return out;
}

/// What a side signs: the transcript and the key that it shows.
bytes statement(hash256 const& transcript, crypto::public_key const& self)
{
    bytes out = to_bytes(transcript);
    append(out, self);
    return out;
}

}  // namespace

struct handshake::state {
    side which{};
    handshake_options options;
    crypto::secret scalar{crypto::secret::random(32)};
    hello ours{};
    hello theirs{};
    bytes waiting{};
    std::size_t wanted = hello_size;
    enum class part : std::uint8_t { hello, head, introduction, done } at = part::hello;
    hash256 transcript{};
    std::optional<frame_key> out{};
    std::optional<frame_key> in{};
    introduction peer{};

    state(side w, handshake_options o) : which{w}, options{std::move(o)}
    {
        BLENDR_ASSERT(sodium_init() >= 0);
        ours.magic_ = magic_bytes();
        ours.chain = options.chain;
        ours.flags = options.aes && has_aes() ? can_aes : 0;
        crypto_scalarmult_base(raw(ours.share.data()), raw(scalar.expose().data()));
    }

    bool dials() const noexcept { return which == side::dialler; }

    result<nothing, error> hear_hello(bytes& to_send)
    {
        auto const heard = decode<hello>(waiting);
        if (!heard || heard->magic_ != magic_bytes()) return fail{error::wrong_magic};
        theirs = *heard;
        if (!dials()) {
            auto const mine = encode(ours);
            to_send.insert(to_send.end(), mine.begin(), mine.end());
        }
        // After our own was sent: so that whoever dials the wrong chain learns it, too.
        if (theirs.chain != options.chain) return fail{error::wrong_chain};
        BLENDR_CHECK(derive());
        if (!dials()) introduce(to_send);
        at = part::head;
        wanted = frame_head;
        return nothing{};
    }

    result<nothing, error> derive()
    {
        crypto::secret shared{32};
        if (crypto_scalarmult(raw(shared.expose().data()), raw(scalar.expose().data()),
                              raw(theirs.share.data())) != 0)
            return fail{error::wrong_point};
        auto const first = encode(dials() ? ours : theirs);
        auto const second = encode(dials() ? theirs : ours);
        transcript = crypto::hasher{transcript_domain}.update(first).update(second).finish();
        auto const how = (ours.flags & theirs.flags & can_aes) != 0 ? cipher::aes256_gcm
                                                                    : cipher::xchacha20_poly1305;
        auto const key = [&](std::uint8_t direction) {
            std::array<std::byte, 1> const tail{static_cast<std::byte>(direction)};
            auto made = crypto::hasher{key_domain}
                            .update(shared.expose())
                            .update(transcript)
                            .update(tail)
                            .finish();
            frame_key out_key{how, std::span<std::byte const, 32>{made}};
            crypto::wipe(made);
            return out_key;
        };
        out.emplace(key(dials() ? 0 : 1));
        in.emplace(key(dials() ? 1 : 0));
        scalar = {};
        return nothing{};
    }

    void introduce(bytes& to_send)
    {
        auto const& me = options.me;
        introduction const mine{
            me.self(),
            me.sign(dials() ? dialler_domain : listener_domain, statement(transcript, me.self())),
            options.listens,
            {options.agent.substr(0, 64)}};
        auto const plain = encode(mine);
        auto const before = to_send.size();
        to_send.resize(before + frame_head + plain.size() + frame_tag);
        out->seal(control_lane, true, plain, to_send.data() + before);
    }

    result<nothing, error> hear_head()
    {
        auto const length = std::to_integer<std::size_t>(waiting[0]) |
                            std::to_integer<std::size_t>(waiting[1]) << 8 |
                            std::to_integer<std::size_t>(waiting[2]) << 16;
        if (length < frame_tag || length > introduction_max) return fail{error::wrong_frame_length};
        if (waiting[3] != static_cast<std::byte>(control_lane | 0x80))
            return fail{error::wrong_fragment};
        at = part::introduction;
        wanted = frame_head + length;
        return nothing{};
    }

    result<nothing, error> hear_introduction(bytes& to_send)
    {
        if (!in->open(waiting)) return fail{error::wrong_seal};
        auto const plain =
            bytes_view{waiting}.subspan(frame_head).first(waiting.size() - frame_head - frame_tag);
        auto const shown = decode<introduction>(plain);
        if (!shown || shown->self.empty()) return fail{error::malformed_message};
        auto const& about = dials() ? listener_domain : dialler_domain;
        auto const digest = crypto::hash(about, statement(transcript, shown->self));
        if (!crypto::verify_strict(shown->self, digest, shown->over))
            return fail{error::wrong_signature};
        if (shown->self == options.me.self()) return fail{error::own_key};
        if (options.expected && *options.expected != shown->self) return fail{error::wrong_peer};
        peer = *shown;
        if (dials()) introduce(to_send);
        at = part::done;
        return nothing{};
    }

    result<nothing, error> step(bytes& to_send)
    {
        switch (at) {
        case part::hello: {
            auto const heard = hear_hello(to_send);
            waiting.clear();
            return heard;
        }
        case part::head:
            return hear_head();  // the head stays: it is part of what the frame's tag covers
        case part::introduction: {
            auto const heard = hear_introduction(to_send);
            waiting.clear();
            return heard;
        }
        case part::done:
            break;
        }
        return nothing{};
    }
};

handshake::handshake(side which, handshake_options chosen)
    : state_{std::make_unique<state>(which, std::move(chosen))}
{}
handshake::~handshake() = default;
handshake::handshake(handshake&&) noexcept = default;

bytes handshake::begin() { return state_->dials() ? encode(state_->ours) : bytes{}; }

result<nothing, error> handshake::feed(bytes_view& in, bytes& out)
{
    auto& s = *state_;
    while (!done()) {
        auto const take = std::min(in.size(), s.wanted - s.waiting.size());
        s.waiting.insert(s.waiting.end(), in.begin(), in.begin() + std::ptrdiff_t(take));
        in = in.subspan(take);
        // Wrong bytes are not waited out: the first ones tell.
        if (s.at == state::part::hello) {
            auto const known = magic_bytes();
            auto const seen = std::min(s.waiting.size(), known.size());
            if (!equal(bytes_view{s.waiting}.first(seen), bytes_view{known}.first(seen)))
                return fail{error::wrong_magic};
        }
        if (s.waiting.size() < s.wanted) return nothing{};
        BLENDR_CHECK(s.step(out));
    }
    return nothing{};
}

bool handshake::done() const noexcept { return state_->at == state::part::done; }

session handshake::finish()
{
    BLENDR_ASSERT(done() && state_->out && state_->in);
    return {state_->peer, *std::move(state_->out), frame_reader{*std::move(state_->in)}};
}

}  // namespace blendr::net
