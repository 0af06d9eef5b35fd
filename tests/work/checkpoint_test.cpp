// SPDX-License-Identifier: Apache-2.0
#include <blendr/work/checkpoint.hpp>

#include <sys/resource.h>

#include <array>
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

#include <blendr/core/codec.hpp>
#include <blendr/core/random.hpp>
#include <blendr/work/schedule.hpp>

#include "support/support.hpp"

using namespace blendr;
using namespace blendr::work;

namespace {

hash256 const this_job{std::byte{1}}, another{std::byte{2}};

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
    auto made = checkpoint::open(path, this_job).value();
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
    auto again = checkpoint::open(path, this_job).value();
    CHECK(again.size() == 3);
    CHECK(as_text(*again.find(0, 0)) == "first");
    CHECK(again.find(0, 7)->empty());
    CHECK(as_text(*again.find(1, 0)) == "a longer third result");
    CHECK(!again.find(0, 1));
}

TEST_CASE("checkpoint: a result that too few agreed on is not there")
{
    auto const path = blendr::test::scratch("work_agreed") / "run.saved";
    {
        auto made = checkpoint::open(path, this_job).value();
        REQUIRE(made.save(0, 0, as_bytes("alone")));
        REQUIRE(made.save(0, 1, as_bytes("by two"), 2));
    }
    auto const again = checkpoint::open(path, this_job).value();
    CHECK(!again.find(0, 0, 2));
    CHECK(as_text(*again.find(0, 0)) == "alone");
    CHECK(as_text(*again.find(0, 1, 2)) == "by two");
    CHECK(!again.find(0, 1, 3));
}

TEST_CASE("checkpoint: cut off anywhere, it holds what was whole and goes on from there")
{
    auto const path = sample("cut");
    auto const whole = read_file(path);
    std::size_t most = 0;
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        write_file(path, bytes_view{whole}.first(size));
        auto again = checkpoint::open(path, this_job);
        REQUIRE(again);
        CHECK(again->size() >= most);
        most = again->size();
        if (most > 0) CHECK(as_text(*again->find(0, 0)) == "first");
        REQUIRE(again->save(9, 9, as_bytes("more")));
        {
            auto const closed = std::move(*again);
        }
        CHECK(checkpoint::open(path, this_job).value().size() == most + 1);
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
        auto const again = checkpoint::open(path, this_job);
        if (!again) {
            CHECK(at < 72);
            CHECK(again.error().what == fault::not_a_checkpoint);
            continue;
        }
        CHECK(again->size() < 3);
        if (auto const first = again->find(0, 0)) CHECK(as_text(*first) == "first");
    }
}

TEST_CASE(
    "checkpoint: another job's, somebody's file, one in use and one that cannot be are refused")
{
    auto const path = sample("refused");
    CHECK(checkpoint::open(path, another).error().what == fault::another_job);
    auto const mine = checkpoint::open(path, this_job).value();
    CHECK(checkpoint::open(path, this_job).error().what == fault::cannot_save);

    auto const folder = path.parent_path();
    write_file(folder / "letter", as_bytes("Dear Sir"));
    CHECK(checkpoint::open(folder / "letter", this_job).error().what == fault::not_a_checkpoint);
    CHECK(as_text(read_file(folder / "letter")) == "Dear Sir");
    CHECK(checkpoint::open(folder / "no such folder" / "x", this_job).error().what ==
          fault::cannot_save);
    CHECK(checkpoint::open("/dev/null", this_job).error().what == fault::not_a_checkpoint);
    CHECK(checkpoint::open(folder, this_job).error().what == fault::cannot_save);
}

TEST_CASE(
    "checkpoint: a disk that is full is told, what was saved is kept, and the run goes on from it")
{
    auto const path = blendr::test::scratch("work_full") / "run.saved";
    struct counting final : public job {
        hash256 identity() const override { return {std::byte{1}}; }
        result<std::optional<stage>, problem> next(std::vector<bytes> const& results) override
        {
            if (!results.empty()) return std::nullopt;
            stage out{"count", {}};
            for (std::uint32_t k = 0; k < 6; ++k)
                out.units.push_back({{{k, 0, 0}, {}}, {}, {}, 50});
            return out;
        }
    };
    auto const counter = make_runner("counter", 0, [](unit const& what, std::stop_token) {
        return result<bytes, problem>{bytes(50, static_cast<std::byte>(what.where.from.x))};
    });
    std::array<runner*, 1> const alone{counter.get()};
    counting what;
    auto const right = run(what, alone).value();

    ::rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    std::size_t most = 0, stopped = 0;
    for (std::uint64_t room = 0; room <= 72 + 6 * 102; room += 7) {
        std::filesystem::remove(path);
        std::optional<problem> why;
        {
            auto limited = before;
            limited.rlim_cur = room;
            ::setrlimit(RLIMIT_FSIZE, &limited);
            auto saved = checkpoint::open(path, what.identity());
            if (!saved) {
                why = saved.error();
            } else {
                run_options chosen;
                chosen.saved = &*saved;
                if (auto const done = run(what, alone, chosen); !done) why = done.error();
            }
            ::setrlimit(RLIMIT_FSIZE, &before);
        }
        INFO(room << " bytes of room");
        auto const enough = room >= 72 + 6 * 102;
        REQUIRE(why.has_value() != enough);
        if (why) {
            ++stopped;
            CHECK(why->what == fault::cannot_save);
            CHECK(why->why.find(path.string()) != std::string::npos);
            CHECK(why->why.find("too large") != std::string::npos);
        }
        auto saved = checkpoint::open(path, what.identity()).value();
        CHECK(saved.size() == (room < 72 ? 0 : (room - 72) / 102));
        most = std::max(most, saved.size());
        run_options chosen;
        chosen.saved = &saved;
        auto const done = run(what, alone, chosen).value();
        CHECK(done.resumed == (room < 72 ? 0 : (room - 72) / 102));
        CHECK(done.root == right.root);
        CHECK(done.results == right.results);
    }
    CHECK(most >= 5);
    CHECK(stopped > 80);
}

TEST_CASE("checkpoint: records that claim to be huge, and garbage of any length, take no memory")
{
    auto const path = sample("garbage");
    auto const whole = read_file(path);
    // A record of a terabyte, in a file that is as long and takes no room.
    auto huge = whole;
    for (std::uint32_t const word : {5u, 5u, 1u}) append(huge, word);
    append(huge, std::uint64_t{1} << 40);
    write_file(path, huge);
    std::error_code none;
    std::filesystem::resize_file(path, std::uintmax_t{1} << 41,
                                 none);  // where there are such files
    CHECK(checkpoint::open(path, this_job).value().size() == 3);
    CHECK(read_file(path) == whole);

    rng random{blendr::test::seed()};
    for (int round = 0; round < 200; ++round) {
        auto raw = whole;
        raw.resize(72 + random.below(whole.size() - 71));
        bytes noise(random.below(300));
        random.fill(noise);
        if (random.below(2) == 0) std::fill(noise.begin(), noise.end(), std::byte{0});
        raw.insert(raw.end(), noise.begin(), noise.end());
        write_file(path, raw);
        auto again = checkpoint::open(path, this_job).value();
        CHECK(again.size() <= 3);
        REQUIRE(again.save(4, 4, as_bytes("and on")));
        CHECK(as_text(again.find(4, 4).value()) == "and on");
    }
}

TEST_CASE("checkpoint: a result that was damaged since is done again, not believed")
{
    auto const path = sample("since");
    auto const again = checkpoint::open(path, this_job).value();
    auto raw = read_file(path);
    raw[72 + 20] ^= std::byte{1};
    {
        std::fstream out{path, std::ios::binary | std::ios::in | std::ios::out};
        out.write(reinterpret_cast<char const*>(raw.data()),
                  static_cast<std::streamsize>(raw.size()));
    }
    CHECK(!again.find(0, 0));
    CHECK(again.find(1, 0).has_value());
}
