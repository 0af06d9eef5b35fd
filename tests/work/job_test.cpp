// SPDX-License-Identifier: Apache-2.0
#include <blendr/work/job.hpp>

#include <doctest/doctest.h>

using namespace blendr;
using namespace blendr::work;

namespace {

class empty_job final : public job {
public:
    hash256 identity() const override { return {}; }
    result<std::optional<stage>, problem> next(std::vector<bytes> const&) override
    {
        return std::nullopt;
    }
};

}  // namespace

TEST_CASE("job: one that says nothing more checks nothing and tolerates nothing")
{
    empty_job const what;
    CHECK(!what.wrong({}, as_bytes("anything")));
    CHECK(what.same({}, as_bytes("a"), as_bytes("a")));
    CHECK(!what.same({}, as_bytes("a"), as_bytes("b")));
}
