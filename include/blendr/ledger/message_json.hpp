// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/value.hpp>
#include <boost/mp11/algorithm.hpp>

#include <blendr/core/json.hpp>
#include <blendr/crypto/json.hpp>
#include <blendr/ledger/impl/argument_forms.hpp>
#include <blendr/ledger/registry.hpp>
#include <blendr/ledger/transaction.hpp>

namespace blendr::ledger {

/// The forms in which people and programs name messages: JSON, {"bank.transfer": {"to": …, "value":
/// …}}, and a command line, `bank.transfer --to … --value 2.5`. Both follow from the described
/// line of the message; amounts on a command line are in BLND.
template <class Registry>
class message_forms {
    template <std::size_t I>
    using kind_at = typename Registry::template message_at<I>;
    template <class Body>
    static void each_kind(Body&& body)
    {
        boost::mp11::mp_for_each<boost::mp11::mp_iota_c<Registry::message_count>>(
            [&](auto i) { body.template operator()<kind_at<decltype(i)::value>>(); });
    }

public:
    /// "bank.transfer", for every message of the chain.
    static std::vector<std::string> names()
    {
        std::vector<std::string> out;
        each_kind([&]<class Kind>() { out.push_back(name<Kind>()); });
        return out;
    }

    static result<boost::json::value, std::string> to_json(wire_message const& from)
    {
        result<boost::json::value, std::string> out = fail{std::string{"no such message"}};
        each_kind([&]<class Kind>() {
            if (Kind::number != frozen_number{from.contract, from.index}) return;
            auto const message = decode<typename Kind::message>(from.body);
            if (!message) {
                out = fail{blendr::message(message.error())};
                return;
            }
            boost::json::object object{};
            object.emplace(name<Kind>(), blendr::to_json(*message));
            out = boost::json::value(std::move(object));
        });
        return out;
    }

    static result<wire_message, std::string> from_json(boost::json::value const& from)
    {
        auto const* const object = from.if_object();
        if (object == nullptr || object->size() != 1)
            return fail{std::string{"an object with one member, a message's name, is expected"}};
        std::string_view const wanted{object->begin()->key()};
        result<wire_message, std::string> out = fail{unknown(wanted)};
        each_kind([&]<class Kind>() {
            if (wanted != name<Kind>()) return;
            auto const message =
                blendr::from_json<typename Kind::message>(object->begin()->value());
            if (message)
                out = wrap_as<Kind>(*message);
            else
                out = fail{blendr::message(message.error())};
        });
        return out;
    }

    /// `arguments`: the name, then `--member value` in any order. Every member must be there once.
    static result<wire_message, std::string>
    from_arguments(std::span<std::string_view const> arguments)
    {
        if (arguments.empty()) return fail{std::string{"a message's name is expected"}};
        result<wire_message, std::string> out = fail{unknown(arguments.front())};
        each_kind([&]<class Kind>() {
            if (arguments.front() != name<Kind>()) return;
            auto const message = impl::read_arguments<typename Kind::message>(arguments.subspan(1));
            if (message)
                out = wrap_as<Kind>(*message);
            else
                out = fail{message.error()};
        });
        return out;
    }

    /// "bank.transfer --to <to> --value <value>", for every message.
    static std::vector<std::string> usage()
    {
        std::vector<std::string> out;
        each_kind([&]<class Kind>() {
            out.push_back(name<Kind>() + impl::argument_usage<typename Kind::message>());
        });
        return out;
    }

private:
    template <class Kind>
    static std::string name()
    {
        return std::string{Kind::contract_name} + '.' + std::string{Kind::message_name};
    }
    static std::string unknown(std::string_view wanted)
    {
        std::string out = "no message is called \"" + std::string{wanted} + "\"; there are";
        for (auto const& each : names()) out += ' ' + each;
        return out;
    }
    template <class Kind>
    static wire_message wrap_as(typename Kind::message const& message)
    {
        wire_message out{Kind::number.contract, Kind::number.index, {}};
        static_cast<bytes&>(out.body) = encode(message);
        return out;
    }
};

}  // namespace blendr::ledger
