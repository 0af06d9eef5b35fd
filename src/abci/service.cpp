// SPDX-License-Identifier: Apache-2.0
#include <blendr/abci/service.hpp>

#include <algorithm>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <blendr/core/assert.hpp>
#include <blendr/version.hpp>

#include <abci/chain.hpp>
#include <abci/wire.pb.h>

namespace blendr::abci {
namespace {

constexpr std::int32_t verdict_accept = 1;
constexpr std::int32_t verdict_reject = 2;
constexpr std::int32_t type_new = 0;
constexpr std::uint32_t query_code_height = 0xffff'0001;
constexpr char proof_type[] = "blendr:state/1";

std::string text(bytes_view raw) { return std::string{as_text(raw)}; }

void put(bytes& out, wire::response const& said)
{
    auto const size = said.ByteSizeLong();
    append_length(out, size);
    auto const at = out.size();
    out.resize(at + size);
    said.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(out.data() + at));
}

void put_exception(bytes& out, std::string sentence)
{
    wire::response said{};
    said.mutable_exception()->set_is(std::move(sentence));
    put(out, said);
}

}  // namespace

struct service::state {
    state(decisions& decide, reads& from, restores& restore, service_options options)
        : chosen{std::move(options)},
          read{from},
          blocks{decide, from, restore, chosen}
    {}

    void info(wire::info_response& out) const
    {
        auto const last = read.last();
        out.set_data(chosen.name);
        out.set_version(std::string{library_version()});
        out.set_app_version(chosen.version);
        out.set_last_height(static_cast<std::int64_t>(last.last.get()));
        if (last.last != height{}) out.set_last_app_hash(text(last.app_hash));
    }

    void query(wire::query_request const& in, wire::query_response& out) const
    {
        // CometBFT asks so whether it may talk to a peer; who that is, is not for a ledger to say
        if (in.path().starts_with("/p2p/filter/")) return;
        auto before = read.last();
        auto found = read.query(in.path(), as_bytes(in.data()));
        for (auto after = read.last(); after != before; after = read.last()) {
            before = after;
            found = read.query(in.path(), as_bytes(in.data()));
        }
        auto const now = static_cast<std::int64_t>(before.last.get());
        out.set_height(now);
        out.set_codespace(chosen.name);
        if (in.height() != 0 && in.height() != now) {
            out.set_code(query_code_height);
            out.set_log("only the last committed height, " + std::to_string(now) +
                        ", can be asked about");
            return;
        }
        out.set_code(found.code);
        out.set_key(in.data());
        out.set_value(text(found.value));
        if (in.prove() && !found.proof.empty()) {
            auto& op = *out.mutable_proof()->add_ops();
            op.set_type(proof_type);
            op.set_key(in.data());
            op.set_data(text(found.proof));
        }
    }

    void list(wire::list_response& out) const
    {
        for (auto const& each : read.snapshots()) {
            auto& to = *out.add_snapshots();
            to.set_height(each.at.get());
            to.set_format(each.format);
            to.set_chunks(each.chunks);
            to.set_hash(text(name_of(each)));
            to.set_metadata(text(each.metadata));
        }
    }

    void load(wire::load_request const& in, wire::load_response& out) const
    {
        auto const piece = read.chunk(height{in.height()}, in.chunk());
        if (piece) out.set_chunk(text(*piece));
    }

    /// Answers anything but check_tx, which sessions collect.
    void answer_to(wire::request const& in, wire::response& out)
    {
        auto const take = [&](auto said, auto* (wire::response::*into)()) {
            if (said)
                *(out.*into)() = *std::move(said);
            else
                out.mutable_exception()->set_is(std::move(said).error());
        };
        using r = wire::response;
        switch (in.value_case()) {
        case wire::request::kEcho:
            out.mutable_echo()->set_is(in.echo().is());
            break;
        case wire::request::kFlush:
            out.mutable_flush();
            break;
        case wire::request::kInfo:
            info(*out.mutable_info());
            break;
        case wire::request::kInitChain:
            take(blocks.init(in.init_chain()), &r::mutable_init_chain);
            break;
        case wire::request::kQuery:
            query(in.query(), *out.mutable_query());
            break;
        case wire::request::kCommit:
            take(blocks.commit(), &r::mutable_commit);
            break;
        case wire::request::kListSnapshots:
            list(*out.mutable_list_snapshots());
            break;
        case wire::request::kOfferSnapshot:
            take(blocks.offer(in.offer_snapshot()), &r::mutable_offer_snapshot);
            break;
        case wire::request::kLoadChunk:
            load(in.load_chunk(), *out.mutable_load_chunk());
            break;
        case wire::request::kApplyChunk:
            take(blocks.apply(in.apply_chunk()), &r::mutable_apply_chunk);
            break;
        case wire::request::kPrepare:
            take(blocks.prepare(in.prepare()), &r::mutable_prepare);
            break;
        case wire::request::kProcess:
            take(blocks.process(in.process()), &r::mutable_process);
            break;
        case wire::request::kExtendVote:
            out.mutable_extend_vote();
            break;
        case wire::request::kVerifyExtension:
            out.mutable_verify_extension()->set_status(
                in.verify_extension().extension().empty() ? verdict_accept : verdict_reject);
            break;
        case wire::request::kFinalize:
            take(blocks.finalize(in.finalize()), &r::mutable_finalize);
            break;
        case wire::request::kCheckTx:
        case wire::request::VALUE_NOT_SET:
            out.mutable_exception()->set_is("this request is not one of ABCI 2.0");
            break;
        }
    }

    service_options const chosen;
    reads& read;
    chain blocks;
};

service::service(decisions& decide, reads& read, restores& restore, service_options chosen)
    : state_{std::make_unique<state>(decide, read, restore, std::move(chosen))}
{}
service::~service() = default;

struct session::state {
    explicit state(service::state& of) : by{of}, frames{of.chosen.frame_bytes_max} {}

    void check(bytes& out)
    {
        if (txs.empty()) return;
        try {
            std::vector<bytes_view> views{};
            views.reserve(txs.size());
            for (auto const& each : txs) views.push_back(as_bytes(each));
            auto const said = by.read.check(views, again);
            BLENDR_ASSERT(said.size() == txs.size());
            for (auto const& each : said) {
                wire::response one{};
                auto& to = *one.mutable_check_tx();
                to.set_code(each.code);
                to.set_log(each.reason);
                if (each.code != 0) to.set_codespace(by.chosen.name);
                put(out, one);
            }
        } catch (std::exception const& e) {
            for (std::size_t i = 0; i < txs.size(); ++i)
                put_exception(out, std::string{"the application failed: "} + e.what());
        }
        txs.clear();
    }

    void take(bytes_view frame, bytes& out)
    {
        in.Clear();
        if (!in.ParseFromArray(frame.data(), static_cast<int>(frame.size()))) {
            check(out);
            put_exception(out, "the message is not a request");
            return;
        }
        if (in.value_case() == wire::request::kCheckTx) {
            bool const repeated = in.check_tx().type() != type_new;
            if (repeated != again || txs.size() >= by.chosen.batch_max) check(out);
            again = repeated;
            txs.push_back(std::move(*in.mutable_check_tx()->mutable_tx()));
            return;
        }
        check(out);
        wire::response said{};
        try {
            by.answer_to(in, said);
        } catch (std::exception const& e) {
            said.Clear();
            said.mutable_exception()->set_is(std::string{"the application failed: "} + e.what());
        }
        put(out, said);
    }

    service::state& by;
    frame_reader frames;
    wire::request in{};
    std::vector<std::string> txs{};  ///< checks that were asked for in a row
    bool again = false;
    bool broken = false;
};

session::session(service& by) : state_{std::make_unique<state>(*by.state_)} {}
session::~session() = default;

session::state_of session::receive(bytes_view raw, bytes& out)
{
    auto& s = *state_;
    if (s.broken) return state_of::broken;
    if (!raw.empty()) s.frames.feed(raw);
    for (;;) {
        auto const frame = s.frames.next();
        if (!frame) {
            s.check(out);
            put_exception(out, std::string{message(frame.error())});
            s.broken = true;
            return state_of::broken;
        }
        if (!*frame) break;
        s.take(**frame, out);
        if (out.size() >= out_bytes_max) {
            s.check(out);
            return state_of::full;
        }
    }
    s.check(out);
    return state_of::hungry;
}

}  // namespace blendr::abci
