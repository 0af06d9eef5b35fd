// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/base.hpp>  // first: it stands alone

#include <doctest/doctest.h>

using namespace blendr;
using namespace blendr::ledger;

namespace {
struct stranger {
    using tables = type_list<>;
};
template <class T>
constexpr bool only_read =
    may_use<stranger, T, mode::read>() && !may_use<stranger, T, mode::write>() &&
    !may_use<stranger, T, mode::debit>() && !may_use<stranger, T, mode::credit>();
}  // namespace

TEST_CASE("base: contracts see rules and facts and cannot change them, of validators they may")
{
    static_assert(contract<base>);
    static_assert(only_read<rules> && only_read<facts>);
    static_assert(may_use<stranger, validators, mode::read>());
    static_assert(may_use<stranger, validators, mode::write>());
    static_assert(may_use<base, facts, mode::write>());
    static_assert(ordered<validators>, "hooks walk it in key order");
    CHECK(code<base>(base::error::ok) == 0);
}

TEST_CASE("base: the pots of emission are two, and nobody's key")
{
    CHECK(providers_pot() != treasury_pot());
    CHECK(providers_pot() == crypto::address_of("ledger", as_bytes("providers")));
    CHECK(treasury_pot() != crypto::address_of("test", as_bytes("treasury")));
}
