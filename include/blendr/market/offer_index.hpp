// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <blendr/core/amount.hpp>
#include <blendr/core/result.hpp>
#include <blendr/market/capability.hpp>
#include <blendr/market/requirement.hpp>

namespace blendr::market {

struct offer_tag {
    static constexpr auto rules = arithmetic::none;
};
/// Names an offer in an index: a number below the index's `offers_max`, chosen by the caller.
using offer_id = strong<offer_tag, std::uint32_t>;

/// Why a requirement finds what it finds.
struct explanation {
    /// The cheapest offer that only this constraint keeps out.
    struct near_miss {
        offer_id id{};
        price at{};
        std::string value{};  ///< what it has where the constraint looks; empty for a group
        friend bool operator==(near_miss const&, near_miss const&) = default;
    };
    struct constraint {
        std::string text{};
        std::uint64_t failing{};     ///< offers for which it is not true
        std::uint64_t unknown{};     ///< of these, so many do not say
        std::uint64_t would_pass{};  ///< offers that satisfy all the others but not this one
        std::optional<near_miss> nearest{};
        friend bool operator==(constraint const&, constraint const&) = default;
    };
    std::uint64_t offers{};
    std::uint64_t satisfying{};
    std::vector<constraint> constraints{};
    friend bool operator==(explanation const&, explanation const&) = default;
};

/// A few lines for people. `name` says what to call an offer; "offer 7" without it.
std::string to_text(explanation const& e,
                    std::function<std::string(offer_id)> const& name = nullptr);

/// Offers, searchable by requirement, cheapest first, at equal price lowest id first. Offers may
/// change at any time; searching is const and may run on several threads while none changes it.
///
/// Offers stand in blocks of 512, ordered by price; a bitmap for every word and for steps of every
/// number tells which of a block have it. A search reads a cache line a block for each constraint,
/// rarest first, as long as any offer is left, and stops when it has enough.
class offer_index {
public:
    struct limits {
        std::uint32_t offers_max{1u << 20};
        std::uint32_t words_max{4096};  ///< distinct words per attribute, and distinct sets of them
    };

    offer_index() : offer_index(limits{}) {}
    explicit offer_index(limits bounds);
    ~offer_index();
    offer_index(offer_index&&) noexcept;
    offer_index& operator=(offer_index&&) noexcept;

    /// Adds or changes an offer. The price given is the offer's `price` attribute. Refuses with
    /// index_full an id that is too large and a word too many; then nothing has changed.
    result<nothing, reject> put(offer_id id, price at, capability const& what);
    /// True when there was such an offer.
    bool erase(offer_id id);

    bool contains(offer_id id) const noexcept;
    std::size_t size() const noexcept;

    /// The cheapest offers that surely satisfy `what`, as many as `out` holds; tells how many.
    std::size_t find(requirement const& what, std::span<offer_id> out) const;
    /// How many surely satisfy it.
    std::uint64_t count(requirement const& what) const;
    explanation explain(requirement const& what) const;

    /// Asserts that every internal structure agrees with every other. For tests.
    void check() const;

private:
    friend class standing_search;
    class state;
    std::unique_ptr<state> state_;
};

/// A requirement that is asked again and again while offers change, as a waiting renter does. It is
/// prepared once, keeps what it found, and looks again only when an offer changed that could matter:
/// one with its rarest word, and no dearer than what was found. The answer is always
/// `offer_index::find`'s. The index must outlive it and may be moved; one thread at a time.
class standing_search {
public:
    standing_search(offer_index const& in, requirement what, std::size_t most);
    ~standing_search();
    standing_search(standing_search&&) noexcept;
    standing_search& operator=(standing_search&&) noexcept;

    /// The cheapest offers that surely satisfy it now. Valid until the next call.
    std::span<offer_id const> find();
    requirement const& what() const noexcept;

private:
    class state;
    std::unique_ptr<state> state_;
};

}  // namespace blendr::market
