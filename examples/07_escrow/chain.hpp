// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Plays the job through the contracts of a chain.
void the_same_on_a_chain();
