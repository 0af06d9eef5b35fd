// SPDX-License-Identifier: Apache-2.0
// Before anything is painted: the colours that were chosen, or those of the system.
(() => {
    let chosen = null;
    try {
        chosen = localStorage.getItem("theme");
    } catch {
        // a browser that keeps nothing has the system's colours
    }
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
