// SPDX-License-Identifier: Apache-2.0
const reply = await fetch("/", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "status", params: [] }),
});
const { result } = await reply.json();
document.getElementById("view").textContent = `Block ${result.last}`;
