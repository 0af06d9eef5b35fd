// SPDX-License-Identifier: Apache-2.0
// How numbers, names and times are written. Money is BigInt from end to end: nothing here rounds.
import { h } from "/dom.js";

const GRAINS = 1_000_000_000n;
const THIN = "\u202f";

const grouped = (digits) => digits.replace(/\B(?=(\d{3})+$)/g, THIN);

/** Digits, as a number or a text, grouped. */
export const count = (value) => grouped(BigInt(value).toString());

/** Grains as BLND in a text, with as many decimals as it takes. */
export function blnd(grains, group = true) {
    const all = BigInt(grains);
    const sign = all < 0n ? "\u2212" : "";
    const size = all < 0n ? -all : all;
    const whole = (size / GRAINS).toString();
    const part = (size % GRAINS).toString().padStart(9, "0").replace(/0+$/, "");
    return sign + (group ? grouped(whole) : whole) + (part === "" ? "" : "." + part);
}

/** What people type as an amount, in grains; null when it is none. */
export function parseBlnd(text) {
    const found = /^(\d{1,20})(?:\.(\d{1,9}))?$/.exec(text.trim().replace(/[\s\u202f]/g, ""));
    if (!found) return null;
    return BigInt(found[1]) * GRAINS + BigInt((found[2] ?? "").padEnd(9, "0"));
}

/** An amount to look at: its decimals step back, its unit more so. */
export function money(grains, unit = "BLND") {
    const [whole, part] = blnd(grains).split(".");
    return h("span", { class: "money", title: `${count(grains)} grains` },
        whole, part === undefined ? null : h("span", { class: "part" }, "." + part),
        unit ? [" ", h("span", { class: "unit" }, unit)] : null);
}

export const isHash = (text) => /^[0-9a-f]{64}$/.test(text);
export const isAddress = (text) => /^blendr1[02-9ac-hj-np-z]{50,70}$/.test(text);

/** The beginning and the end of a long name. */
export function short(text, head = 8, tail = 6) {
    return text.length <= head + tail + 2 ? text : text.slice(0, head) + "…" + text.slice(-tail);
}

/** A long name: short to look at, whole in its title, with a button that copies it. */
export function name(text, href, head, tail) {
    const shown = short(text, head, tail);
    return href ? h("a", { class: "mono", href, title: text }, shown)
                : h("span", { class: "mono", title: text }, shown);
}

export const account = (address) => name(address, `#/account/${address}`, 13, 5);
export const transaction = (id) => name(id, `#/tx/${id}`, 10, 6);
export const block = (height) => h("a", { class: "num", href: `#/block/${height}` }, count(height));

export function copyable(text) {
    const button = h("button", { class: "copy", type: "button", "aria-label": "Copy" }, "Copy");
    button.addEventListener("click", async () => {
        try {
            await navigator.clipboard.writeText(text);
            button.textContent = "Copied";
        } catch {
            button.textContent = "Select and copy";
        }
        setTimeout(() => (button.textContent = "Copy"), 1600);
    });
    return h("span", { class: "long" }, h("span", { class: "mono" }, text), button);
}

const STEPS = [[60, "s"], [60, "min"], [24, "h"], [365, "d"], [Infinity, "y"]];

/** "12 s ago", by this machine's clock. */
export function ago(ms, now = Date.now()) {
    let value = Math.floor((now - Number(ms)) / 1000);
    if (value < 1) return "now";
    for (const [size, unit] of STEPS) {
        if (value < size) return `${value} ${unit} ago`;
        value = Math.floor(value / size);
    }
    return "";
}

/** A time that goes on ageing while it is looked at. */
export function age(ms) {
    const at = new Date(Number(ms));
    return h("time", { datetime: at.toISOString(), title: at.toLocaleString(), "data-at": ms }, ago(ms));
}
setInterval(() => {
    for (const each of document.querySelectorAll("time[data-at]")) each.textContent = ago(each.dataset.at);
}, 1000);

/** "wrong_state" as people write it. */
export const words = (text) => String(text).replaceAll("_", " ");

/** Number of parts of a whole, in hundredths of a percent without floats: "66.67 %". */
export function percent(part, whole) {
    if (BigInt(whole) === 0n) return "0 %";
    const hundredths = (BigInt(part) * 10_000n) / BigInt(whole);
    const rest = (hundredths % 100n).toString().padStart(2, "0").replace(/0+$/, "");
    return (hundredths / 100n).toString() + (rest === "" ? "" : "." + rest) + " %";
}
