// SPDX-License-Identifier: Apache-2.0
// The market's messages and hooks, compiled once for every test that has a world of its own.
#include "../market/contract_world.hpp"

namespace blendr::market::testing {

world::world(std::uint64_t secret) : rows_{secret}
{
    ledger::lane<chain> on{rows_, ++stamp_};
    amount minted{};
    ledger::hooks<chain> all{on, block_, minted};
    bond::contract::genesis_document bonds{};
    bonds.by.of = {5, amount{100'000}, 2'000};
    all.genesis<bond::contract>(bonds);
    all.genesis<contract>({{{rtx, rtx_spec, price{10}}}, {{account(0), {true, true, 4}}}});
    on.flush_marks();
}

template <class Execute>
std::vector<ledger::outcome> world::run(std::span<tx const> txs, std::size_t chunk,
                                        Execute&& execute)
{
    auto const parts = test::prepare(rows_, txs, chunk);
    std::vector<std::span<ledger::prepared_tx const>> spans;
    for (auto const& each : parts) spans.push_back(each->txs());
    std::vector<ledger::outcome> results(txs.size());
    block_.at = height{block_.at.get() + 1};
    block_.time = time_ms{block_.time.get() + interval_ms};
    last = {};
    ledger::lane<chain> exact{rows_, ++stamp_};
    ledger::hooks<chain> all{exact, block_, last.minted, pool};
    all.begin_block();
    execute(exact, stamp_, block_, std::span{std::as_const(spans)}, std::span{results},
            last.changes);
    all.deliver();
    if (looks_max == 0) {
        all.end_block();
    } else {  // as end_block, but for the bound
        auto ctx = all.context<contract>();
        impl::settlement_day day{ctx};
        day.take_in();
        day.run_auctions(looks_max);
        exact.events.clear();
        exact.posts = {};
    }
    exact.flush_marks();
    last.burned = exact.burned;
    last.changes.push_back(std::move(exact.before));
    burned += last.burned;
    return results;
}
std::vector<ledger::outcome> world::run_in_order(std::span<tx const> txs)
{
    return run(txs, 1000, test::in_order);
}

std::vector<ledger::outcome> world::run_in_parallel(std::span<tx const> txs, std::size_t chunk,
                                                    ledger::parallel_executor<chain>& execute)
{
    return run(txs, chunk, execute);
}

test::picture world::look() const { return test::look(rows_); }

amount world::money() const { return ledger::money_in(rows_) + burned; }

}  // namespace blendr::market::testing
