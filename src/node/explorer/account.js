// SPDX-License-Identifier: Apache-2.0
import { h, show } from "/dom.js";
import { account, block, copyable, count, isAddress, money, transaction } from "/format.js";
import { ZERO } from "/codec.js";
import { card, empty, every, failed, figure, fillIn, skeleton, table, tag } from "/parts.js";
import { when } from "/market.js";
import { engage, model, scoreBar, score, state } from "/providers.js";
import { follow, load as loadRecent, recent } from "/recent.js";
import { ask, call } from "/rpc.js";
import { line, outcome } from "/said.js";

async function load(owner) {
    const purse = await call("balance", [owner]);
    const at = Number((await call("status")).last);
    const settle = (promise, otherwise) => promise.catch(() => otherwise);
    const zero = { of: { what: 0, when: 0 }, way: "buy", owner: ZERO, client_id: 0 };
    const [orders, devices, jobs, given, asked] = await Promise.all([
        settle(ask("market/my_orders", { owner, after: zero, most: 100 }), []),
        settle(ask("market/my_devices", { owner, after: { owner: ZERO, number: 0 }, most: 100 }).then(engage), []),
        settle(ask("escrow/jobs_of", { renter: owner, from: 0, most: 100 }), { list: [] }),
        settle(score(owner, "provider", "fp32", at), null), settle(score(owner, "renter", "fp32", at), null)]);
    return { owner, purse, orders, devices, jobs: jobs.list, given, asked };
}

/** Whether an account appears anywhere in what a transaction says. */
const concerns = (one, owner) => JSON.stringify(one.transaction ?? {}).includes(owner);

function history(owner) {
    const list = recent.transactions.filter((t) => concerns(t, owner)).slice(0, 40);
    return card("Of late", { aside: h("p", { class: "note" }, "in the blocks this page remembers") }, list.length
        ? table("Transactions", [["Block", ""], ["", ""], ["What", "wide"], ["From", ""], ["Outcome", "right"]],
            list.map((t) => [block(t.height), transaction(t.id), line(t.transaction),
                t.transaction.sender === owner ? tag("sent", "plain") : account(t.transaction.sender), outcome(t.receipt)]))
        : empty("Nothing of late", "Older transactions are found by their names."));
}

const draw = (a) => [
    h("h1", null, "Account"), h("p", { class: "lead" }, copyable(a.owner)),
    h("div", { class: "figures" }, figure("Balance", money(a.purse.balance)), figure("Transactions sent", count(a.purse.nonce)),
        figure("As a provider", a.given ? scoreBar(a.given.score) : "—", "reputation, fp32"),
        figure("As a renter", a.asked ? scoreBar(a.asked.score) : "—", "reputation, fp32")),
    a.jobs.length ? card("Jobs", h("ul", { class: "plain" }, a.jobs.map((j) => h("li", null, h("a", { href: `#/job/${j.renter}/${j.number}` }, `Job ${j.number}`))))) : null,
    a.devices.length ? card("Devices", table("Devices", [["Device", "wide"], ["State", ""], ["Class", "right"], ["Bond", "right"]],
        a.devices.map((d) => [h("a", { href: `#/provider/${d.key.owner}/${d.key.number}` }, model(d.capability)), state(d.doing.state), String(d.of), money(d.bond)]))) : null,
    a.orders.length ? card("Orders", table("Orders", [["Instrument", ""], ["Side", ""], ["Open", "right"], ["Limit", "right"], ["Locked", "right"], ["Until", "right"]],
        a.orders.map((o) => [h("a", { href: `#/market/${o.key.of.what}/${o.key.of.when}` }, `class ${o.key.of.what}, ${when(o.key.of.when)}`),
            tag(o.key.way, o.key.way === "buy" ? "good" : "note"), count(o.now.left), money(o.now.limit), money(o.now.locked), block(o.now.expires)]))) : null];

export function accountPage(view, [owner]) {
    if (!isAddress(owner ?? "")) {
        show(view, failed(new Error("An account is written blendr1 and 59 more characters.")));
        return null;
    }
    const top = h("div"), late = h("div");
    show(view, top, late);
    show(top, skeleton());
    const late_now = () => show(late, history(owner));
    const refresh = (quiet) => fillIn(top, () => load(owner), draw, quiet);
    refresh(false).then((good) => good && late_now());
    loadRecent().catch(() => {});
    const ends = [every(4000, () => refresh(true)), follow(() => top.querySelector("h1") && late_now())];
    return () => ends.forEach((end) => end());
}
