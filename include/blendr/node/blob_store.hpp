// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>
#include <blendr/crypto/cid.hpp>
#include <blendr/net/blob.hpp>
#include <blendr/store/files.hpp>

namespace blendr::node {

/// Blobs on disk, each a file under its name with the list of its chunks beside it, all of them within a
/// quota. What was put here stays until it is removed; what was fetched from peers makes room, the one least
/// lately read first. A chunk that does not match the list is never given out. Any thread.
class blob_store {
public:
    /// Takes up what lies there; what is not whole, and not a beginning, goes.
    static result<std::unique_ptr<blob_store>, std::string>
    open(store::file_layer& files, std::string directory, std::uint64_t quota_bytes);

    /// Durable when it returns. Refuses, in a sentence, what would not fit.
    result<crypto::cid, std::string> put(bytes_view whole);
    /// False: there was none.
    bool remove(crypto::cid const& what);

    bool holds(crypto::cid const& what) const;
    std::optional<net::blob_list> list(crypto::cid const& what) const;
    /// Part of a blob, cut off at its end. Refuses what is not held, or damaged.
    result<bytes, std::string> read(crypto::cid const& what, std::uint64_t from,
                                    std::uint64_t count) const;

    /// Room for a blob that comes in chunks; which of them an earlier run left here, checked.
    result<std::vector<bool>, std::string> begin(crypto::cid const& what,
                                                 net::blob_list const& list);
    /// What an earlier run began, if its list is still there.
    std::optional<net::blob_list> begun(crypto::cid const& what) const;
    result<nothing, std::string> add(crypto::cid const& what, std::uint32_t index,
                                     bytes_view chunk);
    /// All chunks are there. False: the whole has another name, and is gone.
    result<bool, std::string> finish(crypto::cid const& what);
    void abandon(crypto::cid const& what);

    std::uint64_t used() const;
    std::uint64_t quota() const noexcept { return quota_; }
    std::size_t count() const;

private:
    enum class kind : std::uint8_t { own, fetched, part };
    struct entry {
        kind what{};
        net::blob_list list{};
        std::unique_ptr<store::file> data{};
        std::uint64_t read_at{};
    };
    blob_store(store::file_layer& files, std::string directory, std::uint64_t quota)
        : files_{files},
          directory_{std::move(directory)},
          quota_{quota}
    {}
    std::string path(crypto::cid const& what, char const* suffix) const;
    static char const* suffix(kind what);
    result<nothing, std::string> load();
    result<nothing, std::string> make_room(std::uint64_t bytes);
    result<nothing, std::string> write_list(crypto::cid const& what, net::blob_list const& list);
    result<bytes, std::string> chunk(entry const& from, std::size_t index) const;
    void drop(std::map<crypto::cid, entry>::iterator which);

    store::file_layer& files_;
    std::string directory_;
    std::uint64_t quota_;
    std::uint64_t used_ = 0;
    mutable std::uint64_t reads_ = 0;
    mutable std::mutex mutex_{};
    mutable std::map<crypto::cid, entry> held_{};
};

}  // namespace blendr::node
