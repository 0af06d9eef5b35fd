// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <blendr/store/block_log.hpp>
#include <blendr/store/database.hpp>
#include <blendr/store/files.hpp>
#include <blendr/store/sqlite_store.hpp>
#include <blendr/store/write_behind.hpp>
