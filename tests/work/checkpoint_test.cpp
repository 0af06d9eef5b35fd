// SPDX-License-Identifier: Apache-2.0
#include <blendr/work/checkpoint.hpp>

#include <fstream>

#include <doctest/doctest.h>

#include "support/support.hpp"

using namespace blendr;
using namespace blendr::work;

namespace {

hash256 const job{std::byte{1}}, another{std::byte{2}};

bytes read_file(std::filesystem::path const& path)
{
    std::ifstream in{path, std::ios::binary};
    std::string const text{std::istreambuf_iterator<char>{in}, {}};
    return to_bytes(text);
}

void write_file(std::filesystem::path const& path, bytes_view raw)
{
    std::ofstream out{path, std::ios::binary | std::ios::trunc};
    out.write(reinterpret_cast<char const*>(raw.data()), static_cast<std::streamsize>(raw.size()));
}

/// One with three results.
std::filesystem::path sample(std::string const& name)
{
    auto const path = blendr::test::scratch("work_" + name) / "run.saved";
    auto made = checkpoint::open(path, job).value();
    REQUIRE(made.save(0, 0, as_bytes("first")));
    REQUIRE(made.save(0, 7, as_bytes("")));
    REQUIRE(made.save(1, 0, as_bytes("a longer third result")));
    REQUIRE(made.sync());
    return path;
}

}  // namespace

TEST_CASE("checkpoint: what was saved is there again")
{
    auto const path = sample("again");
    auto again = checkpoint::open(path, job).value();
    CHECK(again.size() == 3);
    CHECK(as_text(*again.find(0, 0)) == "first");
    CHECK(again.find(0, 7)->empty());
    CHECK(as_text(*again.find(1, 0)) == "a longer third result");
    CHECK(again.find(0, 1) == nullptr);
}

TEST_CASE("checkpoint: a result that too few agreed on is not there")
{
    auto const path = blendr::test::scratch("work_agreed") / "run.saved";
    {
        auto made = checkpoint::open(path, job).value();
        REQUIRE(made.save(0, 0, as_bytes("alone")));
        REQUIRE(made.save(0, 1, as_bytes("by two"), 2));
    }
    auto const again = checkpoint::open(path, job).value();
    CHECK(again.find(0, 0, 2) == nullptr);
    CHECK(as_text(*again.find(0, 0)) == "alone");
    CHECK(as_text(*again.find(0, 1, 2)) == "by two");
    CHECK(again.find(0, 1, 3) == nullptr);
}

TEST_CASE("checkpoint: cut off anywhere, it holds what was whole and goes on from there")
{
    auto const path = sample("cut");
    auto const whole = read_file(path);
    std::size_t most = 0;
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        write_file(path, bytes_view{whole}.first(size));
        auto again = checkpoint::open(path, job);
        REQUIRE(again);
        CHECK(again->size() >= most);
        most = again->size();
        if (most > 0) CHECK(as_text(*again->find(0, 0)) == "first");
        REQUIRE(again->save(9, 9, as_bytes("more")));
        {
            auto const closed = std::move(*again);
        }
        CHECK(checkpoint::open(path, job).value().size() == most + 1);
    }
    CHECK(most == 3);
}

TEST_CASE("checkpoint: a damaged record ends what counts, and no damaged result is believed")
{
    auto const path = sample("damage");
    auto const whole = read_file(path);
    for (std::size_t at = 0; at < whole.size(); ++at) {
        auto raw = whole;
        raw[at] ^= std::byte{0x10};
        write_file(path, raw);
        auto const again = checkpoint::open(path, job);
        if (!again) {
            CHECK(at < 72);
            CHECK(again.error().what == fault::not_a_checkpoint);
            continue;
        }
        CHECK(again->size() < 3);
        if (auto const* first = again->find(0, 0)) CHECK(as_text(*first) == "first");
    }
}

TEST_CASE(
    "checkpoint: another job's, somebody's file, one in use and one that cannot be are refused")
{
    auto const path = sample("refused");
    CHECK(checkpoint::open(path, another).error().what == fault::another_job);
    auto const mine = checkpoint::open(path, job).value();
    CHECK(checkpoint::open(path, job).error().what == fault::cannot_save);

    auto const folder = path.parent_path();
    write_file(folder / "letter", as_bytes("Dear Sir"));
    CHECK(checkpoint::open(folder / "letter", job).error().what == fault::not_a_checkpoint);
    CHECK(as_text(read_file(folder / "letter")) == "Dear Sir");
    CHECK(checkpoint::open(folder / "no such folder" / "x", job).error().what ==
          fault::cannot_save);
    CHECK(checkpoint::open("/dev/null", job).error().what == fault::not_a_checkpoint);
    CHECK(checkpoint::open(folder, job).error().what == fault::cannot_save);
}
