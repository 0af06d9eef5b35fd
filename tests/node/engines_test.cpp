// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/engines.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <blendr/consensus/solo.hpp>

using namespace blendr;

namespace {
struct mine : consensus::solo {
    static constexpr std::string_view name = "mine";
    using consensus::solo::solo;
};
}  // namespace

TEST_CASE("engines: five by name, and one's own by a line, which does what the type does")
{
    auto all = node::engine_registry::standard();
    CHECK(all.names() ==
          std::vector<std::string>{"authority", "hotstuff2", "nakamoto", "simplex", "solo"});
    CHECK(all.find("mine") == nullptr);
    all.add<mine>([](node::engine_settings const& s) { return mine::config{s.interval_ms}; });
    auto const* kind = all.find("mine");
    REQUIRE(kind != nullptr);
    node::engine_settings s{};
    s.interval_ms = 77;
    auto const engine = kind->make(s, {}, 1);
    consensus::effects out{};
    engine->step(consensus::started{}, {}, out);
    REQUIRE(out.size() == 1);
    CHECK(std::get<consensus::set_timer>(out[0]).after_ms == 77);
}
