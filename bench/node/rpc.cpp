// SPDX-License-Identifier: Apache-2.0
// A node's JSON-RPC beside a plain Beast server that answers a fixed string, per CPU second of the server. The client is
// another process, so that only the server's time counts; the node's chain stands still meanwhile.
#include <harness.hpp>
#include <plain_http.hpp>

#include <sys/wait.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <blendr/crypto/json.hpp>
#include <blendr/ledger/genesis.hpp>
#include <blendr/net/book.hpp>
#include <blendr/node/node.hpp>
#include <blendr/node/rpc.hpp>
#include <blendr/node/standard_chain.hpp>

namespace {

using namespace blendr;
using bench::run;

constexpr int requests = 20'000;

bench::suite const all{"node/rpc", [](run& r) {
                           if (!r.wants("node/rpc/balance")) return;
                           crypto::identity const me{crypto::secret_key::from_seed(
                               std::array<std::byte, 32>{std::byte{5}})};
                           ledger::genesis document{};
                           document.accounts = {{me.account(), document.money.premine}};
                           document.validators = {{me.self(), weight{1}, {}}};
                           node::node_parts parts{{}, me, encode(document), node::standard_chain()};
                           parts.with.home.clear();
                           parts.with.consensus = "solo";
                           parts.with.engine.interval_ms = 3'600'000;
                           parts.with.p2p.listen.clear();
                           parts.with.threads = 1;
                           parts.log = std::make_shared<node::logger>(node::log_level::error);
                           auto it = node::node::start(std::move(parts));
                           if (!it) std::abort();
                           node::rpc_server rpc{**it};
                           auto const port = net::parse_contact(*rpc.start())->port;
                           std::string const read =
                               R"({"jsonrpc":"2.0","id":1,"method":"balance","params":[")" +
                               to_text(me.account()) + R"("]})";
                           std::vector<double> ours{}, theirs{};
                           for (int i = 0; i < 5; ++i) {
                               bench::stopwatch const used{bench::clock::process_cpu};
                               ::waitpid(bench::ask(port, read, requests), nullptr, 0);
                               ours.push_back(used.seconds());
                               theirs.push_back(bench::plain_http(read, requests));
                           }
                           auto const cost = bench::median(ours);
                           r.report("node/rpc/balance", requests / cost, "requests/cpu-s",
                                    bench::median(theirs) / cost);
                       }};

}  // namespace
