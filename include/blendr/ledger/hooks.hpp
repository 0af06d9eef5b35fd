// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>
#include <variant>

#include <boost/mp11/algorithm.hpp>

#include <blendr/core/amount.hpp>
#include <blendr/core/task_pool.hpp>
#include <blendr/ledger/context.hpp>
#include <blendr/ledger/registry.hpp>
#include <blendr/ledger/rows.hpp>

namespace blendr::ledger {

/// Runs the hooks of all contracts, in the order in which the chain lists them.
template <class Registry>
class hooks {
public:
    /// `pool` is for what hooks do in parallel; without one they do it on the caller's thread.
    hooks(lane<Registry>& on, block_info const& block, amount& minted,
          task_pool* pool = nullptr) noexcept
        : scene_{&on, &block, &minted, pool}
    {}
    hooks(hooks const&) = delete;
    hooks& operator=(hooks const&) = delete;

    template <class C>
    hook_context<Registry, C> context() noexcept
    {
        return hook_context<Registry, C>{scene_};
    }

    /// False: the contract refuses to begin so.
    template <class C>
    bool genesis(typename C::genesis_document const& document)
    {
        auto in = context<C>();
        bool good = true;
        if constexpr (std::is_same_v<decltype(C::genesis(in, document)), bool>)
            good = C::genesis(in, document);
        else
            C::genesis(in, document);
        if (good) deliver();
        return good;
    }

    void begin_block()
    {
        each_contract([&]<class C>() {
            auto in = context<C>();
            if constexpr (requires { C::begin_block(in); }) {
                C::begin_block(in);
                deliver();
            }
        });
    }

    /// Hands the queued events to those who listen; what these emit comes after.
    void deliver()
    {
        auto& queue = scene_.on->events;
        for (std::size_t i = 0; i < queue.size(); ++i) {
            auto const each = std::move(queue[i].event);
            std::visit([&](auto const& event) { tell(event); }, each);
        }
        queue.clear();
    }

    void end_block()
    {
        each_contract([&]<class C>() {
            auto in = context<C>();
            if constexpr (requires { C::end_block(in); }) {
                C::end_block(in);
                deliver();
            }
        });
    }

private:
    template <class Body>
    static void each_contract(Body&& body)
    {
        boost::mp11::mp_for_each<
            boost::mp11::mp_transform<boost::mp11::mp_identity, typename Registry::contracts>>(
            [&](auto type) { body.template operator()<typename decltype(type)::type>(); });
    }

    template <class Event>
    void tell(Event const& event)
    {
        if constexpr (!std::is_same_v<Event, std::monostate>)
            each_contract([&]<class C>() {
                auto in = context<C>();
                if constexpr (requires { C::on(in, event); }) C::on(in, event);
            });
    }

    impl::hook_scene<Registry> scene_;
};

}  // namespace blendr::ledger
