// SPDX-License-Identifier: Apache-2.0
#include <blendr/app/application.hpp>  // first: it stands alone

#include <blendr/app/tally.hpp>

#include <doctest/doctest.h>

using namespace blendr;

namespace {

/// Everything that the concept asks for, and one thing that each variant lacks.
struct smallest {
    app::info last() const { return {}; }
    std::optional<app::validator_set> init(bytes_view) { return std::nullopt; }
    app::check_result check(bytes_view) const { return {}; }
    std::optional<bytes> propose(app::proposal_context const&, std::size_t) { return std::nullopt; }
    std::optional<app::verdict> verify(app::proposal_context const&, block_id const&, bytes_view)
    {
        return std::nullopt;
    }
    app::finalized finalize(app::proposal_context const&, block_id const&, bytes_view)
    {
        return {};
    }
    height commit() { return {}; }
    app::query_result query(std::string_view, bytes_view) const { return {}; }
};

struct check_that_changes : smallest {
    app::check_result check(bytes_view) { return {}; }
};

struct verify_that_always_knows : smallest {
    app::verdict verify(app::proposal_context const&, block_id const&, bytes_view) { return {}; }
};

struct query_that_changes : smallest {
    app::query_result query(std::string_view, bytes_view) { return {}; }
};

}  // namespace

TEST_CASE("application: a tally is one, and so is anything of its shape")
{
    static_assert(app::application<app::tally>);
    static_assert(app::application<smallest>);
    static_assert(!app::application<check_that_changes>);
    static_assert(!app::application<verify_that_always_knows>);
    static_assert(!app::application<query_that_changes>);
    static_assert(!app::application<int>);
    CHECK(smallest{}.last() == app::info{});
}
