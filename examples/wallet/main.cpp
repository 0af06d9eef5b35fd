// SPDX-License-Identifier: Apache-2.0
// wallet: keys, balances, payments and every other message of the standard chain, from a terminal.
// needs: node
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <blendr/core/json.hpp>
#include <blendr/crypto/bech32.hpp>
#include <blendr/crypto/json.hpp>
#include <blendr/crypto/keystore.hpp>
#include <blendr/ledger/message.hpp>
#include <blendr/net/http.hpp>
#include <blendr/node/standard_chain.hpp>

#include "job.hpp"

using namespace blendr;
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

node::call_forms const& forms()
{
    static auto const kind = node::standard_chain();
    return *kind.calls;
}

constexpr std::string_view usage = R"(a wallet for a libblendr chain

  keys new NAME | keys list | keys import NAME --seed-file FILE     keystores below --home (default: wallet-home)
  balance [ADDRESS]                      what an address owns; without one, your own
  send --to ADDRESS --value 2.5          pays
  call MESSAGE --member value ...        any message of any contract; `call` alone lists them all
  order place|cancel|replace ...         call market.… (bond ... likewise: call bond.…)
  show TABLE KEY                         a row of the state, say: show ledger/facts 0
  explain TRANSACTION                    what it did and what it cost, in words
  submit FILE                            a transaction signed elsewhere
  status

Flags: --rpc HOST:PORT (127.0.0.1:26603)  --home DIR  --key NAME (default)  --fee BLND  --valid-until HEIGHT  --no-wait  --json
Offline: sign with --offline --chain N --nonce N --valid-until HEIGHT --out FILE, carry the file, submit it.
A passphrase comes from BLENDR_PASSPHRASE or --passphrase-file.
)";

std::string usage_text()
{
    std::string out{usage};
    out.insert(out.find("  show TABLE"), jobs::usage);
    return out;
}

using failure = jobs::failure;

struct command {
    std::vector<std::string> words{};
    std::map<std::string, std::string> flags{};
    std::vector<std::string> rest{};  // members of a message
    bool json = false, wait = true, offline = false;
};

command read(int argc, char** argv)
{
    std::vector<std::string> const own{
        "rpc",      "home", "key", "fee", "valid-until", "chain", "nonce", "out", "passphrase-file",
        "seed-file"};
    command out{};
    for (int i = 1; i < argc; ++i) {
        std::string const word = argv[i];
        if (word == "--help")
            out.words = {out.words.empty() ? "help" : out.words[0], "help"};
        else if (word == "--json")
            out.json = true;
        else if (word == "--no-wait")
            out.wait = false;
        else if (word == "--offline")
            out.offline = true;
        else if (word.starts_with("--")) {
            if (i + 1 == argc) throw failure{word + " needs a value"};
            std::string const value = argv[++i];
            if (std::find(own.begin(), own.end(), word.substr(2)) != own.end())
                out.flags[word.substr(2)] = value;
            else
                out.rest.insert(out.rest.end(), {word, value});
        } else {
            out.words.push_back(word);
        }
    }
    return out;
}

std::string flag(command const& c, std::string const& name, std::string otherwise)
{
    auto const found = c.flags.find(name);
    return found == c.flags.end() ? otherwise : found->second;
}

std::uint64_t number(command const& c, std::string const& name)
{
    auto const text = flag(c, name, "");
    char* end = nullptr;
    auto const out = std::strtoull(text.c_str(), &end, 10);
    if (text.empty() || *end != 0) throw failure{"--" + name + " must be a number"};
    return out;
}

std::string file_text(fs::path const& path)
{
    std::ifstream in{path, std::ios::binary};
    if (!in) throw failure{"cannot read " + path.string()};
    return {std::istreambuf_iterator<char>{in}, {}};
}

// ---- the node

json::value ask(command const& c, std::string const& method, json::value params)
{
    auto const rpc = flag(c, "rpc", "127.0.0.1:26603");
    auto const got = net::http_ask(
        rpc, "POST", "/",
        to_text(json::object{
            {"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", std::move(params)}}));
    if (!got)
        throw failure{"no node answers at " + rpc + " (" + std::string{message(got.error())} +
                      "); is it running, and is --rpc right?"};
    auto const read = parse_json(got->body);
    if (!read || !read->is_object()) throw failure{rpc + " does not answer like a node"};
    auto const& answer = read->get_object();
    if (auto const* error = answer.if_contains("error"))
        throw failure{std::string{error->at("message").as_string()}};
    return answer.at("result");
}

json::value row(command const& c, std::string const& table, json::value key)
{
    return ask(c, "query", json::array{table, std::move(key)}).at("row");
}

amount grains(json::value const& text)
{
    auto const out = from_json<amount>(text);
    return out ? *out : amount{};
}

// ---- keys

fs::path home(command const& c) { return flag(c, "home", "wallet-home"); }
fs::path key_file(command const& c, std::string const& name)
{
    // --key may also name a file, such as the wallet.key of `fullnode network`.
    return name.find('/') != name.npos ? fs::path{name} : home(c) / (name + ".key");
}

crypto::secret passphrase(command const& c)
{
    if (c.flags.contains("passphrase-file")) {
        auto text = file_text(c.flags.at("passphrase-file"));
        while (!text.empty() && text.back() == '\n') text.pop_back();
        return crypto::secret::take(text);
    }
    auto const* given = std::getenv("BLENDR_PASSPHRASE");
    std::string text = given != nullptr ? given : "";
    return crypto::secret::take(text);
}

crypto::identity open_key(command const& c)
{
    auto const name = flag(c, "key", "default");
    auto key = crypto::open_keystore(key_file(c, name), passphrase(c));
    if (!key)
        throw failure{message(key.error()) +
                      (key.error().what == crypto::keystore_error::kind::missing
                           ? "; make one with: wallet keys new " + name
                           : "")};
    return crypto::identity{*std::move(key)};
}

void print(command const& c, json::value const& machine, std::string const& people)
{
    std::printf("%s\n", (c.json ? to_text(machine) : people).c_str());
}

int keys(command const& c)
{
    auto const what = c.words.size() > 1 ? c.words[1] : "list";
    if (what == "list") {
        json::array all{};
        std::string text{};
        if (fs::exists(home(c)))
            for (auto const& each : fs::directory_iterator{home(c)}) {
                if (each.path().extension() != ".key") continue;
                auto const owner = crypto::keystore_owner(each.path());
                if (!owner) continue;
                auto const address = to_text(crypto::address_of(*owner));
                all.push_back(
                    json::object{{"name", each.path().stem().string()}, {"address", address}});
                text += each.path().stem().string() + "  " + address + '\n';
            }
        if (!text.empty()) text.pop_back();
        print(c, json::value(std::move(all)),
              text.empty() ? "no keys yet: wallet keys new NAME" : text);
        return 0;
    }
    if (c.words.size() < 3) throw failure{"keys " + what + " needs a name"};
    auto key = crypto::secret_key::generate();
    if (what == "import") {
        auto text = file_text(flag(c, "seed-file", ""));
        while (!text.empty() && text.back() == '\n') text.pop_back();
        auto seed = array_from_hex<32>(text);
        if (!seed) throw failure{"the seed file must hold 64 digits of hex"};
        key = crypto::secret_key::from_seed(*seed);
        crypto::wipe(*seed);
    } else if (what != "new") {
        throw failure{"keys new, keys list or keys import"};
    }
    fs::create_directories(home(c));
    auto const under = passphrase(c);
    auto const done = crypto::create_keystore(key_file(c, c.words[2]), key, under,
                                              under.empty() ? crypto::keystore_cost::none()
                                                            : crypto::keystore_cost::normal());
    if (!done) throw failure{message(done.error())};
    auto const address = to_text(crypto::address_of(key.self()));
    print(c, json::object{{"address", address}},
          address +
              (under.empty() ? "\n(without a passphrase: set BLENDR_PASSPHRASE to have one)" : ""));
    return 0;
}

int balance(command const& c)
{
    auto const who = c.words.size() > 1 ? c.words[1] : to_text(open_key(c).account());
    auto const got = ask(c, "balance", json::array{who});
    print(c, got, to_string(grains(got.at("balance"))) + " BLND");
    return 0;
}

// ---- transactions

std::string name_of(json::value const& id) { return std::string{id.as_string()}; }

/// What it moves out of the sender's purse, as far as a glance tells.
amount spends(std::vector<std::string> const& rest)
{
    for (std::size_t i = 0; i + 1 < rest.size(); i += 2)
        if (rest[i] == "--value")
            if (auto const value = parse_amount(rest[i + 1])) return *value;
    return {};
}

std::string told(json::value const& value)
{
    auto const* text = value.if_string();
    if (text == nullptr) return to_text(value);
    bool const digits = !text->empty() && text->find_first_not_of("0123456789") == text->npos;
    return digits ? to_string(grains(value)) + " BLND" : std::string{*text};
}

std::string in_words(json::value const& t)
{
    std::string out = "Transaction " + name_of(t.at("id"));
    bool const waits = t.at("state").as_string() == "waiting";
    out += waits ? " waits for a block.\n"
                 : " stands in block " + to_text(t.at("height")) + ", at place " +
                       to_text(t.at("index")) + ".\n";
    if (auto const* tx = t.as_object().if_contains("transaction")) {
        out += "It came from " + name_of(tx->at("sender")) +
               " (its nonce: " + to_text(tx->at("nonce")) + ") and asked for\n";
        for (auto const& m : tx->at("messages").as_array())
            for (auto const& each : m.as_object()) {
                out += "  " + std::string{each.key()};
                if (auto const* members = each.value().if_object())
                    for (auto const& member : *members)
                        out += ", " + std::string{member.key()} + ' ' + told(member.value());
                out += '\n';
            }
    }
    if (auto const* receipt = t.as_object().if_contains("receipt")) {
        bool const good = receipt->at("code").to_number<std::uint32_t>() == 0;
        out += good ? "It did all of that."
                    : "Nothing of that happened: " + name_of(receipt->at("result")) + '.';
        if (auto const* fee = receipt->as_object().if_contains("fee"))
            out += " It cost " + to_string(grains(*fee)) + " BLND for " +
                   to_text(receipt->at("gas")) + " gas.";
    } else if (!waits) {
        out += "What became of it is not remembered by this node.";
    }
    return out;
}

int deliver(command const& c, bytes const& raw)
{
    auto const id = ask(c, "submit", json::array{to_hex(raw)});
    if (!c.wait) {
        print(c, json::object{{"id", id}}, name_of(id));
        return 0;
    }
    for (int tries = 0; tries < 600; ++tries) {
        auto const t = ask(c, "transaction", json::array{id});
        if (t.at("state").as_string() == "committed") {
            print(c, t, in_words(t));
            auto const* receipt = t.as_object().if_contains("receipt");
            return receipt != nullptr && receipt->at("code").to_number<std::uint32_t>() != 0 ? 1
                                                                                             : 0;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{100});
    }
    throw failure{"it waits for a block for a minute already: " + name_of(id)};
}

int act(command const& c, std::string const& what, std::vector<std::string> const& members)
{
    std::vector<std::string_view> arguments{what};
    arguments.insert(arguments.end(), members.begin(), members.end());
    auto const said = forms().message(std::span<std::string_view const>{arguments});
    if (!said) throw failure{said.error()};
    auto const me = open_key(c);
    ledger::transaction tx{};
    tx.messages.push_back(*decode<ledger::wire_message>(*said));
    auto const fee = parse_amount(flag(c, "fee", "0.01"));
    if (!fee) throw failure{"--fee is an amount in BLND"};
    tx.fee_max = *fee;
    if (c.offline) {
        tx.chain = ledger::chain_id{number(c, "chain")};
        tx.sequence = ledger::nonce{number(c, "nonce")};
        tx.expires = height{number(c, "valid-until")};
    } else {
        auto const purse = ask(c, "balance", json::array{to_text(me.account())});
        auto const have = grains(purse.at("balance"));
        auto const wants = spends(members);
        if (have < *fee || have - *fee < wants)
            throw failure{"insufficient funds: have " + to_string(have) + ", need " +
                          to_string(wants) + " + " + to_string(*fee) + " fee"};
        tx.chain =
            ledger::chain_id{row(c, "ledger/rules", 0).at("chain").to_number<std::uint64_t>()};
        tx.sequence = ledger::nonce{purse.at("nonce").to_number<std::uint64_t>()};
        auto const last = ask(c, "status", json::array{}).at("last").to_number<std::uint64_t>();
        tx.expires =
            height{c.flags.contains("valid-until") ? number(c, "valid-until") : last + 1000};
    }
    ledger::sign(tx, me);
    auto const raw = encode(tx);
    if (c.offline || c.flags.contains("out")) {
        auto const path = flag(c, "out", "");
        if (path.empty()) throw failure{"--out FILE says where the signed transaction goes"};
        std::ofstream out{path, std::ios::trunc};
        out << to_hex(raw) << '\n';
        if (!out.flush()) throw failure{"cannot write " + path};
        print(c, json::object{{"id", to_json(ledger::id_of(tx))}},
              to_hex(ledger::id_of(tx)) + " is signed in " + path);
        return 0;
    }
    return deliver(c, raw);
}

jobs::where place(command const& c) { return {flag(c, "rpc", "127.0.0.1:26603"), home(c), c.json}; }
std::string own(command const& c) { return to_text(open_key(c).account()); }

int run(command const& c)
{
    auto const what = c.words.empty() ? std::string{"help"} : c.words[0];
    auto const second = c.words.size() > 1 ? c.words[1] : std::string{};
    if (what == "help") return std::fputs(usage_text().c_str(), stdout), 0;
    if (what == "keys") return keys(c);
    if (what == "balance") return balance(c);
    if (what == "send") return act(c, "bank.transfer", c.rest);
    if (what == "order") return act(c, "market." + second, c.rest);
    if (what == "bond") return act(c, "bond." + second, c.rest);
    if (what == "provider" && second == "register") return act(c, "market.enrol", c.rest);
    if (what == "provider" && second == "state")
        return jobs::provider_state(place(c), c.words.size() > 2 ? c.words[2] : own(c));
    if (what == "provider") return act(c, "market." + second, c.rest);
    if (what == "feedback" && second == "give") return act(c, "reputation.rate", c.rest);
    if (what == "feedback") return jobs::feedback(place(c), second.empty() ? own(c) : second);
    if (what == "job" && (second.empty() || second == "help"))
        return std::fputs(jobs::help, stdout), 0;
    if (second == "help") return std::fputs(usage_text().c_str(), stdout), 0;
    if (what == "job") {
        auto rest = c.rest;
        if (c.flags.contains("out")) rest.insert(rest.end(), {"--out", c.flags.at("out")});
        return jobs::job(place(c), open_key(c), c.words, rest);
    }
    if (what == "call") {
        if (!second.empty()) return act(c, second, c.rest);
        for (auto const& each : forms().messages()) std::printf("%s\n", each.c_str());
        return 0;
    }
    if (what == "show") {
        if (c.words.size() < 3) throw failure{"show TABLE KEY"};
        auto const key = parse_json(c.words[2]);
        std::printf("%s\n", to_pretty_text(
                                row(c, second, key ? *key : json::value(json::string{c.words[2]})))
                                .c_str());
        return 0;
    }
    if (what == "explain") {
        if (second.empty()) throw failure{"explain TRANSACTION"};
        auto const t = ask(c, "transaction", json::array{second});
        print(c, t, in_words(t));
        return 0;
    }
    if (what == "submit") {
        auto text = file_text(second);
        while (!text.empty() && text.back() == '\n') text.pop_back();
        auto const raw = from_hex(text);
        if (!raw) throw failure{second + " holds no transaction: " + message(raw.error())};
        return deliver(c, *raw);
    }
    if (what == "status") {
        std::printf("%s\n", to_pretty_text(ask(c, "status", json::array{})).c_str());
        return 0;
    }
    throw failure{"there is no command \"" + what + "\"; see: wallet help"};
}

}  // namespace

int main(int argc, char** argv)
{
    bool as_json = false;
    try {
        auto const c = read(argc, argv);
        as_json = c.json;
        return run(c);
    } catch (failure const& f) {
        if (as_json)
            std::printf("%s\n", to_text(json::object{{"error", f.why}}).c_str());
        else
            std::fprintf(stderr, "%s\n", f.why.c_str());
    } catch (std::exception const& e) {
        std::fprintf(stderr, "the node's answer is not what was expected: %s\n", e.what());
    }
    return 1;
}
