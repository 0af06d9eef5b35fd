// SPDX-License-Identifier: Apache-2.0
// Whatever text comes as a JSON-RPC request, over a small chain that lives: the answer is JSON or nothing, and not
// larger than what was asked for explains. The first byte picks the side: 0 to 127 the text as it is, above that a
// method of the document with the text for its parameters.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <blendr/core/assert.hpp>
#include <blendr/core/json.hpp>
#include <blendr/ledger/genesis.hpp>
#include <blendr/node/node.hpp>
#include <blendr/node/rpc.hpp>
#include <blendr/node/standard_chain.hpp>

using namespace blendr;

namespace {

struct small_chain {
    small_chain()
    {
        crypto::identity const me{
            crypto::secret_key::from_seed(std::array<std::byte, 32>{std::byte{7}})};
        ledger::genesis document{};
        document.chain = ledger::chain_id{7};
        document.accounts = {{me.account(), document.money.premine}};
        document.validators = {{me.self(), weight{1}, {}}};
        node::node_parts parts{{}, me, encode(document), node::standard_chain()};
        parts.with.home.clear();
        parts.with.consensus = "solo";
        parts.with.engine.interval_ms = 1'000;
        parts.with.p2p.listen.clear();
        parts.with.threads = 1;
        parts.with.blobs.quota_bytes = 1 << 20;
        parts.log = std::make_shared<node::logger>(node::log_level::none);
        auto made = node::node::start(std::move(parts));
        BLENDR_ASSERT(made.has_value());
        it = *std::move(made);
        rpc = std::make_unique<node::rpc_server>(*it);
        auto const described = node::rpc_server::openrpc();
        for (auto const& each : described.at("methods").as_array())
            methods.emplace_back(each.at("name").as_string());
    }
    std::unique_ptr<node::node> it{};
    std::unique_ptr<node::rpc_server> rpc{};
    std::vector<std::string> methods{};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    static small_chain const chain{};
    if (size == 0) return 0;
    std::string text{reinterpret_cast<char const*>(data) + 1, size - 1};
    if (data[0] >= 128) {
        auto const& method = chain.methods[data[0] % chain.methods.size()];
        text = R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":)" + text + "}";
    }
    auto const said = chain.rpc->answer(text);
    BLENDR_ASSERT(said.empty() || parse_json(said).has_value());
    BLENDR_ASSERT(said.size() <= (std::size_t{8} << 20));
    return 0;
}
