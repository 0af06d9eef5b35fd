// SPDX-License-Identifier: Apache-2.0
#include "json_place.hpp"

#include <algorithm>
#include <string>

namespace blendr::work {
namespace {

/// Walks through text that is known to be JSON.
class walker {
public:
    explicit walker(std::string_view text) : text_{text} {}

    /// Goes to what the path leads to, as far as it does.
    void follow(std::string_view path)
    {
        path.remove_prefix(std::min<std::size_t>(1, path.size()));  // $
        while (!path.empty()) {
            skip_space();
            bool const member = path.front() == '.';
            auto const end = std::min(path.find_first_of(".[", 1), path.size());
            auto const step = path.substr(1, end - (member ? 1 : 2));
            path.remove_prefix(end);
            auto const here = at_;
            if (!(member ? enter_member(step) : enter_element(step))) {
                at_ = here;
                return;
            }
        }
        skip_space();
    }

    std::size_t line() const
    {
        auto const end = text_.begin() + static_cast<std::ptrdiff_t>(std::min(at_, text_.size()));
        return 1 + static_cast<std::size_t>(std::count(text_.begin(), end, '\n'));
    }

private:
    char now() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    void skip_space()
    {
        while (at_ < text_.size() &&
               std::string_view{" \t\r\n,:"}.find(text_[at_]) != std::string_view::npos)
            ++at_;
    }
    std::string_view string()
    {
        auto const begin = ++at_;
        while (now() != '"' && at_ < text_.size()) at_ += now() == '\\' ? 2u : 1u;
        auto const end = std::min(at_++, text_.size());
        return text_.substr(begin, end - begin);
    }
    void skip_value()
    {
        skip_space();
        int depth = 0;
        do {
            if (now() == '"') {
                (void)string();
            } else {
                if (now() == '{' || now() == '[') ++depth;
                if (now() == '}' || now() == ']') --depth;
                bool const word =
                    std::string_view{"{}[],: \t\r\n"}.find(now()) == std::string_view::npos;
                ++at_;
                while (word && at_ < text_.size() &&
                       std::string_view{"{}[],: \t\r\n\""}.find(now()) == std::string_view::npos)
                    ++at_;
            }
            if (depth > 0) skip_space();
        } while (depth > 0 && at_ < text_.size());
    }
    bool enter_member(std::string_view name)
    {
        if (now() != '{') return false;
        ++at_;
        for (skip_space(); now() == '"'; skip_space()) {
            auto const key = string();
            if (key == name) {
                skip_space();
                return true;
            }
            skip_value();
        }
        return false;
    }
    bool enter_element(std::string_view index)
    {
        if (now() != '[') return false;
        ++at_;
        std::size_t which = 0;
        for (auto const c : index)
            if (c >= '0' && c <= '9') which = which * 10 + static_cast<std::size_t>(c - '0');
        skip_space();
        for (std::size_t k = 0; k < which && now() != ']' && at_ < text_.size(); ++k) {
            skip_value();
            skip_space();
        }
        return now() != ']';
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

std::size_t line_of_path(std::string_view text, std::string_view path)
{
    walker at{text};
    at.follow(path);
    return at.line();
}

}  // namespace blendr::work
