// Five optimizers going down the same surface from the same start, by Keras's update rules. Pure functions, no page.

// The whole state. Written as JSON, because Python reads this list too.
// `condition` and `angle` shape the bowl: how much steeper it is one way, and how far it is turned, in degrees.
// `mu` is the momentum of momentum and Nesterov.
export const defaults = {
  "surface": {"type": "choice", "value": "bowl", "options": ["bowl", "valley", "saddle", "two minima"]},
  "condition": {"type": "number", "value": 20, "min": 1, "max": 100, "step": 0.1, "scale": "log"},
  "angle": {"type": "number", "value": 0, "min": 0, "max": 90, "step": 1},
  "x": {"type": "number", "value": -2.6, "min": -3, "max": 3, "step": 0.1},
  "y": {"type": "number", "value": 1.4, "min": -3, "max": 3, "step": 0.1},
  "steps": {"type": "integer", "value": 40, "min": 0, "max": 300, "step": 1},
  "mu": {"type": "number", "value": 0.9, "min": 0, "max": 0.99, "step": 0.01},
  "sgd": {"type": "boolean", "value": true},
  "sgd_rate": {"type": "number", "value": 0.09, "min": 0.001, "max": 2, "step": 0.001, "scale": "log"},
  "momentum": {"type": "boolean", "value": true},
  "momentum_rate": {"type": "number", "value": 0.01, "min": 0.001, "max": 2, "step": 0.001, "scale": "log"},
  "nesterov": {"type": "boolean", "value": true},
  "nesterov_rate": {"type": "number", "value": 0.01, "min": 0.001, "max": 2, "step": 0.001, "scale": "log"},
  "rmsprop": {"type": "boolean", "value": true},
  "rmsprop_rate": {"type": "number", "value": 0.1, "min": 0.001, "max": 2, "step": 0.001, "scale": "log"},
  "adam": {"type": "boolean", "value": true},
  "adam_rate": {"type": "number", "value": 0.2, "min": 0.001, "max": 2, "step": 0.001, "scale": "log"}
};

export const RUNNERS = ["sgd", "momentum", "nesterov", "rmsprop", "adam"];

const LOST = 1e6; // a loss from which no path comes back
const [RHO, BETA_1, BETA_2, EPSILON] = [0.9, 0.9, 0.999, 1e-7]; // Keras's own

// Each surface as its loss, its gradient, and where it is lowest: there the loss is 0.
const surfaces = {
  /** ½(u² + κv²), where (u, v) are the coordinates (x, y) turned by the angle. */
  bowl({ condition, angle }) {
    const [c, s] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
    const turned = ([x, y]) => [c * x + s * y, c * y - s * x];
    return {
      loss(at) {
        const [u, v] = turned(at);
        return (u * u + condition * v * v) / 2;
      },
      gradient(at) {
        const [u, v] = turned(at);
        return [c * u - s * condition * v, s * u + c * condition * v];
      },
      minima: [[0, 0]],
    };
  },
  /** (x − 2)²/10 + (y + 3/2 − x²/2)²: after Rosenbrock, a bent valley whose floor hardly falls. */
  valley: () => ({
    loss: ([x, y]) => (x - 2) ** 2 / 10 + (y + 1.5 - (x * x) / 2) ** 2,
    gradient([x, y]) {
      const wall = y + 1.5 - (x * x) / 2;
      return [(x - 2) / 5 - 2 * wall * x, 2 * wall];
    },
    minima: [[2, 0.5]],
  }),
  /** x²/2 + (y² − 4)²/16: on the line y = 0 the way leads to the saddle, and not beyond. */
  saddle: () => ({
    loss: ([x, y]) => (x * x) / 2 + (y * y - 4) ** 2 / 16,
    gradient: ([x, y]) => [x, (y * (y * y - 4)) / 4],
    minima: [[0, 2], [0, -2]],
  }),
  /** (x + 2)²((x − 2)² + 1)/16 + y²: the minimum near x = 1.7 is not the lowest. */
  "two minima": () => ({
    loss: ([x, y]) => ((x + 2) ** 2 * ((x - 2) ** 2 + 1)) / 16 + y * y,
    gradient: ([x, y]) => [((x + 2) * ((x - 2) ** 2 + 1) + (x + 2) ** 2 * (x - 2)) / 8, 2 * y],
    minima: [[-2, 0]],
  }),
};

/** The surface of a state. */
export const surface = (state) => surfaces[state.surface](state);

/**
 * What each rule adds to a parameter whose gradient is g, in step t. `memory` is what it keeps of that parameter;
 * m and v begin at 0.
 */
const rules = {
  sgd: (memory, g, rate) => -rate * g,
  momentum(memory, g, rate, mu) {
    memory.v = mu * memory.v - rate * g;
    return memory.v;
  },
  nesterov(memory, g, rate, mu) {
    memory.v = mu * memory.v - rate * g;
    return mu * memory.v - rate * g;
  },
  rmsprop(memory, g, rate) {
    memory.v = RHO * memory.v + (1 - RHO) * g * g;
    return (-rate * g) / Math.sqrt(memory.v + EPSILON);
  },
  adam(memory, g, rate, mu, t) {
    memory.m += (1 - BETA_1) * (g - memory.m);
    memory.v += (1 - BETA_2) * (g * g - memory.v);
    const alpha = (rate * Math.sqrt(1 - BETA_2 ** t)) / (1 - BETA_1 ** t);
    return (-alpha * memory.m) / (Math.sqrt(memory.v) + EPSILON);
  },
};

/** The path of one optimizer, as { at, loss }: at most `steps` steps, fewer where it is lost. */
export function descend(state, runner) {
  const { loss, gradient } = surface(state);
  const memories = [{ m: 0, v: 0 }, { m: 0, v: 0 }];
  const start = [state.x, state.y];
  const path = [{ at: start, loss: loss(start) }];
  while (path.length <= state.steps && path.at(-1).loss < LOST) {
    const { at } = path.at(-1);
    const slope = gradient(at);
    const next = at.map((value, i) =>
      value + rules[runner](memories[i], slope[i], state[`${runner}_rate`], state.mu, path.length));
    path.push({ at: next, loss: loss(next) });
  }
  return path;
}

/** The paths of all optimizers that take part, by name. */
export const race = (state) =>
  Object.fromEntries(RUNNERS.filter((runner) => state[runner]).map((runner) => [runner, descend(state, runner)]));

/** The number of steps after which a path is first below a loss, or -1. */
export const arrival = (path, goal) => path.findIndex(({ loss }) => loss < goal);

/**
 * The rates of the bowl below which three of them converge, λ its largest curvature: gradient descent 2/λ, momentum
 * 2(1 + μ)/λ, Nesterov's form 2(1 + μ)/((1 + 2μ)λ).
 */
export function limits({ condition, mu }) {
  const largest = Math.max(condition, 1);
  const momentum = (2 * (1 + mu)) / largest;
  return { sgd: 2 / largest, momentum, nesterov: momentum / (1 + 2 * mu) };
}
