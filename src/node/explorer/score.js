// SPDX-License-Identifier: Apache-2.0
// How ratings made a score: the chain's own integers (reputation/score.hpp), step by step.

const BITS = 20n;

function root(v) {
    let r = 0n;
    for (let bit = 63n; bit >= 0n; --bit) {
        const next = r | (1n << bit);
        if (next * next <= v) r = next;
    }
    return r;
}

const FACTORS = (() => {
    const out = [];
    let square = 1n << 125n;
    for (let i = 0n; i < BITS; ++i) {
        out.push(root(square));
        square = out.at(-1) << 63n;
    }
    return out;
})();

function faded(points, heights, half) {
    const halvings = heights / half;
    if (halvings >= 64n) return 0n;
    const part = ((heights % half) << BITS) / half;
    let factor = 1n << 63n;
    FACTORS.forEach((each, i) => {
        if ((part >> (BITS - 1n - BigInt(i))) & 1n) factor = (factor * each) >> 63n;
    });
    return (points * factor) >> (63n + halvings);
}

/** The score after each rating, and now: [{at, value}]. Ratings in the order of their heights. */
export function history(ratings, rules, now) {
    const half = BigInt(rules.half_life), prior = BigInt(rules.prior), newcomer = BigInt(rules.newcomer);
    let good = 0n, bad = 0n, at = 0n;
    const value = () => Number((good * 1000n + prior * newcomer) / (good + bad + prior));
    const move = (to) => {
        good = faded(good, to - at, half);
        bad = faded(bad, to - at, half);
        at = to;
    };
    const out = [];
    for (const each of ratings) {
        const points = BigInt(each.points), to = BigInt(each.at);
        if (out.length === 0) out.push({ at: Math.max(0, Number(to) - 1), value: value() });
        move(to);
        const speaks = (points * BigInt(Math.min(each.rating, 100))) / 100n;
        good += speaks;
        bad += points - speaks;
        out.push({ at: Number(to), value: value() });
    }
    if (out.length > 0 && BigInt(now) > at) {
        move(BigInt(now));
        out.push({ at: Number(now), value: value() });
    }
    return out;
}
