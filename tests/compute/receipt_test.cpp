// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/receipt.hpp>

#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <set>
#include <vector>

#include <boost/describe/members.hpp>
#include <boost/json/serialize.hpp>
#include <boost/mp11/list.hpp>

#include <support/vectors.hpp>

#include <blendr/core/codec.hpp>
#include <blendr/core/json.hpp>

namespace {

using namespace blendr;
using namespace blendr::compute;

crypto::identity somebody(unsigned char which = 42)
{
    std::array<std::byte, 32> seed{};
    seed[0] = std::byte{which};
    return crypto::identity{crypto::secret_key::from_seed(seed)};
}

receipt sample()
{
    receipt r;
    r.program[0] = std::byte{1};
    r.profile = 1;
    r.hardening = 1;
    r.loop_budget = 1 << 24;
    r.device = "llvmpipe (LLVM 15.0.6, 256 bits)";
    r.driver = "llvmpipe Mesa 25.0.7";
    r.isolated = true;
    r.inputs[1] = std::byte{2};
    r.outputs[2] = std::byte{3};
    r.milli_units = 1234;
    r.device_ns = 987654321;
    r.slices = 3;
    return r;
}

/// The sample with one field changed, once for each field.
std::vector<receipt> changed_in_each_field()
{
    std::vector<receipt> all;
    auto const with = [&](std::function<void(receipt&)> const& change) {
        all.push_back(sample());
        change(all.back());
    };
    with([](receipt& r) { r.version = 2; });
    with([](receipt& r) { r.program[31] = std::byte{1}; });
    with([](receipt& r) { r.profile = 2; });
    with([](receipt& r) { r.hardening = 2; });
    with([](receipt& r) { ++r.loop_budget; });
    with([](receipt& r) { r.device += "l"; });
    with([](receipt& r) { r.driver.erase(0, 1); });
    with([](receipt& r) { r.isolated = false; });
    with([](receipt& r) { r.inputs[31] = std::byte{1}; });
    with([](receipt& r) { r.outputs[31] = std::byte{1}; });
    with([](receipt& r) { ++r.milli_units; });
    with([](receipt& r) { --r.device_ns; });
    with([](receipt& r) { ++r.slices; });
    // What moves from one field to its neighbour is another receipt as well.
    with([](receipt& r) { r.device = sample().device + "llvm", r.driver = "pipe Mesa 25.0.7"; });
    with([](receipt& r) { std::swap(r.inputs, r.outputs); });
    return all;
}

}  // namespace

TEST_CASE("receipt: is signed whole, and its encoding is frozen")
{
    auto const r = sample();
    auto const it = sign(r, somebody());
    CHECK(verify(it));
    CHECK(it.by == somebody().self());
    auto changed = it;
    changed.by = {};
    CHECK_FALSE(verify(changed));
    changed = it;
    changed.by = somebody(43).self();
    CHECK_FALSE(verify(changed));
    CHECK(decode<signed_receipt>(encode(it))->what == r);
    auto const differs = blendr::test::differs_from_frozen(
        "compute/receipts.txt", {{"receipt", encode(r)}, {"signed_receipt", encode(it)}});
    CHECK_MESSAGE(differs.empty(), differs);
}

TEST_CASE("receipt: each field is bound: changed, it is another receipt and nobody's")
{
    auto const it = sign(sample(), somebody());
    std::set<bytes> encodings{encode(sample())};
    std::size_t count = 0;
    for (auto const& each : changed_in_each_field()) {
        CAPTURE(count);
        CHECK(each != sample());
        CHECK(encodings.insert(encode(each)).second);
        CHECK_FALSE(verify({each, it.by, it.signature}));
        CHECK(verify(sign(each, somebody())));
        CHECK(decode<receipt>(encode(each)) == each);
        ++count;
    }
    CHECK(count ==
          boost::mp11::mp_size<
              boost::describe::describe_members<receipt, boost::describe::mod_public>>::value +
              2);
}

TEST_CASE("receipt: any bit of a signature that is flipped breaks it")
{
    auto const it = sign(sample(), somebody());
    auto const raw = encode(it);
    std::size_t const tail = encode(it.by).size() + encode(it.signature).size();
    for (std::size_t at = raw.size() - tail; at < raw.size(); ++at) {
        auto bad = raw;
        bad[at] ^= std::byte{1} << (at % 8);
        auto const read = decode<signed_receipt>(bad);
        CHECK_MESSAGE((!read || !verify(*read)), at);
    }
}

TEST_CASE("receipt: cut off anywhere or with a byte behind it, it is none")
{
    auto const raw = encode(sign(sample(), somebody()));
    for (std::size_t size = 0; size < raw.size(); ++size)
        CHECK_MESSAGE(!decode<signed_receipt>(bytes_view{raw}.first(size)), size);
    auto longer = raw;
    longer.push_back(std::byte{0});
    CHECK_FALSE(decode<signed_receipt>(longer));
}

TEST_CASE("receipt: what people read and what programs read is the same one")
{
    auto const r = sample();
    CHECK(from_json<receipt>(to_json(r)) == r);
    for (auto const& each : changed_in_each_field())
        CHECK(boost::json::serialize(to_json(each)) != boost::json::serialize(to_json(r)));
    auto const text = to_text(r);
    for (auto const& said : {to_hex(r.program), to_hex(r.inputs), to_hex(r.outputs), r.device,
                             r.driver, std::string{"exact"}, std::string{"in a worker"}})
        CHECK_MESSAGE(text.find(said) != std::string::npos, said);
    auto other = r;
    other.isolated = false;
    other.profile = 2;
    CHECK(to_text(other).find("in a worker") == std::string::npos);
    CHECK(to_text(other).find("tolerance") != std::string::npos);
    other.device = "a card\noutputs  forged";
    other.driver = "\x1b[2J";
    CHECK(to_text(other).find("a card?outputs  forged") != std::string::npos);
    CHECK(to_text(other).find('\x1b') == std::string::npos);
}
