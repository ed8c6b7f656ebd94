// One recurrent unit, hₜ = f(w xₜ + u hₜ₋₁ + b), unrolled over time, and the way back through it. Pure functions, no page.

// The whole state. Written as JSON, because Python reads this list too.
// `at` and `size`: the pulse, one input among zeros. `others`: how large the other inputs are instead of 0.
export const defaults = {
  "activation": {"type": "choice", "value": "linear", "options": ["linear", "tanh"]},
  "u": {"type": "number", "value": 0.5, "min": -2, "max": 2, "step": 0.05},
  "w": {"type": "number", "value": 1, "min": -2, "max": 2, "step": 0.05},
  "b": {"type": "number", "value": 0, "min": -1, "max": 1, "step": 0.05},
  "steps": {"type": "integer", "value": 12, "min": 2, "max": 20, "step": 1},
  "at": {"type": "integer", "value": 1, "min": 1, "max": 20, "step": 1},
  "size": {"type": "number", "value": 1, "min": -2, "max": 2, "step": 0.1},
  "others": {"type": "number", "value": 0, "min": 0, "max": 1, "step": 0.05}
};

export const activations = {
  linear: { f: (z) => z, slope: () => 1 },
  tanh: { f: Math.tanh, slope: (z) => 1 - Math.tanh(z) ** 2 },
};

// What the other inputs are where they are as large as can be: drawn once, evenly from −1 to 1.
export const NOISE = [0.3, -0.8, 0.9, 0.1, -0.4, 0.7, -1, -0.2, 0.6, -0.6, 0.8, 0.2, -0.9, 0.5, -0.1, 1, -0.5, 0.4, -0.7, 0];

/** The step of the pulse; a pulse behind the last step is at the last. */
export const pulseAt = ({ at, steps }) => Math.min(at, steps);

/** The inputs x₁, …, x_T. */
export const inputs = (state) => NOISE.slice(0, state.steps).map((value, i) =>
  (i + 1 === pulseAt(state) ? state.size : state.others * value));

/** What happens at each step: x, the old state, z, the new state h, and `factor` = u f′(z) = ∂hₜ/∂hₜ₋₁. */
export function unrolled(state) {
  const { f, slope } = activations[state.activation];
  let h = 0;
  return inputs(state).map((x) => {
    const old = h;
    const z = state.w * x + state.u * old + state.b;
    h = f(z);
    return { x, old, z, h, slope: slope(z), factor: state.u * slope(z) };
  });
}

/** ∂h_T/∂hₜ for t = 1, …, T: from the last step backward, each factor is multiplied on. */
export function reaching(state) {
  const steps = unrolled(state);
  const slopes = Array(steps.length).fill(1);
  for (let t = steps.length - 1; t > 0; t--) slopes[t - 1] = slopes[t] * steps[t].factor;
  return slopes;
}

/** |u|^(T − t) for t = 1, …, T: what it would be if every slope f′ were 1. */
export const power = ({ u, steps }) => Array.from({ length: steps }, (_, i) => Math.abs(u) ** (steps - 1 - i));
