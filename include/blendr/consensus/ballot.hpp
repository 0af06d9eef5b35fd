// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/consensus/engine.hpp>

namespace blendr::consensus {

/// The most validators whose votes a certificate can hold.
inline constexpr std::size_t validators_max = 4096;

inline constexpr crypto::domain ballot_domain{"ballot/1"};

/// What a validator puts its name to. Kinds 0 to 2 mean the same in every engine on `chained`.
namespace ballot_kind {
inline constexpr std::uint8_t propose = 0;  ///< a leader's: this is the block of my view
inline constexpr std::uint8_t vote = 1;     ///< a quorum of them makes a block one to build on
inline constexpr std::uint8_t give_up = 2;  ///< this view has lasted long enough
}  // namespace ballot_kind

/// `prior` is the view of the block that this one extends (or repeats): a vote that left it open
/// could be counted for a commit that its voter never saw a reason for.
struct ballot {
    std::uint8_t kind{};
    std::uint64_t epoch{};
    std::uint64_t view{};
    std::uint64_t prior{};
    block_id id{};

    friend bool operator==(ballot const&, ballot const&) = default;
};
BOOST_DESCRIBE_STRUCT(ballot, (), (kind, epoch, view, prior, id))

/// The bytes under a ballot's signature: the ballot on its chain.
struct ballot_statement {
    ballot about{};
    hash256 chain{};
};
BOOST_DESCRIBE_STRUCT(ballot_statement, (), (about, chain))

struct signed_ballot {
    ballot about{};
    crypto::signature by{};
};
BOOST_DESCRIBE_STRUCT(signed_ballot, (), (about, by))

/// A quorum's ballots in one: who signed, by seat, and the signatures in seat order.
struct certificate {
    ballot about{};
    bounded<bytes, validators_max / 8> seats{};
    bounded<std::vector<crypto::signature>, validators_max> signatures{};

    friend bool operator==(certificate const&, certificate const&) = default;
};
BOOST_DESCRIBE_STRUCT(certificate, (), (about, seats, signatures))

/// Two ballots that no honest validator signs both.
struct double_vote {
    signed_ballot first{};
    signed_ballot second{};
};
BOOST_DESCRIBE_STRUCT(double_vote, (), (first, second))

/// Spreads a number over 64 bits.
constexpr std::uint64_t scramble(std::uint64_t z) noexcept
{
    z += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

/// Those who vote in an epoch. A seat is a validator's place in the sorted set.
class electorate {
public:
    electorate() = default;
    explicit electorate(membership const& m) : epoch_{m.epoch}, chain_{m.chain}, set_{m.set}
    {
        BLENDR_ASSERT(!set_.empty() && set_.size() <= validators_max && app::well_formed(set_));
        total_ = app::total_power(set_);
        std::uint64_t below = 0;
        for (auto const& v : set_) up_to_.push_back(below += v.power.get());
    }

    std::uint64_t epoch() const noexcept { return epoch_; }
    std::size_t size() const noexcept { return set_.size(); }
    weight total() const noexcept { return total_; }
    weight quorum() const noexcept { return quorum_of(total_); }
    weight power(std::size_t seat) const noexcept { return set_[seat].power; }
    public_key const& key(std::size_t seat) const noexcept { return set_[seat].key; }
    hash256 const& chain() const noexcept { return chain_; }

    std::optional<std::size_t> seat_of(public_key const& who) const noexcept
    {
        auto const at = std::lower_bound(
            set_.begin(), set_.end(), who,
            [](app::validator const& v, public_key const& k) { return v.key < k; });
        if (at == set_.end() || at->key != who) return std::nullopt;
        return static_cast<std::size_t>(at - set_.begin());
    }

    /// Who leads a view: drawn by weight, so that many small validators who are faulty lead no more
    /// often than their weight says.
    std::size_t leader(std::uint64_t view) const noexcept
    {
        auto const draw = scramble(scramble(epoch_) ^ view);
        auto const point =
            static_cast<std::uint64_t>((static_cast<u128>(draw) * total_.get()) >> 64);
        auto const at = std::upper_bound(up_to_.begin(), up_to_.end(), point);
        return static_cast<std::size_t>(at - up_to_.begin());
    }

    bytes statement(ballot const& about) const { return encode(ballot_statement{about, chain_}); }

    claim claim_of(std::size_t seat, ballot const& about, crypto::signature const& by) const
    {
        std::array<std::byte, 96> raw{};
        auto const written = encode_into(ballot_statement{about, chain_}, raw);
        return {key(seat), crypto::hash(ballot_domain, written), by};
    }

    /// Whether the certificate is one of these voters, in its one form and heavy enough, if the
    /// claims that it appends hold.
    bool check(certificate const& c, std::vector<claim>* claims) const
    {
        if (c.about.epoch != epoch_ || c.seats.size() != (size() + 7) / 8) return false;
        weight sum{};
        std::size_t count = 0;
        for (std::size_t at = 0; at < c.seats.size() * 8; ++at) {
            if ((std::to_integer<unsigned>(c.seats[at / 8]) >> (at % 8) & 1) == 0) continue;
            if (at >= size() || count >= c.signatures.size()) return false;
            sum += power(at);
            ++count;
        }
        if (count != c.signatures.size() || sum < quorum()) return false;
        if (claims == nullptr) return true;
        auto digest = claim_of(0, c.about, {}).digest;
        for (std::size_t at = 0, n = 0; n < count; ++at)
            if ((std::to_integer<unsigned>(c.seats[at / 8]) >> (at % 8) & 1) != 0)
                claims->push_back({key(at), digest, c.signatures[n++]});
        return true;
    }

private:
    std::uint64_t epoch_{};
    hash256 chain_{};
    app::validator_set set_{};
    std::vector<std::uint64_t> up_to_{};  // by seat: the powers up to and with it
    weight total_{};
};

/// What each seat said in one view by ballots of one kind. A seat is counted once, for what it said
/// first; what contradicts that is handed back.
class tally {
public:
    /// How many different things a kind of ballot may be about in one view before the rest is dropped:
    /// honest voters need one, and a split leader makes few.
    static constexpr std::size_t choices_max = 8;

    struct choice {
        ballot about{};
        weight sum{};
        std::vector<std::pair<std::uint32_t, crypto::signature>> votes{};
    };

    enum class outcome : std::uint8_t { counted, repeated, contradicts, too_many };

    outcome add(electorate const& all, std::size_t seat, ballot const& about,
                crypto::signature const& by)
    {
        if (said_.empty()) said_.resize(all.size());
        auto at = static_cast<std::size_t>(
            std::find_if(choices_.begin(), choices_.end(),
                         [&](choice const& c) { return c.about == about; }) -
            choices_.begin());
        if (said_[seat] != 0)
            return said_[seat] == at + 1 ? outcome::repeated : outcome::contradicts;
        if (at == choices_.size()) {
            if (at == choices_max) return outcome::too_many;
            choices_.push_back({about, {}, {}});
        }
        said_[seat] = static_cast<std::uint8_t>(at + 1);
        choices_[at].sum += all.power(seat);
        choices_[at].votes.emplace_back(static_cast<std::uint32_t>(seat), by);
        return outcome::counted;
    }

    std::optional<signed_ballot> said(std::size_t seat) const
    {
        if (seat >= said_.size() || said_[seat] == 0) return std::nullopt;
        auto const& c = choices_[said_[seat] - 1u];
        for (auto const& [who, by] : c.votes)
            if (who == seat) return signed_ballot{c.about, by};
        return std::nullopt;
    }

    choice const* find(ballot const& about) const
    {
        for (auto const& c : choices_)
            if (c.about == about) return &c;
        return nullptr;
    }

    /// How many ballots it holds.
    std::size_t held() const noexcept
    {
        std::size_t sum = 0;
        for (auto const& c : choices_) sum += c.votes.size();
        return sum;
    }

    static certificate certify(choice const& c, std::size_t size)
    {
        certificate out{};
        out.about = c.about;
        out.seats.resize((size + 7) / 8);
        auto votes = c.votes;
        std::sort(votes.begin(), votes.end(),
                  [](auto const& a, auto const& b) { return a.first < b.first; });
        for (auto const& [seat, by] : votes) {
            out.seats[seat / 8] |= static_cast<std::byte>(1u << (seat % 8));
            out.signatures.push_back(by);
        }
        return out;
    }

private:
    std::vector<choice> choices_{};
    std::vector<std::uint8_t> said_{};  // by seat: which choice, from 1
};

}  // namespace blendr::consensus
