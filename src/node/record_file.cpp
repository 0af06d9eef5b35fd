// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/record_file.hpp>

#include <algorithm>
#include <optional>
#include <utility>

#include <blendr/core/assert.hpp>
#include <store/crc32c.hpp>

namespace blendr::node {
namespace {

constexpr std::uint64_t rewrite_above = std::uint64_t{4} << 20;
constexpr std::uint32_t salt = 0x6a6f7572;

void put(std::byte* out, std::uint64_t value, std::size_t count) noexcept
{
    for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::byte>(value >> (8 * i));
}
std::uint64_t get(std::byte const* in, std::size_t count) noexcept
{
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i)
        value |= std::to_integer<std::uint64_t>(in[i]) << (8 * i);
    return value;
}

struct head {
    std::uint32_t length{};
    height tag{};
    std::uint64_t synced{};
    std::uint32_t payload_check{};
};

/// A head that checks out and could stand at `at`.
std::optional<head> read_head(bytes_view raw, std::uint64_t at) noexcept
{
    if (raw.size() < record_file::head_size) return std::nullopt;
    auto const check = static_cast<std::uint32_t>(get(raw.data(), 4));
    if (check != store::crc32c(salt, raw.subspan(4, record_file::head_size - 4)))
        return std::nullopt;
    head out{static_cast<std::uint32_t>(get(raw.data() + 4, 4)), height{get(raw.data() + 8, 8)},
             get(raw.data() + 16, 8), static_cast<std::uint32_t>(get(raw.data() + 24, 4))};
    if (out.length > record_file::record_max || out.synced > at) return std::nullopt;
    return out;
}

bytes make(height tag, std::uint64_t synced, bytes_view record)
{
    bytes out(record_file::head_size + record.size());
    put(out.data() + 4, record.size(), 4);
    put(out.data() + 8, tag.get(), 8);
    put(out.data() + 16, synced, 8);
    put(out.data() + 24, store::crc32c(salt, record), 4);
    put(out.data(), store::crc32c(salt, bytes_view{out}.subspan(4, record_file::head_size - 4)), 4);
    std::copy(record.begin(), record.end(), out.begin() + record_file::head_size);
    return out;
}

}  // namespace

result<std::unique_ptr<record_file>, io_error> record_file::open(store::file_layer& files,
                                                                 std::string directory,
                                                                 std::string name,
                                                                 visitor const& each)
{
    std::unique_ptr<record_file> out{new record_file{files, std::move(directory), std::move(name)}};
    BLENDR_CHECK(files.make_directory(out->directory_));
    // What a crash left of a rewrite was never in use.
    auto const stale = files.remove(out->path() + ".new");
    if (!stale && stale.error().what != io_fault::missing) return fail{stale.error()};
    BLENDR_TRY(out->file_, files.open(out->path(), store::open_mode::create));
    BLENDR_CHECK(files.sync_directory(out->directory_));
    BLENDR_CHECK(out->load(each));
    return out;
}

result<nothing, io_error> record_file::load(visitor const& each)
{
    BLENDR_TRY(auto const size, file_->size());
    bytes raw(size);
    BLENDR_TRY(auto const got, file_->read(0, raw));
    raw.resize(got);
    std::uint64_t at = 0;
    for (;;) {
        auto const left = bytes_view{raw}.subspan(at);
        auto const h = read_head(left, at);
        if (!h || left.size() - head_size < h->length) break;
        auto const record = left.subspan(head_size, h->length);
        if (store::crc32c(salt, record) != h->payload_check) break;
        if (!records_.empty() && h->tag < records_.back().tag) break;
        each(h->tag, record);
        records_.push_back({h->tag, at, static_cast<std::uint32_t>(head_size + h->length)});
        at += head_size + h->length;
    }
    // Torn, unless something behind knows that it was durable.
    for (auto look = at; look + head_size <= raw.size(); ++look)
        if (auto const h = read_head(bytes_view{raw}.subspan(look), look); h && h->synced > at)
            return fail{io_error{io_fault::corrupt, path() + ", byte " + std::to_string(at)}};
    if (at != size) {
        BLENDR_CHECK(file_->truncate(at));
    }
    BLENDR_CHECK(file_->sync());
    end_ = synced_ = at;
    return nothing{};
}

result<nothing, io_error> record_file::append(height tag, bytes_view record)
{
    BLENDR_ASSERT(record.size() <= record_max);
    if (!records_.empty()) tag = std::max(tag, records_.back().tag);
    auto const whole = make(tag, synced_, record);
    BLENDR_CHECK(file_->write(end_, whole));
    records_.push_back({tag, end_, static_cast<std::uint32_t>(whole.size())});
    end_ += whole.size();
    return nothing{};
}

result<nothing, io_error> record_file::sync()
{
    if (synced_ == end_) return nothing{};
    BLENDR_CHECK(file_->sync());
    synced_ = end_;
    return nothing{};
}

result<nothing, io_error> record_file::trim(height below)
{
    while (!records_.empty() && records_.front().tag < below) {
        dead_ += records_.front().size;
        records_.pop_front();
    }
    if (dead_ < rewrite_above || dead_ < end_ / 2) return nothing{};
    return rewrite();
}

result<nothing, io_error> record_file::rewrite()
{
    auto const fresh = path() + ".new";
    BLENDR_TRY(auto out, files_.open(fresh, store::open_mode::create));
    BLENDR_CHECK(out->truncate(0));
    std::deque<place> moved{};
    std::uint64_t at = 0;
    bytes raw{};
    for (auto const& each : records_) {
        raw.resize(each.size);
        BLENDR_TRY(auto const got, file_->read(each.at, raw));
        if (got != each.size) return fail{io_error{io_fault::corrupt, path()}};
        auto const again = make(each.tag, 0, bytes_view{raw}.subspan(head_size));
        BLENDR_CHECK(out->write(at, again));
        moved.push_back({each.tag, at, each.size});
        at += each.size;
    }
    BLENDR_CHECK(out->sync());
    BLENDR_CHECK(files_.rename(fresh, path()));
    BLENDR_CHECK(files_.sync_directory(directory_));
    file_ = std::move(out);
    records_ = std::move(moved);
    end_ = synced_ = at;
    dead_ = 0;
    return nothing{};
}

}  // namespace blendr::node
