// A polynomial fitted to a noisy sample, its error there and its true error, and what other samples would have given. Pure functions, no page.

import { uniform } from "../_shared/random.mjs";

// The whole state. Written as JSON, because Python reads this list too.
// `strength`: the power of ten of the penalty λ. `sample`: which of the samples that might have been drawn.
export const defaults = {
  "examples": {"type": "integer", "value": 20, "min": 3, "max": 80, "step": 1},
  "noise": {"type": "number", "value": 0.3, "min": 0, "max": 1, "step": 0.05},
  "degree": {"type": "integer", "value": 3, "min": 0, "max": 12, "step": 1},
  "strength": {"type": "number", "value": -6, "min": -6, "max": 1, "step": 0.1},
  "sample": {"type": "integer", "value": 8, "min": 1, "max": 99, "step": 1},
  "others": {"type": "boolean", "value": false}
};

export const OTHERS = 20; // samples beside the one that is shown
const GRID = Array.from({ length: 200 }, (_, i) => (i + 0.5) / 100 - 1); // the x at which functions are compared

const sum = (values) => values.reduce((total, value) => total + value, 0);
const mean = (values) => sum(values) / values.length;
const dot = (a, b) => sum(a.map((value, i) => value * b[i]));

/** What is to be learnt. */
export const truth = (x) => Math.sin(4.5 * x);

/** Sample `number`, as points (x, y): x spread evenly over −1 … 1, y the truth and noise. Fewer examples are the first of more. */
export function drawn(state, number) {
  const random = uniform(number);
  const normal = () => sum(Array.from({ length: 12 }, random)) - 6; // nearly: mean 0, variance 1
  return Array.from({ length: state.examples }, () => {
    const x = 2 * random() - 1;
    return [x, truth(x) + state.noise * normal()];
  });
}

/** The Legendre polynomials up to a degree at x, each with the mean square 1 over −1 … 1. */
export function features(degree, x) {
  const P = [1, x];
  for (let k = 1; k < degree; k++) P.push(((2 * k + 1) * x * P[k] - k * P[k - 1]) / (k + 1));
  return P.slice(0, degree + 1).map((value, k) => Math.sqrt(2 * k + 1) * value);
}

/** The solution of A c = b for a symmetric, positive definite A, by elimination. */
export function solve(A, b) {
  const rows = A.map((row, i) => [...row, b[i]]);
  rows.forEach((pivot, i) => {
    for (const row of rows.slice(i + 1)) {
      const factor = row[i] / pivot[i];
      for (let j = i; j < row.length; j++) row[j] -= factor * pivot[j];
    }
  });
  const c = [];
  for (let i = rows.length - 1; i >= 0; i--) c[i] = (rows[i].at(-1) - sum(rows[i].slice(i + 1, -1).map((value, j) => value * c[i + 1 + j]))) / rows[i][i];
  return c;
}

/** The coefficients with the least (1/n) Σ (y − f(x))² + λ Σ c², the constant going free: (ΦᵀΦ/n + λI) c = Φᵀy/n. */
export function fit(points, degree, strength) {
  const phi = points.map(([x]) => features(degree, x));
  const column = (k) => phi.map((row) => row[k]);
  const columns = phi[0].map((_, k) => column(k));
  const A = columns.map((a, k) => columns.map((b, l) => dot(a, b) / points.length + (k === l && k > 0 ? 10 ** strength : 0)));
  return solve(A, columns.map((a) => dot(a, points.map(([, y]) => y)) / points.length));
}

export const value = (coefficients, x) => dot(coefficients, features(coefficients.length - 1, x));

/** The mean squared error of a fit on its sample, and on all the examples that might come: the noise and (f − truth)². */
export const errors = (state, points, coefficients) => ({
  training: mean(points.map(([x, y]) => (value(coefficients, x) - y) ** 2)),
  true: state.noise ** 2 + mean(GRID.map((x) => (value(coefficients, x) - truth(x)) ** 2)),
});

/** Both errors for every degree. */
export function byDegree(state) {
  const points = drawn(state, state.sample);
  const degrees = Array.from({ length: defaults.degree.max + 1 }, (_, degree) => degree);
  return degrees.map((degree) => errors(state, points, fit(points, degree, state.strength)));
}

/** The fits to the sample shown and, after it, to the other samples. */
export function fits(state) {
  const numbers = Array.from({ length: OTHERS + 1 }, (_, i) => state.sample + 100 * i);
  return numbers.map((number) => fit(drawn(state, number), state.degree, state.strength));
}

/** The mean true error over all these fits, as noise + bias² + variance. */
export function parts(state) {
  const everyones = fits(state);
  const values = GRID.map((x) => everyones.map((coefficients) => value(coefficients, x)));
  const means = values.map(mean);
  return {
    noise: state.noise ** 2,
    bias: mean(means.map((centre, i) => (centre - truth(GRID[i])) ** 2)),
    variance: mean(values.map((column, i) => mean(column.map((y) => (y - means[i]) ** 2)))),
  };
}
