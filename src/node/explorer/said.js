// SPDX-License-Identifier: Apache-2.0
// What transactions say, in words.
import { h } from "/dom.js";
import { account, count, isAddress, isHash, money, name, short, words } from "/format.js";
import { tag } from "/parts.js";

const MONEY = new Set(["value", "deposit", "posted", "cover", "more", "limit", "cap", "bond", "fee", "cost", "balance",
    "held", "checks", "stake", "each", "per_height", "earned", "fees", "paid_out", "locked", "at_price", "tip", "fee_max"]);

/** [contract.message, members] of each message; what the node could not read stands as it is. */
export function parts(transaction) {
    return (transaction?.messages ?? []).map((message) => {
        const found = message && typeof message === "object" ? Object.entries(message) : [];
        return found.length === 1 ? found[0] : ["unreadable", message];
    });
}

const TITLES = {
    "bank.transfer": "Payment", "market.place": "Order", "market.cancel": "Order cancelled", "market.replace": "Order changed",
    "market.enrol": "Device registered", "market.retire": "Device retired", "market.heartbeat": "Heartbeat",
    "market.mint": "Capacity minted", "escrow.submit": "Job submitted", "escrow.take": "Units taken", "escrow.start": "Work begun",
    "escrow.deliver": "Unit delivered", "escrow.accept": "Unit accepted", "escrow.cancel_all": "Job cancelled",
    "escrow.top_up": "Deposit added", "reputation.rate": "Rating", "bond.lock_provider": "Bond locked",
    "verify.commit": "Result committed", "verify.reveal": "Result revealed",
};

export const title = (kind) => TITLES[kind] ?? words(kind.split(".").at(-1)).replace(/^./, (c) => c.toUpperCase());

/** One line about a transaction: what, and to whom or how much. */
export function line(transaction) {
    const all = parts(transaction);
    if (all.length === 0) return "—";
    const [kind, m] = all[0];
    const more = all.length > 1 ? h("span", { class: "dim" }, ` and ${all.length - 1} more`) : null;
    let rest = null;
    if (kind === "bank.transfer") rest = [money(m.value), " to ", account(m.to)];
    else if (kind === "market.place") rest = [m.way === "buy" ? "buys " : "sells ", count(m.size), " units at ", money(m.limit)];
    else if (kind === "escrow.submit") rest = [`job ${m.number}, `, count(m.what?.units ?? 0), " units"];
    else if (m && typeof m === "object" && m.job?.renter) rest = [`job ${m.job.number}`, m.unit !== undefined ? `, unit ${m.unit}` : ""];
    else if (kind === "reputation.rate") rest = [`${m.rating} of 100 for `, account(m.subject.who)];
    return h("span", { class: "said" }, tag(title(kind)), " ", rest, more);
}

/** A value of any shape, to look at. */
export function value(it, key = "") {
    if (it === null || it === undefined) return h("span", { class: "dim" }, "none");
    if (typeof it === "boolean") return it ? "yes" : "no";
    if (Array.isArray(it)) {
        if (it.length === 0) return h("span", { class: "dim" }, "none");
        return h("ol", { class: "values" }, it.map((each) => h("li", null, value(each, key))));
    }
    if (typeof it === "object") {
        return h("dl", { class: "tree" }, Object.entries(it).map(([k, v]) =>
            h("div", null, h("dt", null, words(k)), h("dd", null, value(v, k)))));
    }
    const text = String(it);
    if (isAddress(text)) return account(text);
    if (MONEY.has(key) && /^\d+$/.test(text)) return money(text);
    if (typeof it === "number") return h("span", { class: "num" }, count(it));
    if (isHash(text)) return name(text, undefined, 12, 8);
    return text === "" ? h("span", { class: "dim" }, "empty") : h("span", { class: "text" }, text.length > 300 ? short(text, 200, 40) : text);
}

export const outcome = (receipt) => receipt === undefined ? tag("not known") :
    receipt.code === 0 ? tag("done", "good") : tag(words(receipt.result), "bad");
