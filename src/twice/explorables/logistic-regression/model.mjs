// Logistic regression with two classes (one logit) or three (softmax), by gradient descent. Pure functions, no page.

// The whole state. Written as JSON, because Python reads this list too.
export const defaults = {
  "classes": {"type": "choice", "value": "two", "options": ["two", "three"]},
  "class0": {"type": "points", "min": [-3, -3], "max": [3, 3], "least": 1, "most": 20, "value": [
    [0.8, -2.8], [-0.5, -1.1], [-1.3, -0.8], [-2.6, -0.8], [-1.6, 2.2], [-0.7, -0.9], [-1.1, -1.2],
    [-1.8, -0.9], [-0.5, -0.8], [-0.1, -0.8], [-0.9, 0.7], [-0.4, -1], [-1.1, -0.1], [0.7, -0.8],
    [-1.1, 0.3], [-1.7, -0.8], [-0.1, -0.1], [-0.8, 0], [-2.8, 0.3], [-1.7, -2]]},
  "class1": {"type": "points", "min": [-3, -3], "max": [3, 3], "least": 1, "most": 20, "value": [
    [1, 0.5], [0.4, -1], [0.8, -0.1], [2, 0.5], [1, 0.8], [0.6, -0.9], [1.3, 0.4],
    [0.6, -0.8], [1, -2.2], [1.4, 0.3], [-0.6, 0], [0, 0.5], [-0.9, -0.9], [1.4, 0.9],
    [-1, -0.5], [1.1, -0.6], [2.2, -1.1], [1.1, -1], [2, -0.1], [0.5, -1.6]]},
  "class2": {"type": "points", "min": [-3, -3], "max": [3, 3], "least": 1, "most": 20, "value": [
    [1.1, 2.2], [0.3, 2.6], [0, 1.1], [-1, 0.9], [0.9, 0.4], [-0.8, 1.3], [-0.1, 2.1],
    [-1.4, 0.1], [-0.3, 2.6], [0.3, 1.8], [-0.6, 1.8], [-0.5, 2.3], [-1, 1.7], [-0.4, 2.1],
    [-0.1, 2.8], [1, 2.8], [-2, 1.3], [-0.8, 2.1], [-2.2, 2.6], [0.6, 0.5]]},
  "kept": {"type": "integer", "value": 20, "min": 1, "max": 20, "step": 1},
  "threshold": {"type": "number", "value": 0.5, "min": 0.01, "max": 0.99, "step": 0.01},
  "rate": {"type": "number", "value": 0.5, "min": 0.01, "max": 20, "step": 0.01, "scale": "log"},
  "steps": {"type": "integer", "value": 20, "min": 0, "max": 200, "step": 1}
};

const total = (values) => values.reduce((sum, value) => sum + value, 0);
const mean = (values) => total(values) / values.length;

/** The points that take part, as [x1, x2, class]; of class 1 only the first `kept`. */
export function examples({ classes, class0, class1, class2, kept }) {
  const groups = [class0, class1.slice(0, kept), ...(classes === "three" ? [class2] : [])];
  return groups.flatMap((points, k) => points.map(([x1, x2]) => [x1, x2, k]));
}

/** The logits of an input: one for each row [w1, w2, b] of `theta`. */
export const logits = (theta, [x1, x2]) => theta.map(([w1, w2, b]) => w1 * x1 + w2 * x2 + b);

export const sigmoid = (z) => 1 / (1 + Math.exp(-z));

/** The exponentials of the logits, shifted by the largest, over their sum. */
export function softmax(z) {
  const largest = Math.max(...z);
  const powers = z.map((value) => Math.exp(value - largest));
  return powers.map((power) => power / total(powers));
}

/** The probability of each class: one logit is that of class 1, against a 0 for class 0. */
export const probabilities = (z) => (z.length === 1 ? [sigmoid(-z[0]), sigmoid(z[0])] : softmax(z));

/** −log p of the true class, from logits: log Σ exp(z) − z of the class, where no exponential overflows. */
export function surprise(z, k) {
  const all = z.length === 1 ? [0, z[0]] : z;
  const largest = Math.max(...all);
  return largest - all[k] + Math.log(total(all.map((value) => Math.exp(value - largest))));
}

/** The cross-entropy, the mean surprise. */
export const crossEntropy = (theta, data) => mean(data.map(([x1, x2, k]) => surprise(logits(theta, [x1, x2]), k)));

/** Its gradient, in the shape of `theta`: the mean of (p − y) times (x1, x2, 1). */
export function gradient(theta, data) {
  const sums = theta.map(() => [0, 0, 0]);
  for (const [x1, x2, k] of data) {
    const p = probabilities(logits(theta, [x1, x2]));
    sums.forEach((row, j) => {
      const target = theta.length === 1 ? 1 : j;
      const error = p[target] - (k === target ? 1 : 0);
      row[0] += error * x1;
      row[1] += error * x2;
      row[2] += error;
    });
  }
  return sums.map((row) => row.map((sum) => sum / data.length));
}

/** Gradient descent from zero: the parameters after `steps` steps, and the loss before each and after the last. */
export function descend(state) {
  const data = examples(state);
  let theta = Array.from({ length: state.classes === "three" ? 3 : 1 }, () => [0, 0, 0]);
  const losses = [crossEntropy(theta, data)];
  for (let step = 0; step < state.steps; step++) {
    const slope = gradient(theta, data);
    theta = theta.map((row, j) => row.map((value, i) => value - state.rate * slope[j][i]));
    losses.push(crossEntropy(theta, data));
  }
  return { theta, losses };
}

/** The class that is answered: class 1 where its probability exceeds the threshold, or the likeliest of three. */
export function decide(theta, threshold, x) {
  const p = probabilities(logits(theta, x));
  return p.length === 2 ? Number(p[1] > threshold) : p.indexOf(Math.max(...p));
}

/** How often each true class (row) is taken for each class (column). */
export function confusion(theta, threshold, data) {
  const size = Math.max(theta.length, 2);
  const counts = Array.from({ length: size }, () => Array(size).fill(0));
  for (const [x1, x2, k] of data) counts[k][decide(theta, threshold, [x1, x2])] += 1;
  return counts;
}

const ratio = (part, whole) => (whole === 0 ? 0 : part / whole);

/** Accuracy, and for each class precision, recall and F1; a rate of nothing is 0. */
export function metrics(counts) {
  const right = counts.map((row, k) => row[k]);
  const actual = counts.map(total);
  const answered = counts.map((_, k) => total(counts.map((row) => row[k])));
  return {
    accuracy: total(right) / total(actual),
    classes: right.map((hits, k) => ({
      precision: ratio(hits, answered[k]),
      recall: ratio(hits, actual[k]),
      f1: ratio(2 * hits, answered[k] + actual[k]),
    })),
  };
}
