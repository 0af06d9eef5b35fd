// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <boost/json/value.hpp>

#include <blendr/crypto/identity.hpp>

/// The wallet's words about jobs: quote, submit, watch, fetch, cancel, list; and what providers are like.
namespace jobs {

struct failure {
    std::string why{};
};

struct where {
    std::string rpc{};
    std::filesystem::path home{};
    bool json = false;
};

inline constexpr char usage[] =
    "  job quote|submit --app render ...      what a job would cost; orders it\n"
    "  job watch|fetch|cancel NUMBER | job list    follows it, brings its files, ends it\n"
    "  provider register|state ...            registers a device; what is known of one's, or "
    "another's, devices\n"
    "  feedback ADDRESS | feedback give ...   what somebody was rated; reputation.rate\n";

extern char const* const help;

/// `words`: from "job" on; `flags`: --name value pairs.
int job(where const& at, blendr::crypto::identity const& me, std::vector<std::string> const& words,
        std::vector<std::string> const& flags);
int provider_state(where const& at, std::string const& address);
int feedback(where const& at, std::string const& address);

}  // namespace jobs
