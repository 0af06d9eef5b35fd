// SPDX-License-Identifier: Apache-2.0
#include <node/job_letters.hpp>

#include <algorithm>
#include <utility>
#include <vector>

#include <blendr/escrow/letters.hpp>

namespace blendr::node::impl {

using escrow::letters;

job_letters::job_letters(client const& node, crypto::identity const& me,
                         std::shared_ptr<shelf> blobs, job_book const& book)
    : node_{node},
      self_{me.account()},
      blobs_{std::move(blobs)},
      book_{book},
      mine_{crypto::sealing_key::of(me.key())}
{}

/// False when it can read already, or cannot be let: there are as many as there may be, or the key is none.
bool job_letters::add(letter& to, crypto::sealing_public_key const& reader) const
{
    return crypto::add_recipient(to.whom, to.key, reader).has_value();
}

result<nothing, std::string> job_letters::keep(std::uint64_t number, std::uint64_t stage,
                                               letter& what)
{
    auto const raw = encode(what.whom);
    BLENDR_CHECK(book_.put_letter(number, stage, raw));
    BLENDR_TRY(what.blob, blobs_->put(raw));
    what.kept = true;
    what.shown = false;
    return nothing{};
}

result<job_letters::letter*, std::string> job_letters::find(std::uint64_t number,
                                                            std::uint64_t stage)
{
    if (auto const known = letters_.find(stage); known != letters_.end()) return &known->second;
    auto const raw = book_.letter(number, stage);
    if (raw.empty()) return nullptr;
    auto whom = decode<crypto::sealed_for>(raw);
    if (!whom) return fail{"the letter of job " + std::to_string(number) + " is damaged"};
    auto key = crypto::unwrap(*whom, mine_);
    if (!key)
        return fail{"the letter of job " + std::to_string(number) + ": " + message(key.error())};
    letter made{*std::move(key), *std::move(whom)};
    BLENDR_TRY(made.blob, blobs_->put(raw));
    made.kept = true;
    return &letters_.emplace(stage, std::move(made)).first->second;
}

result<nothing, std::string> job_letters::begin(std::uint64_t number, std::uint64_t stage,
                                                bool drawn)
{
    // room is left for those who do the units
    constexpr std::uint32_t most = crypto::sealed_for::recipients_max / 2;
    letter made{crypto::content_key::generate()};
    add(made, mine_.self());
    if (drawn) {
        auto const all =
            node_.ask<std::vector<letters::reader>>("letters/readers", letters::readers{most + 1});
        if (!all) return fail{all.error()};
        if (all->size() <= most)
            for (auto const& each : *all)
                if (add(made, each.to)) made.added.insert(each.who);
    }
    BLENDR_CHECK(keep(number, stage, made));
    letters_.insert_or_assign(stage, std::move(made));
    return nothing{};
}

result<hash256, std::string> job_letters::put(std::uint64_t number, std::uint64_t stage,
                                              bytes_view packed)
{
    BLENDR_TRY(auto const* const to, find(number, stage));
    return blobs_->put(to == nullptr ? to_bytes(packed) : crypto::seal(packed, to->key));
}

result<bytes, std::string> job_letters::get(std::uint64_t number, std::uint64_t stage,
                                            hash256 const& blob)
{
    BLENDR_TRY(auto stored, blobs_->get(blob));
    BLENDR_TRY(auto const* const from, find(number, stage));
    if (from == nullptr) return stored;
    auto opened = crypto::open(stored, from->key);
    if (!opened)
        return fail{"an input of job " + std::to_string(number) + ": " + message(opened.error())};
    return *std::move(opened);
}

std::optional<ledger::wire_message> job_letters::tell(std::uint64_t number, std::uint64_t stage,
                                                      std::span<crypto::address const> readers)
{
    auto const found = find(number, stage);
    if (!found || *found == nullptr) return std::nullopt;
    auto& what = **found;
    for (auto const& who : readers) {
        if (who == self_ || what.added.contains(who)) continue;
        auto const box = node_.row<letters, escrow::boxes>(who);
        if (!box || box->to == crypto::sealing_public_key{}) continue;  // it may put one up yet
        what.added.insert(who);
        if (add(what, box->to)) what.kept = false;
    }
    if (!what.kept && !keep(number, stage, what)) return std::nullopt;  // another time
    if (what.shown) return std::nullopt;
    auto const there = node_.row<letters, escrow::letter_of>({self_, stage});
    if (!there) return std::nullopt;
    what.shown = there->blob == what.blob;
    if (what.shown) return std::nullopt;
    return ledger::wrap<letters>(letters::leave{stage, what.blob});
}

std::optional<ledger::wire_message> job_letters::withdraw(std::uint64_t stage) const
{
    auto const there = node_.row<letters, escrow::letter_of>({self_, stage});
    if (!there || *there == escrow::letter_of::row{}) return std::nullopt;
    return ledger::wrap<letters>(letters::withdraw{stage});
}

}  // namespace blendr::node::impl
