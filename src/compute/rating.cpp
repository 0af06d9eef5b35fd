// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/rating.hpp>

#include <algorithm>
#include <array>
#include <barrier>
#include <bit>
#include <chrono>
#include <functional>
#include <limits>
#include <thread>
#include <utility>

#include <blendr/compute/kernels.hpp>
#include <blendr/compute/sequence.hpp>
#include <blendr/core/random.hpp>
#include <blendr/core/task_pool.hpp>
#include <blendr/crypto/hash.hpp>
#include <blendr/crypto/strict.hpp>

namespace blendr::compute {

namespace {

using word = std::uint32_t;
using clock = std::chrono::steady_clock;

inline constexpr crypto::domain challenge_domain{"compute.rate/1"};
inline constexpr crypto::domain rating_domain{"compute.rated/1"};

constexpr word columns_of_chunk = 1 << 16;  // 16 MiB
constexpr std::uint64_t chunk_bytes = std::uint64_t{columns_of_chunk} * 64 * 4;

word mixed(word x, word plus)
{
    x = (x ^ x >> 16) * 0x7feb352d;
    return (x ^ x >> 15) * 0x846ca68b + plus;
}

/// A word of a filled chunk, made anew.
word filled(word seed, word at)
{
    word x = seed ^ at / 64 * 0x9e3779b1u;
    for (word j = 0; j <= at % 64; ++j)
        for (int r = 0; r < 16; ++r) x = mixed(x, j);
    return x;
}

word walk(word seed, word fill_seed, word walker, word steps)
{
    word const all = columns_of_chunk * 64;
    word x = (seed ^ walker * 0x9e3779b1u) * 0x85ebca6bu;
    for (word s = 0; s < steps; ++s)
        x = (filled(fill_seed, (x ^ x >> 15) % all) ^ x) * 0x2c1b3c6du + s;
    return x;
}

class rater {
public:
    rater(device& on, rating_terms const& terms, std::function<void()> meet = {})
        : on_{on},
          terms_{terms},
          meet_{std::move(meet)},
          draw_{seed_of(terms)}
    {}

    result<rating, failure> rate()
    {
        rating r;
        r.nonce = terms_.nonce;
        r.session = terms_.session;
        r.device = on_.info().name;
        r.driver = on_.info().driver;
        BLENDR_TRY(auto const fp32, floats());
        BLENDR_TRY(auto const bandwidth, moving());
        BLENDR_TRY(auto const integer, integers());
        r.speeds = {fp32, bandwidth, integer};
        BLENDR_TRY(r.memory_bytes, memory());
        BLENDR_TRY(r.turnaround_ns, turnaround());
        return r;
    }

private:
    static hash256 seed_of(rating_terms const& terms)
    {
        crypto::hasher h{challenge_domain};
        h.update(terms.nonce).update(encode(terms.session));
        return h.finish();
    }

    word number() { return static_cast<word>(draw_()); }

    static measured speed(workload of, std::uint64_t work, std::uint64_t ns)
    {
        ns = std::max<std::uint64_t>(ns, 1);
        auto const micro = u128{work} * 1'000'000'000 * 1'000'000 / ns / reference_per_second(of);
        return {of, work, ns,
                static_cast<std::uint64_t>(
                    std::min<u128>(micro, std::numeric_limits<std::uint64_t>::max()))};
    }

    result<program, failure> load(shipped which)
    {
        policy under;
        under.as = profile::tolerance;
        under.loop_budget = 1u << 24;
        return program::stranger(on_, spirv_of(which), under);
    }

    result<std::uint64_t, failure> timed(sequence& work)
    {
        auto const began = clock::now();
        auto const ended = work.deadline(std::chrono::seconds{60}).run();
        if (!ended) return fail{failure{ended.what, ended.why}};
        return static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::nanoseconds>(clock::now() - began).count());
    }

    static auto wrong(char const* what)
    {
        return fail{
            failure{fault::wrong_result, std::string{"the answer to the challenge in "} + what}};
    }

    /// Small whole numbers: every order of summing gives the same float, on every device.
    result<measured, failure> floats()
    {
        word const n = 256, rounds = std::max(1u, terms_.effort);
        std::vector<float> a(n * n), b(n * n), right(n * n), seen(n * n);
        for (auto* const each : {&a, &b})
            for (auto& one : *each) one = static_cast<float>(draw_.below(31)) - 15;
        BLENDR_TRY(auto const code, load(shipped::matmul));
        BLENDR_TRY(auto const ta, tensor<float>::make(on_, std::span<float const>{a}));
        BLENDR_TRY(auto const tb, tensor<float>::make(on_, std::span<float const>{b}));
        BLENDR_TRY(auto const tc, tensor<float>::make(on_, seen.size()));
        std::array<word, 3> const push{n, n, n};
        sequence once{on_};
        once.dispatch(code, groups_of(shipped::matmul, n, n), {ta.all(), tb.all(), tc.all()}, push);
        BLENDR_CHECK(timed(once));  // a driver compiles at the first dispatch
        sequence work{on_};
        for (word i = 0; i < rounds; ++i)
            work.dispatch(code, groups_of(shipped::matmul, n, n), {ta.all(), tb.all(), tc.all()},
                          push);
        work.download(tc, std::span<float>{seen});
        meet();
        BLENDR_TRY(auto const ns, timed(work));
        task_pool here{1};
        matmul(here, n, n, n, a.data(), b.data(), right.data());
        if (seen != right) return wrong("floats");
        return speed(workload::fp32, 2ull * n * n * n * rounds, ns);
    }

    result<measured, failure> moving()
    {
        word const n = 1 << 20, rounds = std::max(2u, terms_.effort);
        std::vector<float> x(n), y(n), seen(n);
        for (auto* const each : {&x, &y})
            for (auto& one : *each) one = static_cast<float>(draw_.below(1000));
        BLENDR_TRY(auto const code, load(shipped::saxpy));
        BLENDR_TRY(auto const tx, tensor<float>::make(on_, std::span<float const>{x}));
        BLENDR_TRY(auto const ty, tensor<float>::make(on_, std::span<float const>{y}));
        auto const push = [&](float by) { return std::array<word, 2>{n, std::bit_cast<word>(by)}; };
        sequence first{on_};
        first.dispatch(code, groups_of(shipped::saxpy, n), {tx.all(), ty.all()}, push(1));
        BLENDR_CHECK(timed(first));
        sequence work{on_};
        for (word i = 0; i < rounds; ++i)
            work.dispatch(code, groups_of(shipped::saxpy, n), {tx.all(), ty.all()},
                          push(i % 2 == 0 ? 2.0F : -1.0F));
        meet();
        BLENDR_TRY(auto const ns, timed(work));
        sequence back{on_};
        back.download(ty, std::span<float>{seen});
        BLENDR_CHECK(timed(back));
        for (word i = 0; i < n; ++i) {
            float v = y[i] + x[i];
            for (word r = 0; r < rounds; ++r) v += (r % 2 == 0 ? 2.0F : -1.0F) * x[i];
            if (seen[i] != v) return wrong("bandwidth");
        }
        return speed(workload::bandwidth, std::uint64_t{12} * n * rounds, ns);
    }

    result<measured, failure> integers()
    {
        word const n = 1 << 16, rounds = 200 * std::max(1u, terms_.effort), seed = number();
        std::vector<word> words(n), seen(n);
        for (auto& each : words) each = number();
        BLENDR_TRY(auto const code, load(shipped::mix));
        BLENDR_TRY(auto const t, tensor<word>::make(on_, std::span<word const>{words}));
        sequence first{on_};  // compiles, and changes nothing
        first.dispatch(code, {1, 1, 1}, {t.all()}, std::array<word, 3>{0, 1, seed});
        BLENDR_CHECK(timed(first));
        sequence work{on_};
        work.dispatch(code, groups_of(shipped::mix, n), {t.all()},
                      std::array<word, 3>{n, rounds, seed})
            .download(t, std::span<word>{seen});
        meet();
        BLENDR_TRY(auto const ns, timed(work));
        for (int sample = 0; sample < 256; ++sample) {
            auto const i = static_cast<word>(draw_.below(n));
            auto x = words[i] ^ seed;
            for (word r = 0; r < rounds; ++r) x = mixed(x, i + r);
            if (seen[i] != x) return wrong("integers");
        }
        return speed(workload::integer, std::uint64_t{8} * n * rounds, ns);
    }

    /// Fills all of it, then asks for words at places that each follow from the word before. To make a word
    /// again costs half a column; the walk has to be faster than that.
    result<std::uint64_t, failure> memory()
    {
        auto const count = std::max<std::uint64_t>(1, terms_.memory_bytes / chunk_bytes);
        if (count * chunk_bytes > on_.info().memory_bytes)
            return fail{failure{fault::out_of_memory,
                                "it has " + std::to_string(on_.info().memory_bytes) + " bytes"}};
        BLENDR_TRY(auto const fill, load(shipped::fill));
        BLENDR_TRY(auto const chase, load(shipped::chase));
        constexpr word steps = 128;
        word const walkers = 256 * std::clamp(terms_.effort, 1u, 1024u);
        std::vector<tensor<word>> held;
        std::vector<word> seeds;
        BLENDR_TRY(auto const ends, tensor<word>::make(on_, walkers));
        for (std::uint64_t i = 0; i < count; ++i) {
            auto made = tensor<word>::make(on_, std::size_t{columns_of_chunk} * 64);
            if (!made)
                return fail{failure{fault::out_of_memory,
                                    std::to_string(i * chunk_bytes) +
                                        " bytes were held, then: " + message(made.error())}};
            held.push_back(*std::move(made));
            seeds.push_back(number());
        }
        std::uint64_t filling = 0;
        for (std::uint64_t i = 0; i < count; ++i) {
            sequence work{on_};
            work.dispatch(fill, groups_of(shipped::fill, columns_of_chunk), {held[i].all()},
                          std::array<word, 2>{columns_of_chunk, seeds[i]});
            BLENDR_TRY(auto const ns, timed(work));
            filling += ns;
        }
        std::uint64_t walking = 0;
        std::vector<word> seen(walkers);
        for (std::uint64_t i = 0; i < count; ++i) {
            auto best = std::numeric_limits<std::uint64_t>::max();
            for (int attempt = 0; attempt < 3; ++attempt) {
                auto const seed = number();
                sequence work{on_};
                work.dispatch(chase, groups_of(shipped::chase, walkers),
                              {held[i].all(), ends.all()},
                              std::array<word, 4>{columns_of_chunk, walkers, steps, seed})
                    .download(ends, std::span<word>{seen});
                BLENDR_TRY(auto const ns, timed(work));
                best = std::min(best, ns);
                for (int sample = 0; sample < 4; ++sample) {
                    auto const w = static_cast<word>(draw_.below(walkers));
                    if (seen[w] != walk(seed, seeds[i], w, steps))
                        return fail{failure{fault::out_of_memory,
                                            "what was filled in is not there any more"}};
                }
            }
            walking += best;
        }
        // Who kept half makes every other word again: 32 words of a column, at the speed of filling.
        auto const made_again = static_cast<std::uint64_t>(u128{filling} * walkers * steps * 16 /
                                                           (std::uint64_t{columns_of_chunk} * 64));
        constexpr std::uint64_t allowance = 2'000'000;  // for the questions themselves
        if (walking > made_again + allowance * count)
            return fail{failure{fault::out_of_memory, "it is read too slowly to have been kept"}};
        return count * chunk_bytes;
    }

    result<std::uint64_t, failure> turnaround()
    {
        constexpr word rounds = 21, n = 64;
        BLENDR_TRY(auto const code, load(shipped::mix));
        BLENDR_TRY(auto const t, tensor<word>::make(on_, n));
        std::vector<word> words(n), right(n);
        std::vector<std::uint64_t> times;
        auto seed = number();
        for (word i = 0; i < rounds; ++i) {
            sequence work{on_};
            work.dispatch(code, {1, 1, 1}, {t.all()}, std::array<word, 3>{n, 4, seed})
                .download(t, std::span<word>{words});
            BLENDR_TRY(auto const ns, timed(work));
            times.push_back(ns);
            for (word k = 0; k < n; ++k) {
                right[k] ^= seed;
                for (word r = 0; r < 4; ++r) right[k] = mixed(right[k], k + r);
            }
            if (words != right) return wrong("turnaround");
            seed = words[seed % n];
        }
        std::nth_element(times.begin(), times.begin() + rounds / 2, times.end());
        return times[rounds / 2];
    }

    /// Waits until the others are as far: what is measured is measured at the same time.
    void meet() const
    {
        if (meet_) meet_();
    }

    device& on_;
    rating_terms const& terms_;
    std::function<void()> meet_;
    rng draw_;
};

}  // namespace

std::uint64_t rating::micro_units(workload of) const noexcept
{
    for (auto const& each : speeds)
        if (each.of == of) return each.micro_units_per_second;
    return 0;
}

result<rating, failure> rate(device& on, rating_terms const& terms)
{
    return rater{on, terms}.rate();
}

std::vector<result<rating, failure>> rate_together(std::span<device* const> all,
                                                   std::span<rating_terms const> terms)
{
    BLENDR_ASSERT(all.size() == terms.size());
    std::vector<result<rating, failure>> seen(all.size(), fail{failure{fault::no_device, {}}});
    std::vector<std::thread> threads;
    std::barrier together{static_cast<std::ptrdiff_t>(all.size())};
    for (std::size_t i = 0; i < all.size(); ++i)
        threads.emplace_back([&, i] {
            seen[i] = rater{*all[i], terms[i], [&] { together.arrive_and_wait(); }}.rate();
            together.arrive_and_drop();
        });
    for (auto& each : threads) each.join();
    return seen;
}

result<nothing, std::string> holds(rating_claim const& claimed, rating const& seen,
                                   unsigned percent)
{
    auto const less = [&](std::uint64_t is, std::uint64_t said) {
        return u128{is} * 100 < u128{said} * percent;
    };
    auto const words = [](char const* what, std::uint64_t said, std::uint64_t is) {
        return fail{std::string{what} + ": claimed " + std::to_string(said) + ", seen " +
                    std::to_string(is)};
    };
    struct {
        char const* name;
        std::uint64_t said, is;
    } const all[]{{"fp32, in micro-units a second", claimed.fp32_micro_units,
                   seen.micro_units(workload::fp32)},
                  {"bandwidth, in micro-units a second", claimed.bandwidth_micro_units,
                   seen.micro_units(workload::bandwidth)},
                  {"integers, in micro-units a second", claimed.integer_micro_units,
                   seen.micro_units(workload::integer)}};
    for (auto const& each : all)
        if (less(each.is, each.said)) return words(each.name, each.said, each.is);
    // Whole chunks are proven, so that up to one of them may be missing.
    if (seen.memory_bytes + chunk_bytes <= claimed.memory_bytes)
        return words("memory, in bytes", claimed.memory_bytes, seen.memory_bytes);
    if (claimed.turnaround_ns_max != 0 && seen.turnaround_ns > claimed.turnaround_ns_max)
        return words("turnaround, in ns", claimed.turnaround_ns_max, seen.turnaround_ns);
    return nothing{};
}

signed_rating sign(rating const& what, crypto::identity const& by)
{
    return {what, by.self(), by.sign(rating_domain, encode(what))};
}

bool verify(signed_rating const& it, crypto::public_key const& session,
            crypto::public_key const& rater) noexcept
{
    return it.what.session == session && it.by == rater &&
           crypto::verify(it.by, rating_domain, encode(it.what), it.signature);
}

}  // namespace blendr::compute
