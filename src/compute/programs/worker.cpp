// SPDX-License-Identifier: Apache-2.0
// The process that holds a GPU's driver and strangers' programs. Started by compute::worker, never by hand.
#include "../worker_main.hpp"

int main() { return blendr::compute::worker_main(); }
