// SPDX-License-Identifier: Apache-2.0
#pragma once

// All of core but json.hpp, which is included by name: it is heavy, and few need it.
#include <blendr/core/amount.hpp>
#include <blendr/core/assert.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/random.hpp>
#include <blendr/core/result.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/core/task_pool.hpp>
#include <blendr/core/wide.hpp>
