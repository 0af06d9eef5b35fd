// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <blendr/verify/commitment.hpp>
#include <blendr/verify/comparator.hpp>
#include <blendr/verify/contract.hpp>
#include <blendr/verify/dispute.hpp>
#include <blendr/verify/draw.hpp>
#include <blendr/verify/error.hpp>
#include <blendr/verify/float_product.hpp>
#include <blendr/verify/referee.hpp>
#include <blendr/verify/round.hpp>
#include <blendr/verify/spot_check.hpp>
#include <blendr/verify/standing.hpp>
#include <blendr/verify/tables.hpp>
