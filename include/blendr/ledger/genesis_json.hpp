// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <boost/mp11/algorithm.hpp>

#include <blendr/app/types.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/json.hpp>
#include <blendr/crypto/json.hpp>
#include <blendr/ledger/genesis.hpp>
#include <blendr/ledger/registry.hpp>
#include <blendr/ledger/reject.hpp>
#include <blendr/state/store.hpp>

namespace blendr::ledger {

/// How people write a genesis: the JSON that follows from its described line, where a section's
/// document is the JSON of the contract's `genesis_document` instead of its encoding:
///
///     "sections": [{"contract": "bond", "document": {"by": …, "validators": […]}}]
///
/// Hex of the encoding is taken too. What is refused is refused with its place. Numbers that do not
/// add up are another matter: `check`, and the machine's `init`, judge those.
template <class Registry>
class genesis_forms {
public:
    static result<genesis, json_error> from_json(boost::json::value json)
    {
        json_path at{};
        if (!encode_sections(json, at)) return fail{at.error()};
        return blendr::from_json<genesis>(json);
    }

    /// A section that no contract of the chain can read stays hex.
    static boost::json::value to_json(genesis const& from)
    {
        auto out = blendr::to_json(from);
        auto& sections = out.as_object().at("sections").as_array();
        for (std::size_t i = 0; i < from.sections.size(); ++i) {
            auto const& section = from.sections[i];
            with_document(section.contract, [&]<class Document>() {
                if (auto const document = decode<Document>(section.document))
                    sections[i].as_object()["document"] = blendr::to_json(*document);
            });
        }
        return out;
    }

private:
    /// Calls `body` with the genesis_document of the contract of that name, if there is one.
    template <class Body>
    static bool with_document(std::string_view name, Body&& body)
    {
        bool found = false;
        boost::mp11::mp_for_each<
            boost::mp11::mp_transform<boost::mp11::mp_identity, typename Registry::contracts>>(
            [&](auto type) {
                using owner = typename decltype(type)::type;
                if constexpr (requires { typename owner::genesis_document; })
                    if (name == owner::name) {
                        found = true;
                        body.template operator()<typename owner::genesis_document>();
                    }
            });
        return found;
    }

    /// Makes every document the hex of its encoding. Where a section does not have its shape, the
    /// reader of the whole says so.
    static bool encode_sections(boost::json::value& json, json_path& at)
    {
        auto* const whole = json.if_object();
        auto* const named = whole != nullptr ? whole->if_contains("sections") : nullptr;
        auto* const sections = named != nullptr ? named->if_array() : nullptr;
        if (sections == nullptr) return true;
        return at.into("sections", [&] {
            for (std::size_t i = 0; i < sections->size(); ++i)
                if (!at.into(i, [&] { return encode_section((*sections)[i], at); })) return false;
            return true;
        });
    }

    static bool encode_section(boost::json::value& json, json_path& at)
    {
        auto* const section = json.if_object();
        if (section == nullptr) return true;
        auto* const contract = section->if_contains("contract");
        auto* const document = section->if_contains("document");
        if (contract == nullptr || !contract->is_string() || document == nullptr) return true;
        auto const& name = contract->get_string();
        bool good = true;
        bool const known = with_document({name.data(), name.size()}, [&]<class Document>() {
            good = at.into("document", [&] { return encode_document<Document>(*document, at); });
        });
        if (known) return good;
        return at.into("contract", [&] {
            return at.refuse("no contract of that name begins with a document");
        });
    }

    template <class Document>
    static bool encode_document(boost::json::value& json, json_path& at)
    {
        if (json.is_string()) {
            bytes raw{};
            if (!json_form<bytes>::read(json, raw, at)) return false;
            return decode<Document>(raw) || at.refuse("not the contract's document, encoded");
        }
        Document document{};
        if (!json_form<Document>::read(json, document, at)) return false;
        json = blendr::to_json(encode(document));
        return true;
    }
};

/// From the text to what `encode` turns into what `init` takes.
template <class Registry>
result<genesis, json_error> read_genesis_json(std::string_view text)
{
    BLENDR_TRY(auto json, parse_json(text));
    return genesis_forms<Registry>::from_json(std::move(json));
}

/// Begins a chain as people and programs hand it over: the genesis as JSON text, or its encoding. What is
/// refused is refused with a sentence that says what is wrong and where.
template <class Machine>
result<app::validator_set, std::string> begin_chain(Machine& chain, bytes_view raw)
{
    auto encoded = read_genesis(raw);
    if (!encoded) {  // then it is text
        auto read = read_genesis_json<typename Machine::registry>(as_text(raw));
        if (!read) return fail{message(read.error())};
        encoded = *std::move(read);
    }
    auto const said = [](reject why, std::string const& where) {
        auto const at = where.empty() ? std::string{} : "$." + where + ": ";
        return at + std::string{message(why)};
    };
    if (auto const good = check(*encoded); !good)
        return fail{said(good.error().why, good.error().where)};
    if (auto const set = chain.init(encode(*encoded))) return *set;
    if (auto const failed = chain.failure()) return fail{state::message(*failed)};
    if (chain.last().last != height{} || !chain.refused())
        return fail{std::string{"the chain has begun already"}};
    auto out = said(*chain.refused(), {});
    if (*chain.refused() == reject::allocation_mismatch)
        out += ", which is " + to_string(encoded->money.premine) + " BLND";
    return fail{std::move(out)};
}

}  // namespace blendr::ledger
