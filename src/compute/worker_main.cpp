// SPDX-License-Identifier: Apache-2.0
#include "worker_main.hpp"

#if __has_include(<vulkan/vulkan.h>) && defined(__linux__)

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "sandbox.hpp"
#include "vulkan_device.hpp"
#include "wire.hpp"

namespace blendr::compute {

namespace {

constexpr auto for_ever = std::chrono::hours{24 * 365};

/// What a driver or a validator says may quote a program, and a program may hold any bytes.
std::string plain(std::string text)
{
    for (auto& c : text)
        if (c < ' ' || c > '~') c = c == '\n' || c == '\t' ? ' ' : '?';
    return text;
}

class server {
public:
    int live()
    {
        wire::setup how;
        if (!receive_setup(how)) return 2;
        wire::ready answer;
        if (auto const bad = start(how); bad.what != fault::ok) {
            answer.what = bad.what;
            answer.why = plain(bad.why);
            wire::send(wire::socket_file, wire::kind::ready, encode(answer));
            return 1;
        }
        answer.info = device_->info();
        answer.info.isolated = true;
        if (!wire::send(wire::socket_file, wire::kind::ready, encode(answer))) return 0;
        for (;;) {
            wire::kind what{};
            bytes payload;
            auto const until = wire::clock::now() + for_ever;
            if (wire::receive(wire::socket_file, what, payload, until) != wire::heard::message)
                return 0;
            if (!serve(what, payload)) return 0;
        }
    }

private:
    static bool receive_setup(wire::setup& how)
    {
        wire::kind what{};
        bytes payload;
        auto const until = wire::clock::now() + std::chrono::seconds{30};
        if (wire::receive(wire::socket_file, what, payload, until) != wire::heard::message ||
            what != wire::kind::setup)
            return false;
        auto read = decode<wire::setup>(payload);
        if (!read) return false;
        how = *std::move(read);
        return true;
    }

    failure start(wire::setup const& how)
    {
        auto const bad = limit_resources({how.address_space_bytes, how.cpu_seconds, 64},
                                         static_cast<int>(how.parent));
        if (!bad.empty()) return {fault::no_worker, bad};
        auto* const at = ::mmap(nullptr, how.arena_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                                wire::arena_file, 0);
        if (at == MAP_FAILED) return {fault::no_worker, "the shared memory cannot be mapped"};
        arena_ = {static_cast<std::byte*>(at), how.arena_bytes};
        std::thread{[] {
            // Ends this process with its supervisor, whatever the other threads are stuck in.
            pollfd one{wire::socket_file, POLLRDHUP, 0};
            while (::poll(&one, 1, -1) < 0 ||
                   (one.revents & (POLLRDHUP | POLLHUP | POLLERR)) == 0) {
            }
            ::_exit(0);
        }}.detach();

        vulkan_options chosen;
        chosen.validation = how.validation;
        chosen.on_validation = [this](std::string_view words) {
            std::lock_guard const lock{complaining_};
            if (complaints_.size() < 16)
                complaints_.push_back(plain(std::string{words.substr(0, 1000)}));
        };
        chosen.slice = std::chrono::milliseconds{how.slice_ms};
        auto made =
            open_vulkan_device(how.any_device ? std::nullopt : std::optional{how.device}, chosen);
        if (!made) return made.error();
        device_ = *std::move(made);
        if (how.import) whole_ = device_->import(arena_);
        bool const hardware = device_->info().kind != device_kind::cpu;
        if (auto const left = lock_down(hardware); !left.empty()) return {fault::no_worker, left};
        return {};
    }

    bool serve(wire::kind what, bytes_view payload)
    {
        if (what == wire::kind::load) {
            auto const ask = decode<wire::load>(payload);
            return ask && wire::send(wire::socket_file, wire::kind::loaded, encode(load(*ask)));
        }
        if (what == wire::kind::run) {
            auto const ask = decode<wire::run>(payload);
            return ask && wire::send(wire::socket_file, wire::kind::ended, encode(run(*ask)));
        }
        return false;
    }

    std::vector<std::string> complaints()
    {
        std::lock_guard const lock{complaining_};
        return std::exchange(complaints_, {});
    }

    wire::loaded load(wire::load const& ask)
    {
        policy under;
        under.as = ask.exact ? profile::exact : profile::tolerance;
        under.loop_budget = ask.loop_budget;
        under.inlined_size_max = ask.inlined_size_max;
        under.private_bytes_max = ask.private_bytes_max;
        under.value_bytes_max = ask.value_bytes_max;
        auto const made = device_->load(ask.spirv, under, ask.own ? origin::own : origin::stranger);
        wire::loaded answer;
        if (made) {
            answer.id = made->id.get();
            answer.needs = made->needs;
        } else {
            answer.what = made.error().what;
            answer.why = plain(made.error().why);
        }
        answer.complaints = complaints();
        return answer;
    }

    wire::ended run(wire::run const& ask)
    {
        batch work;
        work.deadline = std::chrono::milliseconds{(ask.deadline_us + 999) / 1000};
        wire::ended answer;
        outcome how;
        std::vector<std::pair<wire::range, memory_id>> copies;
        for (auto const& each : ask.all) {
            dispatch d{program_id{each.program}, each.groups, {}, each.push};
            for (auto const& r : each.bound) {
                if (r.offset > arena_.size() || r.bytes > arena_.size() - r.offset)
                    how = {fault::outside_memory, 0, 0, {}};
                if (!how) break;
                if (whole_) {
                    d.bound.push_back({*whole_, r.offset, r.bytes});
                    continue;
                }
                auto const copy = mirror(r);
                if (!copy) {
                    how = {copy.error().what, 0, 0, copy.error().why};
                    break;
                }
                work.steps.emplace_back(
                    upload{{*copy, 0, r.bytes}, arena_.subspan(r.offset, r.bytes)});
                copies.emplace_back(r, *copy);
                d.bound.push_back({*copy, 0, r.bytes});
            }
            numbers_.push_back(static_cast<std::uint32_t>(work.steps.size()));
            work.steps.emplace_back(std::move(d));
            for (auto const& [r, id] : copies)
                work.steps.emplace_back(
                    download{{id, 0, r.bytes}, arena_.subspan(r.offset, r.bytes)});
            copies.clear();
        }
        if (how) how = device_->run(work);
        for (std::uint32_t i = 0; i < numbers_.size(); ++i)
            if (numbers_[i] <= how.at) answer.at = i;
        numbers_.clear();
        answer.what = how.what;
        answer.traps = how.traps;
        answer.slices = how.slices;
        answer.device_ns = static_cast<std::uint64_t>(how.device_ns);
        answer.why = plain(how.why);
        answer.usable = !device_->is_lost();
        answer.complaints = complaints();
        return answer;
    }

    /// Memory of the device that stands for a part of the arena, where the arena itself cannot.
    result<memory_id, failure> mirror(wire::range const& r)
    {
        auto& known = mirrors_[{r.offset, r.bytes}];
        if (known.get() != 0) return known;
        auto made = device_->allocate(r.bytes);
        if (!made) {
            for (auto const& [key, id] : mirrors_)
                if (id.get() != 0 && id != known) device_->release(id);
            mirrors_.clear();
            BLENDR_TRY(auto const again, device_->allocate(r.bytes));
            return mirrors_[{r.offset, r.bytes}] = again;
        }
        return known = *made;
    }

    std::span<std::byte> arena_;
    std::unique_ptr<vulkan_device> device_;
    std::optional<memory_id> whole_;
    std::map<std::pair<std::uint64_t, std::uint64_t>, memory_id> mirrors_;
    std::vector<std::uint32_t> numbers_;  // the step of each dispatch
    std::mutex complaining_;
    std::vector<std::string> complaints_;
};

}  // namespace

int worker_main()
{
    if (::fcntl(wire::socket_file, F_GETFD) < 0 || ::fcntl(wire::arena_file, F_GETFD) < 0) {
        std::fputs(
            "This is a part of libblendr that its supervisor starts; by itself it does nothing.\n",
            stderr);
        return 2;
    }
    auto* const held = new server;  // never destroyed: a driver may hang on the way out
    auto const status = held->live();
    ::_exit(status);
}

}  // namespace blendr::compute

#else

#include <cstdio>

namespace blendr::compute {

int worker_main()
{
    std::fputs("This was built without Vulkan.\n", stderr);
    return 2;
}

}  // namespace blendr::compute

#endif
