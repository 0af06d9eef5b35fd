// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/log.hpp>

#include <chrono>
#include <cstdio>
#include <ctime>

#include <array>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace blendr::node {
namespace {

constexpr std::array<std::string_view, 5> names{"debug", "info", "warning", "error", "none"};

std::string timestamp()
{
    auto const now = std::chrono::system_clock::now();
    auto const seconds = std::chrono::system_clock::to_time_t(now);
    auto const ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() %
        1000;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 64> text{};
    auto const size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::array<char, 8> tail{};
    std::snprintf(tail.data(), tail.size(), ".%03dZ", static_cast<int>(ms));
    return std::string{text.data(), size} + tail.data();
}

}  // namespace

std::optional<log_level> parse_log_level(std::string_view text)
{
    for (std::size_t i = 0; i < names.size(); ++i)
        if (names[i] == text) return static_cast<log_level>(i);
    return std::nullopt;
}

logger::logger(log_level least, bool json, sink to) : least_{least}, json_{json}, to_{std::move(to)}
{}

void logger::write(log_level level, std::string_view what, fields with)
{
    if (level < least_ || least_ == log_level::none) return;
    std::string line{};
    auto const name = names[static_cast<std::size_t>(level)];
    if (json_) {
        boost::json::object out{{"time", timestamp()}, {"level", name}, {"what", what}};
        for (auto const& [key, value] : with) out.emplace(key, value);
        line = boost::json::serialize(out);
    } else {
        line = timestamp() + ' ' + std::string{name} + ' ' + std::string{what};
        for (auto const& [key, value] : with) {
            auto const* const text = value.if_string();
            line += ' ' + std::string{key} + '=' +
                    (text != nullptr && text->find_first_of(" \n\r\"=") == text->npos
                         ? std::string{*text}
                         : boost::json::serialize(value));
        }
    }
    line += '\n';
    std::lock_guard const lock{mutex_};
    if (to_)
        to_(line);
    else
        std::fputs(line.c_str(), stderr);
}

}  // namespace blendr::node
