// Backpropagation on the page: the graph with its numbers so far, and the step just done, written out.

import { createApp, button, choice, resetButton, slider, words } from "../_shared/app.mjs";
import { createPlot, fmt, h } from "../_shared/plot.mjs";
import { once } from "../_shared/state.mjs";
import { defaults, INPUTS, known, nodes, nudged, tape, used } from "./model.mjs";

// Written as JSON, because Python reads this too.
export const about = {
  "title": "Backpropagation, a step at a time",
  "text": "Interactive figure: a small graph of computations, in which values are computed forward and gradients backward, a step at a time, each step written out with its numbers. Open this notebook in Colab, in JupyterLab or in the HTML book to use it.",
  "height": 850
};

const WIDE = 560; // pixels, from which the graph runs from left to right and not from top to bottom
const BOX = { width: 82, height: 66 };

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

// Where things are: computations in a row, one after the other, and what enters them beside; on a phone in a column.

/** The place of each box: [column, lane]. */
function places(state) {
  const chain = nodes(state);
  const entering = used(state).map((key) =>
    [key, key === "x" ? [0, 0] : [chain.findIndex(({ operands }) => operands.includes(key)), 1]]);
  return Object.fromEntries([...entering, ...chain.map(({ name }, i) => [name, [i + 1, 0]])]);
}

/** The centre of each box in pixels; also sets the height of the picture. */
function arrange(state) {
  const columns = nodes(state).length + 1;
  const isWide = picture.element.clientWidth >= WIDE;
  picture.element.style.setProperty("--aspect", isWide ? 2.9 : picture.element.clientWidth / (columns * 96));
  picture.measure();
  const { width, height } = picture;
  const centre = ([column, lane]) => isWide
    ? [(width * (column + 0.5)) / columns, height * (lane ? 0.8 : 0.37)]
    : [width * (lane ? 0.8 : 0.38), (height * (column + 0.5)) / columns];
  return { isWide, at: Object.fromEntries(Object.entries(places(state)).map(([name, place]) => [name, centre(place)])) };
}

/** The ends of an arrow at the two boxes, the bend between them (null: none), and where its slope is written. */
function route({ isWide, at }, state, from, to) {
  const [[x0, y0], [x1, y1]] = [at[from], at[to]];
  const [w, v] = [BOX.width / 2, BOX.height / 2];
  const [[c0, lane], [c1]] = [from, to].map((name) => places(state)[name]);
  if (!lane && c1 - c0 > 1) { // around the boxes between
    return isWide
      ? { ends: [[x0, y0 - v], [x1, y1 - v]], bend: [(x0 + x1) / 2, y0 - v - 80], label: [(x0 + x1) / 2, y0 - v - 46] }
      : { ends: [[x0 - w, y0], [x1 - w, y1]], bend: [x0 - w - 80, (y0 + y1) / 2], label: [x0 - w - 34, (y0 + y1) / 2] };
  }
  if (lane) {
    const ends = isWide ? [[x0 + w * 0.5, y0 - v], [x1 - w * 0.5, y1 + v]] : [[x0 - w * 0.5, y0 + v], [x1 + w, y1 - v * 0.2]];
    return { ends, bend: null, label: [(ends[0][0] + ends[1][0]) / 2, (ends[0][1] + ends[1][1]) / 2 + 4] };
  }
  return isWide
    ? { ends: [[x0 + w, y0], [x1 - w, y1]], bend: null, label: [(x0 + x1) / 2, y0 - v - 7] }
    : { ends: [[x0, y0 + v], [x1, y1 - v]], bend: null, label: [x0 - 30, (y0 + y1) / 2 + 4] };
}

/** An arrow forward in grey; once its step back is done, backward in orange, with its slope. */
function arrow(layout, state, node, operand) {
  const { arrows, step } = now(state);
  const back = arrows.find((one) => one.node.name === node.name && one.operand === operand);
  const { ends, bend, label } = route(layout, state, operand, node.name);
  const [start, tip] = back ? ends.toReversed() : ends;
  const [bx, by] = bend ?? start;
  const length = Math.hypot(tip[0] - bx, tip[1] - by);
  const [c, s] = [(tip[0] - bx) / length, (tip[1] - by) / length];
  const corner = (behind, aside) => `${tip[0] - behind * c - aside * s},${tip[1] - behind * s + aside * c}`;
  const isCurrent = back && back === step;
  const size = isCurrent ? 12 : 8;
  return `<g class="${back ? "back" : ""}${isCurrent ? " current" : ""}">
    <path class="arrow" d="M${start} ${bend ? `Q${bend} ` : "L"}${corner(size - 1, 0)}"/>
    <polygon class="head" points="${tip} ${corner(size, size / 2)} ${corner(size, -size / 2)}"/>
    ${back ? `<text class="slope" x="${label[0]}" y="${label[1]}">${number(back.slope)}</text>` : ""}</g>`;
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
  const arrows = chain.flatMap((node) => node.operands.map((operand) => arrow(layout, state, node, operand)));
  const boxes = Object.entries(layout.at).map(([name, place]) => box(place, name, titles[name] ?? sub(name), now(state)));
  picture.draw(arrows.join("") + boxes.join(""), inWords(state));
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
  const end = state.stage >= all(state).length ? `<p>Every gradient is known, after one way forward and one way back.</p>` : "";
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
  ∂<i>L</i>/∂(box). On each arrow back: the slope of that step.`;

app.start(inWords,
  h("section", { class: "pictures" }, picture.element, key, formula),
  h("section", { class: "controls" },
    h("div", {},
      stage, h("div", { class: "buttons" }, forward, back, button("Back to the start", () => app.set({ stage: 0 }))),
      choice(app, "graph", "The graph", { neuron: "one neuron", skip: "x used twice" }),
      choice(app, "activation", "Activation"), resetButton(app)),
    h("div", {}, h("h2", {}, "The inputs"), ...sliders, check)));
