// SPDX-License-Identifier: Apache-2.0
#include <blendr/store/write_behind.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <random>
#include <shared_mutex>
#include <thread>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include <blendr/core/wide.hpp>

namespace blendr::store {
namespace {

using state::io_error;
using state::io_fault;
using state::row_change;

/// Hashes keys that strangers choose, so it is salted for each process.
struct salted_hash {
    using is_avalanching = void;
    static std::uint64_t salt()
    {
        static std::uint64_t const value = [] {
            std::random_device device;
            return std::uint64_t{device()} << 32 | device();
        }();
        return value;
    }
    static std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept
    {
        u128 const product = u128{a} * b;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    }
    std::size_t operator()(bytes_view key) const noexcept
    {
        std::uint64_t mixed = salt() ^ key.size();
        while (!key.empty()) {
            std::uint64_t word = 0;
            std::size_t const take = std::min<std::size_t>(8, key.size());
            std::memcpy(&word, key.data(), take);
            mixed = fold(mixed ^ word, 0x9fb21c651e98df25);
            key = key.subspan(take);
        }
        return static_cast<std::size_t>(fold(mixed ^ salt(), 0xd6e8feb86659fd93));
    }
};
struct same_bytes {
    bool operator()(bytes_view a, bytes_view b) const noexcept
    {
        return a.size() == b.size() &&
               (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
    }
};

/// Rows in memory, each once, all in few large allocations.
class pile {
public:
    void take(std::span<row_change const> batch, height at)
    {
        for (auto const& [key, value] : batch) take(key, value);
        at_ = at;
    }

    /// Null if this pile says nothing of the key.
    std::optional<bytes_view> const* find(bytes_view key) const
    {
        auto const found = rows_.find(key);
        return found == rows_.end() ? nullptr : &found->second;
    }

    std::vector<row_change> sorted(bytes_view from, bytes_view to) const
    {
        struct entry {
            std::uint64_t head;
            row_change row;
        };
        std::vector<entry> order;
        if (from.empty() && to.empty()) order.reserve(rows_.size());
        for (auto const& [key, value] : rows_) {
            if (compare(key, from) < 0 || (!to.empty() && compare(key, to) >= 0)) continue;
            order.push_back({head_of(key), {key, value}});
        }
        std::sort(order.begin(), order.end(), [](entry const& a, entry const& b) {
            return a.head != b.head ? a.head < b.head : compare(a.row.first, b.row.first) < 0;
        });
        std::vector<row_change> out;
        out.reserve(order.size());
        for (auto const& e : order) out.push_back(e.row);
        return out;
    }

    bool empty() const noexcept { return !at_; }
    std::optional<height> at() const noexcept { return at_; }
    std::size_t rows() const noexcept { return rows_.size(); }
    std::size_t memory() const noexcept
    {
        return held_ + rows_.size() * (sizeof(bytes_view) + sizeof(std::optional<bytes_view>) + 8);
    }

private:
    static std::uint64_t head_of(bytes_view key) noexcept
    {
        std::uint64_t head = 0;
        for (std::size_t i = 0; i < 8; ++i)
            head = head << 8 | (i < key.size() ? std::to_integer<std::uint64_t>(key[i]) : 0);
        return head;
    }

    std::span<std::byte> place(std::size_t size)
    {
        constexpr std::size_t block = std::size_t{1} << 20;
        if (size > left_.size()) {
            std::size_t const fresh = std::max(block, size);
            blocks_.push_back(std::make_unique_for_overwrite<std::byte[]>(fresh));
            held_ += fresh;
            left_ = {blocks_.back().get(), fresh};
        }
        auto const out = left_.first(size);
        left_ = left_.subspan(size);
        return out;
    }

    bytes_view keep(bytes_view data)
    {
        auto const to = place(data.size());
        if (!data.empty()) std::memcpy(to.data(), data.data(), data.size());
        return to;
    }

    void take(bytes_view key, std::optional<bytes_view> const& value)
    {
        auto found = rows_.find(key);
        if (found == rows_.end()) found = rows_.emplace(keep(key), std::nullopt).first;
        auto& now = found->second;
        if (value && now && now->size() >= value->size() && !value->empty()) {
            auto* const to = const_cast<std::byte*>(now->data());  // our own, in a block
            std::memcpy(to, value->data(), value->size());
            now = bytes_view{to, value->size()};
        } else if (value) {
            now = keep(*value);
        } else {
            now.reset();
        }
    }

    boost::unordered_flat_map<bytes_view, std::optional<bytes_view>, salted_hash, same_bytes> rows_;
    std::vector<std::unique_ptr<std::byte[]>> blocks_;
    std::span<std::byte> left_;
    std::size_t held_ = 0;
    std::optional<height> at_;
};

}  // namespace

struct write_behind::impl {
    std::unique_ptr<state::store> below;
    write_behind_options chosen;
    barrier before;

    mutable std::shared_mutex mutex;  // over what follows; not held while the store below writes
    std::condition_variable_any work, room;
    std::unique_ptr<pile> active = std::make_unique<pile>(), flushing;
    bool wanted = false, ending = false;
    std::optional<io_error> error;
    std::thread thread;

    bool failed() const { return error.has_value(); }

    void loop()
    {
        std::unique_lock lock{mutex};
        for (;;) {
            work.wait(lock, [this] {
                return ending ||
                       (!active->empty() && (wanted || active->rows() >= chosen.checkpoint_rows));
            });
            if (failed() || active->empty()) {
                wanted = false;
                room.notify_all();
                if (ending) return;
                work.wait(lock, [this] { return ending || !failed(); });
                continue;
            }
            wanted = false;
            flushing = std::exchange(active, std::make_unique<pile>());
            room.notify_all();
            pile const& now = *flushing;
            lock.unlock();
            auto const batch = now.sorted({}, {});
            auto written = before ? before(*now.at()) : result<nothing, io_error>{};
            if (written) written = below->write(batch, *now.at());
            lock.lock();
            if (written) {
                auto const gone = std::move(flushing);
                lock.unlock();
                room.notify_all();
                lock.lock();
            } else {
                error = written.error();
                room.notify_all();
            }
        }
    }

    io_error refusal() const
    {
        return {io_fault::stopped, error->where.empty() ? "" : message(*error)};
    }
};

write_behind::write_behind(std::unique_ptr<state::store> below, write_behind_options const& chosen,
                           barrier before)
    : impl_{std::make_unique<impl>()}
{
    impl_->before = std::move(before);
    impl_->below = std::move(below);
    impl_->chosen = chosen;
    impl_->thread = std::thread{[i = impl_.get()] { i->loop(); }};
}

write_behind::~write_behind()
{
    {
        std::lock_guard const lock{impl_->mutex};
        impl_->ending = true;
    }
    impl_->work.notify_all();
    impl_->thread.join();
}

result<nothing, io_error> write_behind::write(std::span<row_change const> sorted_batch, height at)
{
    BLENDR_ASSERT(state::strictly_increasing(sorted_batch));
    auto& i = *impl_;
    std::unique_lock lock{i.mutex};
    i.room.wait(lock, [&i] { return i.failed() || i.active->memory() < i.chosen.backlog_bytes; });
    if (i.failed()) return fail{i.refusal()};
    auto const last = !i.active->empty() ? i.active->at()
                      : i.flushing       ? i.flushing->at()
                                         : i.below->durable();
    if (last && at < *last)
        return fail{io_error{io_fault::misplaced, "block " + std::to_string(at.get()) + " after " +
                                                      std::to_string(last->get())}};
    i.active->take(sorted_batch, at);
    bool const full = i.active->rows() >= i.chosen.checkpoint_rows ||
                      i.active->memory() >= i.chosen.backlog_bytes;
    if (full) i.wanted = true;
    lock.unlock();
    if (full) i.work.notify_one();
    return nothing{};
}

result<nothing, io_error> write_behind::flush()
{
    auto& i = *impl_;
    std::unique_lock lock{i.mutex};
    while (!i.failed() && (!i.active->empty() || i.flushing)) {
        if (!i.active->empty()) i.wanted = true;
        i.work.notify_one();
        auto const* const was = i.flushing.get();
        i.room.wait_for(lock, std::chrono::milliseconds{50},
                        [&] { return i.failed() || i.flushing.get() != was; });
    }
    if (i.failed()) return fail{*i.error};
    return nothing{};
}

result<std::optional<bytes>, io_error> write_behind::get(bytes_view key) const
{
    std::shared_lock const lock{impl_->mutex};
    for (auto const* p : {impl_->active.get(), impl_->flushing.get()}) {
        if (p == nullptr) continue;
        if (auto const* const found = p->find(key)) {
            if (!*found) return std::optional<bytes>{};
            return std::optional<bytes>{to_bytes(**found)};
        }
    }
    return impl_->below->get(key);
}

result<nothing, io_error> write_behind::scan(bytes_view from, bytes_view to,
                                             row_visitor const& row) const
{
    std::shared_lock const lock{impl_->mutex};
    // Newer rows first; where both piles know a key, the newer one counts.
    auto above = impl_->active->sorted(from, to);
    if (impl_->flushing) {
        auto const older = impl_->flushing->sorted(from, to);
        std::vector<row_change> both;
        both.reserve(above.size() + older.size());
        std::merge(
            above.begin(), above.end(), older.begin(), older.end(), std::back_inserter(both),
            [](row_change const& a, row_change const& b) { return compare(a.first, b.first) < 0; });
        auto const end =
            std::unique(both.begin(), both.end(), [](row_change const& a, row_change const& b) {
                return equal(a.first, b.first);
            });
        both.erase(end, both.end());
        above = std::move(both);
    }
    auto next = above.begin();
    bool more = true;
    auto const show_until = [&](bytes_view const* key) {
        while (more && next != above.end() && (key == nullptr || compare(next->first, *key) < 0)) {
            if (next->second) more = row(next->first, *next->second);
            ++next;
        }
    };
    BLENDR_CHECK(impl_->below->scan(from, to, [&](bytes_view key, bytes_view value) {
        show_until(&key);
        if (!more) return false;
        if (next != above.end() && equal(next->first, key)) {
            if (next->second) more = row(next->first, *next->second);
            ++next;
        } else {
            more = row(key, value);
        }
        return more;
    }));
    show_until(nullptr);
    return nothing{};
}

std::optional<height> write_behind::durable() const { return impl_->below->durable(); }

result<nothing, io_error> write_behind::check() const { return impl_->below->check(); }

write_behind::waiting write_behind::backlog() const
{
    std::shared_lock const lock{impl_->mutex};
    waiting out;
    for (auto const* p : {impl_->active.get(), impl_->flushing.get()}) {
        if (p == nullptr) continue;
        out.rows += p->rows();
        out.bytes += p->memory();
    }
    return out;
}

}  // namespace blendr::store
