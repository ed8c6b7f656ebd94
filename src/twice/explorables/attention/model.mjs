// Attention in the plane: one query, a few keys, and the mean of their values that the query chooses. Pure functions, no page.

// The whole state. Written as JSON, because Python reads this list too.
// `keys`: each [k₁, k₂, v], a key with its value. `position`: where the query stands if there is a mask.
export const defaults = {
  "query": {"type": "points", "value": [[1.5, 1.1]], "min": [-3, -3], "max": [3, 3], "least": 1, "most": 1},
  "keys": {"type": "points", "value": [[2.2, 0.4, 0.8], [0.2, 2.3, -0.4], [-2.1, 0.9, -0.9], [-0.6, -2, 0.3]],
    "min": [-3, -3, -1], "max": [3, 3, 1], "least": 2, "most": 5},
  "sharpness": {"type": "number", "value": 1, "min": 0.01, "max": 100, "step": 0.01, "scale": "log"},
  "scaled": {"type": "boolean", "value": true},
  "masked": {"type": "boolean", "value": false},
  "position": {"type": "integer", "value": 2, "min": 1, "max": 5, "step": 1}
};

export const D = 2; // numbers of a query and of a key: the plane

/** Whether the query sees key i: behind a mask only those at its own position and before. */
export const sees = ({ masked, position }, i) => !masked || i < position;

export const dot = ([a, b], [c, d]) => a * c + b * d;

/** What q · k is multiplied by. */
export const factor = ({ sharpness, scaled }) => sharpness / (scaled ? Math.sqrt(D) : 1);

/** What the query finds: the score and the weight of each key, and the weighted mean of the values. */
export function attention(state) {
  const { query: [query], keys } = state;
  const scores = keys.map((key, i) => (sees(state, i) ? factor(state) * dot(query, key) : -Infinity));
  const most = Math.max(...scores);
  const powers = scores.map((z) => Math.exp(z - most));
  const total = powers.reduce((sum, power) => sum + power, 0);
  const weights = powers.map((power) => power / total);
  return { scores, weights, mean: keys.reduce((sum, [, , v], i) => sum + weights[i] * v, 0) };
}

/** The mean that a query at (x, y) would find, as a function of both: one that can be asked for a whole picture. */
export function meanAt(state) {
  const keys = state.keys.filter((_, i) => sees(state, i));
  const scale = factor(state);
  return (x, y) => {
    let most = -Infinity, total = 0, sum = 0;
    for (const [k1, k2] of keys) most = Math.max(most, x * k1 + y * k2);
    for (const [k1, k2, v] of keys) {
      const power = Math.exp(scale * (x * k1 + y * k2 - most));
      total += power;
      sum += power * v;
    }
    return sum / total;
  };
}

/** The number of keys that would share the weight evenly with as much surprise: e to the entropy, from 1 to all. */
export const evenly = (weights) =>
  Math.exp(-weights.reduce((sum, p) => sum + (p > 0 ? p * Math.log(p) : 0), 0));
