// SPDX-License-Identifier: Apache-2.0
// A contract of your own: a raffle pot. Anyone may put money in; every third ticket empties the pot.
// The described lines give its codec, JSON, command line and access plan, of what can be asked as well.

#include <cstdio>
#include <string_view>
#include <utility>

#include <boost/describe/class.hpp>

#include <blendr/ledger/query_json.hpp>
#include <blendr/ledger/sandbox.hpp>

using namespace blendr;
using namespace blendr::ledger;

struct raffle {
    static constexpr std::uint16_t id = 1000;
    static constexpr std::string_view name = "raffle";
    enum class error : std::uint16_t { ok, poor, too_small };

    struct pots {  // one row a pot, under the pot's number
        static constexpr std::string_view name = "pots";
        using key = std::uint32_t;
        struct row {
            amount money{};
            std::uint64_t tickets{};
        };
        static amount holds(row const& r) { return r.money; }
    };
    using tables = type_list<pots>;

    struct enter {  // the one message
        std::uint32_t pot{};
        amount stake{};
    };
    using messages = type_list<enter>;

    struct plan {  // what it touches: the sender's purse, both ways, and the pot
        ref<purses, mode::debit> purse{};
        ref<pots, mode::write> pot{};
    };
    static plan touches(enter const& m, tx_info const& tx, auto& access)
    {
        return {access.template use<purses, mode::debit>(tx.sender),
                access.template use<pots, mode::write>(m.pot)};
    }
    static error apply(auto& ctx, enter const& m, plan const& rows)
    {
        if (m.stake < 1_blnd) return error::too_small;
        if (!ctx.take(rows.purse, m.stake)) return error::poor;
        auto& pot = ctx.edit(rows.pot);
        pot.money += m.stake;
        if (++pot.tickets % 3 == 0) ctx.give(rows.purse, std::exchange(pot.money, amount{}));
        return error::ok;
    }

    struct pot {  // the one query, "raffle/pot"
        std::uint32_t number{};
    };
    using queries = type_list<pot>;
    static pots::row query(auto const& view, pot const& asked)
    {
        return view.template row<pots>(asked.number);
    }
};
BOOST_DESCRIBE_STRUCT(raffle::pots::row, (), (money, tickets))
BOOST_DESCRIBE_STRUCT(raffle::enter, (), (pot, stake))
BOOST_DESCRIBE_STRUCT(raffle::pot, (), (number))

int main()
{
    auto const ada = crypto::address_of("example", as_bytes("ada"));
    auto const bob = crypto::address_of("example", as_bytes("bob"));
    sandbox<bank, raffle> chain;
    chain.fund(ada, 10_blnd);

    auto show = [&](std::string_view what, std::uint32_t code) {
        std::printf("%-24.*s code %08x  ada %5s  bob %5s  pot %5s\n", int(what.size()), what.data(),
                    code, to_string(chain.balance(ada)).c_str(),
                    to_string(chain.balance(bob)).c_str(),
                    to_string(chain.ask(raffle::pot{7}).value().money).c_str());
    };
    show("ada pays bob", chain.call(ada, bank::transfer{bob, 4_blnd}));
    show("ada enters", chain.call(ada, raffle::enter{7, 2_blnd}));
    show("bob enters with too much", chain.call(bob, raffle::enter{7, 5_blnd}));
    show("bob enters with dust", chain.call(bob, raffle::enter{7, 5_grains}));
    show("bob enters", chain.call(bob, raffle::enter{7, 1_blnd}));
    show("bob enters again", chain.call(bob, raffle::enter{7, 1_blnd}));

    // the same question as a node gets it
    using forms = query_forms<registry<bank, raffle>>;
    auto const asked = forms::from_line("raffle/pot?number=7").value();
    auto const answer = encode(chain.ask(decode<raffle::pot>(asked.argument).value()).value());
    std::printf("%s: %s\n", asked.path.c_str(),
                to_text(forms::to_json(asked.path, answer).value()).c_str());
}
