// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/secret.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ostream>
#include <type_traits>
#include <utility>

#include <doctest/doctest.h>

#include <blendr/core/codec.hpp>

using namespace blendr;
using namespace blendr::crypto;

namespace {

template <class T>
concept printable = requires(std::ostream& out, T const& value) { out << value; };
template <class T>
concept comparable = requires(T const& value) { value == value; };

static_assert(!std::is_copy_constructible_v<secret> && !std::is_copy_assignable_v<secret>);
static_assert(std::is_nothrow_move_constructible_v<secret> &&
              std::is_nothrow_move_assignable_v<secret>);
static_assert(!printable<secret> && !comparable<secret> && !encodable<secret>);
static_assert(!std::is_convertible_v<secret, bytes_view> && !std::is_convertible_v<secret, bytes>);

/// How a child process that runs `body` ends: the number of the signal, or 0.
template <class Body>
int signal_of(Body&& body)
{
    pid_t const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        for (int const each : {SIGSEGV, SIGBUS, SIGABRT}) std::signal(each, SIG_DFL);
        body();
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

}  // namespace

TEST_CASE("secret: starts as zeros, and taking wipes the source")
{
    secret const empty{16};
    CHECK(std::ranges::all_of(empty.expose(), [](std::byte b) { return b == std::byte{0}; }));
    auto source = to_bytes("sixteen secrets!");
    auto const taken = secret::take(source);
    CHECK(equal(taken.expose(), as_bytes("sixteen secrets!")));
    CHECK(std::ranges::all_of(source, [](std::byte b) { return b == std::byte{0}; }));
}

TEST_CASE("secret: moving leaves nothing behind, a clone is asked for by name")
{
    auto first = secret::random(32);
    auto const copy = first.clone();
    CHECK(first.same_as(copy));
    auto second = std::move(first);
    CHECK(first.empty());
    CHECK(second.same_as(copy));
    second = secret::random(32);
    CHECK_FALSE(second.same_as(copy));
    CHECK_FALSE(second.same_as(secret{31}));
    auto& itself = second;
    second = std::move(itself);
    CHECK(second.size() == 32);
    CHECK(secret{}.same_as(secret{0}));
    CHECK(secret{}.clone().empty());
}

TEST_CASE("secret: wiping leaves zeros")
{
    auto raw = to_bytes("not for long");
    wipe(raw);
    CHECK(std::ranges::all_of(raw, [](std::byte b) { return b == std::byte{0}; }));
    wipe({});
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("secret: reading past the end hits a guard page")
{
    CHECK(signal_of([] {
              auto const s = secret::random(32);
              auto volatile* const at = s.expose().data();
              [[maybe_unused]] auto const beyond = at[32];
          }) == SIGSEGV);
    CHECK(signal_of([] {
              auto const s = secret::random(32);
              auto volatile* const at = s.expose().data();
              [[maybe_unused]] auto const within = at[31];
          }) == 0);
}
#endif
