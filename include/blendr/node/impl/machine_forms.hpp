// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a list of contracts amounts to in words and JSON: apart from the machine, so that each is compiled
// in a .cpp of its own where compiling takes long.

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>

#include <blendr/bond/evidence.hpp>
#include <blendr/crypto/json.hpp>
#include <blendr/ledger/genesis_json.hpp>
#include <blendr/ledger/message_json.hpp>
#include <blendr/ledger/query_json.hpp>
#include <blendr/ledger/receipt.hpp>
#include <blendr/node/chain.hpp>

namespace blendr::node::impl {

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

template <ledger::contract... Cs>
class machine_calls final : public call_forms {
    using registry = ledger::registry<Cs...>;
    using said = ledger::message_forms<registry>;
    using asked = ledger::query_forms<registry>;

    static result<bytes, std::string> encoded(result<ledger::wire_message, std::string> const& from)
    {
        if (!from) return fail{from.error()};
        return encode(*from);
    }

public:
    std::vector<std::string> messages() const override { return said::usage(); }
    result<bytes, std::string> message(boost::json::value const& json) const override
    {
        return encoded(said::from_json(json));
    }
    result<bytes, std::string> message(std::span<std::string_view const> words) const override
    {
        return encoded(said::from_arguments(words));
    }
    std::vector<std::string> queries() const override { return asked::usage(); }
    result<bytes, std::string> question(std::string_view path,
                                        boost::json::value const& json) const override
    {
        BLENDR_TRY(auto made, asked::from_json(path, json));
        return std::move(made.argument);
    }
    result<boost::json::value, std::string> answer(std::string_view path,
                                                   bytes_view raw) const override
    {
        return asked::to_json(path, raw);
    }
};

/// The document of the contract that judges evidence holds the name, where there is one.
template <ledger::contract... Cs>
class machine_beginnings final : public genesis_forms {
    /// Calls `body` with the document, and puts what it made of it back.
    template <class Body>
    static bytes changed(bytes_view genesis, Body&& body)
    {
        auto document = decode<ledger::genesis>(genesis);
        if (!document) return to_bytes(genesis);
        bool found = false;
        for (auto& each : document->sections) {
            if (each.contract != "evidence") continue;
            if (auto practice = decode<bond::practice::row>(each.document)) {
                body(practice->chain);
                each.document = encode(*practice);
                found = true;
            }
        }
        return found ? encode(*document) : to_bytes(genesis);
    }

public:
    named naming(bytes_view genesis) const override
    {
        named out{};
        out.bare = changed(genesis, [&](hash256& name) {
            if (name != hash256{}) out.name = name;
            name = {};
        });
        return out;
    }
    bytes renamed(bytes_view genesis, hash256 const& name) const override
    {
        return changed(genesis, [&](hash256& in) { in = name; });
    }
    result<boost::json::value, std::string> json(bytes_view genesis) const override
    {
        auto const document = decode<ledger::genesis>(genesis);
        if (!document) return fail{blendr::message(document.error())};
        return ledger::genesis_forms<ledger::registry<Cs...>>::to_json(*document);
    }
};

}  // namespace blendr::node::impl
