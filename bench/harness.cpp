// SPDX-License-Identifier: Apache-2.0
// The one main of all benches: bench_<module> [FILTER] [--json FILE] [--list]
#include <harness.hpp>

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <vector>

#ifdef BLENDR_HAS_GOOGLE_BENCHMARK
#include <benchmark/benchmark.h>
#endif

namespace blendr::bench {
namespace {

struct registered {
    std::string name;
    std::function<void(run&)> body;
};

std::vector<registered>& suites()
{
    static std::vector<registered> all;
    return all;
}

struct reported {
    std::string name;
    double value;
    std::string unit;
    std::optional<double> ratio;
};

std::vector<reported> figures;
std::string filter;
std::string module_name;

[[noreturn]] void fail(std::string const& why)
{
    std::cerr << "bench_" << module_name << ": " << why << "\n";
    std::exit(EXIT_FAILURE);
}

/// A figure is wanted when the filter is a path that leads to it, or to the group it is in.
bool leads(std::string_view path, std::string_view name)
{
    return name.starts_with(path) &&
           (name.size() == path.size() || path.ends_with('/') || name[path.size()] == '/');
}

double now(clock by)
{
    clockid_t const id = by == clock::wall          ? CLOCK_MONOTONIC
                         : by == clock::process_cpu ? CLOCK_PROCESS_CPUTIME_ID
                                                    : CLOCK_THREAD_CPUTIME_ID;
    timespec at{};
    ::clock_gettime(id, &at);
    return static_cast<double>(at.tv_sec) + 1e-9 * static_cast<double>(at.tv_nsec);
}

/// Instructions that this thread retires in user space. Many machines and containers do not let one count.
class instruction_counter {
public:
    instruction_counter()
    {
        perf_event_attr attributes{};
        attributes.type = PERF_TYPE_HARDWARE;
        attributes.size = sizeof attributes;
        attributes.config = PERF_COUNT_HW_INSTRUCTIONS;
        attributes.exclude_kernel = 1;
        attributes.exclude_hv = 1;
        file_ = static_cast<int>(::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
    }
    ~instruction_counter()
    {
        if (file_ >= 0) ::close(file_);
    }
    instruction_counter(instruction_counter const&) = delete;
    instruction_counter& operator=(instruction_counter const&) = delete;

    std::optional<double> during(std::function<void(std::size_t)> const& work) const
    {
        std::uint64_t before = 0;
        std::uint64_t after = 0;
        if (file_ < 0 || ::read(file_, &before, sizeof before) != sizeof before) return {};
        work(1);
        if (::read(file_, &after, sizeof after) != sizeof after || after <= before) return {};
        return static_cast<double>(after - before);
    }

private:
    int file_;
};

/// Calls `work` more and more often until that lasts as long as a sample should.
std::size_t calls_of_a_sample(std::function<void(std::size_t)> const& work, options const& with)
{
    std::size_t calls = 1;
    for (;;) {
        stopwatch const watch{with.by};
        stopwatch const wall{clock::wall};
        work(calls);
        double const took = watch.seconds();
        if (took * 1e3 >= with.sample_ms || wall.seconds() > 1) return calls;
        double const enough =
            1.2 * static_cast<double>(calls) * with.sample_ms / std::max(took * 1e3, 1e-6);
        calls = static_cast<std::size_t>(
            std::clamp(enough, static_cast<double>(calls) + 1, 100.0 * static_cast<double>(calls)));
    }
}

double sample(std::function<void(std::size_t)> const& work, std::size_t calls, clock by)
{
    stopwatch const watch{by};
    work(calls);
    return std::max(watch.seconds(), 1e-12) / static_cast<double>(calls);
}

std::string shown(double value)
{
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.4g", value);
    return text.data();
}

void write_json(std::string const& file)
{
    std::ofstream out{file};
    out << "[";
    char const* separator = "\n";
    for (auto const& f : figures) {
        out << separator << R"(  {"name": ")" << f.name << R"(", "value": )" << shown(f.value)
            << R"(, "unit": ")" << f.unit << R"(", "ratio": )"
            << (f.ratio ? shown(*f.ratio) : "null") << "}";
        separator = ",\n";
    }
    out << "\n]\n";
    if (!out.flush()) fail("cannot write " + file);
}

#ifdef BLENDR_HAS_GOOGLE_BENCHMARK
/// Turns Google Benchmark's runs into figures. A benchmark `X` beside one named `X/yardstick` gets the ratio of the two;
/// otherwise the user counter "ratio" is taken. A counter whose name is a unit with a slash ("GB/s") is the value,
/// else it is the CPU time of a call.
class figure_reporter : public benchmark::BenchmarkReporter {
public:
    explicit figure_reporter(run& to) : to_{to} {}

    bool ReportContext(Context const&) override { return true; }
    void ReportRuns(std::vector<Run> const& runs) override
    {
        for (auto const& r : runs) {
            if (auto const why = error_of(r); !why.empty()) fail(r.benchmark_name() + ": " + why);
            if (r.run_type == Run::RT_Aggregate && r.aggregate_name != "median") continue;
            if (r.run_type == Run::RT_Iteration && r.repetitions > 1) continue;
            entry e{r.run_name.str(),
                    r.GetAdjustedCPUTime(),
                    benchmark::GetTimeUnitString(r.time_unit),
                    {}};
            for (auto const& [name, counter] : r.counters) {
                if (name == "ratio") e.ratio = counter.value;
                if (name.find('/') == std::string::npos) continue;
                e.value = counter.value;
                e.unit = name;
            }
            entries_.push_back(e);
        }
    }
    void Finalize() override
    {
        constexpr std::string_view suffix = "/yardstick";
        for (auto const& e : entries_) {
            if (e.name.ends_with(suffix)) continue;
            auto ratio = e.ratio;
            for (auto const& other : entries_) {
                if (other.name == e.name + std::string{suffix}) ratio = e.value / other.value;
            }
            to_.report(e.name, e.value, e.unit, ratio);
        }
    }

private:
    /// Google Benchmark 1.8 renamed what says that a run failed.
    template <class R>
    static std::string error_of(R const& r)
    {
        if constexpr (requires { r.error_occurred; }) {
            return r.error_occurred ? r.error_message : std::string{};
        } else {
            return r.skipped != decltype(r.skipped){} ? r.skip_message : std::string{};
        }
    }

    struct entry {
        std::string name;
        double value;
        std::string unit;
        std::optional<double> ratio;
    };
    run& to_;
    std::vector<entry> entries_;
};

void run_google_benchmarks(char* program, run& to)
{
    std::vector<std::string> words = {program, "--benchmark_repetitions=7",
                                      "--benchmark_min_time=0.02",
                                      "--benchmark_enable_random_interleaving=true"};
    if (!filter.empty()) words.push_back("--benchmark_filter=^" + filter);
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    figure_reporter reporter{to};
    std::ostream nowhere{nullptr};  // it would complain where all figures are of our own harness
    reporter.SetErrorStream(&nowhere);
    benchmark::RunSpecifiedBenchmarks(&reporter);
}
#endif

}  // namespace

double median(std::vector<double> of)
{
    auto const middle = of.begin() + static_cast<std::ptrdiff_t>(of.size() / 2);
    std::nth_element(of.begin(), middle, of.end());
    return *middle;
}

stopwatch::stopwatch(clock by) : by_{by}, start_{now(by)} {}
void stopwatch::restart() { start_ = now(by_); }
double stopwatch::seconds() const { return now(by_) - start_; }

suite::suite(std::string_view name, std::function<void(run&)> body)
{
    suites().push_back({std::string{name}, std::move(body)});
}

bool run::wants(std::string_view name) const
{
    return filter.empty() || leads(filter, name) || leads(name, filter);
}

void run::report(std::string_view name, double value, std::string_view unit,
                 std::optional<double> ratio)
{
    if (!wants(name)) return;
    if (!leads(module_name, name))
        fail(std::string{name} + " does not start with " + module_name + "/");
    figures.push_back({std::string{name}, value, std::string{unit}, ratio});
    std::printf("%-44.*s %12s %-8.*s %s\n", static_cast<int>(name.size()), name.data(),
                shown(value).c_str(), static_cast<int>(unit.size()), unit.data(),
                ratio ? shown(*ratio).c_str() : "-");
    std::fflush(stdout);
}

void run::take(std::string_view name, measure what, repeated const& ours, repeated const& yardstick,
               options with)
{
    auto const value_of = [&](double seconds) {
        return what.is_rate ? what.scale / seconds : what.scale * seconds;
    };
    std::size_t const our_calls = calls_of_a_sample(ours, with);
    std::size_t const its_calls = yardstick ? calls_of_a_sample(yardstick, with) : 0;
    std::vector<double> values;
    std::vector<double> ratios;
    for (int round = 0; round < with.rounds; ++round) {
        double its = 0;
        if (yardstick && round % 2 == 0) its = sample(yardstick, its_calls, with.by);
        values.push_back(value_of(sample(ours, our_calls, with.by)));
        if (yardstick && round % 2 == 1) its = sample(yardstick, its_calls, with.by);
        if (yardstick) ratios.push_back(values.back() / value_of(its));
    }
    report(name, median(values), what.unit,
           yardstick ? std::optional{median(ratios)} : std::nullopt);

    if (!with.instructions) return;
    instruction_counter const counter;
    auto const counted = counter.during(ours);
    if (!counted) return;
    auto const counted_there = yardstick ? counter.during(yardstick) : std::nullopt;
    report(std::string{name} + "/instructions", *counted, "instr",
           counted_there ? std::optional{*counted / *counted_there} : std::nullopt);
}

}  // namespace blendr::bench

int main(int argc, char** argv)
{
    using namespace blendr::bench;
    std::string_view program = argv[0];
    program.remove_prefix(program.rfind('/') + 1);
    module_name = program.substr(std::string_view{"bench_"}.size());

    std::string json;
    bool list = false;
    for (int i = 1; i < argc; ++i) {
        std::string_view const word = argv[i];
        if (word == "--json" && i + 1 < argc) {
            json = argv[++i];
        } else if (word == "--list") {
            list = true;
        } else if (word.starts_with("-") || !filter.empty()) {
            fail("usage: [FILTER] [--json FILE] [--list]");
        } else {
            filter = word;
        }
    }

    run taking;
    for (auto const& each : suites()) {
        if (!leads(module_name, each.name))
            fail(each.name + " does not start with " + module_name + "/");
        if (list) std::cout << each.name << "\n";
        if (!list && taking.wants(each.name)) each.body(taking);
    }
#ifdef BLENDR_HAS_GOOGLE_BENCHMARK
    if (!list) run_google_benchmarks(argv[0], taking);
#endif
    if (!json.empty()) write_json(json);
    return EXIT_SUCCESS;
}
