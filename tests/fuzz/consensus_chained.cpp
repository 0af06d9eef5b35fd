// SPDX-License-Identifier: Apache-2.0
// Any messages, records, proofs and certificates: an engine neither crashes, halts, grows without bound nor
// contradicts its own ballots. The first byte chooses, then length-prefixed pieces.
#include <cstdint>
#include <cstdlib>
#include <map>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include <blendr/consensus/hotstuff2.hpp>
#include <blendr/consensus/simplex.hpp>
#include <blendr/sim/ideal.hpp>

namespace {

using namespace blendr;
using namespace blendr::consensus;

template <class E>
void feed(bytes_view raw)
{
    reader in{raw};
    membership set{height{1}, 1, {}, {}};
    for (std::uint32_t i = 0; i < 4; ++i)
        set.set.push_back({sim::ideal_identity(i).self, weight{1 + i}});
    std::sort(set.set.begin(), set.set.end(),
              [](auto const& a, auto const& b) { return a.key < b.key; });
    auto second = set;
    second.from = height{2};
    E e{typename E::config{}, sim::ideal_identity(0), 1};
    effects out{};
    std::map<std::tuple<std::uint64_t, std::uint64_t, std::uint8_t>, ballot> cast{};
    consensus::clock now{time_ms{0}, time_ms{1'700'000'000'000}};
    std::vector<event> answers{};
    auto const carry_out = [&](event const& what) {
        out.clear();
        e.step(what, now, out);
        for (auto const& each : out) {
            if (auto const* p = std::get_if<persist>(&each)) {
                auto const r = decode<record>(p->record);
                if (!r) std::abort();
                if (auto const* b = std::get_if<ballot>(&*r)) {
                    auto const [at, fresh] = cast.try_emplace({b->epoch, b->view, b->kind}, *b);
                    if (!fresh && at->second != *b) std::abort();
                }
            } else if (auto const* v = std::get_if<verify>(&each)) {
                answers.emplace_back(judged{v->id, app::verdict::valid});
            } else if (auto const* q = std::get_if<build>(&each)) {
                answers.emplace_back(built{q->request, to_bytes("payload")});
            } else if (auto const* l = std::get_if<load>(&each)) {
                answers.emplace_back(loaded{l->request, {}});
            } else if (auto const* d = std::get_if<decide>(&each)) {
                for (auto const& block : d->blocks) {
                    auto next = set;  // another set every third height
                    next.from = later(block.at.at, 2);
                    next.epoch = next.from.get() - next.from.get() % 3;
                    if (next.epoch == 0) next.epoch = 1;
                    next.set[next.epoch % 4].power = weight{7};
                    answers.emplace_back(next);
                }
            }
        }
    };
    auto const step = [&](event const& what) {
        carry_out(what);
        for (int round = 0; round < 8 && !answers.empty(); ++round)
            for (auto const& each : std::exchange(answers, {})) carry_out(each);
        answers.clear();
    };
    started s{};
    s.from.sets = {set, second};
    while (in.left() > 2) {
        auto const* head = in.take(3);
        auto const want =
            std::min<std::size_t>(in.left(), std::to_integer<std::size_t>(head[0]) |
                                                 std::to_integer<std::size_t>(head[1]) << 8);
        auto const* piece = in.take(want);
        bytes_view const message{piece, want};
        auto const kind = std::to_integer<unsigned>(head[2]);
        if (kind % 8 == 7) {
            s.journal.push_back(to_bytes(message));
            continue;
        }
        if (!s.from.sets.empty()) {
            step(s);
            s.from.sets.clear();
        }
        now.monotonic = after(now.monotonic, kind);
        now.wall = after(now.wall, kind);
        auto const from = sim::ideal_identity(kind % 5).self;
        if (kind % 8 == 6) {
            step(timer_fired{kind / 8});
            continue;
        }
        std::vector<claim> claims{};
        auto const known = e.claims(from, message, claims);
        if (claims.size() > 100'000) std::abort();
        if (known == false) continue;
        // Every signature counts as good: bytes reach as deep as they can.
        step(received{from, message, known.has_value()});
        if (e.held() > 20'000) std::abort();
    }
    std::vector<claim> claims{};
    (void)E::check_evidence(set, set.set[0].key, raw, claims);
    (void)E::check(set, {}, raw, claims);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    if (size == 0) return 0;
    auto const raw = std::as_bytes(std::span{data, size}).subspan(1);
    if (auto const m = decode<wire_message>(raw); m && encode(*m) != to_bytes(raw)) std::abort();
    if (auto const r = decode<record>(raw); r && encode(*r) != to_bytes(raw)) std::abort();
    if (data[0] % 2 == 0)
        feed<simplex>(raw);
    else
        feed<hotstuff2>(raw);
    return 0;
}
