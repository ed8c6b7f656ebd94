// The network on the page: its neurons as small fields over the plane, one of them large, and its training.

import { createApp, button, choice, resetButton, runner, slider, words } from "../_shared/app.mjs";
import { contour } from "../_shared/contour.mjs";
import { axes, createPlot, divergingMap, fmt, h, paint } from "../_shared/plot.mjs";
import { once } from "../_shared/state.mjs";
import { arrived, collapsed, defaults, examples, forward, right, shown, sizes, train, verdicts } from "./model.mjs";

// Written as JSON, because Python reads this too.
export const about = {
  "title": "A network on the plane",
  "text": "Interactive figure: a network with one or two hidden layers learns to tell two classes of points in a plane apart; each neuron is drawn as the field of its responses, and one of them large. Open this notebook in Colab, in JupyterLab or in the HTML book to use it.",
  "height": 1060
};

const SIDE = 3; // the plane reaches from −SIDE to SIDE
const GRID = 80; // samples of a response along each side
const BOTTOM = 1.155; // of the diagram, in units of its width
const SMALL = 1e-5; // a change of the loss that is hardly one
const AT_A_TIME = 10; // steps for each frame of a run
const SLICE = 8; // milliseconds that a drawing may spend on steps

const app = createApp(defaults);
const diagram = createPlot({ label: "The network", x: [0, 1], y: [BOTTOM, 0], aspect: 1 / BOTTOM });
const plane = createPlot({ label: "The response shown large", x: [-SIDE, SIDE], y: [-SIDE, SIDE] });
const history = createPlot({ label: "The loss after each step", x: [0, 1], y: [0, 1], aspect: 3 });
history.element.classList.add("grow");

let path; // the training as far as it has come: a long one is computed over several drawings
const net = () => path.at(-1);
const points = once((state) => examples(state.data));

app.onDraw((state) => {
  const end = performance.now() + SLICE;
  path = train(state, () => performance.now() < end);
  if (!arrived(path, state.steps)) app.drawAgain();
});

const sample = (i) => SIDE * ((2 * i + 1) / GRID - 1);
const indices = Array.from({ length: GRID }, (_, i) => i);

// The samples of a grid over the plane, row by row from below, and what the present network makes of them.
const grid = [(i) => i % GRID, (i) => Math.floor(i / GRID)].map((index) =>
  Float64Array.from({ length: GRID ** 2 }, (_, i) => sample(index(i))));
const fields = once(({ layers }) => forward(layers, app.state.activation, grid));

// How the answer a of a neuron becomes a colour in [-1, 1], and the answers at both ends of the key.
const half = { tone: (a) => 2 * a - 1, ends: [0, 1] };
const looks = { sigmoid: () => half, tanh: () => ({ tone: (a) => a, ends: [-1, 1] }), relu: widest, linear: widest };

/** relu and linear have no largest answer: the colours go as far as the field does. */
function widest(field) {
  const most = field.reduce((highest, a) => Math.max(highest, Math.abs(a)), 0) || 1;
  return { tone: (a) => a / most, ends: [-most, most] };
}

/** The response of one neuron: its z and its answers on the grid, and its look. */
function response(state, [layer, number]) {
  const { z, a } = fields(net())[layer];
  const isOutput = layer === sizes(state).length - 2;
  return { z: z[number], a: a[number], look: isOutput ? half : looks[state.activation](a[number]) };
}

/** Paint a field of GRID × GRID samples; the browser smooths it to the size of the canvas. */
const paintField = (canvas, color) =>
  paint({ canvas, width: GRID, height: GRID, x: [0, GRID], y: [0, GRID] }, (i, j) => color(Math.floor(i), Math.floor(j)));

function paintResponse(canvas, { a, look }, map) {
  paintField(canvas, (i, j) => map(look.tone(a[GRID * j + i])));
}

// The diagram: a column for each layer, the inputs first; positions in units of its width.

const columnAt = (state, column) => 0.1 + (0.8 * column) / (sizes(state).length - 1);
const rowAt = (number, size) => 0.57 + Math.min(0.22, 0.94 / size) * (number - (size - 1) / 2);
const placeOf = (state, column, number) => [columnAt(state, column), rowAt(number, sizes(state)[column])];

/** The weights as lines: as wide as they are large, dashed where they are negative. */
function weights(state) {
  const [layer, number] = shown(state);
  return net().layers.flatMap(({ W }, l) => W.flatMap((row, i) => row.map((w, j) => {
    const [[x0, y0], [x1, y1]] = [placeOf(state, l, i), placeOf(state, l + 1, j)];
    const aside = l === layer && j === number ? "" : " aside";
    const width = Math.min(0.4 + 1.6 * Math.abs(w), 9).toFixed(1);
    return diagram.line([x0 + 0.063, y0], [x1 - 0.063, y1],
      `class="weight${w < 0 ? " negative" : ""}${aside}" stroke-width="${width}"`);
  }))).join("");
}

const columnNames = (state) => ["inputs", ...(state.hidden2 ? ["layer 1", "layer 2"] : ["hidden"]), "output"];

function drawDiagram(state) {
  const columns = columnNames(state).map((name, column) =>
    diagram.text([columnAt(state, column), 0.06], name, 'class="column" text-anchor="middle"'));
  const names = ["x₁", "x₂"].map((name, i) =>
    diagram.text(placeOf(state, 0, i), name, 'class="name" text-anchor="middle"', 0, -0.08 * diagram.width));
  diagram.draw(weights(state) + columns.join("") + names.join(""), inWords(state));
}

/** What neuron `number` of layer `layer` is called. */
const called = (state, [layer, number]) =>
  layer === sizes(state).length - 2 ? "the output" : `neuron ${number + 1} of ${state.hidden2 ? `layer ${layer + 1}` : "the hidden layer"}`;

function shape(point, isSquare, attributes) {
  const [x, y] = [plane.px(point[0]), plane.py(point[1])];
  return isSquare ? `<rect x="${x - 4}" y="${y - 4}" width="8" height="8" ${attributes}/>` : plane.dot(point, 4.5, attributes);
}

function drawPlane(state) {
  const { z } = response(state, shown(state));
  const rows = indices.map((j) => z.subarray(GRID * j, GRID * (j + 1)));
  const edge = contour(rows, 0).map((ends) => plane.d(ends.map((end) => end.map(sample)))).join("");
  const isRight = verdicts(net().layers, state.activation, points(state));
  const dots = points(state).map(([x1, x2, y], n) =>
    shape([x1, x2], y === 1, `class="point class${y}${isRight[n] ? "" : " wrong"}"`));
  plane.draw(`
    ${axes(plane, { names: ["x₁", "x₂"], xTicks: [-2, 2], yTicks: [-2, 2] })}
    <path class="edge" d="${edge}"/>${dots.join("")}`, `The response of ${called(state, shown(state))}.`);
}

function drawHistory() {
  const losses = path.map(({ loss }) => loss);
  const last = [losses.length - 1, losses.at(-1)];
  const steps = Math.max(last[0], 20);
  const highest = Math.max(...losses);
  history.x = [-0.06 * steps, 1.06 * steps];
  history.y = [-0.4 * highest, 1.4 * highest];
  history.draw(`
    ${axes(history, { names: ["", "cross-entropy"], xTicks: [], yTicks: [] })}
    ${history.text([steps, 0], `${steps} steps`, 'text-anchor="end"', 0, 15)}
    <path class="loss" d="${history.d(losses.map((loss, step) => [step, loss]))}"/>
    ${history.dot(last, 4, 'class="now"')}
    ${history.text(last, fmt(last[1], 3), `text-anchor="${last[0] > 1 ? "end" : "start"}"`, 0, -9)}`,
  `From ${fmt(losses[0], 3)} to ${fmt(losses.at(-1), 3)}.`);
}

// The neurons are radio buttons: one is shown large. The pointer of a mouse shows one in passing.

let before = null; // what was shown before the mouse came

function unit(name) {
  const canvas = h("canvas", { "aria-hidden": "true" });
  const input = h("input", {
    type: "radio", name: "unit", value: name,
    onclick() {
      before = null;
      app.set({ neuron: name });
    },
  });
  const element = h("label", {
    class: "unit",
    onpointerenter(event) {
      if (event.pointerType !== "mouse") return;
      before = app.state.neuron;
      app.set({ neuron: name });
    },
    onpointerleave() {
      if (before !== null) app.set({ neuron: before });
      before = null;
    },
  }, input, canvas);
  return { name, element, input, canvas };
}

const units = defaults.neuron.options.toSorted().map(unit); // the output comes last, as it does in the network
const inputs = [0, 1].map(() => h("canvas", { class: "input", "aria-hidden": "true" }));
diagram.element.append(h("div", { role: "radiogroup", "aria-label": "The neuron shown large" },
  ...units.map(({ element }) => element)), ...inputs);

const put = (element, [x, y]) => {
  element.style.left = `${100 * x}%`;
  element.style.top = `${(100 * y) / BOTTOM}%`;
};

function drawUnits(state, map) {
  const large = shown(state);
  for (const { name, element, input, canvas } of units) {
    const place = shown({ ...state, neuron: name });
    const [layer, number] = place;
    const isOutput = layer === sizes(state).length - 2;
    element.hidden = isOutput && name !== "output";
    if (element.hidden) continue;
    put(element, placeOf(state, layer + 1, number));
    input.checked = layer === large[0] && number === large[1];
    input.setAttribute("aria-label", called(state, place));
    paintResponse(canvas, response(state, place), map);
  }
  inputs.forEach((canvas, i) => {
    put(canvas, placeOf(state, 0, i));
    paintField(canvas, (...at) => map(sample(at[i]) / SIDE));
  });
}

const bar = h("canvas", { class: "bar", "aria-hidden": "true" });
const lowest = h("span");
const title = h("b");
const highest = h("span");
const key = h("div", { class: "key" }, lowest, title, highest);
key.prepend(bar);

function drawKey(state, { ends }, map) {
  paint({ canvas: bar, width: 128, height: 1, x: [-1, 1], y: [0, 1] }, map);
  [lowest, highest].forEach((end, i) => (end.textContent = fmt(ends[i], Number.isInteger(ends[i]) ? 0 : 2)));
  title.textContent = `response of ${called(state, shown(state))}`;
}

app.onDraw((state) => {
  [diagram, plane, history].forEach((plot) => plot.measure());
  const map = divergingMap();
  const large = response(state, shown(state));
  paintResponse(plane.canvas, large, map);
  drawDiagram(state);
  drawUnits(state, map);
  drawPlane(state);
  drawKey(state, large.look, map);
  drawHistory();
});

// Words and numbers

const signed = (value) => `${value < 0 ? "−" : "+"} ${fmt(Math.abs(value))}`;

/** w · inputs + b in numbers. */
const weighted = (w, names, b) =>
  `${w.map((value, i) => `<span class="nowrap">${i ? signed(value) : fmt(value)} ${names[i]}</span>`).join(" ")} ${signed(b)}`;

/** The symbol of a neuron; its layer is written where there are two. */
const symbol = (state, layer, number) =>
  `<i>a</i><sub>${number + 1}</sub>${state.hidden2 ? `<sup>(${layer + 1})</sup>` : ""}`;

const INPUTS = ["<i>x</i>₁", "<i>x</i>₂"];

/** The arithmetic of one neuron with its present weights. */
function arithmetic(state, [layer, number]) {
  const { layers } = net();
  const { W, b } = layers[layer];
  const names = layer ? layers[layer - 1].b.map((_, i) => symbol(state, layer - 1, i)) : INPUTS;
  const isOutput = layer === layers.length - 1;
  const z = weighted(W.map((row) => row[number]), names, b[number]);
  return isOutput ? `<i>p</i> = <i>σ</i>(${z})` : `${symbol(state, layer, number)} = ${state.activation}(${z})`;
}

function collapse() {
  const { W, b } = collapsed(net().layers);
  return `<p>With f linear the whole network is one neuron: <span class="nowrap"><i>p</i> = <i>σ</i>(${
    weighted(W.map(([w]) => w), INPUTS, b[0])})</span></p>`;
}

const formula = words(app, "formula", (state) => {
  const { layers, loss } = net();
  return `<p>${arithmetic(state, shown(state))}</p>
    <p><i>L</i> = mean of −[<i>y</i> log <i>p</i> + (1 − <i>y</i>) log(1 − <i>p</i>)] = <b>${fmt(loss, 3)}</b>,
      <span class="nowrap">${right(layers, state.activation, points(state))} of ${points(state).length} points right</span></p>
    ${state.activation === "linear" ? collapse() : ""}`;
});

/** The parameters, layer by layer. */
const count = words(app, "note count", (state) => {
  const shape = sizes(state);
  const numbers = shape.slice(1).map((units, l) => (shape[l] + 1) * units);
  const sums = shape.slice(1).map((units, l) => `${shape[l]} · ${units} + ${units} = ${numbers[l]}`);
  return `Weights and biases: ${sums.join(", ")}. Together ${numbers.reduce((a, b) => a + b)} parameters.`;
});

/** How the training goes, in one sentence. */
function verdict() {
  const losses = path.map(({ loss }) => loss);
  if (losses.length === 1) return "Nothing is learnt yet: press Step or Train.";
  if (losses.at(-1) > losses[0]) return "The loss has grown: the rate is too large.";
  if (losses.at(-1) > losses.at(-2)) return "The loss jumps up and down: the rate is large.";
  return losses.at(-2) - losses.at(-1) > SMALL ? "The loss falls." : "The loss hardly changes any more.";
}
const progress = words(app, "progress", () => `<p>${verdict()}</p>`);

function advance(steps) {
  app.set({ steps: app.state.steps + steps });
  return app.state.steps < defaults.steps.max && net().loss < 100;
}
const buttons = h("div", { class: "buttons" },
  button("Step", () => advance(1)),
  runner(app, "Train", () => advance(AT_A_TIME), () => app.set({ steps: defaults.steps.max })),
  button("Back to the start", () => app.set({ steps: 0 })));

function inWords(state) {
  const { layers, loss } = net();
  return `${state.data}, network ${sizes(state).join(", ")}, ${state.activation}. After ${path.length - 1} steps cross-entropy ${fmt(loss, 3)},
    ${right(layers, state.activation, points(state))} of ${points(state).length} points right. Large: ${called(state, shown(state))}.`;
}

app.start(inWords,
  h("section", { class: "pictures" },
    diagram.element,
    h("div", { class: "side" }, plane.element, key, history.element),
    h("p", { class: "note" }, `Each square is a neuron's response over the plane of inputs. Point at one to see it large, click to
      keep it (by keyboard: arrows). Lines are weights: the wider the larger; orange positive, blue and dashed negative. The line in
      the large field is where z = 0. Points with a thick frame are answered wrongly.`),
    formula),
  h("section", { class: "controls" },
    h("div", {},
      choice(app, "data", "The data", { moons: "two moons" }),
      h("h2", {}, "The network"),
      slider(app, "hidden1", "layer 1"), slider(app, "hidden2", "layer 2"), count,
      choice(app, "activation", "Activation f of the hidden layers")),
    h("div", {},
      h("h2", {}, "Training"), slider(app, "rate", "rate"), slider(app, "steps", "steps"), buttons, progress,
      h("h2", {}, "The weights at the start"), slider(app, "scale", "scale"), slider(app, "seed", "seed"), resetButton(app))));
