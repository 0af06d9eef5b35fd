// SPDX-License-Identifier: Apache-2.0
#include <node/provider_tasks.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>

#include <blendr/crypto/seal.hpp>

namespace blendr::node::impl {
namespace {

namespace fs = std::filesystem;

constexpr crypto::domain nonce_domain{"node.nonce/1"};

}  // namespace

result<nothing, std::string> write_whole(fs::path const& at, bytes_view content, bool durable)
{
    auto const draft = at.string() + ".new";
    int const file = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return fail{"cannot write " + draft};
    bool good = true;
    for (std::size_t done = 0; good && done < content.size();) {
        auto const n = ::write(file, content.data() + done, content.size() - done);
        good = n > 0;
        if (good) done += static_cast<std::size_t>(n);
    }
    good = good && (!durable || ::fsync(file) == 0);
    ::close(file);
    if (!good || ::rename(draft.c_str(), at.c_str()) != 0) return fail{"cannot write " + draft};
    return nothing{};
}

result<bytes, std::string> read_whole(fs::path const& at)
{
    std::ifstream in{at, std::ios::binary};
    if (!in) return fail{"cannot read " + at.string()};
    std::string const text{std::istreambuf_iterator<char>{in}, {}};
    return to_bytes(std::string_view{text});
}

task_book::task_book(fs::path home, crypto::identity me, std::shared_ptr<shelf> blobs,
                     std::vector<rented_device> devices, std::uint32_t power_percent, bool cheat)
    : home_{std::move(home) / "results"},
      me_{std::move(me)},
      blobs_{std::move(blobs)},
      power_percent_{std::clamp(power_percent, 1u, 100u)},
      cheat_{cheat},
      seed_{me_.key().derive(nonce_domain)},
      box_{crypto::sealing_key::of(me_.key())}
{
    for (auto& each : devices) {
        lines_.push_back(std::make_unique<line>());
        lines_.back()->device = std::move(each);
    }
}

task_book::~task_book() { stop(); }

result<nothing, std::string> task_book::open()
{
    std::error_code failed;
    fs::create_directories(home_, failed);
    if (failed) return fail{"cannot use " + home_.string() + ": " + failed.message()};
    for (auto const& each : fs::directory_iterator{home_, failed}) {
        auto const task = array_from_hex<32>(each.path().filename().string());
        if (!task) continue;  // a draft that was cut off
        auto const raw = read_whole(each.path());
        auto read = raw ? decode<done_unit>(*raw) : decode<done_unit>(bytes{});
        if (!read || escrow::task_of(read->origin) != *task) continue;  // it will be done again
        done_[*task] = std::make_shared<done_unit const>(*std::move(read));
    }
    return nothing{};
}

void task_book::start()
{
    for (auto& each : lines_)
        each->thread = std::jthread{
            [this, on = each.get()](std::stop_token stop) { work(*on, std::move(stop)); }};
}

void task_book::stop()
{
    for (auto& each : lines_) each->thread.request_stop();
    changed_.notify_all();
    for (auto& each : lines_)
        if (each->thread.joinable()) each->thread.join();
}

task_book::line* task_book::line_of(std::uint32_t device)
{
    for (auto& each : lines_)
        if (each->device.number == device) return each.get();
    return lines_.empty() ? nullptr : lines_.front().get();
}

bool task_book::want(wanted_unit what)
{
    std::lock_guard const lock{mutex_};
    if (done_.contains(what.task) || known_.contains(what.task)) return true;
    if (attempts_[what.task] >= attempts_max) return false;
    auto* const on = line_of(what.device);
    if (on == nullptr) return false;
    known_.insert(what.task);
    // what others wait for has the shorter deadline
    if (what.own)
        on->waits.push_back(std::move(what));
    else
        on->waits.push_front(std::move(what));
    changed_.notify_all();
    return true;
}

done_ptr task_book::find(hash256 const& task) const
{
    std::lock_guard const lock{mutex_};
    auto const found = done_.find(task);
    return found == done_.end() ? done_ptr{} : found->second;
}

std::size_t task_book::waiting(std::uint32_t device) const
{
    std::lock_guard const lock{mutex_};
    for (auto const& each : lines_)
        if (each->device.number == device) return each->waits.size() + (each->running ? 1u : 0u);
    return 0;
}

std::size_t task_book::waiting() const
{
    std::lock_guard const lock{mutex_};
    return known_.size();
}

std::uint64_t task_book::done_on(std::uint32_t device) const
{
    std::lock_guard const lock{mutex_};
    for (auto const& each : lines_)
        if (each->device.number == device) return each->done;
    return 0;
}

void task_book::keep(std::set<hash256> const& tasks)
{
    std::lock_guard const lock{mutex_};
    for (auto it = done_.begin(); it != done_.end();) {
        if (tasks.contains(it->first)) {
            ++it;
            continue;
        }
        std::error_code ignored;
        fs::remove(file_of(it->first), ignored);
        it = done_.erase(it);
    }
    for (auto& each : lines_)
        std::erase_if(each->waits, [&](wanted_unit const& w) {
            if (tasks.contains(w.task)) return false;
            known_.erase(w.task);
            return true;
        });
    std::erase_if(attempts_, [&](auto const& each) { return !tasks.contains(each.first); });
    if (sheets_.size() > 256) sheets_.clear();
}

std::vector<task_book::failure> task_book::failures()
{
    std::lock_guard const lock{mutex_};
    return std::exchange(failures_, {});
}

fs::path task_book::file_of(hash256 const& task) const { return home_ / to_hex(task); }

hash256 task_book::nonce_for(hash256 const& task) const
{
    return crypto::hasher{nonce_domain}.update(seed_.expose()).update(task).finish();
}

result<std::shared_ptr<job_sheet const>, std::string> task_book::sheet_of(hash256 const& name)
{
    {
        std::lock_guard const lock{mutex_};
        if (auto const found = sheets_.find(name); found != sheets_.end()) return found->second;
    }
    BLENDR_TRY(auto const raw, blobs_->get(name));
    auto read = decode<job_sheet>(raw);
    if (!read) return fail{std::string{"the job's sheet is none: "} + message(read.error())};
    auto const out = std::make_shared<job_sheet const>(*std::move(read));
    std::lock_guard const lock{mutex_};
    sheets_[name] = out;
    return out;
}

result<std::optional<bytes>, std::string> task_book::input_of(job_sheet const& sheet,
                                                              wanted_unit const& what)
{
    if (sheet.sealed && what.letter == hash256{}) return std::nullopt;
    auto const& at = sheet.units[what.origin.unit];
    if (!sheet.sealed) {
        BLENDR_TRY(auto open, blobs_->get(at));
        return open;
    }
    BLENDR_TRY(auto const raw, blobs_->get(what.letter));
    auto const letter = decode<crypto::sealed_for>(raw);
    if (!letter)
        return fail{std::string{"the renter's letter is none: "} + message(letter.error())};
    auto const key = crypto::unwrap(*letter, box_);
    if (!key && key.error().what == crypto::seal_error::kind::not_for_us) return std::nullopt;
    if (!key) return fail{"the renter's letter: " + message(key.error())};
    BLENDR_TRY(auto const stored, blobs_->get(at));
    auto opened = crypto::open(stored, *key);
    if (!opened) return fail{"the unit's input: " + message(opened.error())};
    return *std::move(opened);
}

result<std::optional<done_unit>, std::string> task_book::run(line& on, wanted_unit const& what,
                                                             std::stop_token stop)
{
    BLENDR_TRY(auto const sheet, sheet_of(what.sheet));
    if (sheet->app != what.app || sheet->units.size() != what.units)
        return fail{std::string{"the job's sheet is not what its order says"}};
    BLENDR_TRY(auto input, input_of(*sheet, what));
    if (!input) return std::nullopt;
    done_unit out{what.origin, what.own, what.app, nonce_for(what.task), {}, *std::move(input), {}};
    if (what.input != hash256{} && hash_before(out.packed) != what.input)
        return fail{std::string{"the unit's input is not what the order says"}};
    // a dispute over another number of steps could not be won
    if (what.steps != 0 &&
        (steps_of(what.app, out.packed) == 0 || steps_of(what.app, out.packed) > what.steps))
        return fail{std::string{"the order says a number of steps that the unit does not have"}};
    BLENDR_TRY(out.result, on.device.run(what.app, out.packed, stop));
    if (stop.stop_requested()) return fail{std::string{"stopped"}};
    if (cheat_ && what.own && !out.result.empty()) {
        auto const at = std::to_integer<std::size_t>(what.task[0]) * out.result.size() / 256;
        out.result[at] ^= std::byte{0x5a};
    }
    if (what.own) {
        auto const shown = crypto::seal(encode(unit_result{out.nonce, out.result}), sheet->renter);
        if (!shown) return fail{message(shown.error())};
        BLENDR_TRY(out.data, blobs_->put(*shown));
    }
    return out;
}

void task_book::work(line& on, std::stop_token stop)
{
    using clock = std::chrono::steady_clock;
    while (!stop.stop_requested()) {
        wanted_unit what{};
        {
            std::unique_lock lock{mutex_};
            changed_.wait(lock, stop, [&] { return !on.waits.empty(); });
            if (stop.stop_requested()) return;
            what = std::move(on.waits.front());
            on.waits.pop_front();
            on.running = what.task;
        }
        auto const began = clock::now();
        auto made = run(on, what, stop);
        result<nothing, std::string> kept = nothing{};
        if (made && *made) kept = write_whole(file_of(what.task), encode(**made));
        auto const took = clock::now() - began;
        {
            std::lock_guard const lock{mutex_};
            on.running.reset();
            known_.erase(what.task);
            if (made && *made && kept) {
                done_[what.task] = std::make_shared<done_unit const>(**std::move(made));
                ++on.done;
            } else if ((!made || *made) && !stop.stop_requested()) {
                ++attempts_[what.task];
                failures_.push_back({what.task, made ? kept.error() : made.error()});
            }
        }
        // the owner's limit on power: rest as long as the share of work asks for
        if (power_percent_ < 100 && !stop.stop_requested()) {
            auto const rest = took * (100 - power_percent_) / power_percent_;
            std::unique_lock lock{mutex_};
            (void)changed_.wait_for(lock, stop, rest, [] { return false; });
        }
    }
}

}  // namespace blendr::node::impl
