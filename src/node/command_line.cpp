// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/command_line.hpp>

#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include <blendr/bond/contract.hpp>
#include <blendr/bond/evidence.hpp>
#include <blendr/core/json.hpp>
#include <blendr/crypto/json.hpp>
#include <blendr/crypto/keystore.hpp>
#include <blendr/crypto/vrf.hpp>
#include <blendr/ledger/genesis.hpp>
#include <blendr/market/contract.hpp>
#include <blendr/net/http.hpp>
#include <blendr/node/config.hpp>
#include <blendr/node/judge.hpp>
#include <blendr/node/node.hpp>
#include <blendr/node/rpc.hpp>
#include <blendr/store/database.hpp>

namespace blendr::node {
namespace {

namespace fs = std::filesystem;

constexpr int wrong_usage = 2;

constexpr std::string_view usage = R"(a node of a libblendr chain

  init     --home DIR                 a key, and a chain of one validator with it
  network  --dir DIR --validators N   N homes of one chain, DIR/node1 ..., and DIR/wallet.key
           [--port P]                 node i listens at P + 2i (peers) and P + 2i + 1 (RPC)
  run      --home DIR                 until SIGINT or SIGTERM
  status   --home DIR | --rpc HOST:PORT
  config   --home DIR                 the settings in effect, every one a flag
  check    --home DIR                 reads all that is stored; names the first damage
  snapshot --home DIR                 a whole state from peers into a home without a chain, proven; then it ends
  export   --home DIR --to FILE       decided blocks [--from H] [--until H]
  import   --home DIR --file FILE     into a home whose node is stopped; every block is proven and executed
           [--trust yes]              also where finality is a depth, which proves nothing to others

After these, any setting: --consensus simplex|hotstuff2|authority|nakamoto|solo --rpc.listen 127.0.0.1:8645 ...
Keys are sealed with the passphrase in --passphrase-file FILE or in BLENDR_PASSPHRASE.
)";

struct failure {
    std::string why{};
};

/// The command's own flags, and those that are settings.
struct split_flags {
    std::map<std::string, std::string, std::less<>> own{};
    std::vector<std::string> settings{};
};

split_flags split(std::span<std::string const> all, std::vector<std::string_view> const& own)
{
    split_flags out{};
    for (std::size_t i = 0; i < all.size(); ++i) {
        auto const mine = std::find_if(own.begin(), own.end(), [&](std::string_view name) {
            return all[i] == "--" + std::string{name};
        });
        if (mine == own.end()) {
            out.settings.push_back(all[i]);
        } else {
            if (i + 1 == all.size()) throw failure{all[i] + " needs a value"};
            out.own[std::string{*mine}] = all[++i];
        }
    }
    return out;
}

std::string read_file(fs::path const& path)
{
    std::ifstream in{path, std::ios::binary};
    if (!in) throw failure{"cannot read " + path.string()};
    return {std::istreambuf_iterator<char>{in}, {}};
}

void write_file(fs::path const& path, std::string_view text)
{
    std::ofstream out{path, std::ios::binary | std::ios::trunc};
    out << text;
    if (!out.flush()) throw failure{"cannot write " + path.string()};
}

crypto::secret passphrase(split_flags const& flags)
{
    if (auto const file = flags.own.find("passphrase-file"); file != flags.own.end()) {
        auto text = read_file(file->second);
        while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
        return crypto::secret::take(text);
    }
    auto const* const given = std::getenv("BLENDR_PASSPHRASE");
    std::string text = given != nullptr ? given : "";
    return crypto::secret::take(text);
}

crypto::identity make_key(fs::path const& at, crypto::secret const& under)
{
    auto key = crypto::secret_key::generate();
    // Without a passphrase nothing is gained by making it slow to guess.
    auto const cost =
        under.empty() ? crypto::keystore_cost::none() : crypto::keystore_cost::normal();
    if (auto const done = crypto::create_keystore(at, key, under, cost); !done)
        throw failure{message(done.error())};
    return crypto::identity{std::move(key)};
}

config read_config(split_flags const& flags)
{
    auto const home = flags.own.find("home");
    std::string file{};
    if (home != flags.own.end() && fs::exists(fs::path{home->second} / "config.json"))
        file = read_file(fs::path{home->second} / "config.json");
    auto out = make_config(file, flags.settings);
    if (!out) throw failure{out.error()};
    if (home != flags.own.end()) out->home = home->second;
    return *std::move(out);
}

bytes read_genesis(config const& c, chain_kind const& chain)
{
    auto const text = read_file(fs::path{c.home} / "genesis.json");
    auto const out = chain.forms->genesis(text);
    if (!out) throw failure{"genesis.json: " + out.error()};
    return *out;
}

/// What a provider may sell at first; operators put their own in genesis.json.
std::vector<market::contract::listed_class> const& first_classes()
{
    constexpr std::uint64_t gib = std::uint64_t{1} << 30;
    static std::vector<market::contract::listed_class> const all{
        {market::device_class{1}, {1, 1, 1, 1}, price{1'000}},  // whatever computes
        {market::device_class{2}, {8 * gib, 5, 5, 5}, price{5'000}},
        {market::device_class{3}, {16 * gib, 40, 10, 10}, price{10'000}},
        {market::device_class{4}, {24 * gib, 80, 60, 50}, price{20'000}}};
    return all;
}

/// The document of a chain that these validators begin, as text. Each has a bond, where the chain knows
/// bonds; evidence costs it, where the chain judges any.
std::string new_genesis(std::vector<crypto::identity> const& validators,
                        crypto::address const& owner, chain_kind const& kind,
                        std::string const& consensus)
{
    auto const tables = kind.forms->tables();
    auto const has = [&](std::string_view table) {
        return std::find(tables.begin(), tables.end(), table) != tables.end();
    };
    ledger::genesis out{};
    std::uint64_t chain = 0;
    for (auto const& each : validators)
        for (auto const b : each.self().raw().first(4))
            chain = (chain * 257 + std::to_integer<std::uint64_t>(b)) % 1'000'000'007;
    out.chain = ledger::chain_id{chain};
    out.begins = time_ms{static_cast<std::int64_t>(std::time(nullptr)) * 1000};
    auto left = out.money.premine;
    bool const bonded = has("bond/bonds");
    bond::contract::genesis_document bonds{};
    for (auto const& each : validators) {
        auto const random = crypto::vrf_secret_key::of(each.key()).self();
        out.validators.push_back({each.self(), weight{bonded ? 100u : 1u}, random});
        if (!bonded) continue;
        bonds.validators.push_back({each.account(), 100_blnd, each.self(), random});
        out.accounts.push_back({each.account(), 10_blnd});  // for what it reports
        left -= 110_blnd;
    }
    out.accounts.push_back({owner, left});
    if (validators.size() == 1 && bonded && validators[0].account() == owner) {
        out.accounts[0].balance += left;
        out.accounts.pop_back();
    }
    if (bonded) out.sections.push_back(ledger::section<bond::contract>(bonds));
    if (has("evidence/practice"))
        out.sections.push_back({"evidence", encode(bond::practice::row{})});
    if (has("market/classes"))
        out.sections.push_back(ledger::section<market::contract>({first_classes(), {}}));
    if (!kind.beginnings) return to_pretty_text(to_json(out));
    auto const& forms = *kind.beginnings;
    auto const bare = encode(out);
    auto const json = forms.json(forms.renamed(bare, chain_name(genesis_name(bare), consensus)));
    if (!json) throw failure{json.error()};
    return to_pretty_text(*json);
}

void write_home(fs::path const& home, config const& with, std::string const& genesis)
{
    auto c = with;
    c.home = home.string();
    write_file(home / "config.json", to_text(c) + "\n");
    write_file(home / "genesis.json", genesis + "\n");
}

int init(std::span<std::string const> all, chain_kind const& chain)
{
    auto const flags = split(all, {"home", "passphrase-file"});
    auto c = read_config(flags);
    fs::create_directories(c.home);
    auto const me = make_key(fs::path{c.home} / "node.key", passphrase(flags));
    write_home(c.home, c, new_genesis({me}, me.account(), chain, c.consensus));
    std::printf("%s\n%s owns the premine\n", to_text(me.self()).c_str(),
                to_text(me.account()).c_str());
    return 0;
}

int network(std::span<std::string const> all, chain_kind const& chain)
{
    auto const flags = split(all, {"dir", "validators", "port", "passphrase-file"});
    auto const want = [&](char const* name) {
        auto const found = flags.own.find(name);
        if (found == flags.own.end()) throw failure{std::string{"--"} + name + " is missing"};
        return found->second;
    };
    fs::path const dir = want("dir");
    auto const count = std::strtoul(want("validators").c_str(), nullptr, 10);
    if (count == 0 || count > 100) throw failure{"--validators is a number from 1 to 100"};
    auto const port = flags.own.contains("port")
                          ? std::strtoul(flags.own.at("port").c_str(), nullptr, 10)
                          : 26'600;
    if (port == 0 || port + 2 * count + 2 > 65'535) throw failure{"--port is out of range"};
    auto const base = make_config({}, flags.settings);
    if (!base) throw failure{base.error()};
    auto const under = passphrase(flags);
    fs::create_directories(dir);
    auto const owner = make_key(dir / "wallet.key", under);
    std::vector<crypto::identity> keys{};
    for (unsigned long i = 1; i <= count; ++i) {
        auto const home = dir / ("node" + std::to_string(i));
        fs::create_directories(home);
        keys.push_back(make_key(home / "node.key", under));
    }
    auto const genesis = new_genesis(keys, owner.account(), chain, base->consensus);
    for (unsigned long i = 1; i <= count; ++i) {
        auto c = *base;
        c.p2p.listen = "127.0.0.1:" + std::to_string(port + 2 * i);
        c.rpc.listen = "127.0.0.1:" + std::to_string(port + 2 * i + 1);
        for (unsigned long k = 1; k <= count; ++k)
            if (k != i)
                c.p2p.peers.push_back(to_text(keys[k - 1].self()) +
                                      "@127.0.0.1:" + std::to_string(port + 2 * k));
        write_home(dir / ("node" + std::to_string(i)), c, genesis);
    }
    std::printf("%s owns the premine\n", to_text(owner.account()).c_str());
    return 0;
}

std::sig_atomic_t volatile asked_to_stop = 0;

int run(std::span<std::string const> all, chain_kind const& chain, engine_registry const& engines)
{
    auto const flags = split(all, {"home", "passphrase-file"});
    auto const c = read_config(flags);
    auto const sealed = fs::path{c.home} / "node.key";
    auto key = crypto::open_keystore(sealed, passphrase(flags));
    if (!key) throw failure{message(key.error())};
    std::printf("%s\n", to_text(c).c_str());
    std::fflush(stdout);

    struct sigaction stop{};
    stop.sa_handler = [](int) { asked_to_stop = 1; };
    ::sigaction(SIGINT, &stop, nullptr);
    ::sigaction(SIGTERM, &stop, nullptr);
    ::signal(SIGPIPE, SIG_IGN);

    node_parts parts{
        c,  crypto::identity{*std::move(key)}, read_genesis(c, chain), chain, engines, {},
        {}, [] { return asked_to_stop != 0; }};
    auto made = node::start(std::move(parts));
    if (!made && asked_to_stop != 0) return 0;
    if (!made) throw failure{made.error()};
    auto& it = **made;
    rpc_server rpc{it};
    if (!c.rpc.listen.empty()) {
        auto const where = rpc.start();
        if (!where) throw failure{where.error()};
        // Moved there whole: who waits for the file finds all of it.
        auto const at = fs::path{c.home} / "rpc";
        write_file(at.string() + ".new", *where + "\n");
        fs::rename(at.string() + ".new", at);
    }
    while (asked_to_stop == 0 && it.wait(100)) {
    }
    rpc.stop();
    it.stop();
    auto const s = it.status();
    if (!s.why.empty()) std::fprintf(stderr, "%s: %s\n", s.state.c_str(), s.why.c_str());
    return s.state == "failed" ? 1 : 0;
}

int snapshot(std::span<std::string const> all, chain_kind const& chain,
             engine_registry const& engines)
{
    auto const flags = split(all, {"home", "passphrase-file"});
    auto c = read_config(flags);
    if (fs::exists(fs::path{c.home} / "data")) throw failure{c.home + " has a chain already"};
    auto key = crypto::open_keystore(fs::path{c.home} / "node.key", passphrase(flags));
    if (!key) throw failure{message(key.error())};
    c.snapshots.join = true;
    node_parts parts{
        c, crypto::identity{*std::move(key)}, read_genesis(c, chain), chain, engines, {}, {}};
    auto const made = node::start(std::move(parts));
    if (!made) throw failure{made.error()};
    auto const held = (*made)->status().last;
    (*made)->stop();
    if (held == height{}) throw failure{"nobody gave a whole state"};
    std::printf("at block %llu\n", static_cast<unsigned long long>(held.get()));
    return 0;
}

int status(std::span<std::string const> all)
{
    auto const flags = split(all, {"home", "rpc"});
    std::string where{};
    if (flags.own.contains("rpc")) {
        where = flags.own.at("rpc");
    } else {
        where = read_file(fs::path{read_config(flags).home} / "rpc");
        while (!where.empty() && where.back() == '\n') where.pop_back();
    }
    auto const got =
        net::http_ask(where, "POST", "/", R"({"jsonrpc":"2.0","id":1,"method":"status"})");
    if (!got) throw failure{where + ": " + std::string{message(got.error())}};
    auto const read = parse_json(got->body);
    if (!read || !read->is_object() || !read->get_object().contains("result"))
        throw failure{where + " does not answer like a node"};
    std::printf("%s\n", to_pretty_text(read->at("result")).c_str());
    return 0;
}

int check(std::span<std::string const> all)
{
    auto const c = read_config(split(all, {"home"}));
    auto const opened = store::database::open(c.home + "/data");
    if (!opened) throw failure{message(opened.error())};
    if (auto const good = (*opened)->check(); !good) throw failure{message(good.error())};
    auto const held = (*opened)->log().held();
    std::printf("good: blocks %llu to %llu\n",
                static_cast<unsigned long long>(held ? held->first.get() : 0),
                static_cast<unsigned long long>(held ? held->last.get() : 0));
    return 0;
}

constexpr std::string_view export_magic = "blendr blocks 1\n";

int export_blocks(std::span<std::string const> all)
{
    auto const flags = split(all, {"home", "to", "from", "until"});
    auto const c = read_config(flags);
    if (!flags.own.contains("to")) throw failure{"--to is missing"};
    auto const opened = store::database::open(c.home + "/data");
    if (!opened) throw failure{message(opened.error())};
    auto const& log = (*opened)->log();
    auto const held = log.held();
    if (!held) throw failure{"there are no blocks yet"};
    auto const number = [&](char const* name, height otherwise) {
        auto const found = flags.own.find(name);
        return found == flags.own.end() ? otherwise
                                        : height{std::strtoull(found->second.c_str(), nullptr, 10)};
    };
    std::ofstream out{flags.own.at("to"), std::ios::binary | std::ios::trunc};
    out << export_magic;
    std::uint64_t count = 0;
    auto const until = std::min(number("until", held->last), held->last);
    for (auto at = std::max(number("from", held->first), held->first); at <= until;
         at = later(at, 1)) {
        auto const block = log.read(at);
        if (!block) throw failure{message(block.error())};
        auto const raw = encode(**block);
        out << as_text(encode(static_cast<std::uint32_t>(raw.size()))) << as_text(raw);
        ++count;
    }
    if (!out.flush()) throw failure{"cannot write " + flags.own.at("to")};
    std::printf("%llu blocks\n", static_cast<unsigned long long>(count));
    return 0;
}

int import_blocks(std::span<std::string const> all, chain_kind const& chain,
                  engine_registry const& engines)
{
    auto const flags = split(all, {"home", "file", "trust", "passphrase-file"});
    auto const c = read_config(flags);
    if (!flags.own.contains("file")) throw failure{"--file is missing"};
    auto key = crypto::open_keystore(fs::path{c.home} / "node.key", passphrase(flags));
    if (!key) throw failure{message(key.error())};
    std::ifstream in{flags.own.at("file"), std::ios::binary};
    std::string head(export_magic.size(), '\0');
    in.read(head.data(), static_cast<std::streamsize>(head.size()));
    if (head != export_magic) throw failure{flags.own.at("file") + " holds no exported blocks"};
    auto const next = [&]() -> std::optional<ledger::logged_block> {
        bytes size(4);
        if (!in.read(reinterpret_cast<char*>(size.data()), 4)) return std::nullopt;
        auto const count = *decode<std::uint32_t>(size);
        constexpr std::uint32_t most = std::uint32_t{32} << 20;
        bytes raw(std::min(count, most));
        in.read(reinterpret_cast<char*>(raw.data()), static_cast<std::streamsize>(raw.size()));
        auto block = in && count <= most
                         ? decode<ledger::logged_block>(raw)
                         : result<ledger::logged_block, decode_error>{fail{decode_error{}}};
        if (!block) throw failure{flags.own.at("file") + " is damaged or cut off"};
        return *std::move(block);
    };
    node_parts parts{
        c, crypto::identity{*std::move(key)}, read_genesis(c, chain), chain, engines, {}, {}};
    auto const done = node::import(std::move(parts), next, flags.own.contains("trust"));
    if (!done) throw failure{done.error()};
    std::printf("at block %llu\n", static_cast<unsigned long long>(done->get()));
    return 0;
}

int dispatch(std::span<std::string const> arguments, chain_kind const& chain,
             engine_registry const& engines)
{
    if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h" ||
        arguments[0] == "help") {
        std::fputs(std::string{usage}.c_str(), arguments.empty() ? stderr : stdout);
        return arguments.empty() ? wrong_usage : 0;
    }
    auto const rest = arguments.subspan(1);
    auto const& what = arguments[0];
    if (what == "init") return init(rest, chain);
    if (what == "network") return network(rest, chain);
    if (what == "run") return run(rest, chain, engines);
    if (what == "snapshot") return snapshot(rest, chain, engines);
    if (what == "status") return status(rest);
    if (what == "check") return check(rest);
    if (what == "export") return export_blocks(rest);
    if (what == "import") return import_blocks(rest, chain, engines);
    if (what == "config") {
        std::printf("%s\n", to_text(read_config(split(rest, {"home"}))).c_str());
        return 0;
    }
    std::fprintf(stderr, "there is no command \"%s\"\n\n%s", what.c_str(),
                 std::string{usage}.c_str());
    return wrong_usage;
}

}  // namespace

int run_command_line(std::span<std::string const> arguments, chain_kind const& chain,
                     engine_registry const& engines)
{
    try {
        return dispatch(arguments, chain, engines);
    } catch (failure const& f) {
        std::fprintf(stderr, "%s\n", f.why.c_str());
    } catch (fs::filesystem_error const& e) {
        std::fprintf(stderr, "%s\n", e.what());
    }
    return 1;
}

}  // namespace blendr::node
