// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <blendr/crypto/identity.hpp>
#include <blendr/node/chain.hpp>

namespace blendr::node {

/// Makes transactions of what an engine noticed, where the chain judges evidence: signed and paid for by
/// this node, again while nobody's report has led to anything, `tries_max` times and then never: whoever
/// shows the engine one fault again and again spends nothing of ours. One thread.
class witness {
public:
    static constexpr std::size_t faults_max = 64;
    static constexpr std::uint64_t again_after = 20;  ///< blocks
    static constexpr unsigned tries_max = 5;

    witness(chain_view const& view, chain_forms const& forms, bytes_view genesis,
            crypto::identity const& me, std::string engine, hash256 const& genesis_name);

    /// Bounded; a fault that is known already is nothing new.
    void saw(crypto::public_key const& culprit, bytes_view proof);
    /// What is to be sent now, when so many blocks are there.
    std::vector<bytes> reports(height now);

private:
    struct fault {
        bytes proof{};
        height due{};
        unsigned tries = 0;
    };
    bool over(fault const& f) const noexcept { return f.tries >= tries_max; }
    bool punished(crypto::public_key const& culprit, hash256 const& what) const;

    chain_view const& view_;
    crypto::identity const& me_;
    std::string engine_;
    hash256 genesis_name_;
    std::uint64_t chain_ = 0;
    bool judged_ = false;  ///< does the chain judge evidence?
    std::map<std::pair<crypto::public_key, hash256>, fault> faults_{};
};

}  // namespace blendr::node
