// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/json/object.hpp>

#include <blendr/core/amount.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/crypto/identity.hpp>
#include <blendr/market/capacity.hpp>
#include <blendr/market/pricing.hpp>
#include <blendr/node/shelf.hpp>

namespace blendr::node {

/// Does one packed unit of an app, on a device of the provider's. One at a time for each device.
using unit_function = std::function<result<bytes, std::string>(
    std::string_view app, bytes_view packed, std::stop_token stop)>;

/// A device that is for rent.
struct rented_device {
    std::uint32_t number{};
    std::string name{};
    market::device_class of{1};
    std::string capability{};  ///< see market::capability
    unit_function run{};
};

/// How asks are priced: a grain amount for a market unit; a curve over the reference price, by how busy
/// the device is; or what the hourly forecast expects next, if that is more than the curve says.
enum class pricing : std::uint8_t { fixed = 1, curve = 2, forecast = 3 };
BOOST_DESCRIBE_ENUM(pricing, fixed, curve, forecast)

/// What the owner allows.
struct owner_limits {
    std::vector<std::string> apps{};  ///< kinds of jobs; none named: every kind
    std::uint32_t from_hour = 0;      ///< of the day (UTC) in which new work is taken …
    std::uint32_t until_hour = 24;  ///< … until here; goes over midnight when it is the smaller one
    std::uint32_t power_percent = 100;  ///< part of the time that devices may work
    std::uint32_t backlog = 16;         ///< units that may wait for a device
};

struct provider_settings {
    std::string rpc{};
    std::filesystem::path home{};  ///< what must survive a restart lies there
    pricing how = pricing::fixed;
    price ask{50'000'000};  ///< grains for a market unit, or the least of them
    amount bond = 200_blnd;
    amount fee_max = 1_blnd;  ///< of one transaction; what a dispute's proof may need
    owner_limits limits{};
    /// Coming hours of each device that are sold as capacity tokens: 0 sells none. Each locks a cover of
    /// its own beside the bond, and is kept free; whoever redeems one has the device for that hour, and
    /// its posted jobs are taken at any price, since the hour is paid.
    std::uint32_t ahead = 0;
    bool check_others = true;  ///< may be drawn to do work of others again, for a fee
    bool cheat = false;        ///< for tests: delivers wrong results
    std::int64_t poll_ms = 40;
};

/// What the agent is doing, as its owner sees it.
enum class agent_state : std::uint8_t {
    offline = 1,   ///< no node answers
    starting = 2,  ///< bonds and registers its devices
    idle = 3,
    sharing = 4,   ///< does somebody's work
    reserved = 5,  ///< keeps an hour free that was sold
    resting = 6,   ///< outside its owner's hours
};
BOOST_DESCRIBE_ENUM(agent_state, offline, starting, idle, sharing, reserved, resting)

struct device_report {
    std::uint32_t number{};
    std::string name{};
    agent_state state{};
    std::string on_chain{};
    std::uint32_t waiting{};  ///< units, the running one included
    std::uint64_t done{};     ///< since the agent started
    amount bond{};
};
BOOST_DESCRIBE_STRUCT(device_report, (), (number, name, state, on_chain, waiting, done, bond))

struct provider_report {
    std::string provider{};
    agent_state state{agent_state::starting};
    height last{};
    std::vector<device_report> devices{};
    std::uint32_t jobs{};       ///< agreements that are not over
    std::uint64_t delivered{};  ///< units, since the agent started
    std::uint64_t checked{};    ///< of others
    std::uint64_t rated{};
    amount earned{};
    amount fees{};
};
BOOST_DESCRIBE_STRUCT(provider_report, (),
                      (provider, state, last, devices, jobs, delivered, checked, rated, earned,
                       fees))

/// Something that happened, for the owner: {"what": "delivered", …}.
using tell_function = std::function<void(boost::json::object const&)>;

/// A provider's agent: bonds, registers and offers devices, does the units that it sold or took, commits
/// to results before it shows them, does the units of others again when it was drawn, defends its work in
/// disputes, rates who paid. Everything that it does follows from what the chain shows and from results
/// that lie in its home, so it may be killed at any time and started again.
///
/// It talks to the chain through the public RPC alone. Clocks and randomness are its own.
class provider {
public:
    /// Fails when the home cannot be used; a node that does not answer is waited for.
    static result<std::unique_ptr<provider>, std::string>
    start(provider_settings chosen, crypto::identity const& me, std::shared_ptr<shelf> blobs,
          std::vector<rented_device> devices, tell_function tell = {});
    /// Stops: units that run are given up, and done again after the next start.
    ~provider();
    void stop();

    provider_report report() const;

    class body;

private:
    explicit provider(std::unique_ptr<body> made);
    std::unique_ptr<body> body_;
};

}  // namespace blendr::node
