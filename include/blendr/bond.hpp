// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <blendr/bond/bond.hpp>
#include <blendr/bond/contract.hpp>
#include <blendr/bond/draw.hpp>
#include <blendr/bond/evidence.hpp>
#include <blendr/bond/panel.hpp>
