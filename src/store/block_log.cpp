// SPDX-License-Identifier: Apache-2.0
#include <blendr/store/block_log.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <random>
#include <utility>
#include <vector>

#include <blendr/core/assert.hpp>
#include <blendr/core/codec.hpp>

#include "store/crc32c.hpp"

namespace blendr::store {
namespace {

using ledger::logged_block;

constexpr std::string_view magic = "blendrlg";
constexpr std::uint32_t version = 1;
constexpr std::size_t head_size = 32;  // of a file, and of a record
constexpr std::uint32_t payload_max = std::uint32_t{1} << 30;

template <class Int>
void put(std::byte* at, Int value) noexcept
{
    for (std::size_t i = 0; i < sizeof value; ++i) at[i] = static_cast<std::byte>(value >> (8 * i));
}

template <class Int>
Int get(std::byte const* at) noexcept
{
    Int value = 0;
    for (std::size_t i = 0; i < sizeof value; ++i)
        value |= static_cast<Int>(std::to_integer<Int>(at[i]) << (8 * i));
    return value;
}

struct record_head {
    std::uint32_t payload_crc{};
    std::uint32_t length{};
    std::uint64_t at{};
    std::uint64_t safe{};
};

std::array<std::byte, head_size> encode_head(record_head const& head, std::uint32_t salt) noexcept
{
    std::array<std::byte, head_size> raw{};
    put(raw.data(), head.payload_crc);
    put(raw.data() + 4, head.length);
    put(raw.data() + 8, head.at);
    put(raw.data() + 16, head.safe);
    put(raw.data() + 28, crc32c(salt, bytes_view{raw}.first(28)));
    return raw;
}

std::optional<record_head> decode_head(bytes_view raw, std::uint32_t salt) noexcept
{
    if (raw.size() < head_size) return std::nullopt;
    if (get<std::uint32_t>(raw.data() + 28) != crc32c(salt, raw.first(28))) return std::nullopt;
    record_head const head{get<std::uint32_t>(raw.data()), get<std::uint32_t>(raw.data() + 4),
                           get<std::uint64_t>(raw.data() + 8), get<std::uint64_t>(raw.data() + 16)};
    if (head.length > payload_max || get<std::uint32_t>(raw.data() + 24) != 0) return std::nullopt;
    return head;
}

std::string segment_name(std::uint64_t first)
{
    auto digits = std::to_string(first);
    return std::string(20 - digits.size(), '0') + digits + ".log";
}

std::optional<std::uint64_t> first_of(std::string const& name)
{
    if (name.size() != 24 || !name.ends_with(".log")) return std::nullopt;
    std::uint64_t first = 0;
    for (char const c : std::string_view{name}.substr(0, 20)) {
        if (c < '0' || c > '9') return std::nullopt;
        auto const digit = static_cast<std::uint64_t>(c - '0');
        if (__builtin_mul_overflow(first, std::uint64_t{10}, &first) ||
            __builtin_add_overflow(first, digit, &first))
            return std::nullopt;
    }
    return first;
}

struct segment {
    std::uint64_t first{};
    std::string path;
    std::shared_ptr<file> open;          // null until it is needed
    std::uint32_t salt{};                // known once open
    std::vector<std::uint32_t> offsets;  // of the records, once `indexed`
    bool indexed = false;
    std::uint64_t end = head_size;  // of the last whole record, once `indexed`
};

fail<io_error> corrupt(segment const& in, std::uint64_t byte)
{
    return fail{io_error{io_fault::corrupt, in.path + ", byte " + std::to_string(byte)}};
}

result<bytes, io_error> read_all(file const& from)
{
    BLENDR_TRY(auto const size, from.size());
    bytes all(size);
    BLENDR_TRY(auto const got, from.read(0, all));
    all.resize(got);
    return all;
}

class disk_log final : public ledger::block_log {
public:
    disk_log(file_layer& files, std::string directory, block_log_options const& chosen)
        : files_{files},
          directory_{std::move(directory)},
          segment_bytes_{std::min<std::uint64_t>(chosen.segment_bytes, std::uint64_t{1} << 31)}
    {}

    result<nothing, io_error> recover();

    result<nothing, io_error> append(logged_block const& block) override;
    result<std::optional<height>, io_error> sync() override;
    result<std::optional<logged_block>, io_error> read(height at) const override;
    std::optional<range> held() const override;
    result<nothing, io_error> prune(height below) override;
    result<nothing, io_error> check() const override;

private:
    result<nothing, io_error> begin_segment(std::uint64_t first);
    result<nothing, io_error> open_segment(segment& s) const;
    result<nothing, io_error> index_segment(segment& s, std::uint64_t next_first) const;
    result<nothing, io_error> recover_tail(segment& s);
    result<nothing, io_error> check_segment(segment const& s, std::uint64_t end,
                                            std::uint64_t& next) const;
    result<nothing, io_error> write_record(logged_block const& block);

    file_layer& files_;
    std::string const directory_;
    std::uint64_t const segment_bytes_;  // so that offsets fit 32 bits

    mutable std::mutex mutex_;  // over what follows; never held over a write or a sync
    mutable std::vector<segment> segments_;
    std::optional<std::uint64_t> last_;
    std::uint64_t safe_ = 0;  // first height not known durable
    bool stopped_ = false;

    bytes buffer_;  // the appending thread's
};

// ---- opening -------------------------------------------------------------------------------------

result<nothing, io_error> disk_log::recover()
{
    BLENDR_CHECK(files_.make_directory(directory_));
    BLENDR_TRY(auto const names, files_.list(directory_));
    for (auto const& name : names) {
        auto const first = first_of(name);
        if (!first) continue;
        segments_.emplace_back();
        segments_.back().first = *first;
        segments_.back().path = directory_ + "/" + name;
    }
    while (!segments_.empty()) {
        auto& s = segments_.back();
        BLENDR_TRY(auto const found, files_.open(s.path, open_mode::write));
        BLENDR_TRY(auto const size, found->size());
        auto const opened = open_segment(s);
        if (opened) {
            BLENDR_CHECK(recover_tail(s));
            if (!s.offsets.empty()) break;
        } else if (opened.error().what != io_fault::corrupt || size > head_size) {
            return fail{opened.error()};
        }
        // Begun, and nothing of it was ever durable: the crash came before its first record.
        BLENDR_CHECK(files_.remove(s.path));
        BLENDR_CHECK(files_.sync_directory(directory_));
        segments_.pop_back();
    }
    if (!segments_.empty() && !segments_.back().offsets.empty()) {
        auto const& s = segments_.back();
        last_ = s.first + s.offsets.size() - 1;
        BLENDR_CHECK(s.open->sync());  // what a killed process had only written
        safe_ = *last_ + 1;
    }
    return nothing{};
}

/// Opens the file and checks its head.
result<nothing, io_error> disk_log::open_segment(segment& s) const
{
    if (s.open) return nothing{};
    BLENDR_TRY(auto opened, files_.open(s.path, open_mode::write));
    std::array<std::byte, head_size> head{};
    BLENDR_TRY(auto const got, opened->read(0, head));
    if (got == head_size && as_text(bytes_view{head}.first(8)) == magic &&
        get<std::uint32_t>(head.data() + 8) > version)
        return fail{io_error{io_fault::newer, s.path}};
    if (got != head_size || as_text(bytes_view{head}.first(8)) != magic ||
        get<std::uint32_t>(head.data() + 8) != version ||
        get<std::uint32_t>(head.data() + 12) != 0 ||
        get<std::uint64_t>(head.data() + 16) != s.first ||
        get<std::uint32_t>(head.data() + 28) != crc32c(0, bytes_view{head}.first(28)))
        return corrupt(s, 0);
    s.salt = get<std::uint32_t>(head.data() + 24);
    s.open = std::move(opened);
    return nothing{};
}

/// Finds the records of the newest file and cuts what a crash tore.
result<nothing, io_error> disk_log::recover_tail(segment& s)
{
    BLENDR_TRY(auto const all, read_all(*s.open));
    bytes_view const raw{all};
    std::uint64_t at = head_size;
    s.offsets.clear();
    for (;;) {
        auto const head = decode_head(raw.subspan(at), s.salt);
        if (!head || head->at != s.first + s.offsets.size() ||
            raw.size() - at - head_size < head->length ||
            crc32c(0, raw.subspan(at + head_size, head->length)) != head->payload_crc)
            break;
        s.offsets.push_back(static_cast<std::uint32_t>(at));
        at += head_size + head->length;
    }
    s.indexed = true;
    s.end = at;
    if (at == raw.size()) return nothing{};
    std::uint64_t const broken = s.first + s.offsets.size();
    for (std::uint64_t later = at + 1; later + head_size <= raw.size(); ++later) {
        auto const head = decode_head(raw.subspan(later), s.salt);
        if (head && head->safe > broken)
            return fail{io_error{io_fault::corrupt, s.path + ", byte " + std::to_string(at) +
                                                        ", durable block " +
                                                        std::to_string(broken)}};
    }
    BLENDR_CHECK(s.open->truncate(at));
    BLENDR_CHECK(s.open->sync());
    return nothing{};
}

/// Finds the records of an older file, by their heads alone.
result<nothing, io_error> disk_log::index_segment(segment& s, std::uint64_t next_first) const
{
    if (s.indexed) return nothing{};
    BLENDR_CHECK(open_segment(s));
    BLENDR_TRY(auto const size, s.open->size());
    s.offsets.clear();
    s.end = head_size;
    while (s.first + s.offsets.size() < next_first) {
        std::array<std::byte, head_size> raw{};
        BLENDR_TRY(auto const got, s.open->read(s.end, raw));
        auto const head = decode_head(bytes_view{raw}.first(got), s.salt);
        if (!head || head->at != s.first + s.offsets.size() ||
            size - s.end < head_size + head->length)
            return corrupt(s, s.end);
        s.offsets.push_back(static_cast<std::uint32_t>(s.end));
        s.end += head_size + head->length;
    }
    s.indexed = true;
    return nothing{};
}

// ---- writing -------------------------------------------------------------------------------------

result<nothing, io_error> disk_log::begin_segment(std::uint64_t first)
{
    segment s;
    s.first = first;
    s.path = directory_ + "/" + segment_name(first);
    s.salt = std::random_device{}();
    std::array<std::byte, head_size> head{};
    std::memcpy(head.data(), magic.data(), magic.size());
    put(head.data() + 8, version);
    put(head.data() + 16, first);
    put(head.data() + 24, s.salt);
    put(head.data() + 28, crc32c(0, bytes_view{head}.first(28)));
    BLENDR_TRY(s.open, files_.open(s.path, open_mode::create));
    BLENDR_CHECK(s.open->truncate(0));
    BLENDR_CHECK(s.open->write(0, head));
    BLENDR_CHECK(s.open->sync());
    BLENDR_CHECK(files_.sync_directory(directory_));
    s.indexed = true;
    std::lock_guard const lock{mutex_};
    segments_.push_back(std::move(s));
    return nothing{};
}

result<nothing, io_error> disk_log::write_record(logged_block const& block)
{
    std::size_t const size = encoded_size(block);
    BLENDR_ASSERT(size <= payload_max);
    std::uint64_t const at = block.at.at.get();

    bool full_segment = false;
    std::uint64_t safe = 0;
    {
        std::lock_guard const lock{mutex_};
        full_segment = segments_.empty() || segments_.back().end >= segment_bytes_;
        safe = safe_;
    }
    if (full_segment) {
        if (last_) BLENDR_CHECK(sync());
        BLENDR_CHECK(begin_segment(at));
    }

    buffer_.resize(head_size + size);
    encode_into(block, std::span{buffer_}.subspan(head_size));
    record_head const head{crc32c(0, bytes_view{buffer_}.subspan(head_size)),
                           static_cast<std::uint32_t>(size), at, safe};
    auto const raw = encode_head(head, segments_.back().salt);
    std::memcpy(buffer_.data(), raw.data(), raw.size());
    std::uint64_t const end = segments_.back().end;
    BLENDR_CHECK(segments_.back().open->write(end, buffer_));

    std::lock_guard const lock{mutex_};
    segments_.back().offsets.push_back(static_cast<std::uint32_t>(end));
    segments_.back().end = end + buffer_.size();
    last_ = at;
    return nothing{};
}

result<nothing, io_error> disk_log::append(logged_block const& block)
{
    {
        std::lock_guard const lock{mutex_};
        if (stopped_) return fail{io_error{io_fault::stopped, directory_}};
        if (last_ && block.at.at.get() != *last_ + 1)
            return fail{io_error{io_fault::misplaced, directory_ + ", block " +
                                                          std::to_string(block.at.at.get()) +
                                                          " after " + std::to_string(*last_)}};
    }
    auto const written = write_record(block);
    if (!written) {
        std::lock_guard const lock{mutex_};
        stopped_ = true;
    }
    return written;
}

result<std::optional<height>, io_error> disk_log::sync()
{
    std::shared_ptr<file> newest;
    std::uint64_t target = 0;
    {
        std::lock_guard const lock{mutex_};
        if (stopped_) return fail{io_error{io_fault::stopped, directory_}};
        if (!last_) return std::optional<height>{};
        target = *last_;
        if (safe_ > target) return std::optional{height{target}};
        newest = segments_.back().open;
    }
    auto const synced = newest->sync();
    std::lock_guard const lock{mutex_};
    if (!synced) {
        stopped_ = true;
        return fail{synced.error()};
    }
    safe_ = std::max(safe_, target + 1);
    return std::optional{height{target}};
}

/// Oldest first, each gone for good before the next goes: whatever fails, no gap can be left.
result<nothing, io_error> disk_log::prune(height below)
{
    for (;;) {
        segment oldest;
        {
            std::lock_guard const lock{mutex_};
            if (segments_.size() < 2 || segments_[1].first > below.get()) return nothing{};
            oldest = std::move(segments_.front());
            segments_.erase(segments_.begin());
        }
        if (auto const removed = files_.remove(oldest.path); !removed) {
            std::lock_guard const lock{mutex_};
            segments_.insert(segments_.begin(), std::move(oldest));
            return removed;
        }
        BLENDR_CHECK(files_.sync_directory(directory_));
    }
}

// ---- reading -------------------------------------------------------------------------------------

std::optional<disk_log::range> disk_log::held() const
{
    std::lock_guard const lock{mutex_};
    if (!last_) return std::nullopt;
    return range{height{segments_.front().first}, height{*last_}};
}

result<std::optional<logged_block>, io_error> disk_log::read(height at) const
{
    std::shared_ptr<file> from;
    segment where;
    std::uint64_t offset = 0;
    {
        std::lock_guard const lock{mutex_};
        if (!last_ || at.get() > *last_ || at.get() < segments_.front().first)
            return std::optional<logged_block>{};
        auto const after = std::upper_bound(
            segments_.begin(), segments_.end(), at.get(),
            [](std::uint64_t wanted, segment const& s) { return wanted < s.first; });
        auto& s = *std::prev(after);
        if (after != segments_.end()) BLENDR_CHECK(index_segment(s, after->first));
        offset = s.offsets[at.get() - s.first];
        from = s.open;
        where.path = s.path;
        where.salt = s.salt;
    }
    std::array<std::byte, head_size> raw{};
    BLENDR_TRY(auto const got, from->read(offset, raw));
    auto const head = decode_head(bytes_view{raw}.first(got), where.salt);
    if (!head || head->at != at.get()) return corrupt(where, offset);
    bytes payload(head->length);
    BLENDR_TRY(auto const filled, from->read(offset + head_size, payload));
    if (filled != payload.size() || crc32c(0, payload) != head->payload_crc)
        return corrupt(where, offset);
    auto block = decode<logged_block>(payload);
    if (!block || block->at.at != at) return corrupt(where, offset);
    return std::optional{std::move(*block)};
}

result<nothing, io_error> disk_log::check_segment(segment const& s, std::uint64_t end,
                                                  std::uint64_t& next) const
{
    if (s.first != next)
        return fail{io_error{io_fault::missing, s.path + " begins where block " +
                                                    std::to_string(next) + " should be"}};
    BLENDR_TRY(auto all, read_all(*s.open));
    if (end == 0) end = all.size();
    if (end > all.size()) return corrupt(s, all.size());
    bytes_view const raw = bytes_view{all}.first(end);
    for (std::uint64_t at = head_size; at < end;) {
        auto const head = decode_head(raw.subspan(at), s.salt);
        if (!head || head->at != next || end - at - head_size < head->length) return corrupt(s, at);
        auto const payload = raw.subspan(at + head_size, head->length);
        if (crc32c(0, payload) != head->payload_crc) return corrupt(s, at);
        auto const block = decode<logged_block>(payload);
        if (!block || block->at.at.get() != next) return corrupt(s, at);
        at += head_size + head->length;
        ++next;
    }
    return nothing{};
}

result<nothing, io_error> disk_log::check() const
{
    struct part {
        segment s;
        std::uint64_t end;
    };
    std::vector<part> parts;
    std::optional<std::uint64_t> last;
    {
        std::lock_guard const lock{mutex_};
        last = last_;
        for (std::size_t i = 0; i < segments_.size(); ++i) {
            BLENDR_CHECK(open_segment(segments_[i]));
            part p{segments_[i], i + 1 == segments_.size() ? segments_[i].end : 0};
            p.s.offsets.clear();
            parts.push_back(std::move(p));
        }
    }
    if (!last) return nothing{};
    std::uint64_t next = parts.front().s.first;
    for (auto const& p : parts) {
        // The head again, as it is on disk now.
        segment fresh;
        fresh.first = p.s.first;
        fresh.path = p.s.path;
        BLENDR_CHECK(open_segment(fresh));
        BLENDR_CHECK(check_segment(p.s, p.end, next));
    }
    if (next != *last + 1)
        return fail{io_error{io_fault::missing, directory_ + ", block " + std::to_string(next)}};
    return nothing{};
}

}  // namespace

result<std::unique_ptr<ledger::block_log>, io_error>
open_block_log(file_layer& files, std::string directory, block_log_options const& chosen)
{
    auto log = std::make_unique<disk_log>(files, std::move(directory), chosen);
    BLENDR_CHECK(log->recover());
    return std::unique_ptr<ledger::block_log>{std::move(log)};
}

}  // namespace blendr::store
