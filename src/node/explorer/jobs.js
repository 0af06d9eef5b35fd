// SPDX-License-Identifier: Apache-2.0
import { h, show } from "/dom.js";
import { account, age, block, count, money, name, transaction, words } from "/format.js";
import { card, empty, every, facts, failed, figure, fillIn, meter, skeleton, table, tag } from "/parts.js";
import { follow, load as loadRecent, messages, recent } from "/recent.js";
import { ask, call, live, row } from "/rpc.js";
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
            h("code", null, `wallet job submit --app render --scene FILE --rpc ${location.host}`)))];
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
            figure("Paid", money(earned), "to providers, fees included"), figure("In the job", money(m.balance), `${blndOf(job.checks)} for checks beside it`),
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
            ["results", "sealed for the renter; the chain holds their hashes"])),
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

export function jobPage(view, [renter, text]) {
    const number = Number(text ?? 0);
    show(view, skeleton());
    const draw = (job) => drawJob(job, renter, number);
    let open = false;
    const refresh = async (quiet) => {
        open = view.querySelector("details")?.open ?? open;
        await fillIn(view, () => read(renter, number), draw, quiet);
        if (open && view.querySelector("details")) view.querySelector("details").open = true;
    };
    refresh(false);
    const ends = [every(2500, () => refresh(true)), live.on("jobs", () => refresh(true)), follow(() => {})];
    loadRecent().catch(() => {});
    return () => ends.forEach((end) => end());
}
