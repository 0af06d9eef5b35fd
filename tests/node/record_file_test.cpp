// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/record_file.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/support.hpp>

#include <vector>

#include <blendr/core/random.hpp>

using namespace blendr;
using node::record_file;

namespace {

using line = std::pair<height, bytes>;

std::vector<line> lines_of(store::memory_files& files, std::unique_ptr<record_file>& out)
{
    std::vector<line> got{};
    auto opened = record_file::open(files, "d", "journal", [&](height tag, bytes_view raw) {
        got.emplace_back(tag, to_bytes(raw));
    });
    REQUIRE(opened);
    out = *std::move(opened);
    return got;
}

}  // namespace

TEST_CASE("record_file: a crash keeps what was synced and at most a beginning of the rest" *
          doctest::test_suite("property"))
{
    INFO("seed " << test::seed());
    rng random{test::seed()};
    for (int round = 0; round < 60; ++round) {
        store::memory_files files{};
        std::vector<line> written{};
        std::size_t synced = 0;
        std::unique_ptr<record_file> f{};
        for (int life = 0; life < 4; ++life) {
            auto const got = lines_of(files, f);
            REQUIRE(got.size() >= synced);
            REQUIRE(got.size() <= written.size());
            for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == written[i]);
            written.resize(got.size());
            for (auto n = random.below(20); n > 0; --n) {
                bytes record(random.below(3000));
                for (auto& each : record) each = static_cast<std::byte>(random());
                height const tag{written.size() / 3};
                REQUIRE(f->append(tag, record));
                written.emplace_back(tag, record);
                if (random.chance(1, 3)) {
                    REQUIRE(f->sync());
                    synced = written.size();
                }
            }
            f.reset();
            files.crash(random);
        }
    }
}

TEST_CASE("record_file: damage before the synced end is an error, not a shorter file")
{
    store::memory_files files{};
    std::unique_ptr<record_file> f{};
    lines_of(files, f);
    for (std::uint64_t i = 0; i < 10; ++i) {
        REQUIRE(f->append(height{i}, bytes(100)));
        REQUIRE(f->sync());
    }
    f.reset();
    REQUIRE(files.flip("d/journal", 3 * (record_file::head_size + 100) + 50, 3));
    auto const again = record_file::open(files, "d", "journal", [](height, bytes_view) {});
    REQUIRE(!again);
    CHECK(again.error().what == node::io_fault::corrupt);
}

TEST_CASE("record_file: what was trimmed goes once it is most of the file, and the rest stays")
{
    store::memory_files files{};
    std::unique_ptr<record_file> f{};
    lines_of(files, f);
    bytes const big(100'000);
    for (std::uint64_t i = 0; i < 200; ++i) {
        REQUIRE(f->append(height{i}, big));
        REQUIRE(f->sync());
        REQUIRE(f->trim(height{i > 5 ? i - 5 : 0}));
    }
    CHECK(f->bytes_held() < 10'000'000);
    f.reset();
    auto const got = lines_of(files, f);
    CHECK(got.back().first == height{199});
    CHECK(got.size() >= 6);
}
