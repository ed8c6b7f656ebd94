// How many labels do you need: measured accuracies of ways to use them, and twenty pictures that change sides.

import { createApp, choice, resetButton, slider, words } from "../_shared/app.mjs";
import { createHandle, createPlot, fmt, h, mix, paint, round } from "../_shared/plot.mjs";
import { once } from "../_shared/state.mjs";
import { accuracyAt, answers, budgets, className, colorOf, contested, curve, defaults, draws, nearest, needed, SIDE, truths, ways } from "./model.mjs";

// Written as JSON, because Python reads this too.
export const about = {
  "title": "How many labels do you need?",
  "text": "Interactive figure: the measured test accuracies of networks that keep ImageNet's features, that fine-tune them, or that start from scratch, for numbers of labels from 100 to 5,000, and what each calls twenty test pictures. The reader moves along the number of labels and reads off how many the others need for the same accuracy. Open this notebook in Colab, in JupyterLab or in the HTML book to use it.",
  "height": 1070
};

const NAMES = { frozen: "features kept", tuned: "fine-tuned", nothing: "from scratch" };
const DRAWS = { mean: "mean of all", 0: "first", 1: "second", 2: "third" };
const STEP = 0.05; // of log₁₀ labels: every tenfold in twenty steps, which meet all the measured numbers
const GUESSING = 0.1; // of ten classes

const app = createApp(defaults);
const [{ min, max }] = [defaults.labels];
const chart = createPlot({ label: "Accuracy over labels", x: [1.78, 3.84], y: [-0.17, 1.1] });
chart.element.classList.add("chart", "grow");

const count = (number) => Math.round(number).toLocaleString("en");
const about2 = (number) => count(Number(number.toPrecision(2)));
const spot = ({ labels, accuracy }) => [Math.log10(labels), accuracy];

/** Everything that is read off: each way's curve, its accuracy at the labels chosen, and what it needs for the same as `way`. */
const readings = once((state) => {
  const curves = Object.fromEntries(ways.map((way) => [way, curve(way, state.draw)]));
  const goal = curves[state.way]?.length ? accuracyAt(curves[state.way], state.labels) : null;
  return { goal, lines: ways.filter((way) => curves[way].length).map((way) => ({
    way, points: curves[way], accuracy: accuracyAt(curves[way], state.labels),
    needs: goal === null || way === state.way ? null : needed(curves[way], goal) })) };
});
const seen = (state) => nearest(state.labels);
const isMeasured = (state) => budgets.includes(state.labels);

// The chart

const MARKS = { // a shape for each way, so that colour is not alone
  frozen: (at) => chart.dot(at, 4, ""),
  tuned: ([x, y]) => `<rect x="${chart.px(x) - 3.5}" y="${chart.py(y) - 3.5}" width="7" height="7"/>`,
  nothing: ([x, y]) => `<polygon points="${[[0, -5], [5, 0], [0, 5], [-5, 0]].map(([u, v]) => `${chart.px(x) + u},${chart.py(y) + v}`)}"/>`,
};

const BELOW = { frozen: 24, tuned: -12, nothing: 58 }; // how far below its end a curve's name stands, in pixels

/** A way's spread over all draws as a band, its curve, and a mark for each run. */
function drawWay({ way, points }) {
  const all = curve(way, "mean");
  const band = [...all.map((p) => spot({ ...p, accuracy: p.most })), ...all.toReversed().map((p) => spot({ ...p, accuracy: p.least }))];
  const marks = points.flatMap(({ labels, scores }) => scores.map((accuracy) => MARKS[way](spot({ labels, accuracy }))));
  const end = points.at(-1);
  return `<g class="${way}"><path class="band" d="${chart.d(band)}Z"/><path d="${chart.d(points.map(spot))}"/>${marks.join("")}
    ${chart.text(spot(end), NAMES[way], 'class="curve" text-anchor="end"', 4, BELOW[way])}</g>`;
}

/** The line of the accuracy to reach, and where another way has it, down to the number of labels. */
function drawNeed({ goal, lines }) {
  const met = lines.filter(({ needs }) => needs?.side === "at").map(({ way, needs }) => {
    const x = Math.log10(needs.labels);
    return `<g class="${way}">${chart.line([x, goal], [x, 0], 'class="need"')}${chart.dot([x, goal], 6, 'class="meet"')}
      ${chart.text([x, 0], about2(needs.labels), 'text-anchor="middle" class="answer"', 0, -6)}</g>`;
  });
  return chart.line([Math.log10(min), goal], [Math.log10(max), goal], 'class="goal"') + met.join("");
}

const drawGrid = () => [0, 0.2, 0.4, 0.6, 0.8, 1].map((y) =>
  chart.line([Math.log10(min), y], [Math.log10(max), y], 'class="grid"') + chart.text([Math.log10(min), y], fmt(y, 1), 'class="tick" text-anchor="end"', -6, 4)).join("")
  + budgets.map((labels) => chart.text([Math.log10(labels), 0], count(labels), 'class="tick" text-anchor="middle"', 0, 16)).join("");

app.onDraw((state) => {
  chart.measure();
  const found = readings(state);
  const x = Math.log10(state.labels);
  chart.draw(`${drawGrid()}
    ${chart.text([Math.log10(min), 1], "test accuracy", 'class="tick"', -22, -11)}
    ${chart.text([Math.log10(max), 0], "labels", 'class="tick" text-anchor="end"', 8, 31)}
    ${chart.line([Math.log10(min), GUESSING], [Math.log10(max), GUESSING], 'class="guess"')}
    ${chart.text([Math.log10(max), GUESSING], "guessing", 'class="tick" text-anchor="end"', 0, -4)}
    ${chart.line([x, 0], [x, 1], 'class="here"')}
    ${found.goal === null ? "" : drawNeed(found)}
    ${found.lines.map(drawWay).join("")}`, inWords(state));
});

/** As many labels as stand under a place, in steps that meet the measured numbers. */
const go = ([x]) => app.set({ labels: Number((10 ** round(x, STEP)).toPrecision(2)) });
createHandle(app, chart, {
  label: "Number of labels", step: STEP,
  at: (state) => [Math.log10(state.labels), readings(state).goal ?? 0],
  words: (state) => `${count(state.labels)} labels`,
  move: go,
});
chart.element.addEventListener("click", (event) => go(chart.at(event)));

// Words and numbers

const NEEDS = {
  at: ({ labels }) => `about ${about2(labels)}`,
  more: ({ labels }) => `more than ${count(labels)}`,
  fewer: ({ labels }) => `fewer than ${count(labels)}`,
};
const SIGNS = { "about ": "≈ ", "more than ": "> ", "fewer than ": "< " }; // in the table, where words are too wide
const inTable = (state, { needs, way }) => (way === state.way ? count(state.labels)
  : needs ? NEEDS[needs.side](needs).replace(/^\D+/, (word) => SIGNS[word]) : "–");
const swatch = (way) => `<svg class="swatch ${way}" viewBox="0 0 12 12" aria-hidden="true">${{
  frozen: '<circle cx="6" cy="6" r="5"/>',
  tuned: '<rect x="1.5" y="1.5" width="9" height="9"/>',
  nothing: '<polygon points="6,0 12,6 6,12 0,6"/>',
}[way]}</svg>`;

const table = words(app, "formula", (state) => {
  const { goal, lines } = readings(state);
  const rows = lines.map((line) => `<tr class="${line.way === state.way ? "chosen" : ""}"><th scope="row">${swatch(line.way)} ${NAMES[line.way]}</th>
    <td>${line.accuracy === null ? "–" : fmt(line.accuracy, 3)}</td><td>${inTable(state, line)}</td></tr>`);
  return `<table><thead><tr><th scope="col">way</th><th scope="col">with ${count(state.labels)}</th>
    <th scope="col">labels for ${goal === null ? "–" : fmt(goal, 3)}</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
});

/** The question and its answer, in a sentence for each other way. */
function verdict(state) {
  const { goal, lines } = readings(state);
  if (goal === null) return `“${NAMES[state.way]}” has not been measured with ${count(state.labels)} labels${state.draw === "mean" ? "" : " in this draw"}.`;
  const others = lines.filter(({ needs }) => needs).map(({ way, needs, points }) => {
    const best = fmt(Math.max(...points.map(({ accuracy }) => accuracy)), 3);
    const reach = needs.side === "more" ? ` (its best is ${best})` : "";
    return `“${NAMES[way]}” needs ${NEEDS[needs.side](needs)} labels${reach}`;
  });
  return `With ${count(state.labels)} labels “${NAMES[state.way]}” has ${fmt(goal, 3)} of the test pictures right. For the same, ${others.join(", and ")}.`;
}

const inWords = (state) => `${verdict(state)} ${contested(state.draw, seen(state)).length} of the twenty pictures are on different sides.`;

// The pictures, each with what every way calls it

/** One way's answer to a picture, as a line; where runs disagree, with how many of them gave it. */
const line = (way, { answer, votes, of, right }) => `<div>${swatch(way)}
  <span class="spoken">${NAMES[way]}, ${right ? "right" : "wrong"}: </span><b aria-hidden="true">${right ? "✓" : "✗"}</b>
  <span>${className(answer)}${votes < of ? ` ${votes}/${of}` : ""}</span></div>`;

const tiles = truths.map((truth, picture) => {
  const canvas = h("canvas", { "aria-hidden": "true" });
  const lines = h("div");
  paint({ canvas, width: SIDE, height: SIDE, x: [0, SIDE], y: [-SIDE, 0] }, (x, y) =>
    mix([colorOf(picture, Math.floor(-y), Math.floor(x))], [1]));
  return { lines, element: h("li", {}, canvas, h("div", {}, h("span", { class: "truth" }, className(truth)), lines)) };
});

app.onDraw((state) => {
  const everyone = ways.map((way) => [way, answers(way, state.draw, seen(state))]).filter(([, [first]]) => first.of > 0);
  const apart = contested(state.draw, seen(state));
  tiles.forEach(({ lines, element }, picture) => {
    lines.innerHTML = everyone.map(([way, given]) => line(way, given[picture])).join("");
    element.classList.toggle("apart", apart.includes(picture));
  });
});

const heading = words(app, "heading", (state) => `<h2>Twenty of the test pictures, with ${count(seen(state))} labels</h2>
  <p class="note">${isMeasured(state) ? "" : "(The measured number next to yours.) "}${
  contested(state.draw, seen(state)).length} of them, in a thick frame, are right one way and wrong another.</p>`);

/** Choices without those that nobody has measured. */
function offered(key, legend, names, measured) {
  const element = choice(app, key, legend, names);
  element.querySelectorAll("label").forEach((label) => (label.hidden = !measured.includes(label.querySelector("input").value)));
  return element;
}

app.start(inWords,
  h("section", { class: "pictures" },
    h("div", { class: "side" }, chart.element, slider(app, "labels", "labels")),
    h("div", { class: "side" },
      offered("way", "The accuracy to reach is that of", NAMES, ways),
      offered("draw", "Draw of the labels", DRAWS, draws),
      table,
      words(app, "verdict", (state) => `<p>${verdict(state)}</p>`),
      resetButton(app)),
    h("p", { class: "note" }, `Each mark is one run; the draws differ in which pictures got labels. Lines join the means, and between what was
      measured all is read off them. Bands reach from the worst draw to the best. Accuracy is counted on 1,000 pictures: differences below
      0.03 may be chance.`)),
  h("section", { class: "strip" }, heading, h("ul", {}, ...tiles.map(({ element }) => element)),
    h("p", { class: "note" }, `Each picture has its true class beside it, and below that what each way calls it: ✓ right, ✗ wrong. Where draws disagree, the
      most frequent answer stands with the number of draws that gave it.`)));
