// Linear regression on the page: the points and their squares, and the map of the loss over (w, b).

import { createApp, button, resetButton, runner, slider, toggle, words } from "../_shared/app.mjs";
import { axes, createHandle, createPlot, createPoints, fmt, h, round } from "../_shared/plot.mjs";
import { once } from "../_shared/state.mjs";
import { curvature, defaults, descend, feature, gradient, loss, minimum, pairs, spread, switched } from "./model.mjs";

// Written as JSON, because Python reads this too.
export const about = {
  "title": "Linear regression by gradient descent",
  "text": "Interactive figure: points and a line through them, the squares whose mean area is the loss, and a map of the loss over slope and intercept with the path of gradient descent. Open this notebook in Colab, in JupyterLab or in the HTML book to use it.",
  "height": 930
};

const LEVELS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500]; // of the loss, where the map has its lines
const SMALL = 1e-4; // a gradient below this: descent has arrived

const app = createApp(defaults);
const scatter = createPlot({ label: "The points and the line", x: [-0.6, 6.4], y: [-0.6, 6.4] });
const map = createPlot({ label: "The loss over w and b", x: [-3.4, 3.4], y: [-1.4, 7.4], aspect: 6.8 / 8.8 });

const pathOf = once(descend);

/** The line as it stands: where descent has come to. */
const here = (state) => pathOf(state).at(-1);

/** A line through the whole picture, for slope and intercept in the feature u. */
function drawLine(state, { w, b }, attributes) {
  const u = feature(state);
  return scatter.line(...scatter.x.map((x) => [x, w * u(x) + b]), attributes);
}

/** The square of one residual, on the side of the point where there is room for it. */
function square(state, { w, b }, [x, y]) {
  const residual = w * feature(state)(x) + b - y;
  const side = Math.abs(residual);
  const left = x + side > scatter.x[1] ? x - side : x;
  const [px, py] = [scatter.px(left), scatter.py(Math.max(y, y + residual))];
  const size = scatter.px(side) - scatter.px(0);
  return size < 4000 ? `<rect class="square" x="${px}" y="${py}" width="${size}" height="${size}"/>` : "";
}

function drawScatter(state) {
  const line = here(state);
  scatter.draw(`
    ${axes(scatter, { names: ["x", "y"], xTicks: [2, 4, 6], yTicks: [2, 4, 6] })}
    ${state.points.map((point) => square(state, line, point)).join("")}
    ${drawLine(state, minimum(pairs(state)), 'class="best"')}
    ${drawLine(state, line, 'class="line"')}`, inWords(state));
}

/** The lines of equal loss: the loss is quadratic, so they are ellipses around the minimum. */
function contours(data, lowest) {
  const { largest, smallest, angle } = curvature(data);
  const unit = map.px(1) - map.px(0);
  const [cx, cy] = [map.px(lowest.w), map.py(lowest.b)];
  const turn = `rotate(${(-angle * 180) / Math.PI} ${cx} ${cy})`;
  return LEVELS.toReversed().map((level) => {
    const excess = Math.max(level - loss(data, lowest), 0);
    const [rx, ry] = [largest, smallest].map((value) => Math.min(Math.sqrt((2 * excess) / value) * unit, 1e5));
    return `<ellipse class="contour" cx="${cx}" cy="${cy}" rx="${rx}" ry="${ry}" transform="${turn}"/>`;
  }).join("");
}

/** The loss of each line, beside the minimum where there is more room; those too close to the last are left out. */
function levels(data, lowest) {
  const rise = loss(data, { ...lowest, w: lowest.w + 1 }) - loss(data, lowest); // for one unit of w
  const side = lowest.w > 0 ? -1 : 1;
  let last = 0;
  return LEVELS.map((level) => {
    const away = Math.sqrt(Math.max(level - loss(data, lowest), 0) / rise);
    const w = lowest.w + side * away;
    if (away - last < 0.6 || Math.abs(w) > 3.1) return "";
    last = away;
    return map.text([w, lowest.b], level, 'class="level" text-anchor="middle"', 0, 4);
  }).join("");
}

const bounded = ({ w, b }) => [w, b].map((value) => Math.max(-1e4, Math.min(1e4, value)));

function drawMap(state) {
  const data = pairs(state);
  const lowest = minimum(data);
  const path = pathOf(state).map(bounded);
  map.draw(`
    ${contours(data, lowest)}${levels(data, lowest)}
    ${axes(map, { names: ["w", "b"], xTicks: [-2, 2], yTicks: [2, 4, 6] })}
    <path class="path" d="${map.d(path)}"/>
    ${path.map((at) => map.dot(at, 2.5, 'class="stop"')).join("")}
    ${map.dot(path[0], 4.5, 'class="first"')}
    ${lowest.unique ? map.dot(bounded(lowest), 6, 'class="lowest"') : ""}`,
  `The loss is ${fmt(loss(data, here(state)), 3)} here and ${fmt(loss(data, lowest), 3)} at its lowest.`);
}

app.onDraw((state) => {
  scatter.measure();
  map.measure();
  drawScatter(state);
  drawMap(state);
});

const sign = (value) => (value < 0 ? `(${fmt(value, 3)})` : fmt(value, 3));

const numbers = words(app, "formula", (state) => {
  const line = here(state);
  const slope = gradient(pairs(state), line);
  const { centre, deviation } = spread(state);
  const next = (name) => `<span class="nowrap"><i>${name}</i> ← ${fmt(line[name], 3)} − ${state.rate} · ${sign(slope[name])} =
    <b>${fmt(line[name] - state.rate * slope[name], 3)}</b></span>`;
  return `
    <p><i>ŷ</i> = ${fmt(line.w)} ${state.standardise ? "<i>u</i>" : "<i>x</i>"} ${line.b < 0 ? "−" : "+"} ${fmt(Math.abs(line.b))}${
      state.standardise ? `, <span class="nowrap"><i>u</i> = (<i>x</i> − ${fmt(centre)}) / ${fmt(deviation)}</span>` : ""}</p>
    <p><i>L</i>(<i>w</i>, <i>b</i>) = mean area of the squares = <b>${fmt(line.loss, 3)}</b></p>
    <p>∂<i>L</i>/∂<i>w</i> = ${fmt(slope.w, 3)}, ∂<i>L</i>/∂<i>b</i> = ${fmt(slope.b, 3)}</p>
    <p>Next step: ${next("w")}, ${next("b")}</p>`;
});

/** How the descent goes, in one sentence. */
function verdict(state) {
  const path = pathOf(state);
  const [first, last] = [path[0].loss, path.at(-1).loss];
  const slope = gradient(pairs(state), path.at(-1));
  if (Math.hypot(slope.w, slope.b) < SMALL) return "The gradient is 0 here: this is the lowest point.";
  if (path.length === 1) return "Press Step or Run to go downhill from here.";
  if (last > first) return "The loss grows: every step overshoots. Make the rate smaller.";
  return "The loss falls.";
}

const terrain = words(app, "terrain", (state) => {
  const { largest, smallest } = curvature(pairs(state));
  const condition = smallest > 1e-9 ? fmt(largest / smallest, largest / smallest < 10 ? 1 : 0) : "infinite";
  return `<p>${verdict(state)}</p>
    <p class="note">Descent converges at rates below 2/λ = ${Number((2 / largest).toPrecision(3))}, where λ is the largest curvature.
    The condition number of the valley is ${condition}.</p>`;
});

// A change by hand begins a new descent from where the line stands.
const setLine = (changes) => app.set({ w: here(app.state).w, b: here(app.state).b, ...changes, steps: 0 });
const lineSlider = (key, label) =>
  slider(app, key, label, { get: (state) => here(state)[key], set: (value) => setLine({ [key]: value }) });

const points = createPoints(app, scatter, { key: "points", label: "Point", className: "datum" });
scatter.element.addEventListener("click", (event) => points.add(scatter.at(event)));
const { least, most } = defaults.points;
const addPoint = button("Add a point", () => points.add([app.state.points.length % 6 + 0.5, 1]));
const removePoint = button("Remove a point", points.remove);
app.onDraw((state) => {
  addPoint.disabled = state.points.length === most;
  removePoint.disabled = state.points.length === least;
});

createHandle(app, map, {
  label: "The line, as a point of the map", className: "theta", step: 0.05,
  at: (state) => bounded(here(state)),
  words: (state) => `w ${fmt(here(state).w)}, b ${fmt(here(state).b)}`,
  move: ([w, b]) => setLine({ w: round(w, 0.05), b: round(b, 0.05) }),
});

map.element.addEventListener("click", (event) => {
  const [w, b] = map.at(event);
  setLine({ w: round(w, 0.05), b: round(b, 0.05) });
});

const standardise = toggle(app, "standardise", "standardise x", () => app.set(switched(app.state)));

/** One step more; false where there is nothing left to do. */
function advance() {
  const slope = gradient(pairs(app.state), here(app.state));
  app.set({ steps: app.state.steps + 1 });
  return app.state.steps < defaults.steps.max && Math.hypot(slope.w, slope.b) > SMALL && here(app.state).loss < 1e6;
}
const buttons = h("div", { class: "buttons" },
  button("Step", advance),
  runner(app, "Run", advance, () => app.set({ steps: defaults.steps.max })),
  button("Back to the start", () => app.set({ steps: 0 })));

function inWords(state) {
  const line = here(state);
  return `${state.points.length} points. Slope ${fmt(line.w)}, intercept ${fmt(line.b)}, loss ${fmt(line.loss, 3)}
    after ${state.steps} steps. ${verdict(state)}`;
}

app.start(inWords,
  h("section", { class: "pictures" },
    scatter.element, map.element,
    h("p", { class: "note" }, `Drag the points, or the blue dot of the map; click to add a point. By keyboard, arrows move a
      point, Page Up and Page Down choose one, Delete removes it. Green is the least-squares solution.`),
    numbers),
  h("section", { class: "controls" },
    h("div", {},
      h("h2", {}, "The line"),
      lineSlider("w", "slope w"), lineSlider("b", "intercept b"), standardise,
      h("h2", {}, "The points"),
      h("div", { class: "buttons" }, addPoint, removePoint), resetButton(app)),
    h("div", {},
      h("h2", {}, "Gradient descent"),
      slider(app, "rate", "rate"), slider(app, "steps", "steps"), buttons, terrain)));
