// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <blendr/consensus/engine.hpp>
#include <blendr/consensus/messages.hpp>

namespace blendr::sim {

using consensus::claim;
using consensus::effects;
using consensus::identity;
using crypto::public_key;

/// An engine chosen at run time.
class any_engine {
public:
    virtual ~any_engine() = default;
    virtual void step(consensus::event const& in, consensus::clock now, effects& out) = 0;
    virtual std::optional<bool> claims(public_key const& from, bytes_view raw,
                                       std::vector<claim>& out) const = 0;
    /// How much it holds that others made, where it can say.
    virtual std::size_t held() const { return 0; }
};

/// Something that an engine signed and must never contradict: two statements about one subject with
/// different content are an equivocation, as are two that the engine excludes.
struct statement {
    std::uint64_t group{};  ///< epoch and view, or slot
    std::uint8_t kind{};
    hash256 content{};
};

/// An engine's type as a value: how to make one, and what strangers can check.
struct engine_kind {
    std::string name{};
    std::function<std::unique_ptr<any_engine>(identity, std::uint64_t seed)> make{};
    bool (*check)(consensus::membership const&, consensus::decide::entry const&, bytes_view,
                  std::vector<claim>&){};
    bool (*check_evidence)(consensus::membership const&, public_key const&, bytes_view,
                           std::vector<claim>&){};
    bool (*excludes)(std::uint8_t, std::uint8_t){};                  ///< of ballots, or null
    std::optional<statement> (*statement_in)(bytes_view message){};  ///< or null
    std::uint8_t kinds{};  ///< of ballots; 0 for engines without
    consensus::promise promises{};
    std::int64_t pace_ms{};  ///< from a block's making until it is final, about
};

namespace impl {

template <consensus::engine E>
class boxed final : public any_engine {
public:
    boxed(typename E::config c, identity me, std::uint64_t seed) : engine_{c, std::move(me), seed}
    {}
    void step(consensus::event const& in, consensus::clock now, effects& out) override
    {
        engine_.step(in, now, out);
    }
    std::optional<bool> claims(public_key const& from, bytes_view raw,
                               std::vector<claim>& out) const override
    {
        return engine_.claims(from, raw, out);
    }
    std::size_t held() const override
    {
        if constexpr (requires { engine_.held(); })
            return engine_.held();
        else
            return 0;
    }

private:
    E engine_;
};

/// The ballot that a message of a chained engine carries for its sender.
std::optional<statement> ballot_in(bytes_view message);

}  // namespace impl

template <consensus::engine E>
engine_kind kind_of(typename E::config c = {}, std::string name = std::string{E::name})
{
    engine_kind out{};
    out.name = std::move(name);
    out.make = [c](identity me, std::uint64_t seed) -> std::unique_ptr<any_engine> {
        return std::make_unique<impl::boxed<E>>(c, std::move(me), seed);
    };
    out.promises = E::promises;
    out.pace_ms = E::pace_ms(c);
    out.check = &E::check;
    out.check_evidence = &E::check_evidence;
    if constexpr (requires { E::excludes(std::uint8_t{}, std::uint8_t{}); }) {
        out.excludes = [](std::uint8_t a, std::uint8_t b) { return E::excludes(a, b); };
        out.statement_in = &impl::ballot_in;
        out.kinds = E::kinds;
    } else if constexpr (requires { E::statement_in(bytes_view{}); }) {
        out.statement_in = [](bytes_view raw) -> std::optional<statement> {
            auto const said = E::statement_in(raw);
            if (!said) return std::nullopt;
            return statement{said->first, 0, said->second};
        };
    }
    return out;
}

}  // namespace blendr::sim
