// A small convolutional network that reads a digit, layer by layer, and how a drawing is made ready for it. Pure functions, no page.

import { decoded } from "../_shared/arrays.mjs";

// The whole state. Written as JSON, because Python reads this list too.
// `drawing`: pixels [row, column, grey], laid over the sample. Then all is moved and turned. `pen`: what the pointer does.
export const defaults = {
  "sample": {"type": "choice", "value": "3a", "options": ["none", "0a", "0b", "1a", "1b", "2a", "2b", "3a", "3b",
    "4a", "4b", "5a", "5b", "6a", "6b", "7a", "7b", "8a", "8b", "9a", "9b"]},
  "drawing": {"type": "points", "value": [], "min": [0, 0, 0], "max": [27, 27, 255], "least": 0, "most": 784},
  "pen": {"type": "choice", "value": "draw", "options": ["draw", "erase"]},
  "right": {"type": "integer", "value": 0, "min": -10, "max": 10, "step": 1},
  "down": {"type": "integer", "value": 0, "min": -10, "max": 10, "step": 1},
  "turn": {"type": "integer", "value": 0, "min": -90, "max": 90, "step": 1},
  "normalise": {"type": "boolean", "value": true}
};

// Arrays of the package's assets that the page brings along: the weights, and two of the first MNIST test digits of each class.
export const arrays = {
  "W1": {"file": "digits.npz", "array": "W1"}, "b1": {"file": "digits.npz", "array": "b1"},
  "W2": {"file": "digits.npz", "array": "W2"}, "b2": {"file": "digits.npz", "array": "b2"},
  "W3": {"file": "digits.npz", "array": "W3"}, "b3": {"file": "digits.npz", "array": "b3"},
  "samples": {"file": "mnist.npz", "array": "x_test",
    "rows": [3, 10, 2, 5, 1, 35, 32, 18, 4, 6, 15, 8, 11, 21, 0, 17, 61, 84, 9, 7]}
};

export const SIDE = 28; // of a picture, in pixels
const WHITE = 255; // full ink
const BOX = 20; // the longer side of a digit in MNIST
const MIDDLE = 14; // the pixel of its centre of mass
const PEN = { draw: 1.3, erase: 2.2 }; // radius, in pixels

const W1 = decoded(embedded.W1), b1 = decoded(embedded.b1);
const W2 = decoded(embedded.W2), b2 = decoded(embedded.b2);
const W3 = decoded(embedded.W3), b3 = decoded(embedded.b3);
const samples = decoded(embedded.samples);

const upTo = (count) => Array.from({ length: count }, (_, i) => i);
const sum = (values) => values.reduce((total, value) => total + value, 0);

// Pictures: the greys of 28 × 28 pixels row by row, from 0 for paper to 255 for ink.

/** A picture from the grey of each pixel. */
const pixels = (grey) => upTo(SIDE ** 2).map((i) => grey(Math.floor(i / SIDE), i % SIDE));

export const blank = () => pixels(() => 0);

/** The sample of a name; "none" is blank. */
export function sample(name) {
  const at = defaults.sample.options.indexOf(name) - 1;
  return at < 0 ? blank() : Array.from(samples.slice(at * SIDE ** 2, (at + 1) * SIDE ** 2));
}

/** The pixels with ink as [row, column, grey], as `drawing` has them. */
export const ink = (picture) =>
  picture.map((grey, i) => [Math.floor(i / SIDE), i % SIDE, grey]).filter(([, , grey]) => grey > 0);

/** The picture whose pixel (row, column) is what `from(row, column)` says of the old one, between pixels in proportion. */
export function resampled(picture, from) {
  const grey = (row, column) => (Math.min(row, column) < 0 || Math.max(row, column) >= SIDE ? 0 : picture[row * SIDE + column]);
  return pixels((row, column) => {
    const [r, c] = from(row, column);
    const [top, left] = [Math.floor(r), Math.floor(c)];
    const [v, u] = [r - top, c - left];
    return (1 - v) * ((1 - u) * grey(top, left) + u * grey(top, left + 1))
      + v * ((1 - u) * grey(top + 1, left) + u * grey(top + 1, left + 1));
  });
}

/** The picture on the board: sample and drawing, turned (clockwise, in degrees) and moved. */
export function board({ sample: name, drawing, right, down, turn }) {
  const picture = sample(name);
  for (const [row, column, grey] of drawing) picture[Math.round(row) * SIDE + Math.round(column)] = grey;
  const [c, s] = [Math.cos((turn * Math.PI) / 180), Math.sin((turn * Math.PI) / 180)];
  const centre = (SIDE - 1) / 2;
  return resampled(picture, (row, column) => {
    const [y, x] = [row - down - centre, column - right - centre];
    return [c * y - s * x + centre, s * y + c * x + centre];
  });
}

const distance = ([y, x], [y0, x0], [y1, x1]) => {
  const [dy, dx] = [y1 - y0, x1 - x0];
  const along = ((y - y0) * dy + (x - x0) * dx) / (dy * dy + dx * dx || 1);
  const t = Math.min(1, Math.max(0, along));
  return Math.hypot(y - y0 - t * dy, x - x0 - t * dx);
};

/** The picture after the pen went straight from one point [row, column] to another. */
export function stroked(picture, pen, from, to) {
  return picture.map((grey, i) => {
    const far = distance([Math.floor(i / SIDE), i % SIDE], from, to);
    const cover = Math.round(WHITE * Math.min(1, Math.max(0, PEN[pen] + 0.5 - far)));
    return pen === "draw" ? Math.max(grey, cover) : Math.min(grey, WHITE - cover);
  });
}

/** The rows and columns that have ink: the first and last of each; null where there is none. */
export function extent(picture) {
  const places = ink(picture);
  if (places.length === 0) return null;
  const ends = (axis) => [0, 1].map((i) => Math[i ? "max" : "min"](...places.map((place) => place[axis])));
  return { rows: ends(0), columns: ends(1) };
}

/** A picture as those of MNIST were made: the digit's box scaled to 20 pixels, then its centre of mass moved to the middle. */
export function normalised(picture) {
  const box = extent(picture);
  if (!box) return picture;
  const [[top, bottom], [left, right]] = [box.rows, box.columns];
  const scale = BOX / (Math.max(bottom - top, right - left) + 1);
  const edge = (SIDE - BOX) / 2;
  const source = (first, at) => first + (at + 0.5 - edge) / scale - 0.5; // from the middle of a pixel to the middle of one
  const scaled = resampled(picture, (row, column) => [source(top, row), source(left, column)]);
  const mass = sum(scaled);
  const off = (at) => Math.round(sum(ink(scaled).map((place) => place[at] * place[2])) / mass) - MIDDLE;
  const [y, x] = [off(0), off(1)];
  return resampled(scaled, (row, column) => [row + y, column + x]);
}

/** What the network is given. */
export const seen = (state) => (state.normalise ? normalised(board(state)) : board(state));

// The network. A layer's maps are { size, channels, values }: number (row, column, channel) is
// values[(row · size + column) · channels + channel], as in an array of NumPy or Keras.

/** A convolution with 3 × 3 kernels, then relu. */
export function convolved({ size, channels, values }, W, b) {
  const places = size - 2;
  const filters = b.length;
  const responses = upTo(places ** 2 * filters).map((at) => {
    const [row, column] = [Math.floor(at / filters / places), Math.floor(at / filters) % places];
    const filter = at % filters;
    let z = b[filter];
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) {
        const x = ((row + i) * size + column + j) * channels;
        const w = (i * 3 + j) * channels;
        for (let c = 0; c < channels; c++) z += values[x + c] * W[(w + c) * filters + filter];
      }
    }
    return Math.max(z, 0);
  });
  return { size: places, channels: filters, values: responses };
}

/** The largest of each 2 × 2 numbers; an odd last row or column is left out. */
export function pooled({ size, channels, values }) {
  const half = Math.floor(size / 2);
  const largest = upTo(half ** 2 * channels).map((at) => {
    const [row, column] = [Math.floor(at / channels / half), Math.floor(at / channels) % half];
    const corner = (2 * row * size + 2 * column) * channels + (at % channels);
    return Math.max(values[corner], values[corner + channels],
      values[corner + size * channels], values[corner + (size + 1) * channels]);
  });
  return { size: half, channels, values: largest };
}

/** The probabilities of the scores z; the largest is taken off first, so that nothing overflows. */
export function softmax(z) {
  const powers = z.map((value) => Math.exp(value - Math.max(...z)));
  return powers.map((power) => power / sum(powers));
}

/** Every layer's numbers for a picture. */
export function forward(picture) {
  const input = { size: SIDE, channels: 1, values: picture.map((grey) => grey / WHITE) };
  const conv1 = convolved(input, W1, b1);
  const pool1 = pooled(conv1);
  const conv2 = convolved(pool1, W2, b2);
  const pool2 = pooled(conv2);
  const z = Array.from(b3, (b, k) => b + sum(pool2.values.map((a, i) => a * W3[i * b3.length + k])));
  return { conv1, pool1, conv2, pool2, z, p: softmax(z) };
}

/** The kernels of the first layer, each as nine numbers. */
export const kernels = upTo(b1.length).map((filter) => upTo(9).map((i) => W1[i * b1.length + filter]));

/** How many weights and biases there are. */
export const parameters = sum([W1, b1, W2, b2, W3, b3].map((array) => array.length));
