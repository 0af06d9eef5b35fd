// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <blendr/escrow/agreement.hpp>
#include <blendr/escrow/check_money.hpp>
#include <blendr/escrow/contract.hpp>
#include <blendr/escrow/deadlines.hpp>
#include <blendr/escrow/error.hpp>
#include <blendr/escrow/job.hpp>
#include <blendr/escrow/job_state.hpp>
#include <blendr/escrow/letters.hpp>
#include <blendr/escrow/order.hpp>
#include <blendr/escrow/queries.hpp>
#include <blendr/escrow/tables.hpp>
#include <blendr/escrow/types.hpp>
