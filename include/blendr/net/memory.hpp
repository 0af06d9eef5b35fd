// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include <blendr/net/transport.hpp>

namespace blendr::net {

/// A network within one process, for tests and for trying a node out: every transport made here that was
/// started is everybody else's peer. Each has a thread of its own for its receiver.
class memory_network {
public:
    memory_network();
    ~memory_network();

    std::unique_ptr<transport> join(public_key const& as);

    /// What is sent between the two is lost from now on, or arrives again.
    void cut(public_key const& a, public_key const& b, bool on);

    struct state;

private:
    std::shared_ptr<state> state_;
};

}  // namespace blendr::net
