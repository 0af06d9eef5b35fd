// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/client.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <blendr/core/json.hpp>
#include <blendr/crypto/bech32.hpp>
#include <blendr/crypto/json.hpp>
#include <blendr/ledger/base.hpp>
#include <blendr/net/http.hpp>

namespace blendr::node {
namespace {

namespace json = boost::json;

std::string text_of(json::value const& v)
{
    auto const* const s = v.if_string();
    return s != nullptr ? std::string{s->data(), s->size()} : to_text(v);
}

json::object request(std::uint64_t id, std::string_view method, json::value params)
{
    return {{"jsonrpc", "2.0"},
            {"id", id},
            {"method", json::string_view{method.data(), method.size()}},
            {"params", std::move(params)}};
}

result<json::value, std::string> result_of(json::value const& answer)
{
    auto const* const all = answer.if_object();
    if (all == nullptr) return fail{std::string{"the answer is not one of a node"}};
    if (auto const* const error = all->if_contains("error")) {
        auto const* const said =
            error->is_object() ? error->get_object().if_contains("message") : nullptr;
        return fail{said != nullptr ? text_of(*said) : std::string{"an error without words"}};
    }
    auto const* const found = all->if_contains("result");
    if (found == nullptr) return fail{std::string{"the answer is not one of a node"}};
    return *found;
}

result<json::value, std::string> post(std::string const& rpc, std::string body,
                                      std::int64_t limit_ms)
{
    auto const got = net::http_ask(rpc, "POST", "/", std::move(body), limit_ms);
    if (!got)
        return fail{"no node answers at " + rpc + " (" + std::string{message(got.error())} +
                    "); is it running, and is the address right?"};
    auto read = parse_json(got->body);
    if (!read) return fail{rpc + " does not answer like a node"};
    return *std::move(read);
}

result<bytes, std::string> value_of(result<json::value, std::string> const& answer)
{
    if (!answer) return fail{answer.error()};
    auto const* const all = answer->if_object();
    auto const* const value = all != nullptr ? all->if_contains("value") : nullptr;
    if (value == nullptr || !value->is_string())
        return fail{std::string{"the answer has no value"}};
    auto raw = from_hex(std::string_view{value->get_string().data(), value->get_string().size()});
    if (!raw) return fail{message(raw.error())};
    return *std::move(raw);
}

template <class T>
result<T, std::string> member(json::value const& of, std::string_view name)
{
    auto const* const all = of.if_object();
    auto const* const found =
        all != nullptr ? all->if_contains({name.data(), name.size()}) : nullptr;
    if (found == nullptr) return fail{"the node says no \"" + std::string{name} + '"'};
    auto out = from_json<T>(*found);
    if (!out) return fail{message(out.error())};
    return *std::move(out);
}

}  // namespace

result<json::value, std::string> client::call(std::string_view method, json::value params) const
{
    BLENDR_TRY(auto const answer,
               post(rpc_, to_text(request(1, method, std::move(params))), limit_ms_));
    return result_of(answer);
}

result<bytes, std::string> client::ask(std::string_view path, bytes_view what) const
{
    return value_of(call("ask", json::array{std::string{path}, to_hex(what)}));
}

std::vector<result<bytes, std::string>> client::ask(std::span<question const> all) const
{
    constexpr std::size_t at_once = 64;
    std::vector<result<bytes, std::string>> out{};
    out.reserve(all.size());
    while (out.size() < all.size()) {
        auto const from = out.size();
        auto const count = std::min(at_once, all.size() - from);
        json::array batch{};
        for (std::size_t i = 0; i < count; ++i)
            batch.push_back(
                request(i, "ask",
                        json::array{std::string{all[from + i].path}, to_hex(all[from + i].what)}));
        auto const answer = post(rpc_, to_text(batch), limit_ms_);
        if (!answer || !answer->is_array() || answer->get_array().size() != count) {
            auto const why = answer ? std::string{"the node answers a batch with something else"}
                                    : answer.error();
            while (out.size() < all.size()) out.emplace_back(fail{why});
            break;
        }
        for (auto const& each : answer->get_array()) out.push_back(value_of(result_of(each)));
    }
    return out;
}

result<client::standing, std::string> client::where() const
{
    BLENDR_TRY(auto const s, call("status", json::array{}));
    BLENDR_TRY(auto const last, member<height>(s, "last"));
    BLENDR_TRY(auto const time, member<time_ms>(s, "block_time"));
    BLENDR_TRY(auto state, member<std::string>(s, "state"));
    return standing{last, time, std::move(state)};
}

result<client::purse, std::string> client::purse_of(crypto::address const& who) const
{
    BLENDR_TRY(auto const s, call("balance", json::array{to_text(who)}));
    BLENDR_TRY(auto const balance, member<amount>(s, "balance"));
    BLENDR_TRY(auto const nonce, member<std::uint64_t>(s, "nonce"));
    return purse{balance, nonce};
}

result<ledger::chain_id, std::string> client::chain() const
{
    auto const found = row<ledger::base, ledger::rules>(0);
    if (!found) return fail{found.error()};
    return found->chain;
}

result<hash256, std::string> client::submit(ledger::transaction const& tx) const
{
    BLENDR_TRY(auto const id, call("submit", json::array{to_hex(encode(tx))}));
    auto out = from_json<hash256>(id);
    if (!out) return fail{message(out.error())};
    return *out;
}

result<std::optional<client::fate>, std::string> client::fate_of(hash256 const& tx) const
{
    auto const t = call("transaction", json::array{to_hex(tx)});
    if (!t) {
        if (t.error().starts_with("no node answers")) return fail{t.error()};
        return std::nullopt;
    }
    BLENDR_TRY(auto const state, member<std::string>(*t, "state"));
    if (state != "committed") return std::nullopt;
    fate out{};
    BLENDR_TRY(out.at, member<height>(*t, "height"));
    auto const* const receipt = t->get_object().if_contains("receipt");
    if (receipt == nullptr) return out;  // in a block; what became of it is not known any more
    BLENDR_TRY(out.code, member<std::uint32_t>(*receipt, "code"));
    BLENDR_TRY(out.what, member<std::string>(*receipt, "result"));
    if (auto const fee = member<amount>(*receipt, "fee")) out.fee = *fee;
    return out;
}

// ---------------------------------------------------------------- outbox

void outbox::refuse(std::string const& name, std::string why)
{
    not_before_[name] = later(now_, try_again_after);
    refused_.push_back({name, std::move(why)});
}

void outbox::settle(height now)
{
    now_ = now;
    std::erase_if(not_before_, [&](auto const& each) { return each.second <= now; });
    for (auto it = sent_.begin(); it != sent_.end();) {
        auto const found = node_.fate_of(it->second.id);
        if (!found) return;  // the node is away: nothing is known
        if (*found) {
            fees_ += (*found)->fee;
            if ((*found)->code != 0) refuse(it->first, (*found)->what);
            it = sent_.erase(it);
        } else if (now > it->second.expires) {
            refuse(it->first, "no block took it in time");
            nonce_.reset();
            it = sent_.erase(it);
        } else {
            ++it;
        }
    }
    if (sent_.empty()) nonce_.reset();  // others may use the key, too
}

bool outbox::say(std::string const& name, std::vector<ledger::wire_message> messages)
{
    if (sent_.contains(name) || not_before_.contains(name)) return false;
    if (!chain_) {
        auto const chain = node_.chain();
        if (!chain) return false;
        chain_ = *chain;
    }
    if (!nonce_) {
        auto const purse = node_.purse_of(me_.account());
        if (!purse) return false;
        nonce_ = purse->nonce;
    }
    ledger::transaction tx{};
    tx.chain = *chain_;
    tx.sequence = ledger::nonce{*nonce_};
    tx.fee_max = fee_max_;
    tx.expires = later(now_, give_up_after);
    for (auto& each : messages) tx.messages.push_back(std::move(each));
    ledger::sign(tx, me_);
    auto const done = node_.submit(tx);
    if (!done) {
        refuse(name, done.error());
        nonce_.reset();
        return false;
    }
    ++*nonce_;
    sent_[name] = {*done, tx.expires};
    return true;
}

}  // namespace blendr::node
