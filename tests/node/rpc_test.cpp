// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/rpc.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/support.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>

#include <blendr/core/json.hpp>
#include <blendr/core/random.hpp>
#include <blendr/crypto/json.hpp>
#include <blendr/ledger/base.hpp>
#include <blendr/ledger/registry.hpp>
#include <blendr/net/http.hpp>
#include <blendr/node/standard_chain.hpp>
#include <blendr/state/proof.hpp>
#include <blendr/work/app.hpp>
#include <node/job_calls.hpp>

#include "common.hpp"

using namespace blendr;
using namespace blendr::test;

namespace {

struct served {
    explicit served(std::function<void(node::config&)> const& change = {})
    {
        node::node_parts parts{{},
                               person(1),
                               small_genesis(1),
                               node::standard_chain(),
                               node::engine_registry::standard(),
                               {},
                               quiet()};
        parts.with.home.clear();
        parts.with.consensus = "solo";
        parts.with.engine.interval_ms = 20;
        parts.with.rpc.batch_max = 4;
        parts.with.threads = 1;
        if (change) change(parts.with);
        auto made = node::node::start(std::move(parts));
        REQUIRE(made);
        it = *std::move(made);
        rpc = std::make_unique<node::rpc_server>(*it);
    }
    boost::json::value ask(std::string const& method, std::string const& params = "[]")
    {
        return *parse_json(rpc->answer(R"({"jsonrpc":"2.0","id":7,"method":")" + method +
                                       R"(","params":)" + params + "}"));
    }
    int error(std::string const& text)
    {
        return parse_json(rpc->answer(text))->at("error").at("code").to_number<int>();
    }

    std::unique_ptr<node::node> it{};
    std::unique_ptr<node::rpc_server> rpc{};
};

}  // namespace

TEST_CASE("rpc: a transfer is offered, found, explained by its receipt, and seen in the balance")
{
    served s{};
    auto const bob = person(101).account();
    auto const raw = to_hex(transfer(person(100), bob, 0));
    auto const sent = s.ask("submit", "[\"" + raw + "\"]");
    std::string const id{sent.at("result").as_string()};
    boost::json::value tx{};
    REQUIRE(eventually([&] {
        auto const said = s.ask("transaction", R"({"id":")" + id + R"("})");
        auto const* found = said.as_object().if_contains("result");
        if (found != nullptr) tx = *found;
        return found != nullptr && tx.at("state").as_string() == "committed";
    }));
    // what is committed is seen by who asks next
    CHECK(s.ask("balance", "[\"" + to_text(bob) + "\"]").at("result").at("balance").as_string() ==
          "1000000000");
    CHECK(tx.at("receipt").at("result").as_string() == "ok");
    CHECK(tx.at("transaction").at("messages").at(0).as_object().contains("bank.transfer"));
    auto const at = std::to_string(tx.at("height").to_number<int>());
    auto const block = s.ask("block", "[" + at + ",true]").at("result");
    CHECK(block.at("transactions").at(0).as_string() == id);
    CHECK(block.as_object().contains("payload"));
    // A refusal carries the frozen code and its sentence.
    auto const again = s.ask("submit", "[\"" + raw + "\"]").at("error");
    CHECK(again.at("code").to_number<int>() == -32000);
    CHECK(again.at("data").at("code").to_number<std::uint32_t>() ==
          code(ledger::reject::stale_nonce));
    CHECK(again.at("message").as_string() == message(ledger::reject::stale_nonce));
}

TEST_CASE(
    "rpc: a row comes with a proof on request, which holds under the next header's state root")
{
    served s{};
    auto const owner = person(100).account();
    REQUIRE(eventually([&] { return s.it->status().last > height{}; }));
    for (int tries = 0;; ++tries) {
        REQUIRE(tries < 50);
        auto const before = s.it->status().last;
        auto const got =
            s.ask("query", R"(["ledger/purses",")" + to_text(owner) + R"(",true])").at("result");
        if (s.it->status().last != before) continue;  // it moved on meanwhile
        CHECK(got.at("present").as_bool());
        REQUIRE(eventually([&] { return s.it->status().last > before; }));
        auto const next = s.ask("block", "[" + std::to_string(before.get() + 1) + "]").at("result");
        auto const root = from_json<hash256>(next.at("header").at("after_parent").at("state"));
        REQUIRE(root);
        auto const hex = [&](char const* name) {
            auto const& text = got.at(name).as_string();
            return *from_hex({text.data(), text.size()});
        };
        auto const proof = hex("proof");
        auto const key = ledger::state_key<ledger::base, ledger::purses>(owner);
        auto const value = hex("value");
        CHECK(state::verify(*root, key, bytes_view{value}, proof));
        break;
    }
}

TEST_CASE("rpc: malformed requests have the codes of JSON-RPC, and notifications no answer")
{
    served s{};
    CHECK(s.error("{") == -32700);
    CHECK(s.error(std::string(5000, '[')) == -32700);
    CHECK(s.error("3") == -32600);
    CHECK(s.error("[]") == -32600);
    CHECK(s.error("[1,2,3,4,5]") == -32600);  // more than a batch may hold
    CHECK(s.error(R"({"jsonrpc":"1.0","id":1,"method":"status"})") == -32600);
    CHECK(s.error(R"({"jsonrpc":"2.0","id":{},"method":"status"})") == -32600);
    CHECK(s.error(R"({"jsonrpc":"2.0","id":1e400,"method":"status"})") == -32600);
    CHECK(s.error(R"({"jsonrpc":"2.0","id":true,"method":"status"})") == -32600);
    CHECK(s.error(R"({"jsonrpc":"2.0","id":1,"method":"dance"})") == -32601);
    CHECK(s.error(R"({"jsonrpc":"2.0","id":1,"method":"balance"})") == -32602);
    CHECK(s.error(R"({"jsonrpc":"2.0","id":1,"method":"balance","params":[5]})") == -32602);
    CHECK(s.error(R"({"jsonrpc":"2.0","id":1,"method":"status","params":[5]})") == -32602);
    CHECK(s.error(R"({"jsonrpc":"2.0","id":1,"method":"submit","params":["xy"]})") == -32602);
    CHECK(s.error(R"({"jsonrpc":"2.0","id":1,"method":"subscribe","params":["blocks"]})") ==
          -32602);
    CHECK(s.error(R"({"jsonrpc":"2.0","id":1,"method":"block","params":[999999]})") == -32001);
    CHECK(s.rpc->answer(R"({"jsonrpc":"2.0","method":"status"})").empty());
    auto const batch = *parse_json(s.rpc->answer(
        R"([{"jsonrpc":"2.0","id":1,"method":"status"},{"jsonrpc":"2.0","method":"status"},7])"));
    REQUIRE(batch.as_array().size() == 2);
    CHECK(batch.at(0).at("id").to_number<int>() == 1);
    CHECK(batch.at(1).at("error").at("code").to_number<int>() == -32600);
}

TEST_CASE("rpc: noise in, valid JSON out" * doctest::test_suite("property"))
{
    INFO("seed " << seed());
    rng random{seed()};
    served s{};
    std::string const good =
        R"([{"jsonrpc":"2.0","id":1,"method":"block","params":{"height":1,"raw":true}}])";
    for (int i = 0; i < 3000; ++i) {
        auto bent = good;
        for (auto n = 1 + random.below(4); n > 0; --n) {
            auto const at = random.below(bent.size());
            bent[at] = static_cast<char>(32 + random.below(95));
        }
        auto const out = s.rpc->answer(bent);
        if (!out.empty()) CHECK(parse_json(out));
    }
}

TEST_CASE("rpc: the OpenRPC document names every method, and each can be called as it says")
{
    served s{};
    auto const document = s.ask("rpc.discover").at("result");
    std::set<std::string> names{};
    for (auto const& m : document.at("methods").as_array()) {
        std::string const name{m.at("name").as_string()};
        CHECK(names.insert(name).second);
        // Arguments of the kinds that it asks for lead to an answer or to a refusal that is not about kinds.
        boost::json::object params{};
        for (auto const& p : m.at("params").as_array()) {
            auto const& schema = p.at("schema").as_object();
            std::string const type =
                schema.contains("type") ? std::string{schema.at("type").as_string()} : "";
            params[p.at("name").as_string()] = type == "string"    ? boost::json::value("x")
                                               : type == "integer" ? boost::json::value(1)
                                               : type == "boolean" ? boost::json::value(true)
                                               : type == "array"
                                                   ? boost::json::value(boost::json::array{})
                                                   : boost::json::value("x");
        }
        auto const got = s.ask(name, to_text(boost::json::value(params)));
        auto const* error = got.as_object().if_contains("error");
        if (error != nullptr) {
            CHECK(error->at("code").to_number<int>() != -32601);
            CHECK(std::string{error->at("message").as_string()}.find("is missing") ==
                  std::string::npos);
            CHECK(std::string{error->at("message").as_string()}.find("nobody asked") ==
                  std::string::npos);
        } else {
            auto const& type = m.at("result").at("schema").at("type").as_string();
            auto const& result = got.at("result");
            CHECK((type == "object"   ? result.is_object()
                   : type == "array"  ? result.is_array()
                   : type == "string" ? result.is_string()
                                      : result.is_bool()));
        }
    }
    CHECK(names.size() >= 14);
}

TEST_CASE("rpc: health, readiness and metrics are served beside the calls")
{
    served s{};
    auto const where = s.rpc->start();
    REQUIRE(where);
    CHECK(s.it->status().rpc == *where);
    CHECK(net::http_ask(*where, "GET", "/health")->status == 200);
    CHECK(net::http_ask(*where, "GET", "/ready")->status == 200);
    CHECK(net::http_ask(*where, "GET", "/metrics")->body.find("\nblendr_height ") !=
          std::string::npos);
    CHECK(parse_json(net::http_ask(*where, "GET", "/openrpc.json")->body));
    CHECK(net::http_ask(*where, "GET", "/nothing")->status == 404);
    auto const got =
        net::http_ask(*where, "POST", "/", R"({"jsonrpc":"2.0","id":"a","method":"status"})");
    REQUIRE(got);
    CHECK(parse_json(got->body)->at("result").at("state").as_string() == "running");
    s.it->stop();
    CHECK(net::http_ask(*where, "GET", "/health")->status == 503);
}

TEST_CASE("rpc: contracts are asked in JSON, and answer in JSON or with a proof")
{
    served on;
    auto const who = to_text(person(1).account());
    auto const job =
        on.ask("ask", R"(["escrow/job_of", {"job": {"renter": ")" + who + R"(", "number": 1}}])");
    CHECK_FALSE(job.at("result").at("answer").at("known").as_bool());
    CHECK(
        on.ask("ask", R"(["market/instruments", {"after": null}])").as_object().contains("error"));
    CHECK(on.ask("queries").at("result").as_array().size() > 10);
    CHECK(on.ask("messages").at("result").as_array().size() > 40);
    for (auto const* wrong : {R"(["escrow/none", {}])", R"(["escrow/job_of", {}])",
                              R"(["escrow/job_of", "zz"])", R"(["escrow/job_of", []])"}) {
        CAPTURE(wrong);
        CHECK(on.ask("ask", wrong).at("error").at("code").to_number<int>() == -32602);
    }
}

TEST_CASE("rpc: a transaction of messages in JSON is encoded, signed by its sender and taken")
{
    served on;
    auto const from = person(100);
    auto const to = to_text(person(2).account());
    auto const made =
        on.ask("encode", R"([[{"bank.transfer": {"to": ")" + to +
                             R"(", "value": "2000000000"}}], ")" + to_text(from.self()) + R"("])");
    REQUIRE(made.as_object().contains("result"));
    auto const& unsigned_part = made.at("result").at("unsigned").as_string();
    auto raw = *from_hex({unsigned_part.data(), unsigned_part.size()});
    // what a page or a device with the key does: sign 32 bytes, append the signature
    ledger::transaction empty{};
    auto const none = encode(empty.signature);
    raw.insert(raw.end(), none.begin(), none.end());
    auto tx = *decode<ledger::transaction>(raw);
    CHECK(to_json(ledger::id_of(tx)) == made.at("result").at("sign"));
    ledger::sign(tx, from);
    CHECK(on.ask("submit", R"([")" + to_hex(encode(tx)) + R"("])").as_object().contains("result"));
    CHECK(eventually([&] {
        return on.ask("balance", R"([")" + to + R"("])").at("result").at("balance").as_string() ==
               "2000000000";
    }));
    auto const key = to_text(from.self());
    for (auto const& wrong :
         {R"([[], ")" + key + R"("])", R"([[{}], ")" + key + R"("])",
          R"([[{"bank.transfer": {}}], ")" + key + R"("])", std::string{R"([[{"a.b": 1}], "me"])"},
          R"([[{"bank.dance": {}}], ")" + key + R"("])",
          R"([[{"bank.transfer": {"to": ")" + to + R"(", "value": "1"}}], ")" + key +
              R"(", 0, "much"])"}) {
        CAPTURE(wrong);
        CHECK(on.ask("encode", wrong).at("error").at("code").to_number<int>() == -32602);
    }
}

TEST_CASE("rpc: a blob is put, and got whole or in part by its name")
{
    served s{};
    auto const where = *s.rpc->start();
    std::string whole(600'000, 'a');
    for (std::size_t i = 0; i < whole.size(); ++i) whole[i] = static_cast<char>('a' + i % 26);
    auto const put = net::http_ask(where, "PUT", "/blobs", whole);
    REQUIRE(put);
    CHECK(put->status == 201);
    auto const name = to_text(crypto::cid::of(as_bytes(whole)));
    CHECK(parse_json(put->body)->at("cid").as_string() == name);
    auto const path = "/blobs/" + name;
    auto const get = [&](std::string const& range) {
        return net::http_ask(where, "GET", path, {}, 10'000, range).value();
    };
    CHECK(get({}).status == 200);
    CHECK(get({}).body == whole);
    CHECK(get("bytes=0-9").status == 206);
    CHECK(get("bytes=0-9").body == whole.substr(0, 10));
    CHECK(get("bytes=262140-262150").body == whole.substr(262'140, 11));
    CHECK(get("bytes=599990-").body == whole.substr(599'990));
    CHECK(get("bytes=-5").body == whole.substr(whole.size() - 5));
    CHECK(get("bytes=0-18446744073709551615").body == whole);
    CHECK(get("bytes=600000-").status == 416);
    CHECK(get("bytes=-0").status == 416);
    for (auto const* odd : {"bytes=5-2", "bytes=", "bytes=-", "bytes=a-b", "lines=1-2",
                            "bytes=0-1,4-5", "bytes=99999999999999999999-"})
        CHECK(get(odd).status == 200);
    CHECK(net::http_ask(where, "GET", "/blobs/none")->status == 400);
    CHECK(net::http_ask(where, "PUT", path, "x")->status == 405);
    CHECK(net::http_ask(where, "GET", "/blobs")->status == 405);
    // nobody has it: it is asked for, and nothing else waits meanwhile
    auto const other = to_text(crypto::cid::of(as_bytes("other")));
    auto const missing = net::http_ask(where, "GET", "/blobs/" + other);
    CHECK(missing->status == 503);
    CHECK(missing->body.find("fetched from peers") != std::string::npos);
}

TEST_CASE("rpc: blobs have a greatest size and a quota, and are refused in words")
{
    served s{[](node::config& c) {
        c.blobs.bytes_max = 3 << 20;
        c.blobs.quota_bytes = 4 << 20;
    }};
    auto const where = *s.rpc->start();
    CHECK(net::http_ask(where, "PUT", "/blobs", std::string(std::size_t{3} << 20, 'x'))->status ==
          201);
    auto const full = net::http_ask(where, "PUT", "/blobs", std::string(std::size_t{2} << 20, 'y'));
    CHECK(full->status == 507);
    CHECK(full->body.find("no room") != std::string::npos);
    for (auto const& [method, path, size] :
         {std::tuple{"POST", "/", std::size_t{3} << 20},
          std::tuple{"PUT", "/blobs", (std::size_t{3} << 20) + 1}}) {
        auto const large = net::http_ask(where, method, path, std::string(size, 'z'));
        REQUIRE(large.has_value());  // although the answer comes while the sender writes
        CHECK(large->status == 413);
    }
}

TEST_CASE("rpc: HEAD is answered like GET, without the body")
{
    served s{};
    auto const where = *s.rpc->start();
    auto const whole = net::http_ask(where, "GET", "/metrics", {});
    auto const head = net::http_ask(where, "HEAD", "/metrics", {});
    REQUIRE((whole.has_value() && head.has_value()));
    CHECK(whole->status == 200);
    CHECK(!whole->body.empty());
    CHECK(head->status == 200);
    CHECK(head->body.empty());
}

TEST_CASE("rpc: whatever a job says it is refused in words, and other calls go on meanwhile")
{
    served s{[](auto& with) { with.rpc.listen = "127.0.0.1:0"; }};
    auto const where = s.rpc->start();
    REQUIRE(where);
    auto const call = [&](std::string const& method, std::string const& params) {
        auto const got = net::http_ask(*where, "POST", "/jobs",
                                       R"({"jsonrpc":"2.0","id":1,"method":")" + method +
                                           R"(","params":)" + params + "}",
                                       60'000);
        REQUIRE(got);
        return *parse_json(got->body);
    };
    auto const quoted = [](std::string const& app, std::string const& options,
                           std::string const& text, std::string const& more = "") {
        return R"([{"app":")" + app + R"(","options":)" + options +
               R"(,"files":[{"name":"f","text":")" + text + R"("}])" + more + "}]";
    };
    std::string wide = "c0";
    for (int i = 1; i < 50'000; ++i) wide += ",c" + std::to_string(i);
    std::vector<std::string> const hostile{
        quoted("render", R"({"scene":"f","width":1000000000,"height":1000000000})", ""),
        quoted("render", R"({"scene":"f","width":-1,"height":1})", ""),
        quoted("render", R"({"scene":"f"})", std::string(100'000, 'x')),
        quoted("render", R"({"scene":"f"})", "", R"(,"units":4294967295)"),
        quoted("hash", R"({"file":"f","block_bytes":0})", "x"),
        quoted("train", R"({"file":"f","answer":"c1"})", wide + "\\n" + std::string(49'999, ',')),
        quoted("train", R"({"file":"f"})", "a,b\\n\\u0000\\u0001,\\u0002"),
        quoted("matmul", R"({"a":"f","b":"f"})", "\\u0093NUMPY"),
        R"([{"app":"render","options":{},"files":[{"name":"f","hex":"0"}]}])",
        R"([{"app":"render","options":{},"files":[7]}])",
        R"([{"nobody":1}])",
        "[7]",
    };
    std::atomic<bool> over{false};
    std::atomic<int> answered{0};
    std::thread other{[&] {
        while (!over)
            if (auto const got = net::http_ask(*where, "GET", "/health"); got && got->status == 200)
                ++answered;
    }};
    for (auto const& each : hostile) {
        auto const said = call("job_quote", each);
        INFO(each.substr(0, 100));
        REQUIRE(said.as_object().contains("error"));
        CHECK(!said.at("error").at("message").as_string().empty());
    }
    CHECK(call("job_files", R"([{"app":"render"},[[["00"]]]])").as_object().contains("error"));
    CHECK(call("job_unit", R"(["render",")" + std::string(64, '0') + R"("])")
              .as_object()
              .contains("error"));
    over = true;
    other.join();
    CHECK(answered > 0);
    auto const page = net::http_ask(*where, "POST", "/jobs", std::string(100'000, '['));
    REQUIRE(page);
    CHECK(page->body.find("-32700") != std::string::npos);
}

TEST_CASE("rpc: a unit that lasts too long is ended, and so is one whose node stops")
{
    work::order of{};
    of.options = R"({"scene":"f","width":512,"height":512,"samples":65536,"bounces":64})";
    of.files.push_back(
        {"f", to_bytes(std::string_view{"camera 0 0 5 look 0 0 0 angle 30 aperture 0 focus 5\n"
                                        "sky 0 0 1 horizon 1 1 1\nmaterial m diffuse 1 1 1\n"
                                        "sphere 0 0 0 1 m\n"})});
    auto const task = work::find_app("render")->make(of, {});
    REQUIRE(task);
    auto const first = (*task)->next({});
    REQUIRE(first);
    auto const packed = work::pack((**first).units.front());
    auto const begun = std::chrono::steady_clock::now();
    auto const late = node::impl::make_unit("render", packed, {}, std::chrono::milliseconds{50});
    REQUIRE(!late);
    CHECK(late.error() == "the unit was not done within 50 ms");
    std::stop_source stopped{};
    stopped.request_stop();
    CHECK(!node::impl::make_unit("render", packed, stopped.get_token()));
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds{45});
}
