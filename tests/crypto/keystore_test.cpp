// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/keystore.hpp>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <iterator>

#include <doctest/doctest.h>

#include <blendr/core/random.hpp>
#include <support/support.hpp>

using namespace blendr;
using namespace blendr::crypto;
namespace fs = std::filesystem;
using kind = keystore_error::kind;

namespace {

constexpr auto cheap = keystore_cost::none();

secret words(std::string text) { return secret::take(text); }
secret_key fixed() { return secret_key::from_seed(std::array<std::byte, 32>{std::byte{9}}); }
bytes sealed() { return *seal_keystore(fixed(), words("correct horse"), cheap); }

kind wrong(bytes_view raw, std::string text = "correct horse")
{
    return open_keystore(raw, words(std::move(text))).error().what;
}

/// Puts the checksum right again, as somebody would who knows the format.
void mend(bytes& raw)
{
    constexpr domain checksum{"keystore.sum/1"};
    auto const sum = hash(checksum, bytes_view{raw}.first(raw.size() - 32));
    std::copy(sum.begin(), sum.end(), raw.end() - 32);
}

std::size_t files_in(fs::path const& directory)
{
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator{directory}, fs::directory_iterator{}));
}

void spill(fs::path const& at, bytes_view data, mode_t permissions = 0600)
{
    std::ofstream{at, std::ios::binary} << as_text(data);
    REQUIRE(::chmod(at.c_str(), permissions) == 0);
}

}  // namespace

TEST_CASE("keystore: the right passphrase gives the key back, the owner shows without it")
{
    auto const raw = sealed();
    CHECK(raw.size() == 211);
    auto const key = open_keystore(bytes_view{raw}, words("correct horse"));
    REQUIRE(key);
    CHECK(key->self() == fixed().self());
    CHECK(equal(key->expose_seed(), fixed().expose_seed()));
    CHECK(keystore_owner(bytes_view{raw}) == fixed().self());
    CHECK(sealed() != raw);  // another salt
    auto const empty = *seal_keystore(fixed(), secret{}, cheap);
    CHECK(open_keystore(bytes_view{empty}, secret{}));
    CHECK(wrong(empty) == kind::wrong_passphrase);
}

TEST_CASE("keystore: a wrong passphrase, a cut and a change are told apart")
{
    auto const raw = sealed();
    CHECK(wrong(raw, "wrong horse") == kind::wrong_passphrase);
    CHECK(wrong(raw, "") == kind::wrong_passphrase);
    for (std::size_t size = 0; size < raw.size(); ++size) {
        INFO("size ", size);
        CHECK(wrong(bytes_view{raw}.first(size)) == kind::truncated);
        CHECK(keystore_owner(bytes_view{raw}.first(size)).error().what == kind::truncated);
    }
    auto longer = raw;
    longer.push_back(std::byte{0});
    CHECK(wrong(longer) == kind::tampered);
    CHECK(wrong(as_bytes("-----BEGIN OPENSSH PRIVATE KEY-----")) == kind::not_a_keystore);
    auto later = raw;
    later[8] = std::byte{2};
    CHECK(wrong(later) == kind::unknown_version);
    for (int each = 1; each <= 11; ++each)
        CHECK(message(keystore_error{static_cast<kind>(each), "path"}).find("unknown keystore") ==
              std::string::npos);
}

TEST_CASE("keystore: no single flipped bit goes unnoticed" * doctest::test_suite("property"))
{
    auto raw = sealed();
    for (std::size_t bit = 0; bit < raw.size() * 8; ++bit) {
        raw[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
        INFO("bit ", bit);
        auto const expected = bit < 64   ? kind::not_a_keystore
                              : bit < 72 ? kind::unknown_version
                                         : kind::tampered;
        CHECK(wrong(raw) == expected);
        raw[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    }
}

TEST_CASE("keystore: a change with a mended checksum is still refused" *
          doctest::test_suite("property"))
{
    // All but the salt, the check and the cost, which the passphrase is stretched with: there a change
    // cannot be told from a wrong passphrase.
    auto const good = sealed();
    constexpr std::size_t cost_at = 8 + 1 + 34;
    constexpr std::size_t nonce_at = cost_at + 16 + 16 + 32;
    for (std::size_t at = 9; at < good.size() - 32; at += at < nonce_at ? 1 : 5) {
        auto raw = good;
        raw[at] ^= std::byte{1};
        mend(raw);
        INFO("byte ", at);
        auto const opened = open_keystore(bytes_view{raw}, words("correct horse"));
        REQUIRE_FALSE(opened);
        auto const why = opened.error().what;
        if (at < cost_at || at >= nonce_at)
            CHECK(why == kind::tampered);
        else if (at >= cost_at + 16)
            CHECK(why == kind::wrong_passphrase);
        else
            CHECK((why == kind::tampered || why == kind::wrong_passphrase ||
                   why == kind::too_costly));
    }
}

TEST_CASE("keystore: one that asks for too much work is refused before any is done")
{
    constexpr std::size_t passes_at = 8 + 1 + 34;
    auto raw = sealed();
    raw[passes_at + 7] = std::byte{0xff};
    mend(raw);
    CHECK(wrong(raw) == kind::too_costly);
    raw = sealed();
    raw[passes_at + 8 + 4] = std::byte{1};  // 4 GiB
    mend(raw);
    CHECK(wrong(raw) == kind::too_costly);
    raw = sealed();
    raw[passes_at] = std::byte{0};
    mend(raw);
    CHECK(wrong(raw) == kind::tampered);
}

TEST_CASE("keystore: the shipped costs are honoured")
{
    auto const raw = *seal_keystore(fixed(), words("p"), keystore_cost::quick());
    CHECK(open_keystore(bytes_view{raw}, words("p")));
    CHECK(keystore_cost::normal().memory_bytes <= keystore_cost::memory_bytes_max);
    CHECK(keystore_cost::normal().passes <= keystore_cost::passes_max);
}

TEST_CASE("keystore: what was sealed once stays readable")
{
    auto const raw =
        *from_hex("626c656e64726b73010120bb5c672482b0dcca91a21a4ed63b15afde8aa1378da72cd01b349589d6"
                  "e7dd6a010000000000000000200000000000004a8af460b8b0274ba5c84a755ae8bb1d49a1a939f2"
                  "5796d9970680eab2e753696380072e194d7ffc2ae752257e0fd886a69bd0fc8087d54b93cf511d06"
                  "1fc4f22c13c1994a56d755e1d4ac1baff972e052a71bc86e67e6cd9a44b9eb27872300a811b33e51"
                  "31c72c5a3aa97052a9f813610c326f86110e3f4a2b3be5d27b29838fa1158f868d40fc5be710405b"
                  "00fab581a71da58b8b1694");
    auto const key = open_keystore(bytes_view{raw}, words("correct horse"));
    REQUIRE(key);
    CHECK(key->self() == fixed().self());
}

TEST_CASE("keystore: a file is made once, for its owner only, and never over another")
{
    auto const directory = test::scratch("keystore");
    auto const at = directory / "key";
    ::umask(0);
    REQUIRE(create_keystore(at, fixed(), words("p"), cheap));
    struct stat about{};
    REQUIRE(::stat(at.c_str(), &about) == 0);
    CHECK((about.st_mode & 07777) == 0600);
    CHECK(open_keystore(at, words("p"))->self() == fixed().self());
    CHECK(keystore_owner(at) == fixed().self());
    CHECK(create_keystore(at, secret_key::generate(), words("p"), cheap).error().what ==
          kind::exists);
    CHECK(open_keystore(at, words("p"))->self() == fixed().self());
    CHECK(files_in(directory) == 1);
    CHECK(open_keystore(directory / "none", words("p")).error().what == kind::missing);
    CHECK(create_keystore(directory / "no/such/place", fixed(), words("p"), cheap).error().what ==
          kind::system);
    CHECK(open_keystore(directory, words("p")).error().what == kind::not_a_keystore);
}

TEST_CASE("keystore: a file that others can read is refused, whatever it holds")
{
    auto const at = test::scratch("keystore_exposed") / "key";
    for (mode_t const permissions : {0640u, 0604u, 0620u, 0601u, 0666u}) {
        spill(at, sealed(), permissions);
        auto const opened = open_keystore(at, words("correct horse"));
        REQUIRE_FALSE(opened);
        CHECK(opened.error().what == kind::exposed);
        CHECK(opened.error().detail == at.string());
    }
}

TEST_CASE("keystore: errors of a file name the file")
{
    auto const at = test::scratch("keystore_named") / "key";
    auto const raw = sealed();
    spill(at, bytes_view{raw}.first(100));
    CHECK(open_keystore(at, words("p")).error() == keystore_error{kind::truncated, at.string()});
    spill(at, {});
    CHECK(open_keystore(at, words("p")).error() == keystore_error{kind::truncated, at.string()});
    bytes big(100'000);
    std::copy(raw.begin(), raw.end(), big.begin());
    spill(at, big);
    CHECK(open_keystore(at, words("p")).error() == keystore_error{kind::tampered, at.string()});
    spill(at, raw);
    CHECK(open_keystore(at, words("p")).error() ==
          keystore_error{kind::wrong_passphrase, at.string()});
}

TEST_CASE("keystore: changing the passphrase replaces the file, or leaves it as it was")
{
    auto const directory = test::scratch("keystore_change");
    auto const at = directory / "key";
    REQUIRE(create_keystore(at, fixed(), words("old"), cheap));
    CHECK(change_passphrase(at, words("wrong"), words("new"), cheap).error().what ==
          kind::wrong_passphrase);
    CHECK(open_keystore(at, words("old")));
    REQUIRE(change_passphrase(at, words("old"), words("new"), cheap));
    CHECK(open_keystore(at, words("new"))->self() == fixed().self());
    CHECK(open_keystore(at, words("old")).error().what == kind::wrong_passphrase);
    CHECK(files_in(directory) == 1);
}

TEST_CASE("keystore: a disk that takes no more leaves the old file and no litter")
{
    auto const directory = test::scratch("keystore_full");
    auto const at = directory / "key";
    REQUIRE(create_keystore(at, fixed(), words("old"), cheap));
    pid_t const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        std::signal(SIGXFSZ, SIG_IGN);
        rlimit const limit{100, 100};  // the file is longer
        ::setrlimit(RLIMIT_FSIZE, &limit);
        auto const changed = change_passphrase(at, words("old"), words("new"), cheap);
        auto const made = create_keystore(directory / "other", fixed(), words("p"), cheap);
        bool const refused = !changed && changed.error().what == kind::system && !made &&
                             made.error().what == kind::system;
        ::_exit(refused ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
    CHECK(open_keystore(at, words("old")));
    CHECK(files_in(directory) == 1);
}

TEST_CASE("keystore: killed at any moment of a change, the file is the old one or the new one" *
          doctest::test_suite("property"))
{
    auto const seed = test::seed();
    INFO("seed ", seed);
    rng random{seed};
    auto const directory = test::scratch("keystore_killed");
    auto const at = directory / "key";
    REQUIRE(create_keystore(at, fixed(), words("a"), cheap));
    for (int run = 0; run < 60; ++run) {
        pid_t const child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            for (;;) {  // back and forth until killed
                if (!change_passphrase(at, words("a"), words("b"), cheap) &&
                    !change_passphrase(at, words("b"), words("a"), cheap))
                    ::_exit(1);
            }
        }
        ::usleep(static_cast<useconds_t>(random.below(4000)));
        ::kill(child, SIGKILL);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WIFSIGNALED(status));
        auto const as_a = open_keystore(at, words("a"));
        auto const as_b = open_keystore(at, words("b"));
        REQUIRE(as_a.has_value() != as_b.has_value());
        REQUIRE((as_a ? *as_a : *as_b).self() == fixed().self());
    }
}
