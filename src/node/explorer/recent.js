// SPDX-License-Identifier: Apache-2.0
// What happened of late: the last blocks and their transactions, kept up by events for every page.
import { batch, call, live } from "/rpc.js";

const BLOCKS = 120;
const BLOCKS_ASKED = 60;
const TRANSACTIONS = 400;
const TRANSACTIONS_ASKED = 200;

export const recent = { blocks: [], transactions: [], status: null };

const listeners = new Set();
let told = false;

/** Calls `listener` soon after anything changed; returns what ends that. */
export function follow(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
}

function changed() {
    if (told) return;
    told = true;
    setTimeout(() => {
        told = false;
        for (const each of listeners) each();
    }, 120);
}

function addBlock(block) {
    const at = recent.blocks.findIndex((b) => b.height <= block.height);
    if (at >= 0 && recent.blocks[at].height === block.height) Object.assign(recent.blocks[at], block);
    else recent.blocks.splice(at < 0 ? recent.blocks.length : at, 0, block);
    recent.blocks.length = Math.min(recent.blocks.length, BLOCKS);
}

function addTransaction(one) {
    if (recent.transactions.some((t) => t.id === one.id)) return;
    const later = (t) => t.height > one.height || (t.height === one.height && t.index > one.index);
    const at = recent.transactions.findIndex((t) => !later(t));
    recent.transactions.splice(at < 0 ? recent.transactions.length : at, 0, one);
    recent.transactions.length = Math.min(recent.transactions.length, TRANSACTIONS);
}

/** Asks for what came before the page was opened, or while it heard nothing. */
export async function load() {
    recent.status = await call("status");
    const last = Number(recent.status.last);
    const known = new Set(recent.blocks.map((b) => b.height));
    const missing = [];
    for (let height = last; height > Math.max(0, last - BLOCKS_ASKED); --height)
        if (!known.has(height)) missing.push(["block", [height]]);
    const ids = [];
    for (const block of await batch(missing)) {
        if (block instanceof Error) continue;
        addBlock({ height: Number(block.height), id: block.id, time_ms: block.time_ms,
            transactions: block.transactions?.length ?? 0 });
        ids.push(...(block.transactions ?? []));
    }
    const wanted = ids.slice(0, TRANSACTIONS_ASKED).map((id) => ["transaction", [id]]);
    for (const one of await batch(wanted))
        if (!(one instanceof Error) && one.state === "committed") addTransaction(one);
    changed();
}

export function start() {
    live.on("blocks", (event) => {
        addBlock({ ...event, height: Number(event.height) });
        if (recent.status) recent.status.last = event.height;
        changed();
    });
    live.on("transactions", (event) => {
        addTransaction({ ...event, height: Number(event.height) });
        changed();
    });
    live.watch((state) => {
        if (state.is === "live") load().catch(() => {});
    });
}

/** Messages of the recent transactions of one kind, newest first: [transaction, members]. */
export function messages(kind) {
    const out = [];
    for (const one of recent.transactions)
        for (const message of one.transaction?.messages ?? [])
            if (message && typeof message === "object" && kind in message) out.push([one, message[kind]]);
    return out;
}
