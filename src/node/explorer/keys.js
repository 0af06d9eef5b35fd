// SPDX-License-Identifier: Apache-2.0
// A key that stays in this browser: made, kept and used here by WebCrypto's Ed25519. It leaves only as the file that its owner
// saves: 64 digits of hex, which `wallet keys import NAME --seed-file FILE` reads, too.
import { addressOf, finish, fromHex, prepare, toHex } from "/codec.js";
import { call, row } from "/rpc.js";

const STORE = "blendr-key";
const HEAD = fromHex("302e020100300506032b657004220420");  // PKCS #8 around a seed (RFC 8410)

/** Why signing is not possible here, as a sentence; null where it is. */
export async function missing() {
    if (!globalThis.crypto?.subtle) return "This browser has no WebCrypto for pages like this one, so it cannot keep a key. Open the page over localhost or HTTPS.";
    try {
        await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]);
        return null;
    } catch {
        return "This browser's WebCrypto has no Ed25519, so it cannot sign for this chain. Chrome 137, Firefox 129, Safari 17 and newer have it; or use the wallet on a terminal.";
    }
}

async function fromSeed(seed) {
    const raw = new Uint8Array(HEAD.length + 32);
    raw.set(HEAD);
    raw.set(seed, HEAD.length);
    const pair = await crypto.subtle.importKey("pkcs8", raw, { name: "Ed25519" }, true, ["sign"]);
    const jwk = await crypto.subtle.exportKey("jwk", pair);
    const publicKey = Uint8Array.from(atob(jwk.x.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
    const signer = await crypto.subtle.importKey("pkcs8", raw, { name: "Ed25519" }, false, ["sign"]);
    raw.fill(0);
    return { publicKey, address: addressOf(publicKey), signer, seed: () => toHex(seed) };
}

function keep(text) {
    try {
        if (text === null) localStorage.removeItem(STORE);
        else localStorage.setItem(STORE, text);
        return true;
    } catch {
        return false;  // for this page alone, then
    }
}

export async function load() {
    let text = null;
    try {
        text = localStorage.getItem(STORE);
    } catch {
        return null;
    }
    return text && /^[0-9a-f]{64}$/.test(text) ? fromSeed(fromHex(text)) : null;
}

export async function make() {
    const seed = crypto.getRandomValues(new Uint8Array(32));
    keep(toHex(seed));
    return fromSeed(seed);
}

export async function importSeed(text) {
    const seed = text.trim().toLowerCase();
    if (!/^[0-9a-f]{64}$/.test(seed)) throw new Error("A key file holds 64 digits of hex.");
    keep(seed);
    return fromSeed(fromHex(seed));
}

export const forget = () => keep(null);

/** Signs messages as one transaction: {id, raw} in hex. Everything that is signed was encoded in this page. */
export async function sign(key, messages, fee = 10_000_000n, of = {}) {
    const rules = of.chain !== undefined ? { chain: of.chain } : await row("ledger/rules", 0);
    const nonce = of.nonce ?? (await call("balance", [key.address])).nonce;
    const expires = of.expires ?? Number((await call("status")).last) + 1000;
    const tx = prepare({ chain: rules.chain, shard: rules.shard ?? 0, sender: key.publicKey, nonce, fee_max: fee, tip: 0, expires, messages });
    const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", key.signer, tx.id));
    return { id: toHex(tx.id), raw: toHex(finish(tx.signed, signature)) };
}

/** Waits until a transaction is in a block: what became of it. */
export async function committed(id, limitMs = 60_000) {
    for (const until = Date.now() + limitMs; Date.now() < until;) {
        const found = await call("transaction", [id]).catch(() => null);
        if (found?.state === "committed") return found;
        await new Promise((done) => setTimeout(done, 250));
    }
    throw new Error("It waits for a block for a minute already. It may still happen: its name is " + id);
}
