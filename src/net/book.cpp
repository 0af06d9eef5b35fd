// SPDX-License-Identifier: Apache-2.0
#include <blendr/net/book.hpp>

#include <algorithm>
#include <charconv>
#include <sstream>

namespace blendr::net {
namespace {
constexpr std::int64_t rest_kept_ms = 60'000;
constexpr std::int64_t rest_told_ms = 3'600'000;
}  // namespace

result<contact, error> parse_contact(std::string_view text)
{
    contact out{};
    if (auto const at = text.find('@'); at != std::string_view::npos) {
        auto const key = crypto::parse_public_key(text.substr(0, at));
        if (!key) return fail{error::wrong_text};
        out.key = *key;
        text.remove_prefix(at + 1);
    }
    auto const colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0 || colon > 255)
        return fail{error::wrong_text};
    // What stands between lines and words of a book is in no host's name.
    if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c > '~'; }))
        return fail{error::wrong_text};
    auto host = text.substr(0, colon);
    auto const port = text.substr(colon + 1);
    auto const read = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (port.empty() || read.ec != std::errc{} || read.ptr != port.data() + port.size())
        return fail{error::wrong_text};
    if (host.front() == '[') {
        if (host.back() != ']' || host.size() < 3) return fail{error::wrong_text};
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        return fail{error::wrong_text};
    }
    out.host = std::string{host};
    return out;
}

std::string to_text(contact const& where)
{
    auto const bare = where.host.find(':') == std::string::npos;
    auto const host = bare ? where.host : '[' + where.host + ']';
    auto const key = where.key ? to_text(*where.key) + '@' : std::string{};
    return key + host + ':' + std::to_string(where.port);
}

std::string address_book::name_of(contact const& where)
{
    return where.host + ' ' + std::to_string(where.port);
}

void address_book::keep(contact const& where)
{
    auto& e = entries_[name_of(where)];
    e.where = where;
    e.kept = true;
    e.rests_until = {};
}

bool address_book::hear(contact const& where, std::string_view from_host)
{
    if (where.port == 0 || where.host.empty() || where.host.size() > 255) return false;
    auto const name = name_of(where);
    if (entries_.contains(name)) return false;
    std::size_t told = 0;
    std::size_t same = 0;
    auto worst = entries_.end();
    for (auto each = entries_.begin(); each != entries_.end(); ++each) {
        if (each->second.kept) continue;
        ++told;
        if (each->second.from_host == from_host) ++same;
        if (each->second.busy || each->second.worked) continue;
        if (worst == entries_.end() || each->second.failures > worst->second.failures) worst = each;
    }
    if (same >= told_by_host_max) return false;
    if (told >= told_max) {
        if (worst == entries_.end()) return false;
        entries_.erase(worst);
    }
    entry fresh{};
    fresh.where = where;
    fresh.from_host = std::string{from_host};
    entries_.emplace(name, std::move(fresh));
    return true;
}

std::optional<contact>
address_book::next(time_ms now, std::function<bool(crypto::public_key const&)> const& in_touch,
                   bool kept_only)
{
    entry* best = nullptr;
    for (auto& [name, e] : entries_) {
        if (e.busy || e.rests_until > now || (kept_only && !e.kept)) continue;
        if (e.who && in_touch(*e.who)) continue;
        if (best == nullptr || (e.kept && !best->kept) ||
            (e.kept == best->kept && e.rests_until < best->rests_until))
            best = &e;
    }
    if (best == nullptr) return std::nullopt;
    best->busy = true;
    return best->where;
}

void address_book::rest(entry& e, time_ms now)
{
    std::int64_t const most = e.kept ? rest_kept_ms : rest_told_ms;
    auto const wait = std::min(most, std::int64_t{250} << std::min<std::uint32_t>(e.failures, 20));
    auto const extra = static_cast<std::int64_t>(
        chance_.below(static_cast<std::uint64_t>(std::max<std::int64_t>(wait / 2, 1))));
    e.rests_until = now + (wait + extra);
}

void address_book::failed(contact const& where, time_ms now)
{
    auto const found = entries_.find(name_of(where));
    if (found == entries_.end()) return;
    auto& e = found->second;
    e.busy = false;
    rest(e, now);
    if (++e.failures >= failures_max && !e.kept) entries_.erase(found);
}

void address_book::connected(contact const& where, crypto::public_key const& who)
{
    auto const found = entries_.find(name_of(where));
    if (found == entries_.end()) return;
    found->second.busy = true;
    found->second.worked = true;
    found->second.failures = 0;
    found->second.who = who;
    if (!found->second.kept) found->second.where.key = who;
}

void address_book::lost(contact const& where, time_ms now)
{
    auto const found = entries_.find(name_of(where));
    if (found == entries_.end()) return;
    found->second.busy = false;
    rest(found->second, now);
}

void address_book::forget(contact const& where) { entries_.erase(name_of(where)); }

std::vector<contact> address_book::sample(std::size_t count)
{
    std::vector<contact> out{};
    for (auto const& [name, e] : entries_)
        if (e.worked) out.push_back(e.where);
    for (std::size_t i = 0; i + 1 < out.size(); ++i) {
        auto const other = i + chance_.below(out.size() - i);
        std::swap(out[i], out[other]);
    }
    if (out.size() > count) out.resize(count);
    return out;
}

std::vector<address_book::remembered> address_book::remember(time_ms now) const
{
    std::vector<remembered> out{};
    for (auto const& [name, e] : entries_)
        if (!e.kept)
            out.push_back({e.where, e.from_host, e.worked, e.failures,
                           std::max<std::int64_t>(e.rests_until - now, 0)});
    return out;
}

bool address_book::recall(remembered const& what, time_ms now)
{
    if (!hear(what.where, what.from_host)) return false;
    auto& e = entries_[name_of(what.where)];
    e.worked = what.worked;
    e.failures = std::min(what.failures, failures_max - 1);
    e.rests_until = now + std::clamp<std::int64_t>(what.rests_ms, 0, rest_told_ms * 3 / 2);
    e.who = what.where.key;
    return true;
}

namespace {
constexpr std::string_view book_head = "blendr addresses 1";
}

std::string to_text(std::span<address_book::remembered const> book)
{
    std::ostringstream out{};
    out << book_head << '\n';
    for (auto const& each : book)
        out << to_text(each.where) << ' ' << each.worked << ' ' << each.failures << ' '
            << each.rests_ms << ' ' << each.from_host << '\n';
    return out.str();
}

std::vector<address_book::remembered> parse_book(std::string_view text)
{
    std::vector<address_book::remembered> out{};
    std::istringstream in{std::string{text}};
    std::string line{};
    if (!std::getline(in, line) || line != book_head) return out;
    while (std::getline(in, line) && out.size() < address_book::told_max) {
        std::istringstream words{line};
        std::string where{};
        address_book::remembered each{};
        words >> where >> each.worked >> each.failures >> each.rests_ms >> each.from_host;
        auto contact = parse_contact(where);
        if (words.fail() || !contact) continue;
        each.where = *std::move(contact);
        out.push_back(std::move(each));
    }
    return out;
}

std::int64_t score_keeper::faded(mark const& m, time_ms now)
{
    auto const halves = std::max<std::int64_t>(now - m.at, 0) / half_life_ms;
    return halves > 62 ? 0 : m.points >> halves;
}

bool score_keeper::add(crypto::public_key const& who, std::int64_t points, time_ms now)
{
    if (!marks_.contains(who) && marks_.size() >= entries_max)
        marks_.erase(std::min_element(marks_.begin(), marks_.end(),
                                      [](auto& a, auto& b) { return a.second.at < b.second.at; }));
    auto& m = marks_[who];
    m.points = std::min<std::int64_t>(faded(m, now) + points, 1'000'000);
    m.at = now;
    if (m.points < ban_at) return false;
    m.points = ban_at / 2;  // once it is over, half a chance is left
    m.banned_until = now + ban_ms;
    return true;
}

bool score_keeper::banned(crypto::public_key const& who, time_ms now) const
{
    auto const found = marks_.find(who);
    return found != marks_.end() && found->second.banned_until > now;
}

std::int64_t score_keeper::score(crypto::public_key const& who, time_ms now) const
{
    auto const found = marks_.find(who);
    if (found == marks_.end()) return 0;
    return found->second.banned_until > now ? ban_at : faded(found->second, now);
}

void budget::fill(time_ms now)
{
    auto const passed = std::clamp<std::int64_t>(now - filled_, 0, 10'000);
    left_ = std::min(burst_, left_ + rate_ * passed / 1000);
    filled_ = now;
}

void budget::spend(std::uint64_t tokens, time_ms now)
{
    fill(now);
    left_ -= static_cast<std::int64_t>(tokens);
}

std::int64_t budget::wait_ms(time_ms now)
{
    fill(now);
    return left_ > 0 ? 0 : -left_ * 1000 / std::max<std::int64_t>(rate_, 1) + 1;
}

}  // namespace blendr::net
