// SPDX-License-Identifier: Apache-2.0
// `program`: a workload of somebody's own, as data. The order's options are the plan: which program, over what range,
// how its inputs are cut, and how two results are compared. It always runs as a stranger's.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <blendr/compute/job.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/crypto/hash.hpp>

#include "builtin.hpp"
#include "glslc.hpp"
#include "on_device.hpp"
#include "options.hpp"

namespace blendr::work {
namespace {

constexpr crypto::domain program_domain{"work.program/1"};
constexpr std::uint64_t part_bytes_max = std::uint64_t{1} << 28;
constexpr std::uint32_t element_bytes_max = 4096;

BOOST_DEFINE_FIXED_ENUM_CLASS(comparator, std::uint8_t, bytes, floats)

struct plan_input {
    std::string file{};
    std::uint32_t element_bytes = 4;
    bool split = true;  ///< each unit gets its part; else all of it
};
BOOST_DESCRIBE_STRUCT(plan_input, (), (file, element_bytes, split))

struct program_plan {
    std::string program{};
    bool exact = true;  ///< whole numbers alone: the same bytes everywhere
    std::array<std::uint32_t, 3> range{1, 1, 1};
    std::array<std::uint32_t, 3> least{1, 1, 1};
    std::uint64_t unit_points = 65'536;
    std::vector<plan_input> inputs{};
    std::uint32_t result_bytes = 4;  ///< of each point
    std::string result = "result.bin";
    std::vector<std::uint32_t> push{};
    comparator compare = comparator::bytes;
    std::uint32_t absolute_millionths = 0;  ///< what floats may differ by, or …
    std::uint32_t per_million = 0;          ///< … of the larger
    std::uint32_t loop_budget = 1u << 24;
};
BOOST_DESCRIBE_STRUCT(program_plan, (),
                      (program, exact, range, least, unit_points, inputs, result_bytes, result,
                       push, compare, absolute_millionths, per_million, loop_budget))

/// What a unit is told. Its first input is the program, the others are bound in order, the result behind them.
struct program_unit {
    bool exact = true;
    std::uint32_t result_bytes = 4;
    std::uint32_t loop_budget = 0;
    comparator compare{};
    std::uint32_t absolute_millionths = 0, per_million = 0;
    bounded<std::vector<std::uint32_t>, 32> push{};
};
BOOST_DESCRIBE_STRUCT(program_unit, (),
                      (exact, result_bytes, loop_budget, compare, absolute_millionths, per_million,
                       push))

/// Whether a file may be written under this name, wherever whoever gets it likes.
bool is_file_name(std::string_view name)
{
    return !name.empty() && name.size() <= 255 && name != "." && name != ".." &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return c != '/' && c != '\\' && static_cast<unsigned char>(c) >= ' ' && c != '\x7f';
           });
}

/// The part of a range's values that lies in a box, row after row.
bytes part_of(bytes_view whole, extent const& range, box const& where, std::size_t each)
{
    bytes out;
    out.reserve(static_cast<std::size_t>(where.size.points()) * each);
    for (std::size_t z = 0; z < where.size.z; ++z)
        for (std::size_t y = 0; y < where.size.y; ++y) {
            auto const row =
                ((where.from.z + z) * range.y + where.from.y + y) * range.x + where.from.x;
            auto const line = whole.subspan(row * each, where.size.x * each);
            out.insert(out.end(), line.begin(), line.end());
        }
    return out;
}

class programmed final : public task {
public:
    programmed(program_plan plan, shared_bytes spirv, std::vector<shared_bytes> inputs,
               std::vector<box> boxes)
        : plan_{std::move(plan)},
          spirv_{std::move(spirv)},
          inputs_{std::move(inputs)},
          boxes_{std::move(boxes)}
    {}

    check_kind check() const noexcept override
    {
        return plan_.compare == comparator::bytes ? check_kind::exact : check_kind::tolerance;
    }
    hash256 identity() const override
    {
        crypto::hasher h{program_domain};
        h.update(encode(plan_)).update(encode(boxes_)).update(encode(*spirv_));
        for (auto const& each : inputs_) h.update(encode(*each));
        return h.finish();
    }
    result<std::optional<stage>, problem> next(std::vector<bytes> const& results) override
    {
        if (!results.empty()) return std::nullopt;
        stage out{plan_.program, {}};
        auto const parameters =
            encode(program_unit{plan_.exact, plan_.result_bytes, plan_.loop_budget, plan_.compare,
                                plan_.absolute_millionths, plan_.per_million, plan_.push});
        for (auto const& each : boxes_) {
            unit one{each, parameters, {spirv_}, each.size.points() * plan_.result_bytes};
            for (std::size_t k = 0; k < inputs_.size(); ++k)
                one.inputs.push_back(
                    plan_.inputs[k].split
                        ? share(part_of(*inputs_[k], range(), each, plan_.inputs[k].element_bytes))
                        : inputs_[k]);
            out.units.push_back(std::move(one));
        }
        return out;
    }
    bool same(unit const& of, bytes_view a, bytes_view b) const override
    {
        return program_app().same(of, a, b);
    }
    std::optional<std::string> wrong(unit const& of, bytes_view result) const override
    {
        return program_app().wrong(of, result);
    }
    result<std::vector<file>, problem> files(std::span<bytes const> results) const override
    {
        bytes whole(static_cast<std::size_t>(range().points()) * plan_.result_bytes);
        for (std::size_t k = 0; k < boxes_.size(); ++k)
            if (k >= results.size() ||
                !place(whole, range(), boxes_[k], results[k], plan_.result_bytes))
                return fail{problem{fault::wrong_size, "unit " + std::to_string(k)}};
        std::vector<file> out;
        out.push_back({plan_.result, std::move(whole)});
        return out;
    }

private:
    extent range() const { return {plan_.range[0], plan_.range[1], plan_.range[2]}; }

    program_plan plan_;
    shared_bytes spirv_;
    std::vector<shared_bytes> inputs_;
    std::vector<box> boxes_;
};

class programs_of_others final : public app {
public:
    app_info info() const noexcept override
    {
        return {"program", "a program of one's own, SPIR-V or GLSL, over a range that a plan cuts"};
    }

    result<std::unique_ptr<task>, problem> make(order const& what,
                                                std::span<double const> speeds) const override
    {
        BLENDR_TRY(auto plan, options_of(what.options, program_plan{}));
        auto const refuse = [&](std::string path, std::string why) {
            return fail{problem_of(what.options, {"$." + std::move(path), std::move(why)})};
        };
        auto const given = [&](std::string const& path,
                               std::string const& name) -> result<file const*, problem> {
            for (auto const& each : what.files)
                if (each.name == name) return &each;
            return refuse(path, "the order has no file \"" + name.substr(0, 80) + '"');
        };
        extent const range{plan.range[0], plan.range[1], plan.range[2]};
        extent const least{plan.least[0], plan.least[1], plan.least[2]};
        if (auto const good = work::check(range); !good)
            return refuse("range", message(good.error()));
        if (plan.result_bytes == 0 || plan.result_bytes > element_bytes_max ||
            plan.result_bytes % 4 != 0)
            return refuse("result_bytes", "a multiple of 4, and at most 4096");
        if (plan.unit_points == 0 || plan.unit_points > part_bytes_max / plan.result_bytes)
            return refuse("unit_points",
                          "a unit's result has at least one point and at most 256 MiB");
        if (range.points() > (std::uint64_t{1} << 31) / plan.result_bytes)
            return refuse("range", "the result has more than 2 GiB");
        if (plan.compare == comparator::floats && plan.exact)
            return refuse("compare", "an exact program has no floats to be compared");
        if (plan.push.size() > 26) return refuse("push", "more than 26 words");
        if (plan.inputs.size() > 8) return refuse("inputs", "more than 8");
        if (!is_file_name(plan.result)) return refuse("result", "it is no name of a file");
        BLENDR_TRY(auto const* const program, given("program", plan.program));
        constexpr std::array<std::byte, 4> spirv_begins{std::byte{3}, std::byte{2}, std::byte{0x23},
                                                        std::byte{7}};
        auto spirv = program->content;
        if (spirv.size() < 4 ||
            !std::equal(spirv_begins.begin(), spirv_begins.end(), spirv.begin())) {
            auto made = compile_glsl(program->name, spirv);
            if (!made) return fail{made.error()};
            spirv = *std::move(made);
        }
        compute::policy under;
        under.as = plan.exact ? compute::profile::exact : compute::profile::tolerance;
        under.device.storage_buffers_max = 16;
        under.device.int64 = true;
        under.device.invocations_max = 1024;
        under.device.local_size_max = {1024, 1024, 64};
        auto const admitted = compute::admit(spirv, under);
        if (!admitted) return refuse("program", plan.program + ": " + message(admitted.error()));
        auto const& needs = admitted->needs;
        if (needs.bindings.size() != plan.inputs.size() + 1)
            return refuse("inputs", "the program binds " + std::to_string(needs.bindings.size()) +
                                        " buffers: the inputs, and the result behind them");
        if (needs.push_bytes != (6 + plan.push.size()) * 4)
            return refuse("push", "the program takes " + std::to_string(needs.push_bytes) +
                                      " bytes: six words for the part of the range, and these");
        std::vector<shared_bytes> inputs;
        std::map<file const*, shared_bytes> contents;  // once, whoever reads it
        std::uint64_t all_bytes = 0;
        for (std::size_t k = 0; k < plan.inputs.size(); ++k) {
            auto const& each = plan.inputs[k];
            auto const path = "inputs[" + std::to_string(k) + "]";
            if (each.element_bytes == 0 || each.element_bytes > element_bytes_max ||
                each.element_bytes % 4 != 0)
                return refuse(path + ".element_bytes", "a multiple of 4, and at most 4096");
            BLENDR_TRY(auto const* const from, given(path + ".file", each.file));
            if (from->content.empty()) return refuse(path + ".file", from->name + " is empty");
            if (each.split && from->content.size() != range.points() * each.element_bytes)
                return refuse(path, from->name + " has " + std::to_string(from->content.size()) +
                                        " bytes, the range takes " +
                                        std::to_string(range.points() * each.element_bytes));
            if (from->content.size() > part_bytes_max && !each.split)
                return refuse(path, from->name + " has more than 256 MiB for every unit");
            all_bytes += from->content.size();
            if (all_bytes > std::uint64_t{1} << 31)
                return refuse("inputs", "they have more than 2 GiB together");
            auto& content = contents[from];
            if (content == nullptr) content = share(from->content);
            inputs.push_back(content);
        }
        split_rules rules;
        rules.least = least;
        rules.most = plan.unit_points;
        auto boxes = split(range, speeds, rules);
        if (!boxes) return refuse("least", message(boxes.error()));
        return std::make_unique<programmed>(std::move(plan), share(std::move(spirv)),
                                            std::move(inputs), *std::move(boxes));
    }

    result<bytes, problem> run(unit const& what, workplace const& where) const override
    {
        auto const refuse = [](char const* why) {
            return fail{problem{fault::program_failed, why}};
        };
        auto const told = decode<program_unit>(what.parameters);
        if (!told || told->result_bytes == 0 || told->result_bytes > element_bytes_max)
            return refuse("the parameters are none of a program");
        auto const& size = what.where.size;
        if (what.inputs.empty() || !check(size) ||
            size.points() > part_bytes_max / told->result_bytes)
            return refuse("the unit has no program, or no sensible range");
        compute::job all;
        all.program = *what.inputs[0];
        all.under.as = told->exact ? compute::profile::exact : compute::profile::tolerance;
        all.under.loop_budget = told->loop_budget;
        auto const loaded = where.on.load(all.program, all.under, compute::origin::stranger);
        if (!loaded) return fail{problem_of(loaded.error())};
        std::array<std::uint32_t, 3> const points{size.x, size.y, size.z};
        for (std::size_t k = 0; k < 3; ++k)
            all.groups[k] = groups_for(points[k], loaded->needs.local_size[k]);
        auto const& from = what.where.from;
        for (auto const word : {from.x, from.y, from.z, size.x, size.y, size.z})
            append(all.push, word);
        for (auto const word : told->push) append(all.push, word);
        for (std::size_t k = 1; k < what.inputs.size(); ++k)
            all.bindings.push_back(compute::bound::input(*what.inputs[k]));
        all.bindings.push_back(compute::bound::output(size.points() * told->result_bytes));
        all.deadline = where.deadline;
        if (where.stop.stop_requested()) return fail{problem{fault::cancelled, {}}};
        auto made = compute::run_job(where.on, all);
        if (!made) return fail{problem_of(made.error())};
        return std::move(made->outputs.back());
    }

    bool same(unit const& of, bytes_view a, bytes_view b) const override
    {
        if (equal(a, b)) return true;
        auto const told = decode<program_unit>(of.parameters);
        if (!told || told->compare != comparator::floats || a.size() != b.size()) return false;
        auto const left = numbers_in<float>(a), right = numbers_in<float>(b);
        for (std::size_t k = 0; k < left.size(); ++k) {
            double const x = left[k], y = right[k];
            if (std::isnan(x) && std::isnan(y)) continue;
            if (x == y) continue;
            auto const slack = told->absolute_millionths * 1e-6 +
                               std::max(std::abs(x), std::abs(y)) * told->per_million * 1e-6;
            if (!std::isfinite(x) || !std::isfinite(y) || !(std::abs(x - y) <= slack)) return false;
        }
        return true;
    }

    cost estimate(unit const& of) const override
    {
        std::uint64_t in = 0;
        for (auto const& each : of.inputs) in += each->size();
        return {static_cast<double>(of.where.size.points()) * 100, in, of.result_bytes.value_or(0)};
    }
};

}  // namespace

app const& program_app()
{
    static programs_of_others const it;
    return it;
}

}  // namespace blendr::work
