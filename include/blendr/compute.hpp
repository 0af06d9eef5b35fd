// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <blendr/compute/admission.hpp>
#include <blendr/compute/error.hpp>
#include <blendr/compute/reflection.hpp>
#include <blendr/compute/spirv.hpp>
