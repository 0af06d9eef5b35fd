// SPDX-License-Identifier: Apache-2.0
#include <node/job_book.hpp>

#include <algorithm>
#include <system_error>
#include <utility>

#include <node/provider_tasks.hpp>

namespace blendr::node::impl {
namespace {

namespace fs = std::filesystem;

std::string damaged(std::uint64_t number)
{
    return "the memory of job " + std::to_string(number) + " is damaged";
}

}  // namespace

result<nothing, std::string> job_book::begin(std::uint64_t number, job_request const& what) const
{
    std::error_code failed;
    fs::create_directories(place(number), failed);
    if (failed) return fail{"cannot use " + place(number).string() + ": " + failed.message()};
    return write_whole(place(number) / "request", encode(what));
}

void job_book::drop(std::uint64_t number) const
{
    std::error_code ignored;
    fs::remove_all(place(number), ignored);
}

std::vector<std::uint64_t> job_book::numbers() const
{
    std::vector<std::uint64_t> out{};
    std::error_code none;
    for (auto const& each : fs::directory_iterator{home_, none}) {
        auto const name = each.path().filename().string();
        if (name.find_first_not_of("0123456789") == name.npos && fs::exists(each.path() / "story"))
            out.push_back(std::stoull(name));
    }
    std::sort(out.begin(), out.end());
    return out;
}

result<job_request, std::string> job_book::request(std::uint64_t number) const
{
    BLENDR_TRY(auto const raw, read_whole(place(number) / "request"));
    auto read = decode<job_request>(raw);
    if (!read) return fail{damaged(number)};
    return *std::move(read);
}

result<job_story, std::string> job_book::story(std::uint64_t number) const
{
    auto const raw = read_whole(place(number) / "story");
    if (!raw) return fail{"there is no job " + std::to_string(number) + " below " + home_.string()};
    auto read = decode<job_story>(*raw);
    if (!read) return fail{damaged(number)};
    return *std::move(read);
}

result<nothing, std::string> job_book::keep(job_story const& story) const
{
    return write_whole(place(story.number) / "story", encode(story),
                       story.phase == job_phase::submitted);
}

fs::path job_book::place(std::uint64_t number, std::uint64_t stage, std::uint32_t unit) const
{
    return place(number) /
           ("stage" + std::to_string(stage - number) + ".unit" + std::to_string(unit));
}

fs::path job_book::letter_place(std::uint64_t number, std::uint64_t stage) const
{
    return place(number) / ("stage" + std::to_string(stage - number) + ".letter");
}

result<nothing, std::string> job_book::put_letter(std::uint64_t number, std::uint64_t stage,
                                                  bytes_view letter) const
{
    return write_whole(letter_place(number, stage), letter);
}

bytes job_book::letter(std::uint64_t number, std::uint64_t stage) const
{
    return read_whole(letter_place(number, stage)).value_or(bytes{});
}

bool job_book::put(std::uint64_t number, std::uint64_t stage, std::uint32_t unit,
                   bytes_view result) const
{
    return write_whole(place(number, stage, unit), result, false).has_value();
}

result<std::vector<bytes>, std::string> job_book::results(std::uint64_t number,
                                                          stage_story const& of) const
{
    std::vector<bytes> out{};
    for (std::uint32_t u = 0; u < of.units.size(); ++u) {
        BLENDR_TRY(auto raw, read_whole(place(number, of.number, u)));
        out.push_back(std::move(raw));
    }
    return out;
}

result<std::vector<std::vector<bytes>>, std::string> job_book::results(job_story const& of) const
{
    std::vector<std::vector<bytes>> out{};
    for (auto const& each : of.stages) {
        BLENDR_TRY(auto made, results(of.number, each));
        out.push_back(std::move(made));
    }
    return out;
}

result<std::string, std::string> job_book::put(std::uint64_t number, work::file const& made) const
{
    auto const name = fs::path{made.name}.filename().string();
    BLENDR_CHECK(write_whole(place(number) / name, made.content));
    return name;
}

result<std::vector<work::file>, std::string> job_book::files(job_story const& of) const
{
    std::vector<work::file> out{};
    for (auto const& each : of.files) {
        BLENDR_TRY(auto content, read_whole(place(of.number) / each));
        out.push_back({each, std::move(content)});
    }
    return out;
}

}  // namespace blendr::node::impl
