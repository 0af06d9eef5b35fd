// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <blendr/abci/form.hpp>
#include <blendr/app/block_id.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/ledger/block.hpp>
#include <blendr/ledger/genesis_json.hpp>
#include <blendr/ledger/machine.hpp>
#include <blendr/ledger/transaction.hpp>
#include <blendr/state/store.hpp>

namespace blendr::abci {

/// The ledger's machine, whatever its contracts. The genesis file's `app_state` is the chain's genesis as
/// people write it (`ledger/genesis_json.hpp`); a block's header rides in the first entry.
///
/// A transaction that is checked waits in the machine's own pool at once, which orders by fee; one
/// that waits there already is good as long as it waits.
template <ledger::contract... Cs>
struct form<ledger::machine<Cs...>> {
    using chain = ledger::machine<Cs...>;

    static result<bytes, std::string> genesis(bytes_view text)
    {
        auto const document = ledger::read_genesis_json<typename chain::registry>(as_text(text));
        if (!document) return fail{message(document.error())};
        return encode(*document);
    }

    static std::optional<entries> split(bytes_view payload)
    {
        auto block = ledger::decode_block(payload);
        if (!block) return std::nullopt;
        return entries{encode(block->head), std::move(block->transactions)};
    }

    static std::string refused(chain const& by)
    {
        return std::string{by.refused() ? ledger::message(*by.refused()) : "it was begun before"};
    }

    static std::optional<bytes> join(bytes_view head, std::vector<bytes_view> const& txs)
    {
        auto const decoded = ledger::decode_header(head);
        if (!decoded) return std::nullopt;
        return ledger::encode_block(*decoded, txs);
    }

    static std::optional<block_id> parent_in(bytes_view head)
    {
        auto const decoded = ledger::decode_header(head);
        return decoded ? std::optional{decoded->parent} : std::nullopt;
    }

    static void admit(chain& to, std::vector<bytes_view> const& txs)
    {
        to.submit(std::span<bytes_view const>{txs});
    }

    static std::optional<std::string> failure(chain const& of)
    {
        auto const why = of.failure();
        return why ? std::optional{message(*why)} : std::nullopt;
    }

    static std::optional<place> tip(chain const& of)
    {
        auto const last = of.tip();
        if (!last) return std::nullopt;
        return place{last->id, last->head.block_time, last->next};
    }

    static std::vector<app::check_result> check(chain& by, std::vector<bytes_view> const& txs,
                                                bool again)
    {
        std::vector<app::check_result> out(txs.size());
        std::vector<bytes_view> asked{};
        std::vector<std::size_t> of{};
        for (std::size_t i = 0; i < txs.size(); ++i) {
            // the pool lets go by itself what a block made useless: what waits is still good
            if (again)
                if (auto const tx = ledger::decode_transaction(txs[i]);
                    tx && by.waiting().contains(tx->id()))
                    continue;
            asked.push_back(txs[i]);
            of.push_back(i);
        }
        auto const said = by.submit(std::span<bytes_view const>{asked});
        for (std::size_t i = 0; i < said.size(); ++i)
            if (!said[i] && said[i].error() != ledger::reject::duplicate)
                out[of[i]] = {ledger::code(said[i].error()),
                              std::string{ledger::message(said[i].error())}, 0};
        return out;
    }
};

}  // namespace blendr::abci
