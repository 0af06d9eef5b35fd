// SPDX-License-Identifier: Apache-2.0
#include <blendr/work/receipt.hpp>

#include <doctest/doctest.h>

#include "support/vectors.hpp"

using namespace blendr;
using namespace blendr::work;

namespace {

unit sample()
{
    return {{{4, 0, 0}, {4, 2, 1}}, to_bytes("parameters"), {share(to_bytes("scene"))}, {}};
}

unit_receipt receipt_of(unit const& what, std::uint32_t index, bytes_view result)
{
    unit_receipt out{
        1, index, what.where, crypto::cid::of(what.parameters), {}, crypto::cid::of(result)};
    for (auto const& each : what.inputs) out.inputs.push_back(crypto::cid::of(*each));
    return out;
}

}  // namespace

TEST_CASE("receipt: its encoding, its leaf and the root of a run are frozen")
{
    auto const one = receipt_of(sample(), 0, as_bytes("result"));
    auto const two = receipt_of(sample(), 1, as_bytes("another"));
    std::array const both{one, two};
    blendr::test::vector_list now;
    now.emplace_back("receipt", encode(one));
    now.emplace_back("leaf", to_bytes(bytes_view{leaf_of(one)}));
    now.emplace_back("root", to_bytes(bytes_view{root_of(both)}));
    CHECK(blendr::test::differs_from_frozen("work/receipt.txt", now) == "");
    CHECK(decode<unit_receipt>(encode(one)).value() == one);
}

TEST_CASE("receipt: it speaks of one unit and one result, and of no other")
{
    auto const what = sample();
    auto const made = receipt_of(what, 0, as_bytes("result"));
    CHECK(speaks_of(made, what, as_bytes("result")));
    CHECK(!speaks_of(made, what, as_bytes("resulT")));
    auto other = what;
    other.where.size.x = 3;
    CHECK(!speaks_of(made, other, as_bytes("result")));
    other = what;
    other.parameters.push_back({});
    CHECK(!speaks_of(made, other, as_bytes("result")));
    other = what;
    other.inputs.push_back(share({}));
    CHECK(!speaks_of(made, other, as_bytes("result")));
    other.inputs = {share(to_bytes("another scene"))};
    CHECK(!speaks_of(made, other, as_bytes("result")));
}

TEST_CASE("receipt: one unit of a run is shown by its path alone, and no changed one is")
{
    std::vector<unit_receipt> all;
    for (std::uint32_t k = 0; k < 13; ++k)
        all.push_back(receipt_of(sample(), k, as_bytes(std::to_string(k))));
    auto const root = root_of(all);
    for (std::uint32_t k = 0; k < 13; ++k) {
        auto const path = work::prove(all, k);
        CHECK(ledger::verify(root, leaf_of(all[k]), path));
        auto changed = all[k];
        changed.result = crypto::cid::of(as_bytes("cheat"));
        CHECK(!ledger::verify(root, leaf_of(changed), path));
    }
}
