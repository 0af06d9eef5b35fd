// SPDX-License-Identifier: Apache-2.0
// A provider returns a wrong result and is caught three ways.
// By a random check of a matrix product, by comparison with others who did the same work, and by a
// dispute that is led to the one step in which it lied.
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <blendr/crypto/freivalds.hpp>
#include <blendr/verify.hpp>

using namespace blendr;
namespace verify = blendr::verify;

namespace {

crypto::address someone(char const* name) { return crypto::address_of("example", as_bytes(name)); }

/// 1. Any linear algebra: a check that costs n² where the work costs n³.
void product()
{
    constexpr std::size_t n = 64;
    std::vector<std::int32_t> a(n * n), b(n * n);
    std::vector<std::int64_t> c(n * n);
    for (std::size_t i = 0; i < n * n; ++i) {
        a[i] = static_cast<std::int32_t>(i % 17) - 8;
        b[i] = static_cast<std::int32_t>(i % 23) - 11;
    }
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t k = 0; k < n; ++k)
            for (std::size_t j = 0; j < n; ++j)
                c[i * n + j] += std::int64_t{a[i * n + k]} * b[k * n + j];

    hash256 const beacon{std::byte{42}};  // known only after the result was committed to
    auto const check = [&] {
        return crypto::check_product<crypto::field_61>(
            crypto::matrix_view<std::int32_t>{a, n, n}, crypto::matrix_view<std::int32_t>{b, n, n},
            crypto::matrix_view<std::int64_t>{c, n, n}, beacon);
    };
    std::printf("1. product: the honest one %s\n", check() ? "passes" : "fails");
    c[37 * n + 5] += 1;
    auto const cheat = check();
    std::printf("   product: with one element of 4096 off by one, row %zu is wrong\n",
                cheat ? std::size_t{0} : cheat.error().row);
}

/// 2. Bit-exact work: three do it without seeing each other's results.
void quorum()
{
    verify::round_rules rules{};
    rules.quorum = 2;
    rules.most = 3;
    rules.commit_within = rules.reveal_within = 5;
    struct {
        char const* name;
        hash256 says;
    } const workers[]{
        {"ada", {std::byte{7}}}, {"mallory", {std::byte{8}}}, {"bob", {std::byte{7}}}};

    auto round = verify::round::open(hash256{std::byte{1}}, rules, height{1}).value();
    for (auto const& each : workers) (void)round.add(someone(each.name), 2, height{1});
    auto const commitment = [&](auto const& who, char const* as) {
        return verify::commit(
            {someone(as), round.task, hash256{}, verify::digest_of(who.says, {})});
    };
    for (auto const& each : workers)
        (void)round.commit(someone(each.name), commitment(each, each.name), height{2});
    for (auto const& each : workers)
        (void)round.reveal(someone(each.name), hash256{}, each.says, {}, height{3});
    for (std::size_t i = 0; i < round.replicas.size(); ++i)
        std::printf("%s quorum: %-8s %s\n", i == 0 ? "2." : "  ", workers[i].name,
                    round.replicas[i].at == verify::replica_state::agreed ? "agrees" : "differs");
}

/// The program of the disputed run: one step of a small generator.
bytes step(std::uint64_t number, bytes_view before)
{
    std::uint64_t x = number + 1;
    for (auto const b : before) x = x * 0x100000001b3 ^ std::to_integer<std::uint64_t>(b);
    return encode(x);
}

/// 3. A dispute about 1,000 steps: both name states in the middle until one step is left, and the
/// referee computes that one.
void dispute()
{
    constexpr std::uint64_t steps = 1000, lie = 617;
    auto const run = [](bool honest) {
        std::vector<bytes> states{bytes(8)};
        for (std::uint64_t i = 0; i < steps; ++i) {
            states.push_back(step(i, states.back()));
            if (!honest && i == lie) states.back()[0] ^= std::byte{1};
        }
        return states;
    };
    auto const told = run(false), true_run = run(true);
    hash256 const program{std::byte{3}};
    verify::step_registry referee;
    (void)referee.add({program, 8, step});

    auto const mallory = someone("mallory"), ada = someone("ada");
    auto d = verify::dispute::open({program, steps, verify::hash_of_state(told.front()),
                                    verify::hash_of_state(told.back()),
                                    verify::hash_of_state(true_run.back())},
                                   mallory, ada, 10, height{1})
                 .value();
    int rounds = 0;
    while (d.at == verify::dispute_stage::narrowing) {
        auto const asked = d.asked();
        (void)d.move(mallory, verify::hash_of_state(told[asked]), height{1});
        (void)d.move(ada, verify::hash_of_state(true_run[asked]), height{1});
        ++rounds;
    }
    (void)d.prove(true_run[d.low], referee, height{1});
    std::printf("3. dispute: after %d rounds step %llu of %llu is left; the referee says: %s\n",
                rounds, static_cast<unsigned long long>(d.low),
                static_cast<unsigned long long>(steps),
                d.end == verify::ruling::asserter_wrong ? "mallory lied" : "ada lied");
}

}  // namespace

int main()
{
    product();
    quorum();
    dispute();
}
