// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <blendr/compute/admission.hpp>
#include <blendr/compute/device.hpp>
#include <blendr/compute/error.hpp>
#include <blendr/compute/job.hpp>
#include <blendr/compute/kernels.hpp>
#include <blendr/compute/native.hpp>
#include <blendr/compute/plan.hpp>
#include <blendr/compute/rating.hpp>
#include <blendr/compute/receipt.hpp>
#include <blendr/compute/reflection.hpp>
#include <blendr/compute/self_test.hpp>
#include <blendr/compute/sequence.hpp>
#include <blendr/compute/spirv.hpp>
#include <blendr/compute/vulkan.hpp>
#include <blendr/compute/worker.hpp>
