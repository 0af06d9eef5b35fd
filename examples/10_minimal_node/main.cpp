// SPDX-License-Identifier: Apache-2.0
// 10_minimal_node: a node inside a program of one's own: begun, paid with, stopped, and begun again.
// needs: node
#include <cstdio>
#include <ctime>

#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/genesis.hpp>
#include <blendr/ledger/message.hpp>
#include <blendr/node.hpp>

using namespace blendr;

int main()
{
    crypto::identity const me{crypto::secret_key::generate()};
    ledger::genesis document{};
    document.accounts = {{me.account(), document.money.premine}};
    document.validators = {{me.self(), weight{1}, {}}};

    node::node_parts parts{{}, me, encode(document), node::standard_chain()};
    parts.with.home.clear();  // in memory; the name of a directory makes it last
    parts.with.consensus = "solo";
    parts.with.engine.interval_ms = 20;
    parts.log = std::make_shared<node::logger>(node::log_level::none);
    auto const it = node::node::start(std::move(parts));
    if (!it) return std::printf("%s\n", it.error().c_str()), 1;

    ledger::transaction tx{};
    tx.fee_max = 1_blnd;
    tx.expires = height{1000};
    tx.messages = {{ledger::wrap<ledger::bank>(ledger::bank::transfer{{}, 5_blnd})}};
    ledger::sign(tx, me);
    auto const id = (*it)->submit(encode(tx));
    while (!(*it)->find(*id)) (*it)->wait(10);
    std::printf("paid in block %s\n", (*it)->find(*id)->at > height{} ? "of its own" : "none");
    (*it)->stop();
    std::printf("%s\n", (*it)->status().state.c_str());
}
