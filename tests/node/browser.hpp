// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <doctest/doctest.h>

#include <support/support.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <blendr/core/json.hpp>
#include <blendr/net/http.hpp>

#include "processes.hpp"

/// A real Chromium without a window, driven over WebDriver.
namespace blendr::test {

inline std::optional<std::string> found_program(char const* name)
{
    for (auto const* const folder : {"/usr/bin/", "/usr/local/bin/", "/usr/lib/chromium/"})
        if (std::string const at = std::string{folder} + name; fs::exists(at)) return at;
    return std::nullopt;
}

class browser {
public:
    /// Nothing, and the running test is skipped, where there is no Chromium.
    static std::optional<browser> start(int width = 1280, int height = 900)
    {
        auto const driver = found_program("chromedriver");
        auto const chromium = found_program("chromium");
        if (!driver || !chromium) {
            skip("no Chromium: cmake/setup --with browser installs it");
            return std::nullopt;
        }
        browser out{};
        static int started = 0;
        out.folder_ = scratch("browser" + std::to_string(++started));
        auto const port = free_ports(1);
        out.server_ = "127.0.0.1:" + std::to_string(port);
        out.process_ =
            process{{*driver, "--port=" + std::to_string(port)}, out.folder_ / "driver.log"};
        boost::json::array arguments{};
        for (auto const* const each :
             {"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
              "--disable-background-networking", "--disable-component-update", "--disable-sync",
              "--disable-dev-shm-usage", "--hide-scrollbars"})
            arguments.emplace_back(each);
        arguments.emplace_back("--user-data-dir=" + (out.folder_ / "profile").string());
        arguments.emplace_back("--window-size=" + std::to_string(width) + ',' +
                               std::to_string(height));
        boost::json::object const options{{"args", arguments}, {"binary", *chromium}};
        boost::json::object const wanted{
            {"browserName", "chrome"},
            {"goog:chromeOptions", options},
            {"goog:loggingPrefs", boost::json::object{{"browser", "ALL"}}}};
        boost::json::object const request{
            {"capabilities", boost::json::object{{"alwaysMatch", wanted}}}};
        for (int tries = 0; tries < 100; ++tries) {
            if (net::http_ask(out.server_, "GET", "/status")) break;
            std::this_thread::sleep_for(std::chrono::milliseconds{50});
        }
        auto const made = out.ask("POST", "/session", request);
        out.session_ = "/session/" + std::string{made.at("sessionId").as_string()};
        return out;
    }
    browser(browser&&) = default;
    browser& operator=(browser&&) = default;
    ~browser()
    {
        if (!process_.running()) return;
        (void)net::http_ask(server_, "POST", session_ + "/goog/cdp/execute",
                            R"({"cmd":"Browser.close","params":{}})", 3'000);
        process_.finish(3'000);
        // Its own children may write for a moment longer.
        std::error_code busy{};
        for (int tries = 0; tries < 50; ++tries) {
            fs::remove_all(folder_, busy);
            if (!fs::exists(folder_, busy)) break;
            std::this_thread::sleep_for(std::chrono::milliseconds{100});
        }
    }

    void open(std::string const& url)
    {
        (void)ask("POST", session_ + "/url", boost::json::object{{"url", url}});
    }
    /// The value that a function body returns, or that its promise comes to.
    boost::json::value run(std::string const& body, boost::json::array arguments = {})
    {
        auto const script = "const done = arguments[arguments.length - 1];"
                            "const given = Array.from(arguments).slice(0, -1);"
                            "(async (...arguments) => {" +
                            body +
                            "})(...given).then((v) => done([true, v ?? null]), (e) => done([false, "
                            "String(e.stack ?? e)]));";
        auto const out =
            ask("POST", session_ + "/execute/async",
                boost::json::object{{"script", script}, {"args", std::move(arguments)}});
        auto const& pair = out.as_array();
        if (!pair.at(0).as_bool()) FAIL("the page says: " << std::string{pair.at(1).as_string()});
        return pair.at(1);
    }
    bool is(std::string const& condition)
    {
        auto const out = run("return Boolean(" + condition + ");");
        return out.as_bool();
    }
    /// Waits until a condition holds in the page.
    bool eventually(std::string const& condition, std::int64_t ms = 15'000)
    {
        for (std::int64_t waited = 0; waited < ms; waited += 50) {
            if (is(condition)) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds{50});
        }
        shot("unmet");
        return false;
    }
    void type(std::string const& selector, std::string const& text)
    {
        auto const element =
            ask("POST", session_ + "/element",
                boost::json::object{{"using", "css selector"}, {"value", selector}});
        std::string const id{element.as_object().begin()->value().as_string()};
        (void)ask("POST", session_ + "/element/" + id + "/value",
                  boost::json::object{{"text", text}});
    }
    void click(std::string const& selector)
    {
        auto const element =
            ask("POST", session_ + "/element",
                boost::json::object{{"using", "css selector"}, {"value", selector}});
        std::string const id{element.as_object().begin()->value().as_string()};
        (void)ask("POST", session_ + "/element/" + id + "/click", boost::json::object{});
    }
    void key(std::string const& which)
    {
        boost::json::array const steps{boost::json::object{{"type", "keyDown"}, {"value", which}},
                                       boost::json::object{{"type", "keyUp"}, {"value", which}}};
        (void)ask("POST", session_ + "/actions",
                  boost::json::object{
                      {"actions", boost::json::array{boost::json::object{
                                      {"type", "key"}, {"id", "k"}, {"actions", steps}}}}});
    }
    void size(int width, int height, double ratio = 1)
    {
        command("Emulation.setDeviceMetricsOverride", {{"width", width},
                                                       {"height", height},
                                                       {"deviceScaleFactor", ratio},
                                                       {"mobile", false}});
    }
    void prefers(std::string const& scheme)
    {
        command("Emulation.setEmulatedMedia",
                {{"features", boost::json::array{boost::json::object{
                                  {"name", "prefers-color-scheme"}, {"value", scheme}}}}});
    }
    boost::json::value command(std::string const& what, boost::json::object parameters)
    {
        return ask("POST", session_ + "/goog/cdp/execute",
                   boost::json::object{{"cmd", what}, {"params", std::move(parameters)}});
    }
    /// What the console was told since the last call that is worse than news, a line each.
    std::string complaints()
    {
        std::string out{};
        auto const all =
            ask("POST", session_ + "/se/log", boost::json::object{{"type", "browser"}});
        for (auto const& each : all.as_array()) {
            std::string const level{each.at("level").as_string()};
            if (level == "SEVERE" || level == "WARNING")
                out += std::string{each.at("message").as_string()} + '\n';
        }
        return out;
    }
    /// Keeps a picture of the window beside the build.
    void shot(std::string const& name)
    {
        fs::create_directories(BLENDR_SHOTS_DIR);
        auto const text = ask("GET", session_ + "/screenshot", {});
        std::ofstream out{fs::path{BLENDR_SHOTS_DIR} / (name + ".png"), std::ios::binary};
        auto const& raw = text.as_string();
        std::uint32_t held = 0;
        int bits = 0;
        constexpr std::string_view digits =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for (char const c : raw) {
            auto const value = digits.find(c);
            if (value == digits.npos) continue;
            held = held << 6 | static_cast<std::uint32_t>(value);
            if ((bits += 6) >= 8) out.put(static_cast<char>(held >> (bits -= 8) & 0xff));
        }
    }

private:
    browser() = default;

    boost::json::value ask(std::string_view method, std::string const& path,
                           boost::json::object const& body)
    {
        auto const got =
            net::http_ask(server_, method, path,
                          method == "POST" ? to_text(boost::json::value(body)) : "", 60'000);
        REQUIRE(got);
        auto const read = parse_json(got->body);
        REQUIRE(read);
        INFO(path << ": " << got->body.substr(0, 600));
        REQUIRE(got->status == 200);
        return read->at("value");
    }
    fs::path folder_{};
    std::string server_{};
    std::string session_{};
    process process_{};
};

}  // namespace blendr::test
