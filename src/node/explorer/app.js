// SPDX-License-Identifier: Apache-2.0
// The frame: which page is shown, search, colours, keys, and whether news arrive.
import { byId, show } from "/dom.js";
import { live } from "/rpc.js";
import { failed, skeleton } from "/parts.js";
import { start as startRecent } from "/recent.js";
import { find } from "/search.js";
import { overview } from "/overview.js";
import { blockPage, blocksPage, transactionPage } from "/blocks.js";
import { accountPage } from "/account.js";
import { marketPage } from "/market.js";
import { providerPage, providersPage } from "/providers.js";
import { jobPage, jobsPage } from "/jobs.js";
import { walletPage } from "/wallet.js";
import { rentPage } from "/rent.js";
import { start as startOrders } from "/orders.js";

// The first part of the address, the page, and what it is called.
const PAGES = {
    "": [overview, "Overview"],
    blocks: [blocksPage, "Blocks"],
    block: [blockPage, "Block", "blocks"],
    tx: [transactionPage, "Transaction", "blocks"],
    account: [accountPage, "Account", ""],
    market: [marketPage, "Market"],
    providers: [providersPage, "Providers"],
    provider: [providerPage, "Provider", "providers"],
    jobs: [jobsPage, "Jobs"],
    job: [jobPage, "Job", "jobs"],
    rent: [rentPage, "Rent a GPU"],
    wallet: [walletPage, "Wallet"],
    search: [(view, [words]) => find(words, view), "Search", ""],
};

let leave = null;
let first = true;

/** Marks a page's link, and brings it into sight where the row of them is longer than the screen. */
function setCurrent(link) {
    link.setAttribute("aria-current", "page");
    const nav = link.parentElement;
    nav.scrollLeft = link.offsetLeft - nav.offsetLeft - (nav.clientWidth - link.offsetWidth) / 2;
}

function route() {
    const [page, ...rest] = location.hash.replace(/^#\/?/, "").split("/").map((part) => {
        try {
            return decodeURIComponent(part);
        } catch {
            return part;
        }
    });
    if (typeof leave === "function") leave();
    leave = null;
    const view = byId("view");
    const found = PAGES[page];
    const belongs = found ? found[2] ?? page : null;
    for (const link of byId("nav").children) {
        if (link.getAttribute("href") === `#/${belongs}` && (belongs !== "" || page === ""))
            setCurrent(link);
        else link.removeAttribute("aria-current");
    }
    if (!found) {
        document.title = "Not here · blendr";
        show(view, failed(new Error("There is no such page.")));
        return;
    }
    document.title = `${rest[0] ? `${found[1]} ${rest[0].slice(0, 16)}` : found[1]} · blendr`;
    show(view, skeleton());
    try {
        leave = found[0](view, rest);
    } catch (error) {
        show(view, failed(error, route));
    }
    if (!first) {
        scrollTo(0, 0);
        view.focus({ preventScroll: true });
    }
    first = false;
}

// ---- colours: as the system has them, light, dark

const THEMES = ["system", "light", "dark"];
const current = () => document.documentElement.dataset.theme ?? "system";

function nameTheme() {
    const words = { system: "as the system has them", light: "light", dark: "dark" };
    byId("theme").setAttribute("aria-label", `Colours: ${words[current()]}`);
    byId("theme").title = `Colours: ${words[current()]}`;
}

function nextTheme() {
    const chosen = THEMES[(THEMES.indexOf(current()) + 1) % THEMES.length];
    if (chosen === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    try {
        localStorage.setItem("theme", chosen);
    } catch {
        // kept for this page alone
    }
    nameTheme();
}

// ---- whether news arrive

function watchLive() {
    let timer = 0;
    live.watch((state) => {
        clearInterval(timer);
        byId("live").dataset.state = state.is;
        const say = () => {
            const left = Math.max(0, Math.ceil((state.again - Date.now()) / 1000));
            byId("live-text").textContent = state.is === "live" ? "Live" : state.is === "connecting" ? "Connecting"
                : `Again in ${left} s`;
        };
        say();
        if (state.is === "waiting") timer = setInterval(say, 1000);
        const banner = byId("banner");
        banner.hidden = state.is !== "waiting";
        banner.textContent = state.is === "waiting"
            ? "The node does not answer. What you see is what it said last; this page goes on by itself once it is back." : "";
    });
}

// ---- keys

const KEYS = { o: "#/", b: "#/blocks", m: "#/market", p: "#/providers", j: "#/jobs", r: "#/rent", w: "#/wallet" };

function watchKeys() {
    let waits = 0;
    addEventListener("keydown", (event) => {
        const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
        if (event.key === "Escape" && typing === byId("q")) return byId("q").blur();
        if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
        if (event.key === "/") {
            event.preventDefault();
            byId("q").focus();
            byId("q").select();
        } else if (event.key === "g") {
            waits = Date.now();
        } else if (Date.now() - waits < 1200 && KEYS[event.key]) {
            waits = 0;
            location.hash = KEYS[event.key];
        }
    });
    byId("skip").addEventListener("click", (event) => {
        event.preventDefault();  // the address belongs to the pages
        byId("view").focus();
    });
    byId("search").addEventListener("submit", (event) => {
        event.preventDefault();
        const words = byId("q").value.trim();
        if (words === "") return;
        const to = `#/search/${encodeURIComponent(words)}`;
        if (location.hash === to) route();
        else location.hash = to;
    });
}

nameTheme();
byId("theme").addEventListener("click", nextTheme);
watchKeys();
startRecent();
startOrders();
watchLive();
addEventListener("hashchange", route);
route();
live.start();
