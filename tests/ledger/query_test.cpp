// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/query.hpp>  // first: it stands alone

#include <atomic>
#include <map>
#include <optional>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <blendr/app/block_id.hpp>
#include <blendr/core/random.hpp>
#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/machine.hpp>
#include <blendr/ledger/message.hpp>
#include <blendr/ledger/sandbox.hpp>
#include <ledger/fixtures.hpp>
#include <ledger/library.hpp>

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

TEST_CASE("query: a contract answers in its own types, in bytes, and with its own errors")
{
    library chain{small()};
    CHECK(chain.ask(shelf::book{7}).error() == code(query_fault::not_begun));
    CHECK(chain.query("shelf/book", {}).code == code(query_fault::not_begun));
    REQUIRE(chain.init(encode(readers(3))));
    decide(chain, write(chain, {}, {{7, 300, false}, {9, 20, false}, {8, 1, true}}));
    CHECK(chain.ask(shelf::book{7}).value().pages == 300);
    CHECK(chain.ask(shelf::book{8}).error() == code<shelf>(shelf::error::no_such_book));
    auto const answer = chain.query("shelf/book", encode(shelf::book{9}));
    CHECK(answer.code == 0);
    CHECK(decode<shelf::books::row>(answer.value).value().pages == 20);
    CHECK(answer.proof.empty());
    CHECK(chain.query("shelf/book", encode(shelf::book{8})).code ==
          code<shelf>(shelf::error::no_such_book));
    // tables of others, as far as these share them
    CHECK(chain.ask(shelf::riches{{person(2).account(), person(77).account()}}).value() ==
          1'000_blnd);
}

TEST_CASE("query: what cannot be answered has a name")
{
    auto how = small();
    how.queries.rows_max = 3;
    how.queries.answer_bytes_max = 30;
    library chain{how};
    REQUIRE(chain.init(encode(readers(3))));
    decide(chain, write(chain, {}, {{1, 1, false}, {2, 1, false}, {3, 1, false}, {4, 1, false}}));
    auto const refused = [&](std::string_view path, bytes const& raw) {
        auto const out = chain.query(path, raw);
        CHECK(out.value.empty());
        CHECK(out.proof.empty());
        return static_cast<query_fault>(out.code);
    };
    CHECK(refused("shelf/magazine", {}) == query_fault::unknown_path);
    CHECK(refused("shelf", {}) == query_fault::unknown_path);
    CHECK(refused("", {}) == query_fault::unknown_path);
    CHECK(refused("bank/book", encode(shelf::book{1})) == query_fault::unknown_path);
    CHECK(refused("shelf/book", {}) == query_fault::malformed_argument);
    CHECK(refused("shelf/books", {}) == query_fault::malformed_argument);
    CHECK(refused("shelf/list", encode(shelf::list{0, 9})) == query_fault::too_large);
    CHECK(chain.query("shelf/list", encode(shelf::list{0, 2})).code == 0);
    CHECK(refused("shelf/list", encode(shelf::list{0, 3})) == query_fault::too_large);  // bytes
    CHECK(refused("shelf/list?proof", encode(shelf::list{0, 2})) == query_fault::not_provable);
    CHECK(refused("shelf/as_thick?proof", encode(shelf::as_thick{1})) == query_fault::not_provable);
    CHECK(chain.ask(shelf::riches{std::vector<address>(4)}).error() ==
          code(query_fault::too_large));
    for (std::uint16_t n = 0; n <= 5; ++n)
        CHECK(message(static_cast<query_fault>(n)) != "unknown reason");
    CHECK(message(static_cast<query_fault>(6)) == "unknown reason");
    CHECK(code(query_fault::not_provable) == 5);
}

TEST_CASE("query: on request the rows behind an answer are proven, one by one")
{
    library chain{small()};
    REQUIRE(chain.init(encode(readers(3))));
    auto const first = write(chain, {}, {{7, 300, false}});
    decide(chain, first);
    auto const next = write(chain, first, {{7, 200, false}});  // and not decided
    auto const root = decode_block(next.payload)->head.after_parent.state;
    auto const who = person(1).account();
    auto const answer =
        chain.query("shelf/riches?proof", encode(shelf::riches{{who, person(9).account()}}));
    REQUIRE(answer.code == 0);
    auto const rows = proven_rows(answer.proof, root);
    REQUIRE(rows.has_value());
    REQUIRE(rows->size() == 2);
    CHECK(rows->at(0).key == state_key<base, purses>(who));
    CHECK(decode<purses::row>(rows->at(0).value)->balance == decode<amount>(answer.value));
    CHECK(rows->at(1).value.empty());
    CHECK_FALSE(proven_rows(answer.proof, some_hash(1)).has_value());
    for (std::size_t i = 0; i < answer.proof.size(); i += 7) {
        auto bent = answer.proof;
        bent[i] ^= std::byte{1};
        CHECK_FALSE(proven_rows(bent, root).has_value());
    }
    auto const many = encode(shelf::riches{std::vector<address>(65, who)});
    CHECK(chain.query("shelf/riches", many).code == 0);
    CHECK(chain.query("shelf/riches?proof", many).code == code(query_fault::too_large));
}

TEST_CASE("query: answers are those of the last commit, wherever undecided blocks stand" *
          doctest::test_suite("property"))
{
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        CAPTURE(seed);
        rng random{seed};
        auto how = small();
        how.store = std::make_shared<state::memory_store>();
        std::map<std::uint32_t, std::uint64_t> books{};
        {
            library chain{how};
            REQUIRE(chain.init(encode(readers(3))));
            written tip{};
            for (int h = 0; h < 12; ++h) {
                // a few siblings, one of them with a child; then one is decided
                std::vector<std::pair<written, std::vector<shelf::put>>> siblings{};
                for (int i = 0; i < 3; ++i) {
                    std::vector<shelf::put> puts{};
                    auto const count = random.below(8);
                    for (std::uint64_t n = 0; n < count; ++n) {
                        auto const book = static_cast<std::uint32_t>(random.below(24));
                        auto const pages = random.below(6);
                        puts.push_back({book, pages, random.chance(1, 8)});
                    }
                    siblings.emplace_back(write(chain, tip, puts, i), puts);
                    check_shelf(chain, books);
                    if (random.chance(1, 2)) {
                        auto const above = static_cast<std::uint32_t>(random.below(24));
                        write(chain, siblings.back().first, {{above, random.below(6), false}});
                        check_shelf(chain, books);
                    }
                }
                auto const& [chosen, puts] = siblings[random.below(3)];
                decide(chain, chosen);
                tip = chosen;
                for (auto const& each : puts) {
                    if (each.fails) continue;
                    books[each.book] = each.pages;
                    if (each.pages == 0) books.erase(each.book);
                }
                check_shelf(chain, books);
            }
        }
        library again{how};  // the index is made of the rows again
        REQUIRE(again.load());
        check_shelf(again, books);
    }
}

TEST_CASE("query: many threads may ask while blocks are executed")
{
    library chain{small()};
    REQUIRE(chain.init(encode(readers(3))));
    std::atomic<bool> done{false};
    std::vector<std::thread> askers{};
    std::atomic<std::uint64_t> wrong{0};
    for (int t = 0; t < 3; ++t)
        askers.emplace_back([&] {
            while (!done) {
                // every block rewrites all of them with one number
                auto const all = chain.ask(shelf::list{0, 100}).value();
                for (auto const& each : all)
                    if (each.pages != all.front().pages || all.size() != 10) ++wrong;
            }
        });
    written tip{};
    for (std::uint64_t h = 1; h <= 20; ++h) {
        std::vector<shelf::put> puts{};
        for (std::uint32_t i = 0; i < 10; ++i) puts.push_back({i, h, false});
        tip = write(chain, tip, puts);
        decide(chain, tip);
    }
    done = true;
    for (auto& each : askers) each.join();
    CHECK(wrong == 0);
}

TEST_CASE("query: a sandbox answers as a machine does")
{
    auto const ada = crypto::address_of("test", as_bytes("ada"));
    sandbox<bank, shelf> chain;
    chain.fund(ada, 5_blnd);
    CHECK(chain.call(ada, shelf::put{3, 30, false}) == 0);
    CHECK(chain.ask(shelf::book{3}).value().pages == 30);
    CHECK(chain.ask(shelf::book{4}).error() == code<shelf>(shelf::error::no_such_book));
    CHECK(chain.ask(shelf::as_thick{30}).value() == 1);
    CHECK(chain.ask(shelf::list{0, 5}).value() == std::vector<shelf::listed>{{3, 30}});
    CHECK(chain.ask(shelf::riches{{ada}}).value() == 5_blnd);
}
