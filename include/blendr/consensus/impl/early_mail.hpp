// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include <blendr/consensus/engine.hpp>

namespace blendr::consensus::impl {

/// Messages that came before their signers were known: so many a peer, so many bytes a peer and from
/// everybody together. What does not fit can be asked for later.
class early_mail {
public:
    static constexpr std::size_t messages_max = 48;         ///< a peer's
    static constexpr std::size_t bytes_max = 1u << 20;      ///< a peer's
    static constexpr std::size_t bytes_in_all = 64u << 20;  ///< everybody's
    static constexpr std::size_t peers_max = 4096;

    /// False when there is no room.
    bool keep(public_key const& from, bytes_view raw)
    {
        auto at = boxes_.find(from);
        if (at == boxes_.end()) {
            if (boxes_.size() >= peers_max) return false;
            at = boxes_.try_emplace(from).first;
        }
        auto& kept = at->second;
        if (kept.messages.size() >= messages_max || kept.size + raw.size() > bytes_max ||
            size_ + raw.size() > bytes_in_all)
            return false;
        kept.size += raw.size();
        size_ += raw.size();
        kept.messages.push_back(to_bytes(raw));
        return true;
    }

    /// Hands everything back, each peer's in the order in which it came.
    template <class Take>
    void empty_into(Take&& take)
    {
        size_ = 0;
        for (auto& [from, kept] : std::exchange(boxes_, {}))
            for (auto& m : kept.messages) take(from, std::move(m));
    }

    std::size_t messages() const noexcept
    {
        std::size_t sum = 0;
        for (auto const& [from, kept] : boxes_) sum += kept.messages.size();
        return sum;
    }

private:
    struct box {
        std::vector<bytes> messages{};
        std::size_t size{};
    };
    std::map<public_key, box> boxes_{};
    std::size_t size_{};
};

}  // namespace blendr::consensus::impl
