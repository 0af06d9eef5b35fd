// SPDX-License-Identifier: Apache-2.0
#include <abci/chain.hpp>

#include <algorithm>
#include <exception>
#include <utility>

#include <blendr/app/block_id.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/crypto/hash.hpp>

namespace blendr::abci {
namespace {

constexpr crypto::domain snapshot_domain{"abci.snapshot/1"};
constexpr std::int64_t accept = 1;
constexpr std::int64_t reject = 2;
constexpr std::int64_t offer_reject = 3;
constexpr std::int64_t apply_retry = 3;
constexpr std::int64_t apply_reject_snapshot = 5;

bytes_view view(std::string const& raw) { return as_bytes(raw); }
std::string text(bytes_view raw) { return std::string{as_text(raw)}; }

/// What an entry counts against CometBFT's limit: it stands behind a tag and its length.
std::size_t entry_size(std::size_t size) { return 1 + blendr::impl::varint_size(size) + size; }

void tell(google::protobuf::RepeatedPtrField<wire::validator_update>& out,
          std::vector<power_change> const& all)
{
    for (auto const& each : all) {
        auto& update = *out.Add();
        update.mutable_key()->set_ed25519(text(each.key.raw()));
        update.set_power(static_cast<std::int64_t>(each.power));
    }
}

std::vector<bytes_view> views(google::protobuf::RepeatedPtrField<std::string> const& all, int from)
{
    std::vector<bytes_view> out{};
    out.reserve(static_cast<std::size_t>(all.size()));
    for (int i = from; i < all.size(); ++i) out.push_back(view(all[i]));
    return out;
}

}  // namespace

hash256 name_of(app::snapshot const& which) { return crypto::hash(snapshot_domain, encode(which)); }

chain::chain(decisions& decide, reads& read, restores& restore, service_options const& chosen)
    : decide_{decide},
      read_{read},
      restore_{restore},
      chosen_{chosen}
{
    last_ = read_.last().last;
    auto const tip = read_.tip();
    if (tip)
        take_place(tip);
    else if (last_ != height{})
        failed_ = "the application has blocks but cannot say where its chain stands";
}

void chain::take_place(std::optional<place> const& at)
{
    place_ = *at;
    place_.next = as_powers(at->next);
    sets_.assign(1, place_.next);
    begun_ = true;
}

template <class Body>
auto chain::once(Body&& body) -> decltype(body())
{
    try {
        return body();
    } catch (std::exception const& e) {
        failed_ = std::string{"the application failed: "} + e.what();
        return fail{*failed_};
    }
}

answer<wire::init_chain_response> chain::init(wire::init_chain_request const& in)
{
    std::lock_guard const lock{mutex_};
    if (failed_) return fail{*failed_};
    if (in.initial_height() > 1) return fail{refusal{"a chain begins at height 1 here"}};
    if (last_ != height{} || pending_)
        return fail{refusal{"InitChain came after the chain's first block"}};
    if (began_with_ && !equal(*began_with_, view(in.app_state())))
        return fail{refusal{"InitChain came again with another app_state"}};
    if (!begun_) {
        auto const begun = once(
            [&]() -> answer<app::validator_set> { return decide_.init(view(in.app_state())); });
        if (!begun) return fail{refusal{begun.error()}};
        if (begun->empty() || !app::well_formed(*begun))
            return fail{refusal{"the application begins without validators"}};
        take_place(read_.tip().value_or(place{{}, {}, *begun}));
    }
    began_with_ = to_bytes(view(in.app_state()));
    offered_.reset();
    wire::init_chain_response out{};
    tell(*out.mutable_validators(), changes({}, place_.next));
    out.set_app_hash(text(read_.last().app_hash));
    return out;
}

answer<nothing> chain::may_decide(std::int64_t at) const
{
    if (failed_) return fail{*failed_};
    if (!begun_) return fail{refusal{"no chain was begun: InitChain, or a snapshot, goes first"}};
    auto const next = last_.get() + 1;
    if (at <= 0 || static_cast<std::uint64_t>(at) != next)
        return fail{"the next block is " + std::to_string(next) + ", not " + std::to_string(at)};
    return nothing{};
}

answer<app::proposal_context> chain::context(std::int64_t at, wire::timestamp const& time,
                                             crypto::public_key const& proposer) const
{
    constexpr std::int64_t seconds_max = std::int64_t{1} << 50;
    if (time.seconds() < -seconds_max || time.seconds() > seconds_max || time.nanos() < 0 ||
        time.nanos() >= 1'000'000'000)
        return fail{refusal{"the block's time is out of range"}};
    auto const ms = time.seconds() * 1000 + time.nanos() / 1'000'000;
    auto const above = place_.block_time.get() + 1;
    return app::proposal_context{place_.id, height{static_cast<std::uint64_t>(at)},
                                 time_ms{std::max(ms, above)}, proposer};
}

/// The state came in pieces, and no block was decided on it yet: what its last block is called is not known.
bool chain::restored() const { return last_ != height{} && place_.id == block_id{}; }

std::optional<crypto::public_key> chain::key_of(std::string const& address) const
{
    auto const is = [&](crypto::public_key const& key) {
        return equal(short_address_of(key), view(address));
    };
    if (!chosen_.self.empty() && is(chosen_.self)) return chosen_.self;
    for (auto const& set : sets_)
        for (auto const& each : set)
            if (is(each.key)) return each.key;
    return std::nullopt;
}

answer<wire::prepare_response> chain::prepare(wire::prepare_request const& in)
{
    std::lock_guard const lock{mutex_};
    BLENDR_CHECK(may_decide(in.height()));
    if (pending_) return fail{refusal{"the last block was finalized and is not committed yet"}};
    if (restored())
        return fail{refusal{"after a restore the next block has to come from somebody else"}};
    auto const proposer = key_of(in.proposer());
    if (!proposer)
        return fail{refusal{"no validator that is known here has the proposer's address"}};
    BLENDR_TRY(auto const at, context(in.height(), in.time(), *proposer));
    return once([&] { return fill(at, in); });
}

answer<wire::prepare_response> chain::fill(app::proposal_context const& at,
                                           wire::prepare_request const& in)
{
    constexpr int attempts = 16;
    constexpr std::int64_t room_max = std::int64_t{1} << 30;
    auto const room =
        static_cast<std::size_t>(std::clamp<std::int64_t>(in.bytes_max(), 0, room_max));
    auto const offered = views(in.txs(), 0);
    auto limit = room;
    for (int i = 0; i < attempts; ++i) {
        auto const payload =
            decide_.propose(at, i == 0 ? offered : std::vector<bytes_view>{}, limit);
        if (!payload) return fail{refusal{"the application cannot propose now"}};
        auto const parts = decide_.split(*payload);
        if (!parts) return fail{refusal{"the application proposes what is no payload of its own"}};
        auto const first = encode(lead{at.proposer, parts->head});
        auto size = entry_size(first.size());
        for (auto const& each : parts->txs) size += entry_size(each.size());
        if (size <= room) {
            wire::prepare_response out{};
            out.add_txs(text(first));
            for (auto const& each : parts->txs) out.add_txs(text(each));
            return out;
        }
        if (parts->txs.empty()) break;
        // entries take more room than the application counts; how much more, the last try has shown
        auto const less = i < attempts / 2 ? limit - limit * room / size : size - room;
        limit -= std::min(limit, std::max<std::size_t>(less, 1));
    }
    return fail{refusal{"the smallest block does not fit max_tx_bytes"}};
}

answer<chain::block> chain::block_of(wire::block_request const& in) const
{
    if (in.txs().empty())
        return fail{refusal{"the first entry, which leads the block, is missing"}};
    auto const first = decode<lead>(view(in.txs(0)));
    if (!first) return fail{refusal{"the first entry does not lead a block"}};
    if (first->proposer.empty() || !equal(short_address_of(first->proposer), view(in.proposer())))
        return fail{refusal{"the first entry names another proposer"}};
    BLENDR_TRY(auto at, context(in.height(), in.time(), first->proposer));
    if (restored()) at.parent = restore_.parent_in(first->head).value_or(block_id{});
    auto payload = decide_.join(first->head, views(in.txs(), 1));
    if (!payload) return fail{refusal{"the entries are no payload of this application"}};
    auto const id = app::make_block_id(at, app::payload_digest(*payload));
    return block{at, *std::move(payload), id};
}

answer<wire::verdict_response> chain::process(wire::block_request const& in)
{
    std::lock_guard const lock{mutex_};
    BLENDR_CHECK(may_decide(in.height()));
    if (pending_) return fail{refusal{"the last block was finalized and is not committed yet"}};
    return once([&]() -> answer<wire::verdict_response> {
        auto const proposed = block_of(in);
        bool const good = proposed && decide_.verify(proposed->at, proposed->id,
                                                     proposed->payload) == app::verdict::valid;
        wire::verdict_response out{};
        out.set_status(static_cast<std::int32_t>(good ? accept : reject));
        return out;
    });
}

wire::finalize_response chain::describe(app::finalized const& done,
                                        app::validator_set const& powers) const
{
    wire::finalize_response out{};
    out.add_results();
    for (auto const& each : done.results) {
        auto& to = *out.add_results();
        to.set_code(each.code);
        to.set_data(text(each.receipt));
        to.set_gas_used(static_cast<std::int64_t>(
            std::min<std::uint64_t>(each.gas_used, std::uint64_t{1} << 62)));
        to.set_gas_wanted(to.gas_used());
        if (each.code != 0) to.set_codespace(chosen_.name);
    }
    tell(*out.mutable_validators(), changes(place_.next, powers));
    out.set_app_hash(text(done.app_hash));
    return out;
}

answer<wire::finalize_response> chain::finalize(wire::block_request const& in)
{
    std::lock_guard const lock{mutex_};
    BLENDR_CHECK(may_decide(in.height()));
    return once([&]() -> answer<wire::finalize_response> {
        BLENDR_TRY(auto const from, block_of(in));
        if (pending_) {  // CometBFT was restarted before it heard the answer
            if (pending_->to.id == from.id) return pending_->said;
            return fail{refusal{"another block was finalized at this height"}};
        }
        auto const judged = decide_.verify(from.at, from.id, from.payload);
        if (!judged) return fail{refusal{"the application cannot execute the decided block"}};
        if (*judged != app::verdict::valid)
            return fail{refusal{"the decided block is not valid here"}};
        auto const done = decide_.finalize(from.at, from.id, from.payload);
        BLENDR_ASSERT(!done.next.empty() && app::well_formed(done.next));
        BLENDR_ASSERT(done.results.size() + 1 == static_cast<std::size_t>(in.txs().size()));
        auto powers = as_powers(done.next);
        auto said = describe(done, powers);
        pending_ = decided{{from.id, from.at.block_time, std::move(powers)}, from.at.at, said};
        return said;
    });
}

answer<wire::commit_response> chain::commit()
{
    constexpr std::size_t sets_max = 4;
    std::lock_guard const lock{mutex_};
    if (failed_) return fail{*failed_};
    if (!pending_) return fail{refusal{"there is no finalized block to commit"}};
    return once([&]() -> answer<wire::commit_response> {
        auto const oldest = decide_.commit();
        if (auto why = read_.failure()) {
            failed_ = "the block is not durable: " + *std::move(why);
            return fail{*failed_};
        }
        last_ = pending_->at;
        place_ = std::move(pending_->to);
        pending_.reset();
        sets_.push_front(place_.next);
        if (sets_.size() > sets_max) sets_.pop_back();
        wire::commit_response out{};
        if (chosen_.blocks_kept != 0 && last_.get() > chosen_.blocks_kept)
            out.set_retain_height(static_cast<std::int64_t>(
                std::min(oldest.get(), last_.get() - chosen_.blocks_kept + 1)));
        return out;
    });
}

answer<wire::offer_response> chain::offer(wire::offer_request const& in)
{
    std::lock_guard const lock{mutex_};
    if (failed_) return fail{*failed_};
    if (last_ != height{} || pending_)
        return fail{refusal{"a snapshot was offered to a chain that has blocks"}};
    auto const& from = in.which();
    app::snapshot which{height{from.height()}, from.format(), from.chunks(),
                        to_bytes(view(from.metadata()))};
    offered_.reset();
    wire::offer_response out{};
    out.set_result(static_cast<std::int32_t>(offer_reject));
    if (in.app_hash().size() != trusted_.size() || !equal(name_of(which), view(from.hash())))
        return out;
    auto const raw = view(in.app_hash());
    std::copy(raw.begin(), raw.end(), trusted_.begin());
    return once([&]() -> answer<wire::offer_response> {
        if (!restore_.offer(which, trusted_)) return out;
        offered_ = std::move(which);
        out.set_result(static_cast<std::int32_t>(accept));
        return out;
    });
}

answer<wire::apply_response> chain::apply(wire::apply_request const& in)
{
    std::lock_guard const lock{mutex_};
    if (failed_) return fail{*failed_};
    if (!offered_) return fail{refusal{"a piece came, but no snapshot was accepted"}};
    return once([&]() -> answer<wire::apply_response> {
        wire::apply_response out{};
        out.set_result(static_cast<std::int32_t>(accept));
        switch (restore_.restore(in.index(), view(in.chunk()))) {
        case app::chunk_verdict::taken:
            break;
        case app::chunk_verdict::corrupt:
            out.set_result(static_cast<std::int32_t>(apply_retry));
            out.add_refetch(in.index());
            if (!in.sender().empty()) out.add_reject_senders(in.sender());
            break;
        case app::chunk_verdict::abandoned:
            out.set_result(static_cast<std::int32_t>(apply_reject_snapshot));
            offered_.reset();
            break;
        case app::chunk_verdict::complete:
            auto const now = read_.last();
            auto const tip = read_.tip();
            BLENDR_ASSERT(now.last == offered_->at && now.app_hash == trusted_ && tip);
            last_ = now.last;
            take_place(tip);
            offered_.reset();
            break;
        }
        return out;
    });
}

}  // namespace blendr::abci
