// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace blendr::compute {

/// The worker: sets itself up as its supervisor says, gives up every right that it does not need, and then runs what
/// comes until the supervisor goes. Returns an exit status.
int worker_main();

}  // namespace blendr::compute
