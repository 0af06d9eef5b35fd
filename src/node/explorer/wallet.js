// SPDX-License-Identifier: Apache-2.0
// Without a terminal: a key in this browser, and what it may sign.
import { h, show } from "/dom.js";
import { copyable, money, parseBlnd } from "/format.js";
import { forget, importSeed, load, make, missing, sign, committed } from "/keys.js";
import { card, empty, failed, skeleton, tag } from "/parts.js";
import { call, Refusal } from "/rpc.js";
import { parseAddress } from "/codec.js";

/** A labelled field with room for a hint and for what is wrong with it. */
export function field(id, label, control, hint) {
    const wrong = h("p", { class: "wrong", id: `${id}-wrong`, role: "alert", hidden: true });
    control.id = id;
    control.setAttribute("aria-describedby", `${id}-wrong`);
    const box = h("div", { class: "field" }, h("label", { for: id }, label), control, hint ? h("p", { class: "note" }, hint) : null, wrong);
    box.refuse = (why) => {
        wrong.hidden = !why;
        wrong.textContent = why ?? "";
        if (why) control.setAttribute("aria-invalid", "true");
        else control.removeAttribute("aria-invalid");
        return !why;
    };
    box.control = control;
    return box;
}

export function save(nameOf, parts, type) {
    const url = URL.createObjectURL(new Blob(parts, { type }));
    const link = h("a", { href: url, download: nameOf });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function keyCard(state, redraw) {
    if (!state.key) {
        const file = h("input", { type: "file", accept: ".key,.seed,.txt,text/plain", class: "hidden", id: "key-file", onchange: async () => {
            try {
                state.key = await importSeed(await file.files[0].text());
                redraw();
            } catch (error) {
                wrong.textContent = error.message;
                wrong.hidden = false;
            }
        } });
        const wrong = h("p", { class: "wrong", role: "alert", hidden: true });
        return card("A key of your own", h("p", null, "It says who pays. It is made here and stays in this browser; nothing but signatures leaves it. Save it before money depends on it: nobody can bring it back."),
            h("div", { class: "row top" }, h("button", { class: "button", type: "button", id: "key-new", onclick: async () => {
                state.key = await make();
                redraw();
            } }, "Make a key"), h("button", { class: "button quiet", type: "button", onclick: () => file.click() }, "Import a key file"), file), wrong);
    }
    const { key, balance } = state;
    return card("Your key", { aside: h("div", { class: "row" },
        h("button", { class: "button quiet small", type: "button", id: "key-save", onclick: () => save("blendr.seed", [key.seed() + "\n"], "text/plain") }, "Save to a file"),
        h("button", { class: "button quiet small", type: "button", onclick: () => {
            if (!confirm("Take the key out of this browser? Without a saved file its money is out of reach for ever.")) return;
            forget();
            state.key = null;
            redraw();
        } }, "Take out")) },
    h("p", null, copyable(key.address)),
    h("p", { class: "lead flush" }, "It owns ", h("strong", { id: "balance" }, balance === null ? "…" : money(balance)), "."),
    balance === 0n ? h("p", { class: "note" }, "Nothing yet. From a terminal of this network: ",
        h("code", null, `wallet send --to ${key.address} --value 100 --rpc ${location.host} --key …`)) : null);
}

function payCard(state, redraw) {
    const to = field("pay-to", "To", h("input", { autocomplete: "off", spellcheck: "false", placeholder: "blendr1…" }));
    const value = field("pay-value", "BLND", h("input", { inputmode: "decimal", placeholder: "2.5" }));
    const said = h("p", { role: "status", id: "pay-said" });
    const form = h("form", { class: "form", id: "pay", onsubmit: async (event) => {
        event.preventDefault();
        let good = true;
        try {
            parseAddress(to.control.value.trim());
            to.refuse(null);
        } catch (error) {
            good = to.refuse(error.message);
        }
        const grains = parseBlnd(value.control.value);
        good = value.refuse(grains === null || grains === 0n ? "An amount, with up to nine decimals." : grains + 10_000_000n > (state.balance ?? 0n)
            ? "Your account does not hold that much and the fee." : null) && good;
        if (!good) return;
        await act(said, [{ "bank.transfer": { to: to.control.value.trim().toLowerCase(), value: grains } }], state, redraw);
    } }, to, value, h("div", { class: "whole row" }, h("button", { class: "button", type: "submit" }, "Sign and send"), said));
    return card("Pay somebody", form);
}

/** Signs, sends, waits, and says in words what became of it. */
export async function act(said, messages, state, redraw) {
    show(said, "Signing …");
    try {
        const { id, raw } = await sign(state.key, messages);
        await call("submit", [raw]);
        show(said, "Sent; it waits for a block …");
        const done = await committed(id);
        const good = done.receipt?.code === 0;
        show(said, tag(good ? "done" : done.receipt?.result ?? "unknown", good ? "good" : "bad"), " ", h("a", { href: `#/tx/${id}` }, "The transaction"));
        await state.refresh?.();
        return good ? done : null;
    } catch (error) {
        show(said, tag(error instanceof Refusal ? "refused" : "failed", "bad"), " ", error.message);
        return null;
    }
}

export function walletPage(view) {
    const state = { key: null, balance: null, over: false };
    const why = h("div"), mine = h("div"), rest = h("div", { class: "steps" });
    const readBalance = async () => {
        if (!state.key) return;
        state.balance = BigInt((await call("balance", [state.key.address])).balance);
        const shown = view.querySelector("#balance");
        if (shown) show(shown, money(state.balance));
    };
    state.refresh = readBalance;
    const redraw = async () => {
        if (state.over) return;
        show(mine, keyCard(state, redraw));
        show(rest, state.key ? payCard(state, redraw) : null);
        if (state.key && state.balance === null) {
            await readBalance().catch(() => {});
            show(mine, keyCard(state, redraw));
        }
    };
    show(view, skeleton());
    missing().then(async (problem) => {
        show(view, h("h1", null, "Wallet"), why, mine, rest);
        if (problem) {
            show(why, card("No key here", empty("This browser cannot sign", problem)));
            return;
        }
        state.key = await load();
        await redraw();
    }).catch((error) => show(view, failed(error, () => walletPage(view))));
    const timer = setInterval(() => readBalance().catch(() => {}), 2500);
    return () => {
        state.over = true;
        clearInterval(timer);
    };
}
