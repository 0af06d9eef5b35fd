// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/mp11/algorithm.hpp>

#include <blendr/app/types.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/ledger/base.hpp>
#include <blendr/ledger/committed.hpp>
#include <blendr/ledger/contract.hpp>
#include <blendr/ledger/index.hpp>
#include <blendr/ledger/registry.hpp>
#include <blendr/state/proof.hpp>

/// Questions to contracts. A contract lists what can be asked, described aggregates like its messages,
/// and answers each with one small function over the last committed state:
///
///     struct depth { instrument of{}; std::uint32_t levels{}; };          // the argument
///     using queries = type_list<depth>;
///     static book query(auto const& view, depth const& asked);            // the answer, described too
///
/// The question is then "market/depth" with the encoded argument, the answer comes encoded, and
/// query_json.hpp gives both their JSON and command line. An answer of type `result<Answer, error>` may
/// be one of the contract's errors.
namespace blendr::ledger {

/// Why the machine did not answer. As codes of contract 0; numbers are frozen.
enum class query_fault : std::uint16_t {
    ok = 0,
    unknown_path = 1,
    malformed_argument = 2,
    too_large = 3,
    not_begun = 4,
    not_provable = 5,
};
BOOST_DESCRIBE_ENUM(query_fault, ok, unknown_path, malformed_argument, too_large, not_begun,
                    not_provable)

/// A sentence for people.
constexpr std::string_view message(query_fault why) noexcept
{
    switch (why) {
    case query_fault::ok:
        return "all is well";
    case query_fault::unknown_path:
        return "no contract of this chain has a table or a query of that name";
    case query_fault::malformed_argument:
        return "the argument does not decode as the key or the question that the path asks for";
    case query_fault::too_large:
        return "the answer would take more rows or bytes than one query may; ask for less";
    case query_fault::not_begun:
        return "there is no chain here yet";
    case query_fault::not_provable:
        return "an answer that walks a table or uses an index has no proof";
    }
    return "unknown reason";
}
constexpr std::uint32_t code(query_fault why) noexcept { return static_cast<std::uint16_t>(why); }

/// What one query may cost.
struct query_limits {
    std::size_t rows_max = 200'000;  ///< looked at
    std::size_t answer_bytes_max = std::size_t{4} << 20;
    std::size_t proofs_max = 64;  ///< rows proven, when a proof is asked for
};

/// Behind a path this asks for a proof of every row that the answer was made of: "market/order?proof".
inline constexpr std::string_view proof_suffix = "?proof";

/// A row that an answer was made of, or that it is absent, and why to believe it.
struct proven_row {
    bytes key{};    ///< as `state_key` makes it
    bytes value{};  ///< the encoded row; empty where there is none
    bytes proof{};  ///< under the state root that the next header carries

    friend bool operator==(proven_row const&, proven_row const&) = default;
};
BOOST_DESCRIBE_STRUCT(proven_row, (), (key, value, proof))

/// The rows behind an answer, as far as they can all be believed under `state_root`. Whoever has them
/// can answer the query again without trusting anybody.
inline std::optional<std::vector<proven_row>> proven_rows(bytes_view proof,
                                                          hash256 const& state_root)
{
    auto rows = decode<std::vector<proven_row>>(proof);
    if (!rows) return std::nullopt;
    for (auto const& each : *rows) {
        std::optional<bytes_view> value{};
        if (!each.value.empty()) value = each.value;
        if (!state::verify(state_root, each.key, value, each.proof)) return std::nullopt;
    }
    return *std::move(rows);
}

namespace impl {

/// What a query did so far, whichever contract's view it went through.
struct query_work {
    std::size_t rows_left{};
    bool proves = false;
    bool over = false;        // some limit was passed: whatever the handler makes is not the answer
    bool unprovable = false;  // it used more than single rows
    std::vector<std::pair<bytes, bytes>> read{};  // state key and encoded row, when it proves

    bool look() noexcept
    {
        if (rows_left == 0) return over = true, false;
        return --rows_left, true;
    }
};

}  // namespace impl

/// What a query sees: the rows that its contract may read, as the last commit left them, and its
/// contract's index. Once the query has looked at more rows than it may, rows read as absent and walks
/// end; its answer is then replaced by `too_large`.
template <class Registry, class C>
class query_view {
public:
    query_view(committed_rows<Registry> const& state, indexes<Registry> const& indices,
               impl::query_work& work) noexcept
        : state_{&state},
          indices_{&indices},
          work_{&work}
    {}

    /// Height and time of the last committed block.
    facts::row const& now() const { return row<facts>(0); }

    /// A default row where there is none. It lasts as long as the query.
    template <class T>
        requires(may_use<C, T, mode::read>())
    typename T::row const& row(typename T::key const& key) const
    {
        static typename T::row const absent{};
        if (!work_->look()) return absent;
        auto const& found = state_->template row<T>(key);
        if (work_->proves)
            work_->read.emplace_back(state_key<typename Registry::template owner_of<T>, T>(key),
                                     state::same(found, absent) ? bytes{} : encode(found));
        return found;
    }

    /// Present rows of an ordered table in key order, from the first key not below `from`:
    /// visit(key, row), until it says false.
    template <ordered T, class Visit>
        requires(may_use<C, T, mode::read>())
    void each(typename T::key const& from, Visit&& visit) const
    {
        work_->unprovable = true;
        state_->template each<T>(from, [&](auto const& key, auto const& row) {
            return work_->look() && visit(key, row);
        });
    }
    template <ordered T, class Visit>
        requires(may_use<C, T, mode::read>())
    void each(Visit&& visit) const
    {
        work_->unprovable = true;
        state_->template each<T>(
            [&](auto const& key, auto const& row) { return work_->look() && visit(key, row); });
    }

    /// What the contract keeps in memory.
    auto const& index() const noexcept
        requires indexed<C>
    {
        work_->unprovable = true;
        return indices_->template of<C>();
    }

    /// For the functions that contract D exports.
    template <class D>
    query_view<Registry, D> as(pass<D>) const noexcept
    {
        return {*state_, *indices_, *work_};
    }

private:
    committed_rows<Registry> const* state_;
    indexes<Registry> const* indices_;
    impl::query_work* work_;
};

namespace impl {

template <class T>
struct answer_type {
    using type = T;
    static constexpr bool may_fail = false;
};
template <class T, class E>
struct answer_type<result<T, E>> {
    using type = T;
    static constexpr bool may_fail = true;
};

template <class Registry, class Query>
using raw_answer = std::remove_cvref_t<decltype(Registry::template asked_of<Query>::query(
    std::declval<query_view<Registry, typename Registry::template asked_of<Query>> const&>(),
    std::declval<Query const&>()))>;

}  // namespace impl

/// What a query is answered with when all is well.
template <class Registry, class Query>
using answer_of = typename impl::answer_type<impl::raw_answer<Registry, Query>>::type;

/// Asks a contract in its own types. What is refused is refused with a code: the contract's own, or
/// a `query_fault`'s.
template <class Registry, class Query>
result<answer_of<Registry, Query>, std::uint32_t> ask(committed_rows<Registry> const& state,
                                                      indexes<Registry> const& indices,
                                                      Query const& asked, impl::query_work& work)
{
    using owner = typename Registry::template asked_of<Query>;
    auto answer = owner::query(query_view<Registry, owner>{state, indices, work}, asked);
    if (work.over) return fail{code(query_fault::too_large)};
    if (work.proves && work.unprovable) return fail{code(query_fault::not_provable)};
    if constexpr (impl::answer_type<impl::raw_answer<Registry, Query>>::may_fail) {
        if (!answer) return fail{code<owner>(answer.error())};
        return *std::move(answer);
    } else {
        return answer;
    }
}

namespace impl {

/// Asks in bytes.
template <class Registry>
class query_desk {
public:
    query_desk(committed_rows<Registry> const& state, indexes<Registry> const& indices,
               query_limits const& limits) noexcept
        : state_{&state},
          indices_{&indices},
          limits_{limits}
    {}

    /// `prove(state key)` gives the encoded proof of a row or its absence.
    template <class Prove>
    app::query_result operator()(std::string_view path, bytes_view raw, Prove&& prove) const
    {
        bool const proves = path.ends_with(proof_suffix);
        if (proves) path.remove_suffix(proof_suffix.size());
        app::query_result out{code(query_fault::unknown_path), {}, {}};
        auto const cut = path.find('/');
        if (cut == std::string_view::npos) return out;
        auto const contract = path.substr(0, cut);
        auto const name = path.substr(cut + 1);
        query_work work{limits_.rows_max, proves, false, false, {}};
        boost::mp11::mp_for_each<boost::mp11::mp_iota_c<Registry::table_count>>([&](auto t) {
            using kind = boost::mp11::mp_at_c<typename Registry::table_kinds, decltype(t)::value>;
            if (contract == kind::owner::name && name == kind::table::name)
                out = look_up<kind>(raw, prove);
        });
        boost::mp11::mp_for_each<boost::mp11::mp_iota_c<Registry::query_count>>([&](auto q) {
            using kind = boost::mp11::mp_at_c<typename Registry::query_kinds, decltype(q)::value>;
            static_assert(!names_a_table<kind>(), "a table and a query have one path");
            if (contract == kind::contract_name && name == kind::query_name)
                out = answer<typename kind::query>(raw, work, prove);
        });
        return out;
    }

private:
    template <class Kind>
    static consteval bool names_a_table()
    {
        bool found = false;
        boost::mp11::mp_for_each<
            boost::mp11::mp_transform<boost::mp11::mp_identity, tables_of<typename Kind::owner>>>(
            [&](auto type) { found = found || decltype(type)::type::name == Kind::query_name; });
        return found;
    }

    template <class Kind, class Prove>
    app::query_result look_up(bytes_view raw, Prove&& prove) const
    {
        using table = typename Kind::table;
        auto const key = decode<typename table::key>(raw);
        if (!key) return {code(query_fault::malformed_argument), {}, {}};
        auto const& row = state_->template row<table>(*key);
        app::query_result out{0, {}, prove(state_key<typename Kind::owner, table>(*key))};
        if (!state::same(row, typename table::row{})) out.value = encode(row);
        return out;
    }

    template <class Query, class Prove>
    app::query_result answer(bytes_view raw, query_work& work, Prove&& prove) const
    {
        auto const asked = decode<Query>(raw);
        if (!asked) return {code(query_fault::malformed_argument), {}, {}};
        auto const given = ask<Registry>(*state_, *indices_, *asked, work);
        if (!given) return {given.error(), {}, {}};
        if (encoded_size(*given) > limits_.answer_bytes_max ||
            work.read.size() > limits_.proofs_max)
            return {code(query_fault::too_large), {}, {}};
        app::query_result out{0, encode(*given), {}};
        if (work.proves) {
            std::vector<proven_row> rows{};
            for (auto& [key, value] : work.read) {
                auto proof = prove(key);
                rows.push_back({std::move(key), std::move(value), std::move(proof)});
            }
            out.proof = encode(rows);
        }
        return out;
    }

    committed_rows<Registry> const* state_;
    indexes<Registry> const* indices_;
    query_limits limits_;
};

}  // namespace impl

}  // namespace blendr::ledger
