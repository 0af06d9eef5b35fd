// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/crypto/cid.hpp>
#include <blendr/crypto/keys.hpp>

/// Blobs: data that jobs take and give, named by its content and moved in chunks. What only its reader
/// may see is sealed before (`crypto/seal.hpp`); here it is bytes.
namespace blendr::net {

using crypto::cid;

inline constexpr std::size_t blob_chunk_bytes = std::size_t{256} << 10;
inline constexpr std::size_t blob_chunks_max = 4096;

/// The hashes of a blob's chunks, all but the last of `blob_chunk_bytes`. A list is one party's word until
/// the whole has the name that was asked for; a chunk that is not in it is a lie either way.
struct blob_list {
    std::uint64_t size{};
    bounded<std::vector<hash256>, blob_chunks_max> chunks{};

    friend bool operator==(blob_list const&, blob_list const&) = default;
};
BOOST_DESCRIBE_STRUCT(blob_list, (), (size, chunks))

/// As many hashes as the size needs, and no more than are allowed.
bool sound(blob_list const& list) noexcept;
/// How long chunk number `index` is; 0: there is none.
std::size_t chunk_size(blob_list const& list, std::size_t index) noexcept;
hash256 chunk_hash(bytes_view chunk) noexcept;
/// None: it is longer than blobs may be.
std::optional<blob_list> list_of(bytes_view whole);

struct ask_blob {
    cid what{};
};
struct tell_blob {
    cid what{};
    bool held{};
    blob_list list{};
};
struct ask_chunk {
    cid what{};
    std::uint32_t index{};
};
/// Without data: it is not held any more.
struct tell_chunk {
    cid what{};
    std::uint32_t index{};
    bounded<bytes, blob_chunk_bytes> data{};
};
using blob_message = std::variant<ask_blob, tell_blob, ask_chunk, tell_chunk>;
BOOST_DESCRIBE_STRUCT(ask_blob, (), (what))
BOOST_DESCRIBE_STRUCT(tell_blob, (), (what, held, list))
BOOST_DESCRIBE_STRUCT(ask_chunk, (), (what, index))
BOOST_DESCRIBE_STRUCT(tell_chunk, (), (what, index, data))

/// Which blob a message is about.
cid const& subject_of(blob_message const& said);

/// Fetches one blob: asks everybody for its list, then for its chunks, several from each who has that list.
/// Sans-I/O, one thread. Chunks go to the caller, who keeps them and says at the end whether the whole has the
/// right name; if not, all who gave that list lied, and the next list is tried.
class blob_fetch {
public:
    static constexpr std::size_t chunks_by_peer = 4;
    static constexpr std::size_t lists_max = 8;
    static constexpr std::int64_t patience_ms = 4'000;
    static constexpr std::int64_t ask_again_ms = 5'000;
    static constexpr std::int64_t give_up_ms = 15'000;  ///< without anybody who has it

    using sends = std::vector<std::pair<crypto::public_key, bytes>>;

    blob_fetch(cid const& what, std::uint64_t bytes_max) : what_{what}, bytes_max_{bytes_max} {}

    /// What a fetch that was broken off has: a list, and which of its chunks.
    void resume(blob_list list, std::vector<bool> held);

    void joined(crypto::public_key const& who) { peers_.try_emplace(who); }
    void left(crypto::public_key const& who);
    void tick(time_ms now, sends& out);

    struct heard {
        bool good = true;                      ///< false: no honest peer says that
        std::optional<std::uint32_t> chunk{};  ///< keep the data of the message as this one
    };
    heard take(crypto::public_key const& from, blob_message const& said, time_ms now);

    /// The list that is fetched by.
    blob_list const* list() const noexcept;
    /// Counts the lists that it was fetched by: another number, another list, of which nothing is held.
    std::uint64_t turn() const noexcept { return turn_; }
    bool complete() const noexcept;
    /// The whole did not have the name: who gave its list. Begins with the next one.
    std::vector<crypto::public_key> refute();
    /// Nobody has had it for long.
    bool hopeless(time_ms now) const noexcept;
    std::size_t held() const noexcept { return held_count_; }

private:
    struct peer {
        std::optional<time_ms> asked{};
        std::size_t in_flight{};
    };
    struct candidate {
        blob_list list{};
        std::set<crypto::public_key> givers{};
    };
    struct question {
        crypto::public_key to{};
        time_ms at{};
    };
    void begin();
    void answered(std::uint32_t index);
    void disown(crypto::public_key const& who);

    cid what_;
    std::uint64_t bytes_max_;
    std::map<crypto::public_key, peer> peers_{};
    std::vector<candidate> lists_{};
    std::set<crypto::public_key> liars_{};
    std::vector<bool> held_{};
    std::size_t held_count_ = 0;
    std::uint64_t turn_ = 0;
    std::size_t next_ = 0;  ///< all chunks before it are held or asked for
    std::map<std::uint32_t, question> asked_{};
    std::optional<time_ms> since_{};  ///< nobody has had it
};

}  // namespace blendr::net
