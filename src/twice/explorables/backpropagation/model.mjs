// A small graph of computations, forward to its loss and backward to the gradients. Pure functions, no page.

// The whole state. Written as JSON, because Python reads this list too.
// `stage` counts the steps done: forward a value at a time, then backward an arrow at a time.
export const defaults = {
  "graph": {"type": "choice", "value": "neuron", "options": ["neuron", "two layers", "skip"]},
  "activation": {"type": "choice", "value": "tanh", "options": ["sigmoid", "tanh", "relu"]},
  "stage": {"type": "integer", "value": 0, "min": 0, "max": 20, "step": 1},
  "x": {"type": "number", "value": 1.5, "min": -3, "max": 3, "step": 0.1},
  "w1": {"type": "number", "value": 0.8, "min": -3, "max": 3, "step": 0.1},
  "b1": {"type": "number", "value": -0.5, "min": -3, "max": 3, "step": 0.1},
  "w2": {"type": "number", "value": -1.2, "min": -3, "max": 3, "step": 0.1},
  "b2": {"type": "number", "value": 0.4, "min": -3, "max": 3, "step": 0.1},
  "y": {"type": "number", "value": 1, "min": -3, "max": 3, "step": 0.1}
};

export const INPUTS = ["x", "w1", "b1", "w2", "b2", "y"];

const sigmoid = (z) => 1 / (1 + Math.exp(-z));

/** The operations: the value of each from its operands, and its slopes, one for each operand. */
export const operations = {
  "+": { value: (p, q) => p + q, slopes: () => [1, 1] },
  "−": { value: (p, q) => p - q, slopes: () => [1, -1] },
  "·": { value: (p, q) => p * q, slopes: (p, q) => [q, p] },
  "²": { value: (p) => p * p, slopes: (p) => [2 * p] },
  sigmoid: { value: sigmoid, slopes: (p) => [sigmoid(p) * sigmoid(-p)] },
  tanh: { value: Math.tanh, slopes: (p) => [1 - Math.tanh(p) ** 2] },
  relu: { value: (p) => Math.max(p, 0), slopes: (p) => [p > 0 ? 1 : 0] },
};

// Each graph as its computations [name, operation, ...operands], every operand before its use; f is the activation.
const LOSS = [["e", "−", "ŷ", "y"], ["L", "²", "e"]];
const graphs = {
  "neuron": [["u1", "·", "w1", "x"], ["z1", "+", "u1", "b1"], ["ŷ", "f", "z1"], ...LOSS],
  "two layers": [["u1", "·", "w1", "x"], ["z1", "+", "u1", "b1"], ["a1", "f", "z1"],
    ["u2", "·", "w2", "a1"], ["ŷ", "+", "u2", "b2"], ...LOSS],
  "skip": [["u1", "·", "w1", "x"], ["a1", "f", "u1"], ["ŷ", "+", "x", "a1"], ...LOSS],
};

/** The computations of the chosen graph, as { name, operation, operands }. */
export const nodes = ({ graph, activation }) => graphs[graph].map(([name, operation, ...operands]) =>
  ({ name, operation: operation === "f" ? activation : operation, operands }));

/** The inputs that the chosen graph uses. */
export const used = (state) => INPUTS.filter((key) => nodes(state).some(({ operands }) => operands.includes(key)));

/** The value of every input and every computation. */
export function values(state) {
  const known = Object.fromEntries(used(state).map((key) => [key, state[key]]));
  for (const { name, operation, operands } of nodes(state)) {
    known[name] = operations[operation].value(...operands.map((operand) => known[operand]));
  }
  return known;
}

/**
 * All steps: forward each node; then ∂L/∂L = 1; then from each node, the last one first, back to each operand.
 * A step back adds `product` = `received` · `slope` to what its operand already has, and makes it `gradient`;
 * it is `complete` when nothing more will come.
 */
export function tape(state) {
  const known = values(state);
  const order = nodes(state);
  const uses = order.flatMap(({ operands }) => operands);
  const steps = order.map((node) => ({ kind: "forward", node, value: known[node.name] }));
  const gradients = { L: 1 };
  steps.push({ kind: "seed", operand: "L", gradient: 1, complete: true });
  for (const node of order.toReversed()) {
    const slopes = operations[node.operation].slopes(...node.operands.map((operand) => known[operand]));
    node.operands.forEach((operand, i) => {
      const [before, received, slope] = [gradients[operand], gradients[node.name], slopes[i]];
      const product = received * slope;
      gradients[operand] = (before ?? 0) + product;
      uses.splice(uses.indexOf(operand), 1);
      const complete = !uses.includes(operand);
      steps.push({ kind: "backward", node, operand, before, received, slope, product, gradient: gradients[operand], complete });
    });
  }
  return steps;
}

/** What is known after `stage` steps: values, gradients, and the step just done (none at the beginning). */
export function known(state) {
  const done = tape(state).slice(0, state.stage);
  const forward = done.filter(({ kind }) => kind === "forward");
  const backward = done.filter(({ kind }) => kind !== "forward");
  return {
    values: Object.fromEntries([...used(state).map((key) => [key, state[key]]), ...forward.map(({ node, value }) => [node.name, value])]),
    gradients: Object.fromEntries(backward.map((step) => [step.operand, step])), // the last word on each
    arrows: backward.filter(({ kind }) => kind === "backward"),
    step: done.at(-1),
  };
}

/** The slope of L in an input without any calculus: the central difference (L(v + h) − L(v − h)) / 2h. */
export function nudged(state, key, h = 1e-4) {
  const [above, below] = [h, -h].map((change) => values({ ...state, [key]: state[key] + change }).L);
  return (above - below) / (2 * h);
}
