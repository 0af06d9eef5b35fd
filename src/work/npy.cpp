// SPDX-License-Identifier: Apache-2.0
#include "npy.hpp"

#include <array>
#include <charconv>
#include <string>
#include <string_view>

namespace blendr::work {
namespace {

constexpr std::string_view magic{"\x93NUMPY", 6};
constexpr std::uint64_t matrix_bytes_max = std::uint64_t{1} << 31;

/// What stands behind "'name':" in the header, up to a comma outside of brackets or the end.
std::string_view value_of(std::string_view header, std::string_view name)
{
    auto const key = "'" + std::string{name} + "':";
    auto const at = header.find(key);
    if (at == std::string_view::npos) return {};
    auto rest = header.substr(at + key.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    std::size_t end = 0;
    for (int depth = 0; end < rest.size(); ++end) {
        if (rest[end] == '(') ++depth;
        if (rest[end] == ')') --depth;
        if (depth == 0 && (rest[end] == ',' || rest[end] == '}')) break;
    }
    return rest.substr(0, end);
}

bool read_shape(std::string_view text, matrix& to)
{
    std::array<std::uint32_t, 2> sides{};
    if (text.size() < 2 || text.front() != '(' || text.back() != ')') return false;
    text = text.substr(1, text.size() - 2);
    for (auto& each : sides) {
        text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
        auto const [end, code] = std::from_chars(text.begin(), text.end(), each);
        if (code != std::errc{} || each == 0) return false;
        text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
        if (&each == sides.data()) {
            if (text.empty() || text.front() != ',') return false;
            text.remove_prefix(1);
        }
    }
    to.rows = sides[0], to.columns = sides[1];
    return text.empty();
}

}  // namespace

result<matrix, problem> read_npy(bytes_view raw)
{
    auto const refuse = [](std::string why) {
        return fail{problem{fault::bad_input, std::move(why)}};
    };
    std::string_view const text{reinterpret_cast<char const*>(raw.data()), raw.size()};
    if (!text.starts_with(magic) || text.size() < 12) return refuse("it is no .npy file");
    auto const at = [&](std::size_t k) { return std::to_integer<std::size_t>(raw[k]); };
    auto const version = at(6);
    if (version != 1 && version != 2)
        return refuse("it is .npy of version " + std::to_string(version));
    std::size_t const begin = version == 1 ? 10 : 12;
    std::size_t const length =
        version == 1 ? at(8) | at(9) << 8 : at(8) | at(9) << 8 | at(10) << 16 | at(11) << 24;
    if (length > text.size() - begin) return refuse("its header ends too early");
    auto const header = text.substr(begin, length);
    matrix out;
    auto const kind = value_of(header, "descr");
    if (kind == "'<f4'")
        out.floats = true;
    else if (kind != "'<i4'")
        return refuse("its numbers are " + std::string{kind.substr(0, 20)} +
                      ", not '<f4' or '<i4'");
    if (value_of(header, "fortran_order") != "False")
        return refuse("its columns lie one after the other, not its rows");
    if (!read_shape(value_of(header, "shape"), out))
        return refuse("its shape is " + std::string{value_of(header, "shape").substr(0, 40)} +
                      ", not (rows, columns)");
    auto const size = std::uint64_t{out.rows} * out.columns;
    if (size > matrix_bytes_max / 4) return refuse("it has more than 2 GiB");
    auto const body = raw.subspan(begin + length);
    if (body.size() != size * 4)
        return refuse("it has " + std::to_string(body.size()) + " bytes of numbers instead of " +
                      std::to_string(size * 4));
    out.values = to_bytes(body);
    return out;
}

bytes write_npy(matrix const& what)
{
    std::string header = std::string{"{'descr': '"} + (what.floats ? "<f4" : "<i4") +
                         "', 'fortran_order': False, 'shape': (" + std::to_string(what.rows) +
                         ", " + std::to_string(what.columns) + "), }";
    while ((header.size() + 11) % 64 != 0) header += ' ';
    header += '\n';
    std::string text{magic};
    text += {'\x01', '\x00', static_cast<char>(header.size() & 0xFF),
             static_cast<char>(header.size() >> 8)};
    text += header;
    auto out = to_bytes(text);
    out.insert(out.end(), what.values.begin(), what.values.end());
    return out;
}

}  // namespace blendr::work
