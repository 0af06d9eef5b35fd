// SPDX-License-Identifier: Apache-2.0
// Any order of any app is planned or refused with a reason, any bytes are a unit or none, and any file is a checkpoint, from
// which one goes on, or none. The first byte says which; an order's options end with a zero, its file is the rest.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <blendr/core/assert.hpp>
#include <blendr/work/app.hpp>
#include <blendr/work/checkpoint.hpp>

using namespace blendr;
using namespace blendr::work;

namespace {

void order_of(app const& what, bytes_view raw)
{
    auto const end = std::find(raw.begin(), raw.end(), std::byte{});
    auto const split = static_cast<std::size_t>(end - raw.begin());
    order asked;
    asked.options = std::string{as_text(raw.first(split))};
    raw = raw.subspan(std::min(split + 1, raw.size()));
    auto const name = what.info().name;
    if (name == "matmul") {
        asked.files.push_back({"a.npy", to_bytes(raw.first(raw.size() / 2))});
        asked.files.push_back({"b.npy", to_bytes(raw.subspan(raw.size() / 2))});
    } else {
        bytes content;
        if (name == "program")  // not text, which a compiler would be started for
            content = {std::byte{3}, std::byte{2}, std::byte{0x23}, std::byte{7}};
        content.insert(content.end(), raw.begin(), raw.end());
        asked.files.push_back({"f", std::move(content)});
    }
    constexpr std::array<double, 2> speeds{1e3, 3e3};
    auto const made = what.make(asked, speeds);
    if (!made) {
        BLENDR_ASSERT(!made.error().why.empty());
        return;
    }
    auto const first = (*made)->next({});
    BLENDR_ASSERT(first.has_value() && first->has_value() && !(*first)->units.empty());
    BLENDR_ASSERT((*first)->units.size() <= units_max);
    auto const& one = (*first)->units.front();
    (void)what.estimate(one);
    BLENDR_ASSERT(what.same(one, {}, {}));
}

void unit_of(bytes_view raw)
{
    auto const one = unpack(raw);
    if (!one) return;
    BLENDR_ASSERT(equal(pack(*one), raw));
    for (auto const* each : apps()) {
        (void)each->estimate(*one);
        (void)each->wrong(*one, raw.first(std::min<std::size_t>(raw.size(), 64)));
        (void)each->same(*one, raw, raw.first(raw.size() / 2));
    }
}

void checkpoint_of(bytes_view raw)
{
    int const file = ::memfd_create("checkpoint", MFD_CLOEXEC);
    BLENDR_ASSERT(file >= 0);
    BLENDR_ASSERT(::write(file, raw.data(), raw.size()) == static_cast<::ssize_t>(raw.size()));
    auto const path = "/proc/self/fd/" + std::to_string(file);
    std::size_t there = 0;
    bool good = false;
    if (auto made = checkpoint::open(path, hash256{}); made) {
        there = made->size();
        BLENDR_ASSERT(made->save(1'000'000, 0, raw));
        BLENDR_ASSERT(equal(made->find(1'000'000, 0).value(), raw));
        good = true;
    }
    if (good) {
        auto const again = checkpoint::open(path, hash256{});
        BLENDR_ASSERT(again && again->size() >= there);
        BLENDR_ASSERT(equal(again->find(1'000'000, 0).value(), raw));
    }
    ::close(file);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    if (size == 0) return 0;
    auto const raw = std::as_bytes(std::span{data, size}).subspan(1);
    auto const which = static_cast<std::size_t>(data[0] % 8);
    if (which < apps().size())
        order_of(*apps()[which], raw);
    else if (which == 6)
        unit_of(raw);
    else
        checkpoint_of(raw);
    return 0;
}
