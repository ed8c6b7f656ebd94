// The race on the page: the map of the loss with the paths, the loss against the steps, and the standings.

import { createApp, button, choice, resetButton, runner, slider, toggle, words } from "../_shared/app.mjs";
import { contour } from "../_shared/contour.mjs";
import { axes, createHandle, createPlot, cssColor, fmt, h, mix, paint, round } from "../_shared/plot.mjs";
import { once } from "../_shared/state.mjs";
import { arrival, defaults, limits, race, RUNNERS, surface } from "./model.mjs";

// Written as JSON, because Python reads this too.
export const about = {
  "title": "A race of optimizers",
  "text": "Interactive figure: a map of a loss with the paths of gradient descent, momentum, Nesterov's momentum, RMSprop and Adam from a start that the reader chooses, and their losses against the number of steps. Open this notebook in Colab, in JupyterLab or in the HTML book to use it.",
  "height": 1030
};

const LEVELS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300]; // of the loss, where the map has its lines
const SHADE = 0.22; // how dark the map is at the innermost level
const GRID = 150; // samples of the loss along each side
const FAR = 9; // from the origin: outside the map
const GOAL = 0.01; // who is below has arrived
const LOWEST = -6; // the plot of the losses ends at this power of ten

const NAMES = { sgd: "SGD", momentum: "Momentum", nesterov: "Nesterov", rmsprop: "RMSprop", adam: "Adam" };
const UPDATES = { // as Keras has them
  sgd: ["w ← w − ηg"],
  momentum: ["v ← μv − ηg", "w ← w + v"],
  nesterov: ["v ← μv − ηg", "w ← w + μv − ηg"],
  rmsprop: ["v ← ρv + (1 − ρ)g²", "w ← w − ηg / √(v + ε)"],
  adam: ["m ← m + (1 − β₁)(g − m)", "v ← v + (1 − β₂)(g² − v)", "α ← η √(1 − β₂ᵗ) / (1 − β₁ᵗ)", "w ← w − αm / (√v + ε)"],
};
const italic = (text) => text.replace(/\p{Ll}/gu, "<i>$&</i>").replaceAll("ᵗ", "<sup><i>t</i></sup>");

// The mark of each runner around (0, 0), so that colour is not all that tells them apart.
const MARKS = {
  sgd: "M-5,0a5,5 0 1 0 10,0a5,5 0 1 0 -10,0Z",
  momentum: "M-5,-5h10v10h-10Z",
  nesterov: "M0,-6.5L6,5H-6Z",
  rmsprop: "M0,-7L7,0L0,7L-7,0Z",
  adam: "M-2,-6h4v4h4v4h-4v4h-4v-4h-4v-4h4Z",
};

const app = createApp(defaults);
const map = createPlot({ label: "The map of the loss", x: [-3.3, 3.3], y: [-3.3, 3.3] });
const history = createPlot({ label: "The loss after each step", x: [0, 1], y: [LOWEST - 1.4, 3.4], aspect: 1.5 });
history.element.classList.add("grow");

const paths = once(race);
const mark = (name, x, y) => `<path class="mark" d="${MARKS[name]}" transform="translate(${x.toFixed(1)} ${y.toFixed(1)})"/>`;

// The map

const sample = (i) => map.x[0] + (i / (GRID - 1)) * (map.x[1] - map.x[0]);
const indices = Array.from({ length: GRID }, (_, i) => i);

let contours = { of: "", segments: [] }; // of the last surface, so that steps do not draw it anew

/** The lines of equal loss, each a list of segments in the coordinates of the map. */
function levels(state) {
  const of = [state.surface, state.condition, state.angle].join();
  if (contours.of !== of) {
    const { loss } = surface(state);
    const rows = indices.map((j) => indices.map((i) => loss([sample(i), sample(j)])));
    const segments = LEVELS.map((level) => contour(rows, level).map((ends) => ends.map((end) => end.map(sample))));
    contours = { of, segments };
  }
  return contours.segments;
}

/** The map in greys, the darker the lower: by powers of ten, from the outermost level to the innermost. */
function paintMap({ loss }) {
  const colors = ["--paper", "--ink"].map(cssColor);
  const shades = Array.from({ length: 256 }, (_, i) => mix(colors, [1 - (SHADE * i) / 255, (SHADE * i) / 255]));
  const [inner, outer] = [LEVELS[0], LEVELS.at(-1)].map(Math.log);
  const depth = (value) => (outer - Math.min(outer, Math.max(inner, Math.log(value)))) / (outer - inner);
  paint(map, (x, y) => shades[Math.round(255 * depth(loss([x, y])))], 2);
}

/** A path with a dot at each stop, and the runner's mark at its end; who is far away does not come back into the picture. */
function drawPath(name, path) {
  const away = path.findIndex(({ at }) => Math.hypot(...at) > FAR) + 1;
  const places = path.slice(0, away || path.length).map(({ at }) => at);
  const [x, y] = places.at(-1);
  const dots = places.map((at) => `${map.d([at])}h0`).join("");
  return `<g class="${name}"><path class="trace" d="${map.d(places)}"/><path class="stops" d="${dots}"/>
    ${mark(name, map.px(x), map.py(y))}</g>`;
}

function drawMap(state) {
  const lines = levels(state).map((segments) => `<path class="contour" d="${segments.map(map.d).join("")}"/>`);
  map.draw(`
    ${lines.join("")}${axes(map, { names: ["x", "y"], xTicks: [-2, 2], yTicks: [-2, 2] })}
    ${surface(state).minima.map((at) => map.dot(at, 6, 'class="minimum"')).join("")}
    ${Object.entries(paths(state)).map(([name, path]) => drawPath(name, path)).join("")}`, inWords(state));
}

// The losses, by powers of ten

const power = (loss) => Math.max(LOWEST, Math.min(3, Math.log10(loss)));
const TICKS = { 3: "1000", 0: "1", "-3": "0.001", "-6": "10⁻⁶" };

function drawHistory(state) {
  const steps = Math.max(state.steps, 20);
  history.x = [-0.16 * steps, 1.06 * steps];
  const grid = Object.entries(TICKS).map(([at, name]) =>
    history.line([0, at], [steps, at], 'class="grid"') + history.text([0, at], name, 'class="tick" text-anchor="end"', -6, 4));
  const curves = Object.entries(paths(state)).map(([name, path]) => {
    const points = path.map(({ loss }, step) => [step, power(loss)]);
    const [x, y] = points.at(-1);
    return `<g class="${name}"><path class="trace" d="${history.d(points)}"/>${mark(name, history.px(x), history.py(y))}</g>`;
  });
  history.draw(`${grid.join("")}${curves.join("")}
    ${history.text([steps, LOWEST], `${steps} steps`, 'class="tick" text-anchor="end"', 0, 17)}
    ${history.text([0, 3], "loss", 'class="name"', 4, 16)}`, standing(state));
}

app.onDraw((state) => {
  [map, history].forEach((plot) => plot.measure());
  paintMap(surface(state));
  drawMap(state);
  drawHistory(state);
});

const put = ([x, y]) => app.set({ x: round(x, 0.1), y: round(y, 0.1) });
createHandle(app, map, {
  label: "The start", className: "start", step: 0.1,
  at: ({ x, y }) => [x, y],
  words: ({ x, y }) => `x ${fmt(x, 1)}, y ${fmt(y, 1)}`,
  move: put,
});
map.element.addEventListener("click", (event) => put(map.at(event)));

// Words and numbers

const short = (value) => Number(value.toPrecision(3));

const FORMULAS = {
  bowl: (state) => {
    const { sgd, momentum, nesterov } = limits(state);
    const axesOf = state.angle ? ["<i>u</i>", "<i>v</i>"] : ["<i>x</i>", "<i>y</i>"];
    const turned = state.angle ? `, <span class="nowrap">(<i>u</i>, <i>v</i>) turned by ${short(state.angle)}°</span>` : "";
    return `<p><span class="nowrap"><i>L</i> = ½(${axesOf[0]}² + ${short(state.condition)} ${axesOf[1]}²)</span>${turned}.
      SGD converges at rates below <span class="nowrap">2/<i>λ</i> = <b>${short(sgd)}</b>,</span>
      momentum below <span class="nowrap">2(1 + <i>μ</i>)/<i>λ</i> = <b>${short(momentum)}</b>,</span>
      Nesterov below <span class="nowrap">2(1 + <i>μ</i>)/((1 + 2<i>μ</i>)<i>λ</i>) = <b>${short(nesterov)}</b>.</span></p>`;
  },
  valley: () => "<p><i>L</i> = (<i>x</i> − 2)²/10 + (<i>y</i> + 3/2 − <i>x</i>²/2)²: into the valley is easy, along it slow.</p>",
  saddle: () => "<p><i>L</i> = <i>x</i>²/2 + (<i>y</i>² − 4)²/16: at (0, 0) the gradient is 0, and it is no minimum.</p>",
  "two minima": () => "<p><i>L</i> = (<i>x</i> + 2)²((<i>x</i> − 2)² + 1)/16 + <i>y</i>²: the minimum on the right is not the lowest.</p>",
};
const formula = words(app, "formula", (state) => FORMULAS[state.surface](state));

/** A loss, also one that is very small. */
const written = (loss) => (loss < 0.001 && loss > 0 ? loss.toExponential(1).replace("-", "−") : fmt(loss, 4));

/** Who has the lowest loss. */
function standing(state) {
  const results = Object.entries(paths(state)).map(([name, path]) => [path.at(-1).loss, name]);
  if (results.length === 0) return "Nobody takes part.";
  const [loss, name] = results.reduce((a, b) => (b[0] < a[0] ? b : a));
  return `Lowest is ${NAMES[name]}, with a loss of ${written(loss)}.`;
}

const swatch = (name) => `<svg class="swatch ${name}" viewBox="0 0 40 14" aria-hidden="true">
  <path class="trace" d="M1,7H39"/>${mark(name, 20, 7)}</svg>`;

/** A loss or that it is lost; how many steps it took to arrive, where it has. */
function standings(state) {
  const arrivals = Object.fromEntries(Object.entries(paths(state)).map(([name, path]) => [name, arrival(path, GOAL)]));
  const earliest = Math.min(...Object.values(arrivals).filter((steps) => steps >= 0));
  return Object.entries(paths(state)).map(([name, path]) => {
    const [{ loss }, steps] = [path.at(-1), arrivals[name]];
    return `<tr><th scope="row">${swatch(name)}${NAMES[name]}</th><td class="rule">${UPDATES[name].map((part) => `<span class="nowrap">${italic(part)}</span>`).join(", ")}</td>
      <td>${path.length <= state.steps ? "diverges" : written(loss)}</td>
      <td class="${steps === earliest ? "first" : ""}">${steps < 0 ? "not yet" : `${steps} steps`}</td></tr>`;
  }).join("");
}
const table = words(app, "standings", (state) => `<table><thead><tr><th scope="col">optimizer</th><th scope="col" class="rule">update</th>
  <th scope="col">loss</th><th scope="col">below ${GOAL}</th></tr></thead><tbody>${standings(state)}</tbody></table>`);

// Controls

const shapes = [slider(app, "condition", "condition"), slider(app, "angle", "turned by")];
app.onDraw((state) => shapes.forEach((element) => (element.hidden = state.surface !== "bowl")));

const runners = RUNNERS.map((name) => {
  const box = toggle(app, name, NAMES[name]);
  box.querySelector("input").insertAdjacentHTML("afterend", swatch(name));
  const rate = slider(app, `${name}_rate`, `${NAMES[name]}, rate η`);
  app.onDraw((state) => rate.querySelectorAll("input").forEach((input) => (input.disabled = !state[name])));
  return h("div", { class: "runner" }, box, rate);
});

function advance() {
  app.set({ steps: app.state.steps + 1 });
  return app.state.steps < defaults.steps.max;
}
const buttons = h("div", { class: "buttons" },
  button("Step", advance),
  runner(app, "Run", advance, () => app.set({ steps: defaults.steps.max })),
  button("Back to the start", () => app.set({ steps: 0 })));

function inWords(state) {
  return `${state.surface}, ${Object.keys(paths(state)).length} optimizers, ${state.steps} steps from x ${fmt(state.x, 1)}, y ${fmt(state.y, 1)}.
    ${standing(state)}`;
}

app.start(inWords,
  h("section", { class: "pictures" },
    map.element,
    h("div", { class: "side" },
      choice(app, "surface", "The surface"), h("div", { class: "shape" }, ...shapes), history.element),
    h("p", { class: "note" }, `Drag the start (the empty circle), or click. Each line of the map is a loss about three times that of the
      next one inward; rings are the lowest points.`),
    formula, table),
  h("section", { class: "controls" },
    h("div", {},
      h("h2", {}, "The race"), slider(app, "steps", "steps"), buttons, slider(app, "mu", "momentum μ"), resetButton(app)),
    h("div", {}, h("h2", {}, "Who runs, and at which rate η"), ...runners)));
