// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>
#include <blendr/core/strong.hpp>

#include <blendr/compute/admission.hpp>
#include <blendr/compute/reflection.hpp>

namespace blendr::compute {

/// Why a device did not do what was asked. Numbers are frozen and only ever appended, grouped by whom
/// they concern: 1-99 the machine, 100-199 the program, 200-299 memory, 300-399 one run.
enum class fault : std::uint16_t {
    ok = 0,

    no_loader = 1,
    no_driver = 2,
    no_device = 3,
    wrong_driver = 4,
    too_old = 5,
    feature_missing = 6,
    no_worker = 7,
    not_built = 8,

    refused = 100,
    unknown_program = 101,
    does_not_compile = 102,
    does_not_bind = 103,
    grid_too_large = 104,

    out_of_memory = 200,
    unknown_memory = 201,
    outside_memory = 202,

    trapped = 300,
    timed_out = 301,
    lost = 302,
    incomplete = 303,
    wrong_result = 304,
};

/// The fault as a sentence for people.
std::string_view message(fault what) noexcept;

/// A fault, and what is particular about this one.
struct failure {
    fault what{};
    std::string why{};
};
std::string message(failure const& f);

enum class device_kind : std::uint8_t {
    native = 1,  ///< C++ on this processor
    cpu = 2,     ///< Vulkan on this processor
    integrated = 3,
    discrete = 4,
    other = 5,  ///< virtual, or a kind that the driver does not tell
};

/// What is known of a device once it runs. `name` and `driver` are the driver's words: claims.
struct device_info {
    device_kind kind = device_kind::other;
    std::string name;
    std::string driver;
    std::uint32_t vendor = 0;
    device_limits limits{};
    std::uint64_t memory_bytes = 0;  ///< the most that may be allocated through it
    std::uint64_t buffer_bytes_max = 0;
    std::uint64_t offset_alignment = 1;  ///< of a bound part of memory
    std::array<std::uint32_t, 3> groups_max{65'535, 65'535, 65'535};
    bool shares_memory = false;  ///< the processor sees its memory in place
    bool isolated = false;       ///< programs run in a process of their own
};

using program_id = strong<struct program_id_tag>;
using memory_id = strong<struct memory_id_tag>;

/// Whose program it is. A stranger's is hardened and watched; one's own runs as it is.
enum class origin : std::uint8_t { stranger = 1, own = 2 };

/// A program that a device holds.
struct loaded {
    program_id id{};
    hash256 submitted{};  ///< of the bytes as they came
    reflection needs;
};

/// A part of some memory: what a binding sees, or what is copied.
struct part {
    memory_id of{};
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
};

/// Work in order. Each step sees everything that the steps before it wrote.
struct upload {
    part to{};
    bytes_view from{};  ///< as long as `to`; stays there until the run is over
};
struct download {
    part from{};
    std::span<std::byte> to{};
};
struct dispatch {
    program_id program{};
    std::array<std::uint32_t, 3> groups{1, 1, 1};
    std::vector<part> bound{};  ///< one for each of the program's bindings, in their order
    bytes push{};               ///< as many bytes as the program's push constants take
};
using step = std::variant<upload, dispatch, download>;

struct batch {
    std::vector<step> steps{};
    std::chrono::milliseconds deadline{10'000};  ///< for all of it, hidden compilation included
};

/// How a run ended. After anything but `ok` the memory that the steps wrote holds anything.
struct outcome {
    fault what = fault::ok;
    std::uint32_t traps = 0;   ///< bits of `trap`, when it trapped
    std::uint32_t at = 0;      ///< the step that failed
    std::string why{};         ///< a sentence, when it failed
    std::int64_t device_ns{};  ///< by the device's clock, or by the host's where it has none
    std::uint32_t slices = 0;  ///< pieces that the dispatches were cut into

    explicit operator bool() const noexcept { return what == fault::ok; }
};

/// One compute device, or the supervisor of a process that owns one. Any thread may call; runs take
/// turns. It must outlive what was loaded and allocated on it. `info` never changes.
///
/// No call hangs, whatever a program does, when `info().isolated`; elsewhere a run that passes its
/// deadline is given up and the device is lost until `forget`.
class device {
public:
    virtual ~device() = default;

    virtual device_info const& info() const noexcept = 0;

    /// Compiles a program. A stranger's goes through `admit` first, with `info().limits` in place of the
    /// policy's own; the policy says nothing about one's own. Loading the same bytes again is cheap.
    virtual result<loaded, failure> load(bytes_view spirv, policy const& under, origin whose) = 0;

    /// Memory full of zeros, a word of it at least.
    virtual result<memory_id, failure> allocate(std::uint64_t bytes) = 0;
    /// Unknown and released ids are ignored.
    virtual void release(memory_id which) noexcept = 0;

    /// Does all steps, in order, on the caller's thread; stops at the first that fails.
    virtual outcome run(batch const& work) = 0;

    /// The same in the background; what the steps refer to must stay until the future is ready.
    virtual std::future<outcome> submit(batch work) = 0;

    /// Ends a tenancy: programs and memory are gone, and nothing of them can be read by the next
    /// tenant. A lost device works again afterwards, or says why not.
    virtual result<nothing, failure> forget() = 0;
};

}  // namespace blendr::compute
