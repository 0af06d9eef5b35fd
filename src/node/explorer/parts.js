// SPDX-License-Identifier: Apache-2.0
// What pages are built from.
import { h, show } from "/dom.js";
import { Refusal } from "/rpc.js";

export const card = (title, ...body) => {
    const extra = body[0] && body[0].aside ? body.shift().aside : null;
    return h("section", { class: "card" }, h("header", null, h("h2", null, title), extra), body);
};

/** Names and values, one under the other. */
export const facts = (...pairs) => h("dl", { class: "facts" }, pairs.filter(Boolean).map(([term, value]) =>
    h("div", null, h("dt", null, term), h("dd", null, value))));

/** One number that matters, with its name. */
export const figure = (label, value, note) => h("div", { class: "figure" },
    h("p", { class: "label" }, label), h("p", { class: "value" }, value), note ? h("p", { class: "note" }, note) : null);

/** A table that becomes a list of cards on a narrow screen. Columns: [title, class]. */
export const table = (caption, columns, rows) => h("div", { class: "scroll" }, h("table", {
    class: columns.length < 4 && columns.every(([, kind]) => kind !== "wide") ? "slim" : null },
    h("caption", { class: "hidden" }, caption),
    h("thead", null, h("tr", null, columns.map(([title, kind]) => h("th", { scope: "col", class: kind }, title)))),
    h("tbody", null, rows.map((cells) => h("tr", null, cells.map((cell, i) =>
        h("td", { class: columns[i][1], "data-label": columns[i][0] }, cell)))))));

export const tag = (text, tone) => h("span", { class: "tag", "data-tone": tone ?? "plain" }, text);

/** Nothing is there yet: what would be, and what brings it. */
export const empty = (title, ...hint) => h("div", { class: "empty" },
    h("p", { class: "empty-title" }, title), hint.length ? h("p", null, hint) : null);

export const skeleton = () => h("div", null,
    h("div", { class: "skeleton", "aria-hidden": "true" }, h("i"), h("i"), h("i")),
    h("p", { class: "hidden", role: "status" }, "Loading"));

/** Something went wrong: what, and a way on. */
export function failed(error, again) {
    const missing = error instanceof Refusal && error.code === -32001;
    return h("div", { class: "empty", role: "alert" },
        h("p", { class: "empty-title" }, missing ? "Not found" : error instanceof Refusal ? "The node refuses" : "No answer"),
        h("p", null, error.message),
        again ? h("button", { type: "button", class: "button", onclick: again }, "Try again") : null);
}

/** Runs `load` and draws what came of it into `place`; what it shows meanwhile, and when it fails. */
export async function fillIn(place, load, draw, quiet = false) {
    if (!quiet) show(place, skeleton());
    try {
        const found = await load();
        if (place.isConnected || !quiet) show(place, draw(found));
        return true;
    } catch (error) {
        if (!quiet) show(place, failed(error, () => fillIn(place, load, draw)));
        return false;
    }
}

/** Asks again and again while the page is looked at; returns what ends that. */
export function every(ms, body) {
    let over = false;
    let timer = 0;
    const turn = async () => {
        if (over) return;
        if (!document.hidden) await body();
        if (!over) timer = setTimeout(turn, ms);
    };
    timer = setTimeout(turn, ms);
    return () => {
        over = true;
        clearTimeout(timer);
    };
}

/** A bar of parts: [count, tone, name]. */
export function meter(label, parts) {
    const whole = parts.reduce((sum, [n]) => sum + n, 0) || 1;
    return h("div", { class: "meter", role: "img",
        "aria-label": label + ": " + parts.filter(([n]) => n > 0).map(([n, , name]) => `${n} ${name}`).join(", ") },
    parts.filter(([n]) => n > 0).map(([n, tone, name]) => {
        const part = h("i", { "data-tone": tone, title: `${n} ${name}` });
        part.style.width = `${(100 * n) / whole}%`;
        return part;
    }));
}
