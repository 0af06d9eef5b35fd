// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <blendr/crypto/bech32.hpp>       // IWYU pragma: export
#include <blendr/crypto/cid.hpp>          // IWYU pragma: export
#include <blendr/crypto/freivalds.hpp>    // IWYU pragma: export
#include <blendr/crypto/hash.hpp>         // IWYU pragma: export
#include <blendr/crypto/identity.hpp>     // IWYU pragma: export
#include <blendr/crypto/keys.hpp>         // IWYU pragma: export
#include <blendr/crypto/keystore.hpp>     // IWYU pragma: export
#include <blendr/crypto/seal.hpp>         // IWYU pragma: export
#include <blendr/crypto/sealing_key.hpp>  // IWYU pragma: export
#include <blendr/crypto/secret.hpp>       // IWYU pragma: export
#include <blendr/crypto/strict.hpp>       // IWYU pragma: export
#include <blendr/crypto/vrf.hpp>          // IWYU pragma: export
