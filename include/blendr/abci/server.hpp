// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <blendr/abci/host.hpp>
#include <blendr/abci/service.hpp>
#include <blendr/core/result.hpp>

namespace blendr::abci {

/// Where a service is reached. Each connection has a thread, so none waits for another but where the
/// service says so. Whoever can connect can decide blocks: keep it on loopback or in a private directory.
class endpoint {
public:
    static constexpr std::size_t connections_max = 16;  ///< CometBFT makes four

    /// "tcp://127.0.0.1:26658" (port 0: any free one) or "unix:///run/node.sock" (a socket left there by a process
    /// that is gone is replaced). Refuses, with a sentence, what it cannot listen on.
    static result<std::unique_ptr<endpoint>, std::string> listen(std::string_view where,
                                                                 service& by);
    /// Closes all connections; requests under way are finished first.
    ~endpoint();
    endpoint(endpoint const&) = delete;
    endpoint& operator=(endpoint const&) = delete;

    /// What CometBFT's `--proxy_app` is to say.
    std::string const& address() const noexcept;
    std::size_t connections() const;

private:
    endpoint();
    struct state;
    std::unique_ptr<state> state_;
};

/// An application served to CometBFT v0.38 over ABCI 2.0.
///
/// The application must outlive the server. While the server is up nobody else may make or decide
/// blocks with it; asking is free.
template <app::application A, class Form = form<A>>
    requires has_form<A, Form>
class server {
public:
    explicit server(A& app, service_options chosen = {})
        : app_{app},
          service_{app_, app_, app_, std::move(chosen)}
    {}

    /// See `endpoint::listen`. Once.
    result<std::string, std::string> listen(std::string_view where)
    {
        BLENDR_TRY(endpoint_, endpoint::listen(where, service_));
        return endpoint_->address();
    }
    void stop() { endpoint_.reset(); }

    /// For transports of one's own, and for tests without one.
    service& answers() noexcept { return service_; }
    std::size_t connections() const { return endpoint_ ? endpoint_->connections() : 0; }

private:
    bound<A, Form> app_;
    service service_;
    std::unique_ptr<endpoint> endpoint_{};
};

}  // namespace blendr::abci
