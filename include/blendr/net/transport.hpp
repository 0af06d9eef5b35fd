// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/consensus/engine.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>
#include <blendr/crypto/keys.hpp>
#include <blendr/net/error.hpp>

namespace blendr::net {

using consensus::lane;
using crypto::public_key;

/// A message on its way: held once, whoever it goes to.
using shared_message = std::shared_ptr<bytes const>;

inline shared_message share(bytes what) { return std::make_shared<bytes const>(std::move(what)); }

/// Somebody whom we are connected with.
struct peer_info {
    public_key key{};
    std::string endpoint{};  ///< where the connection leads, "host:port"
    std::string agent{};     ///< what it calls itself; its own word
    bool dialled{};          ///< by us
    bool aes{};
    std::uint64_t bytes_in{};
    std::uint64_t bytes_out{};
    std::uint64_t dropped{};  ///< messages for it that found its queue full
    std::int64_t score{};     ///< 0 is spotless, 100 is banned
};
BOOST_DESCRIBE_STRUCT(peer_info, (),
                      (key, endpoint, agent, dialled, aes, bytes_in, bytes_out, dropped, score))

/// Who is told what comes in. All calls come on the transport's one thread, one at a time, in order for
/// each peer; none comes after `stop` returned. They must be quick: while one lasts, nothing else is heard.
class receiver {
public:
    virtual ~receiver() = default;
    virtual void on_joined(public_key const& peer) = 0;
    /// The sender is authenticated, the bytes are not. `message` lasts until it returns. False: no honest
    /// peer sends that; it counts against the sender.
    virtual bool on_message(public_key const& from, lane on, bytes_view message) = 0;
    virtual void on_left(public_key const& peer, error why) = 0;
};

/// Authenticated, ordered (within a lane), bounded message channels to peers. A message arrives once or, when
/// a connection ends or a queue is full, not at all. An earlier lane never waits for a later one. Any
/// thread may call anything; nothing blocks.
class transport {
public:
    virtual ~transport() = default;

    /// Begins to listen and dial. `who` must outlive `stop`. Says where it listens, "host:port".
    virtual result<std::string, error> start(receiver& who) = 0;
    /// Ends all connections. Once; the destructor does it, too.
    virtual void stop() = 0;

    /// False: there is no such peer, or its queue is full.
    virtual bool send(public_key const& to, lane on, shared_message message) = 0;
    /// To all peers; how many.
    virtual std::size_t broadcast(lane on, shared_message message) = 0;
    virtual std::vector<peer_info> peers() const = 0;

    /// Counts against a peer: at 100 it is dropped and banned for a while; what is not added to halves
    /// in ten minutes.
    virtual void penalise(public_key const& peer, std::int64_t points, std::string_view why) = 0;
    /// Remembers an address, "[key@]host:port", and keeps trying to be connected with it.
    virtual result<nothing, error> dial(std::string const& address) = 0;
};

}  // namespace blendr::net
