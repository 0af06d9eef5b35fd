// SPDX-License-Identifier: Apache-2.0
// A job of six units, paid unit by unit: one provider fails half-way, another one finishes.
// The first keeps what it earned; at the end every grain is accounted for. Then the same on a chain (chain.cpp).
#include <cstdio>
#include <string>
#include <string_view>
#include <type_traits>

#include <blendr/escrow/job.hpp>

#include "chain.hpp"

using namespace blendr;
namespace escrow = blendr::escrow;

namespace {

crypto::address const renter = crypto::address_of("example", as_bytes("renter"));
crypto::address const slow = crypto::address_of("example", as_bytes("slow"));
crypto::address const swift = crypto::address_of("example", as_bytes("swift"));

std::string_view name_of(crypto::address const& who)
{
    return who == renter ? "renter" : who == slow ? "slow" : "swift";
}

constexpr std::string_view name_of(escrow::phase at)
{
    switch (at) {
    case escrow::phase::open:
        return "open";
    case escrow::phase::funded:
        return "funded";
    case escrow::phase::running:
        return "running";
    case escrow::phase::delivered:
        return "delivered";
    case escrow::phase::accepted:
        return "accepted";
    case escrow::phase::settled:
        return "settled";
    default:
        return "another phase";
    }
}

struct books {
    amount paid{}, fees{}, refunded{}, slashed{};
};

/// Carries out what the job asks for; a chain would move money here.
void carry_out(height now, escrow::effects& todo, books& all)
{
    auto const say = [&](std::string_view who, std::string const& what) {
        std::printf("%5llu  %-7.*s %s\n", static_cast<unsigned long long>(now.get()),
                    static_cast<int>(who.size()), who.data(), what.c_str());
    };
    for (auto const& each : todo)
        std::visit(
            [&]<class Effect>(Effect const& e) {
                if constexpr (std::is_same_v<Effect, escrow::pay>) {
                    say(name_of(e.to), "is paid " + to_string(e.value) + " BLND for a unit");
                    all.paid += e.value;
                    all.fees += e.fee;
                } else if constexpr (std::is_same_v<Effect, escrow::refund>) {
                    say(name_of(e.to), "gets " + to_string(e.value) + " BLND back");
                    all.refunded += e.value;
                } else if constexpr (std::is_same_v<Effect, escrow::slash_bond>) {
                    say(name_of(e.provider), "loses " + to_string(e.value) + " BLND of its bond");
                    all.slashed += e.value;
                } else if constexpr (std::is_same_v<Effect, escrow::relist>) {
                    say("job", std::to_string(e.units) + " units wait for somebody else");
                } else if constexpr (std::is_same_v<Effect, escrow::moved>) {
                    say("job", "agreement " + std::to_string(e.which.get()) + " is " +
                                   std::string{name_of(e.to)});
                } else if constexpr (std::is_same_v<Effect, escrow::closed>) {
                    say("job", "is closed");
                }
            },
            each);
    todo.clear();
}

}  // namespace

int main()
{
    escrow::terms by{};
    by.each = price{100'000'000};  // 0.1 BLND a unit
    by.bond = 1_blnd;
    by.fund_within = by.start_within = 5;
    by.run_within = 50;
    by.window = 3;  // heights in which the renter may object to a unit
    by.verdict_within = by.grace = 10;
    by.fee = 250;  // 2.5 % of each payment

    escrow::effects todo;
    books all;
    auto job = escrow::job::open(renter, 6, height{100}, 5, height{1}).value();
    auto const at = [&](std::uint64_t now, auto const& what) {
        (void)job.tick(height{now}, todo);
        auto const done = what(height{now});
        if (!done)
            std::printf("%5llu  refused: %s\n", static_cast<unsigned long long>(now),
                        std::string{message(done.error())}.c_str());
        carry_out(height{now}, todo, all);
    };
    auto const unit = [](std::uint32_t n) { return escrow::unit_id{n}; };
    using escrow::agreement_id;

    at(1, [&](height h) { return job.deposit(renter, 1_blnd, h, todo); });
    at(2, [&](height h) { return job.match(slow, 6, by, h, todo); });
    at(2, [&](height h) { return job.fund(agreement_id{0}, h, todo); });
    at(2, [&](height h) { return job.start(agreement_id{0}, slow, h, todo); });
    at(4, [&](height h) { return job.deliver(unit(0), slow, h, todo); });
    at(9, [&](height h) { return job.deliver(unit(1), slow, h, todo); });
    at(20, [&](height h) { return job.fail(agreement_id{0}, h, todo); });  // no sign of life
    at(21, [&](height h) { return job.match(swift, 4, by, h, todo); });
    at(21, [&](height h) { return job.fund(agreement_id{1}, h, todo); });
    at(21, [&](height h) { return job.start(agreement_id{1}, swift, h, todo); });
    at(22, [&](height h) { return job.deliver(unit(2), slow, h, todo); });  // too late
    for (std::uint32_t n = 2; n < 6; ++n)
        at(21 + n, [&](height h) { return job.deliver(unit(n), swift, h, todo); });
    while (!job.state().over) {
        auto const due = job.due();
        (void)job.tick(due, todo);
        carry_out(due, todo, all);
    }

    std::printf("\nput in 1 BLND = paid %s + fees %s + back %s; left in the job: %s\n",
                to_string(all.paid).c_str(), to_string(all.fees).c_str(),
                to_string(all.refunded).c_str(), to_string(job.state().balance).c_str());
    std::printf("\nand on a chain:\n");
    the_same_on_a_chain();
}
