// SPDX-License-Identifier: Apache-2.0
// Who may include whom, read from the includes. A room stands on floors below it and, on its own floor, on the
// rooms listed for it here.
#include <doctest/doctest.h>

#include "tree.hpp"

namespace {

using namespace blendr::test;

struct room {
    int floor;
    std::set<std::string> beside{};  ///< rooms of the same floor that it may include
    std::set<std::string> never{};   ///< rooms of lower floors that it may not
};

std::map<std::string, room> const house = {
    {"core", {0}},
    {"crypto", {1}},
    {"state", {1, {"crypto"}}},
    {"app", {1, {"crypto"}}},
    {"ledger", {2}},
    {"bond", {2, {"ledger"}}},
    {"consensus", {2, {}, {"state"}}},
    {"sim", {2, {"consensus"}, {"state"}}},
    {"reputation", {3}},
    {"verify", {3}},
    {"market", {3, {"reputation", "verify"}}},
    {"escrow", {3, {"reputation", "verify", "market"}}},
    {"intensity", {3, {"reputation", "verify", "market", "escrow"}}},
    {"masternode", {3, {"reputation", "verify", "market", "escrow"}}},
    {"governance", {3, {"reputation", "verify", "market", "escrow"}}},
    {"swap", {3, {"reputation", "verify", "market", "escrow"}}},
    {"store", {4}},
    {"net", {4}},
    {"abci", {4}},
    {"compute",
     {4,
      {},
      {"state", "app", "ledger", "bond", "consensus", "sim", "reputation", "verify", "market",
       "escrow"}}},
    {"work", {4, {"compute"}}},
    {"node", {5}},
};

/// Headers that work with no chain at all: nothing that they lead to belongs to the ledger.
std::vector<std::string> const plain = {"market/order_book.hpp", "market/auction.hpp",
                                        "escrow/agreement.hpp", "reputation/score.hpp",
                                        "bond/bond.hpp"};

/// What no public header shows.
std::vector<std::string_view> const heavy = {"vulkan/",    "volk.h",     "boost/beast",
                                             "boost/asio", "sqlite3",    "google/protobuf",
                                             "seccomp",    "spirv-tools"};

/// "market" for blendr/market/order.hpp, blendr/market.hpp and market/order.hpp; nothing for what is not ours.
std::string room_of(std::string_view include)
{
    bool const ours = include.starts_with("blendr/");
    if (ours) include.remove_prefix(std::string_view{"blendr/"}.size());
    std::string const name{include.substr(0, include.find_first_of("/."))};
    if (name == "version") return {};
    return ours || (include.find('/') != std::string_view::npos && house.contains(name))
               ? name
               : std::string{};
}

/// The part after include/ or src/: what an include line would say.
std::string below(std::string const& path) { return path.substr(path.find('/') + 1); }

bool allowed(std::string const& from, std::string const& to)
{
    auto const& mine = house.at(from);
    return from == to || mine.beside.contains(to) ||
           (house.at(to).floor < mine.floor && !mine.never.contains(to));
}

std::vector<std::string> wall_violations(tree const& files)
{
    std::vector<std::string> found;
    for (auto const& [path, text] : files) {
        auto const from = room_of("blendr/" + below(path.starts_with("src/") ? path : below(path)));
        if (below(path).find('/') == std::string::npos && path.starts_with("src/")) continue;
        if (from.empty()) continue;
        if (!house.contains(from)) {
            found.push_back(path + ": the room \"" + from +
                            "\" has no floor; give it one in walls_test.cpp");
            continue;
        }
        for (auto const& include : includes_of(text)) {
            auto const to = room_of(include);
            if (to.empty()) continue;
            if (!house.contains(to)) {
                found.push_back(path + " includes <" + include + ">, a room that has no floor");
            } else if (!allowed(from, to)) {
                found.push_back(path + " includes <" + include + ">: " + from +
                                " does not stand on " + to);
            }
        }
    }
    return found;
}

/// Follows the includes below include/ depth first; calls `visit` with each edge and reports the first way round.
class walk {
public:
    explicit walk(tree const& headers) : headers_{headers} {}

    std::vector<std::string> cycles()
    {
        for (auto const& [path, text] : headers_) descend(path);
        return cycles_;
    }

    std::set<std::string> reach(std::string const& start)
    {
        seen_.clear();
        descend(start);
        return leads_to_;
    }

private:
    /// A header's body lies in impl/, and may include the header that it was split from.
    bool is_body_of(std::string const& path, std::string const& include) const
    {
        auto const head = headers_.find("include/" + include);
        if (path.find("/impl/") == std::string::npos || head == headers_.end()) return false;
        auto const there = includes_of(head->second);
        return std::find(there.begin(), there.end(), below(path)) != there.end();
    }

    void descend(std::string const& path)
    {
        auto const file = headers_.find(path);
        if (file == headers_.end()) return;
        if (auto const open = std::find(open_.begin(), open_.end(), path); open != open_.end()) {
            std::string way;
            for (auto each = open; each != open_.end(); ++each) way += *each + " -> ";
            cycles_.push_back(way + path);
            return;
        }
        if (!seen_.insert(path).second) return;
        open_.push_back(path);
        for (auto const& include : includes_of(file->second)) {
            leads_to_.insert(include);
            if (is_body_of(path, include)) continue;
            descend("include/" + include);
        }
        open_.pop_back();
    }

    tree const& headers_;
    std::set<std::string> seen_;
    std::set<std::string> leads_to_;
    std::vector<std::string> open_;
    std::vector<std::string> cycles_;
};

std::vector<std::string> plain_violations(tree const& headers)
{
    std::vector<std::string> found;
    for (auto const& name : plain) {
        for (auto const& include : walk{headers}.reach("include/blendr/" + name)) {
            if (room_of(include) == "ledger")
                found.push_back("blendr/" + name + " leads to <" + include + ">");
        }
    }
    return found;
}

std::vector<std::string> heavy_violations(tree const& headers)
{
    std::vector<std::string> found;
    for (auto const& [path, text] : headers) {
        for (auto const& include : includes_of(text)) {
            for (auto const weight : heavy) {
                if (include.starts_with(weight)) found.push_back(path + " shows <" + include + ">");
            }
        }
    }
    return found;
}

std::vector<std::string> umbrella_violations(tree const& headers)
{
    std::vector<std::string> found;
    for (auto const* const name : {"core", "crypto"}) {
        for (auto const& include :
             walk{headers}.reach("include/blendr/" + std::string{name} + ".hpp")) {
            if (include.starts_with("boost/json") || include.starts_with("boost/multiprecision")) {
                found.push_back("blendr/" + std::string{name} + ".hpp leads to <" + include + ">");
            }
        }
    }
    return found;
}

tree const& sources()
{
    static tree const all = read_tree({"include", "src"}, {".hpp", ".cpp"});
    return all;
}

tree const& headers()
{
    static tree const all = read_tree({"include"}, {".hpp"});
    return all;
}

}  // namespace

TEST_CASE("walls: a room includes only what it stands on")
{
    auto const found = wall_violations(sources());
    CHECK_MESSAGE(found.empty(), listed(found));
    CHECK(sources().size() > 20);
}

TEST_CASE("walls: no header leads back to itself")
{
    auto const found = walk{headers()}.cycles();
    CHECK_MESSAGE(found.empty(), listed(found));
}

TEST_CASE("walls: books, agreements, scores and bonds work without a chain")
{
    auto const found = plain_violations(headers());
    CHECK_MESSAGE(found.empty(), listed(found));
}

TEST_CASE("walls: heavy libraries stay out of public headers")
{
    auto const found = heavy_violations(headers());
    CHECK_MESSAGE(found.empty(), listed(found));
}

TEST_CASE("walls: the umbrellas of core and crypto are light")
{
    auto const found = umbrella_violations(headers());
    CHECK_MESSAGE(found.empty(), listed(found));
}

TEST_CASE("walls: planted violations are found")
{
    CHECK(wall_violations({{"include/blendr/core/a.hpp", "#include <blendr/crypto/keys.hpp>\n"}})
              .size() == 1);
    CHECK(wall_violations({{"include/blendr/core.hpp", "#include <blendr/market.hpp>\n"}}).size() ==
          1);
    CHECK(wall_violations({{"src/consensus/a.cpp", "  #  include <blendr/state/tree.hpp>\n"}})
              .size() == 1);
    CHECK(wall_violations({{"src/consensus/a.cpp", "#include \"ledger/block.hpp\"\n"}}).size() ==
          1);
    CHECK(wall_violations({{"src/compute/a.cpp", "#include <blendr/ledger/block.hpp>\n"}}).size() ==
          1);
    CHECK(wall_violations(
              {{"include/blendr/market/a.hpp", "#include <blendr/escrow/agreement.hpp>\n"}})
              .size() == 1);
    CHECK(wall_violations({{"src/net/a.cpp", "#include <blendr/store.hpp>\n"}}).size() == 1);
    CHECK(wall_violations({{"include/blendr/attic/a.hpp", "\n"}}).size() == 1);
    CHECK(wall_violations({{"include/blendr/node/a.hpp", "#include <blendr/attic/a.hpp>\n"}})
              .size() == 1);
    CHECK(wall_violations({{"src/node/a.cpp", "#include <blendr/net/a.hpp>\n#include <vector>\n"}})
              .empty());

    tree const round = {{"include/blendr/core/a.hpp", "#include <blendr/core/b.hpp>\n"},
                        {"include/blendr/core/b.hpp", "#include <blendr/core/a.hpp>\n"}};
    CHECK(walk{round}.cycles().size() == 1);
    tree const body = {{"include/blendr/core/a.hpp", "#include <blendr/core/impl/a.hpp>\n"},
                       {"include/blendr/core/impl/a.hpp", "#include <blendr/core/a.hpp>\n"}};
    CHECK(walk{body}.cycles().empty());

    CHECK(plain_violations({{"include/blendr/bond/bond.hpp", "#include <blendr/bond/b.hpp>\n"},
                            {"include/blendr/bond/b.hpp", "#include <blendr/ledger/block.hpp>\n"}})
              .size() == 1);
    CHECK(heavy_violations({{"include/blendr/store/a.hpp", "#include <sqlite3.h>\n"}}).size() == 1);
    CHECK(
        umbrella_violations({{"include/blendr/core.hpp", "#include <blendr/core/json.hpp>\n"},
                             {"include/blendr/core/json.hpp", "#include <boost/json/value.hpp>\n"}})
            .size() == 1);
}
