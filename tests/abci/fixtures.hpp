// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <blendr/abci/form.hpp>
#include <blendr/app/tally.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/crypto/identity.hpp>

#include "client.hpp"

namespace blendr::abci::test {

inline crypto::identity person(std::uint64_t n)
{
    std::array<std::byte, 32> seed{};
    seed[0] = static_cast<std::byte>(n);
    seed[31] = std::byte{0xab};
    return crypto::identity{crypto::secret_key::from_seed(seed)};
}

/// The first `count` people, sorted, the n-th with that weight.
inline app::validator_set people(std::size_t count)
{
    app::validator_set out{};
    for (std::size_t i = 0; i < count; ++i) out.push_back({person(i).self(), weight{10 + i}});
    std::sort(out.begin(), out.end(), [](auto const& a, auto const& b) { return a.key < b.key; });
    return out;
}

/// A transaction of a tally.
inline bytes number(std::uint64_t value)
{
    bytes out(8);
    for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<std::byte>(value >> (8 * i));
    return out;
}

/// The entry that leads a tally's block.
inline bytes lead_of(crypto::public_key const& proposer) { return encode(lead{proposer, {}}); }

/// A tally whose weights move, that shows its state in pieces and survives in a value: everything
/// that an application can do, small enough to see through.
class moving_tally {
public:
    static constexpr std::uint32_t format = 7;
    static constexpr std::uint32_t pieces = 3;

    explicit moving_tally(app::validator_set first) : inner_{first}, next_{std::move(first)} {}

    app::info last() const { return restored_ ? *restored_ : inner_.last(); }
    std::optional<app::validator_set> init(bytes_view raw)
    {
        if (as_text(raw) == "refuse me") return std::nullopt;
        return inner_.init(raw);
    }
    app::check_result check(bytes_view tx) const { return inner_.check(tx); }
    std::optional<bytes> propose(app::proposal_context const& at, std::size_t bytes_max)
    {
        if (mute) return std::nullopt;
        return inner_.propose(at, bytes_max);
    }
    std::optional<app::verdict> verify(app::proposal_context const& at, block_id const& id,
                                       bytes_view payload)
    {
        return inner_.verify(at, id, payload);
    }
    app::finalized finalize(app::proposal_context const& at, block_id const& id, bytes_view payload)
    {
        if (throws) throw std::runtime_error{"the disk is on fire"};
        auto out = inner_.finalize(at, id, payload);
        // somebody leaves and comes back, everybody's weight moves
        next_ = people(4);
        if (at.at.get() % 3 == 0) next_.erase(next_.begin() + 1);
        next_[0].power = weight{10 + at.at.get() % 5};
        out.next = next_;
        left_.id = id;
        left_.block_time = at.block_time;
        left_.next = next_;
        return out;
    }
    height commit() { return inner_.commit(); }
    app::query_result query(std::string_view path, bytes_view raw) const
    {
        auto out = inner_.query(path, raw);
        if (out.code == 0) out.proof = to_bytes("a proof");
        return out;
    }

    // a snapshot is its height and hash in three pieces
    std::vector<app::snapshot> snapshots() const
    {
        if (last().last == height{}) return {};
        return {{last().last, format, pieces, to_bytes("metadata")}};
    }
    std::optional<bytes> chunk(height at, std::uint32_t index) const
    {
        if (at != last().last || index >= pieces) return std::nullopt;
        return piece(last().app_hash, index);
    }
    bool offer(app::snapshot const& which, hash256 const& trusted)
    {
        if (which.format != format || which.chunks != pieces) return false;
        wanted_ = app::info{which.at, trusted};
        taken_ = 0;
        return true;
    }
    app::chunk_verdict restore(std::uint32_t index, bytes_view raw)
    {
        if (as_text(raw) == "give up") return app::chunk_verdict::abandoned;
        if (!equal(raw, piece(wanted_.app_hash, index))) return app::chunk_verdict::corrupt;
        if (++taken_ < pieces) return app::chunk_verdict::taken;
        restored_ = wanted_;
        left_.next = people(4);
        return app::chunk_verdict::complete;
    }

    std::optional<place> tip() const
    {
        if (last().last == height{}) return std::nullopt;
        return left_;
    }
    void submit(bytes_view tx) { inner_.submit(tx); }

    bool mute = false;
    bool throws = false;
    std::optional<std::string> disk_says{};

private:
    static bytes piece(hash256 const& whole, std::uint32_t index)
    {
        auto const each = bytes_view{whole}.subspan(index * 10, index == 2 ? 12 : 10);
        return to_bytes(each);
    }

    app::tally inner_;
    app::validator_set next_;
    place left_{};
    app::info wanted_{};
    std::uint32_t taken_ = 0;
    std::optional<app::info> restored_{};
};

}  // namespace blendr::abci::test

template <>
struct blendr::abci::form<blendr::abci::test::moving_tally> {
    using shape = form<app::tally>;
    static auto genesis(bytes_view text) { return shape::genesis(text); }
    static auto split(bytes_view payload) { return shape::split(payload); }
    static auto join(bytes_view head, std::vector<bytes_view> const& txs)
    {
        return shape::join(head, txs);
    }
    static void admit(test::moving_tally& to, std::vector<bytes_view> const& txs)
    {
        for (auto const& each : txs) to.submit(each);
    }
    static std::optional<place> tip(test::moving_tally const& of) { return of.tip(); }
    static std::optional<std::string> failure(test::moving_tally const& of) { return of.disk_says; }
};
