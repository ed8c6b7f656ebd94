// A kernel that moves over a small picture: where it stands, what it multiplies, what comes out. Pure functions, no page.

// The whole state. Written as JSON, because Python reads this list too.
// `row` and `column`: the place in the output that is looked at. `filled`: how many places of the output are shown.
export const defaults = {
  "picture": {"type": "choice", "value": "digit", "options": ["digit", "dot", "square", "ramp"]},
  "kernel": {"type": "matrix", "value": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], "rows": 3, "columns": 3, "min": -9, "max": 9},
  "divide": {"type": "integer", "value": 1, "min": 1, "max": 16, "step": 1},
  "flip": {"type": "boolean", "value": false},
  "stride": {"type": "integer", "value": 1, "min": 1, "max": 3, "step": 1},
  "padding": {"type": "choice", "value": "valid", "options": ["valid", "same"]},
  "dilation": {"type": "integer", "value": 1, "min": 1, "max": 3, "step": 1},
  "row": {"type": "integer", "value": 3, "min": 0, "max": 11, "step": 1},
  "column": {"type": "integer", "value": 3, "min": 0, "max": 11, "step": 1},
  "filled": {"type": "integer", "value": 144, "min": 0, "max": 144, "step": 1}
};

export const SIZE = 12; // of a picture, along each side
const KERNEL = 3;

const range = (count) => Array.from({ length: count }, (_, i) => i);
const square = (size, value) => range(size).map((row) => range(size).map((column) => value(row, column)));

// The second of MNIST's test digits, each pixel the mean of four, without its empty edge.
const DIGIT = `
  000024410000
  000598850000
  001920560000
  000001850000
  000006810000
  000049200000
  000185000000
  000581000000
  000950000133
  000899978987
  000123442000
  000000000000`.trim().split(/\s+/);

/** The pictures, from 0 for paper to 9 for ink. */
export const PICTURES = {
  digit: DIGIT.map((row) => [...row].map(Number)),
  dot: square(SIZE, (row, column) => (row === 5 && column === 6 ? 9 : 0)),
  square: square(SIZE, (row, column) => (row >= 3 && row <= 8 && column >= 3 && column <= 8 ? 9 : 0)),
  ramp: square(SIZE, (row, column) => Math.min(column, 9)),
};

/** Kernels that people use, with what the sum is divided by. */
export const KERNELS = {
  identity: { kernel: [[0, 0, 0], [0, 1, 0], [0, 0, 0]], divide: 1 },
  blur: { kernel: [[1, 1, 1], [1, 1, 1], [1, 1, 1]], divide: 9 },
  sharpen: { kernel: [[0, -1, 0], [-1, 5, -1], [0, -1, 0]], divide: 1 },
  "vertical edges": { kernel: [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], divide: 1 },
  "horizontal edges": { kernel: [[-1, -2, -1], [0, 0, 0], [1, 2, 1]], divide: 1 },
  emboss: { kernel: [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], divide: 1 },
};

/** How far the kernel reaches, how many places it has along a side, and how many zeros stand before and after the picture. */
export function geometry({ stride, padding, dilation }) {
  const reach = (KERNEL - 1) * dilation + 1;
  if (padding === "valid") return { reach, places: Math.floor((SIZE - reach) / stride) + 1, before: 0, after: 0 };
  const places = Math.ceil(SIZE / stride);
  const zeros = Math.max((places - 1) * stride + reach - SIZE, 0);
  const before = Math.floor(zeros / 2); // where their number is odd, the end has more
  return { reach, places, before, after: zeros - before };
}

/** The kernel as it is applied: turned by half a turn where it is flipped. */
export const applied = ({ kernel, flip }) => (flip ? kernel.toReversed().map((row) => row.toReversed()) : kernel);

/** The nine products of one place: the weight w, the pixel x under it (0 outside the picture) and where that is. */
export function terms(state, [row, column]) {
  const { before } = geometry(state);
  const picture = PICTURES[state.picture];
  const under = (place, i) => place * state.stride + i * state.dilation - before;
  return applied(state).map((weights, i) => weights.map((w, j) => {
    const [r, c] = [under(row, i), under(column, j)];
    return { row: r, column: c, w, x: picture[r]?.[c] ?? 0 };
  }));
}

const sum = (values) => values.reduce((total, value) => total + value, 0);

/** The sum of the products of one place, before it is divided. */
export const total = (state, place) => sum(terms(state, place).flat().map(({ w, x }) => w * x));

/** The whole output, row by row. */
export const output = (state) =>
  square(geometry(state).places, (row, column) => total(state, [row, column]) / state.divide);

/** The place that is looked at, brought into the output. */
export function place({ row, column, ...state }) {
  const last = geometry(state).places - 1;
  return [Math.min(row, last), Math.min(column, last)];
}
