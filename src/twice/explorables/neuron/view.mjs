// The neuron on the page: the plane it sees, its activation, its arithmetic, and a task to solve.

import { createApp, button, choice, resetButton, slider, words } from "../_shared/app.mjs";
import { axes, createHandle, createPlot, divergingMap, fmt, h, paint, round } from "../_shared/plot.mjs";
import { activations, defaults, inputs, neuron, nextWrong, perceptronStep, table } from "./model.mjs";

// Written as JSON, because Python reads this too.
export const about = {
  "title": "A neuron with two inputs",
  "text": "Interactive figure: a neuron with two inputs, its weights, its bias and its activation; the plane of inputs coloured by the neuron's answer, with the boundary where z = 0. Open this notebook in Colab, in JupyterLab or in the HTML book to use it.",
  "height": 895
};

const ARROW = 0.5; // the arrow of w is drawn at half its length, so that all of it fits
const FULL = 4; // relu and linear have no largest answer: the colours end here

// For each activation: the part of the curve that is shown, and the answer a as a colour in [-1, 1].
const bounded = { y: [-0.35, 1.35], ticks: [1], tone: (a) => 2 * a - 1 };
const unbounded = { y: [-FULL - 0.6, FULL + 0.6], ticks: [-4, -2, 2, 4], tone: (a) => a / FULL };
const looks = {
  step: bounded,
  sigmoid: bounded,
  tanh: { y: [-1.5, 1.5], ticks: [-1, 1], tone: (a) => a },
  relu: { ...unbounded, y: [-1, FULL + 0.6], ticks: [2, 4] },
  linear: unbounded,
};

const app = createApp(defaults);

const plane = createPlot({ label: "The plane of inputs", x: [-2.2, 2.2], y: [-2.2, 2.2] });
const curve = createPlot({ label: "The activation function", x: [-5.6, 5.6], y: [-1, 1], aspect: 1.5 });
curve.element.classList.add("grow");

/** Two far points of the line z = 0, and the unit vector along w; null where w = 0. */
function boundary({ w1, w2, b }) {
  const length = Math.hypot(w1, w2);
  if (length === 0) return null;
  const normal = [w1 / length, w2 / length];
  const foot = normal.map((n) => (-b / length) * n);
  const along = [-normal[1], normal[0]];
  const far = Math.abs(b / length) + 5;
  return { normal, ends: [-far, far].map((s) => foot.map((f, i) => f + s * along[i])) };
}

function arrow({ w1, w2 }) {
  const [u, v] = [plane.px(ARROW * w1), plane.py(ARROW * w2)];
  const [dx, dy] = [u - plane.px(0), v - plane.py(0)];
  const length = Math.hypot(dx, dy);
  if (length < 1) return "";
  const [c, s] = [dx / length, dy / length];
  const corner = (back, aside) => `${u - back * c - aside * s},${v - back * s + aside * c}`;
  return `<path class="w" d="M${plane.px(0)},${plane.py(0)}L${corner(8, 0)}"/>
    <polygon class="head" points="${u},${v} ${corner(14, 6)} ${corner(14, -6)}"/>
    <text class="name w" text-anchor="middle" x="${u + 15 * c}" y="${v + 15 * s + 5}">w</text>`;
}

/** The step that the perceptron rule would take, as a dotted continuation of the arrow. */
function preview(state) {
  const { w1 = state.w1, w2 = state.w2 } = perceptronStep(state);
  return plane.line([state.w1 * ARROW, state.w2 * ARROW], [w1 * ARROW, w2 * ARROW], 'class="preview"');
}

const rowDot = (plot, at, { target, right }, isNext) => `
  ${isNext ? plot.dot(at, 17, 'class="next"') : ""}
  ${plot.dot(at, 11, `class="row class${target}${right ? "" : " wrong"}"`)}
  ${plot.text(at, target, 'class="digit" text-anchor="middle"', 0, 4.5)}`;

function drawPlane(state) {
  const { tone } = looks[state.activation];
  const color = divergingMap();
  const { w1, w2, b } = state;
  const { f } = activations[state.activation];
  paint(plane, (x1, x2) => color(tone(f(w1 * x1 + w2 * x2 + b))));
  const edge = boundary(state);
  const next = nextWrong(state);
  const ticks = state.data === "none" ? [-2, -1, 1, 2] : [-2, -1, 2]; // the points at 1 would hide its number
  plane.draw(`
    ${axes(plane, { names: ["x₁", "x₂"], xTicks: ticks, yTicks: ticks })}
    ${edge ? plane.line(...edge.ends, 'class="edge"') : ""}
    ${preview(state)}${arrow(state)}
    ${table(state).map((row, i) => rowDot(plane, row.x, row, i === next)).join("")}`, inWords(state));
}

function drawCurve(state) {
  const { y, ticks, tone } = looks[state.activation];
  const { f } = activations[state.activation];
  curve.y = y;
  const color = divergingMap();
  const strip = curve.x[0] + 0.03 * (curve.x[1] - curve.x[0]);
  paint(curve, (z, a) => (z < strip ? color(tone(a)) : 0));
  const grid = Array.from({ length: 141 }, (_, i) => i / 25);
  const points = [...grid.toReversed().map((z) => -z - 1e-9), ...grid].map((z) => [z, f(z)]); // both sides of 0: the step jumps
  const { z, a, slope } = neuron(state, [state.x1, state.x2]);
  const near = Math.max(-5.6, Math.min(5.6, z));
  const tangent = slope === undefined ? "" : curve.line([z - 1, a - slope], [z + 1, a + slope], 'class="tangent"');
  curve.draw(`
    ${axes(curve, { names: ["z", "a = f(z)"], xTicks: [-4, -2, 2, 4], yTicks: ticks })}
    ${curve.line([near, 0], [near, f(near)], 'class="drop"')}
    <path class="curve" d="${curve.d(points)}"/>${tangent}
    ${table(state).map((row) => curve.dot([row.z, row.a], 4, `class="row class${row.target}"`)).join("")}
    ${curve.dot([near, f(near)], 6.5, 'class="probe"')}`,
  `${state.activation}: at z = ${fmt(z)} the answer is ${fmt(a, 3)}.`);
}

app.onDraw((state) => {
  plane.measure();
  curve.measure();
  drawPlane(state);
  drawCurve(state);
});

const signed = (value) => `${value < 0 ? "−" : "+"} ${fmt(Math.abs(value))}`;
const x = (value) => `<span class="x">${value < 0 ? `(${fmt(value)})` : fmt(value)}</span>`;

const formula = words(app, "formula", (state) => {
  const { w1, w2, b, x1, x2, activation } = state;
  const { z, a, slope } = neuron(state, [x1, x2]);
  return `
    <p><i>z</i> = <i>w</i>₁<i>x</i>₁ + <i>w</i>₂<i>x</i>₂ + <i>b</i>
      <span class="nowrap">= ${fmt(w1)} · ${x(x1)} ${signed(w2)} · ${x(x2)} ${signed(b)}</span>
      <span class="nowrap">= <b>${fmt(z)}</b></span></p>
    <p><i>a</i> = <i>f</i>(<i>z</i>) = ${activation}(${fmt(z)}) = <b>${fmt(a, 3)}</b>,
      <span class="nowrap">with slope <span class="whole"><i>f</i>′(<i>z</i>)</span> = ${slope === undefined ? "none: the step jumps here" : fmt(slope, 3)}</span></p>`;
});

const truth = words(app, "truth", (state) => {
  const rows = table(state);
  if (rows.length === 0) return `<p class="note">Choose a function of two bits, then move
    the boundary until all four points are right.</p>`;
  const right = rows.filter((row) => row.right).length;
  const cells = rows.map(({ x: [x1, x2], target, z, decision, right: ok }) => `
    <tr><td>${x1}</td><td>${x2}</td><td>${target}</td><td>${fmt(z)}</td><td>${decision}</td>
      <td>${ok ? "right" : "<b>wrong</b>"}</td></tr>`);
  return `<table><thead><tr><th><i>x</i>₁</th><th><i>x</i>₂</th><th>target</th><th><i>z</i></th><th><i>z</i> ≥ 0</th><td></td></tr></thead>
    <tbody>${cells.join("")}</tbody></table><p><b>${right} of 4</b> points are right.</p>`;
});

const rule = words(app, "rule", (state) => {
  const i = nextWrong(state);
  if (state.data === "none") return "";
  if (i < 0) return "<p>All four are right: the perceptron rule changes nothing.</p>";
  const { x: [x1, x2], target, decision } = table(state)[i];
  const sign = target > decision ? "+" : "−";
  return `<p>Next: (${x1}, ${x2}) should give ${target} and gives ${decision}, so
    <span class="nowrap"><b><i>w</i></b> ← <b><i>w</i></b> ${sign} (${x1}, ${x2})</span> and
    <span class="nowrap"><i>b</i> ← <i>b</i> ${sign} 1.</span></p>`;
});

const step = button("One step of the perceptron rule", () => app.set(perceptronStep(app.state)));
app.onDraw((state) => (step.disabled = nextWrong(state) < 0));

createHandle(app, plane, {
  label: "Tip of the weight vector w", className: "tip", step: 0.05,
  at: ({ w1, w2 }) => [ARROW * w1, ARROW * w2],
  words: ({ w1, w2 }) => `w₁ ${fmt(w1)}, w₂ ${fmt(w2)}`,
  move: ([u, v]) => app.set({ w1: round(u / ARROW, 0.1), w2: round(v / ARROW, 0.1) }),
});
createHandle(app, plane, {
  label: "Input x", className: "probe", step: 0.1,
  at: ({ x1, x2 }) => [x1, x2],
  words: ({ x1, x2 }) => `x₁ ${fmt(x1)}, x₂ ${fmt(x2)}`,
  move: ([x1, x2]) => app.set({ x1: round(x1, 0.1), x2: round(x2, 0.1) }),
});
plane.element.addEventListener("click", (event) => {
  const [x1, x2] = plane.at(event);
  app.set({ x1: round(x1, 0.1), x2: round(x2, 0.1) });
});

function inWords(state) {
  const { z, a } = neuron(state, [state.x1, state.x2]);
  const rows = table(state);
  const task = rows.length ? ` ${rows.filter((row) => row.right).length} of 4 points of ${state.data} are right.` : "";
  return `Weights ${fmt(state.w1)} and ${fmt(state.w2)}, bias ${fmt(state.b)}, ${state.activation}.
    At the input (${fmt(state.x1)}, ${fmt(state.x2)}) z is ${fmt(z)} and the answer is ${fmt(a, 3)}.${task}`;
}

app.start(inWords,
  h("section", { class: "pictures" },
    plane.element,
    h("div", { class: "side" }, choice(app, "activation", "Activation f"), curve.element),
    h("p", { class: "note" }, "The line is where z = 0. The arrow is w, at half its length. Drag its tip, or the input."),
    formula),
  h("section", { class: "controls" },
    h("div", {},
      h("h2", {}, "The neuron"),
      slider(app, "w1", "weight w₁"), slider(app, "w2", "weight w₂"), slider(app, "b", "bias b"),
      h("h2", {}, "The input"),
      slider(app, "x1", "x₁"), slider(app, "x2", "x₂"), resetButton(app)),
    h("div", {}, choice(app, "data", "A task"), truth, step, rule)));
