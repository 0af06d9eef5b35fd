// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/rows.hpp>  // first: it stands alone

#include <map>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <blendr/core/random.hpp>
#include <ledger/arena.hpp>

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

// A lane is the overlay of a transaction on that of its block: what changed is kept as what it was, so
// that reading costs nothing and going back costs what was written.
TEST_CASE(
    "rows: transactions within blocks within a chain, undone and done again, against a model" *
    doctest::test_suite("property"))
{
    using model = std::map<std::uint32_t, std::uint64_t>;
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        CAPTURE(seed);
        rng random{seed};
        rows<chain> state{seed};
        auto& notes = state.table<arena::notes>();
        auto const look = [&] {
            model out;
            notes.each([&](auto key, auto const& row) { return out[key] = row.text, true; });
            return out;
        };
        std::vector<std::pair<delta<chain>, model>> history;  // a block, and what was before it
        std::uint32_t stamp = 0;
        model now;
        for (int block = 0; block < 12; ++block) {
            lane<chain> on{state, ++stamp};
            auto const before = now;
            for (std::uint32_t tx = 0; tx < 20; ++tx) {
                auto const safe = now;
                on.begin(tx);
                for (auto n = random.below(6); n-- > 0;) {
                    auto const key = static_cast<std::uint32_t>(random.below(15));
                    auto const text = random.below(4);
                    on.edit<arena::notes>(notes.intern(key)).text = text;
                    text == 0 ? static_cast<void>(now.erase(key))
                              : static_cast<void>(now[key] = text);
                }
                if (random.chance(1, 3)) {
                    on.rollback();
                    now = safe;
                } else {
                    on.keep();
                }
            }
            on.flush_marks();
            REQUIRE(look() == now);
            history.emplace_back(std::move(on.before), before);
            auto const depth = random.below(history.size() + 1);
            std::vector<model> ahead;
            auto after = now;
            for (std::size_t i = 0; i < depth; ++i) {
                auto& [undo, was] = history[history.size() - 1 - i];
                undo.swap(state);
                ahead.push_back(after);
                after = was;
                REQUIRE(look() == was);
            }
            for (std::size_t i = depth; i-- > 0;) {
                history[history.size() - 1 - i].first.swap(state);
                REQUIRE(look() == ahead[i]);
            }
        }
    }
}

TEST_CASE("rows: what a transaction posted, emitted and burned goes with it when it fails")
{
    rows<chain> state{0};
    lane<chain> on{state, 1};
    on.begin(1);
    on.post<arena::calls>(0, 7);
    on.emit(heard{7});
    on.burn(5_grains);
    on.keep();
    on.begin(2);
    on.post<arena::calls>(0, 8);
    on.emit(heard{8});
    on.burn(6_grains);
    on.rollback();
    CHECK(on.posts.of<arena::calls>().size() == 1);
    CHECK(on.events.size() == 1);
    CHECK(on.burned == 5_grains);
}
