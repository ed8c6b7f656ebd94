// Attention on the page: arrows for the query and the keys, the values as weights on a beam, and the mean where it balances.

import { createApp, button, resetButton, slider, toggle, words } from "../_shared/app.mjs";
import { axes, createHandle, createPlot, divergingMap, fmt, h, paint, round } from "../_shared/plot.mjs";
import { once } from "../_shared/state.mjs";
import { attention, defaults, dot, evenly, meanAt, sees } from "./model.mjs";

// Written as JSON, because Python reads this too.
export const about = {
  "title": "A mean that chooses",
  "text": "Interactive figure: a query and a few keys as arrows in the plane, each key with a value; the weights that softmax gives to the keys, and the weighted mean of the values. Open this notebook in Colab, in JupyterLab or in the HTML book to use it.",
  "height": 870
};

const NEW = [[-1.4, -1.4, -0.6], [1.6, -1.6, 0.6], [0, -2.4, 0]]; // the keys that may come, the first free one first
const FULL = 1.12; // of the beam, where its ends are

const app = createApp(defaults);
const plane = createPlot({ label: "The query and the keys", x: [-3.3, 3.3], y: [-3.3, 3.3] });
const beam = createPlot({ label: "The values and their mean", x: [-1.25, 1.25], y: [-0.5, 1.2], aspect: 1.25 });
beam.element.classList.add("grow");

const answer = once(attention);
const LOW = "₁₂₃₄₅";
const indices = Array.from({ length: defaults.keys.most }, (_, i) => i);

// The plane

/** An arrow from the origin. */
function arrow(to, attributes, width) {
  const [u, v] = [plane.px(to[0]), plane.py(to[1])];
  const [dx, dy] = [u - plane.px(0), v - plane.py(0)];
  const length = Math.hypot(dx, dy);
  if (length < 12) return "";
  const [c, s] = [dx / length, dy / length];
  return `<path ${attributes} stroke-width="${width.toFixed(1)}" d="M${plane.px(0)},${plane.py(0)}L${u - 9 * c},${v - 9 * s}"/>`;
}

/** The name of an arrow, a little beyond its tip. */
function nameOf(to, name, attributes) {
  const [dx, dy] = [to[0] / (Math.hypot(...to) || 1), to[1] / (Math.hypot(...to) || 1)];
  return plane.text(to, name, `class="name" text-anchor="middle" ${attributes}`, 21 * dx, -21 * dy + 5);
}

function drawPlane(state) {
  const { weights } = answer(state);
  const color = divergingMap();
  const mean = meanAt(state);
  paint(plane, (x, y) => color(mean(x, y)), 2);
  const keys = state.keys.map((key, i) => {
    const hidden = sees(state, i) ? "" : " hidden-key";
    return arrow(key, `class="key${hidden}"`, 1.2 + 7 * weights[i]) + nameOf(key, `k${LOW[i]}`, "");
  });
  const [query] = state.query;
  plane.draw(`${axes(plane, { names: ["", ""], xTicks: [-2, 2], yTicks: [-2, 2] })}
    ${keys.join("")}${arrow(query, 'class="query"', 2.5)}${nameOf(query, "q", 'font-weight="600"')}`, inWords(state));
}

/** The colour of a value, as a style. */
const tinted = (value) => {
  const packed = divergingMap()(value);
  return `rgb(${packed & 255}, ${(packed >> 8) & 255}, ${(packed >> 16) & 255})`;
};

// The beam

function drawBeam(state) {
  const { weights, mean } = answer(state);
  const color = divergingMap();
  const [top, bottom] = [0, -0.07];
  paint(beam, (x, y) => (y < top && y > bottom && Math.abs(x) < FULL ? color(x) : 0));
  const stems = state.keys.map(([, , v], i) => `
    ${beam.line([v, 0], [v, weights[i]], `class="stem${sees(state, i) ? "" : " hidden-key"}"`)}
    ${beam.text([v, Math.max(weights[i], 0.07)], `k${LOW[i]}`, 'class="name" text-anchor="middle"', 0, -8)}`);
  const [x, y] = [beam.px(mean), beam.py(bottom)];
  beam.draw(`${beam.line([-FULL, 0], [FULL, 0], 'class="board"')}
    ${[0.5, 1].map((p) => beam.line([-FULL, p], [FULL, p], 'class="grid"') + beam.text([-FULL, p], fmt(p, 1), 'class="tick"', 0, -4)).join("")}
    ${[-1, 1].map((v) => beam.text([v, bottom], fmt(v, 0), 'class="tick" text-anchor="middle"', 0, 18)).join("")}
    ${stems.join("")}
    <polygon class="mean" points="${x},${y} ${x - 13},${y + 22} ${x + 13},${y + 22}"/>
    ${beam.text([mean, bottom], `a = ${fmt(mean)}`, 'class="balance" text-anchor="middle"', 0, 38)}`,
  `The weighted mean of the values is ${fmt(mean)}.`);
}

app.onDraw((state) => {
  [plane, beam].forEach((plot) => plot.measure());
  drawPlane(state);
  drawBeam(state);
});

// What can be moved

const moveKey = (i, [x, y]) => app.set({ keys: app.state.keys.with(i, [round(x, 0.1), round(y, 0.1), app.state.keys[i][2]]) });
const moveValue = (i, v) => app.set({ keys: app.state.keys.with(i, [...app.state.keys[i].slice(0, 2), round(v, 0.05)]) });

for (const i of indices) {
  const tip = createHandle(app, plane, {
    label: `Key ${i + 1}`, className: "tip", step: 0.1,
    at: ({ keys }) => keys[i]?.slice(0, 2) ?? null,
    words: ({ keys }) => keys[i].slice(0, 2).map((value) => fmt(value, 1)).join(", "),
    move: (place) => moveKey(i, place),
  });
  const foot = createHandle(app, beam, {
    label: `Value ${i + 1}`, className: "tip", step: 0.05,
    at: ({ keys }) => (keys[i] ? [keys[i][2], 0] : null),
    words: ({ keys }) => fmt(keys[i][2]),
    move: ([v]) => moveValue(i, v),
  });
  app.onDraw(({ keys }) => keys[i] && [tip, foot].forEach((handle) => handle.style.setProperty("--value", tinted(keys[i][2]))));
}
createHandle(app, plane, {
  label: "Query", className: "probe", step: 0.1,
  at: ({ query }) => query[0],
  words: ({ query }) => query[0].map((value) => fmt(value, 1)).join(", "),
  move: (place) => app.set({ query: [place.map((value) => round(value, 0.1))] }),
});
plane.element.addEventListener("click", (event) => app.set({ query: [plane.at(event).map((value) => round(value, 0.1))] }));

const add = button("Add a key", () => {
  const free = NEW[app.state.keys.length - defaults.keys.least];
  app.set({ keys: [...app.state.keys, free] });
});
const remove = button("Remove the last", () => app.set({ keys: app.state.keys.slice(0, -1) }));
app.onDraw(({ keys }) => {
  add.disabled = keys.length === defaults.keys.most;
  remove.disabled = keys.length === defaults.keys.least;
});

// Words and numbers

const signed = (value) => (value < 0 ? `(${fmt(value)})` : fmt(value));

const table = words(app, "weights", (state) => {
  const { scores, weights, mean } = answer(state);
  const rows = state.keys.map((key, i) => `<tr class="${sees(state, i) ? "" : "unseen"}"><th scope="row"><i>k</i>${LOW[i]}</th>
    <td>${fmt(dot(state.query[0], key))}</td><td>${sees(state, i) ? fmt(scores[i]) : "−∞"}</td>
    <td class="bar"><span style="width:${100 * weights[i]}%"></span></td><td><data value="${weights[i]}">${fmt(weights[i], 3)}</data></td><td>${fmt(key[2])}</td></tr>`);
  return `<table><thead><tr><th scope="col">key</th><th scope="col"><i>q</i> · <i>k</i></th><th scope="col"><i>z</i></th><td></td><th scope="col"><i>p</i></th><th scope="col"><i>v</i></th></tr></thead>
    <tbody>${rows.join("")}</tbody><tfoot><tr><td></td><td></td><td></td><td></td><td>1</td><td><b>${fmt(mean)}</b></td></tr></tfoot></table>`;
});

const formula = words(app, "formula", (state) => {
  const { scores, weights, mean } = answer(state);
  const best = weights.indexOf(Math.max(...weights));
  const { sharpness, scaled } = state;
  const factor = sharpness === 1 ? "" : `${Number(sharpness.toPrecision(3))} · `;
  const terms = weights.map((p, i) => `<span class="nowrap">${fmt(p)} · ${signed(state.keys[i][2])}</span>`);
  return `<p><span class="nowrap"><i>z</i>${LOW[best]} = ${factor}<i>q</i> · <i>k</i>${LOW[best]}${scaled ? " / √2" : ""}</span>
      <span class="nowrap">= ${factor}${fmt(dot(state.query[0], state.keys[best]))}${scaled ? " / 1.41" : ""} = ${fmt(scores[best])},</span>
      <span class="nowrap"><i>p</i>${LOW[best]} = exp(<i>z</i>${LOW[best]}) / Σ exp(<i>z<sub>j</sub></i>) = <b>${fmt(weights[best], 3)}</b></span></p>
    <p><i>a</i> = Σ <i>p<sub>i</sub>v<sub>i</sub></i> = ${terms.join(" + ")} <span class="nowrap">= <b>${fmt(mean)}</b></span></p>`;
});

/** How the weight is shared, in one sentence. */
function verdict(state) {
  const { weights } = answer(state);
  const shared = evenly(weights);
  const seen = state.keys.filter((_, i) => sees(state, i)).length;
  if (seen === 1) return "The query sees one key only: the mean is its value.";
  if (shared > 0.98 * seen) return `All ${seen} keys weigh nearly the same: this is the plain mean.`;
  if (shared < 1.05) return `Nearly all weight is on k${LOW[weights.indexOf(Math.max(...weights))]}: this is the maximum.`;
  return `The weight is spread as over ${fmt(shared, 1)} of the ${seen} keys.`;
}
const progress = words(app, "progress", (state) => `<p>${verdict(state)}</p>`);

function inWords(state) {
  const { weights, mean } = answer(state);
  return `Weights ${weights.map((p) => fmt(p)).join(", ")}; the mean is ${fmt(mean)}. ${verdict(state)}`;
}

const position = slider(app, "position", "position");
app.onDraw(({ masked }) => (position.hidden = !masked));

app.start(inWords,
  h("section", { class: "pictures" },
    plane.element,
    h("div", { class: "side" }, beam.element, table),
    h("p", { class: "note" }, `Move the query q and the keys, and the values at the foot of the stems. A stem is as high as the key's weight; where the
      beam balances is the mean a. Each place of the plane has the colour of the mean that a query there would get.`),
    formula),
  h("section", { class: "controls" },
    h("div", {}, h("h2", {}, "Scores"), slider(app, "sharpness", "sharpness"), toggle(app, "scaled", "divided by √d, with d = 2"), progress,
      h("p", { class: "note" }, `The product of two vectors of d independent numbers of mean 0 and variance 1 has the standard deviation √d:
        undivided, scores of vectors of 64 numbers would be 8 times as sharp.`)),
    h("div", {}, h("h2", {}, "Keys"), h("div", { class: "buttons" }, add, remove),
      toggle(app, "masked", "causal mask: keys after the query’s position are hidden"), position, resetButton(app))));
