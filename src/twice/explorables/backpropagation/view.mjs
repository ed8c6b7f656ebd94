// Backpropagation on the page: the graph with its numbers so far, and the step just done, written out.

import { createApp, button, choice, resetButton, slider, words } from "../_shared/app.mjs";
import { createPlot, fmt, h } from "../_shared/plot.mjs";
import { once } from "../_shared/state.mjs";
import { defaults, INPUTS, known, nodes, nudged, tape, used } from "./model.mjs";

// Written as JSON, because Python reads this too.
export const about = {
  "title": "Backpropagation, a step at a time",
  "text": "Interactive figure: a small graph of computations, in which values are computed forward and gradients backward, a step at a time, each step written out with its numbers. Open this notebook in Colab, in JupyterLab or in the HTML book to use it.",
  "height": 960
};

const WIDE = 600; // pixels, from which the graph runs in two rows and not in a column
const BOX = { width: 104, height: 66 };
const GAP = 48; // between boxes one above the other
const EDGE = 14; // above and below the graph
const SIDE = 6; // beside the column
const ASIDE = 5; // from the middle between two boxes to each of the two arrows there

const app = createApp(defaults);
const picture = createPlot({ label: "The graph", x: [0, 1], y: [0, 1] });

const now = once(known);
const all = once(tape);
const done = (state) => Math.min(state.stage, all(state).length);

/** A symbol as it is written: w1 is w₁. */
const sub = (name) => name.replace("1", "₁").replace("2", "₂");
const italic = (name) => `<i>${sub(name)}</i>`;
const number = (value) => fmt(value, 3);
const factor = (value) => (value < 0 ? `(${number(value)})` : number(value));

/** A computation in symbols, each written by `write`: u₁ · b₁, e², tanh z₁. */
function expression({ operation, operands }, write) {
  const [p, q] = operands.map(write);
  if (operation === "²") return `${p}²`;
  return q === undefined ? `${operation === "sigmoid" ? "σ" : operation} ${p}` : `${p} ${operation} ${q}`;
}

// Where things are. In two rows, the first to the right and the second back to the left, with what enters a
// computation above the first row and below the second; on a phone in a column, with what enters to its right.

/** The boxes that follow one another: x, and each computation. */
const sequence = (state) => ["x", ...nodes(state).map(({ name }) => name)];

/** The place of each box: [column, row]. */
function places(state, isWide) {
  const chain = sequence(state);
  const half = chain.length / 2;
  const at = (i) => (isWide ? (i < half ? [i, 1] : [chain.length - 1 - i, 2]) : [0, i]);
  const beside = ([column, row]) => (isWide ? [column, row === 1 ? 0 : 3] : [1, row]);
  const use = (key) => nodes(state).findIndex(({ operands }) => operands.includes(key)) + 1;
  const entering = used(state).filter((key) => key !== "x").map((key) => [key, beside(at(use(key)))]);
  return Object.fromEntries([...chain.map((name, i) => [name, at(i)]), ...entering]);
}

/** Whether a computation uses one of the sequence that does not stand just before it. */
function skips(state, { name }, operand) {
  const [from, to] = [operand, name].map((one) => sequence(state).indexOf(one));
  return from >= 0 && to - from > 1;
}

/** The centre of each box in pixels; also sets the height of the picture. */
function arrange(state) {
  const { clientWidth } = picture.element;
  const isWide = clientWidth >= WIDE;
  const boxes = Object.entries(places(state, isWide));
  const [columns, rows] = [0, 1].map((i) => 1 + Math.max(...boxes.map(([, place]) => place[i])));
  picture.element.style.height = `${2 * EDGE + rows * BOX.height + (rows - 1) * GAP}px`;
  picture.measure();
  const skip = nodes(state).some((node) => node.operands.some((operand) => skips(state, node, operand)));
  const first = SIDE + BOX.width / 2 + (skip ? 20 : 0); // in the column: room for the way around
  const across = isWide
    ? (column) => (clientWidth * (column + 0.5)) / columns
    : (column) => (column ? clientWidth - SIDE - BOX.width / 2 : first);
  const down = (row) => EDGE + BOX.height / 2 + row * (BOX.height + GAP);
  return { isWide, at: Object.fromEntries(boxes.map(([name, [column, row]]) => [name, [across(column), down(row)]])) };
}

/**
 * The ways from one box to another, `way(-1)` for the arrow forward and `way(1)` for the arrow back beside it: each a
 * line, or a curve with two points between its ends. And where the slope is written.
 */
function route({ isWide, at }, from, to, isSkip) {
  const [[x0, y0], [x1, y1]] = [at[from], at[to]];
  const [w, v] = [BOX.width / 2, BOX.height / 2];
  const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
  if (isSkip && isWide) { // between the rows
    const [start, tip] = [x0, x1 - w / 2];
    const way = (side) => [[start, y0 + v], [start, y - 1.6 * side * ASIDE], [tip, y - 1.6 * side * ASIDE], [tip, y1 - v]]
      .map(([px, py]) => [px + side * ASIDE, py]);
    return { way, label: [x, y + 4] };
  }
  if (isSkip) { // on the left of the column
    const left = x0 - w;
    const way = (side) => [[left, y0], [left - 28, y0], [left - 28, y1], [left, y1]]
      .map(([px, py], i) => [px + (i % 3 ? side * ASIDE : 0), py + (i < 2 ? side : -side) * ASIDE]);
    return { way, label: [left + 24, y + 4] };
  }
  const [dx, dy] = [Math.sign(x1 - x0), Math.sign(y1 - y0)];
  const ends = [[x0 + w * dx, y0 + v * dy], [x1 - w * dx, y1 - v * dy]];
  return dy
    ? { way: (side) => ends.map(([px, py]) => [px + side * ASIDE, py]), label: [x + 36, y + 4] }
    : { way: (side) => ends.map(([px, py]) => [px, py - side * ASIDE]), label: [x, y - 12] };
}

/** An arrow along a line, or along a curve with two points between its ends. */
function arrow(points, className, isCurrent) {
  const size = isCurrent ? 12 : 8;
  const [[bx, by], tip] = points.slice(-2);
  const length = Math.hypot(tip[0] - bx, tip[1] - by);
  const [c, s] = [(tip[0] - bx) / length, (tip[1] - by) / length];
  const corner = (behind, aside) => [tip[0] - behind * c - aside * s, tip[1] - behind * s + aside * c];
  const way = [...points.slice(0, -1), corner(size - 1, 0)];
  return `<g class="${className}${isCurrent ? " current" : ""}">
    <path class="arrow" d="M${way[0]} ${way.length > 2 ? "C" : "L"}${way.slice(1).join(" ")}"/>
    <polygon class="head" points="${tip} ${corner(size, size / 2)} ${corner(size, -size / 2)}"/></g>`;
}

/** Between two boxes: the value's arrow forward and, once its step is done, the gradient's arrow back with its slope. */
function bothWays(layout, state, node, operand) {
  const { arrows, step, values } = now(state);
  const back = arrows.find((one) => one.node.name === node.name && one.operand === operand);
  const { way, label } = route(layout, operand, node.name, skips(state, node, operand));
  const goesForward = step?.kind === "forward" && step.node.name === node.name;
  const isCurrent = back !== undefined && back === step;
  return arrow(way(-1), node.name in values ? "forth" : "waiting", goesForward) + (back === undefined ? "" :
    arrow(way(1).toReversed(), "back", isCurrent)
    + `<text class="slope${isCurrent ? " current" : ""}" x="${label[0]}" y="${label[1]}">${number(back.slope)}</text>`);
}

/** A box: the computation, its value on blue, its gradient on orange; dots for what is still to come. */
function box([x, y], name, title, { values, gradients, step }) {
  const isCurrent = step && (step.kind === "forward" ? step.node.name : step.operand) === name;
  const [left, top, row] = [x - BOX.width / 2, y - BOX.height / 2, BOX.height / 3];
  const gradient = gradients[name];
  const lines = [
    title,
    name in values ? number(values[name]) : "",
    gradient ? number(gradient.gradient) + (gradient.complete ? "" : " + …") : "",
  ];
  const cell = (kind, i) => `<rect class="${kind}" x="${left}" y="${top + i * row}" width="${BOX.width}" height="${row}"/>`;
  return `<g class="box${isCurrent ? " current" : ""}">
    <rect class="frame" x="${left}" y="${top}" width="${BOX.width}" height="${BOX.height}" rx="3"/>
    ${lines[1] && cell("value", 1)}${lines[2] && cell("gradient", 2)}
    ${lines.map((line, i) => `<text ${i ? "" : 'class="title"'} x="${x}" y="${top + (i + 0.5) * row + 4.5}">${line}</text>`).join("")}</g>`;
}

app.onDraw((state) => {
  const layout = arrange(state);
  const chain = nodes(state);
  const titles = Object.fromEntries(chain.map((node) => [node.name, `${sub(node.name)} = ${expression(node, sub)}`]));
  const ways = chain.flatMap((node) => node.operands.map((operand) => bothWays(layout, state, node, operand)));
  const boxes = Object.entries(layout.at).map(([name, place]) => box(place, name, titles[name] ?? sub(name), now(state)));
  picture.draw(ways.join("") + boxes.join(""), inWords(state));
});

// The step in words

const partial = (above, below) => `∂${italic(above)}/∂${italic(below)}`;
const by = (text) => `<span class="by">${text}</span>`; // a value or a slope
const to = (text) => `<span class="to">${text}</span>`; // a gradient

/** Where the slope of a node in an operand comes from, in symbols. */
function rule({ name, operation, operands }, operand) {
  const other = operands.find((one) => one !== operand);
  return {
    "+": "",
    "−": "",
    "·": ` = ${italic(other ?? "")}`,
    "²": ` = 2${italic(operand)}`,
    sigmoid: ` = ${italic(name)}(1 − ${italic(name)})`,
    tanh: ` = 1 − ${italic(name)}²`,
    relu: `, 1 where ${italic(operand)} > 0 and else 0,`,
  }[operation];
}

function backward({ node, operand, before, received, slope, gradient, complete }) {
  const isFirst = before === undefined;
  const so = isFirst ? "" : `${to(number(before))} + `;
  const note = isFirst ? `Another path from ${italic(operand)} to <i>L</i> is still to come.` : `Two paths lead from ${
    italic(operand)} to <i>L</i>: their gradients add up.`;
  return `<p><span class="nowrap">${italic(node.name)} = ${expression(node, italic)}</span> has the slope
      <span class="nowrap">${partial(node.name, operand)}${rule(node, operand)} = ${by(number(slope))}.</span></p>
    <p><span class="nowrap">${partial("L", operand)} = ${so}${partial("L", node.name)} · ${partial(node.name, operand)}</span>
      <span class="nowrap">= ${so}${to(factor(received))} · ${by(factor(slope))}</span> <span class="nowrap">= <b>${number(gradient)}</b>.</span></p>
    ${isFirst && complete ? "" : `<p>${note}</p>`}`;
}

const sentences = {
  forward: ({ node, value }, { values }) => `<p>Forward: <span class="nowrap">${italic(node.name)} = ${expression(node, italic)}</span>
    <span class="nowrap">= ${expression(node, (name) => by(factor(values[name])))}</span> <span class="nowrap">= <b>${number(value)}</b>.</span></p>`,
  seed: () => `<p>Backward now. It begins at the end: ${partial("L", "L")} = <b>1</b>.</p>`,
  backward,
};

const formula = words(app, "formula", (state) => {
  const { step } = now(state);
  const text = step ? sentences[step.kind](step, now(state)) : "<p>The inputs have their values. Press Step: everything else follows from them.</p>";
  const end = state.stage >= all(state).length ? `<p>Every gradient is known now.</p>` : "";
  return text + end;
});

/** The gradients of the inputs, and what nudging each of them says. */
const check = words(app, "check", (state) => {
  const { gradients } = now(state);
  const rows = used(state).map((key) => `<tr><th scope="row">${italic(key)}</th>
    <td>${gradients[key]?.complete ? fmt(gradients[key].gradient, 4) : "…"}</td><td>${fmt(nudged(state, key), 4)}</td></tr>`);
  return `<table><thead><tr><td></td><th scope="col">gradient</th><th scope="col">central difference</th></tr></thead>
    <tbody>${rows.join("")}</tbody></table>`;
});

// Controls

const stage = slider(app, "stage", "step", { get: done });
const sliders = INPUTS.map((key) => slider(app, key, sub(key)));
const go = (by) => () => app.set({ stage: done(app.state) + by });
const [back, forward] = [button("Step back", go(-1)), button("Step", go(1))];
app.onDraw((state) => {
  const last = all(state).length;
  stage.querySelectorAll("input").forEach((input) => (input.max = last));
  stage.querySelector("input").value = done(state); // once more: it was cut to the old range
  back.disabled = done(state) === 0;
  forward.disabled = done(state) === last;
  sliders.forEach((element, i) => (element.hidden = !used(state).includes(INPUTS[i])));
});

function inWords(state) {
  const { step } = now(state);
  const place = `Step ${done(state)} of ${all(state).length}`;
  if (!step) return `${place}: only the inputs have values.`;
  if (step.kind === "forward") return `${place}, forward: ${sub(step.node.name)} is ${number(step.value)}.`;
  const sum = step.before === undefined ? "" : ", the sum over two paths";
  return `${place}, backward: the gradient of L with respect to ${sub(step.operand)} is ${number(step.gradient)}${sum}.`;
}

const key = h("p", { class: "note key" });
key.innerHTML = `In each box: the computation, its <span class="blue">value</span> and its <span class="orange">gradient</span>,
  ∂<i>L</i>/∂(box). Arrows forward carry values; arrows back carry gradients, times the slope beside them.`;

app.start(inWords,
  h("section", { class: "pictures" }, picture.element, key, formula),
  h("section", { class: "controls" },
    h("div", {},
      stage, h("div", { class: "buttons" }, forward, back, button("Back to the start", () => app.set({ stage: 0 }))),
      choice(app, "graph", "The graph", { neuron: "one neuron", skip: "x used twice" }),
      choice(app, "activation", "Activation"), resetButton(app)),
    h("div", {}, h("h2", {}, "The inputs"), ...sliders, check)));
