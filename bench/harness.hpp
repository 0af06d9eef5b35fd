// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// How a bench measures and reports. See README.md beside this file for a whole one.
namespace blendr::bench {

/// Makes the compiler believe that `value` is used and that memory was looked at.
template <class T>
inline void keep(T const& value)
{
    asm volatile("" : : "g"(&value) : "memory");
}

/// What a figure counts: seconds a call, scaled, or work per second.
struct measure {
    std::string_view unit;
    double scale =
        1;  ///< time: multiplied with the seconds of one call; rate: the work of one call
    bool is_rate = false;
};
inline constexpr measure ns{"ns", 1e9};
inline constexpr measure us{"us", 1e6};
inline constexpr measure ms{"ms", 1e3};

/// Work per second: `rate("GB/s", 1e-9 * bytes)`, `rate("tx/s", transactions)`.
constexpr measure rate(std::string_view unit, double work_of_a_call)
{
    return {unit, work_of_a_call, true};
}

/// Whose time counts. The thread's own is the least noisy; work on several threads needs the wall clock.
enum class clock { thread_cpu, process_cpu, wall };

struct options {
    clock by = clock::thread_cpu;
    int rounds = 11;        ///< samples of each side, taken in turns
    double sample_ms = 10;  ///< a sample repeats the call until it lasts this long
    bool instructions =
        false;  ///< also report `<name>/instructions`, where the machine lets us count
};

double median(std::vector<double> of);

/// Measures time from its construction, or from the last restart.
class stopwatch {
public:
    explicit stopwatch(clock by = clock::thread_cpu);
    void restart();
    double seconds() const;

private:
    clock by_;
    double start_;
};

/// Handed to a suite: takes its figures. A name is `<module>/<what>/<size>`.
class run {
public:
    /// Whether figures that start with `name` were asked for; guards expensive preparation.
    bool wants(std::string_view name) const;

    /// A figure without a yardstick.
    template <class Ours>
    void figure(std::string_view name, measure what, Ours&& ours, options with = {})
    {
        if (wants(name)) take(name, what, repeat(ours), nullptr, with);
    }

    /// A figure and its ratio to the yardstick: our value ÷ the yardstick's, medians of rounds that alternate between the
    /// two. Above 1 is better for a rate, worse for a time.
    template <class Ours, class Yardstick>
    void compare(std::string_view name, measure what, Ours&& ours, Yardstick&& yardstick,
                 options with = {})
    {
        if (wants(name)) take(name, what, repeat(ours), repeat(yardstick), with);
    }

    /// A figure that was measured some other way.
    void report(std::string_view name, double value, std::string_view unit,
                std::optional<double> ratio = {});

private:
    using repeated = std::function<void(std::size_t)>;

    template <class F>
    static repeated repeat(F& f)
    {
        return [&f](std::size_t times) {
            for (std::size_t i = 0; i < times; ++i) f();
        };
    }
    void take(std::string_view name, measure what, repeated const& ours, repeated const& yardstick,
              options with);
};

/// Registers `body` under a name that all its figures start with: `static suite const codec{"core/codec", [](run& r) {...}};`
class suite {
public:
    suite(std::string_view name, std::function<void(run&)> body);
};

}  // namespace blendr::bench
