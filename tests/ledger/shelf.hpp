// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <blendr/ledger/contract.hpp>
#include <blendr/ledger/index.hpp>
#include <blendr/ledger/purses.hpp>

/// A contract with queries of every kind.
namespace blendr::ledger::test {

struct shelf {
    static constexpr std::uint16_t id = 30;
    static constexpr std::string_view name = "shelf";
    enum class error : std::uint16_t { ok, no_such_book };

    struct books {
        static constexpr std::string_view name = "books";
        static constexpr bool ordered = true;
        using key = std::uint32_t;
        struct row {
            std::uint64_t pages{};
            friend bool operator==(row const&, row const&) = default;
        };
    };
    using tables = type_list<books>;

    struct put {  // no pages: taken away
        std::uint32_t book{};
        std::uint64_t pages{};
        bool fails{};
    };
    using messages = type_list<put>;

    /// How many books have so many pages: found in no row.
    struct index {
        std::map<std::uint64_t, std::uint64_t> by_pages{};
        void follow(row_step<books> const& step)
        {
            if (step.before.pages != 0 && --by_pages[step.before.pages] == 0)
                by_pages.erase(step.before.pages);
            if (step.after.pages != 0) ++by_pages[step.after.pages];
        }
    };

    struct book {
        std::uint32_t number{};
    };
    struct list {
        std::uint32_t from{};
        std::uint32_t most{};
    };
    struct listed {
        std::uint32_t number{};
        std::uint64_t pages{};
        friend bool operator==(listed const&, listed const&) = default;
    };
    struct as_thick {
        std::uint64_t pages{};
    };
    struct riches {
        std::vector<address> of{};
    };
    using queries = type_list<book, list, as_thick, riches>;

    static result<books::row, error> query(auto const& view, book const& asked)
    {
        auto const& found = view.template row<books>(asked.number);
        if (found == books::row{}) return fail{error::no_such_book};
        return found;
    }
    static std::vector<listed> query(auto const& view, list const& asked)
    {
        std::vector<listed> out{};
        view.template each<books>(asked.from, [&](auto number, auto const& row) {
            out.push_back({number, row.pages});
            return out.size() < asked.most;
        });
        return out;
    }
    static std::uint64_t query(auto const& view, as_thick const& asked)
    {
        auto const found = view.index().by_pages.find(asked.pages);
        return found == view.index().by_pages.end() ? 0 : found->second;
    }
    static amount query(auto const& view, riches const& asked)
    {
        amount sum{};
        for (auto const& each : asked.of) sum += view.template row<purses>(each).balance;
        return sum;
    }

    struct plan {
        ref<books, mode::write> book{};
    };
    static plan touches(put const& m, tx_info const&, auto& access)
    {
        return {access.template use<books, mode::write>(m.book)};
    }
    static error apply(auto& ctx, put const& m, plan const& rows)
    {
        ctx.edit(rows.book).pages = m.pages;
        return m.fails ? error::no_such_book : error::ok;
    }
};
BOOST_DESCRIBE_ENUM(shelf::error, ok, no_such_book)
BOOST_DESCRIBE_STRUCT(shelf::books::row, (), (pages))
BOOST_DESCRIBE_STRUCT(shelf::put, (), (book, pages, fails))
BOOST_DESCRIBE_STRUCT(shelf::book, (), (number))
BOOST_DESCRIBE_STRUCT(shelf::list, (), (from, most))
BOOST_DESCRIBE_STRUCT(shelf::listed, (), (number, pages))
BOOST_DESCRIBE_STRUCT(shelf::as_thick, (), (pages))
BOOST_DESCRIBE_STRUCT(shelf::riches, (), (of))

}  // namespace blendr::ledger::test
