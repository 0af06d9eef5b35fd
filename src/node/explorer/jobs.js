// SPDX-License-Identifier: Apache-2.0
import { h, show } from "/dom.js";
import { account, age, block, count, money, name, transaction, words } from "/format.js";
import { card, empty, every, facts, failed, figure, fillIn, meter, skeleton, table, tag } from "/parts.js";
import { follow, load as loadRecent, messages, recent } from "/recent.js";
import { load as loadKey } from "/keys.js";
import { again, cancel, files, filesOf, isOver, onOrders, orderOf, resultOf } from "/orders.js";
import { ask, call, live, row } from "/rpc.js";
import { save } from "/wallet.js";
import { line, outcome } from "/said.js";

const NOBODY = 4294967295;
const UNIT = { listed: ["rest", "waits"], assigned: ["note", "runs"], delivered: ["accent", "delivered"], disputed: ["check", "being checked"],
    paid: ["good", "paid"], dropped: ["plain", "dropped"] };
const PHASE = { open: "note", funded: "note", running: "accent", paused: "bad", delivered: "accent", disputed: "accent", accepted: "good",
    settled: "good", refunded: "plain", slashed: "bad" };
const CHECKS = { renter: "the renter looks", replicas: "others do some units again", spot: "spot checks", product: "a product check" };

// What a closed job last looked like: the chain forgets it, this page does not while it is open.
const seen = new Map();

const keyOf = (job) => `${job.renter}/${job.number}`;

async function read(renter, number) {
    const key = `${renter}/${number}`;
    const found = await call("query", ["escrow/jobs", { renter, number }]);
    if (found.present) seen.set(key, { ...found.row, closed: false });
    else if (seen.has(key)) seen.set(key, { ...seen.get(key), closed: true });
    return seen.get(key) ?? null;
}

export const counts = (units) => Object.fromEntries(Object.keys(UNIT).map((state) => [state, units.filter((u) => u.at === state).length]));
const parts = (units) => Object.entries(counts(units)).map(([state, n]) => [n, UNIT[state][0], UNIT[state][1]]);

/** Jobs that are known of: submitted in the blocks that this page remembers, or of renters named there. */
async function known() {
    const found = new Map();
    for (const [one, m] of messages("escrow.submit"))
        if (one.receipt?.code === 0) found.set(`${one.transaction.sender}/${m.number}`, { renter: one.transaction.sender, number: m.number, order: m.what, at: one.height });
    const renters = [...new Set([...found.values()].map((j) => j.renter))].slice(0, 20);
    for (const list of await Promise.all(renters.map((renter) => ask("escrow/jobs_of", { renter, from: 0, most: 100 }).catch(() => ({ list: [] })))))
        for (const job of list.list) if (!found.has(keyOf(job))) found.set(keyOf(job), { ...job, order: null, at: 0 });
    const list = [...found.values()].sort((a, b) => b.at - a.at).slice(0, 60);
    return Promise.all(list.map(async (j) => ({ ...j, row: await read(j.renter, j.number).catch(() => null) })));
}

export function jobsPage(view) {
    const draw = (list) => [h("h1", null, "Jobs"), card("Jobs", { aside: h("p", { class: "note" }, "of the renters seen in the last blocks") }, list.length
        ? table("Jobs, newest first", [["Job", ""], ["Renter", ""], ["Progress", "wide"], ["State", ""], ["Money in it", "right"], ["Since", "right"]],
            list.map((j) => {
                const units = j.row?.money.units ?? [];
                const paid = units.filter((u) => u.at === "paid").length;
                return [h("a", { href: `#/job/${j.renter}/${j.number}` }, `Job ${j.number}`), account(j.renter),
                    units.length ? [meter("Units", parts(units)), h("span", { class: "note" }, `${paid} of ${units.length} paid`)]
                        : h("span", { class: "dim" }, j.order ? `${j.order.units} units` : "by time"),
                    j.row === null || j.row.closed || j.row.money.over ? tag("closed", "plain") : tag("open", "accent"),
                    j.row && !j.row.closed ? money(j.row.money.balance) : "—", j.at ? block(j.at) : "—"];
            })) : empty("No jobs of late", "A job names an app, its input and a price; providers take its units, and are paid unit by unit. Order one: ",
            h("a", { href: "#/rent" }, "here"), " or in a terminal: ", h("code", null, `wallet job submit --app render --scene FILE --rpc ${location.host}`)))];
    show(view, skeleton());
    const refresh = (quiet) => fillIn(view, known, draw, quiet);
    loadRecent().catch(() => {}).then(() => refresh(false));
    const ends = [every(3000, () => refresh(true)), live.on("jobs", () => refresh(true))];
    return () => ends.forEach((end) => end());
}

const range = (items, units, i) => {
    const from = (BigInt(items) * BigInt(i)) / BigInt(units), to = (BigInt(items) * BigInt(i + 1)) / BigInt(units);
    return to > from ? `${count(from)} – ${count(to - 1n)}` : "—";
};

function tiles(job) {
    return h("ol", { class: "tiles", "aria-label": "Units" }, job.money.units.map((u, i) => h("li", { "data-tone": UNIT[u.at][0],
        title: `unit ${i}: ${UNIT[u.at][1]}` }, h("span", { class: "hidden" }, `unit ${i}: ${UNIT[u.at][1]}`), h("span", { "aria-hidden": "true" }, String(i)))));
}

function drawJob(job, renter, number) {
    if (!job) return [h("h1", null, `Job ${number}`), card("Not on the chain", empty("There is no such job, or it is closed",
        "A job leaves the state when every grain of it has left. What happened is in its transactions."), story(renter, number))];
    const { what, money: m } = job;
    const n = counts(m.units);
    const done = n.paid + n.delivered;
    const earned = m.agreements.reduce((sum, a) => sum + BigInt(a.earned), 0n);
    return [h("h1", null, `Job ${number}`),
        h("p", { class: "lead" }, "of ", account(renter), " ", job.closed || m.over ? tag("closed", "plain") : tag("open", "accent")),
        h("div", { class: "figures" },
            figure("Done", m.units.length ? [String(done), h("span", { class: "unit" }, ` of ${m.units.length} units`)] : "by time"),
            figure("Paid", money(earned), "to providers, fees included"), figure("In the job", money(m.balance), job.closed ? "what was not paid went back" : `${blndOf(job.checks)} for checks beside it`),
            figure("Price", BigInt(job.posted) > 0n ? money(job.posted) : money(what.cap), BigInt(job.posted) > 0n ? "posted, for a unit" : "at most, for a unit")),
        m.units.length ? card("Progress", meter("Units", parts(m.units)),
            h("p", { class: "legend" }, parts(m.units).filter(([k]) => k).map(([k, tone, text]) => h("span", { "data-tone": tone }, `${k} ${text}`))), tiles(job)) : null,
        card("Agreements", m.agreements.length ? table("Agreements", [["", ""], ["Provider", ""], ["State", ""], ["Running", "right"], ["Delivered", "right"],
            ["Paid", "right"], ["Price", "right"], ["Earned", "right"], ["Bond", "right"]],
        m.agreements.map((a, i) => [String(i), account(a.provider), tag(a.at === "disputed" ? "in check" : words(a.at), PHASE[a.at]), count(a.assigned), count(a.delivered + a.disputed), count(a.paid),
            money(BigInt(a.by.each) > 0n ? a.by.each : a.by.per_height), money(a.earned), money(a.bond)]))
            : empty("Nobody has taken any of it yet", `Providers are looked for until block ${count(m.search_until)}.`)),
        m.units.length ? h("details", { class: "card" }, h("summary", null, "Every unit"), table("Units", [["Unit", "right"], ["Indexes", ""], ["State", ""], ["By", ""], ["Result", ""]],
            m.units.map((u, i) => [String(i), range(what.items, what.units, i), tag(UNIT[u.at][1], UNIT[u.at][0]),
                u.with === NOBODY ? "—" : account(m.agreements[u.with]?.provider ?? "—"),
                /^0*$/.test(job.claims[i] ?? "") ? "—" : name(job.claims[i], undefined, 10, 6)]))) : null,
        card("Terms", facts(["checks", CHECKS[what.checks.by] ?? what.checks.by], what.checks.quorum ? ["quorum", count(what.checks.quorum)] : null,
            ["wants", what.wanted === "" ? "any device" : h("code", null, what.wanted)], ["work", what.work], ["price at most", money(what.cap)],
            ["bond of a provider", money(what.bond)], ["program", name(what.program, undefined, 14, 8)], ["since", block(job.opened)],
            ["results", orderOf(renter, number) ? "sealed for your key; the chain holds their hashes" : "sealed for the renter, who alone sees them; the chain holds their hashes"])),
        story(renter, number)];
}

const blndOf = (grains) => money(grains, "").textContent;

function story(renter, number) {
    const mine = (t) => (t.transaction?.messages ?? []).some((message) => Object.values(message ?? {}).some((m) =>
        (m?.job?.renter === renter && String(m.job.number) === String(number))
        || (t.transaction.sender === renter && "escrow.submit" in message && String(m.number) === String(number))));
    const list = recent.transactions.filter(mine).slice(0, 60);
    return list.length ? card("What happened", table("Transactions of this job", [["Block", ""], ["", ""], ["What", "wide"], ["By", ""], ["Outcome", "right"]],
        list.map((t) => [block(t.height), transaction(t.id), line(t.transaction), account(t.transaction.sender), outcome(t.receipt)]))) : null;
}

// ---- what this browser ordered: its results, opened here

const urls = new Map();
const TYPES = { png: "image/png", svg: "image/svg+xml", csv: "text/csv", json: "application/json" };
const typeOf = (file) => TYPES[file.name.split(".").at(-1)] ?? "application/octet-stream";
function urlOf(record, file) {
    const key = `${record.number}/${file.name}`;
    if (!urls.has(key)) urls.set(key, URL.createObjectURL(new Blob([file.bytes], { type: typeOf(file) })));
    return urls.get(key);
}

/** A picture as far as it is there: tile by tile, the moment a tile was opened. */
function tilesOf(record) {
    const { width, height } = record.job.options, [stage] = record.stages;
    const canvas = h("canvas", { class: "picture", id: "picture-tiles", width, height, role: "img",
        "aria-label": `The picture so far: ${stage.units.filter((_, u) => resultOf(stage, u)).length} of ${stage.units.length} tiles` });
    const pen = canvas.getContext("2d");
    stage.units.forEach(({ from: [x, y], size: [w, t] }, u) => {
        const raw = resultOf(stage, u);
        if (!raw || raw.length !== 3 * w * t) return;
        const tile = pen.createImageData(w, t);
        for (let i = 0; i < w * t; ++i) tile.data.set([raw[3 * i], raw[3 * i + 1], raw[3 * i + 2], 255], 4 * i);
        pen.putImageData(tile, x, y);
    });
    return canvas;
}

function shownFile(record, file) {
    const url = urlOf(record, file), type = typeOf(file);
    const link = h("button", { type: "button", class: "button quiet small", "data-file": file.name, onclick: () => save(file.name, [file.bytes], type) }, `Download ${file.name}`);
    if (type.startsWith("image/")) return h("figure", { class: "made" }, h("img", { class: "picture", src: url, alt: file.name }), h("figcaption", null, link));
    const text = type === "application/octet-stream" ? null : new TextDecoder().decode(file.bytes.subarray(0, 4000)).split("\n").slice(0, 12).join("\n");
    return h("figure", { class: "made" }, text ? h("pre", { class: "peek mono" }, text) : h("p", { class: "note" }, `${count(file.bytes.length)} bytes`), h("figcaption", null, link));
}

const SAYS = { submitted: "It waits for a block.", searching: "Providers are looked for.", running: "Providers work on it.",
    checking: "All is delivered; others do units again to check them.", settling: "It is settled on the chain; results come together.",
    done: "Done, checked and paid.", failed: "It ended without a result." };

/** A job that the chain has forgotten, as its order knows it to have ended. */
function closedAs(job, stage) {
    const at = (u) => (u.outvoted ? "dropped" : u.state);
    return { ...job, money: { ...job.money, balance: "0", over: true,
        units: job.money.units.map((u, i) => ({ ...u, at: at(stage.units[i]) })),
        agreements: job.money.agreements.map((a, i) => {
            const deal = stage.deals[i];
            if (!deal) return a;
            const mine = stage.units.filter((u) => u.with === i), paid = mine.filter((u) => at(u) === "paid").length;
            return { ...a, at: deal.at, assigned: 0, delivered: mine.length - paid, disputed: 0, paid,
                earned: deal.paid === undefined ? a.earned : (BigInt(deal.paid) + BigInt(deal.fees)).toString() };
        }) } };
}

function mineCard(record) {
    if (!record) return null;
    const list = filesOf(record), tone = record.phase === "done" ? "good" : record.phase === "failed" ? "bad" : "accent";
    const remade = record.stages.reduce((sum, s) => sum + s.units.filter((u) => u.remade).length, 0);
    const body = [h("p", { id: "order-phase", "data-phase": record.phase }, tag(record.phase, tone), " ", SAYS[record.phase], record.why ? h("span", { class: "break" }, " ", record.why) : null)];
    if (record.stages.length > 1) body.push(h("p", { class: "note" }, "Stage by stage: ", record.stages.map((s) =>
        [h("a", { href: `#/job/${record.renter}/${s.number}` }, s.name), " "])));
    if (remade) body.push(h("p", { class: "note" }, `${count(remade)} of the results were not those that others agreed on, and were not paid; this node made them again.`));
    if (list) body.push(h("div", { class: "files" }, list.map((f) => shownFile(record, f))));
    else if (record.app === "render") body.push(tilesOf(record));
    if (record.phase === "failed" && record.stages.length) body.push(h("div", { class: "row top" }, h("button", { type: "button", class: "button quiet", onclick: () => again(record) }, "Try again")));
    if (!isOver(record)) body.push(h("div", { class: "row top" }, h("button", { type: "button", class: "button quiet small", onclick: async (event) => {
        event.target.disabled = true;
        const key = await loadKey();
        if (key) await cancel(key, record).catch((error) => (event.target.textContent = error.message));
    } }, "End the job"), h("span", { class: "note" }, "What was delivered is paid, the rest comes back.")));
    return card("Your result", { aside: h("p", { class: "note" }, "opened in this browser") }, body);
}

export function jobPage(view, [renter, text]) {
    const number = Number(text ?? 0);
    show(view, skeleton());
    const order = () => orderOf(renter, number);
    const draw = (found) => {
        const record = order(), job = found?.closed && record ? closedAs(found, record.stages.find((s) => s.number === number)) : found;
        const all = drawJob(job, renter, number);
        if (record && !job) return [h("h1", null, `Job ${number}`), mineCard(record), story(renter, number)];
        return record ? [...all.slice(0, 2), mineCard(record), ...all.slice(2)] : all;
    };
    const finish = async () => {
        const record = order();
        if (record?.phase !== "done" || filesOf(record)) return;
        const key = await loadKey();
        if (key?.address === record.renter) await files(record, key).then(() => refresh(true)).catch(() => {});
    };
    let open = false;
    const refresh = async (quiet) => {
        open = view.querySelector("details")?.open ?? open;
        await fillIn(view, () => read(renter, number), draw, quiet);
        if (open && view.querySelector("details")) view.querySelector("details").open = true;
    };
    refresh(false).then(finish);
    const ends = [every(2500, () => refresh(true).then(finish)), live.on("jobs", () => refresh(true)), follow(() => {}),
        onOrders(() => order() && refresh(true).then(finish))];
    loadRecent().catch(() => {});
    return () => ends.forEach((end) => end());
}
