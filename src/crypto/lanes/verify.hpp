// SPDX-License-Identifier: Apache-2.0
// Strict Ed25519 verification, one signature per lane. Included after edwards.hpp.
//
// Every lane works out [S]B + [h](-A) for its own signature, with h reduced modulo L and nothing else
// shortened, so that the result is exact also where A has a part of small order; then R's bytes are
// compared with the result's encoding. All lanes go through the same steps, only their digits differ.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include "edwards.hpp"
#include "kernels.hpp"
#include "scalar.hpp"
#include "sha512.hpp"

namespace blendr::crypto::lanes {
namespace {

constexpr std::size_t lanes = word::lanes;
constexpr std::size_t chunk = 64;  // signatures taken at a time: one inversion serves them all
constexpr std::size_t groups_max = chunk / lanes;

// h in digits of 5 bits, multiples 0 to 16; S in digits of 8 bits, multiples 0 to 128.
constexpr std::size_t h_bits = 5, h_digits = 51, h_multiples = 17;
constexpr std::size_t s_bits = 8, s_digits = 32, s_multiples = 129;

// A key in the cache, and B always, has its multiples at four places 2^(65 i), 2^(64 i), so that a
// quarter of the doublings will do.
constexpr std::size_t parts = 4;
constexpr std::size_t h_part = 13, s_part = 8;  // digits
constexpr std::size_t h_part_words = h_multiples * affine_words;
constexpr std::size_t s_part_words = s_multiples * affine_words;
constexpr std::size_t key_words = parts * h_part_words;

/// Digits of one scalar a lane, ready for use: how many rows from the table's start, and the lanes
/// where it is to be negated.
template <std::size_t Count>
struct lane_digits {
    std::uint8_t row[Count][lanes];
    unsigned negative[Count];

    void clear() { __builtin_memset(this, 0, sizeof *this); }
    void set(std::size_t lane, std::int8_t const (&digit)[Count])
    {
        for (std::size_t i = 0; i < Count; ++i) {
            row[i][lane] = static_cast<std::uint8_t>(digit[i] < 0 ? -digit[i] : digit[i]);
            negative[i] |= static_cast<unsigned>(digit[i] < 0) << lane;
        }
    }
};

struct group_digits {
    lane_digits<h_digits> h;
    lane_digits<s_digits> s;
};

/// Adds, in each lane, the multiple that its digit asks for.
template <bool WithT, std::size_t Elements, std::size_t Count>
BLENDR_INLINE void add_digit(point& p, std::uint64_t const* const (&table)[lanes],
                             lane_digits<Count> const& digits, std::size_t i)
{
    std::uint64_t const* rows[lanes];
    for (std::size_t lane = 0; lane < lanes; ++lane)
        rows[lane] = table[lane] + digits.row[i][lane] * row_words<Elements>;
    element q[Elements];
    load_rows<Elements>(rows, q);
    negate(mask_of(digits.negative[i]), q);
    add_to<WithT>(p, q);
}

/// B's table, for all verifiers: part by part, multiple by multiple.
inline std::uint64_t const* base_table()
{
    static std::uint64_t const* const table = [] {
        auto* const words = static_cast<std::uint64_t*>(
            ::operator new(sizeof(std::uint64_t) * s_part_words * lanes, std::align_val_t{64}));
        auto* const scratch =
            static_cast<point*>(::operator new(sizeof(point) * s_multiples, std::align_val_t{64}));
        // -(-B): the encoding of B, y = 4/5 and x even, with the sign turned.
        std::uint8_t encoded[lanes][32];
        for (auto& lane : encoded) {
            __builtin_memset(lane, 0x66, 32);
            lane[0] = 0x58, lane[31] = 0x66 | 0x80;
        }
        point base[1];
        lane_mask decoded[1];
        decode_negated<1>({encoded}, base, decoded);
        // Lane i is to hold 2^(64 i) B: all lanes double, the first i of them keep what they have.
        point moved = base[0];
        for (std::size_t part = 1; part < parts; ++part) {
            point before = moved;
            for (std::size_t n = 0; n < s_part * s_bits; ++n) twice(moved, true);
            lane_mask const keep = mask_of((1u << part) - 1);
            moved.x = select(keep, moved.x, before.x), moved.y = select(keep, moved.y, before.y);
            moved.z = select(keep, moved.z, before.z), moved.t = select(keep, moved.t, before.t);
        }
        std::uint64_t* rows[lanes];
        for (std::size_t lane = 0; lane < lanes; ++lane) rows[lane] = words + lane * s_part_words;
        affine_multiples(moved, s_multiples, rows, scratch);
        ::operator delete(scratch, std::align_val_t{64});
        return words;
    }();
    return table;
}

/// [S]B + [h]P, P = -A with its multiples in `table`, one row a lane.
inline point combine(std::uint64_t const* const (&table)[lanes], group_digits const& digits)
{
    std::uint64_t const* base[lanes];
    for (auto& b : base) b = base_table();
    point p = identity();
    for (std::size_t bit = (h_digits - 1) * h_bits;; --bit) {
        bool const s = bit % s_bits == 0;
        if (bit % h_bits == 0) {
            if (s)
                add_digit<true, 4>(p, table, digits.h, bit / h_bits);
            else
                add_digit<false, 4>(p, table, digits.h, bit / h_bits);
        }
        if (s) add_digit<false, 3>(p, base, digits.s, bit / s_bits);
        if (bit == 0) return p;
        twice(p, (bit - 1) % h_bits == 0 || (bit - 1) % s_bits == 0);
    }
}

/// The same for keys in the cache: four parts side by side, 60 doublings instead of 250.
inline point combine_cached(std::uint64_t const* const (&keys)[lanes], group_digits const& digits)
{
    point p = identity();
    for (std::size_t bit = (h_part - 1) * h_bits;; --bit) {
        if (bit % s_bits == 0)
            for (std::size_t part = 0; part < parts && bit / s_bits < s_part; ++part) {
                std::uint64_t const* base[lanes];
                for (auto& b : base) b = base_table() + part * s_part_words;
                add_digit<true, 3>(p, base, digits.s, part * s_part + bit / s_bits);
            }
        if (bit % h_bits == 0)
            for (std::size_t part = 0; part < parts; ++part) {
                std::size_t const i = part * h_part + bit / h_bits;
                if (i >= h_digits) continue;
                std::uint64_t const* rows[lanes];
                for (std::size_t lane = 0; lane < lanes; ++lane)
                    rows[lane] = keys[lane] + part * h_part_words;
                add_digit<true, 3>(p, rows, digits.h, i);
            }
        if (bit == 0) return p;
        twice(p, (bit - 1) % h_bits == 0 || (bit - 1) % s_bits == 0);
    }
}

/// One 32-byte y coordinate with a sign: below p, and not that of a point of order 1, 2, 4 or 8.
inline bool is_canonical(std::uint8_t const* y)
{
    std::uint64_t w[4];
    __builtin_memcpy(w, y, 32);
    w[3] &= ~(std::uint64_t{1} << 63);
    return w[3] != 0x7fffffffffffffff || w[2] != ~std::uint64_t{0} || w[1] != ~std::uint64_t{0} ||
           w[0] < 0xffffffffffffffed;
}

/// Whether this, canonical or not, stands for one of the eight points of small order. Those have
/// y = 0, 1, -1 and the two y that double to 0; p and p + 1 are other ways to write 0 and 1.
inline bool has_small_order(std::uint8_t const* y)
{
    constexpr std::uint64_t ones = ~std::uint64_t{0}, top = 0x7fffffffffffffff;
    constexpr std::uint64_t small[7][4] = {
        {0, 0, 0, 0},
        {1, 0, 0, 0},
        {0xb027b2c28f95e826, 0xf098eff289f4c345, 0x3933c6d305acdfd5, 0x5fc536d880238b1},
        {0x4fd84d3d706a17c7, 0xf67100d760b3cba, 0xc6cc392cfa53202a, 0x7a03ac9277fdc74e},
        {0xffffffffffffffec, ones, ones, top},
        {0xffffffffffffffed, ones, ones, top},
        {0xffffffffffffffee, ones, ones, top}};
    std::uint64_t w[4];
    __builtin_memcpy(w, y, 32);
    w[3] &= top;
    for (auto const& s : small)
        if (w[0] == s[0] && w[1] == s[1] && w[2] == s[2] && w[3] == s[3]) return true;
    return false;
}

/// Keys seen often, with their tables. Four ways to a set, the least recently used gives way; so a
/// stranger who picks keys that fall into one set only loses its own benefit, and some neighbours'.
class key_cache {
public:
    explicit key_cache(std::size_t keys)
    {
        if (keys == 0) return;
        std::size_t sets = 1;
        while (sets * ways < keys) sets *= 2;
        sets_ = sets;
        slots_ = new slot[sets * ways]{};
        sightings_ = new sighting[sets * ways * 4]{};
        tables_ = static_cast<std::uint64_t*>(
            ::operator new(sizeof(std::uint64_t) * key_words * sets * ways, std::align_val_t{64}));
    }
    ~key_cache()
    {
        delete[] slots_;
        delete[] sightings_;
        ::operator delete(tables_, std::align_val_t{64});
    }
    key_cache(key_cache const&) = delete;
    key_cache& operator=(key_cache const&) = delete;

    bool enabled() const { return sets_ != 0; }

    std::uint64_t const* find(std::uint8_t const* key)
    {
        std::size_t const first = set_of(key);
        for (std::size_t i = first; i < first + ways; ++i)
            if (slots_[i].used != 0 && __builtin_memcmp(slots_[i].key, key, 32) == 0) {
                slots_[i].used = ++clock_;
                return tables_ + i * key_words;
            }
        return nullptr;
    }

    /// How often a key that is not here has been asked for, roughly: keys share counters.
    unsigned seen(std::uint8_t const* key)
    {
        std::uint64_t const mixed = mix(key);
        sighting& s = sightings_[(mixed >> 20) & (sets_ * ways * 4 - 1)];
        auto const print = static_cast<std::uint32_t>(mixed);
        if (s.print != print) s = {print, 0};
        return ++s.times;
    }

    /// Room for a key's table, to be filled by the caller.
    std::uint64_t* insert(std::uint8_t const* key)
    {
        std::size_t const first = set_of(key);
        std::size_t oldest = first;
        for (std::size_t i = first + 1; i < first + ways; ++i)
            if (slots_[i].used < slots_[oldest].used) oldest = i;
        __builtin_memcpy(slots_[oldest].key, key, 32);
        slots_[oldest].used = ++clock_;
        return tables_ + oldest * key_words;
    }

private:
    static constexpr std::size_t ways = 4;
    struct slot {
        std::uint8_t key[32];
        std::uint64_t used;  // 0: empty
    };
    struct sighting {
        std::uint32_t print;
        std::uint32_t times;
    };

    static std::uint64_t mix(std::uint8_t const* key)
    {
        std::uint64_t w[4];
        __builtin_memcpy(w, key, 32);
        std::uint64_t const sum = (w[0] ^ w[2]) * 0x9e3779b97f4a7c15 + (w[1] ^ w[3]);
        return (sum ^ sum >> 32) * 0xd6e8feb86659fd93;
    }
    std::size_t set_of(std::uint8_t const* key) const { return (mix(key) & (sets_ - 1)) * ways; }

    std::size_t sets_ = 0;
    slot* slots_ = nullptr;
    sighting* sightings_ = nullptr;
    std::uint64_t* tables_ = nullptr;
    std::uint64_t clock_ = 0;
};

class verifier final : public lane_verifier {
public:
    explicit verifier(std::size_t cached_keys) : cache_{cached_keys} { base_table(); }

    void verify(signed_bytes const* claims, std::size_t count, verdict* out) override
    {
        for (std::size_t at = 0; at < count; at += chunk)
            verify_chunk(claims + at, count - at < chunk ? count - at : chunk, out + at);
    }

private:
    /// A signature that has passed the checks of its bytes.
    struct job {
        std::uint8_t const* key;
        std::uint8_t const* signature;
        std::uint64_t const* table;  // in the cache, or nothing
        std::size_t index;           // in the chunk
        std::uint64_t h[4];
    };

    static bool admit(signed_bytes const& claim, job& to)
    {
        if (claim.key.size() != 32 || claim.signature.size() != 64) return false;
        to.key = reinterpret_cast<std::uint8_t const*>(claim.key.data());
        to.signature = reinterpret_cast<std::uint8_t const*>(claim.signature.data());
        to.table = nullptr;
        std::uint64_t s[4];
        __builtin_memcpy(s, to.signature + 32, 32);
        return below_order(s) && !has_small_order(to.signature) && is_canonical(to.key) &&
               !has_small_order(to.key);
    }

    void verify_chunk(signed_bytes const* claims, std::size_t count, verdict* out)
    {
        std::size_t jobs = 0;
        for (std::size_t i = 0; i < count; ++i) {
            out[i] = verdict::invalid;
            if (!admit(claims[i], jobs_[jobs])) continue;
            challenge_[jobs] = {claims[i].signature.data(), claims[i].key.data(),
                                claims[i].message};
            jobs_[jobs++].index = i;
        }
        if (jobs == 0) return;
        sha512_many(challenge_, jobs, digest_);
        for (std::size_t i = 0; i < jobs; ++i) reduce(digest_[i], jobs_[i].h);

        std::size_t const cached = cache_.enabled() ? look_up(jobs) : 0;
        // Jobs with tables go first; those that would only part-fill a group join the others where
        // these leave lanes empty anyway.
        std::size_t together = cached;
        if (std::size_t const rest = cached % lanes; rest != 0 && cached < jobs)
            if (std::size_t const others = (jobs - cached) % lanes;
                others != 0 && others + rest <= lanes)
                together = cached - rest;
        std::size_t groups = 0;
        for (std::size_t at = 0; at < together; at += lanes)
            run_cached(at, together - at < lanes ? together - at : lanes, groups++);
        for (std::size_t at = together; at < jobs;) {
            std::size_t const left = jobs - at;
            if (left > lanes) {
                std::size_t const pair = left < 2 * lanes ? left : 2 * lanes;
                run_new<2>(at, pair, groups);
                groups += 2, at += pair;
            } else {
                run_new<1>(at, left, groups);
                groups += 1, at += left;
            }
        }
        compare(groups, out);
    }

    /// Finds the jobs' tables, makes those that have become worth it, and puts jobs that have one in
    /// front. Returns how many.
    std::size_t look_up(std::size_t jobs)
    {
        std::uint8_t const* wanted[chunk];
        std::size_t wants = 0;
        unsigned most = 0;
        for (std::size_t i = 0; i < jobs; ++i) {
            jobs_[i].table = cache_.find(jobs_[i].key);
            if (jobs_[i].table != nullptr) continue;
            unsigned const times = cache_.seen(jobs_[i].key);
            if (times < worth_a_table) continue;
            most = times > most ? times : most;
            bool again = false;
            for (std::size_t j = 0; j < wants && !again; ++j)
                again = __builtin_memcmp(wanted[j], jobs_[i].key, 32) == 0;
            if (!again) wanted[wants++] = jobs_[i].key;
        }
        // A table costs as much as a verification when all lanes make one, and eight times that alone.
        if (wants >= lanes || most >= worth_a_table + lanes) {
            for (std::size_t at = 0; at < wants; at += lanes)
                make_tables(wanted + at, wants - at < lanes ? wants - at : lanes);
            for (std::size_t i = 0; i < jobs; ++i) jobs_[i].table = cache_.find(jobs_[i].key);
        }
        std::size_t front = 0;
        for (std::size_t i = 0; i < jobs; ++i)
            if (jobs_[i].table != nullptr) {
                job const swapped = jobs_[i];
                jobs_[i] = jobs_[front];
                jobs_[front++] = swapped;
            }
        return front;
    }

    void make_tables(std::uint8_t const* const* keys, std::size_t count)
    {
        std::uint8_t encoded[lanes][32];
        for (std::size_t lane = 0; lane < lanes; ++lane)
            __builtin_memcpy(encoded[lane], keys[lane < count ? lane : 0], 32);
        point p[1];
        lane_mask decoded[1];
        decode_negated<1>({encoded}, p, decoded);
        std::uint64_t* tables[lanes];
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            // Never for a key that is no point: it must not be looked up as one.
            bool const use = lane < count && (bits_of(decoded[0]) >> lane & 1) != 0;
            tables[lane] = use ? cache_.insert(keys[lane]) : spare_table_ + lane * key_words;
        }
        for (std::size_t part = 0; part < parts; ++part) {
            std::uint64_t* rows[lanes];
            for (std::size_t lane = 0; lane < lanes; ++lane)
                rows[lane] = tables[lane] + part * h_part_words;
            affine_multiples(p[0], h_multiples, rows, scratch_);
            if (part + 1 < parts)
                for (std::size_t n = 0; n < h_part * h_bits; ++n) twice(p[0], true);
        }
    }

    void set_digits(std::size_t at, std::size_t count, group_digits& digits)
    {
        digits.h.clear();
        digits.s.clear();
        for (std::size_t lane = 0; lane < count; ++lane) {
            std::int8_t h[h_digits];
            std::int8_t s[s_digits];
            std::uint64_t words[4];
            __builtin_memcpy(words, jobs_[at + lane].signature + 32, 32);
            to_digits<h_bits>(jobs_[at + lane].h, h);
            to_digits<s_bits>(words, s);
            digits.h.set(lane, h);
            digits.s.set(lane, s);
        }
    }

    void run_cached(std::size_t at, std::size_t count, std::size_t group)
    {
        std::uint64_t const* tables[lanes];
        for (std::size_t lane = 0; lane < lanes; ++lane)
            tables[lane] = jobs_[at + (lane < count ? lane : 0)].table;
        set_digits(at, count, digits_);
        result_[group] = combine_cached(tables, digits_);
        place_[group] = {at, count, (1u << lanes) - 1};
    }

    /// Groups whose keys have to be decoded first, one or two.
    template <std::size_t Groups>
    void run_new(std::size_t at, std::size_t count, std::size_t group)
    {
        std::uint8_t encoded[Groups][lanes][32] = {};
        for (std::size_t i = 0; i < Groups * lanes; ++i) {
            auto& to = encoded[i / lanes][i % lanes];
            if (i < count)
                __builtin_memcpy(to, jobs_[at + i].key, 32);
            else
                to[0] = 1;  // an idle lane: the identity
        }
        std::uint8_t const(*in[Groups])[32];
        for (std::size_t g = 0; g < Groups; ++g) in[g] = encoded[g];
        point p[Groups];
        lane_mask decoded[Groups];
        decode_negated<Groups>(in, p, decoded);
        for (std::size_t g = 0; g < Groups; ++g) {
            std::size_t const first = g * lanes;
            std::size_t const here = count - first < lanes ? count - first : lanes;
            std::uint64_t* rows[lanes];
            for (std::size_t lane = 0; lane < lanes; ++lane)
                rows[lane] = lane_table_ + lane * h_multiples * projective_words;
            projective_multiples<h_multiples>(p[g], rows);
            std::uint64_t const* tables[lanes];
            for (std::size_t lane = 0; lane < lanes; ++lane) tables[lane] = rows[lane];
            set_digits(at + first, here, digits_);
            result_[group + g] = combine(tables, digits_);
            place_[group + g] = {at + first, here, bits_of(decoded[g])};
        }
    }

    /// Compares every result's encoding with R. One inversion for all groups: no Z is ever zero, as
    /// the addition formulas have no exceptions and lanes without a point hold the identity.
    void compare(std::size_t groups, verdict* out)
    {
        element product[groups_max + 1];
        product[0] = result_[0].z;
        for (std::size_t g = 1; g < groups; ++g)
            product[g] = multiply(product[g - 1], result_[g].z);
        element over = inverse(product[groups - 1]);
        for (std::size_t g = groups; g-- > 0;) {
            element const z = g == 0 ? over : multiply(over, product[g - 1]);
            over = multiply(over, result_[g].z);
            element const x = canonical(multiply(result_[g].x, z));
            std::uint8_t encoded[lanes][32];
            to_bytes(canonical(multiply(result_[g].y, z)), encoded);
            unsigned const odd = bits_of(is_odd(x));
            for (std::size_t lane = 0; lane < place_[g].count; ++lane) {
                job const& j = jobs_[place_[g].at + lane];
                encoded[lane][31] |= static_cast<std::uint8_t>((odd >> lane & 1) << 7);
                if ((place_[g].decoded >> lane & 1) != 0 &&
                    __builtin_memcmp(encoded[lane], j.signature, 32) == 0)
                    out[j.index] = verdict::valid;
            }
        }
    }

    static constexpr unsigned worth_a_table = 3;

    struct placed {
        std::size_t at;
        std::size_t count;
        unsigned decoded;
    };

    alignas(64) std::uint64_t lane_table_[lanes * h_multiples * projective_words];
    alignas(64) std::uint64_t spare_table_[lanes * key_words];
    point result_[chunk / lanes + 2];
    placed place_[chunk / lanes + 2];
    point scratch_[h_multiples];
    group_digits digits_;
    job jobs_[chunk];
    challenge_input challenge_[chunk];
    std::uint8_t digest_[chunk][64];
    key_cache cache_;
};

}  // namespace
}  // namespace blendr::crypto::lanes
