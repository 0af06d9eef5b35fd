// SPDX-License-Identifier: Apache-2.0
// Any messages to the engines with a fork choice: no crash, no unbounded memory, canonical bytes only.
#include <cstdint>
#include <cstdlib>
#include <span>

#include <blendr/consensus/authority.hpp>
#include <blendr/consensus/nakamoto.hpp>
#include <blendr/sim/ideal.hpp>

namespace {

using namespace blendr;
using namespace blendr::consensus;

struct any_work {
    bool operator()(hash256 const&, hash256 const&, bytes_view) const { return true; }
};

template <class E>
void feed(bytes_view raw)
{
    reader in{raw};
    started s{};
    for (std::uint64_t h = 1; h <= 2; ++h) {
        membership set{height{h}, 1, {}, {}};
        for (std::uint32_t i = 0; i < 3; ++i)
            set.set.push_back({sim::ideal_identity(i).self, weight{1}});
        std::sort(set.set.begin(), set.set.end(),
                  [](auto const& a, auto const& b) { return a.key < b.key; });
        s.from.sets.push_back(set);
    }
    E e{typename E::config{}, sim::ideal_identity(0), 1};
    consensus::clock now{time_ms{0}, time_ms{1'000'000}};
    effects out{};
    e.step(s, now, out);
    while (in.left() > 2) {
        auto const* head = in.take(3);
        auto const want =
            std::min<std::size_t>(in.left(), std::to_integer<std::size_t>(head[0]) |
                                                 std::to_integer<std::size_t>(head[1]) << 8);
        bytes_view const piece{in.take(want), want};
        auto const kind = std::to_integer<unsigned>(head[2]);
        now.monotonic = after(now.monotonic, kind * 8);
        now.wall = after(now.wall, kind * 8);
        auto const from = sim::ideal_identity(kind % 3).self;
        std::vector<claim> claims{};
        auto const known = e.claims(from, piece, claims);
        if (known == false) continue;
        out.clear();
        if (kind % 4 == 3)
            e.step(timer_fired{kind / 64}, now, out);
        else
            e.step(received{from, piece, known.has_value()}, now, out);
        effects const asked = std::exchange(out, {});
        for (auto const& each : asked)
            if (auto const* v = std::get_if<verify>(&each))
                e.step(judged{v->id, app::verdict::valid}, now, out);
        if (e.held() > 5'000) std::abort();
    }
    std::vector<claim> claims{};
    (void)E::check_evidence(s.from.sets[0], s.from.sets[0].set[0].key, raw, claims);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    if (size == 0) return 0;
    auto const raw = std::as_bytes(std::span{data, size}).subspan(1);
    if (auto const m = decode<branch_message>(raw); m && encode(*m) != to_bytes(raw)) std::abort();
    if (data[0] % 2 == 0)
        feed<authority>(raw);
    else
        feed<nakamoto<any_work>>(raw);
    return 0;
}
