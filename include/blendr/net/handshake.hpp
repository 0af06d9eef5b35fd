// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <boost/describe/class.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/crypto/hash.hpp>
#include <blendr/crypto/identity.hpp>
#include <blendr/crypto/keys.hpp>
#include <blendr/net/error.hpp>
#include <blendr/net/frames.hpp>

namespace blendr::net {

// How two nodes come to trust a connection:
//
//   1. dialler → listener   magic, chain, a fresh X25519 share, what ciphers it can do        (73 bytes)
//   2. listener → dialler   the same of its own; then, encrypted, its key and a signature
//   3. dialler → listener   encrypted, its key and a signature
//
// Both directions' keys come from the shared secret and a hash of 1 and 2 (the transcript). Each signs
// the transcript and its own key in a domain for its role: what was recorded elsewhere, sent back to its
// maker, or changed anywhere, chain and cipher choice included, does not fit. The shares are thrown away, so
// a key that leaks later opens nothing that was said before. The dialler shows its key only to
// somebody who has proven theirs.

/// What each tells the other once nobody else can hear it.
struct introduction {
    crypto::public_key self{};
    crypto::signature over{};
    std::uint16_t listens{};  ///< its port for others; 0: it only dials
    bounded<std::string, 64> agent{};
};
BOOST_DESCRIBE_STRUCT(introduction, (), (self, over, listens, agent))

struct handshake_options {
    crypto::identity me;
    hash256 chain{};
    std::optional<crypto::public_key> expected{};  ///< who must be there
    std::uint16_t listens{};
    std::string agent = "blendr";
    bool aes = has_aes();
};

/// What a handshake leads to.
struct session {
    introduction peer{};
    frame_key out;
    frame_reader in;
};

/// One side of a handshake, without I/O: bytes in, bytes out. Bounded: it never holds more than 1 KiB.
class handshake {
public:
    enum class side : std::uint8_t { dialler, listener };
    static constexpr std::size_t hello_size = 73;

    handshake(side which, handshake_options chosen);
    ~handshake();
    handshake(handshake&&) noexcept;

    /// What to send before anything came; nothing for the listener. Once.
    bytes begin();

    /// Takes from the front of `in` what belongs to the handshake, and appends what to send to `out`.
    /// After an error nothing must be sent any more.
    result<nothing, error> feed(bytes_view& in, bytes& out);

    bool done() const noexcept;
    /// Once, when done.
    session finish();

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace blendr::net
