// SPDX-License-Identifier: Apache-2.0
// `analyse`: questions about columns of a table. Numbers are whole millionths, so answers are the same everywhere.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>
#include <random>
#include <set>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <blendr/core/codec.hpp>
#include <blendr/core/wide.hpp>
#include <blendr/crypto/hash.hpp>

#include "builtin.hpp"
#include "csv.hpp"
#include "on_device.hpp"
#include "options.hpp"
#include "plot.hpp"
#include "programs_spirv.hpp"

namespace blendr::work {
namespace {

constexpr crypto::domain analyse_domain{"work.analyse/1"};
using number = std::int64_t;
constexpr std::uint32_t segment = 256, bins_max = 1u << 16, unit_rows_max = 1u << 20;
constexpr std::uint64_t answers_bytes_max = std::uint64_t{1} << 30;

BOOST_DEFINE_FIXED_ENUM_CLASS(question, std::uint8_t, histogram, quantiles, group, sort, prefix_sum)

struct analyse_options {
    std::string file{};
    question ask = question::histogram;
    std::string column{};  ///< of numbers; none: the first
    std::string by{};      ///< group: the column of keys
    std::uint32_t bins = 20;
    std::vector<std::uint32_t> per_mille{0, 250, 500, 750, 1000};
    std::uint32_t unit_rows = 1u << 16;
};
BOOST_DESCRIBE_STRUCT(analyse_options, (), (file, ask, column, by, bins, per_mille, unit_rows))

/// What a unit does with its numbers.
BOOST_DEFINE_FIXED_ENUM_CLASS(unit_step, std::uint8_t, count, sort, group, sum, prefix)

struct analyse_unit {
    unit_step what{};
    std::uint32_t bins = 0;  ///< or how many keys
    number low = 0;          ///< or what a prefix begins with
    number width = 1;
};
BOOST_DESCRIBE_STRUCT(analyse_unit, (), (what, bins, low, width))

struct analyse_push {
    number low, width;
    std::uint32_t step, n, bins, across, block, segments;
};

/// Sums wrap; an order whose sums may is refused.
number plus(number a, number b)
{
    return static_cast<number>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

struct group_of_rows {
    number count = 0, sum = 0, least = INT64_MAX, most = INT64_MIN;
};

/// What decides who is right.
std::vector<number> answer(analyse_unit const& told, std::vector<number> values,
                           std::vector<std::uint32_t> const& keys)
{
    switch (told.what) {
    case unit_step::count: {
        std::vector<number> counts(told.bins);
        for (auto const v : values)
            ++counts[static_cast<std::size_t>(
                std::clamp<number>((v - told.low) / told.width, 0, told.bins - 1))];
        return counts;
    }
    case unit_step::sort:
        std::sort(values.begin(), values.end());
        return values;
    case unit_step::group: {
        std::vector<group_of_rows> groups(told.bins);
        for (std::size_t k = 0; k < values.size(); ++k) {
            auto& to = groups[keys[k]];
            ++to.count;
            to.sum = plus(to.sum, values[k]);
            to.least = std::min(to.least, values[k]);
            to.most = std::max(to.most, values[k]);
        }
        std::vector<number> out;
        for (auto const& each : groups)
            out.insert(out.end(), {each.count, each.sum, each.least, each.most});
        return out;
    }
    default: {
        auto sum = told.what == unit_step::prefix ? told.low : 0;
        for (auto& each : values) each = sum = plus(sum, each);
        if (told.what == unit_step::sum) return {sum};
        return values;
    }
    }
}

/// How many numbers a unit answers with.
std::uint64_t answer_size(analyse_unit const& told, std::uint64_t rows)
{
    switch (told.what) {
    case unit_step::count:
        return told.bins;
    case unit_step::group:
        return std::uint64_t{told.bins} * 4;
    case unit_step::sum:
        return 1;
    default:
        return rows;
    }
}

result<analyse_unit, problem> read_unit(unit const& what)
{
    auto const refuse = [](char const* why) { return fail{problem{fault::program_failed, why}}; };
    auto const read = decode<analyse_unit>(what.parameters);
    constexpr number far = number{1} << 62;
    if (!read || read->width <= 0 || read->low > far || read->low < -far || read->bins > bins_max ||
        read->bins == 0)
        return refuse("the parameters are none of an analysis");
    bool const keyed = read->what == unit_step::group;
    auto const rows = std::uint64_t{what.where.size.x};
    if (what.where.size.rows() != 1 || rows == 0 || rows > unit_rows_max ||
        what.inputs.size() != (keyed ? 2 : 1) || what.inputs[0]->size() != rows * sizeof(number) ||
        (keyed && what.inputs[1]->size() != rows * 4))
        return refuse("the inputs are not as many numbers as the unit has rows");
    for (auto const each : numbers_in<number>(*what.inputs[0]))
        if (each > csv_most || each < -csv_most) return refuse("a number lies out of bounds");
    if (keyed)
        for (auto const each : numbers_in<std::uint32_t>(*what.inputs[1]))
            if (each >= read->bins) return refuse("a key that there is not");
    return *read;
}

/// The steps of a unit as dispatches.
result<bytes, problem> answer_on(analyse_unit const& told, unit const& what, workplace const& where)
{
    on_device device{where};
    BLENDR_TRY(auto const program,
               device.program(program_bytes(spirv::analyse), compute::profile::exact));
    auto const rows = what.where.size.x;
    bool const sorts = told.what == unit_step::sort;
    std::uint32_t n = 1;
    while (n < rows) n *= 2;
    if (!sorts) n = rows;
    auto values = numbers_in<number>(*what.inputs[0]);
    values.resize(n, INT64_MAX);  // what is behind the end stays there
    auto const segments = groups_for(rows, segment);
    BLENDR_TRY(auto const in, device.room(std::uint64_t{n} * sizeof(number)));
    BLENDR_TRY(auto const counts, device.room(std::uint64_t{told.bins} * 4));
    BLENDR_TRY(auto const sums, device.room((std::uint64_t{segments} + 1) * sizeof(number)));
    std::vector<std::uint32_t> counted(told.bins);
    std::vector<number> summed(segments + 1);
    device.upload(in, view_of(values));
    analyse_push push{told.low, told.width, 0, n, told.bins, 0, 0, segments};
    auto const dispatch = [&](std::uint32_t step, std::uint32_t invocations) {
        push.step = step;
        device.dispatch(program, {groups_for(invocations, 64), 1, 1}, {in, counts, sums}, push);
    };
    switch (told.what) {
    case unit_step::count:
        dispatch(0, n);
        device.download(counts, room_of(counted));
        break;
    case unit_step::sort:
        for (push.block = 2; push.block <= n; push.block *= 2)
            for (push.across = push.block / 2; push.across > 0; push.across /= 2) dispatch(1, n);
        device.download(in, room_of(values));
        break;
    default:
        dispatch(2, segments);
        dispatch(3, 1);
        if (told.what == unit_step::prefix) {
            dispatch(4, segments);
            device.download(in, room_of(values));
        } else {
            device.download(sums, room_of(summed));
        }
    }
    BLENDR_CHECK(device.run());
    values.resize(rows);
    if (told.what == unit_step::count) values.assign(counted.begin(), counted.end());
    if (told.what == unit_step::sum) values.assign(1, plus(summed.back(), -told.low));
    return to_bytes(view_of(values));
}

/// A column, ready to be asked about.
struct analysis_plan {
    analyse_options asked{};
    std::string name;  ///< of the column
    std::vector<number> values{};
    std::vector<std::uint32_t> keys{};
    std::vector<std::string> key_names{};
    number low = 0, width = 1;
    std::vector<box> parts{};
};

class analysis final : public task {
public:
    /// Cuts the column once: stages only share its parts.
    explicit analysis(analysis_plan plan) : plan_{std::move(plan)}
    {
        auto const cut = [](auto const& all, box const& part) {
            return share(to_bytes(std::as_bytes(std::span{all}.subspan(part.from.x, part.size.x))));
        };
        for (auto const& each : plan_.parts) {
            values_.push_back(cut(plan_.values, each));
            if (!plan_.keys.empty()) keys_.push_back(cut(plan_.keys, each));
        }
    }

    check_kind check() const noexcept override { return check_kind::exact; }

    hash256 identity() const override
    {
        return crypto::hasher{analyse_domain}
            .update(encode(plan_.asked))
            .update(encode(plan_.parts))
            .update(encode(plan_.values))
            .update(encode(plan_.keys))
            .finish();
    }

    result<std::optional<stage>, problem> next(std::vector<bytes> const& results) override
    {
        if (results.empty()) again_ = false;
        analyse_unit told;
        told.bins = 1;
        std::vector<number> begins(units(), 0);
        switch (plan_.asked.ask) {
        case question::histogram:
            told = {unit_step::count, plan_.asked.bins, plan_.low, plan_.width};
            break;
        case question::group:
            told = {unit_step::group, static_cast<std::uint32_t>(plan_.key_names.size()), 0, 1};
            break;
        case question::prefix_sum:
            told.what = results.empty() ? unit_step::sum : unit_step::prefix;
            break;
        default:
            told.what = unit_step::sort;
        }
        if (!results.empty()) {
            // Only prefixes have a second stage: each unit begins with the sum of those before it.
            if (plan_.asked.ask != question::prefix_sum || again_) return std::nullopt;
            again_ = true;
            for (std::size_t k = 1; k < begins.size(); ++k) {
                auto const before = numbers_in<number>(results[k - 1]);
                if (before.size() != 1) return fail{problem{fault::wrong_size, "a sum"}};
                begins[k] = plus(begins[k - 1], before[0]);
            }
        }
        stage out{again_ ? "prefix" : "analyse", {}};
        for (std::size_t k = 0; k < units(); ++k) {
            std::size_t const rows = plan_.parts[k].size.x;
            if (again_) told.low = begins[k];
            unit one{plan_.parts[k],
                     encode(told),
                     {values_[k]},
                     answer_size(told, rows) * sizeof(number)};
            if (!keys_.empty()) one.inputs.push_back(keys_[k]);
            out.units.push_back(std::move(one));
        }
        return out;
    }

    std::optional<std::string> wrong(unit const& of, bytes_view result) const override
    {
        return analyse_app().wrong(of, result);
    }

    result<std::vector<file>, problem> files(std::span<bytes const> results) const override
    {
        std::vector<std::vector<number>> parts;
        for (auto const& each : results) parts.push_back(numbers_in<number>(each));
        std::vector<file> out;
        auto const add = [&](char const* name, std::string const& text) {
            out.push_back({name, to_bytes(std::string_view{text})});
        };
        switch (plan_.asked.ask) {
        case question::histogram: {
            auto const counts = added(parts);
            std::string text = "from,to,count\n";
            for (std::size_t k = 0; k < counts.size(); ++k) {
                auto const from = plan_.low + static_cast<number>(k) * plan_.width;
                text += csv_text(from) + ',' + csv_text(from + plan_.width) + ',' +
                        std::to_string(counts[k]) + '\n';
            }
            add("histogram.csv", text);
            add("histogram.svg",
                plot_svg(plain(plan_.name), "bin",
                         {{"rows", std::vector<double>(counts.begin(), counts.end())}}));
            break;
        }
        case question::group:
            add("groups.csv", groups(parts));
            break;
        case question::quantiles: {
            auto const all = merged(std::move(parts));
            std::string text = "per_mille,value\n";
            for (auto const each : plan_.asked.per_mille) {
                auto const rank = (std::uint64_t{each} * all.size() + 999) / 1000;
                text += std::to_string(each) + ',' + csv_text(all[rank == 0 ? 0 : rank - 1]) + '\n';
            }
            add("quantiles.csv", text);
            break;
        }
        default: {
            auto all = plan_.asked.ask == question::sort ? merged(std::move(parts)) : joined(parts);
            std::string text = plan_.name + '\n';
            for (auto const each : all) text += csv_text(each) + '\n';
            add(plan_.asked.ask == question::sort ? "sorted.csv" : "prefix_sums.csv", text);
        }
        }
        return out;
    }

private:
    std::size_t units() const { return plan_.parts.size(); }

    static std::string plain(std::string const& name)
    {
        std::string out;
        for (auto const c : name) out += c == '<' || c == '&' || c == '>' ? '?' : c;
        return out;
    }
    static std::vector<number> joined(std::vector<std::vector<number>> const& parts)
    {
        std::vector<number> all;
        for (auto const& each : parts) all.insert(all.end(), each.begin(), each.end());
        return all;
    }
    static std::vector<number> added(std::vector<std::vector<number>> const& parts)
    {
        std::vector<number> all = parts.front();
        for (std::size_t k = 1; k < parts.size(); ++k)
            for (std::size_t j = 0; j < all.size(); ++j) all[j] += parts[k][j];
        return all;
    }
    /// Sorted parts as one, by twos.
    static std::vector<number> merged(std::vector<std::vector<number>> parts)
    {
        while (parts.size() > 1) {
            std::vector<std::vector<number>> fewer;
            for (std::size_t k = 0; k < parts.size(); k += 2) {
                if (k + 1 == parts.size()) {
                    fewer.push_back(std::move(parts[k]));
                    break;
                }
                std::vector<number> both(parts[k].size() + parts[k + 1].size());
                std::merge(parts[k].begin(), parts[k].end(), parts[k + 1].begin(),
                           parts[k + 1].end(), both.begin());
                fewer.push_back(std::move(both));
            }
            parts = std::move(fewer);
        }
        return parts.empty() ? std::vector<number>{} : std::move(parts.front());
    }
    std::string groups(std::vector<std::vector<number>> const& parts) const
    {
        std::vector<group_of_rows> all(plan_.key_names.size());
        for (auto const& each : parts)
            for (std::size_t k = 0; k < all.size(); ++k) {
                all[k].count += each[4 * k];
                all[k].sum = plus(all[k].sum, each[4 * k + 1]);
                all[k].least = std::min(all[k].least, each[4 * k + 2]);
                all[k].most = std::max(all[k].most, each[4 * k + 3]);
            }
        std::string text = plan_.asked.by + ",count,sum,least,most,mean\n";
        for (std::size_t k = 0; k < all.size(); ++k)
            text += '"' + plan_.key_names[k] + "\"," + std::to_string(all[k].count) + ',' +
                    csv_text(all[k].sum) + ',' + csv_text(all[k].least) + ',' +
                    csv_text(all[k].most) + ',' + csv_text(all[k].sum / all[k].count) + '\n';
        return text;
    }

    analysis_plan plan_;
    std::vector<shared_bytes> values_{}, keys_{};
    bool again_ = false;
};

/// The numbers of a column: of a table in text, or all of a `.i64` file, which holds whole numbers of 64 bits.
result<analysis_plan, problem> plan_of(order const& what)
{
    analysis_plan out;
    BLENDR_TRY(out.asked, options_of(what.options, analyse_options{}));
    BLENDR_TRY(auto const* const from, file_of(what, out.asked.file));
    auto const refuse = [&](std::string why) {
        return fail{problem{fault::bad_input, from->name + ": " + std::move(why)}};
    };
    auto const& asked = out.asked;
    if (asked.bins == 0 || asked.bins > bins_max) return refuse("between 1 and 65536 bins");
    if (asked.unit_rows == 0 || asked.unit_rows > unit_rows_max)
        return refuse("a unit has between 1 and 1048576 rows");
    if (asked.per_mille.size() > 1001) return refuse("more than 1001 quantiles");
    for (auto const each : asked.per_mille)
        if (each > 1000) return refuse("a quantile lies above 1000 thousandths");
    bool const grouped = asked.ask == question::group;
    if (from->name.ends_with(".i64")) {
        if (grouped) return refuse("numbers alone have no keys to be grouped by");
        if (from->content.empty() || from->content.size() % 8 != 0)
            return refuse("its size is no multiple of 8 bytes, or 0");
        out.name = "value";
        out.values = numbers_in<number>(from->content);
        for (std::size_t k = 0; k < out.values.size(); ++k) {
            if (out.values[k] > csv_most / csv_one || out.values[k] < -csv_most / csv_one)
                return refuse("number " + std::to_string(k + 1) + " is not within 9007199254");
            out.values[k] *= csv_one;
        }
    } else {
        auto const read = read_csv(as_text(from->content));
        if (!read) return refuse(read.error().why);
        auto const column =
            asked.column.empty() ? result<std::size_t, problem>{0} : read->column(asked.column);
        if (!column) return refuse(column.error().why);
        auto numbers = read->numbers(*column);
        if (!numbers) return refuse(numbers.error().why);
        out.name = std::string{read->names[*column]};
        out.values = *std::move(numbers);
        if (grouped) {
            auto const by = read->column(asked.by);
            if (!by) return refuse(by.error().why);
            std::set<std::string_view> names;
            for (std::size_t row = 0; row < read->rows(); ++row) names.insert(read->at(row, *by));
            if (names.size() > bins_max) return refuse("more than 65536 keys");
            out.key_names.assign(names.begin(), names.end());
            for (std::size_t row = 0; row < read->rows(); ++row)
                out.keys.push_back(static_cast<std::uint32_t>(
                    std::lower_bound(out.key_names.begin(), out.key_names.end(),
                                     read->at(row, *by)) -
                    out.key_names.begin()));
        }
    }
    u128 all = 0;
    for (auto const each : out.values) all += static_cast<std::uint64_t>(std::abs(each));
    if ((grouped || asked.ask == question::prefix_sum) && all >= u128{1} << 62)
        return refuse("the sum of its numbers may not fit 64 bits");
    auto const [low, high] = std::minmax_element(out.values.begin(), out.values.end());
    out.low = *low;
    out.width = (*high - *low) / asked.bins + 1;
    return out;
}

class analyse_on_devices final : public app {
public:
    app_info info() const noexcept override
    {
        return {"analyse",
                "histograms, quantiles, groups, sorting and prefix sums of a table's columns"};
    }

    result<std::unique_ptr<task>, problem> make(order const& what,
                                                std::span<double const> speeds) const override
    {
        BLENDR_TRY(auto plan, plan_of(what));
        if (plan.values.size() > ~std::uint32_t{0})
            return fail{problem{fault::bad_input, "more than 4294967295 rows"}};
        split_rules rules;
        rules.most = plan.asked.unit_rows;
        extent const range{static_cast<std::uint32_t>(plan.values.size()), 1, 1};
        BLENDR_TRY(plan.parts, split(range, speeds, rules));
        // Every unit answers with all bins, or all keys.
        auto const each = plan.asked.ask == question::histogram ? std::uint64_t{plan.asked.bins}
                          : plan.asked.ask == question::group   ? plan.key_names.size() * 4
                                                                : 0;
        if (each * sizeof(number) * plan.parts.size() > answers_bytes_max)
            return fail{problem{fault::bad_input,
                                "the answers of " + std::to_string(plan.parts.size()) +
                                    " units take more than 1 GiB: fewer bins or keys, or more "
                                    "unit_rows"}};
        return std::make_unique<analysis>(std::move(plan));
    }

    /// Grouping is the processor's work everywhere: it waits for memory, not for arithmetic.
    result<bytes, problem> run(unit const& what, workplace const& where) const override
    {
        BLENDR_TRY(auto const told, read_unit(what));
        if (where.on.info().kind != compute::device_kind::native && told.what != unit_step::group)
            return answer_on(told, what, where);
        std::vector<std::uint32_t> keys;
        if (told.what == unit_step::group) keys = numbers_in<std::uint32_t>(*what.inputs[1]);
        return to_bytes(view_of(answer(told, numbers_in<number>(*what.inputs[0]), keys)));
    }

    /// Sorted numbers are seen to be sorted, and the same ones, without sorting.
    std::optional<std::string> wrong(unit const& of, bytes_view result) const override
    {
        if (auto bad = app::wrong(of, result)) return bad;
        auto const told = read_unit(of);
        if (!told || told->what != unit_step::sort) return std::nullopt;
        auto const before = numbers_in<number>(*of.inputs[0]), after = numbers_in<number>(result);
        if (!std::is_sorted(after.begin(), after.end())) return "the numbers are not in order";
        std::random_device source;
        auto const secret = std::uint64_t{source()} << 32 | source();
        auto const print = [&](std::vector<number> const& all) {
            std::uint64_t sum = 0;
            for (auto const each : all) {
                auto x = static_cast<std::uint64_t>(each) ^ secret;
                x = (x ^ x >> 32) * 0xd6e8feb86659fd93;
                x = (x ^ x >> 32) * 0xd6e8feb86659fd93;
                sum += x ^ x >> 32;
            }
            return sum;
        };
        if (print(before) != print(after)) return "they are other numbers";
        return std::nullopt;
    }

    cost estimate(unit const& of) const override
    {
        auto const rows = static_cast<double>(of.where.size.x);
        auto const told = decode<analyse_unit>(of.parameters);
        std::uint64_t in = 0;
        for (auto const& each : of.inputs) in += each->size();
        return {rows * (told && told->what == unit_step::sort ? 100 : 4), in,
                told ? answer_size(*told, of.where.size.x) * sizeof(number) : 0};
    }
};

// ------------------------------------------------------------ a step is a row
struct analyse_state {
    analyse_unit told{};
    std::vector<number> values{};
    std::vector<std::uint32_t> keys{};
    std::vector<number> out{};
};
BOOST_DESCRIBE_STRUCT(analyse_state, (), (told, values, keys, out))

result<std::uint64_t, problem> count_rows(unit const& what)
{
    BLENDR_CHECK(read_unit(what));
    return std::uint64_t{what.where.size.x};
}

result<bytes, problem> first_of_analysis(unit const& what)
{
    BLENDR_TRY(auto const told, read_unit(what));
    analyse_state state{told, numbers_in<number>(*what.inputs[0]), {}, {}};
    if (told.what == unit_step::group) state.keys = numbers_in<std::uint32_t>(*what.inputs[1]);
    state.out.resize(static_cast<std::size_t>(answer_size(told, what.where.size.x)));
    if (told.what == unit_step::group)
        for (std::size_t k = 0; k < state.out.size(); k += 4)
            state.out[k + 2] = INT64_MAX, state.out[k + 3] = INT64_MIN;
    return encode(state);
}

bytes analyse_step(std::uint64_t number_of, bytes_view before)
{
    auto state = decode<analyse_state>(before);
    auto const row = static_cast<std::size_t>(number_of);
    if (!state || number_of >= state->values.size()) return to_bytes(before);
    auto const& told = state->told;
    bool const grouped = told.what == unit_step::group;
    if (told.width <= 0 || told.bins == 0 || told.bins > bins_max ||
        state->out.size() != answer_size(told, state->values.size()) ||
        (grouped && (state->keys.size() != state->values.size() || state->keys[row] >= told.bins)))
        return to_bytes(before);
    auto const value = state->values[row];
    auto& out = state->out;
    switch (told.what) {
    case unit_step::count: {
        auto const above = static_cast<number>(static_cast<std::uint64_t>(value) -
                                               static_cast<std::uint64_t>(told.low));
        auto& count =
            out[static_cast<std::size_t>(std::clamp<number>(above / told.width, 0, told.bins - 1))];
        count = plus(count, 1);
        break;
    }
    case unit_step::sort: {
        // What came before lies in order, or in a state that two liars agree on: searching by halves
        // would then end where the standard library's way of halving leads.
        auto at = row;
        for (; at > 0 && out[at - 1] > value; --at) out[at] = out[at - 1];
        out[at] = value;
        break;
    }
    case unit_step::group: {
        auto* const to = &out[std::size_t{state->keys[row]} * 4];
        to[0] = plus(to[0], 1);
        to[1] = plus(to[1], value);
        to[2] = std::min(to[2], value);
        to[3] = std::max(to[3], value);
        break;
    }
    case unit_step::sum:
        out[0] = plus(out[0], value);
        break;
    case unit_step::prefix:
        out[row] = plus(row == 0 ? told.low : out[row - 1], value);
        break;
    }
    return encode(*state);
}

result<bytes, problem> last_of_analysis(bytes_view first, bytes_view result)
{
    auto state = decode<analyse_state>(first).value();
    if (result.size() != state.out.size() * sizeof(number))
        return fail{problem{fault::wrong_size, "an answer"}};
    state.out = numbers_in<number>(result);
    return encode(state);
}

}  // namespace

unit_steps const& analyse_steps()
{
    static unit_steps const it{"analyse", first_of_analysis, count_rows, analyse_step,
                               last_of_analysis};
    return it;
}

app const& analyse_app()
{
    static analyse_on_devices const it;
    return it;
}

}  // namespace blendr::work
