// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/blob_store.hpp>

#include <algorithm>
#include <set>
#include <utility>

#include <blendr/core/codec.hpp>
#include <blendr/crypto/hash.hpp>

namespace blendr::node {
namespace {

constexpr crypto::domain list_domain{"node.blob_list/1"};

/// The list as it lies on disk: damage shows.
bytes list_file(net::blob_list const& list)
{
    auto out = encode(list);
    auto const check = crypto::hash(list_domain, out);
    out.insert(out.end(), check.begin(), check.end());
    return out;
}

std::optional<net::blob_list> read_list(store::file& from)
{
    auto const size = from.size();
    constexpr std::uint64_t most = net::blob_chunks_max * 32 + 64;
    if (!size || *size < 32 || *size > most) return std::nullopt;
    bytes raw(static_cast<std::size_t>(*size));
    auto const got = from.read(0, raw);
    if (!got || *got != raw.size()) return std::nullopt;
    auto const body = bytes_view{raw}.first(raw.size() - 32);
    auto const check = crypto::hash(list_domain, body);
    if (!std::equal(check.begin(), check.end(), raw.end() - 32)) return std::nullopt;
    auto out = decode<net::blob_list>(body);
    if (!out || !sound(*out)) return std::nullopt;
    return *std::move(out);
}

}  // namespace

char const* blob_store::suffix(kind what)
{
    return what == kind::own ? ".own" : what == kind::fetched ? ".got" : ".part";
}

std::string blob_store::path(crypto::cid const& what, char const* suffix) const
{
    return directory_ + '/' + to_text(what) + suffix;
}

result<std::unique_ptr<blob_store>, std::string>
blob_store::open(store::file_layer& files, std::string directory, std::uint64_t quota_bytes)
{
    if (auto const made = files.make_directory(directory); !made)
        return fail{message(made.error())};
    std::unique_ptr<blob_store> out{new blob_store{files, std::move(directory), quota_bytes}};
    BLENDR_CHECK(out->load());
    return out;
}

result<nothing, std::string> blob_store::load()
{
    auto const names = files_.list(directory_);
    if (!names) return fail{message(names.error())};
    std::set<std::string, std::less<>> lists{};
    for (auto const& name : *names) {
        auto const dot = name.find('.');
        auto const id = crypto::parse_cid(std::string_view{name}.substr(0, dot));
        auto const rest = dot == name.npos ? std::string{} : name.substr(dot);
        if (!id || rest == ".new") {
            if (id) (void)files_.remove(directory_ + '/' + name);
            continue;  // what is not ours is left alone
        }
        if (rest == ".list") {
            lists.insert(name);
            continue;
        }
        bool known = false;
        for (auto const what : {kind::own, kind::fetched, kind::part}) {
            if (rest != suffix(what)) continue;
            known = true;
            entry e{what, {}, {}, 0};
            auto listed = files_.open(path(*id, ".list"), store::open_mode::read);
            auto list = listed ? read_list(**listed) : std::nullopt;
            auto data = files_.open(path(*id, suffix(what)), store::open_mode::write);
            auto const size = data ? (*data)->size() : result<std::uint64_t, store::io_error>{0};
            bool const good = list && data && size &&
                              (what == kind::part ? *size <= list->size : *size == list->size) &&
                              !held_.contains(*id);
            if (!good) {
                (void)files_.remove(path(*id, suffix(what)));
                continue;
            }
            e.list = *std::move(list);
            e.data = *std::move(data);
            used_ += e.list.size;
            held_.emplace(*id, std::move(e));
        }
        if (!known) continue;
    }
    for (auto const& name : lists) {
        auto const id = crypto::parse_cid(std::string_view{name}.substr(0, name.find('.')));
        if (id && !held_.contains(*id)) (void)files_.remove(directory_ + '/' + name);
    }
    return nothing{};
}

void blob_store::drop(std::map<crypto::cid, entry>::iterator which)
{
    auto const id = which->first;
    auto const what = which->second.what;
    used_ -= which->second.list.size;
    held_.erase(which);
    (void)files_.remove(path(id, suffix(what)));
    (void)files_.remove(path(id, ".list"));
}

result<nothing, std::string> blob_store::make_room(std::uint64_t bytes)
{
    while (bytes > quota_ || used_ > quota_ - bytes) {
        auto oldest = held_.end();
        for (auto it = held_.begin(); it != held_.end(); ++it)
            if (it->second.what == kind::fetched &&
                (oldest == held_.end() || it->second.read_at < oldest->second.read_at))
                oldest = it;
        if (oldest == held_.end() || bytes > quota_)
            return fail{"there is no room for a blob of " + std::to_string(bytes) + " bytes: " +
                        std::to_string(used_) + " of " + std::to_string(quota_) + " are in use"};
        drop(oldest);
    }
    return nothing{};
}

result<nothing, std::string> blob_store::write_list(crypto::cid const& what,
                                                    net::blob_list const& list)
{
    auto file = files_.open(path(what, ".list"), store::open_mode::create);
    if (!file) return fail{message(file.error())};
    auto const raw = list_file(list);
    if (auto const done = (*file)->truncate(0); !done) return fail{message(done.error())};
    if (auto const done = (*file)->write(0, raw); !done) return fail{message(done.error())};
    if (auto const done = (*file)->sync(); !done) return fail{message(done.error())};
    return nothing{};
}

result<crypto::cid, std::string> blob_store::put(bytes_view whole)
{
    auto const id = crypto::cid::of(whole);
    auto list = net::list_of(whole);
    if (!list) return fail{std::string{"it is longer than a blob may be"}};
    std::lock_guard const lock{mutex_};
    auto const known = held_.find(id);
    if (known != held_.end() && known->second.what == kind::own) return id;
    if (known != held_.end()) drop(known);  // what was fetched, or begun, is written anew to stay
    BLENDR_CHECK(make_room(list->size));
    auto const draft = path(id, ".new");
    auto const write = [&]() -> result<std::unique_ptr<store::file>, store::io_error> {
        BLENDR_TRY(auto file, files_.open(draft, store::open_mode::create));
        BLENDR_CHECK(file->truncate(0));
        BLENDR_CHECK(file->write(0, whole));
        BLENDR_CHECK(file->sync());
        BLENDR_CHECK(files_.rename(draft, path(id, suffix(kind::own))));
        BLENDR_CHECK(files_.sync_directory(directory_));
        return file;
    };
    auto const fails = [&](std::string why) {
        (void)files_.remove(draft);
        (void)files_.remove(path(id, suffix(kind::own)));
        (void)files_.remove(path(id, ".list"));
        return fail{std::move(why)};
    };
    if (auto const done = write_list(id, *list); !done) return fails(done.error());
    auto file = write();
    if (!file) return fails(message(file.error()));
    used_ += list->size;
    held_.emplace(id, entry{kind::own, *std::move(list), *std::move(file), ++reads_});
    return id;
}

bool blob_store::remove(crypto::cid const& what)
{
    std::lock_guard const lock{mutex_};
    auto const found = held_.find(what);
    if (found == held_.end()) return false;
    drop(found);
    return true;
}

bool blob_store::holds(crypto::cid const& what) const
{
    std::lock_guard const lock{mutex_};
    auto const found = held_.find(what);
    return found != held_.end() && found->second.what != kind::part;
}

std::optional<net::blob_list> blob_store::list(crypto::cid const& what) const
{
    std::lock_guard const lock{mutex_};
    auto const found = held_.find(what);
    if (found == held_.end() || found->second.what == kind::part) return std::nullopt;
    return found->second.list;
}

std::optional<net::blob_list> blob_store::begun(crypto::cid const& what) const
{
    std::lock_guard const lock{mutex_};
    auto const found = held_.find(what);
    if (found == held_.end() || found->second.what != kind::part) return std::nullopt;
    return found->second.list;
}

result<bytes, std::string> blob_store::chunk(entry const& from, std::size_t index) const
{
    bytes out(chunk_size(from.list, index));
    auto const got = from.data->read(std::uint64_t{index} * net::blob_chunk_bytes, out);
    if (!got) return fail{message(got.error())};
    if (*got != out.size() || net::chunk_hash(out) != from.list.chunks[index])
        return fail{"chunk " + std::to_string(index) + " of the blob is damaged on disk"};
    return out;
}

result<bytes, std::string> blob_store::read(crypto::cid const& what, std::uint64_t from,
                                            std::uint64_t count) const
{
    std::lock_guard const lock{mutex_};
    auto const found = held_.find(what);
    if (found == held_.end() || found->second.what == kind::part)
        return fail{std::string{"no blob of that name is held here"}};
    auto& e = found->second;
    e.read_at = ++reads_;
    bytes out{};
    auto const size = e.list.size;
    if (from >= size) return out;
    auto const end = from + std::min(count, size - from);
    out.reserve(static_cast<std::size_t>(end - from));
    for (auto at = from; at < end;) {
        auto const index = static_cast<std::size_t>(at / net::blob_chunk_bytes);
        BLENDR_TRY(auto const piece, chunk(e, index));
        auto const begin = std::uint64_t{index} * net::blob_chunk_bytes;
        auto const until = std::min<std::uint64_t>(end, begin + piece.size());
        out.insert(out.end(), piece.begin() + static_cast<std::ptrdiff_t>(at - begin),
                   piece.begin() + static_cast<std::ptrdiff_t>(until - begin));
        at = until;
    }
    return out;
}

result<std::vector<bool>, std::string> blob_store::begin(crypto::cid const& what,
                                                         net::blob_list const& list)
{
    if (!sound(list)) return fail{std::string{"that is no list of chunks"}};
    std::lock_guard const lock{mutex_};
    auto found = held_.find(what);
    std::vector<bool> have(list.chunks.size());
    if (found != held_.end() && found->second.what != kind::part)
        return fail{std::string{"the blob is held already"}};
    if (found != held_.end() && found->second.list == list) {
        for (std::size_t i = 0; i < have.size(); ++i) have[i] = chunk(found->second, i).has_value();
        return have;
    }
    if (found != held_.end()) drop(found);
    BLENDR_CHECK(make_room(list.size));
    BLENDR_CHECK(write_list(what, list));
    auto file = files_.open(path(what, suffix(kind::part)), store::open_mode::create);
    if (!file) return fail{message(file.error())};
    if (auto const done = (*file)->truncate(0); !done) return fail{message(done.error())};
    used_ += list.size;
    held_.emplace(what, entry{kind::part, list, *std::move(file), 0});
    return have;
}

result<nothing, std::string> blob_store::add(crypto::cid const& what, std::uint32_t index,
                                             bytes_view chunk)
{
    std::lock_guard const lock{mutex_};
    auto const found = held_.find(what);
    if (found == held_.end() || found->second.what != kind::part)
        return fail{std::string{"no such blob is being fetched"}};
    auto const done =
        found->second.data->write(std::uint64_t{index} * net::blob_chunk_bytes, chunk);
    if (!done) return fail{message(done.error())};
    return nothing{};
}

result<bool, std::string> blob_store::finish(crypto::cid const& what)
{
    std::lock_guard const lock{mutex_};
    auto const found = held_.find(what);
    if (found == held_.end() || found->second.what != kind::part)
        return fail{std::string{"no such blob is being fetched"}};
    auto& e = found->second;
    crypto::cid_hasher whole{};
    for (std::size_t i = 0; i < e.list.chunks.size(); ++i) {
        BLENDR_TRY(auto const piece, chunk(e, i));
        whole.update(piece);
    }
    if (whole.finish(what.what()) != what) {
        drop(found);
        return false;
    }
    if (auto const done = e.data->sync(); !done) return fail{message(done.error())};
    if (auto const done =
            files_.rename(path(what, suffix(kind::part)), path(what, suffix(kind::fetched)));
        !done)
        return fail{message(done.error())};
    if (auto const done = files_.sync_directory(directory_); !done)
        return fail{message(done.error())};
    e.what = kind::fetched;
    e.read_at = ++reads_;
    return true;
}

void blob_store::abandon(crypto::cid const& what)
{
    std::lock_guard const lock{mutex_};
    auto const found = held_.find(what);
    if (found != held_.end() && found->second.what == kind::part) drop(found);
}

std::uint64_t blob_store::used() const
{
    std::lock_guard const lock{mutex_};
    return used_;
}

std::size_t blob_store::count() const
{
    std::lock_guard const lock{mutex_};
    return static_cast<std::size_t>(std::count_if(
        held_.begin(), held_.end(), [](auto const& e) { return e.second.what != kind::part; }));
}

}  // namespace blendr::node
