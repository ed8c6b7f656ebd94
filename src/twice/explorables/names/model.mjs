// A network that writes names letter by letter, and the counts of pairs of letters that it has to beat. Pure functions, no page.

import { decoded } from "../_shared/arrays.mjs";
import { uniform } from "../_shared/random.mjs";

// The whole state. Written as JSON, because Python reads this list too.
// A name is `beginning`, which is typed, and `more`, which was drawn or taken; `letter`: whose probabilities are shown large.
export const defaults = {
  "beginning": {"type": "text", "value": "ma", "alphabet": "abcdefghijklmnopqrstuvwxyz-", "most": 12},
  "more": {"type": "text", "value": "", "alphabet": "abcdefghijklmnopqrstuvwxyz-", "most": 15},
  "ended": {"type": "boolean", "value": false},
  "letter": {"type": "integer", "value": 16, "min": 1, "max": 16, "step": 1},
  "by": {"type": "choice", "value": "network", "options": ["network", "pairs"]},
  "temperature": {"type": "number", "value": 1, "min": 0.1, "max": 2, "step": 0.05},
  "seed": {"type": "integer", "value": 1, "min": 1, "max": 99, "step": 1}
};

// Arrays of the package's assets that the page brings along: the network's weights, and how often each letter follows each.
export const arrays = {
  "E": {"file": "names-network.npz", "array": "E"},
  "W": {"file": "names-network.npz", "array": "W"}, "U": {"file": "names-network.npz", "array": "U"},
  "b": {"file": "names-network.npz", "array": "b"},
  "V": {"file": "names-network.npz", "array": "V"}, "c": {"file": "names-network.npz", "array": "c"},
  "counts": {"file": "name-pairs.npz", "array": "counts"}
};

export const END = "\n"; // stands before and behind every name
export const SYMBOLS = END + "-abcdefghijklmnopqrstuvwxyz"; // in the order of their numbers
export const MOST = 15; // letters of the longest name
export const DRAWN = 8; // names at a time

const weights = Object.fromEntries(["E", "W", "U", "b", "V", "c"].map((name) => [name, decoded(embedded[name])]));
const counts = decoded(embedded.counts);
export const UNITS = Math.sqrt(weights.U.length / 4);
const INPUTS = weights.W.length / (4 * UNITS);

const upTo = (count) => Array.from({ length: count }, (_, i) => i);
export const sum = (values) => values.reduce((total, value) => total + value, 0);
const sigmoid = (z) => 1 / (1 + Math.exp(-z));

/** `bias` + x W, for W of shape (x.length, bias.length) as one list of numbers, row by row. */
function plus(bias, x, W) {
  const z = Float64Array.from(bias);
  x.forEach((value, i) => {
    for (let j = 0; j < z.length; j++) z[j] += value * W[i * z.length + j];
  });
  return z;
}

/** One step of the LSTM: gates i, f, g, o side by side. */
function step({ h, c }, symbol) {
  const x = weights.E.subarray(symbol * INPUTS, (symbol + 1) * INPUTS);
  const z = plus(plus(weights.b, x, weights.W), h, weights.U);
  const gate = (k) => z.subarray(k * UNITS, (k + 1) * UNITS);
  const [i, f, g, o] = [gate(0).map(sigmoid), gate(1).map(sigmoid), gate(2).map(Math.tanh), gate(3).map(sigmoid)];
  const memory = c.map((value, n) => f[n] * value + i[n] * g[n]);
  return { h: memory.map((value, n) => o[n] * Math.tanh(value)), c: memory };
}

const read = new Map(); // the state after each beginning that was needed so far

/** The network's state after the line end and the letters. */
function stateAfter(letters) {
  if (read.size > 5000) read.clear();
  if (!read.has(letters)) {
    const before = letters ? stateAfter(letters.slice(0, -1)) : { h: new Float64Array(UNITS), c: new Float64Array(UNITS) };
    read.set(letters, step(before, SYMBOLS.indexOf(letters.at(-1) ?? END)));
  }
  return read.get(letters);
}

// Each predictor's score for every symbol after some letters; the probabilities are their softmax.
const scores = {
  network: (letters) => Array.from(plus(weights.c, stateAfter(letters).h, weights.V)),
  pairs(letters) { // each pair is taken to have occurred once more than it has
    const row = SYMBOLS.indexOf(letters.at(-1) ?? END) * SYMBOLS.length;
    return upTo(SYMBOLS.length).map((k) => Math.log(counts[row + k] + 1));
  },
};

/** The probability of every symbol after some letters: softmax(z / temperature). */
export function probabilities(by, letters, temperature = 1) {
  const z = scores[by](letters);
  const most = Math.max(...z);
  const powers = z.map((value) => Math.exp((value - most) / temperature));
  const total = sum(powers);
  return powers.map((power) => power / total);
}

/** All letters there are so far. */
export const lettersOf = ({ beginning, more }) => (beginning + more).slice(0, MOST);

/** Whether nothing can follow. */
export const isWhole = (state) => state.ended || lettersOf(state).length === MOST;

/** The symbols so far: the letters, and the end if the name has ended. */
export const symbolsOf = (state) => [...lettersOf(state), ...(state.ended ? [END] : [])];

/** The number, from 0, of the symbol whose probabilities are shown: one that is there, or the next. */
export const shownAt = (state) => Math.min(state.letter - 1, symbolsOf(state).length - (isWhole(state) ? 1 : 0));

/** What each symbol of the name costs, −log₂ p. */
export const bits = (by, state) => symbolsOf(state).map((symbol, n) =>
  -Math.log2(probabilities(by, lettersOf(state).slice(0, n))[SYMBOLS.indexOf(symbol)]));

/** The numbers by which the letters of name `k` are drawn: one for each place, whatever stands before it. */
function numbers(seed, k) {
  const random = uniform(100 * seed + k);
  return upTo(MOST + 1).map(random);
}

/** The symbol that a number from 0 to 1 draws: the first at which the sum of the probabilities is larger. */
export function pick(p, number) {
  let total = 0;
  const k = p.findIndex((share) => (total += share) > number);
  return SYMBOLS[k < 0 ? p.indexOf(Math.max(...p)) : k];
}

/** The symbol drawn after some letters, as in name `k` of the seed. */
export const drawSymbol = ({ by, temperature, seed }, letters, k = 0) =>
  pick(probabilities(by, letters, temperature), numbers(seed, k)[letters.length]);

/** A name drawn to its end, or to the most letters there may be. */
export function drawName(state, letters, k = 0) {
  if (letters.length === MOST) return { letters, ended: false };
  const symbol = drawSymbol(state, letters, k);
  return symbol === END ? { letters, ended: true } : drawName(state, letters + symbol, k);
}

/** The names drawn from the beginning. */
export const drawnNames = (state) => upTo(DRAWN).map((k) => drawName(state, state.beginning, k));

/** The change that puts a symbol at the place shown, and leaves out what stood behind. */
export function taken(state, symbol) {
  const kept = lettersOf(state).slice(0, shownAt(state));
  const beginning = state.beginning.slice(0, kept.length);
  const more = kept.slice(beginning.length) + (symbol === END ? "" : symbol);
  return { beginning, more, ended: symbol === END, letter: defaults.letter.max };
}

/** The change that makes the name a drawn one. */
export const completed = (state, { letters, ended }) =>
  ({ more: letters.slice(state.beginning.length), ended, letter: defaults.letter.max });
