// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/json.hpp>

#include <doctest/doctest.h>

#include <blendr/crypto/identity.hpp>

namespace blendr::crypto {
namespace {

struct everything {
    public_key key{};
    signature sig{};
    address who{};
    cid what{};
};
BOOST_DESCRIBE_STRUCT(everything, (), (key, sig, who, what))

everything sample()
{
    auto const me = secret_key::from_seed(std::array<std::byte, 32>{std::byte{9}});
    constexpr domain about{"test.json"};
    return {me.self(), me.sign(about, {}), address_of(me.self()), cid::of(as_bytes("hello world"))};
}

std::string refused(std::string_view member, std::string_view value)
{
    auto json = to_json(sample());
    json.as_object()[member] = value;
    auto const error = from_json<everything>(json).error();
    CHECK(error.where == "$." + std::string{member});
    return error.what;
}

}  // namespace
}  // namespace blendr::crypto

using namespace blendr;
using namespace blendr::crypto;

TEST_CASE("json: keys, signatures, addresses and content ids are the strings that people know")
{
    auto const value = sample();
    auto const json = to_json(value);
    CHECK(json.at("key").as_string() == to_text(value.key).c_str());
    CHECK(json.at("sig").as_string() == to_text(value.sig).c_str());
    CHECK(json.at("who").as_string() == to_text(value.who).c_str());
    CHECK(json.at("what").as_string() ==
          "bafk2bzaceaswza5ss4iu2ia3galz6pyo6dfm5f4dmiw2lf2de22dmf4k533ba");
    auto const back = from_json<everything>(json);
    REQUIRE(back);
    CHECK(encode(*back) == encode(value));
}

TEST_CASE("json: a malformed key, address or content id is refused with its place and reason")
{
    CHECK(refused("key", "ed25519:00").find("length") != std::string::npos);
    CHECK(refused("sig", "ed25519").find("colon") != std::string::npos);
    CHECK(refused("who", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0")
              .find("prefix") != std::string::npos);
    CHECK(refused("what", "Qm").find("base32") != std::string::npos);
}
