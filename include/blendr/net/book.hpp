// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/core/codec.hpp>
#include <blendr/core/random.hpp>
#include <blendr/core/result.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/crypto/keys.hpp>
#include <blendr/net/error.hpp>

namespace blendr::net {

/// Where somebody can be reached, and who is expected there.
struct contact {
    std::string host{};
    std::uint16_t port{};
    std::optional<crypto::public_key> key{};

    friend bool operator==(contact const&, contact const&) = default;
};

/// "[ed25519:…@]host:port", in printable ASCII; an IPv6 host stands in brackets.
result<contact, error> parse_contact(std::string_view text);
std::string to_text(contact const& where);

/// Addresses that are worth a try, and when. A plain data structure: the caller brings time and chance.
///
/// - Asked-for addresses ("kept") are never forgotten; what peers tell is bounded, in all and from
///   one host, and gives way to newer tales: nobody fills the book alone.
/// - After a failure an address rests 0.25 s, then twice as long each time, up to a minute (kept) or an
///   hour (told), with a random part, so that nodes that lost each other do not return in step.
class address_book {
public:
    static constexpr std::size_t told_max = 1024;
    static constexpr std::size_t told_by_host_max = 32;
    static constexpr std::uint32_t failures_max = 16;  ///< then a told address is forgotten

    explicit address_book(std::uint64_t seed) : chance_{seed} {}

    void keep(contact const& where);
    /// What a peer says. False: known already, or no room.
    bool hear(contact const& where, std::string_view from_host);

    /// The next address to dial; none when all rest or are in use, or lead to somebody with whom we are
    /// in touch anyhow. It counts as in use until `failed`, `lost` or `forget`.
    std::optional<contact> next(time_ms now,
                                std::function<bool(crypto::public_key const&)> const& in_touch,
                                bool kept_only = false);
    void failed(contact const& where, time_ms now);
    void connected(contact const& where, crypto::public_key const& who);
    void lost(contact const& where, time_ms now);
    void forget(contact const& where);

    /// Some that worked, for who asks.
    std::vector<contact> sample(std::size_t count);

    /// What is worth writing down: every told address, and for how long it still rests.
    struct remembered {
        contact where{};
        std::string from_host{};
        bool worked{};
        std::uint32_t failures{};
        std::int64_t rests_ms{};

        friend bool operator==(remembered const&, remembered const&) = default;
    };
    std::vector<remembered> remember(time_ms now) const;
    /// What was written down, within the same bounds as what is heard. False: known, or no room.
    bool recall(remembered const& what, time_ms now);
    std::size_t size() const noexcept { return entries_.size(); }

private:
    struct entry {
        contact where{};
        bool kept{};
        bool busy{};
        bool worked{};
        std::uint32_t failures{};
        time_ms rests_until{};
        std::string from_host{};
        std::optional<crypto::public_key> who{};  ///< met there
    };
    static std::string name_of(contact const& where);
    void rest(entry& e, time_ms now);

    std::map<std::string, entry> entries_{};
    rng chance_;
};

/// No book is longer as text; what stands behind that in a file is not read.
inline constexpr std::size_t book_text_max = std::size_t{1} << 20;
/// An address book as text, a line an address; who reads it believes none of it more than a peer's word.
std::string to_text(std::span<address_book::remembered const> book);
/// Lines that are none are left out.
std::vector<address_book::remembered> parse_book(std::string_view text);

/// Points against keys. A hundred make a ban; they halve every ten minutes. Bounded: the oldest go first.
class score_keeper {
public:
    static constexpr std::int64_t ban_at = 100;
    static constexpr std::int64_t half_life_ms = 600'000;
    static constexpr std::int64_t ban_ms = 600'000;
    static constexpr std::size_t entries_max = 4096;

    /// True: that was the point which made it a ban.
    bool add(crypto::public_key const& who, std::int64_t points, time_ms now);
    bool banned(crypto::public_key const& who, time_ms now) const;
    std::int64_t score(crypto::public_key const& who, time_ms now) const;
    std::size_t size() const noexcept { return marks_.size(); }

private:
    struct mark {
        std::int64_t points{};
        time_ms at{};
        time_ms banned_until{};
    };
    static std::int64_t faded(mark const& m, time_ms now);

    std::map<crypto::public_key, mark> marks_{};
};

/// A bucket of tokens: so many a second, and at most a second's worth (or `burst`) saved up. It may be
/// overdrawn; then `wait_ms` says for how long.
class budget {
public:
    budget(std::uint64_t per_second, std::uint64_t burst)
        : rate_{static_cast<std::int64_t>(per_second)},
          burst_{static_cast<std::int64_t>(burst)},
          left_{static_cast<std::int64_t>(burst)}
    {}

    void spend(std::uint64_t tokens, time_ms now);
    /// 0: there is something left.
    std::int64_t wait_ms(time_ms now);

private:
    void fill(time_ms now);

    std::int64_t rate_;
    std::int64_t burst_;
    std::int64_t left_;
    time_ms filled_{};
};

}  // namespace blendr::net
