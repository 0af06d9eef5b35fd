// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace blendr::compute {

/// What a worker may use. Set before it sees anything of a stranger's.
struct resource_limits {
    std::uint64_t address_space_bytes = 0;  ///< 0: no limit
    std::uint64_t cpu_seconds = 0;
    std::uint64_t files = 64;
};

/// No new privileges, no core dumps, the limits, and an end when the parent ends. A sentence when the system
/// refuses one of them.
std::string limit_resources(resource_limits const& to, int parent);

/// From here on this process may compute and talk on the files that it has open: no file is opened, no
/// socket, no process; asking for one of those fails, and anything stranger ends the process. With
/// `hardware` a driver may still talk to its device file and open what it needs for that.
std::string lock_down(bool hardware);

}  // namespace blendr::compute
