// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/contract.hpp>  // first: it stands alone

#include <string_view>

#include <doctest/doctest.h>

#include <blendr/ledger/purses.hpp>

using namespace blendr;
using namespace blendr::ledger;

namespace {

struct owner {
    static constexpr std::uint16_t id = 3;
    static constexpr std::string_view name = "owner";
    enum class error : std::uint16_t { ok, no };
    struct secrets {
        static constexpr std::string_view name = "secrets";
        using key = std::uint32_t;
        using row = std::uint64_t;
    };
    using tables = type_list<secrets>;
    using messages = type_list<>;
    static pass<owner> mine() { return {}; }
};
struct stranger {
    static constexpr std::uint16_t id = 4;
    static constexpr std::string_view name = "stranger";
    enum class error : std::uint16_t { ok };
    using messages = type_list<>;
};

}  // namespace

static_assert(contract<owner> && contract<stranger>);
static_assert(owner::secrets::name == "secrets");
static_assert(!std::is_constructible_v<ref<purses, mode::debit>, state::slot>,
              "handles come from plans only");
static_assert(!std::is_default_constructible_v<pass<owner>>,
              "only the contract itself has its pass");

TEST_CASE("contract: tables are closed to others but for what they share")
{
    CHECK(may_use<owner, owner::secrets, mode::write>());
    CHECK_FALSE(may_use<stranger, owner::secrets, mode::read>());
    CHECK(may_use<stranger, purses, mode::debit>());
    CHECK(may_use<stranger, purses, mode::read>());
    CHECK_FALSE(may_use<stranger, purses, mode::write>());
    static_cast<void>(owner::mine());
}

TEST_CASE("contract: an error code is contract and error, and ok is 0")
{
    CHECK(code<owner>(owner::error::ok) == 0);
    CHECK(code<owner>(owner::error::no) == 0x0003'0001);
}
