// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include <blendr/app/application.hpp>
#include <blendr/core/random.hpp>
#include <blendr/crypto/hash.hpp>

namespace blendr::sim {

/// The application of simulated nodes. A payload is its height, a nonce, a byte that must be zero for
/// the block to be valid, and padding; the state is a hash over all decided blocks. It keeps the
/// contract of `application` and tells when a host does not: a block is verified only on a verified
/// or decided parent.
class mock_app {
public:
    static constexpr std::size_t payload_min = 17;

    mock_app(block_id const& genesis, std::size_t payload_bytes, std::uint64_t seed)
        : tip_{genesis},
          size_{payload_bytes},
          rng_{seed}
    {}

    app::info last() const { return {last_, hash_}; }
    block_id const& tip() const noexcept { return tip_; }
    std::optional<app::validator_set> init(bytes_view) { return app::validator_set{}; }
    app::check_result check(bytes_view) const { return {}; }
    app::query_result query(std::string_view, bytes_view) const { return {}; }

    std::optional<bytes> propose(app::proposal_context const& at, std::size_t bytes_max)
    {
        if (!known(at.parent)) return std::nullopt;
        bytes out(std::min(std::max(size_, payload_min), std::max(bytes_max, payload_min)));
        put(out, 0, at.at.get());
        put(out, 8, rng_());
        return out;
    }

    std::optional<app::verdict> verify(app::proposal_context const& at, block_id const& id,
                                       bytes_view payload)
    {
        if (!known(at.parent)) return std::nullopt;
        if (!well_formed(at, payload)) return app::verdict::invalid;
        tree_.emplace(id, at.at);
        return app::verdict::valid;
    }

    app::finalized finalize(app::proposal_context const& at, block_id const& id, bytes_view payload)
    {
        hash_ = crypto::hash(about, hash_, crypto::hash(about, payload));
        last_ = at.at;
        tip_ = id;
        std::erase_if(tree_, [&](auto const& each) { return each.second <= last_; });
        return {hash_, {}, {}};
    }
    height commit() { return last_; }

    static bool well_formed(app::proposal_context const& at, bytes_view payload)
    {
        if (payload.size() < payload_min || payload[16] != std::byte{0}) return false;
        for (std::size_t i = 0; i < 8; ++i)
            if (payload[i] != static_cast<std::byte>(at.at.get() >> (8 * i))) return false;
        return true;
    }

private:
    static constexpr crypto::domain about{"sim.app/1"};

    bool known(block_id const& id) const { return id == tip_ || tree_.contains(id); }
    static void put(bytes& out, std::size_t at, std::uint64_t value)
    {
        for (std::size_t i = 0; i < 8; ++i) out[at + i] = static_cast<std::byte>(value >> (8 * i));
    }

    block_id tip_;
    std::size_t size_;
    rng rng_;
    height last_{};
    hash256 hash_{};
    std::map<block_id, height> tree_{};
};

static_assert(app::application<mock_app>);

}  // namespace blendr::sim
