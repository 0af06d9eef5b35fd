// SPDX-License-Identifier: Apache-2.0
// `matmul`: C = A B over .npy files, tile by tile. Each tile is checked by itself in the time that reading it takes.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <random>

#include <boost/describe/class.hpp>

#include <blendr/compute/kernels.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/crypto/freivalds.hpp>
#include <blendr/crypto/hash.hpp>
#include <blendr/verify/float_product.hpp>

#include "builtin.hpp"
#include "npy.hpp"
#include "on_device.hpp"
#include "options.hpp"

namespace blendr::work {
namespace {

constexpr crypto::domain matmul_domain{"work.matmul/1"};

struct matmul_options {
    std::string a = "a.npy", b = "b.npy";
};
BOOST_DESCRIBE_STRUCT(matmul_options, (), (a, b))

/// What a unit is told; its inputs are its rows of A and its columns of B.
struct matmul_unit {
    bool floats = false;
    std::uint32_t inner = 0;
};
BOOST_DESCRIBE_STRUCT(matmul_unit, (), (floats, inner))

struct matmul_push {
    std::uint32_t m, n, k;
};

/// A unit as it came, with sizes that fit.
result<matmul_unit, problem> read_unit(unit const& what)
{
    auto const refuse = [](char const* why) { return fail{problem{fault::program_failed, why}}; };
    auto const read = decode<matmul_unit>(what.parameters);
    if (!read || read->inner == 0) return refuse("the parameters are none of a product");
    auto const& size = what.where.size;
    constexpr std::uint64_t most = std::uint64_t{1} << 28;
    if (size.z != 1 || size.x == 0 || size.y == 0 || std::uint64_t{size.x} * size.y > most / 4 ||
        what.inputs.size() != 2 ||
        what.inputs[0]->size() != std::uint64_t{size.y} * read->inner * 4 ||
        what.inputs[1]->size() != std::uint64_t{size.x} * read->inner * 4 ||
        what.inputs[0]->size() > most || what.inputs[1]->size() > most)
        return refuse("the inputs do not fit the tile");
    return *read;
}

/// Nobody can have known it: a check is worth nothing to whoever chose its seed.
hash256 secret_seed()
{
    std::random_device source;
    hash256 out{};
    for (auto& each : out) each = static_cast<std::byte>(source());
    return out;
}

template <class T>
struct shown_product {
    std::vector<T> a, b, c;
    crypto::matrix_view<T> left, right, product;

    shown_product(unit const& of, matmul_unit const& told, bytes_view result)
        : a{numbers_in<T>(*of.inputs[0])},
          b{numbers_in<T>(*of.inputs[1])},
          c{numbers_in<T>(result)},
          left{a, of.where.size.y, told.inner},
          right{b, told.inner, of.where.size.x},
          product{c, of.where.size.y, of.where.size.x}
    {}
};

std::optional<std::string> wrong_tile(unit const& of, bytes_view result)
{
    auto const told = read_unit(of);
    if (!told) return std::nullopt;  // the unit is wrong, not the result
    if (result.size() != of.where.size.points() * 4)
        return std::to_string(result.size()) + " bytes instead of " +
               std::to_string(of.where.size.points() * 4);
    auto const row_of = [&](std::size_t row) {
        return "row " + std::to_string(of.where.from.y + row) + " is not that row of A times B";
    };
    if (told->floats) {
        shown_product<float> const all{of, *told, result};
        auto const found = verify::check_float_product(all.left, all.right, all.product,
                                                       secret_seed(), 20, 0x1p-24);
        if (found.what == verify::float_finding::kind::fine) return std::nullopt;
        return row_of(found.row);
    }
    shown_product<std::int32_t> const all{of, *told, result};
    auto const found =
        crypto::check_product<crypto::field_61>(all.left, all.right, all.product, secret_seed());
    if (found) return std::nullopt;
    return row_of(found.error().row);
}

class product final : public task {
public:
    product(matrix a, matrix b, std::vector<box> tiles)
        : a_{std::move(a)},
          b_{std::move(b)},
          tiles_{std::move(tiles)}
    {}

    check_kind check() const noexcept override { return check_kind::product; }

    hash256 identity() const override
    {
        return crypto::hasher{matmul_domain}
            .update(encode(tiles_))
            .update(write_npy(a_))
            .update(write_npy(b_))
            .finish();
    }

    result<std::optional<stage>, problem> next(std::vector<bytes> const& results) override
    {
        if (!results.empty()) return std::nullopt;
        stage out{"matmul", {}};
        auto const parameters = encode(matmul_unit{a_.floats, a_.columns});
        std::map<std::pair<std::uint32_t, std::uint32_t>, shared_bytes> rows, columns;
        for (auto const& each : tiles_) {
            auto& left = rows[{each.from.y, each.size.y}];
            if (!left)
                left = share(to_bytes(
                    bytes_view{a_.values}.subspan(std::size_t{each.from.y} * a_.columns * 4,
                                                  std::size_t{each.size.y} * a_.columns * 4)));
            auto& right = columns[{each.from.x, each.size.x}];
            if (!right) {
                bytes part;
                part.reserve(std::size_t{each.size.x} * b_.rows * 4);
                for (std::size_t row = 0; row < b_.rows; ++row) {
                    auto const line = bytes_view{b_.values}.subspan(
                        (row * b_.columns + each.from.x) * 4, std::size_t{each.size.x} * 4);
                    part.insert(part.end(), line.begin(), line.end());
                }
                right = share(std::move(part));
            }
            out.units.push_back({each, parameters, {left, right}, each.size.points() * 4});
        }
        return out;
    }

    std::optional<std::string> wrong(unit const& of, bytes_view result) const override
    {
        return wrong_tile(of, result);
    }
    bool same(unit const& of, bytes_view a, bytes_view b) const override
    {
        return matmul_app().same(of, a, b);
    }

    result<std::vector<file>, problem> files(std::span<bytes const> results) const override
    {
        matrix c{a_.floats, a_.rows, b_.columns, {}};
        c.values.resize(std::size_t{c.rows} * c.columns * 4);
        if (results.size() != tiles_.size())
            return fail{problem{fault::wrong_size, std::to_string(results.size()) + " tiles"}};
        for (std::size_t k = 0; k < tiles_.size(); ++k)
            if (!place(c.values, {c.columns, c.rows, 1}, tiles_[k], results[k], 4))
                return fail{problem{fault::wrong_size, "tile " + std::to_string(k)}};
        std::vector<file> out;
        out.push_back({"c.npy", write_npy(c)});
        return out;
    }

private:
    matrix a_, b_;
    std::vector<box> tiles_;
};

/// Whether every sum of products of whole numbers stays within 32 bits, so that the product is one of whole numbers.
bool sums_fit(matrix const& a, matrix const& b)
{
    auto const largest = [](matrix const& of) {
        std::int64_t most = 0;
        for (auto const each : numbers_in<std::int32_t>(of.values))
            most = std::max(most, std::abs(std::int64_t{each}));
        return static_cast<std::uint64_t>(most);
    };
    return u128{largest(a)} * largest(b) * a.columns <= 0x7FFFFFFF;
}

class matmul_on_devices final : public app {
public:
    app_info info() const noexcept override
    {
        return {"matmul", "the product of two matrices in .npy files, each tile checked by itself"};
    }

    result<std::unique_ptr<task>, problem> make(order const& what,
                                                std::span<double const> speeds) const override
    {
        BLENDR_TRY(auto const asked, options_of(what.options, matmul_options{}));
        auto const read = [&](std::string const& name) -> result<matrix, problem> {
            BLENDR_TRY(auto const* const from, file_of(what, name));
            auto made = read_npy(from->content);
            if (!made) return fail{problem{made.error().what, name + ": " + made.error().why}};
            return made;
        };
        BLENDR_TRY(auto a, read(asked.a));
        BLENDR_TRY(auto b, read(asked.b));
        auto const refuse = [](std::string why) {
            return fail{problem{fault::bad_input, std::move(why)}};
        };
        if (a.floats != b.floats) return refuse("one matrix holds floats, the other integers");
        if (a.columns != b.rows)
            return refuse("A has " + std::to_string(a.columns) + " columns, B has " +
                          std::to_string(b.rows) + " rows");
        if (std::uint64_t{a.rows} * b.columns > (std::uint64_t{1} << 31) / 4)
            return refuse("the product has " + std::to_string(a.rows) + " rows of " +
                          std::to_string(b.columns) + " numbers, more than 2 GiB");
        if (!a.floats && !sums_fit(a, b))
            return refuse("sums of products may not fit 32 bits: make the numbers smaller");
        if (a.floats)
            for (auto const* each : {&a, &b})
                for (auto const v : numbers_in<float>(each->values))
                    if (!std::isfinite(v)) return refuse("a matrix holds what is no number");
        split_rules rules;
        rules.least = {64, 64, 1};
        extent const range{b.columns, a.rows, 1};
        // At most so many points that neither inputs nor tile pass 256 MiB.
        rules.most = std::uint64_t{1} << 24;
        BLENDR_TRY(auto tiles, split(range, speeds, rules));
        return std::make_unique<product>(std::move(a), std::move(b), std::move(tiles));
    }

    result<bytes, problem> run(unit const& what, workplace const& where) const override
    {
        BLENDR_TRY(auto const told, read_unit(what));
        auto const kind = told.floats ? compute::shipped::matmul : compute::shipped::matmul_i32;
        on_device device{where};
        BLENDR_TRY(auto const program,
                   device.program(spirv_of(kind), told.floats ? compute::profile::tolerance
                                                              : compute::profile::exact));
        BLENDR_TRY(auto const a, device.room(what.inputs[0]->size()));
        BLENDR_TRY(auto const b, device.room(what.inputs[1]->size()));
        BLENDR_TRY(auto const c, device.room(what.where.size.points() * 4));
        bytes out(static_cast<std::size_t>(what.where.size.points()) * 4);
        device.upload(a, *what.inputs[0]);
        device.upload(b, *what.inputs[1]);
        auto const m = what.where.size.y, n = what.where.size.x;
        device.dispatch(program, groups_of(kind, m, n), {a, b, c}, matmul_push{m, n, told.inner});
        device.download(c, out);
        BLENDR_CHECK(device.run());
        return out;
    }

    std::optional<std::string> wrong(unit const& of, bytes_view result) const override
    {
        return wrong_tile(of, result);
    }

    /// Sums in another order differ in their last bits: what is right by itself is as good as any other.
    bool same(unit const& of, bytes_view a, bytes_view b) const override
    {
        if (equal(a, b)) return true;
        auto const told = read_unit(of);
        return told && told->floats && !wrong_tile(of, a) && !wrong_tile(of, b);
    }

    cost estimate(unit const& of) const override
    {
        auto const told = decode<matmul_unit>(of.parameters);
        if (!told) return {};
        auto const points = static_cast<double>(of.where.size.points());
        std::uint64_t in = 0;
        for (auto const& each : of.inputs) in += each->size();
        return {2 * points * told->inner, in, of.where.size.points() * 4};
    }
};

// ------------------------------------------------------------ a step is a row of the tile
struct matmul_state {
    std::uint32_t rows = 0, columns = 0, inner = 0;
    std::vector<std::int32_t> a{}, b{}, c{};
};
BOOST_DESCRIBE_STRUCT(matmul_state, (), (rows, columns, inner, a, b, c))

result<std::uint64_t, problem> count_rows(unit const& what)
{
    BLENDR_TRY(auto const told, read_unit(what));
    if (told.floats) return fail{problem{fault::program_failed, "sums of floats have no steps"}};
    return std::uint64_t{what.where.size.y};
}

result<bytes, problem> first_of_product(unit const& what)
{
    BLENDR_CHECK(count_rows(what));
    BLENDR_TRY(auto const told, read_unit(what));
    return encode(matmul_state{
        what.where.size.y, what.where.size.x, told.inner, numbers_in<std::int32_t>(*what.inputs[0]),
        numbers_in<std::int32_t>(*what.inputs[1]),
        std::vector<std::int32_t>(static_cast<std::size_t>(what.where.size.points()))});
}

bytes matmul_step(std::uint64_t number, bytes_view before)
{
    auto state = decode<matmul_state>(before);
    if (!state || number >= state->rows ||
        state->a.size() != std::uint64_t{state->rows} * state->inner ||
        state->b.size() != std::uint64_t{state->inner} * state->columns ||
        state->c.size() != std::uint64_t{state->rows} * state->columns)
        return to_bytes(before);
    std::size_t const row = static_cast<std::size_t>(number), inner = state->inner,
                      columns = state->columns;
    for (std::size_t j = 0; j < columns; ++j) {
        std::uint32_t sum = 0;  // as the program: whatever passes 32 bits wraps
        for (std::size_t k = 0; k < inner; ++k)
            sum += static_cast<std::uint32_t>(state->a[row * inner + k]) *
                   static_cast<std::uint32_t>(state->b[k * columns + j]);
        state->c[row * columns + j] = static_cast<std::int32_t>(sum);
    }
    return encode(*state);
}

result<bytes, problem> last_of_product(bytes_view first, bytes_view result)
{
    auto state = decode<matmul_state>(first).value();
    if (result.size() != state.c.size() * sizeof(std::int32_t))
        return fail{problem{fault::wrong_size, "a tile"}};
    state.c = numbers_in<std::int32_t>(result);
    return encode(state);
}

}  // namespace

unit_steps const& matmul_steps()
{
    static unit_steps const it{"matmul", first_of_product, count_rows, matmul_step,
                               last_of_product};
    return it;
}

app const& matmul_app()
{
    static matmul_on_devices const it;
    return it;
}

}  // namespace blendr::work
