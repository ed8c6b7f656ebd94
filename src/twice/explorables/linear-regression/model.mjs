// A line ŷ = wu + b through points, its mean squared error, and gradient descent on it. Pure functions, no page.

// The whole state. Written as JSON, because Python reads this list too.
// w and b are where gradient descent starts; the line is where it stands after `steps` steps.
export const defaults = {
  "points": {"type": "points", "min": [0, 0], "max": [6, 6], "least": 1, "most": 20,
    "value": [[1.4, 1.9], [2.0, 3.1], [2.7, 2.3], [3.3, 3.9], [3.9, 3.4], [4.6, 5.0], [5.3, 4.4]]},
  "w": {"type": "number", "value": -0.5, "min": -3, "max": 3, "step": 0.05},
  "b": {"type": "number", "value": 4, "min": -1, "max": 7, "step": 0.05},
  "standardise": {"type": "boolean", "value": false},
  "rate": {"type": "number", "value": 0.05, "min": 0.001, "max": 2, "step": 0.001, "scale": "log"},
  "steps": {"type": "integer", "value": 0, "min": 0, "max": 200, "step": 1}
};

const LOST = 1e12; // a loss from which no path comes back

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The mean and the standard deviation of the inputs; a deviation of 0 counts as 1. */
export function spread({ points }) {
  const inputs = points.map(([x]) => x);
  const centre = mean(inputs);
  const deviation = Math.sqrt(mean(inputs.map((x) => (x - centre) ** 2)));
  return { centre, deviation: deviation > 1e-9 ? deviation : 1 };
}

/** What the line is a line in: u = (x − mean) / deviation where inputs are standardised, and else u = x. */
export function feature(state) {
  const { centre, deviation } = spread(state);
  return state.standardise ? (x) => (x - centre) / deviation : (x) => x;
}

/** The points as (u, y). */
export function pairs(state) {
  const u = feature(state);
  return state.points.map(([x, y]) => [u(x), y]);
}

/** The mean squared error L(w, b) = (1/n) Σ (wu + b − y)². */
export const loss = (data, { w, b }) => mean(data.map(([u, y]) => (w * u + b - y) ** 2));

/** ∂L/∂w = (2/n) Σ (wu + b − y) u and ∂L/∂b = (2/n) Σ (wu + b − y). */
export const gradient = (data, { w, b }) => ({
  w: 2 * mean(data.map(([u, y]) => (w * u + b - y) * u)),
  b: 2 * mean(data.map(([u, y]) => w * u + b - y)),
});

/** Where the gradient is 0; `unique` is false where all inputs are equal, and any slope is as good. */
export function minimum(data) {
  const [u, y] = [mean(data.map(([u]) => u)), mean(data.map(([, y]) => y))];
  const variance = mean(data.map(([v]) => (v - u) ** 2));
  const unique = variance > 1e-12;
  const w = unique ? mean(data.map(([v, t]) => (v - u) * (t - y))) / variance : 0;
  return { w, b: y - w * u, unique };
}

/** Eigenvalues of the second derivatives of L, 2 [[mean u², mean u], [mean u, 1]], and the angle of the larger. */
export function curvature(data) {
  const [uu, u] = [mean(data.map(([v]) => v * v)), mean(data.map(([v]) => v))];
  const radius = Math.hypot(uu - 1, 2 * u);
  const largest = uu + 1 + radius;
  return { largest, smallest: (4 * (uu - u * u)) / largest, angle: Math.atan2(2 * u, uu - 1) / 2 };
}

/** The path of gradient descent from (w, b): at most `steps` steps, fewer where it is lost. */
export function descend(state) {
  const data = pairs(state);
  const path = [{ w: state.w, b: state.b, loss: loss(data, state) }];
  while (path.length <= state.steps && path.at(-1).loss < LOST) {
    const { w, b } = path.at(-1);
    const slope = gradient(data, { w, b });
    const next = { w: w - state.rate * slope.w, b: b - state.rate * slope.b };
    path.push({ ...next, loss: loss(data, next) });
  }
  return path;
}

/** The state after switching standardisation, with the same line as before written in the other feature. */
export function switched(state) {
  const { w, b } = descend(state).at(-1);
  const { centre, deviation } = spread(state);
  const line = state.standardise
    ? { w: w / deviation, b: b - (w / deviation) * centre }
    : { w: w * deviation, b: b + w * centre };
  return { ...line, standardise: !state.standardise, steps: 0 };
}
