// SPDX-License-Identifier: Apache-2.0
import { h, show } from "/dom.js";
import { depth, trades } from "/charts.js";
import { blnd, block, count, money } from "/format.js";
import { card, empty, every, facts, failed, figure, skeleton, table, tag } from "/parts.js";
import { ask, live } from "/rpc.js";

const GIB = 1n << 30n;
export const priceText = (grains) => blnd(grains) + " BLND";

/** What a class of devices has to have, in words. */
export function spec(it) {
    const vram = BigInt(it.vram);
    const memory = vram < GIB ? null : vram % GIB === 0n ? `${vram / GIB} GiB` : `${count(vram)} bytes`;
    return [memory, `fp32 ${count(it.fp32)}`, `memory ${count(it.memory)}`, `integer ${count(it.integer)}`].filter(Boolean).join(" · ");
}

/** Spot is hour zero; others are an hour since 1970. */
export const when = (hour) => (Number(hour) === 0 ? "now" : new Date(Number(hour) * 3_600_000).toISOString().slice(0, 16).replace("T", " ") + " UTC");

export const instruments = () => ask("market/instruments", { after: { what: 0, when: 0 }, most: 256 });

async function load(of) {
    const list = await instruments();
    const chosen = list.find((l) => l.of.what === of?.what && String(l.of.when) === String(of?.when)) ?? of ?? list[0];
    if (!chosen) return { list, chosen: null };
    const at = chosen.of ?? chosen;
    const [book, prints, price] = await Promise.all([
        ask("market/depth", { of: at, levels: 64 }),
        ask("market/trades", { of: at, from: 0, most: 256 }),
        ask("market/reference", { of: at }).catch(() => null)]);
    return { list, chosen: list.find((l) => l.of.what === at.what && String(l.of.when) === String(at.when)) ?? { of: at }, book, prints, price };
}

const spread = (book) => {
    if (!book.bids.length || !book.asks.length) return null;
    return BigInt(book.asks[0].at) - BigInt(book.bids[0].at);
};

/** What an auction traded at: of plain orders, or the mean of selective ones, rounded down. */
const traded = (t) => (BigInt(t.plain) > 0n ? BigInt(t.plain) : BigInt(t.value) / (BigInt(t.selective) || 1n));

function levels(title, list, tone) {
    let sum = 0n;
    return h("div", null, h("h3", { class: tone }, title), list.length ? table(title, [["Price, BLND", ""], ["Units", "right"], ["In all", "right"]],
        list.slice(0, 12).map((l) => [money(l.at, ""), count(l.size), count((sum += BigInt(l.size)))]))
        : empty(`No ${title.toLowerCase()}`));
}

function draw(found) {
    const { list, chosen, book, prints, price } = found;
    if (!chosen) return [h("h1", null, "Market"), card("Nothing is listed", empty("This chain lists no class of devices",
        "Classes are listed in the genesis document, section market."))];
    const gap = spread(book);
    const done = prints.filter((t) => BigInt(t.volume) + BigInt(t.selective) > 0n);
    return [h("h1", null, "Market"),
        h("nav", { class: "chips", "aria-label": "Instruments" }, list.map((l) => h("a", {
            href: `#/market/${l.of.what}/${l.of.when}`,
            "aria-current": l.of.what === chosen.of.what && String(l.of.when) === String(chosen.of.when) ? "true" : null },
        `Class ${l.of.what}`, h("span", { class: "dim" }, " " + when(l.of.when))))),
        chosen.spec ? h("p", { class: "lead" }, "Devices with at least ", spec(chosen.spec), ". A unit is one second of the reference device.") : null,
        h("div", { class: "figures" },
            figure("Last price", BigInt(book.last) > 0n ? money(book.last) : "—", "for a unit"),
            figure("Reference", money(book.reference), "what follows the auctions"),
            figure("Spread", gap === null ? "—" : money(gap), gap !== null && gap < 0n ? "crossed: the next auction clears it, or a requirement keeps it" : "best ask less best bid"),
            figure("A device hour", price ? money(price.hour) : "—", "at the reference price")),
        h("div", { class: "columns even" },
            card("Depth", book.bids.length + book.asks.length ? depth(book.bids, book.asks, priceText)
                : empty("The book is empty", "Providers ask and renters bid here; each block clears one auction at one price.")),
            card("Trades", done.length ? trades(done.map((t) => ({ at: t.at, price: traded(t), volume: BigInt(t.volume) + BigInt(t.selective) })), priceText)
                : empty("Nothing has traded yet", "The first auction in which a bid meets an ask appears here."))),
        h("div", { class: "columns even" }, card("Book", h("div", { class: "pair" }, levels("Bids", book.bids, "buy"), levels("Asks", book.asks, "sell"))),
            card("Auctions", done.length ? table("Auctions, newest first", [["Block", ""], ["Price", "right"], ["Units", "right"], ["Value", "right"], ["Fills", "right"]],
                done.slice(-14).reverse().map((t) => [block(t.at), [money(traded(t)), BigInt(t.selective) > 0n ? [" ", tag("selective")] : null],
                    count(BigInt(t.volume) + BigInt(t.selective)), money(t.value), count(t.fills)])) : empty("No auctions yet")))];
}

export function marketPage(view, [what, hour]) {
    const of = /^\d+$/.test(what ?? "") ? { what: Number(what), when: Number(hour ?? 0) } : null;
    let busy = false, over = false;
    show(view, skeleton());
    const refresh = async (quiet) => {
        if (busy || over) return;
        busy = true;
        try {
            const found = await load(of);
            // A chart that somebody points at stays where it is.
            if (!over && !(quiet && view.querySelector(".plot:hover"))) show(view, draw(found));
        } catch (error) {
            if (!quiet && !over) show(view, failed(error, () => refresh(false)));
        }
        busy = false;
    };
    refresh(false);
    const ends = [every(4000, () => refresh(true)), live.on("orders", () => refresh(true)), live.on("trades", () => refresh(true))];
    return () => {
        over = true;
        ends.forEach((end) => end());
    };
}
