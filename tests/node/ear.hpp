// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <vector>

#include <blendr/net/transport.hpp>

namespace blendr::test {

/// Who only listens, and keeps the first of what it hears.
struct ear final : net::receiver {
    void on_joined(crypto::public_key const&) override {}
    bool on_message(crypto::public_key const&, net::lane, bytes_view m) override
    {
        std::lock_guard const lock{mutex};
        if (heard.size() < 200) heard.push_back(to_bytes(m));
        return true;
    }
    void on_left(crypto::public_key const&, net::error) override {}
    std::mutex mutex{};
    std::vector<bytes> heard{};
};

}  // namespace blendr::test
