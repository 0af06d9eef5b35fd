// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <blendr/crypto/identity.hpp>
#include <blendr/net/transport.hpp>

namespace blendr::test {

inline crypto::identity person(std::uint8_t n)
{
    std::array<std::byte, 32> const seed{static_cast<std::byte>(n)};
    return crypto::identity{crypto::secret_key::from_seed(seed)};
}

/// Writes down what it hears.
class listener final : public net::receiver {
public:
    void on_joined(crypto::public_key const& peer) override
    {
        std::lock_guard const lock{mutex_};
        ++here_[peer];
    }
    bool on_message(crypto::public_key const& from, net::lane on, bytes_view message) override
    {
        std::lock_guard const lock{mutex_};
        ++count_;
        bytes_ += message.size();
        if (keep) heard_.emplace_back(from, on, to_bytes(message));
        return accepts;
    }
    void on_left(crypto::public_key const& peer, net::error why) override
    {
        std::lock_guard const lock{mutex_};
        --here_[peer];
        last_left = why;
    }

    bool has(crypto::public_key const& peer) const
    {
        std::lock_guard const lock{mutex_};
        auto const found = here_.find(peer);
        return found != here_.end() && found->second > 0;
    }
    std::size_t count() const
    {
        std::lock_guard const lock{mutex_};
        return count_;
    }
    std::uint64_t size() const
    {
        std::lock_guard const lock{mutex_};
        return bytes_;
    }
    using letter = std::tuple<crypto::public_key, net::lane, bytes>;
    std::vector<letter> heard() const
    {
        std::lock_guard const lock{mutex_};
        return heard_;
    }

    bool keep = true;
    bool accepts = true;
    std::optional<net::error> last_left{};

private:
    mutable std::mutex mutex_{};
    std::map<crypto::public_key, int> here_{};
    std::vector<letter> heard_{};
    std::size_t count_ = 0;
    std::uint64_t bytes_ = 0;
};

/// Waits until `done` says so; false after that time.
template <class Done>
bool eventually(Done&& done, std::int64_t ms = 20'000)
{
    for (std::int64_t waited = 0; waited < ms; waited += 5) {
        if (done()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    return done();
}

}  // namespace blendr::test
