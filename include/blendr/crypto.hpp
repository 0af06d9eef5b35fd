// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <blendr/crypto/hash.hpp>      // IWYU pragma: export
#include <blendr/crypto/identity.hpp>  // IWYU pragma: export
#include <blendr/crypto/keys.hpp>      // IWYU pragma: export
#include <blendr/crypto/secret.hpp>    // IWYU pragma: export
#include <blendr/crypto/strict.hpp>    // IWYU pragma: export
