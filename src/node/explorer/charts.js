// SPDX-License-Identifier: Apache-2.0
// Charts as SVG, drawn by hand. Floats place pixels here; every number that is read comes from the data.
import { h, s } from "/dom.js";
import { count } from "/format.js";

const W = 640;
const LEFT = 8, RIGHT = 8, TOP = 14, BOTTOM = 26;

const frame = (height, label, ...children) => s("svg", { class: "chart", viewBox: `0 0 ${W} ${height}`,
    role: "img", "aria-label": label }, children);

function scale(from, to, low, high) {
    const span = to - from || 1;
    return (value) => low + ((value - from) / span) * (high - low);
}

const ticks = (labels, x, height) => labels.map(([value, text], i) => s("text", { x: x(value), y: height - 8, class: "tick",
    "text-anchor": i === 0 ? "start" : i === labels.length - 1 ? "end" : "middle" }, text));

const grid = (ys) => ys.map((y) => s("line", { class: "grid", x1: LEFT, x2: W - RIGHT, y1: y, y2: y }));

/** A line that follows the pointer, and the words that go with where it stands. */
function hover(svg, xs, say, height) {
    const line = s("line", { class: "cross", y1: TOP, y2: height - BOTTOM, visibility: "hidden" });
    const words = h("p", { class: "readout", "aria-live": "off" }, "\u00a0");
    svg.append(line);
    svg.addEventListener("pointermove", (event) => {
        const box = svg.getBoundingClientRect();
        const at = ((event.clientX - box.left) / box.width) * W;
        let best = 0;
        xs.forEach((x, i) => {
            if (Math.abs(x - at) < Math.abs(xs[best] - at)) best = i;
        });
        line.setAttribute("x1", xs[best]);
        line.setAttribute("x2", xs[best]);
        line.setAttribute("visibility", "visible");
        words.textContent = say(best);
    });
    svg.addEventListener("pointerleave", () => {
        line.setAttribute("visibility", "hidden");
        words.textContent = "\u00a0";
    });
    return h("figure", { class: "plot" }, svg, words);
}

/** Bids and asks, each summed up from the best price outwards: [{at, size}], best first. */
export function depth(bids, asks, priceText) {
    const height = 240;
    const side = (levels) => {
        let sum = 0n;
        return levels.map((l) => ({ at: BigInt(l.at), size: BigInt(l.size), sum: (sum += BigInt(l.size)) }));
    };
    const b = side(bids), a = side(asks);
    const all = [...b, ...a];
    const prices = all.map((l) => Number(l.at));
    const low = Math.min(...prices), high = Math.max(...prices);
    const pad = (high - low) * 0.06 || Math.max(1, high * 0.1);
    const x = scale(low - pad, high + pad, LEFT, W - RIGHT);
    const most = Math.max(...all.map((l) => Number(l.sum)));
    const y = scale(0, most * 1.08, height - BOTTOM, TOP);
    const area = (levels, tone, edge) => {
        if (levels.length === 0) return null;
        let d = `M${x(Number(levels[0].at))} ${y(0)}`;
        let before = 0;
        for (const l of levels) {
            d += `L${x(Number(l.at))} ${y(before)}L${x(Number(l.at))} ${y(Number(l.sum))}`;
            before = Number(l.sum);
        }
        const line = d + `L${edge} ${y(before)}`;
        return [s("path", { class: `area ${tone}`, d: line + `L${edge} ${y(0)}Z` }),
                s("path", { class: `line ${tone}`, d: line })];
    };
    const summary = `Depth of the book: ${b.length} bid prices and ${a.length} ask prices`;
    const svg = frame(height, summary, grid([y(0), y(most / 2), y(most)]),
        area(b, "buy", LEFT), area(a, "sell", W - RIGHT),
        ticks([[low, priceText(BigInt(Math.round(low)))], [high, priceText(BigInt(Math.round(high)))]], x, height),
        s("text", { class: "tick", x: LEFT, y: y(most) - 4 }, count(all.reduce((m, l) => (l.sum > m ? l.sum : m), 0n)) + " units"));
    const points = [...b.map((l) => ["bids", l]), ...a.map((l) => ["asks", l])];
    return hover(svg, points.map(([, l]) => x(Number(l.at))), (i) => {
        const [what, l] = points[i];
        return `${priceText(l.at)}: ${count(l.size)} units here, ${count(l.sum)} of ${what} up to it`;
    }, height);
}

/** What auctions came to: a line of prices over bars of volume. [{at, price, volume}] in order. */
export function trades(list, priceText) {
    const height = 240, split = 168;
    const at = list.map((t) => Number(t.at));
    const from = at[0], to = at.at(-1);
    const x = scale(from, to === from ? from + 1 : to, LEFT + 6, W - RIGHT - 6);
    const prices = list.map((t) => Number(t.price));
    const low = Math.min(...prices), high = Math.max(...prices);
    const y = scale(low - (high - low) * 0.1 - 1e-9, high + (high - low) * 0.1 + 1e-9, split - 10, TOP + 6);
    const most = Math.max(...list.map((t) => Number(t.volume)));
    const v = scale(0, most, height - BOTTOM, split + 4);
    const wide = Math.max(2, Math.min(14, ((W - 2 * LEFT) / list.length) * 0.6));
    const line = list.map((t, i) => `${i ? "L" : "M"}${x(at[i])} ${y(prices[i])}`).join("");
    const svg = frame(height, `Prices of ${list.length} auctions, heights ${from} to ${to}`,
        grid([y(low), y(high)]),
        list.map((t, i) => s("rect", { class: "bar", x: x(at[i]) - wide / 2, width: wide, y: v(Number(t.volume)),
            height: Math.max(1, height - BOTTOM - v(Number(t.volume))), rx: 1.5 })),
        s("path", { class: "line accent", d: line }),
        list.map((t, i) => s("circle", { class: "point", cx: x(at[i]), cy: y(prices[i]), r: list.length > 60 ? 1.5 : 2.5 })),
        ticks([[from, "block " + count(from)], [to, to === from ? "" : "block " + count(to)]], x, height),
        s("text", { class: "tick", x: LEFT, y: y(high) - 5 }, priceText(BigInt(Math.round(high)))),
        low === high ? null : s("text", { class: "tick", x: LEFT, y: y(low) - 5 }, priceText(BigInt(Math.round(low)))));
    return hover(svg, at.map(x), (i) => `Block ${count(list[i].at)}: ${count(list[i].volume)} units at ${priceText(list[i].price)}`, height);
}

/** A value over heights, between fixed bounds, as steps: [{at, value}] in order. */
export function steps(list, bounds, label) {
    const height = 170;
    const from = Number(list[0].at), to = Number(list.at(-1).at);
    const x = scale(from, to === from ? from + 1 : to, LEFT, W - RIGHT);
    const y = scale(bounds[0], bounds[1], height - BOTTOM, TOP);
    let d = "";
    list.forEach((p, i) => {
        d += i === 0 ? `M${x(Number(p.at))} ${y(p.value)}` : `H${x(Number(p.at))}V${y(p.value)}`;
    });
    d += `H${W - RIGHT}`;
    const middle = (bounds[0] + bounds[1]) / 2;
    const svg = frame(height, `${label}: now ${list.at(-1).value} of ${bounds[1]}`,
        grid([y(bounds[0]), y(middle), y(bounds[1])]),
        s("path", { class: "area accent", d: d + `V${y(bounds[0])}H${x(from)}Z` }),
        s("path", { class: "line accent", d }),
        [bounds[1], middle].map((value) => s("text", { class: "tick", x: LEFT, y: y(value) - 4 }, String(value))),
        ticks([[from, "block " + count(from)], [to, to === from ? "" : "block " + count(to)]], x, height));
    return hover(svg, list.map((p) => x(Number(p.at))), (i) => `Block ${count(list[i].at)}: ${list[i].value}`, height);
}

/** Small bars without axes, oldest first: [value, title]. */
export function bars(list, label) {
    const height = 72, width = 640;
    const most = Math.max(1, ...list.map(([value]) => value));
    const step = width / Math.max(40, list.length);
    return s("svg", { class: "chart bars", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": label },
        list.map(([value, title], i) => {
            const high = Math.max(2, (value / most) * (height - 4));
            return s("rect", { class: value ? "bar on" : "bar", x: width - (list.length - i) * step + step * 0.15, width: step * 0.7,
                y: height - high, height: high }, s("title", null, title));
        }));
}
