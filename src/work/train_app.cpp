// SPDX-License-Identifier: Apache-2.0
// `train`: a multilayer perceptron, data parallel. The rows are cut into parts, whoever runs them; each round every part's
// gradient is a unit, and they are added in order. The exact variant gives the same weights on every device.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <set>

#include <boost/describe/class.hpp>

#include <blendr/core/codec.hpp>
#include <blendr/core/random.hpp>
#include <blendr/crypto/hash.hpp>

#include "builtin.hpp"
#include "csv.hpp"
#include "on_device.hpp"
#include "options.hpp"
#include "plot.hpp"
#include "programs_spirv.hpp"
#include "train_unit.hpp"

namespace blendr::work {
namespace {

constexpr crypto::domain train_domain{"work.train/1"};
constexpr std::uint64_t rows_max = 1u << 20;

struct train_options {
    std::string file{};
    std::string answer{};  ///< the column of classes; none: the last one
    std::vector<std::uint32_t> hidden{16, 16};
    std::uint32_t rounds = 100;
    std::uint32_t rate = 50, momentum = 900;  ///< in thousandths
    std::uint32_t parts = 8;                  ///< units a round
    std::uint32_t held_out = 5;               ///< every so manieth row is only tested on; 0: none
    std::uint32_t seed = 1;
    bool exact = true;
};
BOOST_DESCRIBE_STRUCT(train_options, (),
                      (file, answer, hidden, rounds, rate, momentum, parts, held_out, seed, exact))

struct train_push {
    std::uint32_t sums, rows, weights, nodes, depth;
    std::array<std::uint32_t, shape::layers_max> size;
    std::uint32_t tested;
};

template <class N>
std::uint32_t train_natively(compute::native_call const& call)
{
    using net = network<N>;
    train_push push{};
    std::memcpy(&push, call.push.data(), sizeof push);
    shape const of{push.size, push.depth};
    auto const given = call.as<N const>(0);
    auto const work = call.as<N>(1), gradient = call.as<N>(2);
    if (!of.sound() || push.weights != of.weights() || push.nodes != of.nodes())
        return out_of_bounds;
    std::size_t const weights = push.weights, line = of.inputs() + 1, stride = net::trace_size(of);
    auto const rows = std::uint64_t{push.rows} + push.tested;
    if (given.size() < weights + rows * line || work.size() < rows * stride ||
        gradient.size() < weights + 3)
        return out_of_bounds;
    auto const covered = std::uint64_t{call.groups[0]} * 64;
    if (push.sums == 0) {
        call.pool->parallel_for(std::min<std::uint64_t>(rows, covered), 64,
                                [&](std::size_t begin, std::size_t end) {
                                    for (auto row = begin; row < end; ++row) {
                                        auto const from = given.subspan(weights + row * line, line);
                                        auto const to = work.subspan(row * stride, stride);
                                        if (row < push.rows)
                                            net::trace(of, given.first(weights), from, to);
                                        else
                                            (void)net::test(of, given.first(weights), from, to);
                                    }
                                });
        return 0;
    }
    if (covered < weights + 3) return out_of_bounds;  // nobody asks for a part of them
    std::fill_n(gradient.begin(), weights + 3, N{});
    for (std::size_t row = 0; row < push.rows && !call.late(); ++row)
        net::add_row(of, given.subspan(weights + row * line, line),
                     work.subspan(row * stride, stride), gradient);
    for (auto row = std::size_t{push.rows}; row < rows; ++row)
        gradient[weights + 2] = net::add(gradient[weights + 2], work[(row + 1) * stride - 1]);
    return 0;
}

template <class N>
result<bytes, problem> gradient_on(train_unit const& told, unit const& what, workplace const& where)
{
    using net = network<N>;
    on_device device{where};
    BLENDR_TRY(
        auto const program,
        device.program(net::exact ? program_bytes(spirv::train_exact) : program_bytes(spirv::train),
                       net::exact ? compute::profile::exact : compute::profile::tolerance));
    auto const of = told.net();
    auto const weights = of.weights();
    auto const first = std::uint64_t{weights} * sizeof(N);
    BLENDR_TRY(auto const given, device.room(first + what.inputs[1]->size()));
    BLENDR_TRY(auto const work, device.room((std::uint64_t{told.rows} + told.tested) *
                                            net::trace_size(of) * sizeof(N)));
    BLENDR_TRY(auto const gradient, device.room(told.numbers() * sizeof(N)));
    bytes out(told.numbers() * sizeof(N));
    device.upload(given, *what.inputs[0]);
    device.upload({given.of, first, what.inputs[1]->size()}, *what.inputs[1]);
    train_push push{0, told.rows, weights, of.nodes(), of.depth, of.size, told.tested};
    device.dispatch(program, {groups_for(told.rows + told.tested, 64), 1, 1},
                    {given, work, gradient}, push);
    push.sums = 1;
    device.dispatch(program, {groups_for(told.numbers(), 64), 1, 1}, {given, work, gradient}, push);
    device.download(gradient, out);
    BLENDR_CHECK(device.run());
    return out;
}

/// What a training learns from and what it began with.
struct training_plan {
    train_options asked{};
    shape of{};
    std::vector<std::string> classes{}, columns{};
    std::vector<std::int64_t> low{}, high{};  ///< of each column: what becomes -1 and +1
    std::vector<std::int64_t> rows{};         ///< fixed point: inputs and class, row after row
    std::vector<std::int64_t> held{};         ///< likewise, only tested on
};

template <class N>
N number_from(std::int64_t v, bool is_class)
{
    if constexpr (network<N>::exact)
        return v;
    else
        return is_class ? static_cast<N>(v) : static_cast<N>(v) / 65'536;
}

template <class N>
class training final : public task {
public:
    explicit training(training_plan plan) : plan_{std::move(plan)}
    {
        std::size_t const line = plan_.of.inputs() + 1;
        auto const converted = [&](std::vector<std::int64_t> const& from) {
            std::vector<N> out;
            for (std::size_t k = 0; k < from.size(); ++k)
                out.push_back(number_from<N>(from[k], k % line + 1 == line));
            return out;
        };
        auto const rows = converted(plan_.rows), held = converted(plan_.held);
        rows_ = rows.size() / line, held_ = held.size() / line;
        auto const parts = std::min<std::size_t>(plan_.asked.parts, rows_);
        for (std::size_t k = 0; k < parts; ++k) {
            auto const cut = [&](std::vector<N> const& all) {
                auto const count = all.size() / line;
                auto const from = count * k / parts, to = count * (k + 1) / parts;
                return std::span{all}.subspan(from * line, (to - from) * line);
            };
            auto const learnt = cut(rows), tested = cut(held);
            auto both = to_bytes(std::as_bytes(learnt));
            auto const behind = to_bytes(std::as_bytes(tested));
            part one{static_cast<std::uint32_t>(rows_ * k / parts),
                     static_cast<std::uint32_t>(learnt.size() / line),
                     static_cast<std::uint32_t>(tested.size() / line),
                     {},
                     share(behind)};
            both.insert(both.end(), behind.begin(), behind.end());
            one.content = share(std::move(both));
            parts_.push_back(std::move(one));
        }
        begin();
    }

    check_kind check() const noexcept override
    {
        return net::exact ? check_kind::exact : check_kind::tolerance;
    }

    hash256 identity() const override
    {
        auto h = crypto::hasher{train_domain};
        h.update(encode(plan_.asked)).update(encode(plan_.rows)).update(encode(plan_.held));
        return h.finish();
    }

    result<std::optional<stage>, problem> next(std::vector<bytes> const& results) override
    {
        // How many of the rows held out are right after a round is known with the round behind it; after the last one
        // it is all that is asked for.
        if (results.empty())
            begin();  // taken up again, it is done again
        else
            BLENDR_CHECK(learn(results));
        bool const last = curve_.size() == plan_.asked.rounds;
        if (ended_ || (last && held_ == 0)) return std::nullopt;
        ended_ = last;
        stage out{last ? "test" : "round " + std::to_string(curve_.size() + 1), {}};
        auto const now = share(to_bytes(view_of(weights_)));
        train_unit told;
        told.exact = net::exact;
        told.sizes.assign(plan_.of.size.begin(), plan_.of.size.begin() + plan_.of.depth + 1);
        for (auto const& each : parts_) {
            if (last && each.tested == 0) continue;
            told.rows = last ? 0 : each.rows;
            told.tested = each.tested;
            out.units.push_back({{{each.from, 0, 0}, {std::max(told.rows, 1u), 1, 1}},
                                 encode(told),
                                 {now, last ? each.only_tested : each.content},
                                 told.numbers() * sizeof(N)});
        }
        return out;
    }

    bool same(unit const& of, bytes_view a, bytes_view b) const override
    {
        return train_app().same(of, a, b);
    }
    std::optional<std::string> wrong(unit const& of, bytes_view result) const override
    {
        return train_app().wrong(of, result);
    }

    result<std::vector<file>, problem> files(std::span<bytes const>) const override
    {
        std::string list = "round,loss,right,right_held_out\n", model = "{\n  \"classes\": [";
        std::vector<double> loss, right, held;
        for (std::size_t k = 0; k < curve_.size(); ++k) {
            auto const& at = curve_[k];
            list += std::to_string(k + 1) + ',' + csv_text(millionths(at.loss)) + ',' +
                    csv_text(millionths(at.right)) + ',' + csv_text(millionths(at.held)) + '\n';
            loss.push_back(at.loss), right.push_back(at.right), held.push_back(at.held);
        }
        auto const quoted = [&](std::vector<std::string> const& all) {
            for (std::size_t k = 0; k < all.size(); ++k)
                model += (k == 0 ? "" : ", ") + to_text(boost::json::value(all[k]));
        };
        quoted(plan_.classes);
        model += "],\n  \"columns\": [";
        quoted(plan_.columns);
        auto const numbers = [&](char const* name, auto const& all, auto&& text) {
            model += std::string{"],\n  \""} + name + "\": [";
            for (std::size_t k = 0; k < all.size(); ++k)
                model += (k == 0 ? "" : ", ") + std::string{text(all[k])};
        };
        auto const plain = [](auto v) { return csv_text(v); };
        numbers("low", plan_.low, plain);
        numbers("high", plan_.high, plain);
        std::vector<std::uint32_t> sizes(plan_.of.size.begin(),
                                         plan_.of.size.begin() + plan_.of.depth + 1);
        numbers("sizes", sizes, [](auto v) { return std::to_string(v); });
        numbers(net::exact ? "weights_65536ths" : "weights", weights_,
                [](N v) { return std::to_string(v); });
        model += "]\n}\n";
        std::vector<file> out;
        out.push_back({"loss.csv", to_bytes(std::string_view{list})});
        std::vector<line_of_plot> lines{{"loss", loss}, {"right answers", right}};
        if (held_ != 0) lines.push_back({"right on rows held out", held});
        out.push_back(
            {"loss.svg", to_bytes(std::string_view{plot_svg("training", "round", lines)})});
        out.push_back({"model.json", to_bytes(std::string_view{model})});
        return out;
    }

private:
    using net = network<N>;
    struct part {
        std::uint32_t from, rows, tested;
        shared_bytes content, only_tested;
    };
    struct point {
        double loss, right, held;
    };

    static std::int64_t millionths(double v) { return std::llround(v * 1e6); }
    static double plain(N v) { return static_cast<double>(v) / static_cast<double>(net::one); }

    /// Weights by chance, the smaller the more inputs a node has.
    void begin()
    {
        rng random{plan_.asked.seed};
        weights_.clear();
        for (std::uint32_t l = 1; l <= plan_.of.depth; ++l) {
            std::int64_t const from = plan_.of.size[l - 1];
            std::int64_t size = 65'536;
            while (size * size * from > std::int64_t{65'536} * 65'536 * 3) size -= 256;
            for (std::int64_t k = 0; k < (from + 1) * plan_.of.size[l]; ++k) {
                auto const drawn = static_cast<std::int64_t>(
                    random.below(static_cast<std::uint64_t>(2 * size + 1)));
                weights_.push_back(
                    number_from<N>(k < from * plan_.of.size[l] ? drawn - size : 0, false));
            }
        }
        moving_.assign(weights_.size(), N{});
        curve_.clear();
        ended_ = false;
    }

    /// Adds the parts' gradients in their order and goes a step downhill.
    result<nothing, problem> learn(std::vector<bytes> const& results)
    {
        std::vector<N> sum(weights_.size() + 3);
        for (auto const& each : results) {
            auto const one = numbers_in<N>(each);
            if (one.size() != sum.size())
                return fail{problem{fault::wrong_size, "a gradient of another shape"}};
            for (std::size_t k = 0; k < sum.size(); ++k) sum[k] = net::add(sum[k], one[k]);
        }
        if (!curve_.empty() && held_ != 0)
            curve_.back().held = plain(sum.back()) / static_cast<double>(held_);
        if (ended_) return nothing{};
        auto const count = static_cast<N>(rows_);
        auto const rate = number_from<N>(plan_.asked.rate * 65'536LL / 1000, false);
        auto const momentum = number_from<N>(plan_.asked.momentum * 65'536LL / 1000, false);
        constexpr N far = 64 * net::one;
        for (std::size_t k = 0; k < weights_.size(); ++k) {
            moving_[k] =
                net::mul(moving_[k], momentum) - net::mul(net::bounded(sum[k] / count), rate);
            weights_[k] = std::clamp(weights_[k] + moving_[k], -far, far);
        }
        auto const rows = static_cast<double>(rows_);
        curve_.push_back(
            {plain(sum[weights_.size()]) / rows, plain(sum[weights_.size() + 1]) / rows, 0});
        return nothing{};
    }

    training_plan plan_;
    std::size_t rows_ = 0, held_ = 0;
    bool ended_ = false;
    std::vector<part> parts_;
    std::vector<N> weights_, moving_;
    std::vector<point> curve_;
};

/// A column as fixed point from -1 to +1.
std::vector<std::int64_t> scaled(std::vector<std::int64_t> const& column, std::int64_t low,
                                 std::int64_t high)
{
    std::vector<std::int64_t> out;
    int shift = 0;
    while ((high - low) >> shift > std::int64_t{1} << 44) ++shift;
    auto const span = std::max<std::int64_t>(1, (high - low) >> shift);
    for (auto const each : column)
        out.push_back((2 * ((each - low) >> shift) - span) * 65'536 / span);
    return out;
}

result<training_plan, problem> plan_of(order const& what)
{
    training_plan out;
    BLENDR_TRY(out.asked, options_of(what.options, train_options{}));
    BLENDR_TRY(auto const* const from, file_of(what, out.asked.file));
    auto const in_file = [&](problem const& why) {
        return fail{problem{why.what, from->name + ": " + why.why}};
    };
    auto const refuse = [](std::string why) {
        return fail{problem{fault::bad_input, std::move(why)}};
    };
    auto const read = read_csv(as_text(from->content));
    if (!read) return in_file(read.error());
    auto const& asked = out.asked;
    if (asked.rounds == 0 || asked.rounds > 100'000) return refuse("between 1 and 100000 rounds");
    if (asked.rate == 0 || asked.rate > 10'000 || asked.momentum >= 1000)
        return refuse("the rate is at most 10000 thousandths, the momentum below 1000");
    if (asked.parts == 0 || asked.parts > 1024) return refuse("between 1 and 1024 parts");
    // Every unit leaves a receipt; a plan of all of them is to fit memory.
    if (std::uint64_t{asked.rounds} * asked.parts > units_max)
        return refuse("rounds times parts are more than " + std::to_string(units_max) + " units");
    if (read->rows() > rows_max) return refuse(from->name + " has more than 1048576 rows");
    if (read->columns() < 2) return refuse(from->name + " has no column beside the classes");
    std::size_t answer = read->columns() - 1;
    if (!asked.answer.empty()) {
        auto const found = read->column(asked.answer);
        if (!found) return in_file(found.error());
        answer = *found;
    }
    std::set<std::string_view> names;
    for (std::size_t row = 0; row < read->rows(); ++row) names.insert(read->at(row, answer));
    out.classes.assign(names.begin(), names.end());
    out.of.depth = static_cast<std::uint32_t>(asked.hidden.size() + 1);
    if (asked.hidden.size() + 2 > shape::layers_max) return refuse("more than 3 hidden layers");
    out.of.size[0] = static_cast<std::uint32_t>(read->columns() - 1);
    std::copy(asked.hidden.begin(), asked.hidden.end(), out.of.size.begin() + 1);
    out.of.size[out.of.depth] = static_cast<std::uint32_t>(out.classes.size());
    if (!out.of.sound() || names.size() < 2)
        return refuse("a layer has between 1 and 64 nodes, and there are 2 to 64 classes");
    std::vector<std::vector<std::int64_t>> columns;
    for (std::size_t k = 0; k < read->columns(); ++k) {
        if (k == answer) continue;
        auto const numbers = read->numbers(k);
        if (!numbers) return in_file(numbers.error());
        auto const [low, high] = std::minmax_element(numbers->begin(), numbers->end());
        out.low.push_back(*low);
        out.high.push_back(*high);
        out.columns.emplace_back(read->names[k]);
        columns.push_back(scaled(*numbers, *low, *high));
    }
    for (std::size_t row = 0; row < read->rows(); ++row) {
        auto& to =
            asked.held_out > 1 && row % asked.held_out == asked.held_out - 1 ? out.held : out.rows;
        for (auto const& each : columns) to.push_back(each[row]);
        to.push_back(std::distance(names.begin(), names.find(read->at(row, answer))));
    }
    return out;
}

class train_on_devices final : public app {
public:
    app_info info() const noexcept override
    {
        return {"train", "a multilayer perceptron that learns the classes of a table"};
    }

    result<std::unique_ptr<task>, problem> make(order const& what,
                                                std::span<double const>) const override
    {
        BLENDR_TRY(auto plan, plan_of(what));
        if (plan.asked.exact) return std::make_unique<training<std::int64_t>>(std::move(plan));
        return std::make_unique<training<float>>(std::move(plan));
    }

    result<bytes, problem> run(unit const& what, workplace const& where) const override
    {
        BLENDR_TRY(auto const told, read_train_unit(what));
        return told.exact ? gradient_on<std::int64_t>(told, what, where)
                          : gradient_on<float>(told, what, where);
    }

    /// Sums of rounded products differ in their last bits from one kind of device to another.
    bool same(unit const& of, bytes_view a, bytes_view b) const override
    {
        if (equal(a, b)) return true;
        auto const told = read_train_unit(of);
        if (!told || told->exact || a.size() != b.size()) return false;
        auto const left = numbers_in<float>(a), right = numbers_in<float>(b);
        auto const rows = static_cast<float>(told->rows + told->tested);
        for (std::size_t k = 0; k < left.size(); ++k)
            if (!(std::abs(left[k] - right[k]) <=
                  1e-4F * (std::abs(left[k]) + std::abs(right[k])) + 1e-5F * rows))
                return false;
        return true;
    }

    cost estimate(unit const& of) const override
    {
        auto const told = read_train_unit(of);
        if (!told) return {};
        return {told->net().weights() * (6.0 * told->rows + 2.0 * told->tested),
                of.inputs[0]->size() + of.inputs[1]->size(),
                told->numbers() * told->number_bytes()};
    }
};

}  // namespace

result<train_unit, problem> read_train_unit(unit const& what)
{
    auto const refuse = [](char const* why) { return fail{problem{fault::program_failed, why}}; };
    auto read = decode<train_unit>(what.parameters);
    if (!read || read->sizes.size() < 2) return refuse("the parameters are none of a training");
    auto const of = read->net();
    auto const rows = std::uint64_t{read->rows} + read->tested;
    if (!of.sound() || rows == 0 || rows > rows_max)
        return refuse("the parameters are none of a training");
    if (what.inputs.size() != 2 ||
        what.inputs[0]->size() != std::uint64_t{of.weights()} * read->number_bytes() ||
        what.inputs[1]->size() != rows * (of.inputs() + 1) * read->number_bytes())
        return refuse("the inputs are not as many weights and rows as the parameters say");
    return *std::move(read);
}

app const& train_app()
{
    static train_on_devices const it;
    return it;
}

void add_train_kernels(std::vector<compute::native_kernel>& to)
{
    to.push_back({to_bytes(program_bytes(spirv::train_exact)), train_natively<std::int64_t>});
    to.push_back({to_bytes(program_bytes(spirv::train)), train_natively<float>});
}

}  // namespace blendr::work
