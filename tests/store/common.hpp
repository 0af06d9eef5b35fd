// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include <blendr/core/random.hpp>
#include <blendr/store.hpp>

namespace blendr::test {

/// Of sizes that differ, and the same each time.
inline ledger::logged_block block_at(std::uint64_t at)
{
    ledger::logged_block out;
    out.at.at = height{at};
    out.id[0] = static_cast<std::byte>(at);
    rng random{at};
    out.payload.resize(at * 89 % 260);
    random.fill(out.payload);
    return out;
}

/// Rows that own what they show.
class row_list {
public:
    void set(std::string key, std::string value) { rows_[std::move(key)] = std::move(value); }
    void remove(std::string key) { rows_[std::move(key)] = std::nullopt; }

    std::vector<state::row_change> changes() const
    {
        std::vector<state::row_change> out;
        for (auto const& [key, value] : rows_) {
            std::optional<bytes_view> shown;
            if (value) shown = as_bytes(*value);
            out.emplace_back(as_bytes(key), shown);
        }
        return out;
    }
    void apply(std::map<std::string, std::string>& to) const
    {
        for (auto const& [key, value] : rows_) {
            if (value)
                to[key] = *value;
            else
                to.erase(key);
        }
    }

private:
    std::map<std::string, std::optional<std::string>> rows_;
};

/// What block `at` of a made-up chain changes: the same each time that it is asked.
inline row_list rows_of_block(std::uint64_t at, std::size_t count = 20, std::size_t keys = 200)
{
    rng random{at * 7919 + 1};
    row_list out;
    for (std::size_t i = 0; i < count; ++i) {
        auto const key = "key " + std::to_string(random.below(keys));
        if (random.chance(1, 5))
            out.remove(key);
        else
            out.set(key, "value " + std::to_string(at) + std::string(random.below(60), 'x'));
    }
    return out;
}

inline std::map<std::string, std::string> content(state::store const& of)
{
    std::map<std::string, std::string> out;
    auto const scanned = of.scan({}, {}, [&](bytes_view key, bytes_view value) {
        out[std::string{as_text(key)}] = std::string{as_text(value)};
        return true;
    });
    if (!scanned) out = {{"scan failed", message(scanned.error())}};
    return out;
}

/// The state after block `last`, from nothing.
inline std::map<std::string, std::string> state_after(std::uint64_t last)
{
    std::map<std::string, std::string> out;
    for (std::uint64_t at = 1; at <= last; ++at) rows_of_block(at).apply(out);
    return out;
}

}  // namespace blendr::test
