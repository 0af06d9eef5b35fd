// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <support/support.hpp>

#include <blendr/compute.hpp>
#include <blendr/core/random.hpp>

#if defined(__SANITIZE_THREAD__)
#define BLENDR_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BLENDR_TSAN 1
#endif
#endif

namespace blendr::compute::test {

/// Whether a Vulkan device can be opened here; marks the test as skipped, with the reason, when not.
inline bool vulkan_here()
{
#if defined(BLENDR_TSAN)
    blendr::test::skip("Vulkan drivers are not built for ThreadSanitizer");
    return false;
#else
    static std::string const why = [] {
        auto const made = open_vulkan();
        return made ? std::string{} : message(made.error());
    }();
    if (!why.empty()) blendr::test::skip("no Vulkan device: " + why);
    return why.empty();
#endif
}

/// Options under which the validation layers, where they are installed, fail the test that they complain about.
class watched {
public:
    watched()
    {
        options.on_validation = [this](std::string_view words) {
            std::lock_guard const lock{mutex_};
            if (words.find("Loader Message") == std::string_view::npos)
                complaints_.emplace_back(words);
        };
        options.validation = true;
        if (auto const made = open_vulkan(options); !made) options.validation = false;
        std::lock_guard const lock{mutex_};
        complaints_.clear();
    }

    std::string complaints() const
    {
        std::lock_guard const lock{mutex_};
        std::string all;
        for (auto const& each : complaints_) all += each + "\n";
        return all;
    }

    vulkan_options options{};

private:
    std::mutex mutable mutex_;
    std::vector<std::string> complaints_;
};

/// C = A B modulo 2^32.
inline std::vector<std::uint32_t> product(std::uint32_t m, std::uint32_t n, std::uint32_t k,
                                          std::vector<std::uint32_t> const& a,
                                          std::vector<std::uint32_t> const& b)
{
    std::vector<std::uint32_t> c(std::size_t{m} * n);
    for (std::uint32_t i = 0; i < m; ++i)
        for (std::uint32_t l = 0; l < k; ++l)
            for (std::uint32_t j = 0; j < n; ++j) c[i * n + j] += a[i * k + l] * b[l * n + j];
    return c;
}

inline std::vector<std::uint32_t> numbers(std::size_t count, std::uint64_t seed)
{
    rng draw{seed};
    std::vector<std::uint32_t> all(count);
    for (auto& each : all) each = static_cast<std::uint32_t>(draw());
    return all;
}

}  // namespace blendr::compute::test
