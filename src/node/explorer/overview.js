// SPDX-License-Identifier: Apache-2.0
import { h, show } from "/dom.js";
import { bars } from "/charts.js";
import { age, block, count, money, name, percent, transaction } from "/format.js";
import { card, empty, every, facts, failed, figure, meter, skeleton, table, tag } from "/parts.js";
import { follow, load, recent } from "/recent.js";
import { batch } from "/rpc.js";
import { line, outcome } from "/said.js";

async function network() {
    const asked = [["status"], ["query", ["ledger/facts", 0]], ["query", ["ledger/rules", 0]], ["validators"], ["peers"]];
    const answers = await batch(asked);
    if (answers[0] instanceof Error) throw answers[0];
    const [status, now, rules, validators, peers] = answers.map((a) => (a instanceof Error ? null : a));
    return { status, facts: now?.row ?? null, rules: rules?.row ?? null, validators, peers };
}

/** Seconds between the last blocks, in milliseconds each. */
function pace() {
    const times = recent.blocks.slice(0, 30).map((b) => Number(b.time_ms));
    if (times.length < 3) return null;
    return Math.round((times[0] - times.at(-1)) / (times.length - 1));
}

function money_card(found) {
    const m = found.facts?.money;
    if (!m) return null;
    const cap = BigInt(found.rules?.money?.cap ?? 0);
    const pairs = Object.entries(m).map(([key, value]) => [key.replaceAll("_", " "), money(value)]);
    const issued = BigInt(m.premined ?? 0) + BigInt(m.emitted ?? 0) - BigInt(m.burned ?? 0);
    return card("Supply", facts(["cap", money(cap)], ...pairs, ["in circulation", money(issued)]),
        cap && issued ? meter("Supply", [[Number((issued * 1000n) / cap), "accent", "‰ in circulation"],
            [1000 - Number((issued * 1000n) / cap), "rest", "‰ to come"]]) : null,
        cap && issued ? h("p", { class: "note" }, `${percent(issued, cap)} of all there will ever be is in circulation.`) : null);
}

function network_card(found) {
    const whole = (found.validators ?? []).reduce((sum, v) => sum + BigInt(v.power), 0n);
    return card("Network", facts(
        ["consensus", found.status.consensus],
        ["chain", name(found.status.chain, undefined, 10, 6)],
        ["this node", found.status.validator ? "votes" : "follows"],
        ["peers", count(found.status.peers)],
        ["base fee", found.facts ? [count(found.facts.base_fee), h("span", { class: "unit" }, " grains a gas")] : "—"]),
    found.validators?.length ? table("Who votes on the next block", [["Validator", ""], ["Weight", "right"]],
        found.validators.slice(0, 12).map((v) => [name(String(v.key), undefined, 16, 6), [count(v.power), " ", h("span", { class: "dim" }, percent(v.power, whole))]])) : null);
}

function figures(found) {
    const ms = pace();
    const rate = recent.blocks.slice(0, 30).reduce((sum, b) => sum + b.transactions, 0);
    const span = ms && recent.blocks.length > 2 ? (Math.min(30, recent.blocks.length) - 1) * ms : 0;
    return h("div", { class: "figures" },
        figure("Height", h("span", { class: "num", id: "height" }, count(recent.blocks[0]?.height ?? found.status.last)), found.status.state),
        figure("A block every", ms === null ? "—" : [ms < 10_000 ? count(ms) : count(Math.round(ms / 1000)), h("span", { class: "unit" }, ms < 10_000 ? " ms" : " s")], "over the last 30"),
        figure("Transactions", count(rate), span > 0 ? `in ${count(Math.max(1, Math.round(span / 1000)))} s` : "of late"),
        figure("Validators", count(found.status.validators), `${count(found.status.waiting)} transactions wait`));
}

const isBeat = (t) => (t.transaction?.messages ?? []).every((m) => m && typeof m === "object" && "market.heartbeat" in m);

export function overview(view) {
    let found = null;
    show(view, skeleton());
    const top = h("div"), activity = h("div"), side = h("div", { class: "stack" });
    const latest = h("div", { class: "stack" });

    const draw = () => {
        if (!found) return;
        show(top, figures(found));
        const shown = recent.blocks.slice(0, 60).reverse();
        show(activity, card("Activity", { aside: h("p", { class: "note" }, "transactions in each of the last 60 blocks") },
            shown.length ? bars(shown.map((b) => [b.transactions, `block ${b.height}: ${b.transactions}`]), "Transactions a block") : empty("No blocks yet", "The first one comes with the first quorum.")));
        const shownOf = recent.transactions.filter((t) => !isBeat(t));
        const beats = recent.transactions.length - shownOf.length;
        show(latest,
            card("Blocks", { aside: h("a", { href: "#/blocks" }, "All") }, recent.blocks.length ? table("The last blocks",
                [["Height", ""], ["Transactions", "right"], ["Age", "right"]],
                recent.blocks.slice(0, 8).map((b) => [block(b.height), count(b.transactions), age(b.time_ms)])) : empty("No blocks yet")),
            card("Transactions", { aside: beats ? h("p", { class: "note" }, `and ${count(beats)} heartbeats of devices`) : null }, shownOf.length ? table("The last transactions",
                [["", ""], ["What", "wide"], ["Outcome", "right"]],
                shownOf.slice(0, 8).map((t) => [transaction(t.id), line(t.transaction), outcome(t.receipt)]))
                : empty("No transactions of late", "Payments, orders and jobs appear here the moment they are in a block.")));
    };
    const refresh = async (quiet) => {
        try {
            found = await network();
            if (!quiet) show(view, h("h1", { class: "hidden" }, "Overview"), top, activity, h("div", { class: "columns" }, latest, side));
            show(side, network_card(found), money_card(found));
            draw();
        } catch (error) {
            if (!quiet) show(view, failed(error, () => refresh(false)));
        }
    };
    refresh(false);
    load().catch(() => {});
    const unfollow = follow(draw);
    const stop = every(3000, () => (found ? refresh(true) : refresh(false)));
    return () => {
        unfollow();
        stop();
    };
}
