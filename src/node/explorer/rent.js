// SPDX-License-Identifier: Apache-2.0
// Renting without a terminal: an app, its settings, a quote, a signature.
import { h, show } from "/dom.js";
import { toHex } from "/codec.js";
import { count, money, parseBlnd } from "/format.js";
import { load, missing } from "/keys.js";
import { orders, place, quote } from "/orders.js";
import { card, empty, facts, failed, skeleton, tag } from "/parts.js";
import { call, Refusal } from "/rpc.js";
import { matrix, rides, SCENE, spirals } from "/samples.js";
import { field, keyCard } from "/wallet.js";

const input = (value, more = {}) => h("input", { value, autocomplete: "off", ...more });
const whole = (value, low, high) => input(String(value), { inputmode: "numeric", "data-low": low, "data-high": high });
const area = (value, rows) => h("textarea", { value, rows, spellcheck: "false", class: "mono" });

function number(of) {
    const text = of.control.value.trim(), { low, high } = of.control.dataset;
    const good = /^\d{1,9}$/.test(text) && Number(text) >= Number(low) && Number(text) <= Number(high);
    of.refuse(good ? null : `A number from ${count(low)} to ${count(high)}.`);
    return good ? Number(text) : null;
}

/** A text, or a file in its place. */
function content(id, label, text, hint) {
    const box = field(id, label, area(text, 7), hint);
    const pick = h("input", { type: "file", hidden: true, onchange: async () => {
        if (pick.files[0]) box.control.value = await pick.files[0].text();
    } });
    box.append(pick, h("div", null, h("button", { type: "button", class: "button quiet small", onclick: () => pick.click() }, "Take a file instead")));
    box.classList.add("whole");
    return box;
}

// An app: its form, and the job that the form asks for; null while something in it is wrong.
const APPS = {
    render: ["A picture", "Path-traced from a scene of balls, boxes and triangles; split into tiles.", () => {
        const width = field("width", "Width", whole(320, 16, 2048)), height = field("height", "Height", whole(200, 16, 2048));
        const samples = field("samples", "Paths for each pixel", whole(24, 1, 1024), "More paths, less grain, more work.");
        const bounces = field("bounces", "Bounces of light", whole(6, 1, 32));
        const scene = content("scene", "Scene", SCENE, "camera, sky, sun, materials; then what stands there: sphere, box, vertex and face.");
        return [[width, height, samples, bounces, scene], () => {
            const [w, t, s, b] = [width, height, samples, bounces].map(number);
            if ([w, t, s, b].includes(null)) return null;
            return { options: { width: w, height: t, samples: s, bounces: b }, files: [{ name: "page.scene", text: scene.control.value }] };
        }];
    }],
    train: ["A training", "A small neural network learns the classes of a table; each round is split over providers.", () => {
        const rounds = field("rounds", "Rounds", whole(3, 1, 50), "Each is a job of its own, signed by this page while it is open.");
        const nodes = field("hidden", "Nodes of each hidden layer", whole(12, 1, 64));
        const parts = field("parts-of-round", "Units a round", whole(4, 1, 64));
        const table = content("table", "Table (CSV)", spirals(), "The last column is what is to be learnt; every fifth row is held out to test on.");
        return [[rounds, nodes, parts, table], () => {
            const [r, n, p] = [rounds, nodes, parts].map(number);
            if ([r, n, p].includes(null)) return null;
            return { options: { rounds: r, hidden: [n, n], parts: p }, files: [{ name: "table.csv", text: table.control.value }] };
        }];
    }],
    analyse: ["An analysis", "Histograms, quantiles, sums by group, sorting of a table's columns.", () => {
        const ask = field("ask", "Question", h("select", null, [["group", "Sums and means by group"], ["histogram", "A histogram"], ["quantiles", "Quantiles"],
            ["sort", "All values in order"], ["prefix_sum", "Running sums"]].map(([value, text]) => h("option", { value }, text))));
        const column = field("column", "Column of numbers", input("fare"));
        const by = field("by", "Grouped by", input("city"), "For sums by group: the column of names.");
        const rows = field("rows", "Rows a unit", whole(100, 1, 1_000_000));
        const table = content("table", "Table (CSV)", rides());
        return [[ask, column, by, rows, table], () => {
            const r = number(rows);
            if (r === null) return null;
            const options = { ask: ask.control.value, column: column.control.value.trim(), unit_rows: r };
            if (options.ask === "group") options.by = by.control.value.trim();
            return { options, files: [{ name: "table.csv", text: table.control.value }] };
        }];
    }],
    matmul: ["A product", "Two matrices multiplied, tile by tile.", () => {
        const side = field("side", "Side of the example's matrices", whole(192, 8, 512), "Whole numbers from −100 to 100.");
        const a = field("a", "A (.npy)", h("input", { type: "file", accept: ".npy" }), "Nothing chosen: the example.");
        const b = field("b", "B (.npy)", h("input", { type: "file", accept: ".npy" }), "Nothing chosen: the example.");
        return [[side, a, b], async () => {
            const s = number(side);
            if (s === null) return null;
            const read = async (of, seed) => {
                const file = of.control.files[0];
                return toHex(file ? new Uint8Array(await file.arrayBuffer()) : matrix(s, seed));
            };
            return { options: {}, files: [{ name: "a.npy", hex: await read(a, 3) }, { name: "b.npy", hex: await read(b, 4) }] };
        }];
    }],
};

function terms() {
    const units = field("units", "Parts", whole(12, 1, 256), "About so many units, each done and paid by itself.");
    const each = field("each", "Most for a unit, in BLND", input("", { inputmode: "decimal", placeholder: "twice what it costs now" }));
    const quorum = field("quorum", "Results that must agree", whole(2, 1, 5), "1: nobody does a unit again to check it.");
    const wanted = field("wanted", "Of a device", input("", { placeholder: "any, or: vram >= 8_GiB && reputation >= 400", spellcheck: "false" }));
    return [[units, quorum, each, wanted], () => {
        const [u, q] = [units, quorum].map(number);
        const text = each.control.value.trim(), most = text === "" ? null : parseBlnd(text);
        each.refuse(text !== "" && (most === null || most === 0n) ? "An amount, with up to nine decimals, or nothing." : null);
        if (u === null || q === null || (text !== "" && !most)) return null;
        return { units: u, quorum: q, wanted: wanted.control.value.trim(), ...(most ? { each_most: most.toString() } : {}) };
    }];
}

const problem = (place, error) => show(place, tag(error instanceof Refusal ? "not like this" : "failed", "bad"), " ", error.message);

function quoteCard(job, q, state) {
    const said = h("p", { role: "status", id: "order-said" });
    const button = h("button", { class: "button", type: "button", id: "order-sign", onclick: async () => {
        button.disabled = true;
        show(said, "Planned by the node, signed here …");
        try {
            const record = await place(state.key, job);
            location.hash = `#/job/${record.renter}/${record.number}`;
        } catch (error) {
            button.disabled = false;
            problem(said, error);
        }
    } }, "Sign and order");
    const most = BigInt(q.each_most) * BigInt(q.units) + BigInt(q.checks);
    const short = state.key && state.balance !== null && state.balance < most + 500_000_000n;
    if (short || !state.key || q.providers === 0) button.disabled = true;
    return card("The quote",
        h("p", { class: "quote lead flush", id: "quote" }, q.sentence),
        facts(["expected", money(q.total)], ["locked until it ends, at the most", h("span", { id: "quote-most" }, money(most))],
            ["for a unit, at the most", money(q.each_most)], ["for checks, at the most", money(q.checks)], ["devices that match", `${count(q.devices)} of ${count(q.offers)} offers`]),
        q.providers === 0 ? h("div", null, h("p", { class: "wrong" }, "Nobody matches, so nothing can be ordered:"), h("p", { class: "text note" }, q.explained)) : null,
        h("p", { class: "note" }, "What is not used comes back. This node plans the job, so it sees what goes in, and providers see what they work on; results are sealed for your key and opened in this browser."),
        short ? h("p", { class: "wrong" }, "Your account holds ", money(state.balance), ": less than what may be locked, and the fee.") : null,
        !state.key ? h("p", { class: "wrong" }, "Signing needs a key: make or import one below.") : null,
        h("div", { class: "row top" }, button, said));
}

export function rentPage(view, [chosen]) {
    const state = { key: null, balance: null, app: APPS[chosen] ? chosen : "render", over: false };
    const apps = h("div", { class: "apps" }), settings = h("div"), quoted = h("div"), mine = h("div"), why = h("div");
    let current = null;

    const readBalance = async () => {
        if (!state.key) return;
        const before = state.balance;
        state.balance = BigInt((await call("balance", [state.key.address])).balance);
        const shown = view.querySelector("#balance");
        if (shown) show(shown, money(state.balance));
        if (current && before !== state.balance) drawQuote();
    };
    state.refresh = readBalance;
    const drawQuote = () => current && show(quoted, quoteCard(current.job, current.quote, state));
    const drawKey = async () => {
        if (state.over) return;
        show(mine, keyCard(state, async () => {
            state.balance = null;
            await drawKey();
            drawQuote();
        }));
        if (state.key && state.balance === null) {
            await readBalance().catch(() => {});
            if (!state.over && state.balance !== null) await drawKey();
        }
    };
    const drawSettings = () => {
        const [title, , build] = APPS[state.app];
        const [fields, job] = build(), [more, rest] = terms();
        const said = h("p", { role: "status", id: "quote-said" });
        const form = h("form", { class: "form", id: "order", onsubmit: async (event) => {
            event.preventDefault();
            const what = await job(), how = rest();
            if (!what || !how) return;
            show(said, "Asking …");
            try {
                const full = { app: state.app, ...what, ...how };
                current = { job: full, quote: await quote(full) };
                show(said);
                drawQuote();
                quoted.scrollIntoView({ block: "nearest", behavior: "smooth" });
            } catch (error) {
                current = null;
                show(quoted);
                problem(said, error);
            }
        } }, fields, h("details", { class: "whole" }, h("summary", null, "Terms: parts, price, checks, devices"), h("div", { class: "form" }, more)),
        h("div", { class: "whole row" }, h("button", { class: "button", type: "submit" }, "What would it cost?"), said));
        show(settings, card(title, form));
        current = null;
        show(quoted);
    };
    const drawApps = () => show(apps, Object.entries(APPS).map(([name, [title, about]]) => h("button", { type: "button", class: "app",
        "data-app": name, "aria-pressed": String(name === state.app), onclick: () => {
            state.app = name;
            drawApps();
            drawSettings();
        } }, h("strong", null, title), h("span", null, about))));

    show(view, skeleton());
    missing().then(async (problemText) => {
        const before = orders().slice(0, 5);
        show(view, h("h1", null, "Rent a GPU"), why, h("div", { class: "steps" }, card("What is to be done", apps), settings, quoted), mine,
            before.length ? card("Your orders", h("ul", { class: "plain" }, before.map((r) => h("li", null,
                h("a", { href: `#/job/${r.renter}/${r.number}` }, `${APPS[r.app]?.[0] ?? r.app}, job ${r.number}`), " ",
                tag(r.phase, r.phase === "done" ? "good" : r.phase === "failed" ? "bad" : "accent"))))) : null);
        drawApps();
        drawSettings();
        if (problemText) {
            show(mine, card("No key here", empty("This browser cannot sign", problemText)));
            return;
        }
        state.key = await load();
        await drawKey();
    }).catch((error) => show(view, failed(error, () => rentPage(view, [chosen]))));
    const timer = setInterval(() => readBalance().catch(() => {}), 2500);
    return () => {
        state.over = true;
        clearInterval(timer);
    };
}
