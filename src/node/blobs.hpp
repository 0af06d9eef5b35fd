// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <blendr/net/blob.hpp>
#include <blendr/node/blob_store.hpp>
#include <blendr/node/node.hpp>

namespace blendr::node {

/// A node's blobs: gives what is held here to peers, fetches from them what is not. One thread drives it; any
/// may ask.
class blob_service {
public:
    static constexpr std::size_t fetches_max = 32;

    struct outside {
        std::function<void(crypto::public_key const&, bytes)> send{};
        std::function<void(crypto::public_key const&, std::int64_t, char const*)> penalise{};
        std::function<void(std::string const&)> note{};
    };
    blob_service(std::unique_ptr<blob_store> store, std::uint64_t bytes_max, outside out)
        : store_{std::move(store)},
          bytes_max_{bytes_max},
          out_{std::move(out)}
    {}

    blob_store& store() noexcept { return *store_; }
    /// What is known of it; where it is not held, it is fetched from now on.
    node::blob_state want(crypto::cid const& what, time_ms now);

    void joined(crypto::public_key const& who);
    void left(crypto::public_key const& who);
    void take(crypto::public_key const& from, bytes_view raw, time_ms now);
    void tick(time_ms now);

private:
    struct fetch {
        fetch(crypto::cid const& what, std::uint64_t most) : of{what, most} {}
        net::blob_fetch of;
        std::uint64_t turn = 0;
        time_ms asked_for{};
    };
    void serve(crypto::public_key const& to, net::ask_blob const& asked);
    void serve(crypto::public_key const& to, net::ask_chunk const& asked);
    bool follow(crypto::cid const& what, fetch& f);

    std::unique_ptr<blob_store> store_;
    std::uint64_t bytes_max_;
    outside out_;
    std::mutex mutex_{};
    std::set<crypto::public_key> peers_{};
    std::map<crypto::cid, fetch> fetches_{};
    std::map<crypto::cid, std::pair<time_ms, std::string>> failures_{};
};

}  // namespace blendr::node
