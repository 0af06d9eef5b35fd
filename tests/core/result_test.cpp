// SPDX-License-Identifier: Apache-2.0
#include <blendr/core/result.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <memory>
#include <string>

namespace {

using blendr::fail;
using blendr::nothing;
using blendr::result;

result<int, std::string> half(int value)
{
    if (value % 2 != 0) return fail{std::string{"odd"}};
    return value / 2;
}

result<int, std::string> quarter(int value)
{
    BLENDR_TRY(int const once, half(value));
    BLENDR_TRY(int const twice, half(once));
    return twice;
}

result<nothing, std::string> even(int value)
{
    BLENDR_CHECK(half(value));
    return nothing{};
}

result<std::unique_ptr<int>, std::string> boxed(bool good)
{
    if (!good) return fail{std::string{"no box"}};
    return std::make_unique<int>(7);
}

result<int, std::string> opened(bool good)
{
    BLENDR_TRY(auto const box, boxed(good));
    return *box;
}

}  // namespace

TEST_CASE("result: TRY takes the value or leaves with the error")
{
    CHECK(quarter(12) == 3);
    CHECK(quarter(6).error() == "odd");
    CHECK(quarter(3).error() == "odd");
}

TEST_CASE("result: CHECK leaves with the error of a result whose value does not matter")
{
    CHECK(even(2).has_value());
    CHECK(even(3).error() == "odd");
}

TEST_CASE("result: TRY moves what can only be moved")
{
    CHECK(opened(true) == 7);
    CHECK(opened(false).error() == "no box");
}
