// SPDX-License-Identifier: Apache-2.0
#include <blendr/market/capability.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <string>

#include <blendr/core/codec.hpp>

using namespace blendr;
using namespace blendr::market;

static_assert(attributes[static_cast<std::size_t>(attribute::price)].name == "price");
static_assert(version(1, 3) < version(1, 3, 1) && version(1, 9, 9) < version(1, 10));
static_assert(!version(1u << 21));

TEST_CASE("capability: what is set is read back, what is not set is unknown")
{
    capability c;
    REQUIRE(c.set(attribute::vram, std::uint64_t{24} << 30));
    REQUIRE(c.set(attribute::model, "RTX4090"));
    REQUIRE(c.set(attribute::features, std::vector<std::string>{"int8", "FP16", "int8"}));
    REQUIRE(c.set(attribute::driver_api, *version(1, 3, 275)));
    CHECK(c.number(attribute::vram) == std::uint64_t{24} << 30);
    CHECK(c.word(attribute::model) == "rtx4090");
    CHECK(c.words(attribute::features).size() == 2);
    CHECK_FALSE(c.knows(attribute::region));
    CHECK(c.value_text(attribute::region) == "unknown");
    CHECK(c.to_text() == "model=rtx4090, features={fp16,int8}, vram=24_GiB, driver_api=1.3.275");
    c.forget(attribute::model);
    CHECK_FALSE(c.knows(attribute::model));
}

TEST_CASE("capability: an attribute refuses what its type cannot hold and keeps what it had")
{
    capability c;
    REQUIRE(c.set(attribute::region, "eu"));
    auto const before = c;
    CHECK(c.set(attribute::region, std::uint64_t{1}).error() == reject::bad_capability);
    CHECK(c.set(attribute::region, "").error() == reject::bad_capability);
    CHECK(c.set(attribute::region, "two words").error() == reject::bad_capability);
    CHECK(c.set(attribute::region, "-eu").error() == reject::bad_capability);
    CHECK(c.set(attribute::region, std::string(33, 'a')).error() == reject::bad_capability);
    CHECK(c.set(attribute::vram, "eu").error() == reject::bad_capability);
    CHECK(c.set(attribute::driver_api, ~std::uint64_t{0}).error() == reject::bad_capability);
    CHECK(c.set(attribute::features, std::vector<std::string>(33, "x")).error() ==
          reject::bad_capability);
    CHECK(c.set(attribute::vram, std::vector<std::string>{"x"}).error() == reject::bad_capability);
    CHECK(c == before);
}

TEST_CASE("capability: its text is read back, and only the canonical text is a wire value")
{
    for (std::string const text :
         {"", "vendor=amd", "features={}", "vram=1536_MiB, tier=0, price=18446744073709551615",
          "vendor=nvidia, model=rtx4090, region=us-east, features={coopmat,fp16}, auditors={acme}, "
          "vram=24_GiB, driver_api=1.3, tier=2, fp32=82, memory=60, integer=41, reputation=700, "
          "price=900"}) {
        auto const c = capability::parse(text);
        REQUIRE(c);
        CHECK(c->to_text() == text);
        CHECK(decode<capability>(encode(*c)) == *c);
    }
    for (std::string const loose :
         {"tier=1, vendor=amd", "vendor=AMD", "vram=1024_MiB", " tier=1"}) {
        REQUIRE(capability::parse(loose));
        CHECK_FALSE(decode<capability>(encode(loose)));
    }
    for (std::string const bad :
         {"vendor", "vendor=", "vendor=amd,", "vendor=amd vram=1", "vendor=amd, vendor=amd",
          "speed=3", "vram=", "vram=x", "vram=1_GB", "vram=99999999999_TiB", "tier=-1",
          "features=fp16", "features={", "features={a", "features={a,}", "driver_api=1.",
          "driver_api=1.2.3.4", "tier=007"})
        CHECK_FALSE(capability::parse(bad));
}
