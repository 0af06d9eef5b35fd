// SPDX-License-Identifier: Apache-2.0
#include <blendr/work/app.hpp>

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <thread>

#include <doctest/doctest.h>

#include <blendr/compute/vulkan.hpp>
#include <blendr/compute/worker.hpp>
#include <blendr/core/random.hpp>
#include <blendr/crypto/cid.hpp>
#include <blendr/work/render.hpp>

#include "compute/devices.hpp"
#include "support/support.hpp"
#include "support/vectors.hpp"
#include "work/glslc.hpp"
#include "work/npy.hpp"

using namespace blendr;
using namespace blendr::work;

namespace {

file shipped(std::string const& path, std::string name)
{
    std::ifstream in{blendr::test::data("../examples/" + path), std::ios::binary};
    std::string const text{std::istreambuf_iterator<char>{in}, {}};
    REQUIRE(!text.empty());
    return {std::move(name), to_bytes(text)};
}

file random_matrix(std::string name, bool floats, std::uint32_t rows, std::uint32_t columns)
{
    rng random{rows * 7 + columns + (floats ? 1u : 0u)};
    matrix out{floats, rows, columns, {}};
    for (std::uint32_t k = 0; k < rows * columns; ++k) {
        auto const v = static_cast<std::int32_t>(random.below(2001)) - 1000;
        auto const f = static_cast<float>(v) / 977;
        auto const raw = floats ? encode(std::bit_cast<std::uint32_t>(f))
                                : encode(static_cast<std::uint32_t>(v));
        out.values.insert(out.values.end(), raw.begin(), raw.end());
    }
    return {std::move(name), write_npy(out)};
}

/// An order for each app, small and of several units.
struct sample {
    std::string app;
    std::string what;
    order asked;
    bool exact = true;
};

std::vector<sample> samples()
{
    std::vector<sample> all;
    for (bool const exact : {true, false}) {
        std::string const variant = exact ? "exact" : "floats";
        std::string const flag = exact ? "true" : "false";
        sample one{"render", "render " + variant, {}, exact};
        one.asked.options = R"({"width":40,"height":24,"samples":3,"exact":)" + flag + "}";
        one.asked.files.push_back(shipped("render/demo.scene", "demo.scene"));
        all.push_back(one);
        one = {"train", "train " + variant, {}, exact};
        one.asked.options = R"({"rounds":6,"parts":5,"hidden":[12,7],"exact":)" + flag + "}";
        one.asked.files.push_back(shipped("train/spirals.csv", "spirals.csv"));
        all.push_back(one);
        one = {"matmul", "matmul " + variant, {}, exact};
        one.asked.files.push_back(random_matrix("a.npy", !exact, 150, 70));
        one.asked.files.push_back(random_matrix("b.npy", !exact, 70, 130));
        all.push_back(one);
    }
    sample one{"hash", "hash", {}, true};
    one.asked.options = R"({"block_bytes":132})";
    bytes content(132 * 70 + 3);
    rng{5}.fill(content);
    one.asked.files.push_back({"noise", content});
    all.push_back(one);
    for (std::string const ask : {"histogram", "quantiles", "group", "sort", "prefix_sum"}) {
        one = {"analyse", "analyse " + ask, {}, true};
        one.asked.options = R"({"column":"x","by":"stone","unit_rows":170,"ask":")" + ask + "\"}";
        one.asked.files.push_back(shipped("train/spirals.csv", "spirals.csv"));
        all.push_back(one);
    }
    return all;
}

std::array<double, 2> const some_speeds{3e3, 3e3};

std::unique_ptr<task> made(sample const& of)
{
    auto out = find_app(of.app)->make(of.asked, some_speeds);
    REQUIRE_MESSAGE(out, message(out.error()));
    return *std::move(out);
}

std::vector<unit> first_units(sample const& of) { return made(of)->next({}).value()->units; }

std::vector<file> files_by(sample const& of, std::span<runner* const> on)
{
    auto const what = made(of);
    auto const done = run(*what, on);
    REQUIRE_MESSAGE(done, message(done.error()));
    return what->files(done->results).value();
}

/// A task that remembers the units of its last stage.
class remembered final : public job {
public:
    explicit remembered(sample const& of) : inner_{made(of)} {}

    hash256 identity() const override { return inner_->identity(); }
    result<std::optional<stage>, problem> next(std::vector<bytes> const& results) override
    {
        auto out = inner_->next(results);
        if (out && *out) last = (*out)->units, stages += 1, all += last.size();
        return out;
    }
    std::optional<std::string> wrong(unit const& of, bytes_view result) const override
    {
        return inner_->wrong(of, result);
    }
    bool same(unit const& of, bytes_view a, bytes_view b) const override
    {
        return inner_->same(of, a, b);
    }
    task const& inner() const { return *inner_; }

    std::vector<unit> last{};
    std::size_t stages = 0, all = 0;

private:
    std::unique_ptr<task> inner_;
};

/// A native device that is lost now and then, and stays so until it is told to forget.
class mortal final : public compute::device {
public:
    mortal(std::uint64_t seed, std::uint64_t one_in) : chance_{seed}, one_in_{one_in} {}

    compute::device_info const& info() const noexcept override { return inner_->info(); }
    result<compute::loaded, compute::failure> load(bytes_view spirv, compute::policy const& under,
                                                   compute::origin whose) override
    {
        if (lost_) return fail{compute::failure{compute::fault::lost, "it is gone"}};
        return inner_->load(spirv, under, whose);
    }
    result<compute::memory_id, compute::failure> allocate(std::uint64_t size) override
    {
        if (lost_) return fail{compute::failure{compute::fault::lost, "it is gone"}};
        return inner_->allocate(size);
    }
    void release(compute::memory_id which) noexcept override { inner_->release(which); }
    compute::outcome run(compute::batch const& work) override
    {
        compute::outcome out;
        if (!lost_ && chance_.below(one_in_) == 0) lost_ = true, ++deaths;
        if (!lost_) return inner_->run(work);
        (void)inner_->run(work);  // what it wrote by then is anything
        out.what = compute::fault::lost;
        out.why = "it died";
        return out;
    }
    std::future<compute::outcome> submit(compute::batch work) override
    {
        return inner_->submit(std::move(work));
    }
    result<nothing, compute::failure> forget() override
    {
        lost_ = false;
        return inner_->forget();
    }

    std::size_t deaths = 0;

private:
    std::unique_ptr<compute::device> inner_ = make_native_device(1);
    rng chance_;
    std::uint64_t one_in_;
    bool lost_ = false;
};

/// Devices of one thread each, so that several can be played on one machine. The native ones come first.
struct players {
    players()
    {
        for (int k = 0; k < 4; ++k) native.push_back(make_native_device(1));
        if (!compute::test::vulkan_here()) return;
        ::setenv("LP_NUM_THREADS", "1",
                 1);  // read when a driver is loaded, and again for each instance
        for (int k = 0; k < 4; ++k) vulkan.push_back(compute::open_vulkan().value());
        ::unsetenv("LP_NUM_THREADS");
    }
    std::vector<std::unique_ptr<compute::device>> native{}, vulkan{};
};

/// The devices as runners of an app.
struct team {
    team(sample const& of, std::span<compute::device* const> devices,
         compute::origin as = compute::origin::own)
    {
        for (std::size_t k = 0; k < devices.size(); ++k) {
            owned.push_back(
                runner_on(*find_app(of.app), *devices[k], "device " + std::to_string(k), 0, as));
            all.push_back(owned.back().get());
        }
    }
    std::vector<std::unique_ptr<runner>> owned{};
    std::vector<runner*> all{};
};

/// Of all files, by content.
hash256 digest_of(std::vector<file> const& all)
{
    bytes whole;
    for (auto const& each : all)
        whole.insert(whole.end(), each.content.begin(), each.content.end());
    return crypto::cid::of(whole).digest();
}

std::string refusal(std::string const& app, order const& asked)
{
    auto const out = find_app(app)->make(asked, {});
    return out ? "" : message(out.error());
}

constexpr std::string_view brighter = R"(#version 450
layout(local_size_x = 8, local_size_y = 4) in;
layout(std430, set = 0, binding = 0) readonly buffer A { uint values[]; };
layout(std430, set = 0, binding = 1) readonly buffer T { uint table[]; };
layout(std430, set = 0, binding = 2) writeonly buffer R { uint results[]; };
layout(push_constant) uniform P { uint fx, fy, fz, nx, ny, nz, add; };
void main()
{
    uint x = gl_GlobalInvocationID.x, y = gl_GlobalInvocationID.y;
    if (x >= nx || y >= ny) return;
    uint i = y * nx + x;
    results[i] = table[values[i] % 4u] + add + 1000u * (fy + y) + fx + x;
}
)";

order program_order(std::string plan, std::string_view kernel = brighter)
{
    order out;
    out.options = std::move(plan);
    out.files.push_back({"brighter.comp", to_bytes(kernel)});
    bytes values;
    for (std::uint32_t k = 0; k < 40 * 20; ++k) append(values, k * 7);
    out.files.push_back({"values.bin", values});
    bytes table;
    for (std::uint32_t k = 0; k < 4; ++k) append(table, k * k * 100'000);
    out.files.push_back({"table.bin", table});
    return out;
}

std::string const good_plan = R"({
  "program": "brighter.comp",
  "range": [40, 20, 1],
  "least": [8, 4, 1],
  "unit_points": 200,
  "inputs": [
    {"file": "values.bin", "element_bytes": 4, "split": true},
    {"file": "table.bin", "element_bytes": 4, "split": false}
  ],
  "push": [5]
})";

std::string with(std::string plan, std::string_view what, std::string_view by)
{
    auto const at = plan.find(what);
    REQUIRE(at != std::string::npos);
    return plan.replace(at, what.size(), by);
}

/// A user's own program as a sample, where there is a compiler for it.
std::optional<sample> own_program(bool exact = true)
{
    auto kernel = std::string{brighter};
    auto plan = good_plan;
    if (!exact) {
        kernel = with(kernel, "uint results", "float results");
        kernel = with(kernel, "table[values[i] % 4u] + add + 1000u * (fy + y) + fx + x",
                      "sqrt(float(values[i] + 1u)) * float(add) / float(3u + table[x % 4u])");
        plan = with(plan, "[5]", R"([5], "exact": false, "compare": "floats", "per_million": 100)");
    }
    auto const spirv = compile_glsl("brighter.comp", to_bytes(std::string_view{kernel}));
    if (!spirv) return std::nullopt;
    sample out{"program", exact ? "program exact" : "program floats", program_order(plan), exact};
    out.asked.files.front().content = *spirv;
    return out;
}

/// One of whole numbers and one of floats, if there are both a compiler and devices for them.
std::vector<sample> own_programs(std::vector<std::unique_ptr<compute::device>> const& devices)
{
    std::vector<sample> out;
    for (bool const exact : {true, false})
        if (auto own = own_program(exact); own && !devices.empty()) out.push_back(*own);
    return out;
}

run_options patient()
{
    run_options out;
    out.attempts_max = out.failures_max = 100'000;
    return out;
}

}  // namespace

TEST_CASE("app: what each makes of a small order is frozen, on one native device or three")
{
    auto const one = make_native_device(1), two = make_native_device(2),
               three = make_native_device(1);
    blendr::test::vector_list now;
    for (auto const& each : samples()) {
        INFO(each.what);
        auto const& what = *find_app(each.app);
        auto const a = runner_on(what, *one, "a"), b = runner_on(what, *two, "b"),
                   c = runner_on(what, *three, "c");
        std::array<runner*, 1> const alone{a.get()};
        std::array<runner*, 3> const together{a.get(), b.get(), c.get()};
        auto const right = digest_of(files_by(each, alone));
        CHECK(digest_of(files_by(each, together)) == right);
        if (each.exact) now.emplace_back(each.what, to_bytes(bytes_view{right}));
    }
    CHECK(blendr::test::differs_from_frozen("work/apps.txt", now) == "");
}

TEST_CASE(
    "app: units have the same bytes on the native device, on Vulkan and in a worker, or agree")
{
    auto const native = make_native_device(2);
    std::vector<std::pair<sample, std::vector<unit>>> all;
    std::vector<std::vector<bytes>> right;
    for (auto const& each : samples()) {
        all.emplace_back(each, first_units(each));
        right.emplace_back();
        for (auto const& one : all.back().second) {
            auto const out = find_app(each.app)->run(one, {*native});
            REQUIRE_MESSAGE(out, each.what << ": " << message(out.error()));
            CHECK(!find_app(each.app)->wrong(one, *out));
            right.back().push_back(*out);
            if (each.app == "render") CHECK(*out == render_tile(one).value());
        }
    }
    if (!compute::test::vulkan_here()) return;
    auto const gpu = compute::open_vulkan().value();
    auto const worker = compute::worker::start().value();
    for (std::size_t k = 0; k < all.size(); ++k) {
        auto const& what = all[k].first;
        auto const& units = all[k].second;
        INFO(what.what);
        auto const& app_of = *find_app(what.app);
        for (std::size_t j = 0; j < units.size(); ++j)
            for (auto const& [on, as] : {std::pair{gpu.get(), compute::origin::own},
                                         std::pair{static_cast<compute::device*>(worker.get()),
                                                   compute::origin::stranger}}) {
                auto const out = app_of.run(units[j], {*on, as, std::chrono::minutes{5}});
                REQUIRE_MESSAGE(out, message(out.error()));
                CHECK(!app_of.wrong(units[j], *out));
                CHECK(app_of.same(units[j], *out, right[k][j]));
                if (what.exact) CHECK(*out == right[k][j]);
            }
    }
}

TEST_CASE("app: a cheat at every position of a result is found by the app's verifier")
{
    players const there;
    auto everything = samples();
    for (auto& own : own_programs(there.vulkan)) everything.push_back(std::move(own));
    for (auto const& each : everything) {
        INFO(each.what);
        auto const& what = *find_app(each.app);
        auto const one = first_units(each).front();
        auto& on = each.app == "program" ? *there.vulkan[0] : *there.native[0];
        auto const right = what.run(one, {on}).value();
        bool const alone = made(each)->check() == check_kind::product;
        // Numbers are changed whole, pixels by what can be seen, and the most telling part of a float.
        std::size_t const step = each.app == "hash" || each.app == "analyse" ? 1
                                 : each.app == "render"                      ? 3
                                                                             : 4;
        std::size_t found = 0, tried = 0;
        for (std::size_t at = 0; at + step <= right.size(); at += step) {
            auto cheat = right;
            if (each.app == "render" && !each.exact) {
                auto const from = std::min(at, cheat.size() - 150);
                for (std::size_t k = from; k < from + 150; ++k) cheat[k] ^= std::byte{0x80};
            } else if (each.exact) {
                cheat[at] ^= std::byte{1};
            } else {
                float v = 0;
                std::memcpy(&v, &cheat[at], sizeof v);
                v += 1 + std::abs(v);
                std::memcpy(&cheat[at], &v, sizeof v);
            }
            ++tried;
            bool const caught = alone ? what.wrong(one, cheat).has_value()
                                      : !what.same(one, right, cheat) || what.wrong(one, cheat);
            found += caught ? 1 : 0;
        }
        CHECK(tried >= 8);
        CHECK(found == tried);
    }
}

TEST_CASE("app: packed units travel, and any bytes are run or refused")
{
    auto const native = make_native_device(1);
    rng random{blendr::test::seed()};
    for (auto const& each : samples()) {
        INFO(each.what);
        auto const one = first_units(each).front();
        auto const packed = pack(one);
        auto const again = unpack(packed).value();
        CHECK(again.where == one.where);
        CHECK(again.parameters == one.parameters);
        CHECK(pack(again) == packed);
        CHECK(run_packed(each.app, packed, {*native}).value() ==
              find_app(each.app)->run(one, {*native}).value());
        for (int k = 0; k < 60; ++k) {
            auto bad = packed;
            // The head of it: sizes, counts and flags.
            auto const at = random.below(std::min<std::size_t>(bad.size(), 160));
            bad[at] = static_cast<std::byte>(random.below(256));
            auto const out = run_packed(each.app, bad, {*native});
            if (!out) CHECK(!out.error().why.empty());
        }
        CHECK(!unpack(bytes_view{packed}.first(packed.size() - 1)));
    }
    CHECK(message(run_packed("juggle", {}, {*native}).error()).find("no app \"juggle\"") !=
          std::string::npos);
    CHECK(run_packed("hash", bytes(7), {*native}).error().what == fault::program_failed);
}

TEST_CASE("app: orders that make no sense are refused with the line or the reason")
{
    auto const spirals = shipped("train/spirals.csv", "s.csv");
    auto const train = [&](std::string options, std::string_view text) {
        return refusal("train", {std::move(options), {{"s.csv", to_bytes(text)}}});
    };
    auto const has = [](std::string const& text, std::string_view part) {
        INFO(text);
        CHECK(text.find(part) != std::string::npos);
    };
    has(train("{\"rounds\":0}", "a,b\n1,x\n2,y\n"), "between 1 and 100000 rounds");
    has(train("{\"round\":1}", "a,b\n1,x\n2,y\n"), "line 1: $.round: there is no such option");
    has(train("{\n\n\"rounds\":,}", "a,b\n1,x\n"), "line 3");
    has(train("{}", ""), "s.csv: line 1: there is no line of names");
    has(train("{}", "a,b\n"), "s.csv: line 2: there are no rows");
    has(train("{}", "a,b\n1,x\n2\n"), "s.csv: line 3: 1 cells, the first line names 2");
    has(train("{}", "a,b\n1,x\nten,y\n"), "s.csv: line 3: \"ten\" in column a is no number");
    has(train("{}", "a,b\n1,x\n\n2,y\n"), "s.csv: line 3: it is empty");
    has(train("{}", "a,a\n1,x\n2,y\n"), "line 1: column 2 has no name of its own");
    has(train("{}", "a,b\n1,\"x\n2,y\n"), "line 2: a quote is not closed");
    has(train("{}", "a,b\n1,x\n2,x\n"), "2 to 64 classes");
    has(train("{\"answer\":\"c\"}", "a,b\n1,x\n2,y\n"), "there is no column \"c\"");
    has(refusal("train", {"{\"hidden\":[1,2,3,4]}", {spirals}}), "more than 3 hidden layers");
    has(refusal("train", {"{}", {spirals, spirals}}),
        "the order has 2 files, and its options name none");
    has(refusal("render", {"{}", {{"x.scene", to_bytes(std::string_view{"spher 1 2 3"})}}}),
        "x.scene: line 1");
    has(refusal("hash", {"{\"block_bytes\":6}", {spirals}}), "a multiple of 4");
    has(refusal("hash", {"{}", {{"empty", {}}}}), "empty is empty");
    auto const a = random_matrix("a.npy", false, 4, 5), b = random_matrix("b.npy", false, 4, 5);
    has(refusal("matmul", {"{}", {a, b}}), "A has 5 columns, B has 4 rows");
    has(refusal("matmul", {"{}", {a, random_matrix("b.npy", true, 5, 2)}}),
        "one matrix holds floats");
    has(refusal("matmul", {"{}", {a}}), "no file \"b.npy\"");
    has(refusal("matmul", {"{}", {a, {"b.npy", bytes(40)}}}), "b.npy: it is no .npy file");
    matrix large{false, 5, 1, {}};
    for (int k = 0; k < 5; ++k) {
        auto const raw = encode(std::uint32_t{0x40000000});
        large.values.insert(large.values.end(), raw.begin(), raw.end());
    }
    has(refusal("matmul", {"{}", {a, {"b.npy", write_npy(large)}}}), "may not fit 32 bits");
}

TEST_CASE("app: answers are right where a person can tell")
{
    auto const native = make_native_device(1);
    auto const answer = [&](std::string const& name, std::string options, std::vector<file> given) {
        sample const of{name, name, {std::move(options), std::move(given)}, true};
        auto const on = runner_on(*find_app(name), *native, "here");
        std::array<runner*, 1> const alone{on.get()};
        return files_by(of, alone);
    };
    auto const text = [](std::string_view all) { return to_bytes(all); };
    file const fruit{"fruit.csv",
                     text("kind,\"price, each\"\nfig,2.5\npear,1\nfig,-0.25\nplum,10\n")};
    auto const ask = [&](std::string what) {
        auto const all = answer(
            "analyse",
            R"({"column":"price, each","by":"kind","unit_rows":3,"bins":2,"ask":")" + what + "\"}",
            {fruit});
        return std::string{as_text(all.front().content)};
    };
    CHECK(ask("sort") == "price, each\n-0.25\n1\n2.5\n10\n");
    CHECK(ask("prefix_sum") == "price, each\n2.5\n3.5\n3.25\n13.25\n");
    CHECK(ask("group") == "kind,count,sum,least,most,mean\n\"fig\",2,2.25,-0.25,2.5,1.125\n"
                          "\"pear\",1,1,1,1,1\n\"plum\",1,10,10,10,10\n");
    CHECK(ask("quantiles") == "per_mille,value\n0,-0.25\n250,-0.25\n500,1\n750,2.5\n1000,10\n");
    CHECK(ask("histogram") == "from,to,count\n-0.25,4.875001,3\n4.875001,10.000002,1\n");

    std::string digests;
    for (std::string_view const each : {"abcd", "efgh", "i"})
        digests += to_hex(crypto::foreign::blake2b_256(as_bytes(each))) + "\n";
    CHECK(as_text(answer("hash", R"({"block_bytes":4})", {{"letters", text("abcdefghi")}})[0]
                      .content) == digests);

    auto const a = random_matrix("a.npy", false, 70, 9), b = random_matrix("b.npy", false, 9, 66);
    auto const left = read_npy(a.content).value(), right = read_npy(b.content).value();
    auto const product = read_npy(answer("matmul", "{}", {a, b})[0].content).value();
    auto const at = [](matrix const& m, std::size_t row, std::size_t column) {
        std::int32_t v = 0;
        std::memcpy(&v, &m.values[(row * m.columns + column) * 4], 4);
        return v;
    };
    for (std::size_t i = 0; i < 70; ++i)
        for (std::size_t j = 0; j < 66; ++j) {
            std::int32_t sum = 0;
            for (std::size_t k = 0; k < 9; ++k) sum += at(left, i, k) * at(right, k, j);
            REQUIRE(at(product, i, j) == sum);
        }

    // Learnt: the stones of the spirals, also those it was not shown.
    auto const learnt = answer("train", R"({"rounds":400,"rate":60,"hidden":[24,16]})",
                               {shipped("train/spirals.csv", "spirals.csv")});
    std::string const curve{as_text(learnt.front().content)};
    auto const last = curve.substr(curve.rfind('\n', curve.size() - 2) + 1);
    INFO("training ends with " << last);
    CHECK(std::stod(last.substr(last.rfind(',') + 1)) > 0.9);
}

TEST_CASE("app: a program of one's own runs from a plan, and a plan that makes no sense is refused "
          "by line")
{
    auto const& own = *find_app("program");
    if (auto const first = own.make(program_order(good_plan), {}); !first) {
        if (message(first.error()).find("no glslc") != std::string::npos)
            return blendr::test::skip("no glslc here");
        FAIL(message(first.error()));
    }
    auto const has = [&](std::string const& plan, std::string_view part,
                         std::string_view kernel = brighter) {
        auto const said = refusal("program", program_order(plan, kernel));
        INFO(said);
        CHECK(said.find(part) != std::string::npos);
    };
    has(with(good_plan, "[40, 20, 1]", "[40, 0, 1]"), "line 3: $.range: ");
    has(with(good_plan, "[40, 20, 1]", "[41, 20, 1]"),
        "line 7: $.inputs[0]: values.bin has 3200 bytes");
    has(with(good_plan, "[40, 20, 1]", "[40, 20"), "line ");
    has(with(good_plan, "table.bin", "tables.bin"),
        "line 8: $.inputs[1].file: the order has no file");
    has(with(good_plan, "\"split\": false", "\"split\": 3"), "line 8: $.inputs[1].split: ");
    has(with(good_plan, "\"push\"", "\"posh\""), "line 10: $.posh: there is no such option");
    has(with(good_plan, "[5]", "[5, 6]"), "line 10: $.push: the program takes 28 bytes");
    has(with(good_plan, "[5]", "[5], \"compare\": \"floats\""), "an exact program has no floats");
    has(with(good_plan, "200", "0"), "line 5: $.unit_points: ");
    has(good_plan, "brighter.comp: line:2: error", "#version 450\nnonsense\n");
    has(good_plan, "line 2: $.program: brighter.comp: ",
        "#version 450\n#extension GL_KHR_shader_subgroup_arithmetic : "
        "require\nlayout(local_size_x=8) in;"
        "layout(set=0,binding=0) buffer A { uint a[]; };"
        "void main() { a[0] = subgroupAdd(a[1]); }\n");

    if (!compute::test::vulkan_here()) return;
    auto const one = compute::worker::start().value();
    auto const two = compute::open_vulkan().value();
    auto const native = make_native_device(1);
    auto const a = runner_on(own, *one, "worker"), b = runner_on(own, *two, "here"),
               c = runner_on(own, *native, "native");
    auto const what = own.make(program_order(good_plan), {}).value();
    run_options patient;
    patient.attempts_max =
        9;  // the native device knows no programs of others, and says so until it is no longer asked
    std::array<runner*, 3> const all{a.get(), b.get(), c.get()};
    auto const done = run(*what, all, patient);
    REQUIRE_MESSAGE(done, message(done.error()));
    auto const result = what->files(done->results).value().front();
    CHECK(result.name == "result.bin");
    for (std::uint32_t y = 0; y < 20; ++y)
        for (std::uint32_t x = 0; x < 40; ++x) {
            std::uint32_t v = 0;
            std::memcpy(&v, &result.content[(y * 40 + x) * 4], 4);
            auto const square = (y * 40 + x) * 7 % 4;
            REQUIRE(v == square * square * 100'000 + 5 + 1000 * y + x);
        }
}

TEST_CASE("app: every app makes the same on one, two and four devices of a kind, or agrees")
{
    players const there;
    auto everything = samples();
    for (auto& own : own_programs(there.vulkan)) everything.push_back(std::move(own));
    for (auto const& each : everything) {
        INFO(each.what);
        std::vector<std::vector<compute::device*>> casts;
        for (auto const* kind : {&there.native, &there.vulkan}) {
            if (kind->empty() || (each.app == "program" && kind == &there.native)) continue;
            for (std::size_t const count : {1u, 2u, 4u}) {
                casts.emplace_back();
                for (std::size_t k = 0; k < count; ++k) casts.back().push_back((*kind)[k].get());
            }
        }
        if (casts.size() > 3)  // and two of each together
            casts.push_back({there.native[0].get(), there.vulkan[0].get(), there.native[1].get(),
                             there.vulkan[1].get()});
        std::optional<std::vector<bytes>> first;
        std::optional<hash256> right;
        for (auto const& cast : casts) {
            INFO(cast.size() << " of " << cast.front()->info().name);
            team const on{each, cast};
            remembered what{each};
            auto const done = run(what, on.all);
            REQUIRE_MESSAGE(done, message(done.error()));
            auto const made = digest_of(what.inner().files(done->results).value());
            if (!first) first = done->results, right = made;
            if (each.exact) {
                CHECK(made == *right);
                continue;
            }
            REQUIRE(done->results.size() == first->size());
            for (std::size_t k = 0; k < first->size(); ++k)
                CHECK(what.same(what.last[k], done->results[k], (*first)[k]));
        }
    }
}

namespace {

/// Changes a result as a cheat would: whole numbers by one bit, floats by what a person sees.
void falsify(sample const& of, std::size_t place, bytes& result)
{
    if (of.exact)
        result.at((place * 4) % result.size()) ^= std::byte{1};
    else
        for (auto& raw : result) raw ^= std::byte{0x40};
}

/// Who does the units of a run in which each is done by two: one of them cheats.
struct plot {
    compute::device& cheat;
    compute::device& honest;
    compute::device& referee;
};

/// A run in which the cheat's `place`th result is false: it is found, named, and what is made is right.
void expect_found(sample const& each, std::size_t place, plot const& by, remembered const& whole,
                  run_report const& right)
{
    INFO(each.what << ", unit " << place << ", a cheat on " << by.cheat.info().name
                   << " checked on " << by.honest.info().name);
    auto const& app_of = *find_app(each.app);
    auto const honest = runner_on(app_of, by.honest, "honest"),
               referee = runner_on(app_of, by.referee, "referee");
    std::atomic<std::size_t> seen{0};
    auto const liar = make_runner(
        "cheat", 0, [&](unit const& what, std::stop_token stop) -> result<bytes, problem> {
            auto out =
                app_of.run(what, {by.cheat, compute::origin::own, std::chrono::minutes{5}, stop});
            if (out && seen++ == place) falsify(each, place, *out);
            return out;
        });
    // Each unit is done by both, so the cheat comes to its place whoever is faster.
    std::array<runner*, 2> const both{liar.get(), honest.get()};
    run_options chosen;
    chosen.agree = 2;
    chosen.referee = referee.get();
    chosen.failures_max = 100;
    remembered what{each};
    auto const done = run(what, both, chosen);
    REQUIRE_MESSAGE(done, message(done.error()));
    REQUIRE(done->results.size() == right.results.size());
    for (std::size_t k = 0; k < right.results.size(); ++k)
        REQUIRE(what.same(what.last[k], done->results[k], right.results[k]));
    if (each.exact) {
        CHECK(done->results == right.results);
        CHECK(done->root == right.root);
    }
    auto const& named = done->runners[0];
    REQUIRE(named.wrong >= 1);
    CHECK(done->runners[1].wrong == 0);
    CHECK(done->runners[1].units == whole.all);  // redone by the other
    // By the app's own check where it has one, which knows sorted numbers too; else by others.
    bool const by_itself = what.inner().check() == check_kind::product;
    bool const outvoted = named.said.front().find("others returned another") != std::string::npos;
    CHECK(outvoted !=
          (by_itself || each.what == "analyse sort" || each.what == "analyse quantiles"));
}

}  // namespace

TEST_CASE("app: a cheat at every unit of a run is found, named, and changes nothing")
{
    players const there;
    for (auto const& each : samples()) {
        team const alone{each, std::array<compute::device*, 1>{there.native[0].get()}};
        remembered whole{each};
        auto const right = run(whole, alone.all).value();
        for (std::size_t place = 0; place < whole.all; ++place)
            expect_found(each, place, {*there.native[0], *there.native[0], *there.native[1]}, whole,
                         right);
    }
    for (auto const& each : own_programs(there.vulkan)) {
        team const alone{each, std::array<compute::device*, 1>{there.vulkan[0].get()}};
        remembered whole{each};
        auto const right = run(whole, alone.all).value();
        CHECK(whole.all >= 4);
        for (std::size_t place = 0; place < whole.all; ++place)
            expect_found(each, place, {*there.vulkan[0], *there.vulkan[1], *there.vulkan[2]}, whole,
                         right);
    }
}

TEST_CASE(
    "app: a cheat on Vulkan is found by a native device at every unit, and the other way round")
{
    players const there;
    if (there.vulkan.empty()) return;
    for (auto const& each : samples()) {
        team const alone{each, std::array<compute::device*, 1>{there.native[0].get()}};
        remembered whole{each};
        auto const right = run(whole, alone.all).value();
        auto &native = *there.native[0], &vulkan = *there.vulkan[0];
        for (std::size_t place = 0; place < whole.all; ++place) {
            bool const cheats = place % 2 == 0;
            expect_found(each, place,
                         {cheats ? vulkan : native, cheats ? native : vulkan, *there.native[1]},
                         whole, right);
        }
    }
}

TEST_CASE("app: a quorum outvotes who cheats at any unit of a program of one's own")
{
    players const there;
    for (auto const& each : own_programs(there.vulkan)) {
        INFO(each.what);
        auto const& own = *find_app(each.app);
        team const alone{each, std::array<compute::device*, 1>{there.vulkan[0].get()}};
        remembered whole{each};
        auto const right = run(whole, alone.all).value();
        for (std::size_t place = 0; place < whole.all; ++place) {
            INFO("unit " << place);
            auto const target = whole.last[place].where;
            std::atomic<bool> lied{false};
            // The two honest ones wait for the lie, so that it is among the first results of its unit.
            auto const by = [&](std::string name, compute::device& on, bool honest) {
                return make_runner(
                    std::move(name), 1e6,
                    [&, honest](unit const& what, std::stop_token stop) -> result<bytes, problem> {
                        while (honest && !lied && !stop.stop_requested())
                            std::this_thread::sleep_for(std::chrono::milliseconds{1});
                        auto out = own.run(
                            what, {on, compute::origin::own, std::chrono::minutes{5}, stop});
                        if (honest || !out || what.where != target) return out;
                        falsify(each, place, *out);
                        lied = true;
                        return out;
                    });
            };
            auto const cheat = by("cheat", *there.vulkan[0], false),
                       one = by("one", *there.vulkan[1], true),
                       other = by("other", *there.vulkan[2], true);
            std::array<runner*, 3> const all{cheat.get(), one.get(), other.get()};
            run_options chosen;
            chosen.agree = 2;
            remembered what{each};
            auto const done = run(what, all, chosen);
            REQUIRE_MESSAGE(done, message(done.error()));
            for (std::size_t k = 0; k < right.results.size(); ++k)
                REQUIRE(what.same(what.last[k], done->results[k], right.results[k]));
            if (each.exact) CHECK(done->root == right.root);
            REQUIRE(done->disagreements.size() == 1);
            CHECK(done->disagreements[0].unit == place);
            CHECK(done->disagreements[0].other == "cheat");
            CHECK(done->runners[0].wrong == 1);
            CHECK(done->runners[1].wrong + done->runners[2].wrong == 0);
        }
    }
}

TEST_CASE("app: devices that die a hundred times at random change nothing but the time" *
          doctest::test_suite("property"))
{
    auto const seed = blendr::test::seed();
    INFO("seed " << seed);
    std::size_t deaths = 0;
    mortal one{seed, 4}, two{seed + 1, 6};
    auto const native = make_native_device(1);
    std::array<compute::device*, 2> const dying{&one, &two};
    std::array<compute::device*, 1> const steady{native.get()};
    for (auto const& each : samples()) {
        // Grouping is done beside the device, and floats differ from none of their kind.
        INFO(each.what);
        team const safe{each, steady}, mortals{each, dying};
        auto const right = digest_of(files_by(each, safe.all));
        for (int round = 0; round < 6; ++round) {
            auto const what = made(each);
            auto const done = run(*what, mortals.all, patient());
            REQUIRE_MESSAGE(done, message(done.error()));
            REQUIRE(digest_of(what->files(done->results).value()) == right);
        }
    }
    deaths = one.deaths + two.deaths;
    MESSAGE(deaths << " deaths");
    CHECK(deaths >= 100);
}

TEST_CASE("app: a run whose devices are gone, or that is cancelled, is taken up from disk")
{
    auto const native = make_native_device(1);
    auto const folder = blendr::test::scratch("work_apps");
    for (auto const& each : samples()) {
        INFO(each.what);
        std::array<compute::device*, 1> const steady{native.get()};
        team const safe{each, steady};
        remembered whole{each};
        auto const right = run(whole, safe.all).value();
        for (bool const cancelled : {false, true}) {
            auto const file = folder / (each.what + (cancelled ? " cancelled" : " gone"));
            std::size_t const enough = whole.all / 2;
            std::size_t units = 0;
            std::stop_source stop;
            auto const dies = make_runner(
                "dies", 0, [&](unit const& one, std::stop_token) -> result<bytes, problem> {
                    if (units == enough && !cancelled)
                        return fail{problem{fault::device_failed, "the power is out"}};
                    if (++units > enough) stop.request_stop();
                    return find_app(each.app)->run(one, {*native});
                });
            std::array<runner*, 1> const alone{dies.get()};
            {
                remembered what{each};
                auto saved = checkpoint::open(file, what.identity()).value();
                run_options chosen;
                chosen.saved = &saved;
                chosen.stop = stop.get_token();
                chosen.attempts_max = 9;
                auto const first = run(what, alone, chosen);
                if (first) {  // cancelled in its last unit
                    CHECK(cancelled);
                    continue;
                }
                CHECK(first.error().what ==
                      (cancelled ? fault::cancelled : fault::all_runners_gone));
            }
            remembered again{each};
            auto saved = checkpoint::open(file, again.identity()).value();
            CHECK(saved.size() >= enough);
            std::size_t told = 0, done_last = 0;
            run_options chosen;
            chosen.saved = &saved;
            chosen.progress_every = std::chrono::milliseconds{0};
            chosen.on_progress = [&](progress const& at) { ++told, done_last = at.done; };
            auto const done = run(again, safe.all, chosen).value();
            CHECK(done.resumed >= enough);
            CHECK(done.root == right.root);
            CHECK(done.results == right.results);
            CHECK(told > 0);
            CHECK(done_last == again.last.size());
        }
    }
}

TEST_CASE("app: small orders that would take much memory or time are refused with the reason")
{
    auto const has = [](std::string const& text, std::string_view part) {
        INFO(text);
        CHECK(text.find(part) != std::string::npos);
    };
    // Columns of a row have names of their own, however many they are.
    std::string wide = "c0";
    for (int k = 1; k < 300'000; ++k) wide += ",c" + std::to_string(k);
    has(refusal("train", {"{}", {{"w.csv", to_bytes(std::string_view{wide + ",c7\n"})}}}),
        "line 1: column 300001 has no name of its own");
    has(refusal("train", {"{}", {{"w.csv", to_bytes(std::string_view{wide + "\n1,2\n"})}}}),
        "line 2: 2 cells, the first line names 300000");

    matrix const tall{false, 40'000, 1, bytes(160'000)}, flat{false, 1, 40'000, bytes(160'000)};
    has(refusal("matmul", {"{}", {{"a.npy", write_npy(tall)}, {"b.npy", write_npy(flat)}}}),
        "the product has 40000 rows of 40000 numbers, more than 2 GiB");

    file const many{"n.i64", bytes(std::size_t{8} * 10'000)};
    has(refusal("analyse", {R"({"bins":65536,"unit_rows":1})", {many}}),
        "the answers of 10000 units take more than 1 GiB");
    std::string keys = "key,x\n";
    for (int k = 0; k < 10'000; ++k) keys += "k" + std::to_string(k) + ",1\n";
    has(refusal("analyse", {R"({"ask":"group","by":"key","column":"x","unit_rows":1})",
                            {{"k.csv", to_bytes(std::string_view{keys})}}}),
        "the answers of 10000 units take more than 1 GiB");
    std::string quantiles = "1";
    for (int k = 0; k < 1001; ++k) quantiles += ",1";
    has(refusal("analyse", {R"({"ask":"quantiles","per_mille":[)" + quantiles + "]}", {many}}),
        "more than 1001 quantiles");

    auto const spirals = shipped("train/spirals.csv", "s.csv");
    has(refusal("train", {R"({"rounds":100000,"parts":1024})", {spirals}}), "1048576 units");
    has(refusal("hash", {R"({"block_bytes":4})", {{"zeros", bytes(std::size_t{1} << 27)}}}),
        "more than 33554432 blocks");
    has(refusal("render", {R"({"width":16385})", {shipped("render/demo.scene", "s")}}),
        "more than 16384 pixels");
    has(refusal("train", {"{\"" + std::string(100'000, 'q') + "\":1}", {spirals}}), "qqq ...");
    auto const large =
        find_app("render")
            ->make({R"({"width":16384,"height":16384})", {shipped("render/demo.scene", "s")}}, {})
            .value();
    auto const tiles = large->next({}).value();
    for (auto const& each : tiles->units) REQUIRE(each.where.size.points() <= 1u << 20);

    auto const own = own_program();
    if (!own) return;
    for (std::string const name : {"..", ".", "a/b", "a\\\\b", "a\\nb", ""}) {
        auto asked = own->asked;
        asked.options = with(asked.options, "\"push\"", "\"result\": \"" + name + "\", \"push\"");
        has(refusal("program", asked), "line 10: $.result: it is no name of a file");
    }
}

TEST_CASE("app: an order that was mangled is planned, or refused with a reason" *
          doctest::test_suite("property"))
{
    rng random{blendr::test::seed()};
    auto everything = samples();
    if (auto own = own_program()) everything.push_back(*own);
    std::size_t planned = 0, refused = 0;
    for (auto const& each : everything) {
        INFO(each.what);
        for (int round = 0; round < 60; ++round) {
            auto asked = each.asked;
            auto const mangle = [&](auto& raw) {
                using byte_of = std::remove_cvref_t<decltype(raw.front())>;
                auto const at = random.below(raw.size());
                auto const where = raw.begin() + static_cast<std::ptrdiff_t>(at);
                auto const kind = random.below(4);
                auto const with_what = random.below(256);
                if (kind == 0) raw[at] = static_cast<byte_of>(with_what);
                if (kind == 1) raw.erase(where, raw.end());
                if (kind == 2) raw.insert(where, 1 + with_what % 7, static_cast<byte_of>('9'));
                if (kind == 3) raw.erase(where);
            };
            auto const which = random.below(asked.files.size() + 1);
            if (which == asked.files.size())
                mangle(asked.options);
            else
                mangle(asked.files[which].content);
            // Not the compiler's business: a program that is no SPIR-V would be taken for GLSL.
            if (each.app == "program" && which == 0) asked.files[0].content.resize(3);
            auto const made = find_app(each.app)->make(asked, some_speeds);
            if (made) {
                ++planned;
                REQUIRE((*made)->next({}).value()->units.size() >= 1);
                continue;
            }
            ++refused;
            REQUIRE(!made.error().why.empty());
            REQUIRE(made.error().why.size() < 3000);
        }
    }
    CHECK(planned > 50);
    CHECK(refused > 50);
}

TEST_CASE("app: measured speeds cut an order for the devices there are")
{
    auto const native = make_native_device(1);
    for (auto const& each : samples()) {
        INFO(each.what);
        CHECK(measure(*find_app(each.app), each.asked, *native) > 0);
    }
    sample const nonsense{"hash", "hash", {R"({"block_bytes":6})", {{"x", bytes(5)}}}, true};
    CHECK(measure(*find_app("hash"), nonsense.asked, *native) == 0);
    mortal dead{1, 1};
    CHECK(measure(*find_app("hash"), samples().back().asked, dead) >= 0);
}

TEST_CASE("app: GLSL where there is no compiler is refused with a sentence, SPIR-V is taken")
{
    auto const own = own_program();
    std::string const before = std::getenv("PATH") == nullptr ? "" : std::getenv("PATH");
    ::setenv("PATH", "/nowhere", 1);
    auto const glsl = refusal("program", program_order(good_plan));
    std::optional<std::string> spirv;
    if (own) spirv = refusal("program", own->asked);
    ::setenv("PATH", before.c_str(), 1);
    CHECK(glsl.find("it is GLSL, and there is no glslc here to compile it; give SPIR-V") !=
          std::string::npos);
    if (own) CHECK(*spirv == "");
}

TEST_CASE("app: workers killed a hundred times at random moments change nothing but the time" *
          doctest::test_suite("slow"))
{
    if (!compute::test::vulkan_here()) return;
    auto const one = compute::worker::start().value(), two = compute::worker::start().value();
    auto const native = make_native_device(1);
    auto everything = samples();
    if (auto own = own_program()) everything.push_back(*own);
    std::array<compute::device*, 1> const steady{native.get()};
    std::array<compute::device*, 2> const workers{one.get(), two.get()};
    std::size_t all_kills = 0, runs = 0, failures = 0;
    for (auto const& each : everything) {
        INFO(each.what);
        remembered reference{each};
        team const safe{each, each.app == "program" ? std::span<compute::device* const>{workers}
                                                    : std::span<compute::device* const>{steady}};
        team const both{each, workers, compute::origin::stranger};
        auto const right = run(reference, safe.all, patient()).value();
        auto const files = digest_of(reference.inner().files(right.results).value());

        std::atomic<std::size_t> kills{0};
        std::jthread const killer{[&](std::stop_token stop) {
            rng random{blendr::test::seed() + all_kills};
            while (!stop.stop_requested() && kills < 8) {  // then the last run may end
                std::this_thread::sleep_for(std::chrono::milliseconds{20 + random.below(300)});
                auto const& victim = random.below(2) == 0 ? one : two;
                auto const process = victim->report().process;
                if (process > 0 && ::kill(process, SIGKILL) == 0) ++kills;
            }
        }};
        while (kills < 8) {
            remembered what{each};
            auto const done = run(what, both.all, patient());
            REQUIRE_MESSAGE(done, message(done.error()));
            if (each.exact) REQUIRE(digest_of(what.inner().files(done->results).value()) == files);
            for (std::size_t k = 0; k < right.results.size(); ++k)
                REQUIRE(what.same(what.last[k], done->results[k], right.results[k]));
            for (auto const& by : done->runners) failures += by.failures;
            ++runs;
        }
        CHECK(kills >= 8);
        all_kills += kills;
    }
    MESSAGE(runs << " runs, " << all_kills << " kills, " << failures << " units done again");
    CHECK(all_kills >= 100);
    CHECK(failures > 0);
}
