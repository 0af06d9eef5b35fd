// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include <boost/json/value.hpp>

#include <blendr/core/result.hpp>
#include <blendr/node/node.hpp>

namespace blendr::node {

/// A node's questions and answers: JSON-RPC 2.0 by POST to `/` (batches too) and over a WebSocket at `/ws`,
/// where `subscribe` turns events on; `/health`, `/ready`, `/metrics` (Prometheus), `/openrpc.json`. Where it
/// listens on loopback, GET `/` is the explorer, a page that stands on these calls alone.
///
/// A refusal by the ledger is error -32000, whose data is {"code", "reason"}: the frozen reject code and
/// its sentence. Errors of the protocol have the codes of JSON-RPC. Threads of its own: however much is
/// asked, the node's other threads go on.
class rpc_server {
public:
    explicit rpc_server(node& of);
    ~rpc_server();

    /// Says where it listens, "host:port".
    result<std::string, std::string> start();
    void stop();

    /// What every method takes and gives: the OpenRPC document, made of the table that calls are
    /// dispatched by.
    static boost::json::value openrpc();

    /// One request, or a batch, as text; the answer as text, empty where none is due. For tests and other
    /// transports.
    std::string answer(std::string_view text);

private:
    class body;
    std::unique_ptr<body> body_;
};

}  // namespace blendr::node
