// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/cpu.hpp>  // first: it stands alone

#include <cstdlib>
#include <string_view>

#include <doctest/doctest.h>

using namespace blendr;

TEST_CASE("cpu: the default path runs here and is no better than BLENDR_CPU allows")
{
    auto const path = crypto::default_cpu();
    MESSAGE("lane kernels: " << crypto::name(path));
    CHECK(crypto::runs(path));
    CHECK(crypto::runs(crypto::cpu::portable));
    char const* const asked = std::getenv("BLENDR_CPU");
    for (auto const which : crypto::every_cpu) {
        bool const named = asked != nullptr && crypto::name(which) == std::string_view{asked};
        if (named) CHECK(path <= which);
        if (named && crypto::runs(which)) CHECK(path == which);
    }
}
