// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/consensus/engine.hpp>

namespace blendr::consensus {
struct chained_config;
}

namespace blendr::node {

/// What an operator may tune of any engine; each takes what it has use for. All nodes of a chain must agree
/// on depth, slot and difficulty.
struct engine_settings {
    std::int64_t interval_ms = 500;  ///< between blocks
    std::int64_t view_ms = 1500;     ///< patience with a leader (simplex, hotstuff2)
    std::int64_t delta_ms = 200;     ///< what a message is expected to take at most
    std::int64_t ask_ms = 500;       ///< how often a node that is behind says so
    std::uint32_t depth = 6;         ///< blocks on top that make one final (authority, nakamoto)
    std::uint64_t difficulty = 256;  ///< hashes of the first block (nakamoto)
    bool mines = true;               ///< (nakamoto)

    friend bool operator==(engine_settings const&, engine_settings const&) = default;
};
BOOST_DESCRIBE_STRUCT(engine_settings, (),
                      (interval_ms, view_ms, delta_ms, ask_ms, depth, difficulty, mines))

/// An engine whose type is chosen at run time: consensus/engine.hpp, member by member.
class any_engine {
public:
    virtual ~any_engine() = default;
    virtual void step(consensus::event const& in, consensus::clock now,
                      consensus::effects& out) = 0;
    virtual std::optional<bool> claims(crypto::public_key const& from, bytes_view raw,
                                       std::vector<consensus::claim>& out) const = 0;
};

/// How to make an engine, and what a stranger can check of it.
struct engine_kind {
    std::string name{};
    std::function<std::unique_ptr<any_engine>(engine_settings const&, consensus::identity,
                                              std::uint64_t seed)>
        make{};
    bool (*check)(consensus::membership const&, consensus::decide::entry const&, bytes_view,
                  std::vector<consensus::claim>&){};
    bool (*check_evidence)(consensus::membership const&, crypto::public_key const&, bytes_view,
                           std::vector<consensus::claim>&){};
};

namespace impl {
template <consensus::engine E>
class boxed final : public any_engine {
public:
    boxed(typename E::config c, consensus::identity me, std::uint64_t seed)
        : engine_{std::move(c), std::move(me), seed}
    {}
    void step(consensus::event const& in, consensus::clock now, consensus::effects& out) override
    {
        engine_.step(in, now, out);
    }
    std::optional<bool> claims(crypto::public_key const& from, bytes_view raw,
                               std::vector<consensus::claim>& out) const override
    {
        return engine_.claims(from, raw, out);
    }

private:
    E engine_;
};
}  // namespace impl

/// For engines that go by chained certificates, as simplex and hotstuff2 do.
consensus::chained_config chained_config_of(engine_settings const& from);

/// Engines by name. A node's own is one line:
///
///     auto engines = node::engine_registry::standard();
///     engines.add<my_engine>([](auto const& s) { return my_engine::config{s.interval_ms}; });
class engine_registry {
public:
    /// solo, simplex, hotstuff2, authority, nakamoto.
    static engine_registry standard();

    /// Under the engine's own name; `configure` makes its config of the settings. Replaces one of that
    /// name.
    template <consensus::engine E, class Configure>
    void add(Configure configure)
    {
        engine_kind kind{std::string{E::name},
                         [configure](engine_settings const& s, consensus::identity me,
                                     std::uint64_t seed) -> std::unique_ptr<any_engine> {
                             return std::make_unique<impl::boxed<E>>(configure(s), std::move(me),
                                                                     seed);
                         },
                         &E::check, &E::check_evidence};
        auto const name = kind.name;
        kinds_.insert_or_assign(name, std::move(kind));
    }
    template <consensus::engine E>
    void add()
    {
        add<E>([](engine_settings const&) { return typename E::config{}; });
    }

    /// Null when there is none of that name.
    engine_kind const* find(std::string_view name) const;
    std::vector<std::string> names() const;

private:
    std::map<std::string, engine_kind, std::less<>> kinds_{};
};

}  // namespace blendr::node
