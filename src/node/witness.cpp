// SPDX-License-Identifier: Apache-2.0
#include <node/witness.hpp>

#include <algorithm>
#include <optional>

#include <blendr/bond/evidence.hpp>
#include <blendr/ledger/genesis.hpp>
#include <blendr/ledger/message.hpp>
#include <blendr/ledger/purses.hpp>
#include <blendr/ledger/transaction.hpp>
#include <blendr/node/judge.hpp>

namespace blendr::node {
namespace {

using law = bond::evidence<engine_judge>;

constexpr std::uint64_t valid_for = 200;  // blocks
constexpr amount fee_max = 1_blnd;

}  // namespace

witness::witness(chain_view const& view, chain_forms const& forms, bytes_view genesis,
                 crypto::identity const& me, std::string engine, hash256 const& genesis_name)
    : view_{view},
      me_{me},
      engine_{std::move(engine)},
      genesis_name_{genesis_name}
{
    auto const tables = forms.tables();
    auto const document = decode<ledger::genesis>(genesis);
    judged_ =
        document && std::find(tables.begin(), tables.end(), "evidence/faults") != tables.end();
    if (judged_) chain_ = document->chain.get();
}

void witness::saw(crypto::public_key const& culprit, bytes_view proof)
{
    engine_proof shown{engine_, genesis_name_, {}};
    if (!judged_ || proof.size() > 2048) return;
    static_cast<bytes&>(shown.proof) = to_bytes(proof);
    auto raw = encode(shown);
    auto const what = engine_judge::fault_in(culprit, raw);
    if (!what || faults_.contains({culprit, *what})) return;
    if (faults_.size() >= faults_max) {
        auto const done = std::find_if(faults_.begin(), faults_.end(),
                                       [&](auto const& each) { return over(each.second); });
        if (done == faults_.end()) return;
        faults_.erase(done);
    }
    faults_.try_emplace({culprit, *what}, fault{std::move(raw), {}, 0});
}

bool witness::punished(crypto::public_key const& culprit, hash256 const& what) const
{
    auto const raw = view_.query("evidence/faults",
                                 encode(bond::faults::key{crypto::address_of(culprit), what}));
    return raw.code == 0 && !raw.value.empty();
}

std::vector<bytes> witness::reports(height now)
{
    std::vector<bytes> out{};
    std::optional<std::uint64_t> nonce{};  // asked for once something is due
    for (auto& [about, f] : faults_) {
        if (over(f)) continue;
        if (f.due == height{}) {  // not all at once: the first report is the one that counts
            auto const turn = std::to_integer<unsigned>(about.second[0] ^ me_.self().raw()[0]) % 8;
            f.due = later(now, 1 + 2 * turn);
        }
        if (f.due > now) continue;
        f.due = later(now, again_after);
        ++f.tries;
        if (punished(about.first, about.second)) {
            f.tries = tries_max;
            continue;
        }
        if (!nonce) {
            auto const purse = decode<ledger::purses::row>(
                view_.query("ledger/purses", encode(me_.account())).value);
            nonce = purse ? purse->nonce : 0;
        }
        bond::report said{about.first, {}};
        static_cast<bytes&>(said.proof) = f.proof;
        ledger::transaction tx{};
        tx.chain = ledger::chain_id{chain_};
        tx.sequence = ledger::nonce{(*nonce)++};
        tx.fee_max = fee_max;
        tx.expires = later(now, valid_for);
        tx.messages.push_back(ledger::wrap<law>(said));
        ledger::sign(tx, me_);
        out.push_back(encode(tx));
    }
    return out;
}

}  // namespace blendr::node
