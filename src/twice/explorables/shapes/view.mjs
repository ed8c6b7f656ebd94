// Shapes on the page: the network from top to bottom with what is known so far, and a field for the next array.

import { button, choice, createApp, resetButton, words } from "../_shared/app.mjs";
import { createPlot, h } from "../_shared/plot.mjs";
import { defaults, fault, known, layers, rows, written } from "./model.mjs";

// Written as JSON, because Python reads this too.
export const about = {
  "title": "The shapes of a network's arrays",
  "text": "Interactive figure: a small network with numbers drawn anew each time; the reader names the shape of each of its arrays, forward or backward, and is told what is wrong with a wrong one. Open this notebook in Colab, in JupyterLab or in the HTML book to use it.",
  "height": 530
};

const app = createApp(defaults);
const flow = createPlot({ label: "The network", x: [0, 1], y: [0, 1], aspect: 0.86 });

/** The shape of an array as far as the reader knows it: the input's is given. */
function shapeOf(state, [name, shape]) {
  const asked = rows(state).map((row) => row.name);
  const at = asked.indexOf(state.way === "forward" ? name : `d${name}`);
  if (at < 0) return written(shape);
  return at < known(state) ? written(shape) : at === known(state) ? "?" : "…";
}

/** What stands in the box of an array: going backward, its gradient, and the input beside its own. */
function label(state, array) {
  const [name, shape] = array;
  if (state.way === "forward") return `${name} ${shapeOf(state, array)}`;
  if (name !== "x") return `d${name} ${shapeOf(state, array)}`;
  return `x ${written(shape)}${state.network === "dense" ? "" : ` · dx ${shapeOf(state, array)}`}`;
}

/** A box for an array; the one that is asked for has a thick edge. */
function box(state, array, y, height) {
  const words = label(state, array);
  return `<rect class="${words.includes("?") ? "asked" : "array"}" x="3" y="${y}" width="${Math.max(0, flow.width - 6)}" height="${height}" rx="6"/>
    <text class="label" x="14" y="${y + height / 2 + 5}">${words}</text>`;
}

function drawFlow(state) {
  flow.measure();
  const { input, steps } = layers(state);
  const tall = 34;
  const gap = (flow.height - 6 - tall * (steps.length + 1)) / steps.length;
  const at = (i) => 3 + i * (tall + gap);
  const between = steps.map(({ op, W, b }, i) => {
    const [from, to] = state.way === "forward" ? [at(i) + tall + 4, at(i + 1) - 4] : [at(i + 1) - 4, at(i) + tall + 4];
    const tip = to + (to > from ? -7 : 7);
    const d = state.way === "forward" ? "" : "d";
    const own = [W, b].filter(Boolean).map((array) => [`${d}${array[0]}`, shapeOf(state, array)])
      .map(([name, shape]) => (shape === "?" ? `<tspan class="now">${name} ?</tspan>` : `${name} ${shape}`));
    const middle = (from + to) / 2 + 4;
    return `<path class="arrow" d="M24,${from}V${tip}"/><polygon class="head" points="24,${to} 19,${tip} 29,${tip}"/>
      <text class="op" x="40" y="${middle - (own.length ? 9 : 0)}">${op.replaceAll('"', "&quot;")}</text>
      <text class="own" x="40" y="${middle + 10}">${own.join(" · ")}</text>`;
  });
  const boxes = [input, ...steps.map(({ out }) => out)].map((array, i) => box(state, array, at(i), tall));
  flow.draw([...boxes, ...between].join(""), inWords(state));
}
app.onDraw(drawFlow);

const next = (state) => rows(state)[known(state)];

const formula = words(app, "formula", (state) => {
  const row = next(state);
  if (!row) return `All ${rows(state).length} shapes are right.`;
  return `${row.formula}<br><span class="ask">What is the shape of ${row.name}?</span>`;
});

// Typing is no state: what counts is how many shapes are known.
const reply = h("p", { class: "reply", "aria-live": "polite" });
const field = h("input", {
  type: "text", autocomplete: "off", spellcheck: "false", "aria-label": "The shape",
  onkeydown: (event) => event.key === "Enter" && check(),
  oninput: () => (reply.textContent = ""),
});
const go = (changes, said = "") => {
  field.value = "";
  reply.textContent = said;
  app.set(changes);
};
function check() {
  const row = next(app.state);
  if (!row) return;
  const wrong = fault(app.state, row, field.value);
  if (wrong) reply.textContent = wrong;
  else go({ known: known(app.state) + 1 }, `✓ ${row.name} is ${written(row.shape)}.`);
}
const checkButton = button("Check", check);
const showButton = button("Show it", () => {
  const row = next(app.state);
  go({ known: known(app.state) + 1 }, `${row.name} is ${written(row.shape)}. ${row.hint}`);
});
app.onDraw((state) => {
  for (const control of [field, checkButton, showButton]) control.disabled = !next(state);
});

function inWords(state) {
  const row = next(state);
  const { input: [, shape] } = layers(state);
  return `${state.way === "forward" ? "Forward" : "Backward"} through a ${state.network} network whose input has the shape ${written(shape)}: ${
    known(state)} of ${rows(state).length} shapes are known${row ? `, the next is that of ${row.name}` : ""}.`;
}

const another = button("New numbers", () => go({ seed: (app.state.seed % 9999) + 1, known: 0 }));
const choices = h("div", { class: "side", onchange: () => go({ known: 0 }) }, choice(app, "network", "Network"), choice(app, "way", "Way"));

app.start(inWords, h("div", { class: "pictures" }, flow.element, h("div", { class: "side" },
  choices, formula, h("div", { class: "buttons" }, field, checkButton, showButton), reply,
  h("div", { class: "buttons" }, another, resetButton(app)))));
