// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <blendr/node/node.hpp>

namespace blendr::node {

/// What can be subscribed to.
struct topic_kind {
    std::string_view name{};
    std::string_view about{};
};
inline constexpr std::array topic_kinds{
    topic_kind{"blocks", "each committed block"},
    topic_kind{"transactions", "each transaction of it, with its receipt"},
    topic_kind{"orders", "orders that were placed, cancelled or replaced"},
    topic_kind{"trades", "what an auction came to: price, volume, value"},
    topic_kind{"agreements",
               "what renters and providers said about a job, as far as it was accepted"},
    topic_kind{"jobs", "how far a job is, whenever that changes, by a message or a deadline"},
    topic_kind{"providers",
               "a device's row, whenever it changes, by a message or a missed heartbeat"}};

/// Events of contracts, from what the messages of a block say and what the state says after it. Jobs, devices
/// and instruments are followed from the first message about them that is seen on; the last ones, up to
/// `followed_max` of each. One thread.
class topic_watch {
public:
    static constexpr std::size_t followed_max = 256;
    using teller = std::function<void(std::string_view topic, boost::json::value event)>;

    /// `wanted`: the topics that somebody listens to.
    void on_block(node const& of, committed_block const& b,
                  std::set<std::string_view> const& wanted, teller const& tell);

private:
    struct followed {
        boost::json::value key{};
        std::string last{};
    };
    class follows {
    public:
        void add(boost::json::value key);
        /// Calls `body(followed&)`; what it says false to is not followed any more.
        template <class Body>
        void each(Body&& body);

    private:
        std::map<std::string, followed> all_{};
        std::deque<std::string> order_{};
    };
    void message(std::string_view name, boost::json::object const& body,
                 boost::json::value const& sender);

    follows jobs_{};
    follows devices_{};
    follows instruments_{};
};

}  // namespace blendr::node
