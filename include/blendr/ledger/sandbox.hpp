// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include <blendr/core/assert.hpp>
#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/chain_state.hpp>
#include <blendr/ledger/contract.hpp>
#include <blendr/ledger/query.hpp>

namespace blendr::ledger {

/// A chain in one process for trying contracts: no keys, no fees, a block whenever it is told to.
/// Contracts run on it exactly as on a machine; every block is checked for conservation of money.
template <contract... Cs>
class sandbox {
public:
    using registry = ledger::registry<Cs...>;
    using any_message = boost::mp11::mp_rename<typename registry::messages, std::variant>;

    /// What one sender asks for in one transaction.
    struct tx {
        address sender{};
        std::vector<any_message> messages{};
        amount fee{};
    };

    sandbox() : rows_{0} {}

    /// Money out of nowhere, for the sake of the trial.
    void fund(address const& owner, amount value)
    {
        auto& table = rows_.template table<purses>();
        table.row(table.intern(owner)).balance += value;
    }

    /// As a chain's genesis does for contract C.
    template <class C>
    void genesis(typename C::genesis_document const& document)
    {
        run({}, [&](auto& hooks) { BLENDR_ASSERT(hooks.template genesis<C>(document)); });
    }

    /// One block of those transactions, hooks included: how each ended, 0 for well. Nonces are
    /// filled in.
    std::vector<std::uint32_t> block(std::span<tx const> txs)
    {
        std::vector<std::uint32_t> codes{};
        for (auto const& each : run(txs, [](auto& hooks) { hooks.begin_block(); }).outcomes)
            codes.push_back(each.code);
        ++block_.at;
        block_.time = block_.time + block_interval_ms;
        return codes;
    }
    std::vector<std::uint32_t> block(std::initializer_list<tx> txs = {})
    {
        return block(std::span{txs.begin(), txs.size()});
    }

    /// A block of one message. Well ended: the contract's `error::ok`, which is 0.
    template <class Message>
    std::uint32_t call(address const& sender, Message message)
    {
        tx one{sender, {}, {}};
        one.messages.push_back(std::move(message));
        return block(std::span{&one, 1}).front();
    }

    /// What a row holds now; a default row where there is none.
    template <class T>
    typename T::row row(typename T::key const& key) const
    {
        auto const& table = rows_.template table<T>();
        auto const at = table.find(key);
        return at == state::no_slot ? typename T::row{} : table.row(at);
    }
    amount balance(address const& owner) const { return row<purses>(owner).balance; }

    /// Asks a contract, see query.hpp. Its index is made anew each time.
    template <class Query>
    result<answer_of<registry, Query>, std::uint32_t> ask(Query const& asked) const
    {
        indexes<registry> indices{};
        indices.rebuild(rows_);
        impl::query_work work{query_limits{}.rows_max, false, false, false, {}};
        return ledger::ask(committed_rows<registry>{rows_}, indices, asked, work);
    }

    /// Walks an ordered table: visit(key, row), until it says false.
    template <ordered T, class Visit>
    void each(Visit&& visit)
    {
        rows_.template table<T>().each(std::forward<Visit>(visit));
    }

    /// Where the next block stands; a trial may set it.
    block_info& next() noexcept { return block_; }

    rows<registry>& state() noexcept { return rows_; }

private:
    static constexpr std::int64_t block_interval_ms = 1000;

    template <class Start>
    applied<registry> run(std::span<tx const> txs, Start&& start)
    {
        prepared_part<registry> part{rows_};
        std::map<address, std::uint64_t> nonces{};
        for (auto const& each : txs) {
            auto const known = nonces.try_emplace(each.sender, row<purses>(each.sender).nonce);
            part.add_tx(each.sender, known.first->second++, 0, each.fee);
            for (auto const& message : each.messages)
                std::visit(
                    [&]<class M>(M const& m) {
                        part.template add_message<registry::template message_index<M>>(m);
                    },
                    message);
        }
        part.reserve();
        part.resolve();

        applied<registry> done{};
        lane<registry> on{rows_, ++stamp_};
        hooks<registry> all{on, block_, done.minted};
        start(all);
        done.outcomes.resize(txs.size());
        execute_in_order(on, block_, part.txs(), 0, std::span{done.outcomes});
        all.deliver();
        all.end_block();
        on.flush_marks();
        done.burned = on.burned + on.fees;
        done.changes.push_back(std::move(on.before));

        auto const money = money_in(rows_, std::span{std::as_const(done.changes)});
        BLENDR_ASSERT(money.now + done.burned == money.kept + done.minted);
        return done;
    }

    rows<registry> rows_;
    block_info block_{height{1}, time_ms{1'700'000'000'000}, {}, {}};
    std::uint32_t stamp_{};
};

}  // namespace blendr::ledger
