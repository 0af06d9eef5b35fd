// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/renter.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <cstring>
#include <span>

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
    CHECK(eventually([&] {  // some of it lies in the job and the bid
        auto const [is, should] = town.money();
        return is < should;
    }));
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

TEST_CASE("renter: a program of one's own goes only to devices that run such programs" *
          doctest::test_suite("e2e"))
{
    job_town town{scratch("renter") / "program"};
    REQUIRE(town.good());
    // what a Vulkan device would make of the program below
    auto const trebles = [](std::string_view app, bytes_view packed,
                            std::stop_token) -> result<bytes, std::string> {
        auto const unit = work::unpack(packed);
        if (!unit || app != "program" || unit->inputs.size() != 2)
            return fail{std::string{"no such unit"}};
        bytes out{};
        for (std::size_t i = 0; i + 4 <= unit->inputs[1]->size(); i += 4) {
            std::uint32_t word = 0;
            std::memcpy(&word, unit->inputs[1]->data() + i, 4);
            word *= 3;
            auto const raw = as_bytes(std::span{&word, 1});
            out.insert(out.end(), raw.begin(), raw.end());
        }
        return out;
    };
    town.let_in(10);
    for (auto const i : {std::uint8_t{11}, std::uint8_t{12}})
        town.let_in(i, town.settings(i), 1, trebles, "features={spirv}, ");
    REQUIRE(eventually([&] { return town.offers() == 3; }));
    node::job_request what{};
    what.app = "program";
    what.wanted = "features has spirv";
    what.what.options = R"({"program":"treble.comp","range":[512,1,1],"unit_points":128,"push":[3],
        "inputs":[{"file":"numbers.bin","element_bytes":4,"split":true}],"result":"trebled.bin"})";
    what.what.files.push_back({"treble.comp", to_bytes(std::string_view{R"(#version 450
layout(local_size_x = 64) in;
layout(std430, set = 0, binding = 0) readonly buffer A { uint a[]; };
layout(std430, set = 0, binding = 1) writeonly buffer B { uint b[]; };
layout(push_constant) uniform P { uint fx, fy, fz, sx, sy, sz, gain; };
void main() { uint i = gl_GlobalInvocationID.x; if (i < sx) b[i] = a[i] * gain; }
)"})});
    std::vector<std::uint32_t> numbers(512);
    for (std::uint32_t i = 0; i < numbers.size(); ++i) numbers[i] = i * 1'000'003u;
    what.what.files.push_back({"numbers.bin", to_bytes(as_bytes(std::span{numbers}))});
    auto const by = town.renter(13);
    auto const quote = by->quote(what);
    REQUIRE_MESSAGE(quote, (quote ? std::string{} : quote.error()));
    CHECK(quote->units >= 4);
    CHECK(quote->providers == 2);
    auto const number = by->submit(what);
    REQUIRE_MESSAGE(number, (number ? std::string{} : number.error()));
    auto const story = by->watch(*number, [](auto const&) { return true; });
    REQUIRE_MESSAGE(story, (story ? std::string{} : story.error()));
    CHECK_MESSAGE(story->phase == node::job_phase::done, summary(*story));
    auto const files = by->files(*number);
    REQUIRE(files);
    REQUIRE(files->size() == 1);
    CHECK((*files)[0].name == "trebled.bin");
    for (auto& each : numbers) each *= 3;
    CHECK((*files)[0].content == to_bytes(as_bytes(std::span{numbers})));
}
