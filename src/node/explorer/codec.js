// SPDX-License-Identifier: Apache-2.0
// The chain's encodings in the browser: canonical bytes, BLAKE2b-256 in a domain, addresses, transactions. Frozen vectors
// that the library writes hold every line of it (tests/vectors/node/explorer).

// ---- bytes

export const toHex = (raw) => Array.from(raw, (b) => b.toString(16).padStart(2, "0")).join("");
export function fromHex(text) {
    if (!/^([0-9a-f]{2})*$/i.test(text)) throw new Error("That is no hex.");
    return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

class Writer {
    raw = [];
    integer(value, size) {
        let left = BigInt(value);
        if (left < 0n || left >> BigInt(8 * size)) throw new Error(`${value} does not fit ${size} bytes.`);
        for (let i = 0; i < size; ++i, left >>= 8n) this.raw.push(Number(left & 0xffn));
    }
    varint(value) {
        let left = BigInt(value);
        for (; left >= 0x80n; left >>= 7n) this.raw.push(Number(left & 0x7fn) | 0x80);
        this.raw.push(Number(left));
    }
    put(bytes) {
        for (const b of bytes) this.raw.push(b);
    }
}

// A type writes a value; struct, list and the rest make types of types.
const integer = (size) => (to, value) => to.integer(value, size);
export const u8 = integer(1), u16 = integer(2), u32 = integer(4), u64 = integer(8), u128 = integer(16);
export const bool = (to, value) => to.integer(value ? 1 : 0, 1);
export const hash = (to, value) => {
    const raw = fromHex(value);
    if (raw.length !== 32) throw new Error("A hash has 64 digits of hex.");
    to.put(raw);
};
export const address = (to, value) => to.put(parseAddress(value));
export const text = (to, value) => {
    const raw = new TextEncoder().encode(value);
    to.varint(raw.length);
    to.put(raw);
};
export const blob = (to, value) => {
    to.varint(value.length);
    to.put(value);
};
export const list = (of) => (to, values) => {
    to.varint(values.length);
    for (const each of values) of(to, each);
};
export const option = (of) => (to, value) => {
    to.integer(value === null || value === undefined ? 0 : 1, 1);
    if (value !== null && value !== undefined) of(to, value);
};
export const choice = (names, size = 1) => (to, value) => {
    if (!(value in names)) throw new Error(`${value} is none of ${Object.keys(names).join(", ")}.`);
    to.integer(names[value], size);
};
export const struct = (members) => (to, value) => {
    const left = new Set(Object.keys(value));
    for (const [member, type] of Object.entries(members)) {
        if (!left.delete(member)) throw new Error(`The member "${member}" is missing.`);
        type(to, value[member]);
    }
    if (left.size) throw new Error(`There is no member "${[...left][0]}".`);
};

export function encode(type, value) {
    const to = new Writer();
    type(to, value);
    return Uint8Array.from(to.raw);
}

// ---- BLAKE2b-256 (RFC 7693), the domain in its personalisation field

const M64 = (1n << 64n) - 1n;
const IV = [0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n,
    0x510e527fade682d1n, 0x9b05688c2b3e6c1fn, 0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n];
const ORDER = ["0123456789abcdef", "ea489fd61c02b753", "b8c052fdae367194", "7931dcbe265a40f8",
    "905724afe1bc683d", "2c6a0b834d75fe19", "c51fed4a0763928b", "db7ec13950f4862a",
    "6fe9b308c2d714a5", "a2847615fb9e3cd0"].map((row) => Array.from(row, (c) => parseInt(c, 16)));
const PLACES = [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15], [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]];
const turn = (value, by) => ((value >> by) | (value << (64n - by))) & M64;

function word(raw, at) {
    let out = 0n;
    for (let i = 7; i >= 0; --i) out = (out << 8n) | BigInt(raw[at + i]);
    return out;
}

function compress(state, block, total, last) {
    const m = Array.from({ length: 16 }, (_, i) => word(block, 8 * i));
    const v = [...state, ...IV];
    v[12] ^= total;
    if (last) v[14] ^= M64;
    for (let round = 0; round < 12; ++round) {
        const order = ORDER[round % 10];
        PLACES.forEach(([a, b, c, d], i) => {
            v[a] = (v[a] + v[b] + m[order[2 * i]]) & M64;
            v[d] = turn(v[d] ^ v[a], 32n);
            v[c] = (v[c] + v[d]) & M64;
            v[b] = turn(v[b] ^ v[c], 24n);
            v[a] = (v[a] + v[b] + m[order[2 * i + 1]]) & M64;
            v[d] = turn(v[d] ^ v[a], 16n);
            v[c] = (v[c] + v[d]) & M64;
            v[b] = turn(v[b] ^ v[c], 63n);
        });
    }
    for (let i = 0; i < 8; ++i) state[i] ^= v[i] ^ v[i + 8];
}

/** The hash of bytes in a domain: a name of up to 16 characters; none for the formats of others. Under a key, where there is one. */
export function hashIn(domain, bytes, key = null) {
    const personal = new Uint8Array(16);
    personal.set(new TextEncoder().encode(domain));
    let raw = bytes;
    if (key) {  // its own block, before all others
        raw = new Uint8Array(128 + bytes.length);
        raw.set(key);
        raw.set(bytes, 128);
    }
    const state = [...IV];
    state[0] ^= 0x01010020n ^ (BigInt(key?.length ?? 0) << 8n);
    state[6] ^= word(personal, 0);
    state[7] ^= word(personal, 8);
    let at = 0;
    for (; raw.length - at > 128; at += 128) compress(state, raw.subarray(at, at + 128), BigInt(at + 128), false);
    const block = new Uint8Array(128);
    block.set(raw.subarray(at));
    compress(state, block, BigInt(raw.length), true);
    return Uint8Array.from({ length: 32 }, (_, i) => Number((state[i >> 3] >> BigInt(8 * (i & 7))) & 0xffn));
}

// ---- addresses: bech32m of a version and 32 bytes

const ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const PREFIX = "blendr";
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

function remainder(symbols) {
    let value = 1;
    const feed = (symbol) => {
        const top = value >>> 25;
        value = ((value & 0x1ffffff) << 5) ^ symbol;
        GENERATOR.forEach((each, i) => {
            if ((top >> i) & 1) value ^= each;
        });
    };
    const codes = Array.from(PREFIX, (c) => c.charCodeAt(0));
    codes.forEach((c) => feed(c >> 5));
    feed(0);
    codes.forEach((c) => feed(c & 31));
    symbols.forEach(feed);
    return value >>> 0;
}

/** Regroups bits; what is left over is padded with zeros, or must be zeros. */
function regroup(values, from, to, pad) {
    let held = 0, bits = 0;
    const out = [];
    for (const value of values) {
        held = (held << from) | value;
        for (bits += from; bits >= to;) {
            bits -= to;
            out.push((held >> bits) & ((1 << to) - 1));
            held &= (1 << bits) - 1;
        }
    }
    if (pad && bits > 0) out.push((held << (to - bits)) & ((1 << to) - 1));
    else if (!pad && held !== 0) throw new Error("Bits are left over behind the address.");
    return out;
}

export function addressText(raw) {
    const symbols = [0, ...regroup(raw, 8, 5, true)];
    const sum = (remainder([...symbols, 0, 0, 0, 0, 0, 0]) ^ 0x2bc830a3) >>> 0;
    for (let i = 0; i < 6; ++i) symbols.push((sum >>> (5 * (5 - i))) & 31);
    return `${PREFIX}1${symbols.map((each) => ALPHABET[each]).join("")}`;
}

export function parseAddress(written) {
    const lower = written.toLowerCase();
    if (written !== lower && written !== written.toUpperCase()) throw new Error("Upper and lower case are mixed.");
    if (!lower.startsWith(`${PREFIX}1`)) throw new Error("An account begins with blendr1.");
    const symbols = Array.from(lower.slice(PREFIX.length + 1), (c) => ALPHABET.indexOf(c));
    if (symbols.includes(-1)) throw new Error("A character that no account has.");
    if (symbols.length !== 59) throw new Error("An account has 66 characters.");
    if (remainder(symbols) !== 0x2bc830a3) throw new Error("A character is mistyped: the checksum is wrong.");
    if (symbols[0] !== 0) throw new Error("An account of a kind that this page does not know.");
    const raw = regroup(symbols.slice(1, -6), 5, 8, false);
    if (raw.length !== 32) throw new Error("An account has 32 bytes.");
    return Uint8Array.from(raw);
}

/** A blob's name as a text: a content id of raw bytes, from 64 digits of hex. */
export function contentName(digest) {
    const digits = "abcdefghijklmnopqrstuvwxyz234567";
    return `b${regroup([1, 0x55, 0xa0, 0xe4, 2, 32, ...fromHex(digest)], 8, 5, true).map((each) => digits[each]).join("")}`;
}

/** Before every other address. */
export const ZERO = addressText(new Uint8Array(32));

const ED25519 = 1;
const tagged = (to, raw) => {
    to.integer(ED25519, 1);
    to.varint(raw.length);
    to.put(raw);
};

export const addressOf = (publicKey) => addressText(hashIn("address.key/1", encode(tagged, publicKey)));

// ---- messages: [contract, index, type]

const instrument = struct({ what: u32, when: u32 });
const side = choice({ buy: 0, sell: 1 });
const jobKey = struct({ renter: address, number: u64 });
const family = choice({ fp32: 1, memory: 2, integer: 3 });
const role = choice({ provider: 1, renter: 2 });
export const opening = struct({ worker: address, task: hash, nonce: hash, digest: hash });
export const origin = struct({ job: jobKey, opened: u64, unit: u32, with: u32 });
export const runState = struct({ unit: blob, done: blob });
const orderKey = struct({ of: instrument, way: side, owner: address, client_id: u64 });
const verification = struct({ by: choice({ renter: 1, replicas: 2, spot: 3, product: 4 }), quorum: u16, most: u16, trust: u32,
    within: struct({ absolute: u64, per_million: u32 }), commit_within: u32, reveal_within: u32, fee: u128, cost: u128, steps: u64,
    move_within: u32, inner: u64, columns: u64 });
export const order = struct({ program: hash, inputs: list(hash), data: hash, items: u64, units: u32, size: u64, demand: u64, work: family,
    wanted: text, cap: u64, bond: u128, search_within: u32, start_within: u32, run_within: u32, window: u32, grace: u32, notice: u32,
    warn_before: u32, checks: verification });

export const MESSAGES = {
    "bank.transfer": [1, 0, struct({ to: address, value: u128 })],
    "market.place": [4, 0, struct({ of: instrument, way: side, client_id: u64, size: u64, limit: u64, expires: u64, rounds: u32, immediate: bool,
        gang: bool, per_provider_max: u64, wanted: text, device: u32, hours: u32, post_only: bool })],
    "market.cancel": [4, 1, struct({ order: orderKey })],
    "reputation.rate": [5, 0, struct({ agreement: hash, subject: struct({ who: address, as: role, work: family }), rating: u32 })],
    "escrow.submit": [7, 0, struct({ number: u64, what: order, deposit: u128, posted: u64 })],
    "escrow.top_up": [7, 1, struct({ job: jobKey, value: u128 })],
    "escrow.accept": [7, 3, struct({ job: jobKey, unit: u32 })],
    "escrow.object": [7, 5, struct({ job: jobKey, unit: u32 })],
    "escrow.cancel_all": [7, 8, struct({ job: jobKey })],
};

const wire = (to, message) => {
    const [[kind, members]] = Object.entries(message);
    const known = MESSAGES[kind];
    if (!known) throw new Error(`This page does not know how "${kind}" is written.`);
    const [contract, index, type] = known;
    u16(to, contract);
    u16(to, index);
    blob(to, encode(type, members));
};

const body = (to, tx) => {
    u8(to, 1);
    u64(to, tx.chain);
    u16(to, tx.shard ?? 0);
    tagged(to, tx.sender);
    u64(to, tx.nonce);
    u128(to, tx.fee_max);
    u128(to, tx.tip ?? 0);
    u64(to, tx.expires);
    list(wire)(to, tx.messages);
};

/** What a transaction's name is, and what its sender signs: {signed, id}. */
export function prepare(tx) {
    const signed = encode(body, tx);
    return { signed, id: hashIn("transaction/1", signed) };
}

/** The whole transaction, once signed. */
export function finish(signed, signature) {
    const to = new Writer();
    to.put(signed);
    tagged(to, signature);
    return Uint8Array.from(to.raw);
}
