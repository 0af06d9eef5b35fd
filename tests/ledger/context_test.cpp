// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/context.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <ledger/arena.hpp>

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

namespace {
using context = tx_context<lane<chain>>;
template <class T, mode M>
concept reads = requires(context& in, ref<T, M> at) { in.read(at); };
template <class T, mode M>
concept edits = requires(context& in, ref<T, M> at) { in.edit(at); };
template <class T, mode M>
concept takes = requires(context& in, ref<T, M> at) { in.take(at, amount{}); };
template <class T, mode M>
concept gives = requires(context& in, ref<T, M> at) { in.give(at, amount{}); };
}  // namespace

TEST_CASE("context: what a mode does not allow does not compile")
{
    using w = arena::wells;
    static_assert(reads<w, mode::read> && reads<w, mode::write>);
    static_assert(!reads<w, mode::debit> && !reads<w, mode::credit>);
    static_assert(edits<w, mode::write> && !edits<w, mode::read> && !edits<w, mode::debit>);
    static_assert(takes<w, mode::debit> && takes<w, mode::write>);
    static_assert(!takes<w, mode::credit> && !takes<w, mode::read>);
    static_assert(gives<w, mode::credit> && gives<w, mode::debit> && !gives<w, mode::read>);
    static_assert(!takes<arena::notes, mode::debit>, "a table without a quantity has none to take");
    CHECK(true);
}
