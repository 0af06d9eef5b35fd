// SPDX-License-Identifier: Apache-2.0
// Elements without HTML: what the chain says only ever becomes text.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, props, children) {
    for (const [name, value] of Object.entries(props ?? {})) {
        if (value === undefined || value === null || value === false) continue;
        if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
        else if (name === "value") element.value = value;
        else element.setAttribute(name, value === true ? "" : String(value));
    }
    add(element, children);
    return element;
}

function add(element, children) {
    for (const child of children) {
        if (child === undefined || child === null || child === false) continue;
        if (Array.isArray(child)) add(element, child);
        else element.append(child instanceof Node ? child : String(child));
    }
}

/** An element: h("a", {href, class, onclick}, "text", other, [more]). */
export const h = (tag, props, ...children) => fill(document.createElement(tag), props, children);

/** The same for pictures. */
export const s = (tag, props, ...children) => fill(document.createElementNS(SVG, tag), props, children);

/** Puts children in place of what is there. */
export function show(element, ...children) {
    element.replaceChildren();
    add(element, children);
    return element;
}

export const byId = (id) => document.getElementById(id);
