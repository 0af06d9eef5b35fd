// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/crypto/sealing_key.hpp>
#include <blendr/ledger/contract.hpp>
#include <blendr/verify/tables.hpp>

/// Who may read what a job is about. Its inputs lie sealed under a content key; here stands to whom the
/// key may be given, and where each job's `crypto::sealed_for` lies. The chain sees names only.
namespace blendr::escrow {

/// An account's letter box: the key it is written to under, and how many letters it has left for others.
struct boxes {
    static constexpr std::string_view name = "boxes";
    using key = ledger::address;
    struct row {
        crypto::sealing_public_key to{};
        std::uint32_t left{};
        friend bool operator==(row const&, row const&) = default;
    };
};
BOOST_DESCRIBE_STRUCT(boxes::row, (), (to, left))

/// Where a letter lies: a blob, which only those whom it names can open.
struct letter_of {
    static constexpr std::string_view name = "letters";
    struct key {
        ledger::address from{};
        std::uint64_t number{};
        friend bool operator==(key const&, key const&) = default;
    };
    struct row {
        hash256 blob{};
        friend bool operator==(row const&, row const&) = default;
    };
};
BOOST_DESCRIBE_STRUCT(letter_of::key, (), (from, number))
BOOST_DESCRIBE_STRUCT(letter_of::row, (), (blob))

/// Numbers are frozen: they stand in receipts.
enum class letter_error : std::uint16_t {
    ok = 0,
    no_key = 1,
    no_letter = 2,
    too_many = 3,
};
BOOST_DESCRIBE_ENUM(letter_error, ok, no_key, no_letter, too_many)

/// A sentence for people.
constexpr std::string_view message(letter_error why) noexcept
{
    switch (why) {
    case letter_error::ok:
        return "nothing is wrong";
    case letter_error::no_key:
        return "a key of zeros is nobody's";
    case letter_error::no_letter:
        return "there is no letter of that number, or it names no blob";
    case letter_error::too_many:
        return "the account has as many letters out as it may; withdraw one";
    }
    return "unknown reason";
}

/// Letters on a ledger, to be listed beside `contract`, which knows nothing of them. Whoever works
/// publishes a key; whoever has a job done leaves under its number the name of the blob that holds its
/// content key, wrapped for those who do it, and another one when others do.
struct letters {
    static constexpr std::uint16_t id = 9;
    static constexpr std::string_view name = "letters";
    using error = letter_error;

    /// That an account may have out at a time: what they cost the chain is bounded by the accounts.
    static constexpr std::uint32_t most = 1'024;

    struct publish {
        crypto::sealing_public_key to{};
    };
    /// Again under the same number, and it takes the place of the one before.
    struct leave {
        std::uint64_t number{};
        hash256 blob{};
    };
    struct withdraw {
        std::uint64_t number{};
    };
    using messages = ledger::type_list<publish, leave, withdraw>;
    using tables = ledger::type_list<boxes, letter_of>;

    /// A query, "letters/readers": enlisted workers that have a key, in order of their bonds. Any of them
    /// may be drawn to do a unit again.
    struct readers {
        std::uint32_t most{100};
    };
    struct reader {
        ledger::address who{};
        crypto::sealing_public_key to{};
    };
    using queries = ledger::type_list<readers>;
    static std::vector<reader> query(auto const& view, readers const& asked)
    {
        std::vector<reader> out{};
        view.template each<verify::workers>({}, [&](auto const&, verify::workers::row const& row) {
            auto const known = [&](reader const& r) { return r.who == row.owner; };
            auto const& box = view.template row<boxes>(row.owner);
            if (box.to != crypto::sealing_public_key{} &&
                std::none_of(out.begin(), out.end(), known))
                out.push_back({row.owner, box.to});
            return out.size() < asked.most;
        });
        return out;
    }

    struct plan {
        ledger::ref<boxes, ledger::mode::write> box{};
    };
    struct letter_plan : plan {
        ledger::ref<letter_of, ledger::mode::write> letter{};
    };
    static plan touches(publish const&, ledger::tx_info const& tx, auto& access)
    {
        return {access.template use<boxes, ledger::mode::write>(tx.sender)};
    }
    template <class Message>
    static letter_plan touches(Message const& m, ledger::tx_info const& tx, auto& access)
    {
        return {{access.template use<boxes, ledger::mode::write>(tx.sender)},
                access.template use<letter_of, ledger::mode::write>({tx.sender, m.number})};
    }

    static error apply(auto& ctx, publish const& m, plan const& rows)
    {
        if (m.to == crypto::sealing_public_key{}) return error::no_key;
        ctx.edit(rows.box).to = m.to;
        return error::ok;
    }
    static error apply(auto& ctx, leave const& m, letter_plan const& rows)
    {
        if (m.blob == hash256{}) return error::no_letter;
        if (ctx.read(rows.letter) == letter_of::row{}) {
            if (ctx.read(rows.box).left >= most) return error::too_many;
            ++ctx.edit(rows.box).left;
        }
        ctx.edit(rows.letter).blob = m.blob;
        return error::ok;
    }
    static error apply(auto& ctx, withdraw const&, letter_plan const& rows)
    {
        if (ctx.read(rows.letter) == letter_of::row{}) return error::no_letter;
        --ctx.edit(rows.box).left;
        ctx.edit(rows.letter) = {};
        return error::ok;
    }
};
BOOST_DESCRIBE_STRUCT(letters::readers, (), (most))
BOOST_DESCRIBE_STRUCT(letters::reader, (), (who, to))
BOOST_DESCRIBE_STRUCT(letters::publish, (), (to))
BOOST_DESCRIBE_STRUCT(letters::leave, (), (number, blob))
BOOST_DESCRIBE_STRUCT(letters::withdraw, (), (number))

}  // namespace blendr::escrow
