// SPDX-License-Identifier: Apache-2.0
import { h, show } from "/dom.js";
import { steps } from "/charts.js";
import { account, block, copyable, count, money, name, words } from "/format.js";
import { card, empty, every, facts, failed, fillIn, meter, skeleton, table, tag } from "/parts.js";
import { ZERO } from "/codec.js";
import { instruments, spec, when } from "/market.js";
import { ask, call, live, row } from "/rpc.js";
import { history } from "/score.js";

const FAMILIES = ["fp32", "memory", "integer"];
const TONES = { idle: "good", sharing: "accent", reserved: "note", disconnected: "bad", suspended: "bad", absent: "plain" };
export const state = (of) => tag(words(of), TONES[of]);

export const score = (who, as, work, at) => ask("reputation/score_of", { subject: { who, as, work }, at });

/** A score as a small bar with its number; newcomers stand at what newcomers have. */
export const scoreBar = (value) => {
    const part = h("i");
    part.style.width = `${value / 10}%`;
    return h("span", { class: "score" }, h("span", { class: "track", "aria-hidden": "true" }, part), h("span", { class: "num" }, String(value)));
};

/** What devices do, agreements counted: the registry's own state says nothing of units. Sets `doing` of each. */
export async function engage(devices) {
    for (let at = 0; at < devices.length; at += 256) {
        const part = devices.slice(at, at + 256);
        const told = await ask("escrow/engaged", { devices: part.map((d) => d.key) }).catch(() => []);
        part.forEach((d, i) => { d.doing = told[i] ?? { state: d.status.state, agreements: 0, units: 0 }; });
    }
    return devices;
}

async function all() {
    const classes = [...new Set((await instruments()).map((l) => l.of.what))];
    const lists = await Promise.all(classes.map((what) =>
        ask("market/providers", { what, after: { owner: ZERO, number: 0 }, most: 256 })));
    const devices = await engage(lists.flat());
    const at = Number((await call("status")).last);
    const owners = [...new Set(devices.map((d) => d.key.owner))];
    const scores = new Map(await Promise.all(owners.slice(0, 100).map(async (who) =>
        [who, await score(who, "provider", "fp32", at).then((s) => s.score, () => null)])));
    return { devices, scores };
}

function parts(devices) {
    const of = (name) => devices.filter((d) => d.doing.state === name).length;
    return [[of("idle"), "good", "idle"], [of("sharing"), "accent", "sharing"], [of("reserved"), "note", "reserved"],
        [of("disconnected"), "bad", "disconnected"], [of("suspended"), "bad", "suspended"]];
}

/** "model rtx4090" and the like, out of a capability's text. */
export function model(text) {
    const found = /(?:^|\s|;|,|&)model\s*[=:]+\s*([\w.-]+)/.exec(text);
    return found ? found[1] : text.length > 42 ? text.slice(0, 40) + "…" : text || "a device";
}

export function providersPage(view) {
    show(view, skeleton());
    const draw = ({ devices, scores }) => [h("h1", null, "Providers"),
        devices.length ? meter("Devices by state", parts(devices)) : null,
        devices.length ? h("p", { class: "legend" }, parts(devices).filter(([n]) => n).map(([n, tone, text]) => h("span", { "data-tone": tone }, `${n} ${text}`))) : null,
        card("Devices", { aside: h("p", { class: "note" }, count(devices.length)) }, devices.length
            ? table("Devices", [["Device", "wide"], ["Provider", ""], ["State", ""], ["Class", "right"], ["Asks", "right"], ["Bond", "right"], ["Reputation", "right"]],
                devices.map((d) => [h("a", { href: `#/provider/${d.key.owner}/${d.key.number}` }, model(d.capability)), account(d.key.owner),
                    state(d.doing.state), h("a", { href: `#/market/${d.of}/0` }, String(d.of)), count(d.asks), money(d.bond),
                    scores.get(d.key.owner) === null ? "—" : scoreBar(scores.get(d.key.owner))]))
            : empty("Nobody offers a device yet", "A provider's agent probes its GPUs, registers them with a bond, and asks a price. Run one: ",
                h("code", null, "provider --rpc " + location.host)))];
    const refresh = (quiet) => fillIn(view, all, draw, quiet);
    refresh(false);
    const ends = [every(4000, () => refresh(true)), live.on("providers", () => refresh(true))];
    return () => ends.forEach((end) => end());
}

async function one(owner, number) {
    const at = Number((await call("status")).last);
    const [devices, ratings, rules, ...scores] = await Promise.all([
        ask("market/my_devices", { owner, after: { owner: ZERO, number: 0 }, most: 256 }),
        ask("reputation/feedback_of", { subject: owner, from: "0".repeat(64), most: 1000 }).catch(() => ({ list: [] })),
        row("reputation/conditions", 0).catch(() => null),
        ...FAMILIES.map((work) => score(owner, "provider", work, at).catch(() => null))]);
    const device = await row("market/devices", { owner, number }).catch(() => null);
    const listed = devices.find((d) => d.key.number === number);
    if (listed) await engage([listed]);
    return { at, device, listed, ratings: ratings.list, rules, scores };
}

/** Ratings of a role and family in the order in which they came, those that were taken back left out. */
const of = (ratings, as, work) => ratings.filter((r) => !r.taken_back && r.what.as === as && r.what.work === work)
    .map((r) => r.what).sort((a, b) => Number(a.at) - Number(b.at));

export function reputationCards(found, as) {
    if (!found.rules) return null;
    const shown = FAMILIES.map((work, i) => [work, of(found.ratings, as, work), found.scores[i]]).filter(([, list]) => list.length);
    const received = found.ratings.filter((r) => r.what.as === as).sort((a, b) => Number(b.what.at) - Number(a.what.at));
    return [card("Reputation over time", shown.length
        ? shown.map(([work, list, now]) => {
            const line = history(list, found.rules.scores, found.at);
            return h("div", { class: "over-time" }, h("h3", null, work, " ", now ? scoreBar(now.score) : null), steps(line, [0, 1000], `Reputation for ${work}`));
        }) : empty("Nobody has rated it yet", `It has a newcomer's ${found.rules.scores.newcomer} of 1000. Paid work is rated by both sides, and moves it.`)),
    received.length ? card("Ratings", table("Ratings, newest first", [["Block", ""], ["By", ""], ["For", ""], ["Rating", "right"], ["Weight", "right"], ["", ""]],
        received.slice(0, 30).map((r) => [block(r.what.at), account(r.what.rater), r.what.work, `${r.what.rating} of 100`,
            [count(r.what.points), " points"], r.taken_back ? tag("taken back", "bad") : r.appealed ? tag("appealed", "note") : ""]))) : null];
}

export function providerPage(view, [owner, text]) {
    const number = Number(text ?? 0);
    show(view, skeleton());
    const draw = (found) => {
        const d = found.listed;
        if (!d) return [h("h1", null, "Provider"), card("Not registered", empty("This account has no such device", account(owner)))];
        const m = found.device?.measured;
        return [h("h1", null, model(d.capability)),
            card("Device", { aside: state(d.doing.state) }, facts(["owner", copyable(owner)], ["number", String(number)],
                ["works for", d.doing.agreements ? `${count(d.doing.units)} units of ${count(d.doing.agreements)} agreements` : "nobody now"],
                ["class", h("a", { href: `#/market/${d.of}/0` }, String(d.of))], ["bond, free of promises", money(d.bond)],
                ["asks in the book", count(d.asks)], ["attested tier", String(d.status.tier)], ["heard of at", block(d.status.heard)],
                m ? ["measured", spec(m)] : null, ["says of itself", h("span", { class: "text" }, d.capability)])),
            reputationCards(found, "provider"),
            d.taken.length ? card("Booked hours", table("Booked hours", [["From", ""], ["Hours", "right"], ["As", ""]],
                d.taken.slice(0, 24).map((b) => [when(b.from), count(b.count), words(b.use)]))) : null];
    };
    const refresh = (quiet) => fillIn(view, () => one(owner, number), draw, quiet);
    refresh(false);
    const end = every(4000, () => (view.querySelector(".plot:hover") ? null : refresh(true)));
    return end;
}
