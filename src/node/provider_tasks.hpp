// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <blendr/crypto/identity.hpp>
#include <blendr/crypto/sealing_key.hpp>
#include <blendr/escrow/tables.hpp>
#include <blendr/market/capacity.hpp>
#include <blendr/node/programs.hpp>
#include <blendr/node/provider.hpp>

namespace blendr::node::impl {

/// A unit that the agent is to do: sold, or of somebody else and to be done again.
struct wanted_unit {
    hash256 task{};
    escrow::task_origin origin{};
    bool own{};  ///< sold; or drawn to check
    std::uint32_t device{};
    std::string app{};
    hash256 sheet{};
    hash256 letter{};  ///< where the key to its input lies; zero: nobody said yet
    std::uint32_t units{};
    hash256 input{};  ///< as the order says; zero: it does not
    std::uint64_t steps{};
};

/// One that was done: all that a commitment, its opening and a dispute need. What lies on disk.
struct done_unit {
    escrow::task_origin origin{};
    bool own{};
    std::string app{};
    hash256 nonce{};
    hash256 data{};  ///< where the renter finds it; own units only
    bytes packed{};
    bytes result{};
};
BOOST_DESCRIBE_STRUCT(done_unit, (), (origin, own, app, nonce, data, packed, result))
using done_ptr = std::shared_ptr<done_unit const>;

/// Runs units on devices, a thread each, and keeps results until they are not needed any more.
class task_book {
public:
    task_book(std::filesystem::path home, crypto::identity me, std::shared_ptr<shelf> blobs,
              std::vector<rented_device> devices, std::uint32_t power_percent, bool cheat);
    ~task_book();
    /// Reads what an earlier run left; a sentence when the home cannot be used.
    result<nothing, std::string> open();
    void start();
    void stop();

    /// Has a unit done, unless it is, or waits. One whose key is not there yet is to be wanted again, with
    /// what the renter said meanwhile. False when it failed too often.
    bool want(wanted_unit what);
    done_ptr find(hash256 const& task) const;
    std::size_t waiting(std::uint32_t device) const;
    std::size_t waiting() const;
    std::uint64_t done_on(std::uint32_t device) const;
    /// Forgets all but these.
    void keep(std::set<hash256> const& tasks);
    struct failure {
        hash256 task{};
        std::string why{};
    };
    std::vector<failure> failures();

private:
    struct line {
        rented_device device{};
        std::deque<wanted_unit> waits{};
        std::optional<hash256> running{};
        std::uint64_t done{};
        std::jthread thread{};
    };
    static constexpr unsigned attempts_max = 8;

    void work(line& on, std::stop_token stop);
    /// Nothing when it must wait for the key to its input.
    result<std::optional<done_unit>, std::string> run(line& on, wanted_unit const& what,
                                                      std::stop_token stop);
    result<std::optional<bytes>, std::string> input_of(job_sheet const& sheet,
                                                       wanted_unit const& what);
    result<std::shared_ptr<job_sheet const>, std::string> sheet_of(hash256 const& name);
    std::filesystem::path file_of(hash256 const& task) const;
    hash256 nonce_for(hash256 const& task) const;
    line* line_of(std::uint32_t device);

    std::filesystem::path home_;
    crypto::identity me_;
    std::shared_ptr<shelf> blobs_;
    std::uint32_t power_percent_;
    bool cheat_;
    crypto::secret seed_;
    crypto::sealing_key box_;

    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::vector<std::unique_ptr<line>> lines_;
    std::set<hash256> known_;  // waiting or running
    std::map<hash256, done_ptr> done_;
    std::map<hash256, unsigned> attempts_;
    std::map<hash256, std::shared_ptr<job_sheet const>> sheets_;
    std::vector<failure> failures_;
};

/// What a promise of the hour `at` asks of its issuer now; `miss` stands for nothing.
constexpr market::promise_event due_of(market::promise_state is, market::hour at,
                                       market::hour now) noexcept
{
    if (is == market::promise_state::claimed && at == now) return market::promise_event::start;
    if (is == market::promise_state::running && at < now) return market::promise_event::finish;
    if (is == market::promise_state::open && at < now) return market::promise_event::lapse;
    return market::promise_event::miss;
}
static_assert(due_of(market::promise_state::claimed, market::hour{7}, market::hour{6}) ==
              market::promise_event::miss);
static_assert(due_of(market::promise_state::claimed, market::hour{7}, market::hour{7}) ==
              market::promise_event::start);
static_assert(due_of(market::promise_state::running, market::hour{7}, market::hour{7}) ==
              market::promise_event::miss);
static_assert(due_of(market::promise_state::running, market::hour{7}, market::hour{8}) ==
              market::promise_event::finish);

static_assert(due_of(market::promise_state::open, market::hour{7}, market::hour{7}) ==
              market::promise_event::miss);
static_assert(due_of(market::promise_state::open, market::hour{7}, market::hour{8}) ==
              market::promise_event::lapse);

/// Writes a file whole or not at all; unless told otherwise it survives a power cut.
result<nothing, std::string> write_whole(std::filesystem::path const& at, bytes_view content,
                                         bool durable = true);
result<bytes, std::string> read_whole(std::filesystem::path const& at);

}  // namespace blendr::node::impl
