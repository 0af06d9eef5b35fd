// SPDX-License-Identifier: Apache-2.0
#include <blendr/market/requirement.hpp>

#include <algorithm>
#include <limits>
#include <utility>

#include <market/words.hpp>

namespace blendr::market {

namespace {

using part = requirement::part;
using kind = part::kind;
using op = requirement::op;

struct tree {
    part head{};
    std::vector<tree> members{};
};

constexpr op opposite(op how) noexcept
{
    switch (how) {
    case op::equal:
        return op::not_equal;
    case op::not_equal:
        return op::equal;
    case op::less:
        return op::at_least;
    case op::at_most:
        return op::more;
    case op::more:
        return op::at_most;
    case op::at_least:
        return op::less;
    }
    return how;
}

constexpr std::string_view symbol(op how) noexcept
{
    switch (how) {
    case op::equal:
        return "==";
    case op::not_equal:
        return "!=";
    case op::less:
        return "<";
    case op::at_most:
        return "<=";
    case op::more:
        return ">";
    case op::at_least:
        return ">=";
    }
    return "";
}

std::string leaf_text(part const& p)
{
    std::string const name{info(p.of).name};
    switch (p.what) {
    case kind::compare:
        return name + ' ' + std::string{symbol(p.how)} + ' ' +
               number_text(info(p.of).type, p.number);
    case kind::word: {
        if (p.words.size() == 1) return name + ' ' + std::string{symbol(p.how)} + ' ' + p.words[0];
        auto text = name + (p.how == op::equal ? " in {" : " not in {");
        for (std::size_t i = 0; i < p.words.size(); ++i) text += (i == 0 ? "" : ", ") + p.words[i];
        return text + '}';
    }
    case kind::has:
        return (p.how == op::equal ? name : "!(" + name) + " has " + p.words[0] +
               (p.how == op::equal ? "" : ")");
    case kind::known:
        return (p.how == op::equal ? "known " : "!known ") + name;
    case kind::all:
    case kind::any:
        break;
    }
    return {};
}

std::string subtree_text(part const* p, bool inside)
{
    if (p->what != kind::all && p->what != kind::any) return leaf_text(*p);
    std::string text{};
    auto const* const end = p + p->span;
    for (auto const* member = p + 1; member != end; member += member->span) {
        if (!text.empty()) text += p->what == kind::all ? " && " : " || ";
        text += subtree_text(member, true);
    }
    return inside ? '(' + text + ')' : text;
}

void flatten(tree const& from, std::vector<part>& out)
{
    auto const at = out.size();
    out.push_back(from.head);
    for (auto const& m : from.members) flatten(m, out);
    out[at].span = static_cast<std::uint16_t>(out.size() - at);
}

std::string tree_text(tree const& t)
{
    std::vector<part> parts{};
    flatten(t, parts);
    return subtree_text(parts.data(), true);
}

/// Merges groups of one kind, sorts and drops repetitions; members are in this form already.
tree group(kind what, std::vector<tree> members)
{
    tree out{};
    out.head.what = what;
    for (auto& m : members) {
        if (m.head.what == what)
            std::move(m.members.begin(), m.members.end(), std::back_inserter(out.members));
        else
            out.members.push_back(std::move(m));
    }
    std::vector<std::pair<std::string, std::size_t>> order{};
    for (std::size_t i = 0; i < out.members.size(); ++i) {
        auto const& head = out.members[i].head;
        bool const nested = head.what == kind::all || head.what == kind::any;
        char const rank = static_cast<char>('a' + (nested ? 25 : static_cast<int>(head.of)));
        order.emplace_back(rank + tree_text(out.members[i]), i);
    }
    std::sort(order.begin(), order.end());
    std::vector<tree> sorted{};
    for (std::size_t i = 0; i < order.size(); ++i)
        if (i == 0 || order[i].first != order[i - 1].first)
            sorted.push_back(std::move(out.members[order[i].second]));
    out.members = std::move(sorted);
    return out.members.size() == 1 ? tree{std::move(out.members[0])} : out;
}

std::size_t distance(std::string_view a, std::string_view b)
{
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        auto diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            auto const change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row.back();
}

std::string quoted(std::string_view text) { return '`' + std::string{text} + '`'; }

std::string unknown_attribute(std::string_view name)
{
    auto text = "there is no attribute " + quoted(name);
    std::string_view nearest{};
    std::size_t best = 3;
    for (auto const& a : attributes)
        if (auto const d = distance(name, a.name); d < best) {
            best = d;
            nearest = a.name;
        }
    if (!nearest.empty()) return text + "; did you mean " + quoted(nearest) + "?";
    text += "; attributes are";
    for (std::size_t i = 0; i < attributes.size(); ++i)
        text += (i == 0 ? " " : ", ") + std::string{attributes[i].name};
    return text;
}

using parsed = result<tree, expression_error>;

class parser {
public:
    explicit parser(std::string_view text) : text_{text} { next(); }

    parsed whole()
    {
        BLENDR_TRY(tree out, either(false));
        if (!token_.empty()) return wrong("expected `&&`, `||` or the end, found " + found());
        return out;
    }

private:
    fail<expression_error> wrong(std::string what) const { return wrong(column_, std::move(what)); }
    fail<expression_error> too_large(std::string what) const
    {
        return fail{expression_error{column_, std::move(what), true}};
    }
    static fail<expression_error> wrong(std::size_t column, std::string what)
    {
        return fail{expression_error{column, std::move(what), false}};
    }
    std::string found() const { return token_.empty() ? "the end" : quoted(token_); }

    void next()
    {
        while (at_ < text_.size() &&
               (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n'))
            ++at_;
        column_ = at_ + 1;
        auto const from = at_;
        if (at_ < text_.size() && impl::in_word(text_[at_]) && !starts("..")) {
            while (at_ < text_.size() && impl::in_word(text_[at_]) && !starts("..")) ++at_;
        } else if (at_ < text_.size()) {
            constexpr std::array<std::string_view, 7> pairs = {
                "&&", "||", "==", "!=", "<=", ">=", ".."};
            bool const two = std::any_of(pairs.begin(), pairs.end(),
                                         [&](std::string_view p) { return starts(p); });
            at_ += two ? 2 : 1;
        }
        token_ = text_.substr(from, at_ - from);
    }
    bool starts(std::string_view with) const { return text_.substr(at_, with.size()) == with; }
    bool take(std::string_view token)
    {
        if (token_ != token) return false;
        next();
        return true;
    }

    parsed chain(kind what, std::string_view between, bool negated)
    {
        auto const member = [&] { return what == kind::any ? both(negated) : one(negated); };
        BLENDR_TRY(tree first, member());
        std::vector<tree> members{};
        members.push_back(std::move(first));
        while (take(between)) {
            BLENDR_TRY(tree more, member());
            members.push_back(std::move(more));
        }
        bool const turned = negated && members.size() > 1;  // De Morgan
        auto const as = turned ? (what == kind::any ? kind::all : kind::any) : what;
        return group(as, std::move(members));
    }
    parsed either(bool negated) { return chain(kind::any, "||", negated); }
    parsed both(bool negated) { return chain(kind::all, "&&", negated); }

    parsed one(bool negated)
    {
        if (++depth_ > requirement::depth_max)
            return too_large("nested deeper than " + std::to_string(requirement::depth_max) +
                             " levels");
        auto out = nested(negated);
        --depth_;
        return out;
    }
    parsed nested(bool negated)
    {
        if (take("!")) return one(!negated);
        if (take("(")) {
            auto const open = column_;
            BLENDR_TRY(tree inside, either(negated));
            if (!take(")"))
                return wrong("expected `)` to close the one before column " + std::to_string(open) +
                             ", found " + found());
            return inside;
        }
        return comparison(negated);
    }

    parsed comparison(bool negated)
    {
        bool const known = take("known");
        if (token_.empty() || !impl::in_word(token_[0]))
            return wrong("expected an attribute, found " + found());
        auto const of = attribute_named(impl::small(token_));
        if (!of) return wrong(unknown_attribute(token_));
        next();
        if (known) return leaf(kind::known, *of, negated ? op::not_equal : op::equal, {}, {});
        auto const type = info(*of).type;
        if (type == attribute_type::words) return set_comparison(*of, negated);
        return type == attribute_type::word ? word_comparison(*of, negated)
                                            : number_comparison(*of, negated);
    }

    parsed leaf(kind what, attribute of, op how, std::uint64_t number,
                std::vector<std::string> words)
    {
        if (++parts_ > requirement::parts_max)
            return too_large("more than " + std::to_string(requirement::parts_max) +
                             " comparisons");
        return tree{part{what, of, how, 1, number, std::move(words)}, {}};
    }

    result<std::string, expression_error> word(attribute of)
    {
        auto text = impl::small(token_);
        if (!is_word(text))
            return wrong("expected a word for " + quoted(info(of).name) + ", found " + found());
        next();
        return text;
    }
    result<std::vector<std::string>, expression_error> braces(attribute of)
    {
        if (!take("{")) return wrong("expected `{`, found " + found());
        std::vector<std::string> words{};
        do {
            if (words.size() == words_max)
                return too_large("more than " + std::to_string(words_max) + " words");
            BLENDR_TRY(std::string one, word(of));
            words.push_back(std::move(one));
        } while (take(","));
        if (!take("}")) return wrong("expected `,` or `}`, found " + found());
        std::sort(words.begin(), words.end());
        words.erase(std::unique(words.begin(), words.end()), words.end());
        return words;
    }

    parsed set_comparison(attribute of, bool negated)
    {
        if (!take("has"))
            return wrong(quoted(info(of).name) +
                         " is a set of words: write `has`, `has all {...}` "
                         "or `has any {...}`, not " +
                         found());
        auto what = kind::all;
        std::vector<std::string> words{};
        bool const any = token_ == "any";
        if ((any || token_ == "all") && peek() == '{') {
            next();
            what = any ? kind::any : kind::all;
            BLENDR_TRY(words, braces(of));
        } else {
            BLENDR_TRY(std::string single, word(of));
            words.push_back(std::move(single));
        }
        std::vector<tree> members{};
        for (auto& w : words) {
            BLENDR_TRY(tree has, leaf(kind::has, of, negated ? op::not_equal : op::equal, {},
                                      {std::move(w)}));
            members.push_back(std::move(has));
        }
        if (negated) what = what == kind::all ? kind::any : kind::all;
        return group(what, std::move(members));
    }
    char peek() const
    {
        auto at = at_;
        while (at < text_.size() && text_[at] == ' ') ++at;
        return at < text_.size() ? text_[at] : '\0';
    }

    parsed word_comparison(attribute of, bool negated)
    {
        auto const column = column_;
        bool const none = take("not");
        bool const list = take("in");
        bool const equal = !list && !none && take("==");
        bool const other = !list && !none && !equal && take("!=");
        if ((none && !list) || (!list && !equal && !other))
            return wrong(column, quoted(info(of).name) +
                                     " is a word: compare it with ==, !=, in or not in");
        std::vector<std::string> words{};
        if (list) {
            BLENDR_TRY(words, braces(of));
        } else {
            BLENDR_TRY(std::string single, word(of));
            words.push_back(std::move(single));
        }
        bool const out = (none || other) != negated;
        return leaf(kind::word, of, out ? op::not_equal : op::equal, {}, std::move(words));
    }

    result<std::uint64_t, expression_error> number(attribute of)
    {
        if (token_.empty() || !impl::in_word(token_[0]))
            return wrong("expected a value for " + quoted(info(of).name) + ", found " + found());
        std::string why{};
        auto const value = impl::read_number(info(of).type, token_, why);
        if (!value) return wrong(quoted(token_) + ' ' + why);
        next();
        return *value;
    }
    parsed number_comparison(attribute of, bool negated)
    {
        if (take("in")) return number_range(of, negated);
        for (auto const how :
             {op::equal, op::not_equal, op::at_most, op::at_least, op::less, op::more}) {
            if (!take(symbol(how))) continue;
            BLENDR_TRY(std::uint64_t value, number(of));
            return leaf(kind::compare, of, negated ? opposite(how) : how, value, {});
        }
        return wrong("expected ==, !=, <, <=, >, >= or in after " + quoted(info(of).name) +
                     ", found " + found());
    }
    parsed number_range(attribute of, bool negated)
    {
        std::vector<tree> members{};
        auto const add = [&](op how, std::uint64_t value) -> result<nothing, expression_error> {
            BLENDR_TRY(tree one, leaf(kind::compare, of, negated ? opposite(how) : how, value, {}));
            members.push_back(std::move(one));
            return nothing{};
        };
        if (take("{")) {
            do {
                BLENDR_TRY(std::uint64_t value, number(of));
                BLENDR_CHECK(add(op::equal, value));
            } while (take(","));
            if (!take("}")) return wrong("expected `,` or `}`, found " + found());
            return group(negated ? kind::all : kind::any, std::move(members));
        }
        auto const column = column_;
        BLENDR_TRY(std::uint64_t low, number(of));
        if (!take("..")) return wrong("expected `..` and the range's end, found " + found());
        BLENDR_TRY(std::uint64_t high, number(of));
        if (low > high) return wrong(column, "the range begins above its end");
        BLENDR_CHECK(add(op::at_least, low));
        BLENDR_CHECK(add(op::at_most, high));
        return group(negated ? kind::any : kind::all, std::move(members));
    }

    std::string_view text_;
    std::size_t at_{0};
    std::size_t column_{1};
    std::string_view token_{};
    std::size_t depth_{0};
    std::size_t parts_{0};
};

truth join(part const* p, capability const& offer) noexcept
{
    if (p->what != kind::all && p->what != kind::any) return evaluate(*p, offer);
    bool const all = p->what == kind::all;
    auto out = all ? truth::yes : truth::no;
    auto const* const end = p + p->span;
    for (auto const* member = p + 1; member != end; member += member->span) {
        auto const one = join(member, offer);
        if (one == (all ? truth::no : truth::yes)) return one;
        if (one == truth::unknown) out = truth::unknown;
    }
    return out;
}

}  // namespace

std::string message(expression_error const& e)
{
    return "column " + std::to_string(e.column) + ": " + e.what;
}

truth evaluate(requirement::part const& p, capability const& offer) noexcept
{
    bool const known = offer.knows(p.of);
    bool const straight = p.how != op::not_equal;
    auto const say = [](bool yes) { return yes ? truth::yes : truth::no; };
    if (p.what == kind::known) return say(known == straight);
    if (!known) return truth::unknown;
    if (p.what == kind::word) {
        auto const word = offer.word(p.of);
        return say((std::find(p.words.begin(), p.words.end(), word) != p.words.end()) == straight);
    }
    if (p.what == kind::has) {
        auto const words = offer.words(p.of);
        return say(std::binary_search(words.begin(), words.end(), p.words[0]) == straight);
    }
    auto const value = offer.number(p.of);
    switch (p.how) {
    case op::equal:
        return say(value == p.number);
    case op::not_equal:
        return say(value != p.number);
    case op::less:
        return say(value < p.number);
    case op::at_most:
        return say(value <= p.number);
    case op::more:
        return say(value > p.number);
    case op::at_least:
        return say(value >= p.number);
    }
    return truth::unknown;
}

result<requirement, expression_error> requirement::parse(std::string_view text)
{
    if (text.size() > text_max)
        return fail{expression_error{
            text_max + 1, "a requirement has at most " + std::to_string(text_max) + " characters",
            true}};
    requirement out{};
    if (text.find_first_not_of(" \t\n") == std::string_view::npos) return out;
    BLENDR_TRY(tree whole, parser{text}.whole());
    flatten(whole, out.parts_);
    auto const form = out.to_text();
    if (form == text) return out;
    // The form is what travels, so it must itself be a requirement; near the bounds it may not be.
    requirement again{};
    if (form.size() <= text_max)
        if (auto const reread = parser{form}.whole()) flatten(*reread, again.parts_);
    if (again != out)
        return fail{expression_error{1,
                                     "written out in full, the requirement has " +
                                         std::to_string(form.size()) +
                                         " characters or is nested too deep",
                                     true}};
    return out;
}

truth requirement::of(capability const& offer) const noexcept
{
    return parts_.empty() ? truth::yes : join(parts_.data(), offer);
}

std::vector<std::span<requirement::part const>> requirement::constraints() const
{
    std::vector<std::span<part const>> out{};
    if (parts_.empty()) return out;
    if (parts_[0].what != kind::all) return {parts()};
    for (std::size_t i = 1; i < parts_.size(); i += parts_[i].span)
        out.push_back(parts().subspan(i, parts_[i].span));
    return out;
}

std::string requirement::to_text() const { return to_text(parts_); }

std::string requirement::to_text(std::span<part const> subtree)
{
    return subtree.empty() ? std::string{} : subtree_text(subtree.data(), false);
}

}  // namespace blendr::market
