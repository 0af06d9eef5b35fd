// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <blendr/abci/form.hpp>
#include <blendr/abci/frame.hpp>
#include <blendr/abci/host.hpp>
#include <blendr/abci/machine.hpp>
#include <blendr/abci/server.hpp>
#include <blendr/abci/service.hpp>
#include <blendr/abci/validators.hpp>
