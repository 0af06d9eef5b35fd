// SPDX-License-Identifier: Apache-2.0
import { h, show } from "/dom.js";
import { account, age, block, copyable, count, isHash, money, name, transaction } from "/format.js";
import { card, empty, facts, failed, fillIn, skeleton, table } from "/parts.js";
import { follow, load, recent } from "/recent.js";
import { batch, call, live, Refusal } from "/rpc.js";
import { line, outcome, parts, title, value } from "/said.js";

const row = (t) => [transaction(t.id), line(t.transaction), account(t.transaction?.sender ?? "—"), outcome(t.receipt)];
const COLUMNS = [["", ""], ["What", "wide"], ["From", ""], ["Outcome", "right"]];

export function blocksPage(view, [before]) {
    const last = before ? Number(before) : null;
    if (last !== null) {
        fillIn(view, async () => {
            const heights = [];
            for (let at = last; at > Math.max(0, last - 50); --at) heights.push(["block", [at]]);
            return (await batch(heights)).filter((b) => !(b instanceof Error))
                .map((b) => ({ ...b, transactions: b.transactions?.length ?? 0 }));
        }, (list) => draw(list, false));
        return null;
    }
    const draw = (list, isLive) => [h("h1", null, "Blocks"),
        card(isLive ? "As they come" : `Down from ${count(last)}`, { aside: isLive ? null : h("a", { href: "#/blocks" }, "Newest") },
            list.length ? table("Blocks, newest first", [["Height", ""], ["Hash", ""], ["Transactions", "right"], ["Age", "right"]],
                list.map((b) => [block(b.height), name(b.id, `#/block/${b.height}`, 12, 6), count(b.transactions), age(b.time_ms)]))
                : empty("No blocks yet", "The network has not decided anything so far."),
            list.length && Number(list.at(-1).height) > 1
                ? h("p", { class: "more" }, h("a", { href: `#/blocks/${Number(list.at(-1).height) - 1}` }, "Older")) : null),
        isLive ? card("Transactions", recent.transactions.length ? table("The last transactions", COLUMNS, recent.transactions.slice(0, 25).map(row))
            : empty("No transactions of late", "Nobody has asked for anything in the last blocks.")) : null];
    load().then(() => show(view, draw(recent.blocks.slice(0, 25), true)),
        (error) => show(view, failed(error, () => blocksPage(view, []))));
    return follow(() => {
        if (recent.blocks.length) show(view, draw(recent.blocks.slice(0, 25), true));
    });
}

async function whole(height) {
    const found = await call("block", [height]);
    const ids = found.transactions ?? [];
    const txs = await batch(ids.slice(0, 200).map((id) => ["transaction", [id]]));
    return { ...found, list: ids.map((id, i) => (txs[i] && !(txs[i] instanceof Error)) ? txs[i]
        : { id, receipt: found.results?.[i], transaction: null }) };
}

export function blockPage(view, [text]) {
    const height = /^\d{1,15}$/.test(text ?? "") ? Number(text) : null;
    if (height === null) {
        show(view, failed(new Error("A block is named by its height.")));
        return null;
    }
    fillIn(view, () => whole(height), (b) => [
        h("h1", null, "Block ", count(b.height)),
        h("p", { class: "around" }, b.height > 1 ? h("a", { href: `#/block/${b.height - 1}`, rel: "prev" }, "← ", count(b.height - 1)) : null,
            h("a", { href: `#/block/${b.height + 1}`, rel: "next" }, count(b.height + 1), " →")),
        card("Header", facts(["hash", copyable(b.id)], ["parent", name(b.parent, b.height > 1 ? `#/block/${b.height - 1}` : undefined, 14, 8)],
            ["time", [new Date(Number(b.time_ms)).toLocaleString(), " · ", age(b.time_ms)]],
            ["proposer", h("span", { class: "mono break" }, String(b.proposer))],
            b.header?.gas_used !== undefined ? ["gas", count(b.header.gas_used)] : null),
        h("details", null, h("summary", null, "All of the header"), b.header ? value(b.header) : empty("Not readable"))),
        card("Transactions", { aside: h("p", { class: "note" }, count(b.list.length)) },
            b.list.length ? table("Transactions of this block", COLUMNS, b.list.map(row)) : empty("An empty block", "It moved the beacon and the clock, and nothing else.")),
    ]);
    return null;
}

export function transactionPage(view, [id]) {
    if (!isHash(id ?? "")) {
        show(view, failed(new Error("A transaction is named by 64 digits of hex.")));
        return null;
    }
    let settled = false;
    const draw = (t) => {
        settled = t.state === "committed";
        const tx = t.transaction;
        return [h("h1", null, "Transaction"),
            card("What became of it", facts(["name", copyable(t.id)],
                ["stands in", settled ? ["block ", block(t.height), `, place ${t.index}`] : "no block yet: it waits"],
                ["outcome", settled ? outcome(t.receipt) : h("span", { class: "dim" }, "open")],
                t.receipt?.fee !== undefined ? ["paid", [money(t.receipt.fee), h("span", { class: "dim" }, " for ", count(t.receipt.gas), " gas")]] : null)),
            tx ? [card("Signed by", facts(["account", copyable(tx.sender)], ["see", account(tx.sender)], ["nonce", count(tx.nonce)],
                ["pays at most", money(tx.fee_max)], ["tip", money(tx.tip)], ["good until block", count(tx.expires)])),
            parts(tx).map(([kind, members]) => card(title(kind), { aside: h("p", { class: "note mono" }, kind) }, value(members)))]
                : empty("Its bytes are not readable")];
    };
    const ask = () => fillIn(view, () => call("transaction", [id]), draw, settled);
    fillIn(view, () => call("transaction", [id]), draw);
    return live.on("blocks", () => {
        if (!settled) call("transaction", [id]).then((t) => show(view, draw(t)), (e) => {
            if (!(e instanceof Refusal)) ask();
        });
    });
}
