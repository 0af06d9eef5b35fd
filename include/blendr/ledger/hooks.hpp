// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <utility>
#include <variant>

#include <boost/mp11/algorithm.hpp>

#include <blendr/core/amount.hpp>
#include <blendr/ledger/context.hpp>
#include <blendr/ledger/registry.hpp>
#include <blendr/ledger/rows.hpp>

namespace blendr::ledger {

/// Runs the hooks of all contracts, in the order in which the chain lists them.
template <class Registry>
class hooks {
public:
    hooks(lane<Registry>& on, block_info const& block, amount& minted) noexcept
        : lane_{&on},
          block_{&block},
          minted_{&minted}
    {}

    template <class C>
    hook_context<Registry, C> context() const noexcept
    {
        return {*lane_, *block_, lane_->posts, *minted_};
    }

    template <class C>
    void genesis(typename C::genesis_document const& document)
    {
        auto in = context<C>();
        C::genesis(in, document);
        deliver();
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
        auto& queue = lane_->events;
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

    lane<Registry>* lane_;
    block_info const* block_;
    amount* minted_;
};

}  // namespace blendr::ledger
