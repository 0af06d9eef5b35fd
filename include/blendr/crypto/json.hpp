// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>

#include <blendr/core/json.hpp>
#include <blendr/crypto/bech32.hpp>
#include <blendr/crypto/cid.hpp>
#include <blendr/crypto/keys.hpp>

namespace blendr {

/// Keys, signatures, addresses and content ids are strings in JSON, in the text form that people see
/// elsewhere too: `ed25519:…`, `blendr1…`, `bafk2bzace…`.
template <>
struct json_form<crypto::public_key> {
    static boost::json::value write(crypto::public_key const& value);
    static bool read(boost::json::value const& json, crypto::public_key& out, json_path& at);
};

template <>
struct json_form<crypto::signature> {
    static boost::json::value write(crypto::signature const& value);
    static bool read(boost::json::value const& json, crypto::signature& out, json_path& at);
};

template <>
struct json_form<crypto::address> {
    static boost::json::value write(crypto::address const& value);
    static bool read(boost::json::value const& json, crypto::address& out, json_path& at);
};

template <>
struct json_form<crypto::cid> {
    static boost::json::value write(crypto::cid const& value);
    static bool read(boost::json::value const& json, crypto::cid& out, json_path& at);
};

}  // namespace blendr
