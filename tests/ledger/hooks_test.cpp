// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/hooks.hpp>  // first: it stands alone

#include <cstdint>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <boost/describe/class.hpp>

using namespace blendr;
using namespace blendr::ledger;

namespace {

std::vector<std::string_view> heard;  // by the contracts below, in the order in which they ran

struct bell {
    int rings{};
};
struct first {
    static constexpr std::uint16_t id = 20;
    static constexpr std::string_view name = "first";
    enum class error : std::uint16_t { ok };
    using messages = type_list<>;
    using events = type_list<bell>;
    static void begin_block(auto& ctx)
    {
        heard.push_back("first begins");
        ctx.emit(bell{2});
    }
    static void end_block(auto&) { heard.push_back("first ends"); }
    static void on(auto&, bell const&) { heard.push_back("first hears"); }
};
struct second {
    static constexpr std::uint16_t id = 21;
    static constexpr std::string_view name = "second";
    enum class error : std::uint16_t { ok };
    using messages = type_list<>;
    static void begin_block(auto&) { heard.push_back("second begins"); }
    static void on(auto& ctx, bell const& event)
    {
        heard.push_back("second hears");
        if (event.rings > 1) ctx.emit(bell{event.rings - 1});
    }
};
struct silent {
    static constexpr std::uint16_t id = 22;
    static constexpr std::string_view name = "silent";
    enum class error : std::uint16_t { ok };
    using messages = type_list<>;
};

}  // namespace

TEST_CASE(
    "hooks: contracts run in the chain's order, and events are heard before the next one runs")
{
    using chain = registry<first, second, silent>;
    rows<chain> state{1};
    lane<chain> on{state, 1};
    block_info const block{};
    amount minted{};
    hooks<chain> all{on, block, minted};
    heard.clear();
    all.begin_block();
    CHECK(heard == std::vector<std::string_view>{"first begins", "first hears", "second hears",
                                                 "first hears", "second hears", "second begins"});
    heard.clear();
    all.end_block();
    CHECK(heard == std::vector<std::string_view>{"first ends"});
    all.deliver();
    CHECK(heard.size() == 1);  // nothing is told twice
    CHECK(minted == amount{});
}

namespace {

/// A contract whose end_block does much, cell by cell.
struct mill {
    static constexpr std::uint16_t id = 23;
    static constexpr std::string_view name = "mill";
    enum class error : std::uint16_t { ok };
    struct cells {
        static constexpr std::string_view name = "cells";
        static constexpr bool ordered = true;
        using key = std::uint32_t;
        struct row {
            std::uint64_t grain{};
            friend bool operator==(row const&, row const&) = default;
        };
    };
    using tables = type_list<cells>;
    using messages = type_list<>;

    static void end_block(auto& ctx)
    {
        ctx.template edit<cells>(1'000).grain = 1;  // seen by all parts
        ctx.in_parallel(
            200,
            [](auto const& view, std::size_t i) {
                auto sum = view.template row<cells>(1'000).grain;
                view.template each<cells>([&](auto key, auto const& row) {
                    sum = sum * 31 + row.grain * (i + 1) + key;
                    return true;
                });
                return sum;
            },
            [&](std::size_t i, std::uint64_t sum) {
                auto& next = ctx.template edit<cells>(static_cast<std::uint32_t>(i));
                auto const before = ctx.template row<cells>(1'000).grain;
                next.grain = sum + before;  // in order: each sees what the one before left
                ctx.template edit<cells>(1'000).grain = before * 3 + sum;
            });
    }
};
BOOST_DESCRIBE_STRUCT(mill::cells::row, (), (grain))

std::vector<std::uint64_t> milled(task_pool* pool)
{
    using chain = registry<mill>;
    rows<chain> state{1};
    std::uint32_t stamp = 0;
    for (int block = 0; block < 5; ++block) {
        lane<chain> on{state, ++stamp};
        block_info const at{};
        amount minted{};
        hooks<chain> all{on, at, minted, pool};
        all.end_block();
        on.flush_marks();
    }
    std::vector<std::uint64_t> out{};
    state.table<mill::cells>().each([&](auto, auto const& row) {
        out.push_back(row.grain);
        return true;
    });
    return out;
}

template <class Context>
concept changes_rows = requires(Context& in) { in.template edit<mill::cells>(0U); };

}  // namespace

TEST_CASE("hooks: work in parallel gives what order gives, on any number of threads")
{
    auto const expected = milled(nullptr);
    CHECK(expected.size() == 201);
    for (unsigned threads = 1; threads <= 8; ++threads) {
        task_pool pool{threads};
        CHECK(milled(&pool) == expected);
    }
    static_assert(changes_rows<hook_context<registry<mill>, mill>>);
    static_assert(!changes_rows<hook_view<registry<mill>, mill> const>, "a part changes nothing");
}
