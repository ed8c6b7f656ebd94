// Overfitting on the page: a sample and the polynomial fitted to it, and the errors of every degree.

import { createApp, button, resetButton, slider, toggle, words } from "../_shared/app.mjs";
import { axes, createPlot, fmt, h } from "../_shared/plot.mjs";
import { once } from "../_shared/state.mjs";
import { byDegree, defaults, drawn, fits, parts, truth, value } from "./model.mjs";

// Written as JSON, because Python reads this too.
export const about = {
  "title": "Underfitting and overfitting",
  "text": "Interactive figure: a sample of noisy points with the polynomial fitted to it, and the training error and the true error for every degree. The reader chooses the number of examples, the noise, the degree and the penalty, and draws other samples. Open this notebook in Colab, in JupyterLab or in the HTML book to use it.",
  "height": 790
};

const [LOWEST, HIGHEST] = [-2.5, 1.5]; // of the errors that are shown, as powers of ten
const STEPS = Array.from({ length: 121 }, (_, i) => i / 60 - 1);

const app = createApp(defaults);
const scatter = createPlot({ label: "The sample and the fit", x: [-1.2, 1.2], y: [-2.4, 2.4] });
const chart = createPlot({ label: "Errors of every degree", x: [-2.2, 12.8], y: [LOWEST - 0.5, HIGHEST + 0.3], aspect: 9 / 11 });

const everyFit = once(fits);
const everyError = once(byDegree);
const everyPart = once(parts);

const curve = (f, attributes) => `<path d="${scatter.d(STEPS.map((x) => [x, Math.max(-9, Math.min(9, f(x)))]))}" ${attributes}/>`;
const fitted = (coefficients, attributes) => curve((x) => value(coefficients, x), attributes);

function drawScatter(state) {
  const [ours, ...others] = everyFit(state);
  scatter.draw(`
    ${axes(scatter, { names: ["x", "y"], xTicks: [-1, 1], yTicks: [-2, -1, 1, 2] })}
    ${state.others ? others.map((coefficients) => fitted(coefficients, 'class="other"')).join("") : ""}
    ${curve(truth, 'class="truth"')}
    ${fitted(ours, 'class="fit"')}
    ${drawn(state, state.sample).map((point) => scatter.dot(point, 4, 'class="datum"')).join("")}`, inWords(state));
}

const height = (error) => Math.max(LOWEST, Math.min(HIGHEST, Math.log10(Math.max(error, 1e-9))));

/** The errors of one kind, as a line with a dot for each degree. */
function errorLine(state, kind) {
  const places = everyError(state).map((error, degree) => [degree, height(error[kind])]);
  return `<g class="${kind}"><path d="${chart.d(places)}"/>${places.map((place) => chart.dot(place, 3.5, "")).join("")}</g>`;
}

function drawChart(state) {
  const now = everyError(state)[state.degree];
  const ticks = [[-2, "0.01"], [-1, "0.1"], [0, "1"], [1, "10"]];
  chart.draw(`
    ${ticks.map(([at, name]) => chart.line([-0.5, at], [12.6, at], 'class="grid"') + chart.text([-0.7, at], name, 'class="tick" text-anchor="end"', 0, 4)).join("")}
    ${[0, 2, 4, 6, 8, 10, 12].map((degree) => chart.text([degree, LOWEST], degree, 'class="tick" text-anchor="middle"', 0, 17)).join("")}
    ${chart.text([12.6, LOWEST], "degree", 'class="tick" text-anchor="end"', 0, 32)}
    ${chart.text([-2, HIGHEST], "squared error", 'class="tick"', 0, -4)}
    ${chart.line([state.degree, LOWEST], [state.degree, HIGHEST], 'class="chosen"')}
    ${errorLine(state, "training")}${errorLine(state, "true")}`,
  `At degree ${state.degree} the training error is ${fmt(now.training, 3)} and the true error ${fmt(now.true, 3)}.`);
}

app.onDraw((state) => {
  scatter.measure();
  chart.measure();
  drawScatter(state);
  drawChart(state);
});

const numbers = words(app, "formula", (state) => {
  const now = everyError(state)[state.degree];
  const { noise, bias, variance } = everyPart(state);
  return `
    <p><span class="training">training error ${fmt(now.training, 3)}</span>,
      <span class="true">true error <b>${fmt(now.true, 3)}</b></span>, <span class="nowrap"><i>λ</i> = ${Number((10 ** state.strength).toPrecision(2))}</span></p>
    <p>Over this and twenty other samples: <span class="nowrap">noise ${fmt(noise, 3)}</span> + <span class="nowrap">bias² ${fmt(bias, 3)}</span>
      + <span class="nowrap">variance ${fmt(variance, 3)}</span> = <b>${fmt(noise + bias + variance, 3)}</b></p>`;
});

/** Which part of the error weighs most, and what would help. */
function verdict(state) {
  const { noise, bias, variance } = everyPart(state);
  if (noise > bias + variance) return "Most of the error is noise. No model can take it away.";
  return bias > variance
    ? "Underfitting: bias outweighs variance. A higher degree or a smaller penalty would help; more examples would not."
    : "Overfitting: variance outweighs bias. More examples would help, or a larger penalty, or a lower degree.";
}

chart.element.addEventListener("click", (event) => app.set({ degree: Math.max(0, Math.round(chart.at(event)[0])) }));

const another = button("Another sample", () => app.set({ sample: (app.state.sample % defaults.sample.max) + 1 }));

function inWords(state) {
  const now = everyError(state)[state.degree];
  return `${state.examples} examples, degree ${state.degree}. Training error ${fmt(now.training, 3)}, true error ${fmt(now.true, 3)}.
    ${verdict(state)}`;
}

app.start(inWords,
  h("section", { class: "pictures" },
    scatter.element, chart.element,
    h("p", { class: "note" }, `The sample, the truth (dashed) and the polynomial fitted to the sample (blue); and its error on the sample (grey)
      and on all that might come (blue), for every degree. Click to choose one.`),
    numbers),
  h("section", { class: "controls" },
    h("div", {},
      h("h2", {}, "The data"),
      slider(app, "examples", "examples"), slider(app, "noise", "noise"), h("div", { class: "buttons" }, another, resetButton(app)),
      toggle(app, "others", "show the fits to twenty other samples")),
    h("div", {},
      h("h2", {}, "The model"),
      slider(app, "degree", "degree"), slider(app, "strength", "log₁₀ λ"),
      words(app, "verdict", (state) => `<p>${verdict(state)}</p>`))));
