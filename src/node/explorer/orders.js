// SPDX-License-Identifier: Apache-2.0
// Jobs that this browser ordered: signed here, followed here, their results opened and checked here. The node plans and
// merges; what it is told of a result it is told to make files of it.
import { contentName, encode, fromHex, hashIn, opening, origin, runState, toHex } from "/codec.js";
import { committed, load as loadKey, sign } from "/keys.js";
import { batch, call, live } from "/rpc.js";
import { sealingKey } from "/seal.js";

const STORE = "blendr-jobs";
const KEPT = 50;
const NOBODY = 4294967295;
const FEE = 500_000_000n;
const PATIENCE_BLOCKS = 60;
const RETRIES = 40;
const AGREEMENTS_TRIED = 32;
const DELIVERED = new Set(["delivered", "disputed", "paid"]);

let records = [];
const results = new Map();  // "stage/unit": bytes
const made = new Map();     // job number: files
const listeners = new Set();

// ---- what is remembered

function read() {
    try {
        records = JSON.parse(localStorage.getItem(STORE) ?? "[]");
    } catch {
        records = [];
    }
}
function keep() {
    try {
        localStorage.setItem(STORE, JSON.stringify(records.slice(0, KEPT)));
    } catch {
        // for this page alone, then
    }
    for (const each of listeners) each();
}

export const orders = () => records;
export const isOver = (record) => record.phase === "done" || record.phase === "failed";
/** The order that a job on the chain belongs to, if it is one of this browser's. */
export const orderOf = (renter, number) => records.find((r) => r.renter === renter && r.stages.some((s) => s.number === number)) ?? null;
export const resultOf = (stage, unit) => results.get(`${stage.number}/${unit}`) ?? null;
export const filesOf = (record) => made.get(record.number) ?? null;
/** Calls `listener` whenever an order moved; returns what ends that. */
export function onOrders(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
}

// ---- ordering

export const quote = (job) => call("job_quote", [job], "/jobs");

/** What is locked at the most once the messages are signed, from the messages themselves. */
export function locked(plan) {
    const bid = plan.messages.find((m) => "market.place" in m)?.["market.place"];
    const submit = plan.messages.find((m) => "escrow.submit" in m)["escrow.submit"];
    return (bid ? BigInt(bid.size) * BigInt(bid.limit) : BigInt(submit.deposit)) + BigInt(plan.quote.checks);
}

const sealing = (key) => sealingKey(fromHex(key.seed()));
const hexOf = (record) => record.stages.map((s) => s.units.map((_, u) => toHex(resultOf(s, u))));

async function planned(record, key) {
    await fetchAll(record, key);
    const number = record.number + record.stages.length;
    const seal = await sealing(key);
    const plan = await call("job_plan", [record.job, number, seal.publicKey, hexOf(record)], "/jobs");
    if (plan.over) return null;
    const kinds = plan.messages.flatMap((m) => Object.keys(m)).sort().join();
    if (kinds !== "escrow.submit,market.place" && kinds !== "escrow.submit") throw new Error("The node plans something else than an order.");
    return { ...plan, number };
}

async function send(record, key, plan) {
    const submit = plan.messages.find((m) => "escrow.submit" in m)["escrow.submit"];
    const status = await call("status");
    const { id, raw } = await sign(key, plan.messages, FEE);
    const stage = { number: plan.number, name: plan.stage, tx: id, submitted: Number(status.last), opened: 0, quorum: submit.what.checks.quorum,
        by: submit.what.checks.by, deals: [], tries: 0, rated: false,
        units: plan.units.map((u) => ({ ...u, state: "listed", with: NOBODY, data: null, claim: null, provider: null, wrong: false })) };
    await call("submit", [raw]);
    record.stages.push(stage);
    record.phase = "submitted";
    keep();
}

/** Plans, signs and sends; the order, whose first stage waits for a block. */
export async function place(key, job) {
    const record = { renter: key.address, number: Date.now(), app: job.app, job, phase: "submitted", why: "", stages: [], at: Date.now() };
    const plan = await planned(record, key);
    const balance = BigInt((await call("balance", [key.address])).balance);
    if (balance < locked(plan) + FEE) throw new Error("Your account does not hold what the job may cost at the most, and the fee.");
    records.unshift(record);
    try {
        await send(record, key, plan);
    } catch (error) {
        records.splice(records.indexOf(record), 1);
        throw error;
    }
    return record;
}

/** Ends an order: what was delivered is paid, the rest comes back. */
export async function cancel(key, record) {
    const number = record.stages.at(-1).number;
    const messages = [{ "escrow.cancel_all": { job: { renter: record.renter, number } } }];
    const { id, raw } = await sign(key, messages, FEE);
    await call("submit", [raw]);
    return committed(id);
}

// ---- results

const task = (record, stage, unit, which) => toHex(hashIn("escrow.task/1", encode(origin,
    { job: { renter: record.renter, number: stage.number }, opened: stage.opened, unit, with: which })));

async function blobOf(digest) {
    const reply = await fetch(`/blobs/${contentName(digest)}`);
    if (!reply.ok) return null;
    const raw = new Uint8Array(await reply.arrayBuffer());
    return toHex(hashIn("", raw)) === digest ? raw : null;
}

/** Has the node make a unit's bytes again: others did it and were believed, but theirs are not for us. */
async function remake(record, stage, u) {
    const hex = await call("job_unit", [record.app, stage.units[u].input], "/jobs");
    results.set(`${stage.number}/${u}`, fromHex(hex));
    stage.units[u].remade = true;
}

/** {nonce, result} as the library writes them. */
function resultIn(raw) {
    let size = 0, at = 32;
    for (let scale = 1; ; scale *= 128) {
        size += (raw[at] & 127) * scale;
        if (!(raw[at++] & 128)) break;
    }
    if (at + size !== raw.length) throw new Error("This is no unit's result.");
    return { nonce: toHex(raw.subarray(0, 32)), result: raw.slice(at) };
}

/** Whether a result is the one that its provider bound itself to on the chain. */
function fits(record, stage, u, packed, { nonce, result }) {
    const unit = stage.units[u];
    const after = hashIn("verify.state/1", encode(runState, { unit: packed, done: result }));
    if (stage.by === "renter") return toHex(after) === unit.claim;
    const digest = hashIn("verify.result/1", Uint8Array.of(...after, 0));
    const said = hashIn("verify.commit/1", encode(opening,
        { worker: unit.provider, task: task(record, stage, u, unit.with), nonce, digest: toHex(digest) }));
    return toHex(said) === unit.claim;
}

async function fetchResult(record, stage, u, key) {
    const unit = stage.units[u];
    const [sealed, packed] = await Promise.all([blobOf(unit.data), blobOf(unit.input)]);
    if (!sealed || !packed) return false;
    let good = false;
    try {
        const opened = resultIn(await (await sealing(key)).open(sealed));
        good = fits(record, stage, u, packed, opened);
        if (good) results.set(`${stage.number}/${u}`, opened.result);
    } catch {
        good = false;
    }
    unit.wrong = !good;
    return good;
}

/** All results of all stages: some may have been forgotten with an earlier page. */
async function fetchAll(record, key) {
    for (const stage of record.stages)
        for (const [u, unit] of stage.units.entries()) {
            if (resultOf(stage, u)) continue;
            if (unit.remade) await remake(record, stage, u);
            else if (!(await fetchResult(record, stage, u, key))) throw new Error(`The result of unit ${u} cannot be fetched.`);
        }
}

// ---- following

async function see(record, stage, row, key) {
    stage.opened = Number(row.opened);
    stage.deals = row.money.agreements.map((a) => ({ provider: a.provider, at: a.at, each: a.by.each }));
    const objects = [];
    for (const [u, now] of row.money.units.entries()) {
        const unit = stage.units[u];
        if (now.at === "dropped" && unit.state === "disputed") unit.outvoted = true;  // others agree on another result
        if (now.at !== "dropped") unit.outvoted = false;
        unit.state = now.at;
        if (unit.with !== now.with) {
            results.delete(`${stage.number}/${u}`);
            unit.wrong = false;
            unit.objected = false;
        }
        unit.with = now.with;
        if (now.with === NOBODY) continue;
        unit.provider = row.money.agreements[now.with].provider;
        unit.data = row.data[u];
        unit.claim = row.claims[u];
        if (DELIVERED.has(now.at) && !resultOf(stage, u) && !unit.wrong) await fetchResult(record, stage, u, key).catch(() => {});
        if (unit.wrong && !unit.objected && now.at === "delivered" && stage.by !== "renter") {
            unit.objected = true;
            objects.push({ "escrow.object": { job: { renter: record.renter, number: stage.number }, unit: u } });
        }
    }
    if (objects.length) await tell(key, objects).catch(() => {});
    const at = row.money.units.map((u) => u.at);
    record.phase = row.money.agreements.length === 0 ? "searching" : at.some((s) => s === "listed" || s === "assigned") ? "running" : "checking";
}

async function tell(key, messages) {
    const { id, raw } = await sign(key, messages, FEE);
    await call("submit", [raw]);
    return committed(id);
}

/** What was delivered while nobody looked stands in blocks. */
async function lookBack(record, stage, key) {
    const last = Number((await call("status")).last);
    const blocks = [];
    for (let height = stage.opened || stage.submitted; height <= Math.min(last, stage.submitted + 20_000); ++height) blocks.push(["block", [height]]);
    const ids = (await batch(blocks)).flatMap((b) => (b instanceof Error ? [] : b.transactions ?? []));
    for (const one of await batch(ids.map((id) => ["transaction", [id]]))) {
        if (one instanceof Error || (one.receipt?.code ?? 0) !== 0) continue;
        for (const message of one.transaction?.messages ?? []) {
            const said = message?.["escrow.deliver"], order = message?.["escrow.submit"];
            if (order && one.transaction.sender === record.renter && Number(order.number) === stage.number) stage.opened = Number(one.height);
            if (!said || said.job.renter !== record.renter || Number(said.job.number) !== stage.number) continue;
            const u = Number(said.unit), unit = stage.units[u];
            Object.assign(unit, { data: said.data, claim: said.claim, provider: one.transaction.sender, state: "delivered", wrong: false });
            results.delete(`${stage.number}/${u}`);
            for (let i = 0; i < AGREEMENTS_TRIED && !resultOf(stage, u); ++i) {
                unit.with = i;
                if (!(await fetchResult(record, stage, u, key).catch(() => false)) && !unit.wrong) break;
            }
            const which = unit.with;
            if (resultOf(stage, u)) stage.deals[which] ??= { provider: unit.provider, at: "settled" };
        }
    }
}

/** Results that are here and were not paid for are not to be believed: their unit was judged in the last block, or nobody
 *  stands by it any more. */
function distrust(stage) {
    stage.deals.forEach((deal, i) => {
        const mine = stage.units.map((unit, u) => [unit, u]).filter(([unit]) => unit.with === i && !unit.remade);
        if (!deal || mine.length === 0) return;
        const each = BigInt(deal.each ?? 0);
        const paid = deal.paid === undefined ? 0n : each > 0n ? (BigInt(deal.paid) + BigInt(deal.fees)) / each : BigInt(mine.length);
        if (paid >= BigInt(mine.length)) {
            for (const [unit] of mine) if (DELIVERED.has(unit.state)) unit.state = "paid";
            return;
        }
        for (const [unit, u] of mine) {
            if (unit.state === "paid") continue;
            unit.outvoted = true;
            results.delete(`${stage.number}/${u}`);
        }
    });
}

async function rate(record, stage, key) {
    const asked = await batch(stage.deals.map((_, i) => ["query", ["reputation/ended", task(record, stage, NOBODY, i)]]));
    const ratings = [];
    asked.forEach((answer, i) => {
        const row = answer instanceof Error || !answer.present ? null : answer.row;
        if (!row || row.provider !== stage.deals[i]?.provider) return;
        const kept = stage.units.every((u) => u.with !== i || DELIVERED.has(u.state));
        stage.deals[i] = { ...stage.deals[i], at: "settled", paid: row.paid, fees: row.fees_burned };
        stage.deals[i].rated_us = row.rated_by_provider;
        if (!row.rated_by_renter)
            ratings.push({ "reputation.rate": { agreement: task(record, stage, NOBODY, i), subject: { who: row.provider, as: "provider", work: row.work },
                rating: kept ? 100 : 50 } });
    });
    if (ratings.length) await tell(key, ratings);
    stage.rated = true;
}

async function conclude(record, stage, key) {
    record.phase = "settling";
    if (!stage.looked && stage.units.some((u, i) => !resultOf(stage, i) && !(u.data && DELIVERED.has(u.state)))) {
        stage.looked = true;
        await lookBack(record, stage, key);
    }
    if (!stage.rated) await rate(record, stage, key).catch(() => {});
    distrust(stage);
    const missing = [];
    for (const [u, unit] of stage.units.entries()) {
        if (resultOf(stage, u)) continue;
        if (unit.outvoted) {
            await remake(record, stage, u);
            continue;
        }
        if (unit.data && DELIVERED.has(unit.state) && !unit.wrong && (await fetchResult(record, stage, u, key).catch(() => false))) continue;
        missing.push(u);
    }
    if (missing.length) {
        const [u] = missing, unit = stage.units[u];
        const late = unit.data && DELIVERED.has(unit.state) && !unit.wrong;
        if (late && ++stage.tries < RETRIES) {
            record.why = `The result of unit ${u} is paid for, and the node cannot fetch it yet; it asks its peers.`;
            return;
        }
        record.phase = "failed";
        record.why = late ? `Unit ${u} was done and paid, but no peer of this node gives its result. Try again once its provider is back.`
            : unit.wrong ? `The result of unit ${u} is not what its provider had bound itself to.`
                : `Unit ${u} was not done. What was not paid came back.`;
        return;
    }
    record.why = "";
    const next = await planned(record, key);
    if (next) await send(record, key, next);
    else record.phase = "done";
}

async function step(record, key) {
    const stage = record.stages.at(-1);
    const found = await call("query", ["escrow/jobs", { renter: record.renter, number: stage.number }]);
    if (found.present) return see(record, stage, found.row, key);
    if (stage.opened) return conclude(record, stage, key);
    const fate = await call("transaction", [stage.tx]).catch(() => null);
    if (fate?.state === "committed" && fate.receipt?.code === 0) {
        stage.opened = Number(fate.height);
    } else if (fate?.state === "committed" || Number((await call("status")).last) > stage.submitted + PATIENCE_BLOCKS) {
        record.phase = "failed";
        record.why = fate?.receipt?.result ? `The chain refused the order: ${fate.receipt.result}.` : "No block took the order.";
    }
    return undefined;
}

/** Tries a failed order's results again. */
export function again(record) {
    record.phase = "settling";
    for (const stage of record.stages) stage.tries = 0, stage.looked = false;
    keep();
    turn();
}

/** The files of a finished order: [{name, bytes}]. */
export async function files(record, key) {
    if (made.has(record.number)) return made.get(record.number);
    await fetchAll(record, key);
    const list = await call("job_files", [record.job, hexOf(record)], "/jobs");
    made.set(record.number, list.map((f) => ({ name: f.name, bytes: fromHex(f.hex) })));
    return made.get(record.number);
}

let busy = false;
async function turn() {
    if (busy || !records.some((r) => !isOver(r))) return;
    busy = true;
    try {
        const key = await loadKey();
        if (!key) return;
        const work = async (lock) => {
            if (!lock) return read();  // another tab of this browser follows them
            for (const record of records.filter((r) => !isOver(r) && r.renter === key.address)) {
                const before = JSON.stringify(record);
                await step(record, key).catch((error) => (record.why = error.message));
                if (JSON.stringify(record) !== before) keep();
            }
            return undefined;
        };
        if (navigator.locks) await navigator.locks.request("blendr-orders", { ifAvailable: true }, work);
        else await work(true);
    } finally {
        busy = false;
    }
}

export function start() {
    read();
    live.on("jobs", turn);
    setInterval(turn, 1500);
    turn();
}
