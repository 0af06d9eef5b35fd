// SPDX-License-Identifier: Apache-2.0
#include <node/joining.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace blendr::node {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t trail_bytes_max = std::size_t{4} << 20;
constexpr std::size_t tail_bytes_max = std::size_t{32} << 20;

states states_of(state_pieces const* pieces)
{
    states out{};
    if (pieces == nullptr) return out;
    for (auto& each : pieces->snapshots())
        if (out.row.size() < 8) out.row.push_back(std::move(each));
    return out;
}

/// Ends where the voters change, or at the last block that is final by itself.
trail trail_of(history const& from, height first)
{
    trail out{first, {}, {}, {}};
    trail whole = out;
    auto const end = from.last();
    std::size_t size = 0;
    for (auto at = first; at > height{} && at <= end && out.row.size() < trail_max;
         at = later(at, 1)) {
        auto const block = from.block(at);
        if (!block || !*block) break;
        auto const parts = app::split_payload((*block)->payload);
        out.row.push_back({(*block)->at, to_bytes(parts.head), app::body_digest(parts.body)});
        size += parts.head.size() + 128;
        auto next = from.set_at(later(at, 1));
        bool const others = next.epoch == later(at, 1).get();
        if (auto const why = history::finality_of(**block)) {
            out.finality = encode(*why);
            whole = out;
            if (others) whole.next = std::move(next.set);
        }
        if (others || size > trail_bytes_max) break;
    }
    return whole;
}

tail tail_of(history const& from, height first)
{
    tail out{first, {}};
    std::size_t size = 0;
    for (auto at = first; out.row.size() < sync_bodies_max && size < tail_bytes_max;
         at = later(at, 1)) {
        auto block = from.block(at);
        if (!block || !*block) break;
        auto const why = history::finality_of(**block);
        size += (*block)->payload.size();
        out.row.push_back({std::move((*block)->payload), why ? encode(*why) : bytes{}});
        if (why) return out;
    }
    return {first, {}};
}

}  // namespace

std::optional<state_message> answer(state_message const& asked, history const& from,
                                    state_pieces const* pieces)
{
    if (std::holds_alternative<ask_states>(asked)) return states_of(pieces);
    if (auto const* t = std::get_if<ask_trail>(&asked)) return trail_of(from, t->from);
    if (auto const* e = std::get_if<ask_tail>(&asked)) return tail_of(from, e->from);
    if (auto const* p = std::get_if<ask_piece>(&asked)) {
        auto raw = pieces == nullptr ? std::nullopt : pieces->chunk(p->at, p->index);
        return piece{p->at, p->index, raw ? *std::move(raw) : bytes{}};
    }
    return std::nullopt;
}

store::database::options database_options(config const& with)
{
    store::database::options out{};
    out.sqlite.cache_bytes = with.state_cache_bytes;
    out.behind.backlog_bytes = with.state_backlog_bytes;
    out.behind.checkpoint_rows = with.state_backlog_bytes / 512;
    return out;
}

bool joiner::may_join(config const& with)
{
    return !with.home.empty() && !fs::exists(fs::path{with.home} / "data");
}

void joiner::sweep(config const& with)
{
    fs::path const home{with.home};
    std::error_code ignored{};
    if (with.home.empty() || !fs::exists(home / "joining", ignored)) return;
    auto const lock = store::system_files().lock((home / "joining").string());
    if (!lock) return;
    fs::remove_all(home / "data.new", ignored);
    fs::remove_all(home / "joining", ignored);
}

result<nothing, std::string> joiner::begin(bytes_view genesis, hash256 const& chain,
                                           snapshot_sync::prover proves)
{
    std::error_code failed{};
    fs::create_directories(in("joining"), failed);
    if (failed) return fail{in("joining") + ": " + failed.message()};
    auto locked = store::system_files().lock(in("joining"));
    if (!locked) return fail{message(locked.error())};
    lock_ = *std::move(locked);
    fs::remove_all(in("data.new"), failed);
    if (failed) return fail{in("data.new") + ": " + failed.message()};
    auto opened = store::database::open(in("data.new"), database_options(config_));
    if (!opened) return fail{message(opened.error())};
    database_ = *std::move(opened);
    chain_setup setup{};
    setup.store = std::shared_ptr<state::store>(std::shared_ptr<void>{}, &database_->state());
    setup.threads = config_.threads;
    setup.mempool_bytes = std::size_t{1} << 20;
    chain_ = kind_.make(std::move(setup));
    BLENDR_TRY(auto const first, chain_->open(genesis));
    if (chain_->pieces() == nullptr || !first.begun)
        return fail{"this kind of chain takes in no whole states"};
    auto const path = [this](height at, std::uint32_t index) {
        return in("joining/") + std::to_string(at.get()) + '-' + std::to_string(index);
    };
    snapshot_sync::keeper keep{};
    keep.save = [path](height at, std::uint32_t index, bytes_view raw) {
        // A piece that was not written whole does not fit when it is read again, and is fetched again.
        std::ofstream out{path(at, index), std::ios::binary | std::ios::trunc};
        out << as_text(raw);
    };
    keep.load = [path](height at, std::uint32_t index) -> std::optional<bytes> {
        std::ifstream from{path(at, index), std::ios::binary};
        if (!from) return std::nullopt;
        std::string const text{std::istreambuf_iterator<char>{from}, {}};
        return to_bytes(as_bytes(text));
    };
    sync_ = std::make_unique<snapshot_sync>(*first.begun, chain, std::move(proves),
                                            *chain_->pieces(), std::move(keep));
    return nothing{};
}

result<height, std::string> joiner::install(block_id const& genesis_id, hash256 const& chain)
{
    auto const begins = sync_->begins();
    if (auto const why = chain_->failure()) return fail{*why};
    auto const told = [](auto const& e) { return message(e); };
    // The state may be ahead of a log only while the log is empty.
    if (auto const done = database_->state().flush(); !done) return fail{told(done.error())};
    std::error_code failed{};
    fs::remove_all(in("sets"), failed);
    {
        auto made =
            history::open(database_->log(), store::system_files(), in("sets"), genesis_id, chain);
        if (!made) return fail{told(made.error())};
        auto& log = **made;
        for (auto const& [from, set] : begins.voters)
            if (auto const done = log.learn_set(from, set); !done) return fail{told(done.error())};
        if (auto const done = log.append(begins.blocks); !done) return fail{told(done.error())};
        if (auto const done = log.sync(); !done) return fail{told(done.error())};
    }
    sync_.reset();
    chain_.reset();
    database_.reset();
    fs::rename(in("data.new"), in("data"), failed);
    if (failed) return fail{in("data") + ": " + failed.message()};
    if (auto const done = store::system_files().sync_directory(config_.home); !done)
        return fail{told(done.error())};
    fs::remove_all(in("joining"), failed);
    return begins.state.at;
}

}  // namespace blendr::node
