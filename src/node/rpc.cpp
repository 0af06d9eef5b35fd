// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/rpc.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <new>
#include <optional>
#include <set>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <blendr/core/json.hpp>
#include <blendr/crypto/cid.hpp>
#include <blendr/crypto/json.hpp>
#include <blendr/ledger/base.hpp>
#include <blendr/ledger/message.hpp>
#include <blendr/ledger/purses.hpp>
#include <blendr/ledger/transaction.hpp>
#include <blendr/net/http.hpp>
#include <blendr/version.hpp>

#include <node/explorer.hpp>
#include <node/job_calls.hpp>
#include <node/topics.hpp>

namespace blendr::node {
namespace {

namespace json = boost::json;

constexpr int parse_failed = -32700;
constexpr int invalid_request = -32600;
constexpr int unknown_method = -32601;
constexpr int invalid_params = -32602;
constexpr int refused = -32000;
constexpr int not_found = -32001;

constexpr std::size_t depth_max = 32;

struct rpc_error {
    int code{};
    std::string message{};
    json::value data{};
};
using outcome = result<json::value, rpc_error>;

json::value text(std::string_view s) { return json::value(json::string_view{s.data(), s.size()}); }

enum class kind : std::uint8_t { text, number, truth, any, list };
constexpr std::array<std::string_view, 5> kind_names{"string", "integer", "boolean", "", "array"};

struct parameter {
    std::string_view name{};
    kind type{};
    bool required = true;
    std::string_view about{};
};

/// The arguments of a call, by name, each of its parameter's kind or missing.
class arguments {
public:
    static result<arguments, rpc_error> read(json::value const* given,
                                             std::vector<parameter> const& wanted)
    {
        arguments out{};
        out.values_.resize(wanted.size());
        std::size_t used = 0;
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            auto const& p = wanted[i];
            json::value const* v = nullptr;
            if (given != nullptr && given->is_array() && i < given->get_array().size())
                v = &given->get_array()[i];
            if (given != nullptr && given->is_object())
                v = given->get_object().if_contains({p.name.data(), p.name.size()});
            if (v != nullptr) ++used;
            if (v == nullptr || v->is_null()) {
                if (p.required)
                    return fail{
                        rpc_error{invalid_params,
                                  "the parameter \"" + std::string{p.name} + "\" is missing",
                                  {}}};
                continue;
            }
            bool const fits = p.type == kind::any || (p.type == kind::text && v->is_string()) ||
                              (p.type == kind::number && (v->is_int64() || v->is_uint64())) ||
                              (p.type == kind::truth && v->is_bool()) ||
                              (p.type == kind::list && v->is_array());
            if (!fits)
                return fail{rpc_error{invalid_params,
                                      "the parameter \"" + std::string{p.name} + "\" is no " +
                                          std::string{kind_names[static_cast<std::size_t>(p.type)]},
                                      {}}};
            out.values_[i] = v;
        }
        std::size_t const count = given == nullptr     ? 0
                                  : given->is_array()  ? given->get_array().size()
                                  : given->is_object() ? given->get_object().size()
                                                       : 1;
        if (count != used)
            return fail{
                rpc_error{invalid_params, "there are parameters that nobody asked for", {}}};
        return out;
    }

    bool has(std::size_t i) const { return values_[i] != nullptr; }
    json::value const& at(std::size_t i) const { return *values_[i]; }
    std::string_view text(std::size_t i) const
    {
        auto const& s = values_[i]->get_string();
        return {s.data(), s.size()};
    }
    bool truth(std::size_t i) const { return has(i) && values_[i]->get_bool(); }
    std::uint64_t number(std::size_t i) const
    {
        auto const& v = *values_[i];
        if (v.is_uint64()) return v.get_uint64();
        return static_cast<std::uint64_t>(std::max<std::int64_t>(v.get_int64(), 0));
    }

private:
    std::vector<json::value const*> values_{};
};

/// What a caller is: a WebSocket may subscribe.
struct caller {
    net::socket_id socket = 0;
};

rpc_error no(std::string why) { return {not_found, std::move(why), {}}; }
rpc_error wrong(std::string why) { return {invalid_params, std::move(why), {}}; }

rpc_error refusal_of(refusal const& why)
{
    return {refused, why.reason, json::object{{"code", why.code}, {"reason", why.reason}}};
}

result<bytes, rpc_error> hex_of(std::string_view raw)
{
    auto out = from_hex(raw);
    if (!out) return fail{wrong(message(out.error()))};
    return *std::move(out);
}

std::string topic_list()
{
    std::string out{};
    for (auto const& each : topic_kinds) {
        if (!out.empty()) out += ", ";
        out += each.name;
    }
    return out;
}

}  // namespace

class rpc_server::body final : public net::http_handler {
public:
    explicit body(node& of) : node_{of} {}
    ~body() override { stop(); }

    using handler = outcome (body::*)(arguments const&, caller const&);
    struct method {
        std::string_view name{};
        std::string_view about{};
        std::vector<parameter> parameters{};
        std::string_view result{};
        handler call{};
    };
    static std::vector<method> const& methods();

    result<std::string, std::string> start()
    {
        auto const& s = node_.settings().rpc;
        net::http_options o{};
        o.listen = s.listen;
        o.cors = s.cors;
        o.body_bytes_max = s.body_bytes_max;
        o.connections_max = s.connections_max;
        local_ = is_loopback(s.listen);
        o.named_locally = local_;
        o.lends = local_;
        server_ = std::make_unique<net::http_server>(o, *this);
        auto const where = server_->start();
        if (!where)
            return fail{"cannot listen at \"" + s.listen +
                        "\": " + std::string{message(where.error())}};
        subscription_ = node_.on_block([this](committed_ptr const& b) { tell(b); });
        node_.note_rpc(*where);
        return *where;
    }

    void stop()
    {
        if (!server_) return;
        node_.forget(subscription_);
        stopping_.request_stop();
        server_->stop();
        server_.reset();
    }

    // ---- HTTP

    net::http_reply on_request(net::http_request const& in) override
    {
        if (in.method == "POST" && (in.path == "/" || in.path == "/rpc" || in.path == "/jobs"))
            return {200, "application/json", answer(in.body, {}), true};
        if (in.path == "/blobs" || in.path.starts_with("/blobs/")) return blob(in);
        if (in.method != "GET" && in.method != "HEAD")
            return {405, "text/plain", "POST to /, or GET\n", true};
        if (in.path == "/health") return health();
        if (in.path == "/ready") return ready();
        if (in.path == "/metrics") return {200, "text/plain; version=0.0.4", prometheus(), true};
        if (in.path == "/openrpc.json")
            return {200, "application/json", json::serialize(openrpc()), true};
        if (!local_) return {404, "text/plain", "see /openrpc.json\n", true};
        return explorer_page(in);
    }
    std::size_t body_bytes_max(std::string_view verb, std::string_view path) const override
    {
        bool const large =
            (verb == "PUT" && path == "/blobs") || (local_ && verb == "POST" && path == "/jobs");
        return large ? static_cast<std::size_t>(node_.settings().blobs.bytes_max) : 0;
    }
    std::string on_text(net::socket_id from, std::string_view said) override
    {
        return answer(said, {from});
    }
    void on_closed(net::socket_id which) override
    {
        std::lock_guard const lock{subscribers_mutex_};
        for (auto& [topic, who] : subscribers_) who.erase(which);
    }

    // ---- blobs

    static net::http_reply plain(unsigned status, std::string_view why)
    {
        return {status, "text/plain", std::string{why} + '\n', true};
    }

    net::http_reply blob(net::http_request const& in)
    {
        if (in.path == "/blobs") {
            if (in.method != "PUT") return plain(405, "PUT a blob there; GET /blobs/<its name>");
            auto const name = node_.put_blob(as_bytes(in.body));
            if (!name) return plain(507, name.error());
            return {
                201, "application/json",
                json::serialize(json::object{{"cid", to_text(*name)}, {"size", in.body.size()}}),
                true};
        }
        if (in.method != "GET" && in.method != "HEAD")
            return plain(405, "a blob is got, or PUT to /blobs");
        auto const name = crypto::parse_cid(in.path.substr(std::string_view{"/blobs/"}.size()));
        if (!name) return plain(400, "that is no content id: " + message(name.error()));
        auto const known = node_.blob(*name);
        if (known.fetching) {
            static constexpr std::array again{net::http_field{"Retry-After", "1"}};
            auto out =
                plain(503, "it is being fetched from peers, " + std::to_string(known.chunks_held) +
                               " of " + std::to_string(known.chunks) + " chunks; ask again");
            out.head = again;
            return out;
        }
        if (!known.held) return plain(404, known.why);
        return part_of(*name, known.size, in);
    }

    /// One range is answered as such; whoever asks for several, or in other units, is given all.
    net::http_reply part_of(crypto::cid const& name, std::uint64_t size,
                            net::http_request const& in)
    {
        static constexpr std::array head{
            net::http_field{"Accept-Ranges", "bytes"},
            net::http_field{"Cache-Control", "public, max-age=31536000, immutable"},
            net::http_field{"X-Content-Type-Options", "nosniff"},
            net::http_field{"Content-Security-Policy", "sandbox"}};
        net::http_reply out{200, "application/octet-stream", {}, true};
        out.head = head;
        std::uint64_t from = 0, count = size;
        if (auto const wanted = range_of(in.range, size)) {
            std::tie(from, count) = *wanted;
            if (count == 0) {
                out.status = 416;
                out.part = "bytes */" + std::to_string(size);
                return out;
            }
            out.status = 206;
            out.part = "bytes " + std::to_string(from) + '-' + std::to_string(from + count - 1) +
                       '/' + std::to_string(size);
        }
        auto data = node_.read_blob(name, from, count);
        if (!data) return plain(500, data.error());
        out.body = as_text(*data);
        return out;
    }

    static std::optional<std::uint64_t> number_in(std::string_view digits)
    {
        std::uint64_t out = 0;
        auto const* const end = digits.data() + digits.size();
        auto const read = std::from_chars(digits.data(), end, out);
        if (digits.empty() || read.ec != std::errc{} || read.ptr != end) return std::nullopt;
        return out;
    }
    /// First byte and count (0: there is no such part); nothing when all is to be given.
    static std::optional<std::pair<std::uint64_t, std::uint64_t>> range_of(std::string_view asked,
                                                                           std::uint64_t size)
    {
        constexpr std::string_view unit = "bytes=";
        if (!asked.starts_with(unit)) return std::nullopt;
        asked.remove_prefix(unit.size());
        auto const dash = asked.find('-');
        if (dash == asked.npos) return std::nullopt;
        auto const first = number_in(asked.substr(0, dash));
        auto const last = number_in(asked.substr(dash + 1));
        if (dash == 0) {
            if (!last) return std::nullopt;
            auto const count = std::min(*last, size);
            return std::pair{size - count, count};
        }
        if (!first || (!last && dash + 1 != asked.size()) || (last && *last < *first))
            return std::nullopt;
        if (*first >= size) return std::pair{*first, std::uint64_t{0}};
        return std::pair{*first,
                         last ? std::min(*last - *first, size - *first - 1) + 1 : size - *first};
    }

    // ---- JSON-RPC

    std::string answer(std::string_view said, caller const& who)
    {
        json::error_code failed;
        json::parse_options limits{};
        limits.max_depth = depth_max;
        std::array<unsigned char, 8192> memory;  // not initialised: a request seldom needs more
        json::monotonic_resource arena{memory.data(), memory.size()};
        auto const in = json::parse({said.data(), said.size()}, failed, &arena, limits);
        if (failed)
            return error_text(json::value(nullptr),
                              {parse_failed, "that is no JSON: " + failed.message(), {}});
        auto const* const batch = in.if_array();
        if (batch == nullptr) return one(in, who);
        if (batch->empty())
            return error_text(json::value(nullptr), {invalid_request, "an empty batch", {}});
        if (batch->size() > node_.settings().rpc.batch_max)
            return error_text(json::value(nullptr),
                              {invalid_request,
                               "a batch has at most " +
                                   std::to_string(node_.settings().rpc.batch_max) + " requests",
                               {}});
        std::string out{};
        for (auto const& each : *batch) {
            auto const reply = one(each, who);
            if (reply.empty()) continue;
            out += out.empty() ? '[' : ',';
            out += reply;
        }
        if (!out.empty()) out += ']';
        return out;
    }

private:
    static std::string error_text(json::value const& id, rpc_error const& e)
    {
        json::object error{{"code", e.code}, {"message", e.message}};
        if (!e.data.is_null()) error.emplace("data", e.data);
        return json::serialize(
            json::object{{"jsonrpc", "2.0"}, {"id", id}, {"error", std::move(error)}});
    }

    std::string one(json::value const& in, caller const& who)
    {
        auto const* const call = in.if_object();
        if (call == nullptr)
            return error_text(json::value(nullptr),
                              {invalid_request, "a request is an object", {}});
        auto const* const id = call->if_contains("id");
        json::value const shown = id != nullptr ? *id : json::value{};
        // A number too large to be one would come back as what is no JSON.
        bool const fits = id == nullptr || id->is_null() || id->is_string() || id->is_int64() ||
                          id->is_uint64() || (id->is_double() && std::isfinite(id->get_double()));
        if (!fits)
            return error_text(json::value(nullptr),
                              {invalid_request, "an id is a text or a number", {}});
        auto const* const version = call->if_contains("jsonrpc");
        auto const* const name = call->if_contains("method");
        if (version == nullptr || !version->is_string() || version->get_string() != "2.0" ||
            name == nullptr || !name->is_string())
            return error_text(shown, {invalid_request,
                                      R"(a request has "jsonrpc": "2.0" and the name of a method)",
                                      {}});
        auto const done = run(*name, call->if_contains("params"), who);
        if (id == nullptr) return {};  // nobody waits for an answer
        if (!done) return error_text(shown, done.error());
        std::string out = R"({"jsonrpc":"2.0","id":)";
        out += json::serialize(shown);
        out += R"(,"result":)";
        out += json::serialize(*done);
        out += '}';
        return out;
    }

    outcome run(json::value const& name, json::value const* params, caller const& who)
    {
        std::string_view const wanted{name.get_string().data(), name.get_string().size()};
        static auto const index = [] {
            std::map<std::string_view, method const*> out{};
            for (auto const& each : methods()) out.emplace(each.name, &each);
            return out;
        }();
        auto const found = index.find(wanted);
        if (found == index.end())
            return fail{rpc_error{unknown_method,
                                  "there is no method \"" + std::string{wanted} +
                                      "\"; rpc.discover tells which there are",
                                  {}}};
        auto const given = arguments::read(params, found->second->parameters);
        if (!given) return fail{given.error()};
        return (this->*found->second->call)(*given, who);
    }

    // ---- the methods

    outcome status(arguments const&, caller const&) { return to_json(node_.status()); }

    outcome block(arguments const& in, caller const&)
    {
        auto const at = in.has(0) ? height{in.number(0)} : node_.status().last;
        auto const found = node_.block(at);
        if (!found) return fail{no("block " + std::to_string(at.get()) + " is not held here")};
        json::object out{{"height", at.get()},
                         {"id", to_json(found->block.id)},
                         {"parent", to_json(found->block.at.parent)},
                         {"time_ms", to_json(found->block.at.block_time)},
                         {"proposer", to_json(found->block.at.proposer)}};
        if (auto const parts = node_.forms().block(found->block.payload)) {
            out.emplace("header", parts->header);
            json::array ids{};
            for (auto const& each : parts->ids) ids.push_back(to_json(each));
            out.emplace("transactions", std::move(ids));
        }
        if (found->executed) {
            json::array results{};
            for (auto const& each : found->results) results.push_back(node_.forms().receipt(each));
            out.emplace("results", std::move(results));
        }
        if (in.truth(1)) {
            out.emplace("payload", to_hex(found->block.payload));
            out.emplace("finality", to_hex(found->block.finality));
        }
        return json::value(std::move(out));
    }

    outcome transaction(arguments const& in, caller const&)
    {
        auto const id = array_from_hex<32>(in.text(0));
        if (!id) return fail{wrong(message(id.error()))};
        json::object out{{"id", in.text(0)}};
        if (auto const waits = node_.view().waiting(*id)) {
            out.emplace("state", "waiting");
            if (auto const tx = node_.forms().transaction(*waits)) out.emplace("transaction", *tx);
            return json::value(std::move(out));
        }
        auto const place = node_.find(*id);
        if (!place) return fail{no("no transaction of that name waits or is in the last blocks")};
        auto const found = node_.block(place->at);
        if (!found) return fail{no("its block is not held here any more")};
        out.emplace("state", "committed");
        out.emplace("height", place->at.get());
        out.emplace("index", place->index);
        if (auto const parts = node_.forms().block(found->block.payload);
            parts && place->index < parts->transactions.size()) {
            auto const& raw = parts->transactions[place->index];
            if (auto const tx = node_.forms().transaction(raw)) out.emplace("transaction", *tx);
            if (in.truth(1)) out.emplace("raw", to_hex(raw));
        }
        if (found->executed && place->index < found->results.size())
            out.emplace("receipt", node_.forms().receipt(found->results[place->index]));
        return json::value(std::move(out));
    }

    outcome submit(arguments const& in, caller const&)
    {
        BLENDR_TRY(auto const raw, hex_of(in.text(0)));
        auto const done = node_.submit(raw);
        if (!done) return fail{refusal_of(done.error())};
        return to_json(*done);
    }

    outcome submit_batch(arguments const& in, caller const&)
    {
        std::vector<bytes> all{};
        for (auto const& each : in.at(0).get_array()) {
            if (!each.is_string()) return fail{wrong("transactions are texts of hex")};
            BLENDR_TRY(auto raw, hex_of({each.get_string().data(), each.get_string().size()}));
            all.push_back(std::move(raw));
        }
        std::vector<bytes_view> const views(all.begin(), all.end());
        json::array out{};
        for (auto const& each : node_.submit(views)) {
            if (each)
                out.push_back(json::object{{"id", to_json(*each)}});
            else
                out.push_back(
                    json::object{{"code", each.error().code}, {"reason", each.error().reason}});
        }
        return json::value(std::move(out));
    }

    outcome query(arguments const& in, caller const&)
    {
        auto const table = in.text(0);
        auto const key = node_.forms().key(table, in.at(1));
        if (!key) return fail{wrong(key.error())};
        auto const found = node_.view().query(table, *key);
        if (found.code != 0) return fail{no("the chain does not answer that query")};
        auto row = node_.forms().row(table, found.value);
        if (!row) return fail{no(row.error())};
        json::object out{{"present", !found.value.empty()}, {"row", *std::move(row)}};
        if (in.truth(2)) {
            out.emplace("key", to_hex(*key));
            out.emplace("value", to_hex(found.value));
            out.emplace("proof", to_hex(found.proof));
        }
        return json::value(std::move(out));
    }

    /// A question in JSON is answered in JSON; one in hex, in hex.
    outcome ask(arguments const& in, caller const&)
    {
        auto const path = in.text(0);
        auto const bare = path.substr(0, path.find('?'));
        bool const encoded = in.at(1).is_string();
        bytes question{};
        if (encoded) {
            BLENDR_TRY(question, hex_of(in.text(1)));
        } else {
            if (node_.calls() == nullptr) return fail{no("this chain's questions have no JSON")};
            auto made = node_.calls()->question(bare, in.at(1));
            if (!made) return fail{wrong(made.error())};
            question = *std::move(made);
        }
        auto const found = node_.view().query(path, question);
        if (found.code != 0)
            return fail{rpc_error{refused, "the chain refuses that question",
                                  json::object{{"code", found.code}}}};
        if (encoded)
            return json::value(
                json::object{{"value", to_hex(found.value)}, {"proof", to_hex(found.proof)}});
        auto answer = node_.calls()->answer(bare, found.value);
        if (!answer) return fail{no(answer.error())};
        json::object out{{"answer", *std::move(answer)}};
        if (!found.proof.empty()) {
            out.emplace("value", to_hex(found.value));
            out.emplace("proof", to_hex(found.proof));
        }
        return json::value(std::move(out));
    }

    static json::value list_of(std::vector<std::string> const& lines)
    {
        json::array out{};
        for (auto const& each : lines) out.emplace_back(each);
        return json::value(std::move(out));
    }
    outcome queries(arguments const&, caller const&)
    {
        return list_of(node_.calls() != nullptr ? node_.calls()->queries()
                                                : std::vector<std::string>{});
    }
    outcome messages(arguments const&, caller const&)
    {
        return list_of(node_.calls() != nullptr ? node_.calls()->messages()
                                                : std::vector<std::string>{});
    }

    template <class Row>
    result<Row, rpc_error> row_of(std::string_view table, bytes_view key)
    {
        auto const found = node_.view().query(table, key);
        auto row = found.code == 0 ? decode<Row>(found.value)
                                   : result<Row, decode_error>{fail{decode_error{}}};
        if (found.code != 0 || (!row && !found.value.empty()))
            return fail{no("this chain keeps no " + std::string{table})};
        return row ? *std::move(row) : Row{};
    }

    /// All but the signature; `sign` is what the sender's key signs.
    outcome encode_transaction(arguments const& in, caller const&)
    {
        if (node_.calls() == nullptr) return fail{no("this chain's messages have no JSON")};
        ledger::transaction tx{};
        auto const sender = from_json<crypto::public_key>(in.at(1));
        if (!sender) return fail{wrong("\"sender\" is no public key: " + message(sender.error()))};
        tx.sender = *sender;
        auto const& list = in.at(0).get_array();
        if (list.empty() || list.size() > ledger::messages_max)
            return fail{wrong("a transaction has 1 to " + std::to_string(ledger::messages_max) +
                              " messages")};
        std::size_t size = 0;
        for (auto const& each : list) {
            auto const raw = node_.calls()->message(each);
            if (!raw) return fail{wrong(raw.error())};
            size += raw->size();
            if (size > ledger::transaction_bytes_max)
                return fail{wrong("a transaction has at most " +
                                  std::to_string(ledger::transaction_bytes_max) + " bytes")};
            auto said = decode<ledger::wire_message>(*raw);
            if (!said) return fail{wrong(message(said.error()))};
            tx.messages.push_back(*std::move(said));
        }
        BLENDR_TRY(auto const facts,
                   row_of<ledger::rules::row>("ledger/rules", encode(std::uint8_t{0})));
        tx.chain = facts.chain;
        if (in.has(2)) {
            tx.sequence = ledger::nonce{in.number(2)};
        } else {
            BLENDR_TRY(auto const purse,
                       row_of<ledger::purses::row>("ledger/purses",
                                                   encode(crypto::address_of(tx.sender))));
            tx.sequence = ledger::nonce{purse.nonce};
        }
        for (auto const& [at, member, otherwise] :
             {std::tuple{std::size_t{3}, &tx.fee_max, 10'000'000_grains},
              std::tuple{std::size_t{4}, &tx.tip, 0_grains}}) {
            *member = otherwise;
            if (!in.has(at)) continue;
            auto const value = from_json<amount>(in.at(at));
            if (!value) return fail{wrong("fees are whole numbers of grains, as texts")};
            *member = *value;
        }
        tx.expires = in.has(5) ? height{in.number(5)} : later(node_.status().last, 1000);
        auto const id = ledger::id_of(tx);
        auto whole = encode(tx);
        auto const tail = encode(tx.signature).size();
        return json::value(
            json::object{{"unsigned", to_hex(bytes_view{whole}.first(whole.size() - tail))},
                         {"sign", to_json(id)},
                         {"nonce", to_json(tx.sequence)},
                         {"expires", to_json(tx.expires)}});
    }

    outcome balance(arguments const& in, caller const&)
    {
        auto const who = crypto::parse_address(in.text(0));
        if (!who) return fail{wrong(message(who.error()))};
        auto const found = node_.view().query("ledger/purses", encode(*who));
        if (found.code != 0) return fail{no("this chain keeps no purses")};
        auto const row = decode<ledger::purses::row>(found.value);
        auto const purse = row ? *row : ledger::purses::row{};
        return json::value(
            json::object{{"balance", to_json(purse.balance)}, {"nonce", purse.nonce}});
    }

    outcome tables(arguments const&, caller const&)
    {
        json::array out{};
        for (auto const& each : node_.forms().tables()) out.emplace_back(each);
        return json::value(std::move(out));
    }

    outcome validators(arguments const& in, caller const&)
    {
        auto const last = node_.status().last;
        auto const at = in.has(0) ? height{in.number(0)} : later(last, 1);
        if (at == height{} || at > later(last, 2))
            return fail{no("who votes is known up to height " + std::to_string(last.get() + 2))};
        return to_json(node_.validators(at).set);
    }

    // ---- jobs of renters who sign elsewhere

    impl::chain_facts chain_facts()
    {
        impl::chain_facts out{};
        out.ask = [this](std::span<client::question const> all) {
            std::vector<result<bytes, std::string>> answers{};
            for (auto const& each : all) {
                auto const found = node_.view().query(each.path, each.what);
                if (found.code == 0)
                    answers.emplace_back(found.value);
                else
                    answers.emplace_back(
                        fail{"the chain does not answer " + std::string{each.path}});
            }
            return answers;
        };
        constexpr std::uint64_t lately = 16;
        auto const now = node_.status();
        if (now.last <= height{lately + 1}) return out;
        if (auto const old = node_.block(height{now.last.get() - lately}))
            out.block_ms = std::clamp<std::int64_t>((now.block_time - old->block.at.block_time) /
                                                        static_cast<std::int64_t>(lately),
                                                    10, 60'000);
        return out;
    }
    /// Planning takes time and reads what is to be done: it is for who sits at this machine, one at a
    /// time, so that other calls go on meanwhile.
    outcome planned(std::function<impl::json_outcome()> const& plan)
    {
        if (!local_) return fail{no("this node plans no jobs for others: it is not on loopback")};
        {
            std::unique_lock lock{planning_};
            if (!planned_.wait_for(lock, std::chrono::seconds{1}, [&] { return !plans_; }))
                return fail{rpc_error{refused, "another job is being planned; ask again", {}}};
            plans_ = true;
        }
        struct turn {
            body& of;
            ~turn()
            {
                {
                    std::lock_guard const lock{of.planning_};
                    of.plans_ = false;
                }
                of.planned_.notify_one();
            }
        } const mine{*this};
        try {
            impl::json_outcome out{};
            server_->meanwhile([&] { out = plan(); });
            if (!out) return fail{wrong(out.error())};
            return *std::move(out);
        } catch (std::bad_alloc const&) {
            return fail{wrong("the job does not fit into memory")};
        } catch (std::length_error const&) {
            return fail{wrong("the job does not fit into memory")};
        }
    }
    outcome job_apps(arguments const&, caller const&) { return impl::job_apps(); }
    outcome job_quote(arguments const& in, caller const&)
    {
        return planned([&] { return impl::quote_job(in.at(0), chain_facts()); });
    }
    outcome job_plan(arguments const& in, caller const&)
    {
        impl::plan_question const what{in.at(0), in.number(1), in.text(2),
                                       in.has(3) ? &in.at(3) : nullptr};
        return planned([&] {
            return impl::plan_job(what, chain_facts(), node_.status().last,
                                  [this](bytes_view raw) -> result<hash256, std::string> {
                                      auto const name = node_.put_blob(raw);
                                      if (!name) return fail{name.error()};
                                      return name->digest();
                                  });
        });
    }
    outcome job_unit(arguments const& in, caller const&)
    {
        return planned([&]() -> impl::json_outcome {
            auto const name = array_from_hex<32>(in.text(1));
            if (!name) return fail{message(name.error())};
            crypto::cid const input{crypto::content::raw, *name};
            auto const known = node_.blob(input);
            if (!known.held) return fail{std::string{"the unit's input is not held here"}};
            BLENDR_TRY(auto const packed, node_.read_blob(input, 0, known.size));
            return impl::make_unit(in.text(0), packed, stopping_.get_token());
        });
    }
    outcome job_files(arguments const& in, caller const&)
    {
        return planned([&] { return impl::files_of_job(in.at(0), in.at(1)); });
    }

    outcome peers(arguments const&, caller const&) { return to_json(node_.peers()); }
    outcome effective(arguments const&, caller const&) { return to_json(node_.settings()); }
    outcome discover(arguments const&, caller const&) { return openrpc(); }

    outcome subscribe(arguments const& in, caller const& who)
    {
        if (who.socket == 0) return fail{wrong("only a WebSocket, at /ws, can subscribe")};
        auto const topic = in.text(0);
        if (std::none_of(topic_kinds.begin(), topic_kinds.end(),
                         [&](auto const& each) { return each.name == topic; }))
            return fail{wrong("there is no topic \"" + std::string{topic} + "\"; there are " +
                              topic_list())};
        std::lock_guard const lock{subscribers_mutex_};
        subscribers_[std::string{topic}].insert(who.socket);
        return json::value(true);
    }
    outcome unsubscribe(arguments const& in, caller const& who)
    {
        std::lock_guard const lock{subscribers_mutex_};
        auto const found = subscribers_.find(std::string{in.text(0)});
        return json::value(found != subscribers_.end() && found->second.erase(who.socket) != 0);
    }

    // ---- events

    std::vector<net::socket_id> listeners(std::string const& topic)
    {
        std::lock_guard const lock{subscribers_mutex_};
        auto const found = subscribers_.find(topic);
        if (found == subscribers_.end()) return {};
        return {found->second.begin(), found->second.end()};
    }

    void push(std::string const& topic, std::vector<net::socket_id> const& to, json::value event)
    {
        auto const line = std::make_shared<std::string const>(json::serialize(
            json::object{{"jsonrpc", "2.0"},
                         {"method", "event"},
                         {"params", json::object{{"topic", topic}, {"event", std::move(event)}}}}));
        for (auto const each : to) server_->push(each, line);
    }

    void tell(committed_ptr const& b)
    {
        if (auto const to = listeners("blocks"); !to.empty())
            push("blocks", to,
                 json::object{{"height", b->block.at.at.get()},
                              {"id", to_json(b->block.id)},
                              {"time_ms", to_json(b->block.at.block_time)},
                              {"transactions", b->done.results.size()},
                              {"app_hash", to_json(b->done.app_hash)}});
        tell_of_contracts(*b);
        auto const to = listeners("transactions");
        if (to.empty()) return;
        auto const parts = node_.forms().block(b->block.payload);
        if (!parts) return;
        for (std::size_t i = 0; i < parts->transactions.size(); ++i) {
            json::object event{
                {"height", b->block.at.at.get()}, {"index", i}, {"id", to_json(parts->ids[i])}};
            if (auto const tx = node_.forms().transaction(parts->transactions[i]))
                event.emplace("transaction", *tx);
            if (i < b->done.results.size())
                event.emplace("receipt", node_.forms().receipt(b->done.results[i]));
            push("transactions", to, json::value(std::move(event)));
        }
    }

    void tell_of_contracts(committed_block const& b)
    {
        std::set<std::string_view> wanted{};
        for (auto const& each : topic_kinds)
            if (each.name != "blocks" && each.name != "transactions" &&
                !listeners(std::string{each.name}).empty())
                wanted.insert(each.name);
        if (wanted.empty()) return;
        watch_.on_block(node_, b, wanted, [&](std::string_view topic, json::value event) {
            std::string const name{topic};
            push(name, listeners(name), std::move(event));
        });
    }

    // ---- for those who watch over it

    net::http_reply health()
    {
        auto const s = node_.status();
        bool const good = s.state == "running" || s.state == "syncing";
        return {good ? 200u : 503u, "text/plain",
                s.state + (s.why.empty() ? "" : ": " + s.why) + '\n', true};
    }
    net::http_reply ready()
    {
        auto const s = node_.status();
        return {s.state == "running" ? 200u : 503u, "text/plain", s.state + '\n', true};
    }

    std::string prometheus()
    {
        auto const s = node_.status();
        std::string out{};
        auto const add = [&](std::string_view name, std::string_view type, std::string_view about,
                             std::uint64_t value) {
            auto const whole = "blendr_" + std::string{name};
            out += "# HELP " + whole + ' ' + std::string{about} + "\n# TYPE " + whole + ' ' +
                   std::string{type} + '\n' + whole + ' ' + std::to_string(value) + '\n';
        };
        add("height", "gauge", "The last committed block.", s.last.get());
        add("peers", "gauge", "Connected peers.", s.peers);
        add("waiting_transactions", "gauge", "Transactions that wait for a block.", s.waiting);
        add("transactions_total", "counter", "Transactions in blocks since the start.",
            s.transactions);
        add("validators", "gauge", "Who votes on the next block.", s.validators);
        add("running", "gauge", "1 while the node runs, 0 while it syncs or has failed.",
            s.state == "running" ? 1 : 0);
        std::uint64_t in = 0, sent = 0;
        for (auto const& each : node_.peers()) {
            in += each.bytes_in;
            sent += each.bytes_out;
        }
        add("peer_bytes_in", "gauge", "Bytes received from the peers of now.", in);
        add("peer_bytes_out", "gauge", "Bytes sent to the peers of now.", sent);
        if (server_) {
            auto const c = server_->count();
            add("rpc_requests_total", "counter", "HTTP requests.", c.requests);
            add("rpc_connections_refused_total", "counter", "Connections refused.", c.refused);
            add("rpc_sockets", "gauge", "Open WebSockets.", c.sockets);
            add("rpc_slow_sockets_total", "counter", "WebSockets dropped as too slow.", c.dropped);
        }
        for (auto const& [name, value] : node_.metrics())
            add("engine_" + name, "gauge", "Told by the engine.",
                static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0)));
        return out;
    }

    node& node_;
    std::unique_ptr<net::http_server> server_{};
    std::uint64_t subscription_ = 0;
    bool local_ = false;  // the explorer is for this machine; a proxy may show it to others
    std::mutex planning_{};
    std::condition_variable planned_{};
    bool plans_ = false;
    std::stop_source stopping_{};
    std::mutex subscribers_mutex_{};
    std::map<std::string, std::set<net::socket_id>> subscribers_{};
    topic_watch watch_{};  // on the thread that tells of blocks
};

std::vector<rpc_server::body::method> const& rpc_server::body::methods()
{
    parameter const raw{"raw", kind::truth, false, "with the bytes, in hex"};
    static std::string const topics_text = topic_list();
    std::string_view const topics_about{topics_text};
    static std::vector<method> const all{
        {"status", "Where the node stands.", {}, "object", &body::status},
        {"block",
         "A block: header, names of its transactions, what became of them.",
         {{"height", kind::number, false, "the last one if left out"}, raw},
         "object",
         &body::block},
        {"transaction",
         "A transaction: where it is, what it says, its receipt.",
         {{"id", kind::text, true, "64 digits of hex"}, raw},
         "object",
         &body::transaction},
        {"submit",
         "Offers a signed transaction; its name when it was taken.",
         {{"transaction", kind::text, true, "its encoding in hex"}},
         "string",
         &body::submit},
        {"submit_batch",
         "Offers many; an object with an id, or a code and a reason, for each.",
         {{"transactions", kind::list, true, "their encodings in hex"}},
         "array",
         &body::submit_batch},
        {"query",
         "A row of the last committed state.",
         {{"table", kind::text, true, "see `tables`"},
          {"key", kind::any, true, "in JSON"},
          {"proof", kind::truth, false, "with key, value and a proof, in hex"}},
         "object",
         &body::query},
        {"ask",
         "A contract's own query; a question in JSON is answered in JSON, one in hex in hex.",
         {{"path", kind::text, true, "<contract>/<query>; with ?proof behind it, proven"},
          {"question", kind::any, true, "an object, or its encoding in hex; see `queries`"}},
         "object",
         &body::ask},
        {"queries",
         "What contracts answer, with the members of each question.",
         {},
         "array",
         &body::queries},
        {"messages",
         "What transactions may say, with the members of each message.",
         {},
         "array",
         &body::messages},
        {"encode",
         "A transaction of messages in JSON: its bytes but for the signature, and what to sign.",
         {{"messages", kind::list, true, "{\"bank.transfer\": {\"to\": …, \"value\": …}}, …"},
          {"sender", kind::text, true, "the public key that will sign"},
          {"nonce", kind::number, false, "the sender's next one if left out"},
          {"fee_max", kind::text, false, "in grains; 0.01 BLND if left out"},
          {"tip", kind::text, false, "in grains"},
          {"expires", kind::number, false, "a thousand blocks from now if left out"}},
         "object",
         &body::encode_transaction},
        {"balance",
         "What an address owns, in grains, and its next nonce.",
         {{"address", kind::text, true, "blendr1…"}},
         "object",
         &body::balance},
        {"job_apps",
         "Apps that jobs may name, with a sentence each.",
         {},
         "array",
         &body::job_apps},
        {"job_quote",
         "What a job would cost, who matches and why others do not. On loopback only.",
         {{"job", kind::any, true,
           "{\"app\", \"options\", \"files\": [{\"name\", \"text\" or \"hex\"}], \"units\", …}"}},
         "object",
         &body::job_quote},
        {"job_plan",
         "The next stage of a job: puts its units' inputs; messages for its renter to sign.",
         {{"job", kind::any, true, "as in job_quote"},
          {"number", kind::number, true, "the stage's number on the chain"},
          {"seal", kind::text, true, "in hex, the key that results are sealed for"},
          {"results", kind::list, false, "of each stage before, its units' results in hex"}},
         "object",
         &body::job_plan},
        {"job_unit",
         "Does a unit whose input lies here, for a result that was judged and did not arrive.",
         {{"app", kind::text, true, "see job_apps"},
          {"input", kind::text, true, "in hex, the name of its input"}},
         "string",
         &body::job_unit},
        {"job_files",
         "The files that a job's results make, in hex.",
         {{"job", kind::any, true, "as in job_quote"},
          {"results", kind::list, true, "of each stage, its units' results in hex"}},
         "array",
         &body::job_files},
        {"tables", "What may be queried.", {}, "array", &body::tables},
        {"validators",
         "Who votes at a height.",
         {{"height", kind::number, false, "the next one if left out"}},
         "array",
         &body::validators},
        {"peers", "Who the node is connected with.", {}, "array", &body::peers},
        {"config", "The settings in effect.", {}, "object", &body::effective},
        {"subscribe",
         "Turns events on, on a WebSocket.",
         {{"topic", kind::text, true, topics_about}},
         "boolean",
         &body::subscribe},
        {"unsubscribe",
         "Turns them off.",
         {{"topic", kind::text, true, topics_about}},
         "boolean",
         &body::unsubscribe},
        {"rpc.discover", "This document.", {}, "object", &body::discover},
    };
    return all;
}

boost::json::value rpc_server::openrpc()
{
    json::array methods{};
    for (auto const& each : body::methods()) {
        json::array params{};
        for (auto const& p : each.parameters) {
            json::object schema{};
            auto const name = kind_names[static_cast<std::size_t>(p.type)];
            if (!name.empty()) schema.emplace("type", text(name));
            params.push_back(json::object{{"name", text(p.name)},
                                          {"description", text(p.about)},
                                          {"required", p.required},
                                          {"schema", std::move(schema)}});
        }
        methods.push_back(json::object{
            {"name", text(each.name)},
            {"summary", text(each.about)},
            {"params", std::move(params)},
            {"result", json::object{{"name", "result"},
                                    {"schema", json::object{{"type", text(each.result)}}}}}});
    }
    json::array topics{};
    for (auto const& each : topic_kinds)
        topics.push_back(json::object{{"name", text(each.name)}, {"summary", text(each.about)}});
    return json::object{
        {"openrpc", "1.2.6"},
        {"info", json::object{{"title", "libblendr node"}, {"version", text(header_version)}}},
        {"methods", std::move(methods)},
        {"x-topics", std::move(topics)}};
}

rpc_server::rpc_server(node& of) : body_{std::make_unique<body>(of)} {}
rpc_server::~rpc_server() = default;
result<std::string, std::string> rpc_server::start() { return body_->start(); }
void rpc_server::stop() { body_->stop(); }
std::string rpc_server::answer(std::string_view text) { return body_->answer(text, {}); }

}  // namespace blendr::node
