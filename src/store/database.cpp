// SPDX-License-Identifier: Apache-2.0
#include <blendr/store/database.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace blendr::store {
namespace {

constexpr std::string_view format_text = "blendr store ";

/// Reads the version, or writes it where there is none yet.
result<nothing, io_error> settle_format(file_layer& files, std::string const& directory)
{
    auto const path = directory + "/FORMAT";
    auto const old = files.open(path, open_mode::read);
    if (!old && old.error().what != io_fault::missing) return fail{old.error()};
    if (old) {
        bytes raw(64);
        BLENDR_TRY(auto const size, (*old)->read(0, raw));
        auto const text = as_text(bytes_view{raw}.first(size));
        std::uint32_t found = 0;
        bool whole = text.starts_with(format_text) && text.ends_with('\n');
        if (whole) {
            auto const* const begin = text.data() + format_text.size();
            auto const* const end = text.data() + text.size() - 1;
            auto const read = std::from_chars(begin, end, found);
            whole = read.ec == std::errc{} && read.ptr == end && found != 0;
        }
        if (!whole) return fail{io_error{io_fault::corrupt, path}};
        if (found > database::version)
            return fail{
                io_error{io_fault::newer, path + " (version " + std::to_string(found) + ")"}};
        return nothing{};
    }
    // At one stroke: a crash leaves the whole file or none.
    auto const fresh = path + ".new";
    {
        BLENDR_TRY(auto const out, files.open(fresh, open_mode::create));
        BLENDR_CHECK(out->truncate(0));
        auto const text = std::string{format_text} + std::to_string(database::version) + "\n";
        BLENDR_CHECK(out->write(0, as_bytes(text)));
        BLENDR_CHECK(out->sync());
    }
    BLENDR_CHECK(files.rename(fresh, path));
    return files.sync_directory(directory);
}

}  // namespace

result<std::unique_ptr<database>, io_error> database::open(std::string directory,
                                                           options const& chosen, file_layer& files)
{
    std::unique_ptr<database> out{new database};
    out->directory_ = std::move(directory);
    auto const& in = out->directory_;
    BLENDR_CHECK(files.make_directory(in));
    BLENDR_TRY(out->lock_, files.lock(in));
    BLENDR_CHECK(settle_format(files, in));
    BLENDR_TRY(out->log_, open_block_log(files, in + "/log", chosen.log));
    BLENDR_TRY(auto below, open_sqlite(files, in + "/state.db", chosen.sqlite));
    // The state never overtakes the log: what it writes, the log has durably. Without any block (a
    // genesis, a snapshot) there is nothing to overtake.
    auto const log_first = [log = out->log_.get(), in](height at) -> result<nothing, io_error> {
        BLENDR_TRY(auto const synced, log->sync());
        if (synced && *synced < at)
            return fail{io_error{io_fault::misplaced, in + ", the state of block " +
                                                          std::to_string(at.get()) +
                                                          " before the block itself"}};
        return nothing{};
    };
    out->state_ = std::make_unique<write_behind>(std::move(below), chosen.behind, log_first);
    BLENDR_CHECK(out->fits());
    return out;
}

result<std::unique_ptr<database>, io_error> database::open(std::string directory)
{
    return open(std::move(directory), options{});
}

database::~database()
{
    state_.reset();  // before the lock goes
    log_.reset();
}

/// An empty log fits any state: one that came as a snapshot.
result<nothing, io_error> database::fits() const
{
    auto const held = log_->held();
    if (!held) return nothing{};
    auto const durable = state_->durable();
    std::uint64_t const next = durable ? durable->get() + 1 : 0;
    if (durable && *durable > held->last)
        return fail{io_error{io_fault::missing,
                             directory_ + "/log ends at block " + std::to_string(held->last.get()) +
                                 ", the state is that of block " + std::to_string(durable->get())}};
    if (durable && held->first.get() > next)
        return fail{io_error{io_fault::missing, directory_ + "/log begins at block " +
                                                    std::to_string(held->first.get()) +
                                                    ", the state needs block " +
                                                    std::to_string(next)}};
    return nothing{};
}

database::replay database::to_replay() const
{
    auto const held = log_->held();
    auto const durable = state_->durable();
    if (!held) return {height{1}, height{0}};
    height const from = durable ? *durable + std::uint64_t{1} : held->first;
    return {from, held->last};
}

result<nothing, io_error> database::prune(height below)
{
    auto const durable = state_->durable();
    if (!durable) return nothing{};
    return log_->prune(std::min(below, *durable + std::uint64_t{1}));
}

result<nothing, io_error> database::check() const
{
    BLENDR_CHECK(log_->check());
    BLENDR_CHECK(state_->check());
    return fits();
}

}  // namespace blendr::store
