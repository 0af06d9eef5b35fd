// SPDX-License-Identifier: Apache-2.0
// A checkpoint: the magic, the job's identity and the hash of both; then records of stage, unit, how many
// agreed, length (fixed integers), the result and the hash of all that. Whatever comes after the last whole record is cut off.
#include <blendr/work/checkpoint.hpp>

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/describe/class.hpp>

#include <blendr/core/codec.hpp>
#include <blendr/crypto/hash.hpp>

namespace blendr::work {
namespace {

constexpr crypto::domain record_domain{"work.record/1"};
constexpr std::array<char, 8> magic = {'b', 'l', 'w', 'o', 'r', 'k', '0', '2'};

struct opening {
    std::array<std::byte, 8> magic{};
    hash256 job{};
};
BOOST_DESCRIBE_STRUCT(opening, (), (magic, job))

struct record_head {
    std::uint32_t stage{};
    std::uint32_t unit{};
    std::uint32_t agreed{};
    std::uint64_t bytes{};
};
BOOST_DESCRIBE_STRUCT(record_head, (), (stage, unit, agreed, bytes))

constexpr std::size_t head_bytes = 20;
constexpr std::size_t opening_bytes = 8 + 32 + 32;

opening opening_of(hash256 const& job)
{
    opening out{{}, job};
    std::memcpy(out.magic.data(), magic.data(), magic.size());
    return out;
}

hash256 sum_of(bytes_view head, bytes_view rest)
{
    return crypto::hasher{record_domain}.update(head).update(rest).finish();
}

problem unwritable(std::filesystem::path const& path, int code)
{
    return {fault::cannot_save, path.string() + " (" + std::strerror(code) + ")"};
}

/// Nothing when all of it was written, else errno.
int write_all(int file, bytes_view raw)
{
    while (!raw.empty()) {
        auto const wrote = ::write(file, raw.data(), raw.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return wrote < 0 ? errno : EIO;
        raw = raw.subspan(static_cast<std::size_t>(wrote));
    }
    return 0;
}

problem unreadable(std::filesystem::path const& path, int code)
{
    return {fault::cannot_save, "cannot read " + path.string() + " (" + std::strerror(code) + ")"};
}

/// As much of `into` as there is, or errno: a disk that does not answer is not the end of a file.
result<std::size_t, int> read_some(int file, std::span<std::byte> into)
{
    std::size_t have = 0;
    while (have < into.size()) {
        auto const got = ::read(file, into.data() + have, into.size() - have);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail{errno};
        if (got == 0) break;
        have += static_cast<std::size_t>(got);
    }
    return have;
}

}  // namespace

result<checkpoint, problem> checkpoint::open(std::filesystem::path const& file,
                                             hash256 const& job_identity)
{
    checkpoint out;
    out.path_ = file;
    out.file_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (out.file_ < 0) return fail{unwritable(file, errno)};
    if (::flock(out.file_, LOCK_EX | LOCK_NB) != 0)
        return fail{problem{fault::cannot_save, file.string() + " is used by another process"}};

    struct ::stat about{};
    if (::fstat(out.file_, &about) != 0) return fail{unwritable(file, errno)};
    if (!S_ISREG(about.st_mode))
        return fail{problem{fault::not_a_checkpoint, file.string() + " is no file"}};
    auto left = static_cast<std::uint64_t>(about.st_size);

    auto const wanted = encode(opening_of(job_identity));
    auto const wanted_sum = sum_of(wanted, {});
    std::array<std::byte, opening_bytes> there{};
    auto const began = read_some(out.file_, there);
    if (!began) return fail{unreadable(file, began.error())};
    auto const have = *began;
    bytes_view const seen{there.data(), have};
    auto const whole = [&] {
        bytes all = wanted;
        all.insert(all.end(), wanted_sum.begin(), wanted_sum.end());
        return all;
    }();
    if (have < opening_bytes) {
        // One that was just begun; anything else of that length is somebody's file.
        if (!equal(seen, bytes_view{whole}.first(have)))
            return fail{problem{fault::not_a_checkpoint, file.string()}};
        if (::ftruncate(out.file_, 0) != 0 || ::lseek(out.file_, 0, SEEK_SET) != 0)
            return fail{unwritable(file, errno)};
        if (auto const code = write_all(out.file_, whole); code != 0)
            return fail{unwritable(file, code)};
        return out;
    }
    if (!equal(seen, whole)) {
        auto const ours = seen.first(8 + 32);
        auto const sum = sum_of(ours, {});
        bool const intact = std::memcmp(seen.data(), magic.data(), magic.size()) == 0 &&
                            equal(seen.subspan(8 + 32), sum);
        return fail{problem{intact ? fault::another_job : fault::not_a_checkpoint, file.string()}};
    }

    std::uint64_t good = opening_bytes;
    left -= opening_bytes;
    for (;;) {
        std::array<std::byte, head_bytes> raw{};
        if (left < head_bytes) break;
        auto const got = read_some(out.file_, raw);
        if (!got) return fail{unreadable(file, got.error())};
        if (*got != head_bytes) break;
        auto const head = decode<record_head>(raw);
        left -= head_bytes;
        if (!head || left < sizeof(hash256) || head->bytes > left - sizeof(hash256)) break;
        bytes body(static_cast<std::size_t>(head->bytes));
        hash256 sum{};
        auto const got_body = read_some(out.file_, body);
        if (!got_body) return fail{unreadable(file, got_body.error())};
        auto const got_sum = read_some(out.file_, sum);
        if (!got_sum) return fail{unreadable(file, got_sum.error())};
        if (*got_body != body.size() || *got_sum != sum.size() || sum != sum_of(raw, body)) break;
        left -= head->bytes + sizeof(hash256);
        good += head_bytes + head->bytes + sizeof(hash256);
        out.done_.insert_or_assign({head->stage, head->unit}, kept{head->agreed, std::move(body)});
    }
    if (::ftruncate(out.file_, static_cast<off_t>(good)) != 0 ||
        ::lseek(out.file_, static_cast<off_t>(good), SEEK_SET) < 0)
        return fail{unwritable(file, errno)};
    return out;
}

checkpoint::checkpoint(checkpoint&& other) noexcept
    : file_{std::exchange(other.file_, -1)},
      broken_{other.broken_},
      path_{std::move(other.path_)},
      done_{std::move(other.done_)}
{}

checkpoint& checkpoint::operator=(checkpoint&& other) noexcept
{
    std::swap(file_, other.file_);
    std::swap(broken_, other.broken_);
    path_.swap(other.path_);
    done_.swap(other.done_);
    return *this;
}

checkpoint::~checkpoint()
{
    if (file_ >= 0) ::close(file_);
}

bytes const* checkpoint::find(std::uint32_t stage, std::uint32_t unit, std::uint32_t agreed) const
{
    auto const found = done_.find({stage, unit});
    return found == done_.end() || found->second.agreed < agreed ? nullptr : &found->second.result;
}

result<nothing, problem> checkpoint::save(std::uint32_t stage, std::uint32_t unit,
                                          bytes_view result, std::uint32_t agreed)
{
    if (broken_) return fail{problem{fault::cannot_save, path_.string() + " failed before"}};
    auto out = encode(record_head{stage, unit, agreed, result.size()});
    auto const sum = sum_of(out, result);
    out.insert(out.end(), result.begin(), result.end());
    out.insert(out.end(), sum.begin(), sum.end());
    if (auto const code = write_all(file_, out); code != 0) {
        broken_ = true;
        return fail{unwritable(path_, code)};
    }
    done_.insert_or_assign({stage, unit}, kept{agreed, to_bytes(result)});
    return nothing{};
}

result<nothing, problem> checkpoint::sync()
{
    if (::fdatasync(file_) != 0) {
        broken_ = true;
        return fail{unwritable(path_, errno)};
    }
    return nothing{};
}

}  // namespace blendr::work
