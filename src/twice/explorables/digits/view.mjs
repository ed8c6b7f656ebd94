// Draw a digit, and see what every layer of a small convolutional network makes of it.

import { createApp, button, choice, resetButton, slider, toggle, words } from "../_shared/app.mjs";
import { createPlot, cssColor, divergingMap, fmt, h, mix, paint } from "../_shared/plot.mjs";
import { once } from "../_shared/state.mjs";
import { board, defaults, extent, forward, ink, kernels, parameters, sample, seen, SIDE, stroked } from "./model.mjs";

// Written as JSON, because Python reads this too.
export const about = {
  "title": "Draw a digit",
  "text": "Interactive figure: the reader draws a digit, or chooses one of MNIST's test digits, and sees the feature maps of every layer of a small convolutional network and its prediction. Open this notebook in Colab, in JupyterLab or in the HTML book to use it.",
  "height": 1300
};

const app = createApp(defaults);
const paper = createPlot({ label: "The board", x: [0, SIDE], y: [-SIDE, 0] });
const given = createPlot({ label: "What the network is given", x: [0, SIDE], y: [-SIDE, 0] });
paper.element.classList.add("board");

const drawn = once(board);
const prepared = once(seen);
const answer = once((state) => forward(prepared(state)));
const best = (state) => answer(state).p.indexOf(Math.max(...answer(state).p));
const isBlank = (state) => extent(drawn(state)) === null;

// Pictures

/** From the paper to another colour, as a function of t from 0 to 1. */
function fade(name) {
  const colors = ["--paper", name].map(cssColor);
  const shades = Array.from({ length: 256 }, (_, i) => mix(colors, [1 - i / 255, i / 255]));
  return (t) => shades[Math.round(255 * t)];
}

/** Paint a square of numbers, one pixel of the canvas for each; the page enlarges it without smoothing. */
const paintSquare = (canvas, size, color) =>
  paint({ canvas, width: size, height: size, x: [0, size], y: [-size, 0] }, (x, y) => color(Math.floor(-y) * size + Math.floor(x)));

function paintPicture(canvas, picture, shade) {
  paintSquare(canvas, SIDE, (i) => shade(Math.min(1, picture[i] / 255)));
}

/** A dashed frame around the digit. */
function frame(picture) {
  const box = extent(picture);
  if (!box) return "";
  const [[top, bottom], [left, right]] = [box.rows, box.columns];
  return `<path class="frame" d="${paper.d([[left, -top], [right + 1, -top], [right + 1, -bottom - 1], [left, -bottom - 1]])}Z"/>`;
}

function drawPictures(state) {
  [paper, given].forEach((plot) => plot.measure());
  const shade = fade("--ink");
  paintPicture(paper.canvas, drawn(state), shade);
  paintPicture(given.canvas, prepared(state), shade);
  paper.draw(`${state.normalise ? frame(drawn(state)) : ""}
    ${isBlank(state) ? paper.text([SIDE / 2, -SIDE / 2], "Draw a digit here", 'class="hint" text-anchor="middle"') : ""}`, inWords(state));
  given.draw("", `The picture ${state.normalise ? "scaled and centred" : "as it is"}.`);
}

// The layers: a row of maps each, one canvas for every channel.

const LAYERS = [
  { key: "conv1", name: "Conv2D(8, 3), relu", count: 8, size: 26 },
  { key: "pool1", name: "MaxPooling2D(2)", count: 8, size: 13 },
  { key: "conv2", name: "Conv2D(16, 3), relu", count: 16, size: 11 },
  { key: "pool2", name: "MaxPooling2D(2)", count: 16, size: 5 },
];
const canvases = (count) => Array.from({ length: count }, () => h("canvas", { "aria-hidden": "true" }));
const kernelPictures = canvases(kernels.length);
const rows = LAYERS.map(({ key, name, count, size }) => {
  const maps = canvases(count);
  const cells = maps.map((map, i) => h("span", {}, ...(key === "conv1" ? [kernelPictures[i]] : []), map));
  const words = `${count} maps of ${size} × ${size}`;
  const element = h("div", { class: "layer" }, h("h2", {}, name, h("span", { class: "note" }, words)),
    h("div", { class: `maps ${key}`, role: "img", "aria-label": `${name}: ${words}` }, ...cells));
  return { key, maps, element };
});

app.onDraw((state) => {
  const shade = fade("--blue");
  const layers = answer(state);
  for (const { key, maps } of rows) {
    const { size, channels, values } = layers[key];
    const most = Math.max(...values, 1);
    maps.forEach((map, channel) => paintSquare(map, size, (i) => shade(values[i * channels + channel] / most)));
  }
  const map = divergingMap();
  kernels.forEach((kernel, i) => {
    const largest = Math.max(...kernel.map(Math.abs));
    paintSquare(kernelPictures[i], 3, (at) => map(kernel[at] / largest));
  });
  drawPictures(state);
});

// The pen

/** Draw on what the board shows: from then on, that is the drawing. */
const draw = (from, to) => app.set({
  sample: "none", right: 0, down: 0, turn: 0,
  drawing: ink(stroked(drawn(app.state), app.state.pen, from, to)),
});

const under = (event) => {
  const [x, y] = paper.at(event);
  return [-y - 0.5, x - 0.5]; // the middle of pixel 0 is at 0
};
let last = null; // where the pen was
paper.element.addEventListener("pointerdown", (event) => {
  paper.element.setPointerCapture(event.pointerId);
  last = under(event);
  draw(last, last);
});
paper.element.addEventListener("pointermove", (event) => {
  if (!last) return;
  const now = under(event);
  draw(last, now);
  last = now;
});
paper.element.addEventListener("lostpointercapture", () => (last = null));

// The samples are radio buttons, each with its picture.

const start = { drawing: [], right: 0, down: 0, turn: 0 };
const choose = (name) => app.set({ sample: name, ...start });
const options = defaults.sample.options.slice(1).map((name) => {
  const canvas = h("canvas", { "aria-hidden": "true" });
  const label = `${name[0]}, ${name[1] === "a" ? "first" : "second"} sample`;
  const input = h("input", { type: "radio", name: "sample", "aria-label": label, onclick: () => choose(name) });
  return { name, input, canvas, element: h("label", { class: "sample" }, input, canvas) };
});

app.onDraw((state) => {
  const shade = fade("--ink");
  for (const { name, input, canvas } of options) {
    input.checked = state.sample === name;
    paintPicture(canvas, sample(name), shade);
  }
});

// Words and numbers

const bars = words(app, "bars", (state) => {
  const { z, p } = answer(state);
  const lines = p.map((share, k) => `<tr class="${k === best(state) ? "best" : ""}"><th scope="row">${k}</th>
    <td class="bar"><span style="width:${100 * share}%"></span></td><td><data value="${share}">${fmt(share, 3)}</data></td><td>${fmt(z[k], 1)}</td></tr>`);
  return `<table><thead><tr><th scope="col">digit</th><td></td><th scope="col"><i>p</i></th><th scope="col"><i>z</i></th></tr></thead>
    <tbody>${lines.join("")}</tbody></table>`;
});

/** What the network reads, in one sentence. */
function verdict(state) {
  if (isBlank(state)) return "Nothing is drawn yet; this is what the biases alone answer.";
  const { p } = answer(state);
  const second = p.indexOf(Math.max(...p.filter((_, k) => k !== best(state))));
  return `The network reads a ${best(state)} with probability ${fmt(p[best(state)], 3)}; next comes ${second} with ${fmt(p[second], 3)}.`;
}

const formula = words(app, "formula", (state) => {
  const { z, p } = answer(state);
  const k = best(state);
  const rest = z.reduce((total, value) => total + Math.exp(value - z[k]), 0);
  return `<p>${verdict(state)}</p>
    <p><span class="nowrap"><i>z</i><sub>${k}</sub> = <i>b</i><sub>${k}</sub> + Σ<sub><i>i</i></sub> <i>a<sub>i</sub>W<sub>i</sub></i><sub>${k}</sub> = ${fmt(z[k])}</span>
      (400 numbers <i>a<sub>i</sub></i> from the last maps),
      <span class="nowrap"><i>p</i><sub>${k}</sub> = 1 / Σ<sub><i>j</i></sub> exp(<i>z<sub>j</sub></i> − <i>z</i><sub>${k}</sub>) = 1 / ${fmt(rest, 4)} = <b>${fmt(p[k], 4)}</b></span></p>`;
});

const inWords = (state) => `${isBlank(state) ? "The board is blank." : `On the board: ${state.sample === "none" ? "a drawing" : `a ${state.sample[0]} from MNIST`}.`} ${verdict(state)}`;

const legend = `Dense(10), softmax: all 400 numbers of the last maps, weighted and added for each digit. There are ${
  parameters.toLocaleString("en")} weights and biases in all. The small squares are the kernels of the first layer (orange positive, blue
  negative). In each row of maps the deepest blue is the largest number of that row, or 1 where all are
  smaller.`;

app.start(inWords,
  h("section", { class: "pictures" },
    h("div", { class: "side" }, paper.element,
      h("div", { class: "buttons" }, button("Clear", () => choose("none")), choice(app, "pen", "Pen"))),
    h("div", { class: "side" },
      h("div", { class: "given" }, given.element,
        h("div", {}, h("h2", {}, "Given to the network"), toggle(app, "normalise", "scaled and centred as in MNIST"))),
      bars,
      h("div", { class: "samples", role: "radiogroup", "aria-label": "Twenty of MNIST's test digits" }, ...options.map(({ element }) => element))),
    h("p", { class: "note" }, `Draw with the mouse or a finger, or choose one of MNIST's test digits. They were scaled until the longer side
      of their box (dashed) has 20 pixels, and moved until their centre of mass lies in the middle of 28 × 28. Your drawing is treated alike;
      switch that off, move the digit, and see what the network makes of it.`),
    formula),
  h("section", { class: "controls" },
    h("div", {}, h("h2", {}, "Move it"), slider(app, "right", "right"), slider(app, "down", "down")),
    h("div", {}, h("h2", {}, "Turn it"), slider(app, "turn", "degrees"), resetButton(app))),
  h("section", { class: "layers" }, ...rows.map(({ element }) => element), h("p", { class: "note" }, legend)));
