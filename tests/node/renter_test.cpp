// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/renter.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include "job_town.hpp"

using namespace blendr;
using namespace blendr::test;

TEST_CASE("renter: a quote says what it costs and who matches, before anything is paid")
{
    job_town town{scratch("renter") / "quote", 4};
    REQUIRE(town.good());
    auto const by = town.renter(13);
    auto const before = town.balance(13);
    auto what = small_picture(6);
    auto const alone = by->quote(what);
    REQUIRE_MESSAGE(alone, (alone ? std::string{} : alone.error()));
    CHECK(alone->providers == 0);
    town.let_in(10);
    REQUIRE(eventually([&] { return town.offers() == 1; }));
    auto const one = by->quote(what);
    REQUIRE(one);
    CHECK(one->providers == 1);
    CHECK(one->sentence().find("1 provider matches") != std::string::npos);
    CHECK(one->verifier.find("quorum ×2") == 0);
    CHECK(one->each == amount{50'000'000});
    CHECK(one->each_most == amount{100'000'000});
    CHECK(one->total == amount{one->units * 100'000'000ull});
    what.wanted = "vram >= 16_GiB";
    auto const picky = by->quote(what);
    REQUIRE(picky);
    CHECK(picky->providers == 0);
    CHECK(picky->explained.find("vram") != std::string::npos);
    CHECK(town.balance(13) == before);
}

TEST_CASE("renter: what cannot be ordered is refused with a sentence, and nothing is paid")
{
    job_town town{scratch("renter") / "bad", 4};
    REQUIRE(town.good());
    auto const by = town.renter(13);
    auto const before = town.balance(13);
    auto const refused = [&](auto&& change, char const* word) {
        auto what = small_picture(4);
        change(what);
        auto const done = by->submit(what);
        REQUIRE(!done);
        CHECK_MESSAGE(done.error().find(word) != std::string::npos, done.error());
    };
    refused([](auto& w) { w.app = "mining"; }, "no app");
    refused([](auto& w) { w.units = 0; }, "units");
    refused([](auto& w) { w.units = 257; }, "units");
    refused([](auto& w) { w.wanted = "vram >>= 1"; }, "requirement");
    refused([](auto& w) { w.each_most = 100'000_blnd; }, "insufficient funds");
    refused([](auto& w) { w.what.files[0].content = to_bytes(std::string_view{"nonsense"}); },
            "line 1");
    CHECK(town.balance(13) == before);
    CHECK(by->jobs().empty());
    CHECK(!by->look(7));
    CHECK(!by->cancel(7));
}

TEST_CASE("renter: a job that is cancelled gives back what was not paid" *
          doctest::test_suite("e2e"))
{
    job_town town{scratch("renter") / "cancel", 4};
    REQUIRE(town.good());
    auto const by = town.renter(13);
    auto const number = by->submit(small_picture(4));
    REQUIRE_MESSAGE(number, (number ? std::string{} : number.error()));
    REQUIRE(eventually([&] {
        auto const s = by->look(*number);
        return s && s->phase == node::job_phase::searching;
    }));
    CHECK(town.money().first < town.money().second);  // some of it lies in the job and the bid
    REQUIRE(eventually([&] {
        (void)by->look(*number);
        return by->cancel(*number).has_value();
    }));
    auto const end = by->watch(*number, [](auto const&) { return true; });
    REQUIRE(end);
    CHECK(end->phase == node::job_phase::failed);
    CHECK(end->cost == amount{});
    auto const [is, should] = town.money();
    CHECK(is == should);
    CHECK(!by->files(*number));
}
