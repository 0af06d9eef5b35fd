// SPDX-License-Identifier: Apache-2.0
// Sealed data, opened in the browser: X25519 by WebCrypto, XChaCha20-Poly1305 here. What the library seals is what
// this opens; a test has both sides try.
import { fromHex, hashIn, toHex } from "/codec.js";

// ---- ChaCha20 (RFC 8439) and HChaCha20

const SIGMA = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574];
const words = (raw, at, count) => {
    const view = new DataView(raw.buffer, raw.byteOffset + at, 4 * count);
    return Array.from({ length: count }, (_, i) => view.getUint32(4 * i, true));
};
const turn = (value, by) => (value << by) | (value >>> (32 - by));

function rounds(x) {
    const mix = (a, b, c, d) => {
        x[a] = (x[a] + x[b]) | 0; x[d] = turn(x[d] ^ x[a], 16);
        x[c] = (x[c] + x[d]) | 0; x[b] = turn(x[b] ^ x[c], 12);
        x[a] = (x[a] + x[b]) | 0; x[d] = turn(x[d] ^ x[a], 8);
        x[c] = (x[c] + x[d]) | 0; x[b] = turn(x[b] ^ x[c], 7);
    };
    for (let i = 0; i < 10; ++i) {
        mix(0, 4, 8, 12); mix(1, 5, 9, 13); mix(2, 6, 10, 14); mix(3, 7, 11, 15);
        mix(0, 5, 10, 15); mix(1, 6, 11, 12); mix(2, 7, 8, 13); mix(3, 4, 9, 14);
    }
}

/** XORs the stream of a key and a nonce of 12 bytes, from that block on, into a copy of `data`. */
function chacha(key, nonce, block, data) {
    const start = Int32Array.from([...SIGMA, ...words(key, 0, 8), block, ...words(nonce, 0, 3)]);
    const out = Uint8Array.from(data);
    const stream = new Uint8Array(64), view = new DataView(stream.buffer), x = new Int32Array(16);
    for (let at = 0; at < out.length; at += 64) {
        x.set(start);
        rounds(x);
        for (let i = 0; i < 16; ++i) view.setInt32(4 * i, (x[i] + start[i]) | 0, true);
        const end = Math.min(64, out.length - at);
        for (let i = 0; i < end; ++i) out[at + i] ^= stream[i];
        start[12] = (start[12] + 1) | 0;
    }
    return out;
}

function hchacha(key, input) {
    const x = Int32Array.from([...SIGMA, ...words(key, 0, 8), ...words(input, 0, 4)]);
    rounds(x);
    const out = new Uint8Array(32), view = new DataView(out.buffer);
    [0, 1, 2, 3, 12, 13, 14, 15].forEach((from, i) => view.setInt32(4 * i, x[from], true));
    return out;
}

// ---- Poly1305, in limbs of 13 bits

const LIMB = 13, LIMBS = 10, MASK = 0x1fff;

function limbs(raw, high) {
    const out = new Float64Array(LIMBS);
    for (let i = 0; i < LIMBS; ++i) {
        const bit = LIMB * i, at = bit >> 3;
        const three = (raw[at] ?? 0) | ((raw[at + 1] ?? 0) << 8) | ((raw[at + 2] ?? 0) << 16);
        out[i] = (three >> (bit & 7)) & MASK;
    }
    if (high) out[9] += 2 ** (128 - 9 * LIMB);
    return out;
}

/** The tag of pieces one behind the other. */
function poly1305(key, message) {
    const clamped = Uint8Array.from(key.subarray(0, 16));
    for (const i of [3, 7, 11, 15]) clamped[i] &= 15;
    for (const i of [4, 8, 12]) clamped[i] &= 252;
    const r = limbs(clamped, false), sum = new Float64Array(LIMBS), product = new Float64Array(LIMBS);
    for (let at = 0; at < message.length; at += 16) {
        const block = message.subarray(at, at + 16);
        const whole = block.length === 16;
        const padded = whole ? block : Uint8Array.from([...block, 1, ...new Uint8Array(15 - block.length)]);
        const more = limbs(padded, whole);
        for (let i = 0; i < LIMBS; ++i) sum[i] += more[i];
        for (let i = 0; i < LIMBS; ++i) {
            let all = 0;
            for (let j = 0; j < LIMBS; ++j) all += sum[j] * (j <= i ? r[i - j] : 5 * r[i + LIMBS - j]);
            product[i] = all;
        }
        let carry = 0;
        for (let i = 0; i < LIMBS; ++i) {
            const here = product[i] + carry;
            carry = Math.floor(here / 8192);
            sum[i] = here - carry * 8192;
        }
        sum[0] += 5 * carry;
        carry = Math.floor(sum[0] / 8192);
        sum[0] -= carry * 8192;
        sum[1] += carry;
    }
    let value = 0n;
    for (let i = LIMBS - 1; i >= 0; --i) value = value * 8192n + BigInt(sum[i]);
    value %= (1n << 130n) - 5n;
    for (let i = 15, pad = 0n; i >= 0; --i) {
        pad = (pad << 8n) | BigInt(key[16 + i]);
        if (i === 0) value += pad;
    }
    return Uint8Array.from({ length: 16 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

const lengths = (...all) => {
    const out = new Uint8Array(8 * all.length), view = new DataView(out.buffer);
    all.forEach((each, i) => view.setBigUint64(8 * i, BigInt(each), true));
    return out;
};
const joined = (...pieces) => {
    const out = new Uint8Array(pieces.reduce((sum, each) => sum + each.length, 0));
    let at = 0;
    for (const each of pieces) {
        out.set(each, at);
        at += each.length;
    }
    return out;
};
const zeros = (count) => new Uint8Array(count);
const equal = (a, b) => a.length === b.length && a.every((each, i) => each === b[i]);
const block0 = (key, nonce) => chacha(key, nonce, 0, zeros(64)).subarray(0, 32);

/** Authenticated decryption with a nonce of zeros: its key is used once. */
function unbox(key, box) {
    const under = hchacha(key, zeros(16)), nonce = zeros(12);
    const data = box.subarray(0, box.length - 16);
    const tag = poly1305(block0(under, nonce), joined(data, zeros((16 - (data.length & 15)) & 15), lengths(0, data.length)));
    if (!equal(tag, box.subarray(box.length - 16))) throw new Error("The sealed data was changed after it was sealed.");
    return chacha(under, nonce, 1, data);
}

// ---- the stream: chunks, each authenticated together with all before it

const MAGIC = fromHex("626c736201"), CHUNK = 65536, FRAME = 8, EXTRA = 17, FINAL = 3;

function openStream(key, sealed) {
    const changed = () => new Error("The sealed data was changed after it was sealed, or ends too early.");
    if (sealed.length < 61 || !equal(sealed.subarray(0, 5), MAGIC)) throw new Error("This is no sealed data.");
    if (!equal(hashIn("seal.commit/1", zeros(0), key), sealed.subarray(5, 37))) throw new Error("It was sealed under another key.");
    const header = sealed.subarray(37, 61);
    const under = hchacha(key, header.subarray(0, 16));
    const nonce = joined(Uint8Array.of(1, 0, 0, 0), header.subarray(16, 24));
    const out = [];
    for (let at = 61, number = 0, last = false; !last; ++number) {
        if (at + FRAME > sealed.length) throw changed();
        const frame = sealed.subarray(at, at + FRAME), [turnOf, shape] = words(sealed, at, 2);
        const size = shape & 0x7fffffff;
        last = shape >>> 31 === 1;
        at += FRAME;
        if (turnOf !== number || size > CHUNK || (!last && size !== CHUNK) || at + size + EXTRA > sealed.length) throw changed();
        const kind = zeros(64);
        kind[0] = sealed[at];
        const kinds = chacha(under, nonce, 1, kind);
        const said = kinds[0];
        kinds[0] = sealed[at];
        const data = sealed.subarray(at + 1, at + 1 + size), tag = sealed.subarray(at + 1 + size, at + size + EXTRA);
        const mine = poly1305(block0(under, nonce), joined(frame, zeros(8), kinds, data, zeros(size & 15), lengths(FRAME, 64 + size)));
        if (!equal(mine, tag) || said !== (last ? FINAL : 0)) throw changed();
        out.push(chacha(under, nonce, 2, data));
        for (let i = 0; i < 8; ++i) nonce[4 + i] ^= tag[i];
        const counter = new DataView(nonce.buffer);
        counter.setUint32(0, counter.getUint32(0, true) + 1, true);
        at += size + EXTRA;
        if (last && at !== sealed.length) throw new Error("There is more behind the end of the sealed data.");
    }
    return joined(...out);
}

// ---- keys

const PKCS8 = fromHex("302e020100300506032b656e04220420");
const SPKI = fromHex("302a300506032b656e032100");

/** The key that results are sealed for, from the seed of the key that signs: {publicKey, open}. */
export async function sealingKey(seed) {
    const scalar = joined(PKCS8, hashIn("seal.key/1", zeros(0), seed));
    const pair = await crypto.subtle.importKey("pkcs8", scalar, { name: "X25519" }, true, ["deriveBits"]);
    const { x } = await crypto.subtle.exportKey("jwk", pair);
    const publicKey = Uint8Array.from(atob(x.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
    const secret = await crypto.subtle.importKey("pkcs8", scalar, { name: "X25519" }, false, ["deriveBits"]);
    scalar.fill(0);
    const open = async (sealed) => {
        let at = 0, count = 0;
        for (let shift = 0; ; shift += 7) {
            count |= (sealed[at] & 127) << shift;
            if (!(sealed[at++] & 128) || shift > 14) break;
        }
        if (count === 0 || count > 256 || at + 112 * count > sealed.length) throw new Error("This is no sealed data.");
        for (let i = 0; i < count; ++i) {
            const wrapped = sealed.subarray(at + 112 * i, at + 112 * (i + 1));
            if (!equal(wrapped.subarray(0, 32), publicKey)) continue;
            const once = wrapped.subarray(32, 64);
            const theirs = await crypto.subtle.importKey("spki", joined(SPKI, once), { name: "X25519" }, false, []);
            const shared = new Uint8Array(await crypto.subtle.deriveBits({ name: "X25519", public: theirs }, secret, 256));
            const key = unbox(hashIn("seal.wrap/1", joined(once, publicKey), shared), wrapped.subarray(64));
            return openStream(key, sealed.subarray(at + 112 * count));
        }
        throw new Error("It was sealed for others.");
    };
    return { publicKey: toHex(publicKey), open };
}
