// The unrolled recurrence on the page: inputs and states of every step, and below each what of the last step reaches it.

import { createApp, button, choice, resetButton, slider, words } from "../_shared/app.mjs";
import { createHandle, createPlot, fmt, h, round } from "../_shared/plot.mjs";
import { once } from "../_shared/state.mjs";
import { defaults, power, pulseAt, reaching, unrolled } from "./model.mjs";

// Written as JSON, because Python reads this too.
export const about = {
  "title": "A recurrence, unrolled",
  "text": "Interactive figure: one recurrent unit unrolled over time, its inputs and states as bars, and how much of the last step's gradient reaches each step: it vanishes, stays or explodes. Open this notebook in Colab, in JupyterLab or in the HTML book to use it.",
  "height": 1120
};

const [LEFT, RIGHT] = [46, 12]; // pixels beside the steps
const ROOMY = 37; // pixels of a step that has room for a number
const CELL = { y: 6.35, reach: 2.6, half: 2.8 }; // the unit at each step, in a chain that is 10 high
const INPUT = { y: 1.82, unit: 0.65 }; // its input below
const [LEAST, MOST] = [-8, 6]; // decades that are shown

const app = createApp(defaults);
const chain = createPlot({ label: "The unrolled recurrence", x: [1, 20], y: [0, 10] });
const flow = createPlot({ label: "What of the last step's gradient reaches each step", x: [1, 20], y: [LEAST - 0.7, MOST + 2.1] });
chain.element.classList.add("chain");
flow.element.classList.add("flow");

const run = once(unrolled);
const slopes = once(reaching);

const below = (n) => [...String(n)].map((digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]).join("");
const above = (n) => [...String(n)].map((sign) => "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"["0123456789-".indexOf(sign)]).join("");

/** A number in few signs, with a power of ten where it is very large or small. */
function short(value, digits = 2) {
  const size = Math.abs(value);
  if (value === 0 || (size >= 10 ** -digits && size < 1e4)) return fmt(value, size >= 100 ? 0 : size >= 10 ? 1 : digits);
  const [mantissa, exponent] = value.toExponential(digits > 2 ? 1 : 0).split("e");
  return `${mantissa.replace("-", "−")}·10${above(Number(exponent))}`;
}

/** Both pictures have the steps at the same places. */
function measure(plot, { steps }) {
  plot.measure();
  plot.step = Math.max(plot.width - LEFT - RIGHT, 1) / steps;
  plot.x = [0.5 - LEFT / plot.step, steps + 0.5 + RIGHT / plot.step];
}

function rect(plot, [x0, y0], [x1, y1], attributes) {
  const [left, top] = [plot.px(x0), Math.min(plot.py(y0), plot.py(y1))];
  return `<rect x="${left.toFixed(1)}" y="${top.toFixed(1)}" width="${(plot.px(x1) - left).toFixed(1)}"
    height="${Math.abs(plot.py(y1) - plot.py(y0)).toFixed(1)}" ${attributes}/>`;
}

/** An arrow between two points, its head at the second. */
function arrow(plot, from, to, className, width = 1.5) {
  const [[x0, y0], [x1, y1]] = [from, to].map(([x, y]) => [plot.px(x), plot.py(y)]);
  const length = Math.hypot(x1 - x0, y1 - y0) || 1;
  const [c, s] = [(x1 - x0) / length, (y1 - y0) / length];
  const size = Math.min(3.5 + 1.2 * width, 0.9 * length);
  const corner = (back, aside) => `${(x1 - back * c - aside * s).toFixed(1)},${(y1 - back * s + aside * c).toFixed(1)}`;
  return `<g class="${className}"><path d="M${x0.toFixed(1)},${y0.toFixed(1)}L${corner(0.8 * size, 0)}" stroke-width="${width.toFixed(1)}"/>
    <polygon points="${corner(0, 0)} ${corner(size, 0.6 * size)} ${corner(size, -0.6 * size)}"/></g>`;
}

const column = (plot, t) => rect(plot, [t - 0.5, plot.y[0]], [t + 0.5, plot.y[1]], 'class="column"');

function drawChain(state) {
  const steps = run(state);
  const most = Math.max(1, ...steps.map((step) => Math.abs(step.h)));
  const isRoomy = chain.step >= ROOMY;
  const wide = isRoomy ? 0.32 : 0.34; // half a cell
  const { y, reach, half } = CELL;
  const cells = steps.map(({ x, h: value }, i) => {
    const t = i + 1;
    const isPulse = t === pulseAt(state);
    const top = y + (reach * value) / most;
    const named = isRoomy || t === steps.length;
    return `
      ${arrow(chain, [t - 1 + (i ? wide : 0.62), y], [t - wide, y], "forth")}
      ${arrow(chain, [t, INPUT.y + 1.2], [t, y - half], "entry")}
      ${rect(chain, [t - wide, y - half], [t + wide, y + half], 'class="cell" rx="5"')}
      ${rect(chain, [t - wide + 0.07, y], [t + wide - 0.07, top], 'class="value"')}
      ${chain.line([t - wide, y], [t + wide, y], 'class="zero"')}
      ${named ? chain.text([t, y + half], short(value), `class="number" text-anchor="${isRoomy ? "middle" : "end"}"`, isRoomy ? 0 : chain.step * 0.5, -5) : ""}
      ${rect(chain, [t - 0.2, INPUT.y], [t + 0.2, INPUT.y + INPUT.unit * x], `class="input${isPulse ? " pulse" : ""}"`)}
      ${chain.step >= 18 || t === 1 || t % 5 === 0 ? chain.text([t, 0], t, 'class="tick" text-anchor="middle"', 0, -5) : ""}`;
  });
  const left = chain.x[0];
  chain.draw(`${column(chain, pulseAt(state))}
    ${chain.line([0.5, INPUT.y], [steps.length + 0.5, INPUT.y], 'class="zero"')}
    ${chain.text([0.38, y], "0", 'class="number" text-anchor="end"', 0, 4)}
    ${cells.join("")}
    ${isRoomy ? chain.text([1.5, y], "u", 'class="name" text-anchor="middle"', 0, -8) : ""}
    ${chain.text([1, y - half - 0.35], "w", 'class="name" text-anchor="end"', -6, 6)}
    ${chain.text([left, y + 1.6], "hₜ", 'class="name"', 8, 0)}
    ${chain.text([left, INPUT.y], "xₜ", 'class="name"', 8, 5)}
    ${chain.text([left, 0], "t", 'class="name"', 8, -5)}`, inWords(state));
}

const decades = (value) => (value === 0 ? -Infinity : Math.log10(Math.abs(value)));
const shown = (decade) => Math.min(MOST + 0.45, Math.max(LEAST - 0.45, decade));

/** A bar from 1 up or down; where it goes on beyond the picture, it ends in a point. */
function bar(t, value) {
  const decade = decades(value);
  const end = shown(decade);
  const isBeyond = end !== decade;
  const [left, right] = [t - 0.3, t + 0.3].map(flow.px);
  const [base, tip] = [flow.py(0), flow.py(end)];
  const beyond = isBeyond ? Math.sign(tip - base) * 7 : 0;
  const points = `${left},${base} ${right},${base} ${right},${tip - beyond} ${flow.px(t)},${tip} ${left},${tip - beyond}`;
  return `<polygon class="slope${value < 0 ? " negative" : ""}" points="${points}"/>
    ${isBeyond ? "" : flow.line([t - 0.3, end], [t + 0.3, end], 'class="cap"')}`;
}

function drawFlow(state) {
  const [values, steps] = [slopes(state), run(state)];
  const T = values.length;
  const isRoomy = flow.step >= ROOMY;
  const grid = [];
  for (let k = LEAST; k <= MOST; k += 2) {
    grid.push(`${flow.line([0.5, k], [T + 0.5, k], `class="${k ? "grid" : "one"}"`)}
      ${flow.text([0.5, k], k ? `10${above(k)}` : "1", 'class="tick" text-anchor="end"', -5, 4)}`);
  }
  const bars = values.map((value, i) => {
    const decade = decades(value);
    const isBeyond = decade < LEAST - 0.45; // then the number stands at the other end
    const named = isRoomy || i === 0 || i + 1 === pulseAt(state);
    const text = flow.text([i + 1, isBeyond ? 0 : shown(decade)], short(value),
      `class="number" text-anchor="${isRoomy ? "middle" : i < 2 ? "start" : "middle"}"`, isRoomy || i > 1 ? 0 : -0.4 * flow.step, decade > 0 || isBeyond ? -6 : 15);
    return bar(i + 1, value) + (named ? text : "");
  });
  const strip = MOST + 1.25;
  const back = steps.slice(1).map(({ factor }, i) => {
    const size = Math.abs(factor);
    return `${arrow(flow, [i + 1.86, strip], [i + 1.14, strip], size < 0.005 ? "back nearly" : "back", Math.max(0.8, Math.min(4 * size, 9)))}
      ${isRoomy ? flow.text([i + 1.5, strip], short(factor), 'class="factor" text-anchor="middle"', 0, 19) : ""}`;
  });
  const line = power(state).map((value, i) => [i + 1, shown(decades(value))]);
  const inside = state.u === 0 ? [] : line;
  flow.draw(`${column(flow, pulseAt(state))}${grid.join("")}${bars.join("")}
    ${inside.length ? `<path class="power" d="${flow.d(inside)}"/>` : ""}
    ${back.join("")}
    ${flow.text([flow.x[0], strip], "u f′", 'class="name"', 6, 5)}`,
  `The gradient of the last state with respect to each state, from step 1: ${values.map((value) => short(value)).join(", ")}.`);
}

app.onDraw((state) => {
  [chain, flow].forEach((plot) => measure(plot, state));
  drawChain(state);
  drawFlow(state);
});

// Words and numbers

const factorOf = (value) => (value < 0 ? `(${short(value)})` : short(value));

/** The factors from one step to the last, the middle ones left out where there are many. */
function product(factors) {
  const written = factors.map(({ factor }) => factorOf(factor));
  return (written.length > 5 ? [...written.slice(0, 3), "…", written.at(-1)] : written).join(" · ");
}

const formula = words(app, "formula", (state) => {
  const { activation, u, w, b, steps: T } = state;
  const s = pulseAt(state);
  const { x, old, z, h: value } = run(state)[s - 1];
  const sum = `${fmt(w)} · ${factorOf(x)} ${u < 0 ? "−" : "+"} ${fmt(Math.abs(u))} · ${factorOf(old)} ${b < 0 ? "−" : "+"} ${fmt(Math.abs(b))}`;
  const isLinear = activation === "linear";
  const sub = (t) => `<sub>${t}</sub>`;
  const slope = `∂<i>h</i>${sub(T)}/∂<i>h</i>${sub(s)}`;
  return `
    <p><i>h</i>${sub("<i>t</i>")} = ${isLinear ? "" : "tanh("}<i>w</i> <i>x</i>${sub("<i>t</i>")} + <i>u</i> <i>h</i>${sub("<i>t</i>−1")} + <i>b</i>${isLinear ? "" : ")"},
      <span class="nowrap"><i>h</i>${sub(s)} = ${isLinear ? sum : `tanh(${sum})`}</span>
      <span class="nowrap">${isLinear ? "" : `= tanh(${short(z)}) `}= <b>${short(value, 3)}</b></span></p>
    <p>${s === T ? `${slope} = <b>1</b>: this is the last step.` : `<span class="nowrap">${slope} = ∏<sub><i>t</i>=${s + 1}…${T}</sub> <i>u</i> <i>f</i>′(<i>z</i><sub><i>t</i></sub>)</span>
      <span class="nowrap">= ${product(run(state).slice(s))}</span> <span class="nowrap">= <b>${short(slopes(state)[s - 1], 3)}</b></span>`}</p>`;
});

/** How it goes with what is handed back, in one or two sentences. */
function verdict(state) {
  const { activation, u, steps: T } = state;
  const [first] = slopes(state);
  if (u === 0) return "With u = 0 every step forgets all that was before it.";
  const mean = Math.abs(first) ** (1 / (T - 1)); // of the factors, geometric
  const arrives = `Of the gradient at step ${T}, ${short(first, 3)} reaches step 1`;
  if (Math.abs(mean - 1) < 1e-9) {
    return u > 0 ? `It stays: ${first === 1 ? "all of " : ""}the gradient reaches step 1. With u = 1 and no tanh, a state keeps what was put into it.`
      : "It stays, and changes its sign at each step.";
  }
  const times = Math.log(2) / Math.abs(Math.log(mean));
  const every = fmt(times, 1) === "1.0" ? "at every step" : `every ${fmt(times, 1)} steps`;
  const pace = times < 0.95 ? `a factor of ${short(mean)} a step` : `${mean < 1 ? "halved" : "doubled"} ${every}`;
  const why = activation === "tanh" && Math.abs(u) > 1 && mean < 1
    ? ` |u| is larger than 1, but tanh is flat where the states are: the geometric mean of f′ is ${short(mean / Math.abs(u), 3)}, that of |u| f′ only ${short(mean)}.` : "";
  return `It ${mean < 1 ? "vanishes" : "explodes"}: ${pace}. ${arrives}.${why}`;
}

const outcome = words(app, "outcome", (state) => `<p>${verdict(state)}</p>`);

function inWords(state) {
  const last = run(state).at(-1).h;
  return `${state.activation}, u ${fmt(state.u)}, w ${fmt(state.w)}, b ${fmt(state.b)}, ${state.steps} steps,
    a pulse of ${fmt(state.size, 1)} at step ${pulseAt(state)}. The last state is ${short(last, 3)}. ${verdict(state)}`;
}

// Examples

const EXAMPLES = {
  "vanishes": { activation: "linear", u: 0.5 },
  "stays": { activation: "linear", u: 1 },
  "explodes": { activation: "linear", u: 1.5 },
  "flips": { activation: "linear", u: -1 },
  "saturates": { activation: "tanh", u: 1.5 },
};
const examples = h("div", { class: "buttons examples", role: "group", "aria-label": "Examples" },
  ...Object.entries(EXAMPLES).map(([name, change]) => {
    const element = button(name, () => app.set({ ...change, b: 0 }));
    app.onDraw((state) => element.setAttribute("aria-pressed",
      Object.entries({ ...change, b: 0 }).every(([key, value]) => state[key] === value)));
    return element;
  }));

createHandle(app, chain, {
  label: "The pulse", className: "pulse", step: [1, 0.1 * INPUT.unit],
  at: (state) => [pulseAt(state), INPUT.y + INPUT.unit * state.size],
  words: (state) => `step ${pulseAt(state)}, size ${fmt(state.size, 1)}`,
  move: ([x, y]) => app.set({
    at: Math.min(app.state.steps, Math.max(1, Math.round(x))), size: round((y - INPUT.y) / INPUT.unit, 0.1),
  }),
});
for (const plot of [chain, flow]) {
  plot.element.addEventListener("click", (event) =>
    app.set({ at: Math.min(app.state.steps, Math.max(1, Math.round(plot.at(event)[0]))) }));
}

app.start(inWords,
  h("section", { class: "stack" },
    chain.element,
    outcome,
    flow.element,
    examples,
    h("p", { class: "note" }, `Above: inputs x and states h; drag the pulse, or click on a step. Below: what of the gradient at the last state reaches
      the state of each step. Each orange arrow is one factor u f′(z), as wide as it is large; a bar is the product of all factors to its right,
      up from 1 where it has grown, down where it has shrunk, hollow where it is negative. Dashed: |u| to the power of the steps between.`),
    formula),
  h("section", { class: "controls" },
    h("div", {}, h("h2", {}, "The unit"), slider(app, "u", "state u"), slider(app, "w", "input w"),
      slider(app, "b", "bias b"), choice(app, "activation", "Activation f")),
    h("div", {}, h("h2", {}, "The inputs"), slider(app, "at", "pulse at"), slider(app, "size", "its size"), slider(app, "others", "others"),
      slider(app, "steps", "steps T"), resetButton(app))));
