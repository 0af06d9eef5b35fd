// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>

#include <blendr/crypto/json.hpp>
#include <blendr/ledger/genesis_json.hpp>
#include <blendr/ledger/machine.hpp>
#include <blendr/ledger/message_json.hpp>
#include <blendr/ledger/receipt.hpp>
#include <blendr/node/chain.hpp>

/// `chain_of<bank, bond::contract, my_contract>()`: a node's chain from a list of contracts. Heavy to compile:
/// keep it in one .cpp.
namespace blendr::node {

namespace impl {

template <ledger::contract... Cs>
class machine_chain final : public chain {
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

    app::info last() const override { return machine_.last(); }
    app::query_result query(std::string_view path, bytes_view key) const override
    {
        return machine_.query(path, key);
    }
    std::vector<submitted> submit(std::span<bytes_view const> raw) override
    {
        std::vector<submitted> out{};
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
        out.signatures.remembered = std::size_t{1} << 16;
        out.signatures.cached_keys = 256;
        return out;
    }

    ledger::machine<Cs...> machine_;
};

template <ledger::contract... Cs>
class machine_forms final : public chain_forms {
    using registry = ledger::registry<Cs...>;
    using forms = ledger::message_forms<registry>;

public:
    result<bytes, std::string> genesis(std::string_view json) const override
    {
        auto const document = ledger::read_genesis_json<registry>(json);
        if (!document) return fail{message(document.error())};
        if (auto const good = ledger::check(*document); !good)
            return fail{good.error().where + ": " + std::string{message(good.error().why)}};
        return encode(*document);
    }

    std::vector<std::string> tables() const override
    {
        std::vector<std::string> out{};
        each_table([&]<class Kind>() { out.push_back(path<Kind>()); });
        return out;
    }

    result<bytes, std::string> key(std::string_view table,
                                   boost::json::value const& json) const override
    {
        result<bytes, std::string> out = fail{unknown(table)};
        each_table([&]<class Kind>() {
            if (table != path<Kind>()) return;
            auto const read = from_json<typename Kind::table::key>(json);
            if (read)
                out = encode(*read);
            else
                out = fail{"not a key of " + std::string{table} + ": " + message(read.error())};
        });
        return out;
    }

    result<boost::json::value, std::string> row(std::string_view table,
                                                bytes_view raw) const override
    {
        result<boost::json::value, std::string> out = fail{unknown(table)};
        each_table([&]<class Kind>() {
            if (table != path<Kind>()) return;
            using row_type = typename Kind::table::row;
            if (raw.empty()) {
                out = to_json(row_type{});
                return;
            }
            auto const read = decode<row_type>(raw);
            if (read)
                out = to_json(*read);
            else
                out = fail{message(read.error())};
        });
        return out;
    }

    result<boost::json::value, std::string> transaction(bytes_view raw) const override
    {
        auto const tx = decode<ledger::transaction>(raw);
        if (!tx) return fail{message(tx.error())};
        boost::json::array messages{};
        for (auto const& each : tx->messages) {
            auto const said = forms::to_json(each);
            messages.push_back(said ? *said : to_json(each));
        }
        boost::json::object out{};
        out["id"] = to_json(ledger::id_of(*tx));
        out["chain"] = to_json(tx->chain);
        out["sender"] = to_json(crypto::address_of(tx->sender));
        out["nonce"] = to_json(tx->sequence);
        out["fee_max"] = to_json(tx->fee_max);
        out["tip"] = to_json(tx->tip);
        out["expires"] = to_json(tx->expires);
        out["messages"] = std::move(messages);
        return boost::json::value(std::move(out));
    }

    boost::json::value receipt(app::tx_result const& done) const override
    {
        boost::json::object out{};
        out["code"] = done.code;
        out["result"] = name_of(done.code);
        out["gas"] = done.gas_used;
        if (auto const read = decode<ledger::receipt>(done.receipt)) {
            out["fee"] = to_json(read->fee);
            out["output"] = to_json(static_cast<bytes const&>(read->output));
        }
        return boost::json::value(std::move(out));
    }

    result<block_parts, std::string> block(bytes_view payload) const override
    {
        auto const read = ledger::decode_block(payload);
        if (!read) return fail{std::string{message(read.error())}};
        block_parts out{to_json(read->head), read->transactions, {}};
        out.ids.reserve(out.transactions.size());
        for (auto const& raw : out.transactions) {
            auto const tx = ledger::decode_transaction(raw);
            out.ids.push_back(tx ? tx->id() : hash256{});
        }
        return out;
    }

private:
    template <class Body>
    static void each_table(Body&& body)
    {
        boost::mp11::mp_for_each<
            boost::mp11::mp_transform<boost::mp11::mp_identity, typename registry::table_kinds>>(
            [&](auto type) { body.template operator()<typename decltype(type)::type>(); });
    }
    template <class Kind>
    static std::string path()
    {
        return std::string{Kind::owner::name} + '/' + std::string{Kind::table::name};
    }
    std::string unknown(std::string_view table) const
    {
        std::string out = "no table is called \"" + std::string{table} + "\"; there are";
        for (auto const& each : tables()) out += ' ' + each;
        return out;
    }
    /// "ok", "stale_nonce", "bank.poor".
    static std::string name_of(std::uint32_t code)
    {
        if (code == 0) return "ok";
        if (code >> 16 == 0) {
            auto const known = ledger::text_of(static_cast<ledger::reject>(code));
            return std::string{known.name};
        }
        std::string out = std::to_string(code >> 16) + '.' + std::to_string(code & 0xffff);
        auto const look = [&]<class C>() {
            if (C::id != code >> 16) return;
            out = std::string{C::name} + '.' + std::to_string(code & 0xffff);
            if constexpr (boost::describe::has_describe_enumerators<typename C::error>::value)
                boost::mp11::mp_for_each<boost::describe::describe_enumerators<typename C::error>>(
                    [&](auto each) {
                        if (static_cast<std::uint32_t>(each.value) == (code & 0xffff))
                            out = std::string{C::name} + '.' + each.name;
                    });
        };
        (look.template operator()<Cs>(), ...);
        return out;
    }
};

}  // namespace impl

/// A chain of these contracts.
template <ledger::contract... Cs>
chain_kind chain_of()
{
    return {[](chain_setup from) -> std::unique_ptr<chain> {
                return std::make_unique<impl::machine_chain<Cs...>>(std::move(from));
            },
            std::make_shared<impl::machine_forms<Cs...>>()};
}

}  // namespace blendr::node
