// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <blendr/reputation/appeal.hpp>
#include <blendr/reputation/contract.hpp>
#include <blendr/reputation/effects.hpp>
#include <blendr/reputation/error.hpp>
#include <blendr/reputation/feedback.hpp>
#include <blendr/reputation/score.hpp>
