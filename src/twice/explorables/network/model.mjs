// A network on the plane: one or two hidden layers, a sigmoid at the end, trained by gradient descent. Pure functions, no page.

import { uniform } from "../_shared/random.mjs";

// The whole state. Written as JSON, because Python reads this list too.
// `hidden2` 0: no second hidden layer. `neuron`: whose response is shown large, as layer.number.
export const defaults = {
  "data": {"type": "choice", "value": "moons", "options": ["moons", "circles", "XOR", "spiral"]},
  "hidden1": {"type": "integer", "value": 4, "min": 1, "max": 6, "step": 1},
  "hidden2": {"type": "integer", "value": 3, "min": 0, "max": 6, "step": 1},
  "activation": {"type": "choice", "value": "tanh", "options": ["sigmoid", "tanh", "relu", "linear"]},
  "scale": {"type": "number", "value": 1, "min": 0, "max": 5, "step": 0.1},
  "seed": {"type": "integer", "value": 1, "min": 1, "max": 99, "step": 1},
  "rate": {"type": "number", "value": 0.5, "min": 0.01, "max": 10, "step": 0.01, "scale": "log"},
  "steps": {"type": "integer", "value": 100, "min": 0, "max": 500, "step": 1},
  "neuron": {"type": "choice", "value": "output", "options": ["output",
    "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6"]}
};

const EACH = 40; // points of each class
const LOST = 1e6; // a loss from which no path comes back

const sum = (values) => values.reduce((total, value) => total + value, 0);
const dot = (a, b) => a.reduce((total, value, n) => total + value * b[n], 0);

const around = (radius, angle) => [radius * Math.cos(angle), radius * Math.sin(angle)];

// Where a class lies, for u from 0 to 1 along it: class 0 at side 1, class 1 at side −1; and how far points scatter.
const places = {
  moons: { scatter: 0.27, at: (u, side) => around(1.6, Math.PI * u).map((value, i) => side * (value - [0.8, 0.45][i])) },
  circles: { scatter: 0.3, at: (u, side) => around(side > 0 ? 2.3 : 0.9, 2 * Math.PI * u) },
  XOR: {
    scatter: 0,
    at(u, side, random) {
      const [x1, x2] = [0.3 + 2.2 * random(), 0.3 + 2.2 * random()];
      return u < 0.5 ? [x1, side * x2] : [-x1, -side * x2];
    },
  },
  spiral: { scatter: 0.1, at: (u, side) => around(side * (0.35 + 2.2 * u), 0.5 + 5 * u) },
};

/** The points of a data set, as [x1, x2, class]: always the same ones. */
export function examples(data) {
  const random = uniform(7);
  const { scatter, at } = places[data];
  const noise = () => scatter * (random() + random() + random() + random() - 2);
  return Array.from({ length: 2 * EACH }, (_, i) => {
    const [x1, x2] = at((Math.floor(i / 2) + 0.5) / EACH, i % 2 ? -1 : 1, random);
    return [x1 + noise(), x2 + noise(), i % 2];
  });
}

/** How many numbers there are from layer to layer, from the two inputs to the one output. */
export const sizes = ({ hidden1, hidden2 }) => [2, hidden1, ...(hidden2 ? [hidden2] : []), 1];

/** The layers to begin with: W evenly from ± scale · √(6 / (inputs + units)), Glorot's limit, and b = 0. */
export function initial(state) {
  const random = uniform(state.seed);
  const shape = sizes(state);
  return shape.slice(1).map((units, l) => {
    const limit = state.scale * Math.sqrt(6 / (shape[l] + units));
    const row = () => Array.from({ length: units }, () => limit * (2 * random() - 1));
    return { W: Array.from({ length: shape[l] }, row), b: Array(units).fill(0) };
  });
}

export const sigmoid = (z) => 1 / (1 + Math.exp(-z));

/** The activations of the hidden layers, each with its derivative. */
export const activations = {
  sigmoid: { f: sigmoid, slope: (z) => sigmoid(z) * sigmoid(-z) },
  tanh: { f: Math.tanh, slope: (z) => 1 - Math.tanh(z) ** 2 },
  relu: { f: (z) => Math.max(z, 0), slope: (z) => (z > 0 ? 1 : 0) },
  linear: { f: (z) => z, slope: () => 1 },
};

// Examples go through the layers together. They are kept by columns: an array for each input and each neuron.

/** Rows [x₁, x₂, class] as three columns. */
export const columns = (data) => [0, 1, 2].map((i) => Float64Array.from(data, (row) => row[i]));

const transposed = (rows) => Array.from(rows[0], (_, i) => rows.map((row) => row[i]));

/** z = xW + b. */
const dense = (x, { W, b }) => b.map((bias, j) => {
  const z = new Float64Array(x[0].length).fill(bias);
  x.forEach((column, i) => {
    const w = W[i][j];
    for (let n = 0; n < z.length; n++) z[n] += w * column[n];
  });
  return z;
});

/** xW alone. */
const product = (x, W) => dense(x, { W, b: W[0].map(() => 0) });

/** What every layer makes of the inputs: z = xW + b and a = f(z); the last a is the probability of class 1. */
export function forward(layers, activation, x) {
  let a = x;
  return layers.map((layer, l) => {
    const z = dense(a, layer);
    const f = l === layers.length - 1 ? sigmoid : activations[activation].f;
    a = z.map((column) => column.map(f));
    return { z, a };
  });
}

/** The cross-entropy, the mean of log(1 + exp z) − yz over the logits z, written so that nothing overflows. */
export const crossEntropy = (values, y) => sum(values.at(-1).z[0].map((z, n) =>
  Math.max(z, 0) - y[n] * z + Math.log1p(Math.exp(-Math.abs(z))))) / y.length;

/** Its gradient, in the shape of `layers`: from layer to layer backward, δ = p − y at the logit. */
export function gradient(layers, activation, x, values, y) {
  const { slope } = activations[activation];
  const slopes = [];
  let dz = [values.at(-1).a[0].map((p, n) => (p - y[n]) / y.length)];
  for (let l = layers.length - 1; l >= 0; l--) {
    const input = l ? values[l - 1].a : x;
    slopes[l] = { W: input.map((a) => dz.map((d) => dot(a, d))), b: dz.map(sum) };
    if (!l) break;
    const da = product(dz, transposed(layers[l].W));
    dz = values[l - 1].z.map((z, i) => z.map((value, n) => slope(value) * da[i][n]));
  }
  return slopes;
}

/** The layers after one step of gradient descent. */
const descended = (layers, slopes, rate) => layers.map(({ W, b }, l) => ({
  W: W.map((row, i) => row.map((value, j) => value - rate * slopes[l].W[i][j])),
  b: b.map((value, j) => value - rate * slopes[l].b[j]),
}));

let run = { of: "", path: [] }; // the last training, so that only new steps are computed

/**
 * The layers and their loss before each of `steps` steps and after the last; fewer where the descent is lost.
 * A path that is not known is computed one step further, and on as long as `goOn()`; `arrived` tells whether that was all.
 */
export function train({ steps, neuron, ...setting }, goOn = () => true) {
  const { data, activation, rate } = setting;
  const [x1, x2, y] = columns(examples(data));
  const go = (layers) => {
    run.values = forward(layers, activation, [x1, x2]);
    run.path.push({ layers, loss: crossEntropy(run.values, y) });
  };
  const of = JSON.stringify(setting);
  if (run.of !== of) {
    run = { of, path: [] };
    go(initial(setting));
  }
  while (!arrived(run.path, steps)) {
    const { layers } = run.path.at(-1);
    go(descended(layers, gradient(layers, activation, [x1, x2], run.values, y), rate));
    if (!goOn()) break;
  }
  return run.path.slice(0, steps + 1);
}

/** Whether a path has all of its steps, or is lost. */
export const arrived = (path, steps) => path.length > steps || !(path.at(-1).loss < LOST);

/** Which points lie on their side: class 1 where p > ½, which is z > 0. */
export function verdicts(layers, activation, data) {
  const [x1, x2, y] = columns(data);
  return Array.from(forward(layers, activation, [x1, x2]).at(-1).z[0], (z, n) => z > 0 === (y[n] === 1));
}

/** How many of them do. */
export const right = (layers, activation, data) => verdicts(layers, activation, data).filter(Boolean).length;

/** The one layer that a chain of linear layers amounts to: (xW + b)V + c = x(WV) + (bV + c). */
export const collapsed = (layers) => layers.reduce(({ W, b }, next) => ({
  W: transposed(product(transposed(W), next.W)),
  b: dense(b.map((value) => [value]), next).map(([value]) => value),
}));

/** Whose response is shown: [layer, number], both from 0; the output where the chosen neuron is not there. */
export function shown(state) {
  const [layer, number] = state.neuron.split(".").map(Number);
  const hidden = [state.hidden1, state.hidden2];
  return number <= hidden[layer - 1] ? [layer - 1, number - 1] : [sizes(state).length - 2, 0];
}
