// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/judge.hpp>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <blendr/consensus/authority.hpp>
#include <blendr/consensus/hotstuff2.hpp>
#include <blendr/consensus/simplex.hpp>
#include <blendr/crypto/strict.hpp>

namespace blendr::node {
namespace {

constexpr crypto::domain chain_domain{"node.chain/1"};
constexpr crypto::domain fault_domain{"node.fault/1"};

bool is_chained(std::string_view engine)
{
    return engine == consensus::simplex::name || engine == consensus::hotstuff2::name;
}

}  // namespace

hash256 genesis_name(bytes_view bare) { return crypto::hash(chain_domain, bare); }

hash256 chain_name(hash256 const& genesis, std::string_view consensus)
{
    return crypto::hasher{chain_domain}.update(genesis).update(as_bytes(consensus)).finish();
}

std::optional<hash256> engine_judge::fault_in(crypto::public_key const&, bytes_view proof)
{
    auto const shown = decode<engine_proof>(proof);
    if (!shown) return std::nullopt;
    if (is_chained(shown->engine)) {
        auto const said = decode<consensus::double_vote>(shown->proof);
        if (!said || said->first.about.epoch != said->second.about.epoch ||
            said->first.about.view != said->second.about.view)
            return std::nullopt;
        return crypto::hash(fault_domain,
                            encode(std::array{said->first.about.epoch, said->first.about.view}));
    }
    if (shown->engine != consensus::authority::name) return std::nullopt;
    auto const said = decode<consensus::double_seal>(shown->proof);
    if (!said) return std::nullopt;
    return crypto::hash(fault_domain, encode(said->slot));
}

bool engine_judge::shows(crypto::public_key const& culprit, bytes_view proof, hash256 const& chain)
{
    auto const shown = decode<engine_proof>(proof);
    if (!shown || chain_name(shown->genesis, shown->engine) != chain) return false;
    consensus::membership alone{height{}, 0, {{culprit, weight{1}}}, chain};
    std::vector<consensus::claim> claims{};
    bool guilty = false;
    if (is_chained(shown->engine)) {
        auto const said = decode<consensus::double_vote>(shown->proof);
        if (!said) return false;
        alone.epoch = said->first.about.epoch;
        guilty = shown->engine == consensus::simplex::name
                     ? consensus::simplex::check_evidence(alone, culprit, shown->proof, claims)
                     : consensus::hotstuff2::check_evidence(alone, culprit, shown->proof, claims);
    } else if (shown->engine == consensus::authority::name) {
        guilty = consensus::authority::check_evidence(alone, culprit, shown->proof, claims);
    }
    return guilty && std::all_of(claims.begin(), claims.end(), [](consensus::claim const& each) {
               return crypto::verify_strict(each.key, each.digest, each.signature);
           });
}

}  // namespace blendr::node
