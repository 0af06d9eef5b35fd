// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/json.hpp>

#include <string>
#include <string_view>

#include <boost/json/string.hpp>

namespace blendr {
namespace {

boost::json::value written(std::string const& text) { return boost::json::string{text}; }

/// A string that `parse` reads, or its reason in the path.
template <class T, class Parse>
bool read_text(boost::json::value const& json, T& out, json_path& at, Parse&& parse)
{
    auto const* const text = impl::json_string(json, at);
    if (text == nullptr) return false;
    auto const value = parse(std::string_view{text->data(), text->size()});
    if (!value) return at.refuse(std::string{message(value.error())});
    out = *value;
    return true;
}

}  // namespace

boost::json::value json_form<crypto::public_key>::write(crypto::public_key const& value)
{
    return written(to_text(value));
}

bool json_form<crypto::public_key>::read(boost::json::value const& json, crypto::public_key& out,
                                         json_path& at)
{
    return read_text(json, out, at, crypto::parse_public_key);
}

boost::json::value json_form<crypto::signature>::write(crypto::signature const& value)
{
    return written(to_text(value));
}

bool json_form<crypto::signature>::read(boost::json::value const& json, crypto::signature& out,
                                        json_path& at)
{
    return read_text(json, out, at, crypto::parse_signature);
}

boost::json::value json_form<crypto::address>::write(crypto::address const& value)
{
    return written(to_text(value));
}

bool json_form<crypto::address>::read(boost::json::value const& json, crypto::address& out,
                                      json_path& at)
{
    return read_text(json, out, at, crypto::parse_address);
}

boost::json::value json_form<crypto::cid>::write(crypto::cid const& value)
{
    return written(to_text(value));
}

bool json_form<crypto::cid>::read(boost::json::value const& json, crypto::cid& out, json_path& at)
{
    return read_text(json, out, at, [](std::string_view text) { return crypto::parse_cid(text); });
}

}  // namespace blendr
