// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <blendr/market/auction.hpp>      // IWYU pragma: export
#include <blendr/market/calendar.hpp>     // IWYU pragma: export
#include <blendr/market/capability.hpp>   // IWYU pragma: export
#include <blendr/market/capacity.hpp>     // IWYU pragma: export
#include <blendr/market/contract.hpp>     // IWYU pragma: export
#include <blendr/market/error.hpp>        // IWYU pragma: export
#include <blendr/market/forecast.hpp>     // IWYU pragma: export
#include <blendr/market/offer_index.hpp>  // IWYU pragma: export
#include <blendr/market/order.hpp>        // IWYU pragma: export
#include <blendr/market/order_book.hpp>   // IWYU pragma: export
#include <blendr/market/pricing.hpp>      // IWYU pragma: export
#include <blendr/market/provider.hpp>     // IWYU pragma: export
#include <blendr/market/queries.hpp>      // IWYU pragma: export
#include <blendr/market/requirement.hpp>  // IWYU pragma: export
#include <blendr/market/tables.hpp>       // IWYU pragma: export
