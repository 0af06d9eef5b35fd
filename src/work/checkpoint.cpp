// SPDX-License-Identifier: Apache-2.0
// A checkpoint: the magic, the job's identity and the hash of both; then records of stage, unit, how many
// agreed, length (fixed integers), the result and the hash of all that. Whatever comes after the last whole record is cut off.
#include <blendr/work/checkpoint.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <signal.h>
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
problem unreadable(std::filesystem::path const& path, int code)
{
    return {fault::cannot_save, "cannot read " + path.string() + " (" + std::strerror(code) + ")"};
}

/// Where a file has a largest size, writing past it is a fault like a full disk, not the end of the process.
class past_the_limit {
public:
    past_the_limit()
    {
        ::sigemptyset(&it_);
        ::sigaddset(&it_, SIGXFSZ);
        ::pthread_sigmask(SIG_BLOCK, &it_, &before_);
    }
    past_the_limit(past_the_limit const&) = delete;
    past_the_limit& operator=(past_the_limit const&) = delete;
    ~past_the_limit()
    {
        int const code = errno;
        ::timespec const at_once{};
        if (::sigismember(&before_, SIGXFSZ) == 0)
            while (::sigtimedwait(&it_, nullptr, &at_once) < 0 && errno == EINTR) {
            }
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
        errno = code;
    }

private:
    ::sigset_t it_{}, before_{};
};

/// Nothing when all of it was written, else errno.
int write_all(int file, std::uint64_t at, bytes_view raw)
{
    past_the_limit const guard;
    while (!raw.empty()) {
        auto const wrote = ::pwrite(file, raw.data(), raw.size(), static_cast<::off_t>(at));
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return wrote < 0 ? errno : EIO;
        raw = raw.subspan(static_cast<std::size_t>(wrote));
        at += static_cast<std::uint64_t>(wrote);
    }
    return 0;
}

/// Reads a file from somewhere on, until it ends or cannot be read.
class reading {
public:
    reading(int file, std::uint64_t from) : file_{file}, at_{from} {}

    /// As much of `into` as there is.
    std::size_t some(std::span<std::byte> into)
    {
        std::size_t have = 0;
        while (have < into.size() && code == 0) {
            auto const got =
                ::pread(file_, into.data() + have, into.size() - have, static_cast<::off_t>(at_));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) code = errno;
            if (got <= 0) break;
            have += static_cast<std::size_t>(got);
            at_ += static_cast<std::uint64_t>(got);
        }
        return have;
    }
    bool all(std::span<std::byte> into) { return some(into) == into.size(); }
    /// Whether as many bytes and then their sum are there, in memory that does not grow with them.
    bool summed(bytes_view head, std::uint64_t size)
    {
        crypto::hasher sum{record_domain};
        sum.update(head);
        bytes piece(static_cast<std::size_t>(std::min<std::uint64_t>(size, 1u << 18)));
        for (auto left = size; left != 0; left -= piece.size()) {
            piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(left, piece.size())));
            if (!all(piece)) return false;
            sum.update(piece);
        }
        hash256 written{};
        return all(written) && written == sum.finish();
    }

    int code = 0;  ///< errno, where it could not be read

private:
    int file_;
    std::uint64_t at_;
};

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
    reading from{out.file_, 0};
    auto const have = from.some(there);
    if (from.code != 0) return fail{unreadable(file, from.code)};
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
        if (auto const code = write_all(out.file_, 0, whole); code != 0)
            return fail{unwritable(file, code)};
        out.end_ = opening_bytes;
        return out;
    }
    if (!equal(seen, whole)) {
        auto const ours = seen.first(8 + 32);
        auto const sum = sum_of(ours, {});
        bool const intact = std::memcmp(seen.data(), magic.data(), magic.size()) == 0 &&
                            equal(seen.subspan(8 + 32), sum);
        return fail{problem{intact ? fault::another_job : fault::not_a_checkpoint, file.string()}};
    }

    out.end_ = opening_bytes;
    left -= opening_bytes;
    for (;;) {
        std::array<std::byte, head_bytes> raw{};
        if (left < head_bytes || !from.all(raw)) break;
        auto const head = decode<record_head>(raw);
        left -= head_bytes;
        if (!head || head->bytes > result_bytes_max || left < sizeof(hash256) ||
            head->bytes > left - sizeof(hash256) || !from.summed(raw, head->bytes))
            break;
        left -= head->bytes + sizeof(hash256);
        out.done_.insert_or_assign({head->stage, head->unit},
                                   record{out.end_, head->bytes, head->agreed});
        out.end_ += head_bytes + head->bytes + sizeof(hash256);
    }
    // A disk that cannot be read now is no reason to cut off what may be read later.
    if (from.code != 0) return fail{unreadable(file, from.code)};
    if (::ftruncate(out.file_, static_cast<::off_t>(out.end_)) != 0)
        return fail{unwritable(file, errno)};
    return out;
}

checkpoint::checkpoint(checkpoint&& other) noexcept
    : file_{std::exchange(other.file_, -1)},
      broken_{other.broken_},
      end_{other.end_},
      path_{std::move(other.path_)},
      done_{std::move(other.done_)}
{}

checkpoint& checkpoint::operator=(checkpoint&& other) noexcept
{
    std::swap(file_, other.file_);
    std::swap(broken_, other.broken_);
    std::swap(end_, other.end_);
    path_.swap(other.path_);
    done_.swap(other.done_);
    return *this;
}

checkpoint::~checkpoint()
{
    if (file_ >= 0) ::close(file_);
}

std::optional<bytes> checkpoint::find(std::uint32_t stage, std::uint32_t unit,
                                      std::uint32_t agreed) const
{
    auto const found = done_.find({stage, unit});
    if (found == done_.end() || found->second.agreed < agreed) return std::nullopt;
    reading from{file_, found->second.at};
    std::array<std::byte, head_bytes> head{};
    bytes body(static_cast<std::size_t>(found->second.bytes));
    hash256 sum{};
    if (!from.all(head) || !from.all(body) || !from.all(sum) || sum != sum_of(head, body))
        return std::nullopt;
    return body;
}

result<nothing, problem> checkpoint::save(std::uint32_t stage, std::uint32_t unit,
                                          bytes_view result, std::uint32_t agreed)
{
    if (broken_) return fail{problem{fault::cannot_save, path_.string() + " failed before"}};
    if (result.size() > result_bytes_max)
        return fail{problem{fault::cannot_save, path_.string() + " (a result of " +
                                                    std::to_string(result.size()) + " bytes)"}};
    auto out = encode(record_head{stage, unit, agreed, result.size()});
    auto const sum = sum_of(out, result);
    out.insert(out.end(), result.begin(), result.end());
    out.insert(out.end(), sum.begin(), sum.end());
    if (auto const code = write_all(file_, end_, out); code != 0) {
        broken_ = true;
        (void)::ftruncate(file_, static_cast<::off_t>(end_));  // if not, the next to open it does
        return fail{unwritable(path_, code)};
    }
    done_.insert_or_assign({stage, unit}, record{end_, result.size(), agreed});
    end_ += out.size();
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
