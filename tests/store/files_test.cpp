// SPDX-License-Identifier: Apache-2.0
#include <blendr/store/files.hpp>  // first: it stands alone

#include <unistd.h>

#include <set>

#include <doctest/doctest.h>

#include <support/support.hpp>

#include "store/crc32c.hpp"

namespace {

using namespace blendr;
using namespace blendr::store;

bytes text(std::string_view t) { return to_bytes(t); }

std::string read_text(file_layer& in, std::string const& path)
{
    auto const f = in.open(path, open_mode::read);
    if (!f) return "!" + message(f.error());
    bytes raw(1000);
    raw.resize((*f)->read(0, raw).value());
    return std::string{as_text(raw)};
}

/// Both layers keep the same promises.
void check_layer(file_layer& files, std::string const& root)
{
    auto const dir = root + "/a/b";
    REQUIRE(files.make_directory(dir));
    REQUIRE(files.make_directory(dir));
    CHECK(files.open(dir + "/x", open_mode::read).error().what == io_fault::missing);
    CHECK(files.open(dir + "/x", open_mode::write).error().what == io_fault::missing);
    {
        auto const x = files.open(dir + "/x", open_mode::create).value();
        REQUIRE(x->write(0, text("hello world")));
        REQUIRE(x->write(6, text("there")));
        REQUIRE(x->truncate(8));
        REQUIRE(x->write(10, text("!")));
        REQUIRE(x->sync());
        CHECK(x->size().value() == 11);
        bytes part(4);
        CHECK(x->read(9, part).value() == 2);
        CHECK(x->read(99, part).value() == 0);
    }
    REQUIRE(files.sync_directory(dir));
    CHECK(read_text(files, dir + "/x") == std::string("hello th\0\0!", 11));
    REQUIRE(files.open(dir + "/y", open_mode::create));
    CHECK(files.list(dir).value() == std::vector<std::string>{"x", "y"});
    REQUIRE(files.rename(dir + "/x", dir + "/y"));
    CHECK(files.list(dir).value() == std::vector<std::string>{"y"});
    REQUIRE(files.remove(dir + "/y"));
    CHECK(files.remove(dir + "/y").error().what == io_fault::missing);

    auto first = files.lock(root).value();
    auto const second = files.lock(root);
    REQUIRE_FALSE(second);
    CHECK(second.error().what == io_fault::in_use);
    first.reset();
    CHECK(files.lock(root));
}

TEST_CASE("files: the system's layer")
{
    check_layer(system_files(), test::scratch("files").string());
}

TEST_CASE("files: the memory layer")
{
    memory_files files;
    REQUIRE(files.make_directory("root"));
    check_layer(files, "root");
}

TEST_CASE("memory_files: a crash keeps what was synced and any part of the rest")
{
    std::set<std::string> seen;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        memory_files files;
        REQUIRE(files.make_directory("d"));
        auto const f = files.open("d/f", open_mode::create).value();
        REQUIRE(f->write(0, text("durable")));
        REQUIRE(f->sync());
        REQUIRE(files.sync_directory("d"));
        REQUIRE(f->write(0, text("DUR")));
        REQUIRE(f->write(7, text("123")));
        REQUIRE(files.open("d/new", open_mode::create));
        rng random{seed};
        files.crash(random);
        CHECK_FALSE(f->size());  // the handle died with the machine
        seen.insert(read_text(files, "d/f") + (files.list("d").value().size() == 2 ? "+" : ""));
    }
    CHECK(seen.contains("durable"));
    CHECK(seen.contains("DURable"));
    CHECK(seen.contains("DUrable"));
    CHECK(seen.contains("durable12"));
    CHECK(seen.contains("DURable123+"));
    for (auto const& s : seen) CHECK(s.substr(3, 4) == "able");
}

TEST_CASE("memory_files: what a failed sync should have synced never becomes durable")
{
    memory_files files;
    REQUIRE(files.make_directory("d"));
    auto const f = files.open("d/f", open_mode::create).value();
    REQUIRE(files.sync_directory("d"));
    REQUIRE(f->write(0, text("gone")));
    files.fail_at(files.operations(), memory_files::failure::io);
    CHECK(f->sync().error().what == io_fault::failed);
    CHECK(f->sync());
    CHECK(read_text(files, "d/f") == "gone");
    rng random{1};
    files.crash(random);
    CHECK(read_text(files, "d/f") == "");
}

TEST_CASE("memory_files: a full disk takes a part of the write, and says so")
{
    memory_files files;
    REQUIRE(files.make_directory("d"));
    auto const f = files.open("d/f", open_mode::create).value();
    files.fail_at(files.operations(), memory_files::failure::full_after);
    CHECK(f->write(0, text("much too long")).error().what == io_fault::full);
    CHECK(f->size().value() <= 13);
    CHECK(f->write(0, text("x")).error().what == io_fault::full);
    files.make_read_only(true);
    CHECK(f->write(0, text("x")).error().what == io_fault::denied);
}

TEST_CASE("files: a read-only directory is named")
{
    if (::geteuid() == 0) return test::skip("root may write everywhere");
    auto const dir = test::scratch("read only");
    std::filesystem::permissions(dir, std::filesystem::perms::owner_read |
                                          std::filesystem::perms::owner_exec);
    auto const refused = system_files().open(dir / "f", open_mode::create);
    CHECK(refused.error().what == io_fault::denied);
    CHECK(refused.error().where.starts_with((dir / "f").string()));
}

TEST_CASE("crc32c: known values, in pieces too")
{
    CHECK(crc32c(0, as_bytes("123456789")) == 0xe3069283);
    CHECK(crc32c(0, bytes(32)) == 0x8a9136aa);
    CHECK(crc32c(crc32c(0, as_bytes("12345")), as_bytes("6789")) == 0xe3069283);
}

}  // namespace
