// SPDX-License-Identifier: Apache-2.0
// All contracts' messages and hooks, compiled once for every test that lives in the town.
#include "../escrow/town.hpp"

namespace blendr::escrow::testing {

template <class First, class Then>
void town::in_hooks(First&& first, Then&& then)
{
    last = {};
    ledger::lane<chain> exact{*rows_, ++stamp_};
    exact_ = &exact;
    ledger::hooks<chain> all{exact, block_, last.minted};
    first(all);
    then(all);
    exact.flush_marks();
    last.burned = exact.burned;
    last.changes.push_back(std::move(exact.before));
    burned += last.burned;
    exact_ = nullptr;
}

town::town(std::uint64_t secret) : rows_{std::make_unique<ledger::rows<chain>>(secret)}
{
    in_hooks(
        [](auto& all) {
            bonds::genesis_document bond{};
            bond.by.of.least = 1_blnd;
            all.template genesis<bonds>(bond);
            ratings::genesis_document scores{};
            scores.by.rate_within = 200;
            scores.by.appeals = {100, 20, 20, 3, 1_blnd, 2'000};
            all.template genesis<ratings>(scores);
            all.template genesis<verifiers>({});
            all.template genesis<markets>({{{rtx, rtx_spec, price{10}}}});
            all.template genesis<escrows>({});
        },
        [](auto&) {});
}

template <class Execute>
std::vector<ledger::outcome> town::run(std::span<tx const> txs, std::size_t chunk,
                                       Execute&& execute)
{
    std::vector<std::unique_ptr<ledger::prepared_part<chain>>> parts;
    std::map<address, std::uint64_t> nonces;
    for (std::size_t i = 0; i < txs.size(); i += chunk) {
        auto& part = *parts.emplace_back(std::make_unique<ledger::prepared_part<chain>>(*rows_));
        for (auto j = i; j < std::min(txs.size(), i + chunk); ++j) {
            auto const known =
                nonces.try_emplace(txs[j].sender, row<ledger::purses>(txs[j].sender).nonce);
            part.add_tx(txs[j].sender, known.first->second++, 1, amount{});
            for (auto const& message : txs[j].messages)
                std::visit(
                    [&]<class M>(M const& m) { part.add_message<chain::message_index<M>>(m); },
                    message);
        }
        part.reserve();
        part.resolve();
    }
    std::vector<std::span<ledger::prepared_tx const>> spans;
    for (auto const& each : parts) spans.push_back(each->txs());
    std::vector<ledger::outcome> results(txs.size());
    ++block_.at;
    block_.time = block_.time + std::int64_t{1'000};
    block_.beacon = hash256{};
    auto const number = encode(block_.at.get() * 0x2545f4914f6cdd1d);
    std::copy(number.begin(), number.end(), block_.beacon.begin());
    in_hooks(
        [&](auto& all) {
            all.begin_block();
            execute(*exact_, stamp_, block_, std::span{std::as_const(spans)}, std::span{results},
                    last.changes);
        },
        [](auto& all) {
            all.deliver();
            all.end_block();
        });
    auto& facts = rows_->table<ledger::facts>();
    facts.row(facts.intern(0)).at = block_.at;
    return results;
}
std::vector<ledger::outcome> town::run_in_order(std::span<tx const> txs)
{
    return run(txs, 1000,
               [](auto& exact, auto, auto const& block, auto parts, auto results, auto&) {
                   for (auto const& each : parts)
                       ledger::execute_in_order(exact, block, each, 0, results);
               });
}

std::vector<ledger::outcome> town::run_in_parallel(std::span<tx const> txs, std::size_t chunk,
                                                   ledger::parallel_executor<chain>& execute)
{
    return run(txs, chunk, execute);
}

town::picture town::look() const
{
    picture out;
    boost::mp11::mp_for_each<boost::mp11::mp_iota_c<chain::table_count>>([&](auto t) {
        auto const& table = std::as_const(*rows_).table<chain::table_at<decltype(t)::value>>();
        for (state::slot i = 0; i < table.size(); ++i)
            if (table.present(i)) out[{t, encode(table.key(i))}] = encode(table.row(i));
    });
    return out;
}

void town::rebuild(picture const& leaves)
{
    auto fresh = std::make_unique<ledger::rows<chain>>(++secret_);
    boost::mp11::mp_for_each<boost::mp11::mp_iota_c<chain::table_count>>([&](auto t) {
        using spec = chain::table_at<decltype(t)::value>;
        auto& table = fresh->table<spec>();
        for (auto const& [name, value] : leaves) {
            if (name.first != t) continue;
            auto const at = table.intern(decode<typename spec::key>(name.second).value());
            table.row(at) = decode<typename spec::row>(value).value();
            if constexpr (ledger::ordered<spec>) table.changed(at);
        }
    });
    rows_ = std::move(fresh);
}

amount town::money() const { return ledger::money_in(std::as_const(*rows_)) + burned; }

}  // namespace blendr::escrow::testing
