// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <blendr/ledger/machine.hpp>
#include <blendr/node/chain.hpp>
#include <blendr/node/impl/machine_forms.hpp>

/// `chain_of<bank, bond::contract, my_contract>()`: a node's chain from a list of contracts. Heavy to compile:
/// keep it in one .cpp.
namespace blendr::node {

namespace impl {

template <ledger::contract... Cs>
class machine_chain final : public chain, public state_pieces {
public:
    explicit machine_chain(chain_setup from) : machine_{options_of(std::move(from))} {}

    result<opened, std::string> open(bytes_view genesis) override
    {
        auto const loaded = machine_.load();
        if (!loaded) return fail{message(loaded.error())};
        if (auto const last = machine_.last(); last.app_hash != hash256{})
            return opened{last, std::nullopt};
        auto first = machine_.init(genesis);
        if (!first) {
            auto const why = machine_.refused();
            return fail{"the genesis document is refused" +
                        (why ? ": " + std::string{message(*why)} : std::string{})};
        }
        return opened{machine_.last(), std::move(first)};
    }
    std::optional<bytes> propose(app::proposal_context const& at, std::size_t bytes_max) override
    {
        return machine_.propose(at, bytes_max);
    }
    std::optional<app::verdict> verify(app::proposal_context const& at, block_id const& id,
                                       bytes_view payload) override
    {
        return machine_.verify(at, id, payload);
    }
    app::finalized finalize(app::proposal_context const& at, block_id const& id,
                            bytes_view payload) override
    {
        return machine_.finalize(at, id, payload);
    }
    height commit() override { return machine_.commit(); }
    std::optional<std::string> failure() const override
    {
        auto const why = machine_.failure();
        return why ? std::optional{message(*why)} : std::nullopt;
    }

    state_pieces* pieces() noexcept override { return this; }
    std::vector<app::snapshot> snapshots() const override { return machine_.snapshots(); }
    std::optional<bytes> chunk(height at, std::uint32_t index) const override
    {
        return machine_.chunk(at, index);
    }
    bool offer(app::snapshot const& which, hash256 const& trusted) override
    {
        return machine_.offer(which, trusted);
    }
    app::chunk_verdict restore(std::uint32_t index, bytes_view raw) override
    {
        return machine_.restore(index, raw);
    }

    app::info last() const override { return machine_.last(); }
    app::query_result query(std::string_view path, bytes_view key) const override
    {
        return machine_.query(path, key);
    }
    std::vector<submission> submit(std::span<bytes_view const> raw) override
    {
        std::vector<submission> out{};
        out.reserve(raw.size());
        for (auto const& each : machine_.submit(raw)) {
            if (each)
                out.emplace_back(*each);
            else
                out.emplace_back(
                    fail{refusal{code(each.error()), std::string{message(each.error())}}});
        }
        return out;
    }
    std::optional<bytes> waiting(hash256 const& id) const override
    {
        return machine_.waiting().find(id);
    }
    std::size_t waiting_count() const override { return machine_.waiting().size(); }
    void look_ahead(bytes_view payload) override { machine_.look_ahead(payload); }

private:
    static ledger::machine_options options_of(chain_setup from)
    {
        ledger::machine_options out{};
        out.threads = from.threads;
        out.proposer = std::move(from.me);
        out.store = std::move(from.store);
        out.waiting.bytes_max = from.mempool_bytes;
        out.snapshot_every = from.snapshot_every;
        out.snapshots_kept = from.snapshots_kept;
        out.signatures.remembered = std::size_t{1} << 16;
        out.signatures.cached_keys = 256;
        return out;
    }

    ledger::machine<Cs...> machine_;
};

}  // namespace impl

/// A chain of these contracts.
template <ledger::contract... Cs>
chain_kind chain_of()
{
    return {[](chain_setup from) -> std::unique_ptr<chain> {
                return std::make_unique<impl::machine_chain<Cs...>>(std::move(from));
            },
            std::make_shared<impl::machine_forms<Cs...>>(),
            std::make_shared<impl::machine_calls<Cs...>>(),
            std::make_shared<impl::machine_beginnings<Cs...>>()};
}

}  // namespace blendr::node
