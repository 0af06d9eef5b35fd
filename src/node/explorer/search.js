// SPDX-License-Identifier: Apache-2.0
// One field for everything: a height, a hash, an account, a device, a job.
import { h, show } from "/dom.js";
import { ZERO } from "/codec.js";
import { account, isAddress, isHash } from "/format.js";
import { empty, failed, skeleton } from "/parts.js";
import { ask, batch, Unreachable } from "/rpc.js";
import { recent } from "/recent.js";

const go = (to) => location.replace(to);

async function findHash(hash) {
    const known = recent.blocks.find((b) => b.id === hash);
    if (known) return go(`#/block/${known.height}`);
    const [found] = await batch([["transaction", [hash]]]);
    if (!(found instanceof Error)) return go(`#/tx/${hash}`);
    if (found instanceof Unreachable) throw found;
    return undefined;
}

/** A device or job is written OWNER/NUMBER, as the page writes it. */
async function findOwned(owner, number) {
    const [job, devices] = await Promise.allSettled([
        ask("escrow/job_of", { job: { renter: owner, number } }),
        ask("market/my_devices", { owner, after: { owner: ZERO, number: 0 }, most: 256 }),
    ]);
    if (job.status === "fulfilled" && job.value.known) return go(`#/job/${owner}/${number}`);
    if (devices.status === "fulfilled" && devices.value.some((d) => d.key.number === number))
        return go(`#/provider/${owner}/${number}`);
    return undefined;
}

async function search(words) {
    const text = words.trim().toLowerCase();
    const plain = text.replace(/[\s\u202f,_#]/g, "");
    if (/^\d{1,15}$/.test(plain)) return go(`#/block/${plain}`);
    if (isHash(plain)) return findHash(plain);
    const owned = /^(blendr1[a-z0-9]+)[/: ](\d{1,9})$/.exec(text);
    if (owned) return findOwned(owned[1], Number(owned[2]));
    if (isAddress(plain)) return go(`#/account/${plain}`);
    return undefined;
}

export function find(words, view) {
    show(view, skeleton());
    search(words ?? "").then(() => {
        if (!location.hash.startsWith("#/search/")) return;
        // Names cut short, as people copy them from a screen.
        const begins = words.trim().toLowerCase().split("…")[0];
        const near = begins.length < 6 ? [] : [
            ...recent.blocks.filter((b) => b.id.startsWith(begins)).map((b) => [`#/block/${b.height}`, `block ${b.height}`]),
            ...recent.transactions.filter((t) => t.id.startsWith(begins)).map((t) => [`#/tx/${t.id}`, `transaction ${t.id}`]),
        ];
        const accounts = begins.length < 10 ? [] : [...new Set(recent.transactions
            .map((t) => t.transaction?.sender).filter((a) => a?.startsWith(begins)))];
        show(view, h("h1", null, "Search"), empty(`Nothing is found for “${words}”.`,
            "Try a height, the 64 digits of a block or transaction, an account (blendr1…), or a device or job as account/number. "
            + "Transactions are looked up in the blocks that this node remembers."),
        near.length || accounts.length ? h("ul", { class: "plain" }, near.slice(0, 10).map(([href, text]) => h("li", null, h("a", { href }, text))),
            accounts.slice(0, 5).map((a) => h("li", null, account(a)))) : null);
    }).catch((error) => show(view, failed(error, () => find(words, view))));
}
