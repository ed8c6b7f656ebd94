// Convolution on the page: the picture with the kernel's window on it, the output, and the sum that makes one pixel of it.

import { createApp, button, choice, resetButton, runner, slider, toggle, words } from "../_shared/app.mjs";
import { createHandle, createPlot, cssColor, divergingMap, fmt, h, mix, paint } from "../_shared/plot.mjs";
import { clamp, once } from "../_shared/state.mjs";
import { defaults, geometry, KERNELS, output, PICTURES, place, SIZE, terms, total } from "./model.mjs";

// Written as JSON, because Python reads this too.
export const about = {
  "title": "A kernel moves over a picture",
  "text": "Interactive figure: a kernel of 3 × 3 numbers, which the reader edits, moves over a small grey picture; the window under it, the nine products, their sum and the picture that the sums make are shown with their numbers. Open this notebook in Colab, in JupyterLab or in the HTML book to use it.",
  "height": 970
};

const INK = 9; // the darkest pixel
const SHADE = 0.8; // how dark it is drawn
const MOST = { light: 6.5, dark: 5.5 }; // the numbers of stronger pixels are written in the colour of the paper

const app = createApp(defaults);
const input = createPlot({ label: "The picture with the kernel's window", x: [0, SIZE], y: [0, SIZE] });
const result = createPlot({ label: "The output", x: [0, SIZE], y: [0, SIZE] });

const answers = once(output);
const count = (state) => geometry(state).places ** 2;
const index = (state) => place(state)[0] * geometry(state).places + place(state)[1];
const isShown = (state, row, column) => row * geometry(state).places + column < state.filled;

// Pictures of squares: row 0 is at the top, so that a square at (row, column) reaches from y = −row − 1 to −row.

/** Let a plot show the rows and columns from `first` on, `size` of each. */
function frame(plot, first, size) {
  plot.x = [first, first + size];
  plot.y = [-first - size, -first];
  plot.measure();
}

const rowAndColumn = ([x, y]) => [Math.floor(-y), Math.floor(x)];

/** A rectangle around the squares from (row, column) on, `size` of them along each side; `inset` pixels inside their edge. */
function box(plot, [row, column], size, attributes, inset = 0) {
  const [x, y] = [plot.px(column) + inset, plot.py(-row) + inset];
  const side = Math.max(0, (plot.width / (plot.x[1] - plot.x[0])) * size - 2 * inset); // 0 before there is a page
  return `<rect x="${x}" y="${y}" width="${side}" height="${side}" ${attributes}/>`;
}

function numberIn(plot, [row, column], words, className = "") {
  const side = plot.width / (plot.x[1] - plot.x[0]);
  const size = Math.min(15, side * Math.min(0.5, 1.3 / words.length));
  return plot.text([column + 0.5, -row - 0.5], words, `class="cell ${className}" font-size="${size.toFixed(1)}"`);
}

/** The lines between the squares. */
function rule(plot, first, size) {
  const lines = Array.from({ length: size - 1 }, (_, i) => first + i + 1).map((at) =>
    plot.d([[at, plot.y[0]], [at, plot.y[1]]]) + plot.d([[plot.x[0], -at], [plot.x[1], -at]]));
  return `<path class="grid" d="${lines.join("")}"/>`;
}

/** A number that fits into a square. */
function short(value) {
  const isWhole = Math.abs(value - Math.round(value)) < 1e-9;
  return fmt(value, isWhole || Math.abs(value) >= 9.95 ? 0 : 1);
}

function drawInput(state) {
  const { reach, before, after } = geometry(state);
  const picture = PICTURES[state.picture];
  const size = SIZE + before + after;
  frame(input, -before, size);
  const colors = ["--paper", "--ink"].map(cssColor);
  const grey = (value) => mix(colors, [1 - (SHADE * value) / INK, (SHADE * value) / INK]);
  paint(input, (x, y) => {
    const [row, column] = rowAndColumn([x, y]);
    return grey(picture[row]?.[column] ?? 0);
  });
  const cells = Array.from({ length: size ** 2 }, (_, i) => [Math.floor(i / size) - before, (i % size) - before]);
  const most = MOST[document.documentElement.dataset.theme];
  const numbers = cells.map(([row, column]) => {
    const value = picture[row]?.[column];
    return numberIn(input, [row, column], String(value ?? 0), value === undefined ? "zero" : value > most ? "light" : "");
  });
  const taps = terms(state, place(state)).flat();
  input.draw(`${rule(input, -before, size)}${numbers.join("")}
    ${before + after ? box(input, [0, 0], SIZE, 'class="edge"') : ""}
    ${state.dilation > 1 ? taps.map(({ row, column }) => box(input, [row, column], 1, 'class="tap"')).join("") : ""}
    ${box(input, [taps[0].row, taps[0].column], reach, 'class="window"', 1)}`, inWords(state));
}

function drawResult(state) {
  const { places } = geometry(state);
  const rows = answers(state);
  const now = place(state);
  const isKnown = (row, column) => isShown(state, row, column) || (row === now[0] && column === now[1]);
  const most = Math.max(...rows.flat().map(Math.abs), 1);
  frame(result, 0, places);
  const map = divergingMap();
  paint(result, (x, y) => {
    const [row, column] = rowAndColumn([x, y]);
    return isKnown(row, column) ? map(rows[row][column] / most) : 0;
  });
  const cells = rows.flatMap((values, row) => values.map((value, column) => isKnown(row, column)
    ? numberIn(result, [row, column], short(value))
    : box(result, [row, column], 1, 'class="pending"')));
  result.draw(`${cells.join("")}${rule(result, 0, places)}${box(result, now, 1, 'class="now"', 1)}`,
    `${places} by ${places} numbers from ${fmt(Math.min(...rows.flat()), 1)} to ${fmt(Math.max(...rows.flat()), 1)}.`);
}

app.onDraw((state) => {
  drawInput(state);
  drawResult(state);
});

// The place that is looked at: pointed at, clicked, dragged, or moved by the arrow keys.

function put(row, column) {
  const last = geometry(app.state).places - 1;
  app.set({ row: clamp(row, 0, last), column: clamp(column, 0, last) });
}

/** The place whose window has its middle at a pixel of the picture. */
function fromInput(at) {
  const { reach, before } = geometry(app.state);
  return at.map((pixel) => Math.round((pixel + before - (reach - 1) / 2) / app.state.stride));
}

/** The mouse shows a place in passing; a click or a tap keeps it. */
function follow({ element, at }, placeAt) {
  let past = null; // the place before the mouse came
  const look = (event) => put(...placeAt(rowAndColumn(at(event))));
  element.addEventListener("pointerenter", ({ pointerType }) => {
    if (pointerType === "mouse") past = place(app.state);
  });
  element.addEventListener("pointermove", (event) => past && look(event));
  element.addEventListener("pointerdown", () => (past = null));
  element.addEventListener("click", look);
  element.addEventListener("pointerleave", () => {
    if (past) put(...past);
    past = null;
  });
}
follow(input, fromInput);
follow(result, (at) => at);

const placeInWords = (state) => `row ${place(state)[0]}, column ${place(state)[1]}`;

createHandle(app, result, {
  label: "Place in the output", step: 1,
  at: (state) => [place(state)[1] + 0.5, -place(state)[0] - 0.5],
  words: (state) => `${placeInWords(state)}: ${short(value(state))}`,
  move: (point) => put(...rowAndColumn(point)),
});

// Words and numbers

const value = (state) => total(state, place(state)) / state.divide;

const plain = (number) => fmt(number).replace(/\.?0+$/, "");
const factor = (number) => (number < 0 ? `(${plain(number)})` : plain(number));

const products = (row) =>
  `<span class="nowrap">${row.map(({ w, x }) => `${factor(w)}·<span class="x">${x}</span>`).join(" + ")}</span>`;

/** How many places there are along a side, with the numbers of the present state. */
function counted({ stride, padding, dilation }) {
  const { reach, places, before, after } = geometry({ stride, padding, dilation });
  return padding === "same"
    ? `⌈${SIZE}/${stride}⌉ = <b>${places}</b>, with zeros around the picture: ${before} before it, ${after} after it`
    : `⌊(${SIZE} − ${reach})/${stride}⌋ + 1 = <b>${places}</b>`;
}

const formula = words(app, "formula", (state) => {
  const [row, column] = place(state);
  const lines = terms(state, [row, column]).map(products).join(" + ");
  const sum = total(state, [row, column]);
  const divided = state.divide > 1 ? `${plain(sum)}/${state.divide} = ` : "";
  return `
    <p><i>y</i>[${row}, ${column}] = ${state.divide > 1 ? "(" : ""}${lines}${state.divide > 1 ? `) / ${state.divide}` : ""}
      <span class="nowrap">= ${divided}<b>${plain(value(state))}</b></span></p>
    <p>Places along a side: ${counted(state)}.${state.stride > 1 && state.dilation > 1
      ? " (Keras allows a stride or a dilation above 1, not both.)" : ""}</p>`;
});

// Controls

/** The fields of the kernel, one for each weight. */
function kernelFields() {
  const { min, max, value: rows } = defaults.kernel;
  return rows.flatMap((row, i) => row.map((_, j) => {
    const field = h("input", {
      type: "number", min, max, step: "any", "aria-label": `kernel, row ${i}, column ${j}`,
      oninput() {
        const weight = field.valueAsNumber; // NaN while nothing readable stands there
        if (weight >= min && weight <= max) app.set({ kernel: app.state.kernel.with(i, app.state.kernel[i].with(j, weight)) });
      },
      onblur: () => (field.value = app.state.kernel[i][j]),
    });
    app.onDraw(({ kernel }) => {
      if (document.activeElement !== field) field.value = kernel[i][j];
    });
    return field;
  }));
}

const presets = Object.entries(KERNELS).map(([name, preset]) => {
  const element = button(name, () => app.set(preset));
  app.onDraw(({ kernel, divide }) =>
    element.setAttribute("aria-pressed", JSON.stringify({ kernel, divide }) === JSON.stringify(preset)));
  return element;
});

/** Show one place more, in the order of reading; begin anew where all are shown. */
function advance() {
  const { places } = geometry(app.state);
  const next = app.state.filled < count(app.state) ? app.state.filled : 0;
  app.set({ row: Math.floor(next / places), column: next % places, filled: next + 1 });
  return next + 1 < count(app.state);
}

/** Go to the next place; what was shown stays. */
function step() {
  const { places } = geometry(app.state);
  const next = (index(app.state) + 1) % count(app.state);
  app.set({ row: Math.floor(next / places), column: next % places, filled: Math.max(app.state.filled, next + 1) });
}

const all = () => app.set({ filled: defaults.filled.max });
const buttons = h("div", { class: "buttons" },
  button("Step", step), runner(app, "Play", advance, all), button("Show all", all));

function inWords(state) {
  const { places } = geometry(state);
  return `Picture: ${state.picture}. The output has ${places} by ${places} numbers; at ${placeInWords(state)} it is ${short(value(state))}.`;
}

app.start(inWords,
  h("section", { class: "pictures" },
    h("div", { class: "named" }, h("h2", {}, "Picture x"), input.element),
    h("div", { class: "named" }, h("h2", {}, "Output y"), result.element),
    buttons,
    h("p", { class: "note" }, `Point at a place in either picture, click to keep it, or use the arrow keys in the output. The frame on
      the picture is what the kernel sees there. Output: orange positive, blue negative.`),
    formula),
  h("section", { class: "controls" },
    h("div", {},
      h("h2", {}, "The kernel w"),
      h("div", { class: "kernel" }, h("div", { role: "group", "aria-label": "The kernel" }, ...kernelFields())),
      h("div", { class: "buttons presets" }, ...presets),
      slider(app, "divide", "divided by"),
      toggle(app, "flip", "turn it by half a turn first (the convolution of textbooks)")),
    h("div", {},
      h("h2", {}, "Its way over the picture"),
      slider(app, "stride", "stride"), slider(app, "dilation", "dilation"), choice(app, "padding", "Padding"),
      choice(app, "picture", "The picture"), resetButton(app))));
