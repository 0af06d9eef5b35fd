// SPDX-License-Identifier: Apache-2.0
// Something to try each app with, so that nobody has to bring a file.

export const SCENE = `# Three balls on a table in the afternoon sun.
camera 1.8 2.5 6.2   look 0.05 0.6 0   angle 36   aperture 0.05   focus 6.4
sky 0.10 0.24 0.62   horizon 0.42 0.46 0.55
sun -2.4 2.6 -0.6   colour 2.5 2.1 1.6   size 0.05

material table  diffuse 0.55 0.52 0.47
material clay   diffuse 0.78 0.28 0.18
material moss   diffuse 0.25 0.45 0.20
material gold   metal 0.95 0.72 0.32 0.06
material glass  glass 0.98 0.99 0.98 1.5
material lamp   light 9 5 2

box -12 -0.5 -12  12 0 12  table
sphere -0.15 0.706 0     0.7   gold
sphere  1.25 0.456 0.75  0.45  glass
sphere -1.45 0.406 0.95  0.4   clay
sphere  0.62 0.186 1.55  0.18  lamp
box -2.1 0 -1.7  -1.2 1.5 -0.8  moss
`;

/** The same numbers every time. */
function numbers(seed) {
    let state = seed;
    return () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state / 2 ** 32;
    };
}

/** Points on three arms of a spiral; which arm is what is to be learnt. */
export function spirals(rows = 300) {
    const next = numbers(1), arms = ["amber", "beryl", "coral"], out = ["x,y,stone"];
    for (let i = 0; i < rows; ++i) {
        const arm = i % 3, along = (i / rows) * 0.9 + 0.05;
        const angle = 2 * Math.PI * (arm / 3 + 0.6 * along) + 0.12 * (next() - 0.5);
        out.push(`${(along * Math.cos(angle)).toFixed(3)},${(along * Math.sin(angle)).toFixed(3)},${arms[arm]}`);
    }
    return out.join("\n") + "\n";
}

/** Rides of a day: city, kilometres, fare. */
export function rides(rows = 400) {
    const next = numbers(7), cities = ["Riga", "Lyon", "Porto", "Gdansk"], out = ["city,km,fare"];
    for (let i = 0; i < rows; ++i) {
        const km = 0.5 + 14 * next() * next();
        out.push(`${cities[Math.floor(4 * next())]},${km.toFixed(1)},${(2.5 + 1.3 * km + next()).toFixed(2)}`);
    }
    return out.join("\n") + "\n";
}

/** A square matrix of small whole numbers as a .npy file. */
export function matrix(side, seed) {
    const next = numbers(seed);
    const head = `{'descr': '<i4', 'fortran_order': False, 'shape': (${side}, ${side}), }`;
    const size = Math.ceil((10 + head.length + 1) / 64) * 64;
    const out = new Uint8Array(size + 4 * side * side), view = new DataView(out.buffer);
    out.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
    view.setUint16(8, size - 10, true);
    out.set(new TextEncoder().encode(head.padEnd(size - 11) + "\n"), 10);
    for (let i = 0; i < side * side; ++i) view.setInt32(size + 4 * i, Math.floor(201 * next()) - 100, true);
    return out;
}
