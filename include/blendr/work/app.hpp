// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>

#include <blendr/compute/device.hpp>
#include <blendr/compute/native.hpp>

#include <blendr/work/error.hpp>
#include <blendr/work/job.hpp>
#include <blendr/work/schedule.hpp>

namespace blendr::work {

/// How somebody who pays knows that a result is right.
enum class check_kind : std::uint8_t {
    exact = 1,      ///< the same bytes everywhere: digests are compared
    tolerance = 2,  ///< two results may differ a little: `app::same` says how much
    product = 3,    ///< each result is checked by itself, for less than it costs: `app::wrong`
};

struct app_info {
    std::string_view name;   ///< what it is asked for by
    std::string_view about;  ///< a sentence
};

struct file {
    std::string name;
    bytes content;
};
BOOST_DESCRIBE_STRUCT(file, (), (name, content))

/// What is asked of an app: a JSON object of options, and files that they name.
struct order {
    std::string options = "{}";
    std::vector<file> files{};
};
BOOST_DESCRIBE_STRUCT(order, (), (options, files))

/// An order, ready to be run: a job whose outcome is files.
class task : public job {
public:
    /// By which of them results of this order are judged.
    virtual check_kind check() const noexcept = 0;

    /// What the order asked for, from the results of the last stage.
    virtual result<std::vector<file>, problem> files(std::span<bytes const> results) const = 0;
};

/// What a unit is about to cost, before it is run.
struct cost {
    double operations = 0;  ///< arithmetic, roughly
    std::uint64_t bytes_in = 0, bytes_out = 0;
};

/// Where a unit is to run.
struct workplace {
    compute::device& on;
    /// A stranger's programs are hardened and watched. Those of the library need it not; results are the same.
    compute::origin as = compute::origin::own;
    /// For each batch; a unit is several where it is long.
    std::chrono::milliseconds deadline{20'000};
    std::stop_token stop{};
};

/// A workload by its name: what a node needs to offer it, to run a part of it and to judge a result. It has no
/// state; any thread may call. Units come from strangers: any bytes are run or refused.
class app {
public:
    virtual ~app() = default;

    virtual app_info info() const noexcept = 0;

    /// Reads an order and plans its units, by the devices' speeds where they are known (points a second).
    virtual result<std::unique_ptr<task>, problem> make(order const& what,
                                                        std::span<double const> speeds) const = 0;

    /// Does one unit on a device: native, Vulkan or in a worker.
    virtual result<bytes, problem> run(unit const& what, workplace const& where) const = 0;

    /// Why a result of the unit cannot be right, or nothing. Cheaper than doing the unit.
    virtual std::optional<std::string> wrong(unit const& of, bytes_view result) const;

    /// Whether two results of the unit may both be right.
    virtual bool same(unit const& of, bytes_view a, bytes_view b) const;

    virtual cost estimate(unit const& of) const = 0;
};

/// The apps that come with the library, by name.
std::span<app const* const> apps() noexcept;
/// Null where there is none of that name.
app const* find_app(std::string_view name) noexcept;

/// A unit as bytes: what is sent to whoever is to run it.
bytes pack(unit const& what);
result<unit, problem> unpack(bytes_view raw);

/// Runs a packed unit of a named app: what a provider does.
result<bytes, problem> run_packed(std::string_view app_name, bytes_view packed_unit,
                                  workplace const& where);

/// A device as a runner of one app's units. Both must outlive it. A device that is lost in a unit is made usable
/// again (`forget`), so it must not hold what others need.
std::unique_ptr<runner> runner_on(app const& what, compute::device& on, std::string name,
                                  double speed = 0, compute::origin as = compute::origin::own);

/// Points a second of an order on a device, by doing small parts of it for some hundredths of a second; 0 where
/// they fail. What `make` wants to know.
double measure(app const& what, order const& of, compute::device& on,
               compute::origin as = compute::origin::own);

/// The programs of all apps in C++, for `compute::native_options`.
std::vector<compute::native_kernel> native_kernels();

/// A native device that knows them.
std::unique_ptr<compute::device> make_native_device(unsigned threads = 0);

}  // namespace blendr::work
