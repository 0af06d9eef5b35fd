// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <blendr/work/app.hpp>
#include <blendr/work/checkpoint.hpp>
#include <blendr/work/error.hpp>
#include <blendr/work/job.hpp>
#include <blendr/work/png.hpp>
#include <blendr/work/receipt.hpp>
#include <blendr/work/render.hpp>
#include <blendr/work/scene.hpp>
#include <blendr/work/schedule.hpp>
#include <blendr/work/split.hpp>
#include <blendr/work/steps.hpp>
