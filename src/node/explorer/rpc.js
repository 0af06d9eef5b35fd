// SPDX-License-Identifier: Apache-2.0
// The node: questions by POST, news by WebSocket.

export class Refusal extends Error {
    constructor(error) {
        super(error.message);
        this.code = error.code;
        this.data = error.data;
    }
}
export class Unreachable extends Error {}

const BATCH = 100;
const LIMIT_MS = 15_000;
const JOB_LIMIT_MS = 120_000;  // longer than the node works at a unit
let number = 0;

async function post(text, path) {
    let reply;
    try {
        reply = await fetch(path, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: text,
            signal: AbortSignal.timeout(path === "/jobs" ? JOB_LIMIT_MS : LIMIT_MS),
        });
    } catch {
        throw new Unreachable("The node does not answer.");
    }
    if (!reply.ok) throw new Unreachable(`The node answers with status ${reply.status}.`);
    return reply.json();
}

/** Many calls in one request: [[method, params], ...]; an answer or an Error for each, in order. Large ones go to "/jobs". */
export async function batch(calls, path = "/") {
    const out = [];
    for (let at = 0; at < calls.length; at += BATCH) {
        const part = calls.slice(at, at + BATCH).map(([method, params]) =>
            ({ jsonrpc: "2.0", id: ++number, method, params: params ?? [] }));
        const answers = await post(JSON.stringify(part), path);
        const found = new Map((Array.isArray(answers) ? answers : [answers]).map((a) => [a.id, a]));
        for (const each of part) {
            const answer = found.get(each.id);
            if (!answer) out.push(new Unreachable("The node left a question unanswered."));
            else out.push(answer.error ? new Refusal(answer.error) : answer.result);
        }
    }
    return out;
}

export async function call(method, params, path = "/") {
    const [answer] = await batch([[method, params]], path);
    if (answer instanceof Error) throw answer;
    return answer;
}

/** A row of the state: its members, defaults where there is none. */
export const row = async (table, key) => (await call("query", [table, key])).row;

// ---- news

const FIRST_WAIT_MS = 500;
const LAST_WAIT_MS = 15_000;

/** One WebSocket for the page. It comes back by itself, waiting longer after each failure. */
class Live {
    #listeners = new Map();
    #watchers = new Set();
    #socket = null;
    #failures = 0;
    #timer = 0;
    state = { is: "connecting", again: 0 };

    start() {
        this.#open();
        addEventListener("online", () => this.now());
        document.addEventListener("visibilitychange", () => {
            if (!document.hidden && this.state.is === "waiting") this.now();
        });
    }

    /** Calls `listener` with every event of a topic; returns what ends that. */
    on(topic, listener) {
        if (!this.#listeners.has(topic)) {
            this.#listeners.set(topic, new Set());
            this.#subscribe(topic);
        }
        this.#listeners.get(topic).add(listener);
        return () => this.#listeners.get(topic).delete(listener);
    }

    watch(watcher) {
        this.#watchers.add(watcher);
        watcher(this.state);
    }

    /** Tries at once instead of waiting. */
    now() {
        if (this.state.is !== "waiting") return;
        clearTimeout(this.#timer);
        this.#open();
    }

    #tell(state) {
        this.state = state;
        for (const each of this.#watchers) each(state);
    }

    #subscribe(topic) {
        if (this.#socket?.readyState !== WebSocket.OPEN) return;
        this.#socket.send(JSON.stringify(
            { jsonrpc: "2.0", id: ++number, method: "subscribe", params: [topic] }));
    }

    #open() {
        this.#tell({ is: "connecting", again: 0 });
        const scheme = location.protocol === "https:" ? "wss:" : "ws:";
        const socket = new WebSocket(`${scheme}//${location.host}/ws`);
        this.#socket = socket;
        socket.addEventListener("open", () => {
            this.#failures = 0;
            for (const topic of this.#listeners.keys()) this.#subscribe(topic);
            this.#tell({ is: "live", again: 0 });
        });
        socket.addEventListener("message", (message) => this.#take(message.data));
        socket.addEventListener("close", () => {
            if (this.#socket === socket) this.#wait();
        });
    }

    #take(text) {
        let said;
        try {
            said = JSON.parse(text);
        } catch {
            return;
        }
        if (said.method !== "event") return;
        for (const each of this.#listeners.get(said.params.topic) ?? []) each(said.params.event);
    }

    #wait() {
        const longest = Math.min(LAST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures++);
        const wait = longest / 2 + Math.random() * (longest / 2);  // not all pages at once
        this.#tell({ is: "waiting", again: Date.now() + wait });
        this.#timer = setTimeout(() => this.#open(), wait);
    }
}

export const live = new Live();

/** A contract's own query, in JSON. */
export const ask = async (path, question) => (await call("ask", [path, question])).answer;
