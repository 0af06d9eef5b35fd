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
    auto const parts = test::prepare(*rows_, txs, chunk);
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
    return run(txs, 1000, test::in_order);
}

std::vector<ledger::outcome> town::run_in_parallel(std::span<tx const> txs, std::size_t chunk,
                                                   ledger::parallel_executor<chain>& execute)
{
    return run(txs, chunk, execute);
}

test::picture town::look() const { return test::look(*rows_); }

void town::rebuild(test::picture const& leaves)
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
