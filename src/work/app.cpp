// SPDX-License-Identifier: Apache-2.0
#include <blendr/work/app.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include <boost/describe/class.hpp>

#include <blendr/core/codec.hpp>

#include "builtin.hpp"
#include "json_place.hpp"
#include "options.hpp"

namespace blendr::work {
namespace {

/// A unit as it travels. Frozen.
struct packed {
    std::uint16_t version = 1;
    box where{};
    bounded<bytes, 1u << 20> parameters{};
    bounded<std::vector<bounded<bytes, 1u << 28>>, 1024> inputs{};
    std::optional<std::uint64_t> result_bytes{};
};
BOOST_DESCRIBE_STRUCT(packed, (), (version, where, parameters, inputs, result_bytes))

class device_runner final : public runner {
public:
    device_runner(app const& what, compute::device& on, std::string name, double speed,
                  compute::origin as)
        : app_{&what},
          on_{&on},
          name_{std::move(name)},
          speed_{speed},
          as_{as}
    {}

    std::string_view name() const noexcept override { return name_; }
    double speed() const noexcept override { return speed_; }

    result<bytes, problem> run(unit const& what, std::stop_token stop) override
    {
        auto made = app_->run(what, {*on_, as_, deadline, std::move(stop)});
        if (made || made.error().what != fault::device_failed) return made;
        // A device that was lost works again after this, or says so with the next unit.
        if (auto const again = on_->forget(); !again)
            made.error().why += "; afterwards: " + message(again.error());
        return made;
    }

private:
    static constexpr std::chrono::milliseconds deadline{20'000};

    app const* app_;
    compute::device* on_;
    std::string name_;
    double speed_;
    compute::origin as_;
};

}  // namespace

std::optional<std::string> app::wrong(unit const& of, bytes_view result) const
{
    if (of.result_bytes && *of.result_bytes != result.size())
        return std::to_string(result.size()) + " bytes instead of " +
               std::to_string(*of.result_bytes);
    return std::nullopt;
}

bool app::same(unit const&, bytes_view a, bytes_view b) const { return equal(a, b); }

std::span<app const* const> apps() noexcept
{
    static std::array const all{&analyse_app(), &hash_app(),   &matmul_app(),
                                &program_app(), &render_app(), &train_app()};
    return all;
}

app const* find_app(std::string_view name) noexcept
{
    for (auto const* each : apps())
        if (each->info().name == name) return each;
    return nullptr;
}

bytes pack(unit const& what)
{
    packed out;
    out.where = what.where;
    out.parameters = what.parameters;
    for (auto const& each : what.inputs) out.inputs.emplace_back(*each);
    out.result_bytes = what.result_bytes;
    return encode(out);
}

result<unit, problem> unpack(bytes_view raw)
{
    auto read = decode<packed>(raw);
    if (!read) return fail{problem{fault::bad_input, "no unit: " + message(read.error())}};
    if (read->version != 1)
        return fail{problem{fault::bad_input,
                            "a unit of version " + std::to_string(read->version) + ", not 1"}};
    unit out;
    out.where = read->where;
    out.parameters = std::move(read->parameters);
    for (auto& each : read->inputs) out.inputs.push_back(share(std::move(each)));
    out.result_bytes = read->result_bytes;
    return out;
}

result<bytes, problem> run_packed(std::string_view app_name, bytes_view packed_unit,
                                  workplace const& where)
{
    auto const* const what = find_app(app_name);
    if (what == nullptr)
        return fail{problem{fault::program_failed,
                            "there is no app \"" + std::string{app_name.substr(0, 40)} + '"'}};
    auto const read = unpack(packed_unit);
    if (!read) return fail{problem{fault::program_failed, read.error().why}};
    return what->run(*read, where);
}

std::unique_ptr<runner> runner_on(app const& what, compute::device& on, std::string name,
                                  double speed, compute::origin as)
{
    return std::make_unique<device_runner>(what, on, std::move(name), speed, as);
}

double measure(app const& what, order const& of, compute::device& on, compute::origin as)
{
    // The more devices a plan is for, the smaller are its units: the smallest first, then larger ones, until one lasts
    // long enough to be told from its overhead.
    constexpr double enough_s = 0.02;
    double speed = 0;
    for (std::size_t crowd : {1000u, 100u, 10u, 1u}) {
        std::vector<double> const alike(crowd, 1.0);
        auto const plan = what.make(of, alike);
        if (!plan) return 0;
        auto const first = (*plan)->next({});
        if (!first || !*first || (*first)->units.empty()) return 0;
        auto const& one = (*first)->units.front();
        double took = 0;
        for (int round = 0; round < 2; ++round) {  // the first has programs compiled
            auto const began = std::chrono::steady_clock::now();
            if (!what.run(one, {on, as})) return speed;
            took = std::chrono::duration<double>{std::chrono::steady_clock::now() - began}.count();
        }
        speed = static_cast<double>(one.where.size.points()) / std::max(took, 1e-9);
        if (took >= enough_s) break;
    }
    return speed;
}

std::vector<compute::native_kernel> native_kernels()
{
    std::vector<compute::native_kernel> all;
    add_hash_kernels(all);
    add_render_kernels(all);
    add_train_kernels(all);
    return all;
}

std::unique_ptr<compute::device> make_native_device(unsigned threads)
{
    compute::native_options chosen;
    chosen.threads = threads;
    chosen.kernels = native_kernels();
    return compute::make_native_device(std::move(chosen));
}

problem problem_of(std::string_view text, json_error const& why)
{
    std::size_t line = 1;
    if (why.where.starts_with('$')) {
        line = line_of_path(text, why.where);
    } else {  // text that is no JSON is refused with its byte
        std::size_t at = 0;
        for (auto const c : why.where)
            if (c >= '0' && c <= '9')
                at = std::min(at * 10 + static_cast<std::size_t>(c - '0'), text.size());
        line += static_cast<std::size_t>(
            std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    }
    constexpr std::size_t shown = 300;
    auto said = message(why);
    if (said.size() > shown) said = said.substr(0, shown) + " ...";
    return {fault::bad_input, "line " + std::to_string(line) + ": " + said};
}

}  // namespace blendr::work
