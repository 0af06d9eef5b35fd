// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/json/value.hpp>

namespace blendr::node {

enum class log_level : std::uint8_t { debug = 0, info = 1, warning = 2, error = 3, none = 4 };

std::optional<log_level> parse_log_level(std::string_view text);

/// Lines about what happens: time, level, what, and named values; as text, or one JSON object each. Any thread.
/// It is given names and numbers, never keys or passphrases.
class logger {
public:
    using sink = std::function<void(std::string const& line)>;
    /// A named value: text, a number or a truth.
    struct field {
        template <std::convertible_to<std::string_view> T>
        field(std::string_view n, T const& v)
            : name{n},
              value(
                  boost::json::string_view{std::string_view{v}.data(), std::string_view{v}.size()})
        {}
        template <std::integral T>
        field(std::string_view n, T v) : name{n},
                                         value(v)
        {}
        std::string_view name;
        boost::json::value value;
    };
    using fields = std::initializer_list<field>;

    /// Writes to the standard error stream unless a sink is given.
    explicit logger(log_level least = log_level::info, bool json = false, sink to = {});

    void debug(std::string_view what, fields with = {}) { write(log_level::debug, what, with); }
    void info(std::string_view what, fields with = {}) { write(log_level::info, what, with); }
    void warning(std::string_view what, fields with = {}) { write(log_level::warning, what, with); }
    void error(std::string_view what, fields with = {}) { write(log_level::error, what, with); }

private:
    void write(log_level level, std::string_view what, fields with);

    log_level least_;
    bool json_;
    sink to_;
    std::mutex mutex_{};
};

}  // namespace blendr::node
