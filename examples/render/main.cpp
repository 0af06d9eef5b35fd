// SPDX-License-Identifier: Apache-2.0
// render: A picture split over several devices, one of which dies; the same bytes as if there were one.
// needs: work
#include <unistd.h>

#include <csignal>

#include <atomic>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include <blendr/core.hpp>
#include <blendr/crypto.hpp>
#include <blendr/work.hpp>

using namespace blendr;

constexpr char const* usage =
    R"(render                               a small picture, three devices on this machine
render SCENE.txt OUT.png [WIDTH HEIGHT SAMPLES]
                                     ctrl-c stops it; what is done lies in OUT.png.part, and the next call goes on
)";

constexpr char const* small_scene = R"(
camera 2 2 5   look 0 0.6 0   angle 34
sky 0.1 0.25 0.6   horizon 0.4 0.45 0.55
sun -2 3 1   colour 2.4 2.1 1.6   size 0.05
material table diffuse 0.55 0.52 0.47
material gold  metal 0.95 0.72 0.32 0.05
material clay  diffuse 0.78 0.28 0.18
box -12 -1 -12  12 0 12  table
sphere 0 0.7 0  0.7  gold
sphere 1.1 0.36 0.8  0.35  clay
)";

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

/// A device on this machine that works until it has done so many units.
std::unique_ptr<work::runner> device(std::string name, unsigned units)
{
    return work::make_runner(
        std::move(name), 0,
        [units](work::unit const& what,
                std::stop_token stop) mutable -> result<bytes, work::problem> {
            if (units == 0)
                return fail{work::problem{work::fault::device_failed, "the power is out"}};
            --units;
            return work::render_tile(what, std::move(stop));
        });
}

int main(int count, char** arguments)
{
    if (count == 2) {
        std::string_view const word{arguments[1]};
        bool const asked = word == "--help" || word == "-h";
        (asked ? std::cout : std::cerr) << usage;
        return asked ? 0 : 2;
    }
    std::string text = small_scene;
    work::picture of;
    of.width = 96, of.height = 60, of.samples = 8;
    if (count >= 3) {
        std::ifstream in{arguments[1]};
        if (!in) return std::cerr << "render: cannot read " << arguments[1] << '\n', 1;
        text.assign(std::istreambuf_iterator<char>{in}, {});
        of.width = 640, of.height = 400, of.samples = 64;
    }
    for (auto const& [at, what] : {std::pair{3, &of.width}, {4, &of.height}, {5, &of.samples}}) {
        if (at >= count) break;
        std::string_view const word{arguments[at]};
        auto const [end, code] = std::from_chars(word.begin(), word.end(), *what);
        if (code != std::errc{} || end != word.end())
            return std::cerr << "render: " << word << " is no number\n", 2;
    }

    auto const scene = work::parse_scene(text);
    if (!scene) return std::cerr << "render: " << message(scene.error()) << '\n', 1;
    std::array<double, 3> const speeds{1e3, 1e3, 1e3};
    auto job = work::render_job::make(*scene, of, speeds);
    if (!job) return std::cerr << "render: " << message(job.error()) << '\n', 1;

    auto const ada = device("ada's", ~0u), bela = device("bela's", ~0u),
               dying = device("cleo's", 2);
    std::array<work::runner*, 3> const devices{ada.get(), bela.get(), dying.get()};
    work::run_options how;
    std::stop_source stop;
    how.stop = stop.get_token();
    bool const seen = ::isatty(STDERR_FILENO) == 1;
    how.on_progress = [&](work::progress const& at) {
        if (seen) std::cerr << '\r' << bar(at) << "   ";
        if (interrupted) stop.request_stop();
    };
    std::optional<work::checkpoint> saved;
    std::filesystem::path part;
    if (count >= 3) {
        part = std::string{arguments[2]} + ".part";
        auto opened = work::checkpoint::open(part, job->identity());
        if (!opened) return std::cerr << "render: " << message(opened.error()) << '\n', 1;
        saved.emplace(*std::move(opened));
        how.saved = &*saved;
        std::signal(SIGINT, [](int) { interrupted = true; });
    }
    auto const done = work::run(*job, devices, how);
    if (seen) std::cerr << '\n';
    if (!done) return std::cerr << "render: " << message(done.error()) << '\n', 1;

    std::signal(SIGINT, SIG_DFL);
    if (done->resumed != 0) std::cout << done->resumed << " tiles were there already\n";
    auto const pixels = job->pixels(done->results).value();
    std::cout << of.width << " x " << of.height << " pixels in " << done->results.size()
              << " tiles by three devices\n";
    std::cout << "the picture   " << to_text(crypto::cid::of(pixels)) << '\n';
    std::cout << "the run       " << to_hex(done->root) << '\n';

    auto alone = work::render_job::make(*scene, of, speeds).value();
    auto const by_one = work::run(alone, std::span{devices}.first(1)).value();
    bool const same = alone.pixels(by_one.results).value() == pixels && by_one.root == done->root;
    std::cout << (same ? "one device alone makes the same, to the bit\n" : "the devices differ\n");

    if (count >= 3) {
        auto const file = work::png_of(of.width, of.height, pixels);
        std::ofstream out{arguments[2], std::ios::binary};
        out.write(reinterpret_cast<char const*>(file.data()),
                  static_cast<std::streamsize>(file.size()));
        if (!out.flush()) return std::cerr << "render: cannot write " << arguments[2] << '\n', 1;
        std::cout << "written to    " << arguments[2] << '\n';
        std::error_code ignored;
        std::filesystem::remove(part, ignored);
    }
    return same ? 0 : 1;
}
