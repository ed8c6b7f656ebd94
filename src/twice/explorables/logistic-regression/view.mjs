// Logistic regression on the page: the plane of points and probabilities, the curve of p, the loss, the counts.

import { createApp, button, choice, resetButton, runner, slider, words } from "../_shared/app.mjs";
import { axes, createPlot, createPoints, cssColor, divergingMap, fmt, h, mix, paint, STRENGTH } from "../_shared/plot.mjs";
import { once } from "../_shared/state.mjs";
import { confusion, decide, defaults, descend, examples, logits, metrics, probabilities, sigmoid } from "./model.mjs";

// Written as JSON, because Python reads this too.
export const about = {
  "title": "Logistic regression",
  "text": "Interactive figure: two or three classes of points in a plane coloured by the probability of each class, with the boundary, the cross-entropy, and the confusion matrix with its precision and recall. Open this notebook in Colab, in JupyterLab or in the HTML book to use it.",
  "height": 895
};

const app = createApp(defaults);
const plane = createPlot({ label: "The plane of inputs", x: [-3.2, 3.2], y: [-3.2, 3.2] });
const curve = createPlot({ label: "The probability of class 1", x: [-6, 6], y: [-0.5, 1.55], aspect: 1.5 });
const history = createPlot({ label: "The loss after each step", x: [0, 1], y: [0, 1], aspect: 2.6 });
[curve, history].forEach(({ element }) => element.classList.add("grow"));

const isTwo = (state) => state.classes === "two";
const fit = once(descend);
const counts = once((state) => confusion(fit(state).theta, state.threshold, examples(state)));

/** The boundary of two classes: two far points of w·x + b = z, or nothing where w = 0. */
function boundary([w1, w2, b], z = 0) {
  const length = Math.hypot(w1, w2);
  if (length === 0) return [];
  const away = (z - b) / length;
  const at = (s) => [(away * w1 - s * w2) / length, (away * w2 + s * w1) / length];
  return [at(-Math.abs(away) - 10), at(Math.abs(away) + 10)];
}

/** The parts of the lines between each two of three classes where the third is not likelier than both. */
function borders(theta) {
  return [[0, 1, 2], [0, 2, 1], [1, 2, 0]].map(([i, j, k]) => {
    const ends = boundary(theta[i].map((value, c) => value - theta[j][c]));
    if (ends.length === 0) return "";
    const lead = ends.map((x) => logits(theta, x)).map((z) => z[i] - z[k]); // linear along the line
    if (Math.max(...lead) < 0) return "";
    const crossing = lead[0] / (lead[0] - lead[1]);
    const meet = ends[0].map((value, c) => value + crossing * (ends[1][c] - value));
    return plane.line(lead[0] < 0 ? meet : ends[0], lead[1] < 0 ? meet : ends[1], 'class="edge"');
  }).join("");
}

/** The colour of the likeliest class, as strong as its lead over the next. */
function threeColors(theta) {
  const paper = cssColor("--paper");
  const colors = ["--blue", "--orange", "--green"].map(cssColor);
  return (x1, x2) => {
    const p = probabilities(logits(theta, [x1, x2]));
    const [second, first] = p.toSorted((a, b) => a - b).slice(-2);
    const strength = STRENGTH * (first - second);
    return mix([paper, colors[p.indexOf(first)]], [1 - strength, strength]);
  };
}

function twoColors([[w1, w2, b]]) {
  const color = divergingMap();
  return (x1, x2) => color(2 * sigmoid(w1 * x1 + w2 * x2 + b) - 1);
}

const logitOf = (p) => Math.log(p / (1 - p));

/** The boundary at the threshold, and dashed the one where both classes are equally likely. */
function cuts(theta, threshold) {
  const [half, cut] = [0, logitOf(threshold)].map((z) => boundary(theta[0], z));
  return half.length ? plane.line(...half, 'class="half"') + plane.line(...cut, 'class="edge"') : "";
}

function drawPlane(state) {
  const { theta } = fit(state);
  paint(plane, isTwo(state) ? twoColors(theta) : threeColors(theta), 2);
  const aside = state.class1.slice(state.kept).map((point) => plane.dot(point, 5, 'class="aside"'));
  plane.draw(`
    ${axes(plane, { names: ["x₁", "x₂"], xTicks: [-2, 2], yTicks: [-2, 2] })}
    ${isTwo(state) ? cuts(theta, state.threshold) : borders(theta)}${aside.join("")}`, inWords(state));
}

/** Two classes on the curve of p: each point at its logit, below or above; the threshold makes four parts. */
function drawCurve(state) {
  const { theta } = fit(state);
  const cut = logitOf(state.threshold);
  const grid = Array.from({ length: 121 }, (_, i) => (i - 60) / 10);
  const dots = examples(state).map(([x1, x2, k]) => {
    const z = Math.max(-5.8, Math.min(5.8, logits(theta, [x1, x2])[0]));
    return curve.dot([z, k], 4, `class="dot class${k}"`);
  });
  const [[tn, fp], [fn, tp]] = counts(state);
  const corner = (z, p, name) =>
    curve.text([z, p], name, `class="corner" text-anchor="${z < 0 ? "start" : "end"}"`, 0, 4);
  curve.draw(`
    ${axes(curve, { names: ["z", "p = σ(z)"], xTicks: [-4, -2, 2, 4], yTicks: [] })}
    ${curve.line([cut, curve.y[0]], [cut, curve.y[1]], 'class="edge"')}
    <path class="curve" d="${curve.d(grid.map((z) => [z, sigmoid(z)]))}"/>
    ${curve.dot([cut, state.threshold], 5, 'class="cut"')}${dots.join("")}
    ${corner(-5.8, 1.22, `false negatives ${fn}`)}${corner(5.8, 1.22, `true positives ${tp}`)}
    ${corner(-5.8, -0.38, `true negatives ${tn}`)}${corner(5.8, -0.38, `false positives ${fp}`)}`,
  `The threshold ${fmt(state.threshold)} lies at z = ${fmt(cut)}.`);
}

function drawHistory(state) {
  const { losses } = fit(state);
  const last = [losses.length - 1, losses.at(-1)];
  const steps = Math.max(last[0], 20);
  const highest = Math.max(...losses);
  history.x = [-0.09 * steps, 1.08 * steps];
  history.y = [-0.22 * highest, 1.15 * highest];
  history.draw(`
    ${axes(history, { names: ["steps", "cross-entropy"], xTicks: [steps], yTicks: [] })}
    <path class="loss" d="${history.d(losses.map((loss, step) => [step, loss]))}"/>
    ${history.dot(last, 4, 'class="now"')}
    ${history.text(last, fmt(last[1], 3), `text-anchor="${last[0] > 1 ? "end" : "start"}"`, 0, -9)}`,
  `From ${fmt(losses[0], 3)} to ${fmt(losses.at(-1), 3)}.`);
}

app.onDraw((state) => {
  curve.element.hidden = !isTwo(state);
  [plane, curve, history].forEach((plot) => plot.measure());
  drawPlane(state);
  if (isTwo(state)) drawCurve(state);
  drawHistory(state);
});

// How many points of each class take part.
const taking = [
  ({ class0 }) => class0.length,
  ({ class1, kept }) => Math.min(class1.length, kept),
  (state) => (isTwo(state) ? 0 : state.class2.length),
];
const groups = taking.map((count, k) =>
  createPoints(app, plane, { key: `class${k}`, label: `Class ${k}, point`, className: `class${k}`, count }));
app.onDraw((state) => groups.forEach(({ handles }, k) => handles.slice(0, taking[k](state)).forEach((handle, i) => {
  const answer = decide(fit(state).theta, state.threshold, state[`class${k}`][i]);
  handle.classList.toggle("wrong", answer !== k);
})));

const signed = (value) => `${value < 0 ? "−" : "+"} ${fmt(Math.abs(value))}`;
const linear = ([w1, w2, b]) => `${fmt(w1)} <i>x</i>₁ ${signed(w2)} <i>x</i>₂ ${signed(b)}`;

const formula = words(app, "formula", (state) => {
  const { theta, losses } = fit(state);
  const model = isTwo(state)
    ? `<span class="nowrap"><i>z</i> = ${linear(theta[0])},</span> <span class="nowrap"><i>p</i> = <i>σ</i>(<i>z</i>)</span>`
    : `${theta.map((row, k) => `<span class="nowrap"><i>z</i>${"₀₁₂"[k]} = ${linear(row)},</span>`).join(" ")}
       <span class="nowrap"><i>p</i> = softmax(<i>z</i>)</span>`;
  const loss = isTwo(state) ? "−[<i>y</i> log <i>p</i> + (1 − <i>y</i>) log(1 − <i>p</i>)]" : "−log <i>p</i> of the true class";
  return `<p>${model}</p><p><i>L</i> = mean of ${loss} = <b>${fmt(losses.at(-1), 3)}</b></p>`;
});

const report = words(app, "report", (state) => {
  const matrix = counts(state);
  const { accuracy, classes } = metrics(matrix);
  const rows = matrix.map((row, k) => `<tr><th scope="row">true ${k}</th>
    ${row.map((count, j) => `<td class="${j === k ? "right" : ""}">${count}</td>`).join("")}
    ${["precision", "recall", "f1"].map((name) => `<td>${fmt(classes[k][name])}</td>`).join("")}</tr>`);
  return `<table><thead><tr><td></td>${matrix.map((_, k) => `<th scope="col">→ ${k}</th>`).join("")}
    <th scope="col">precision</th><th scope="col">recall</th><th scope="col">F1</th></tr></thead>
    <tbody>${rows.join("")}</tbody></table><p>Accuracy <b>${fmt(accuracy, 3)}</b></p>`;
});

function advance() {
  app.set({ steps: app.state.steps + 1 });
  return app.state.steps < defaults.steps.max;
}
const buttons = h("div", { class: "buttons" },
  button("Step", advance),
  runner(app, "Run", advance, () => app.set({ steps: defaults.steps.max })),
  button("Back to the start", () => app.set({ steps: 0 })));

const threshold = slider(app, "threshold", "threshold");
app.onDraw((state) => (threshold.hidden = !isTwo(state)));

function inWords(state) {
  const { losses } = fit(state);
  const { accuracy, classes } = metrics(counts(state));
  const rates = isTwo(state) ? ` Class 1: precision ${fmt(classes[1].precision)}, recall ${fmt(classes[1].recall)}.` : "";
  return `${state.classes} classes, ${examples(state).length} points, ${state.steps} steps.
    Cross-entropy ${fmt(losses.at(-1), 3)}, accuracy ${fmt(accuracy, 3)}.${rates}`;
}

const kept = slider(app, "kept", "points of class 1 that take part");
kept.classList.add("long");

app.start(inWords,
  h("section", { class: "pictures" },
    plane.element,
    h("div", { class: "side" }, curve.element, history.element),
    h("p", { class: "note" }, `Drag the points (by keyboard: arrows move one, Page Up and Page Down choose one). A thick frame:
      answered wrongly. A thin ring: takes no part.`),
    formula),
  h("section", { class: "controls" },
    h("div", {},
      h("h2", {}, "Training"), slider(app, "rate", "rate"), slider(app, "steps", "steps"), buttons,
      choice(app, "classes", "The data", { two: "two classes", three: "three classes" }), kept),
    h("div", {}, h("h2", {}, "Answers"), threshold, report, resetButton(app))));
