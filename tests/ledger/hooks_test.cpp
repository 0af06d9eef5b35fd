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
