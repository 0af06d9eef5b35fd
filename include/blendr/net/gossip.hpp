// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <blendr/core/bytes.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/crypto/hash.hpp>
#include <blendr/crypto/keys.hpp>

namespace blendr::net {

/// Spreads things (transactions, as a rule) that are opaque bytes here: announce by hash, fetch what is
/// new, once, from one who has it. Sans-I/O: bytes in, bytes out, the caller brings the time. One thread.
///
/// Bounded: a peer can make it remember and ask for so much and no more; what was asked of a peer
/// that does not answer is asked of another.
class gossip {
public:
    static constexpr std::size_t thing_max = std::size_t{64} << 10;
    static constexpr std::size_t ids_max = 2048;  ///< of one message
    static constexpr std::size_t bytes_per_message = std::size_t{512} << 10;
    static constexpr std::size_t held_bytes_max = std::size_t{16} << 20;
    static constexpr std::size_t wanted_max = 65'536;
    static constexpr std::size_t wanted_by_peer_max = 16'384;
    static constexpr std::int64_t patience_ms = 1'000;

    using sends = std::vector<std::pair<crypto::public_key, bytes>>;

    /// Whoever joins is told of all that is held.
    void joined(crypto::public_key const& who);
    void left(crypto::public_key const& who) { peers_.erase(who); }

    /// Something good that others should have. False: it was offered before.
    bool offer(bytes_view thing);
    /// Something to look at no more, good or not.
    void seen(bytes_view thing) { seen_.add(name_of(thing)); }
    /// Something that is over: nobody needs it any more.
    void forget(bytes_view thing);
    bool knows(bytes_view thing) const { return seen_.has(name_of(thing)); }

    /// False: no honest peer sends that. What arrived, and was wanted, is added to `fresh`; whether it
    /// is any good is the caller's to find out, who then offers it.
    bool take(crypto::public_key const& from, bytes_view message, time_ms now, sends& out,
              std::vector<bytes>& fresh);

    /// Sends announcements that have gathered, and asks again. Every 10 to 50 ms.
    void tick(time_ms now, sends& out);

    std::size_t held_bytes() const noexcept { return held_bytes_; }
    std::size_t wanted() const noexcept { return wanted_.size(); }

    static hash256 name_of(bytes_view thing) noexcept;

private:
    struct hash_of {
        std::size_t operator()(hash256 const& id) const noexcept { return crypto::table_hash(id); }
    };
    /// Remembers about the last `most` to twice as many.
    class recent {
    public:
        explicit recent(std::size_t most) : most_{most} {}
        void add(hash256 const& id);
        bool has(hash256 const& id) const { return now_.contains(id) || before_.contains(id); }

    private:
        std::size_t most_;
        std::unordered_set<hash256, hash_of> now_{};
        std::unordered_set<hash256, hash_of> before_{};
    };
    struct peer {
        recent knows{16'384};
        std::vector<hash256> to_tell{};
        std::size_t asked = 0;
    };
    struct wish {
        crypto::public_key asked{};
        time_ms at{};
        std::vector<crypto::public_key> others{};
    };

    void want(crypto::public_key const& from, peer& p, std::vector<hash256> const& ids, time_ms now,
              sends& out);
    void give(crypto::public_key const& to, std::vector<hash256> const& ids, sends& out);
    void ask(crypto::public_key const& of, std::vector<hash256> const& ids, sends& out) const;

    std::map<crypto::public_key, peer> peers_{};
    std::unordered_map<hash256, bytes, hash_of> held_{};
    std::deque<hash256> held_order_{};
    std::size_t held_bytes_ = 0;
    recent seen_{131'072};
    std::unordered_map<hash256, wish, hash_of> wanted_{};
};

}  // namespace blendr::net
