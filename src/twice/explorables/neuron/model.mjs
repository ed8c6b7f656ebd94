// A neuron with two inputs: a = f(z), z = w₁x₁ + w₂x₂ + b. Pure functions, no page.

// The whole state. Written as JSON, because Python reads this list too.
export const defaults = {
  "w1": {"type": "number", "value": 2, "min": -4, "max": 4, "step": 0.1},
  "w2": {"type": "number", "value": 1, "min": -4, "max": 4, "step": 0.1},
  "b": {"type": "number", "value": -1, "min": -4, "max": 4, "step": 0.1},
  "activation": {"type": "choice", "value": "sigmoid", "options": ["step", "sigmoid", "tanh", "relu", "linear"]},
  "x1": {"type": "number", "value": 1.2, "min": -2, "max": 2, "step": 0.1},
  "x2": {"type": "number", "value": -0.8, "min": -2, "max": 2, "step": 0.1},
  "data": {"type": "choice", "value": "none", "options": ["none", "AND", "OR", "XOR"]},
  "turn": {"type": "integer", "value": 0, "min": 0, "max": 3}
};

const sigmoid = (z) => 1 / (1 + Math.exp(-z));

/** Each activation with its derivative; `undefined` where there is none. */
export const activations = {
  step: { f: (z) => (z >= 0 ? 1 : 0), slope: (z) => (z === 0 ? undefined : 0) },
  sigmoid: { f: sigmoid, slope: (z) => sigmoid(z) * sigmoid(-z) },
  tanh: { f: Math.tanh, slope: (z) => 1 - Math.tanh(z) ** 2 },
  relu: { f: (z) => Math.max(z, 0), slope: (z) => (z > 0 ? 1 : 0) },
  linear: { f: (z) => z, slope: () => 1 },
};

/** The neuron's answer to the input (x1, x2). */
export function neuron({ w1, w2, b, activation }, [x1, x2]) {
  const z = w1 * x1 + w2 * x2 + b;
  return { z, a: activations[activation].f(z), slope: activations[activation].slope(z) };
}

// The rows of a truth table, and the targets of three logical functions in the same order.
export const inputs = [[0, 0], [0, 1], [1, 0], [1, 1]];
export const targets = { AND: [0, 0, 0, 1], OR: [0, 1, 1, 1], XOR: [0, 1, 1, 0] };

/** The truth table of `state.data`, with the neuron's decision for each row: 1 where z ≥ 0. */
export function table(state) {
  return (targets[state.data] ?? []).map((target, i) => {
    const { z, a } = neuron(state, inputs[i]);
    const decision = z >= 0 ? 1 : 0;
    return { x: inputs[i], target, z, a, decision, right: decision === target };
  });
}

/** The row that the perceptron rule corrects next: the first wrong one from `turn` on, or -1. */
export function nextWrong(state) {
  const rows = table(state);
  const order = rows.map((_, i) => (state.turn + i) % rows.length);
  return order.find((i) => !rows[i].right) ?? -1;
}

/** One step of the perceptron rule, w ← w + (t − y) x and b ← b + (t − y); nothing when all are right. */
export function perceptronStep(state) {
  const i = nextWrong(state);
  if (i < 0) return {};
  const { x, target, decision } = table(state)[i];
  const error = target - decision;
  return {
    w1: state.w1 + error * x[0],
    w2: state.w2 + error * x[1],
    b: state.b + error,
    turn: (i + 1) % inputs.length,
  };
}
