// SPDX-License-Identifier: Apache-2.0
#include <blendr/work/app.hpp>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <doctest/doctest.h>

#include <blendr/compute/vulkan.hpp>
#include <blendr/compute/worker.hpp>
#include <blendr/work/render.hpp>

#include "compute/devices.hpp"
#include "support/support.hpp"

using namespace blendr;
using namespace blendr::work;

namespace {

order picture_order(std::string options)
{
    std::ifstream in{blendr::test::data("../examples/render/demo.scene")};
    std::string const text{std::istreambuf_iterator<char>{in}, {}};
    order out;
    out.options = std::move(options);
    out.files.push_back({"demo.scene", to_bytes(text)});
    return out;
}

std::array<double, 2> const some_speeds{100, 100};

std::vector<unit> units_of(app const& what, order const& asked)
{
    auto const made = what.make(asked, some_speeds);
    REQUIRE_MESSAGE(made, message(made.error()));
    return (*made)->next({}).value()->units;
}

}  // namespace

TEST_CASE(
    "app: an exact picture has the same bytes on the native device, on Vulkan and in a worker")
{
    auto const& render = *find_app("render");
    auto const units = units_of(render, picture_order(R"({"width":32,"height":24,"samples":3})"));
    auto const native = make_native_device(2);
    std::vector<bytes> right;
    for (auto const& each : units) {
        right.push_back(render_tile(each).value());
        auto const made = render.run(each, {*native});
        REQUIRE_MESSAGE(made, message(made.error()));
        CHECK(*made == right.back());
    }
    if (!compute::test::vulkan_here()) return;
    auto const gpu = compute::open_vulkan().value();
    auto const worker = compute::worker::start().value();
    for (std::size_t k = 0; k < units.size(); ++k) {
        for (auto const as : {compute::origin::own, compute::origin::stranger}) {
            auto const made = render.run(units[k], {*gpu, as});
            REQUIRE_MESSAGE(made, message(made.error()));
            CHECK(*made == right[k]);
        }
        auto const made = render.run(units[k], {*worker, compute::origin::stranger});
        REQUIRE_MESSAGE(made, message(made.error()));
        CHECK(*made == right[k]);
    }
}
