// SPDX-License-Identifier: Apache-2.0
#include <node/history.hpp>

#include <algorithm>
#include <utility>

#include <blendr/core/assert.hpp>

namespace blendr::node {

namespace co = consensus;

result<std::unique_ptr<history>, io_error>
history::open(ledger::block_log& log, store::file_layer& files, std::string const& directory,
              block_id const& genesis, hash256 const& chain)
{
    std::unique_ptr<history> out{new history{log, genesis, chain}};
    bool good = true;
    BLENDR_TRY(out->file_,
               record_file::open(files, directory, "sets", [&](height from, bytes_view raw) {
                   auto set = decode<app::validator_set>(raw);
                   good = good && set && app::well_formed(*set) && !set->empty();
                   if (good) out->epochs_.push_back({from, *std::move(set)});
               }));
    if (!good) return fail{io_error{io_fault::corrupt, directory + "/sets"}};
    if (auto const held = log.held()) {
        auto at = held->last;
        for (;; at = at - std::uint64_t{1}) {
            BLENDR_TRY(auto const block, log.read(at));
            if (block && finality_of(*block)) {
                out->last_ = at;
                break;
            }
            if (at == held->first) break;
        }
    }
    if (!out->epochs_.empty()) out->known_ = out->epochs_.back().from;
    return out;
}

height history::last() const
{
    std::lock_guard const lock{mutex_};
    return last_;
}

bool history::has_sets() const
{
    std::lock_guard const lock{mutex_};
    return !epochs_.empty();
}

height history::sets_known() const
{
    std::lock_guard const lock{mutex_};
    return known_;
}

result<nothing, io_error> history::learn_set(height from, app::validator_set const& set)
{
    {
        std::lock_guard const lock{mutex_};
        known_ = std::max(known_, from);
        if (!epochs_.empty()) {
            if (from <= epochs_.back().from) return nothing{};  // replayed
            if (epochs_.back().set == set) return nothing{};
        }
    }
    BLENDR_CHECK(file_->append(from, encode(set)));
    BLENDR_CHECK(file_->sync());
    std::lock_guard const lock{mutex_};
    epochs_.push_back({from, set});
    return nothing{};
}

co::membership history::set_at(height at) const
{
    std::lock_guard const lock{mutex_};
    return set_at_locked(at);
}

co::membership history::set_at_locked(height at) const
{
    auto const next = std::upper_bound(epochs_.begin(), epochs_.end(), at,
                                       [](height h, epoch const& e) { return h < e.from; });
    BLENDR_ASSERT(next != epochs_.begin());
    auto const& e = *std::prev(next);
    return {at, e.from.get(), e.set, chain_};
}

std::optional<co::finality> history::finality_of(ledger::logged_block const& from)
{
    auto const why = decode<std::optional<co::finality>>(from.finality);
    return why ? *why : std::nullopt;
}

result<nothing, io_error> history::append(co::decide const& what)
{
    for (std::size_t i = 0; i < what.blocks.size(); ++i) {
        auto const& b = what.blocks[i];
        auto const held = log_.held();
        if (held && b.at.at <= held->last) continue;
        bool const final_one = i + 1 == what.blocks.size();
        std::optional<co::finality> const why =
            final_one ? std::optional{what.why} : std::optional<co::finality>{};
        BLENDR_CHECK(log_.append({b.id, b.at, b.payload, encode(why)}));
        dirty_ = true;
    }
    std::lock_guard const lock{mutex_};
    last_ = std::max(last_, what.blocks.back().at.at);
    return nothing{};
}

result<nothing, io_error> history::sync()
{
    if (!dirty_) return nothing{};
    BLENDR_TRY(auto const done, log_.sync());
    static_cast<void>(done);
    dirty_ = false;
    return nothing{};
}

result<co::checkpoint, io_error> history::checkpoint() const
{
    co::checkpoint out{};
    auto const at = last();
    out.last.id = genesis_;
    if (at > height{}) {
        BLENDR_TRY(auto const block, log_.read(at));
        if (!block) return fail{io_error{io_fault::missing, "the last block of the log"}};
        out.last = {block->id, block->at, block->payload};
        out.why = *finality_of(*block);
    }
    auto const n = at.get();
    auto const first = n > co::checkpoint::sets_below ? n - co::checkpoint::sets_below + 1 : 1;
    for (auto h = first; h <= n + 2; ++h) out.sets.push_back(set_at(height{h}));
    return out;
}

result<std::vector<co::decide>, io_error> history::load(height from, std::size_t bytes_max,
                                                        std::size_t count_max) const
{
    std::vector<co::decide> out{};
    auto const held = log_.held();
    auto const end = last();
    if (!held || from < held->first || from > end) return out;
    auto at = from;
    while (at > held->first) {  // back to where the decision begins
        BLENDR_TRY(auto const before, log_.read(at - std::uint64_t{1}));
        if (!before || finality_of(*before)) break;
        at = at - std::uint64_t{1};
    }
    std::size_t size = 0;
    co::decide batch{};
    for (; at <= end && out.size() < count_max; ++at) {
        BLENDR_TRY(auto block, log_.read(at));
        if (!block) break;
        size += block->payload.size() + block->finality.size() + 128;
        if (size > bytes_max && !out.empty()) break;
        auto const why = finality_of(*block);
        batch.blocks.push_back({block->id, block->at, std::move(block->payload)});
        if (!why) continue;
        batch.why = *why;
        out.push_back(std::exchange(batch, {}));
    }
    return out;
}

result<std::optional<ledger::logged_block>, io_error> history::block(height at) const
{
    return log_.read(at);
}

}  // namespace blendr::node
