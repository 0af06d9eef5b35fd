// SPDX-License-Identifier: Apache-2.0
#include <blendr/core/assert.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>

TEST_CASE("assert: a broken invariant ends the process and says where, in every build")
{
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    pid_t const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::dup2(ends[1], STDERR_FILENO);
        std::signal(SIGABRT, SIG_DFL);  // doctest's handler would report a crash
        int const two = 2;
        BLENDR_ASSERT(two + two == 5);
        ::_exit(0);
    }
    ::close(ends[1]);
    std::string said(512, '\0');
    auto const length = ::read(ends[0], said.data(), said.size());
    ::close(ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    REQUIRE(length > 0);
    said.resize(static_cast<std::size_t>(length));
    CHECK(said.find("assert_test.cpp:") != std::string::npos);
    CHECK(said.find("broken invariant: two + two == 5") != std::string::npos);
}

TEST_CASE("assert: a held invariant costs nothing but its condition")
{
    int asked = 0;
    BLENDR_ASSERT(++asked == 1);
    CHECK(asked == 1);
}
