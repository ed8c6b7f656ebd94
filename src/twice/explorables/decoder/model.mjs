// A decoder that has read Moby-Dick, letter by letter: where each letter looks, and what it expects next. Pure functions, no page.

import { decoded } from "../_shared/arrays.mjs";
import { uniform } from "../_shared/random.mjs";
import { clamp } from "../_shared/state.mjs";

// The whole state. Written as JSON, because Python reads this list too.
// `letter`: which one is looked at, counted from the first of the text; 0 for the last. `written`: letters that the decoder adds.
export const defaults = {
  "text": {"type": "text", "value": "And God created great whales. And God cre", "most": 128,
    "alphabet": "\n !$&()*,-.0123456789:;?ABCDEFGHIJKLMNOPQRSTUVWXYZ[]abcdefghijklmnopqrstuvwxyz—‘’“”"},
  "letter": {"type": "integer", "value": 0, "min": 0, "max": 428, "step": 1},
  "block": {"type": "integer", "value": 2, "min": 1, "max": 2, "step": 1},
  "head": {"type": "integer", "value": 1, "min": 1, "max": 4, "step": 1},
  "written": {"type": "integer", "value": 0, "min": 0, "max": 300, "step": 1},
  "temperature": {"type": "number", "value": 0.7, "min": 0, "max": 2, "step": 0.05},
  "seed": {"type": "integer", "value": 1, "min": 1, "max": 99, "step": 1}
};

// All weights of a network of the package's assets, in their order, which the page brings along.
export const weights = {
  "decoder": "moby-dick-decoder.npz"
};

export const ALPHABET = defaults.text.alphabet; // the letters of Moby-Dick, in the order of their tokens

const EPSILON = 1e-3; // of the layer normalizations

const all = embedded.decoder.map((array) => ({ shape: array.shape, values: decoded(array) }));
const [E, P] = all;
const inBlocks = all.slice(2, -2);
const lastNorm = all.slice(-2).map(({ values }) => values);
const blocks = Array.from({ length: inBlocks.length / 16 }, (_, i) => inBlocks.slice(16 * i, 16 * i + 16).map(({ values }) => values));

/** What the network is made of: tokens, positions, numbers at each of them, blocks, heads, and weights in all. */
export const sizes = {
  tokens: E.shape[0], positions: P.shape[0], d: E.shape[1], blocks: blocks.length, heads: inBlocks[2].shape[1],
  weights: all.reduce((sum, { values }) => sum + values.length, 0),
};

// Letters and tokens. There may be a token 0, which is no letter.

const FIRST = sizes.tokens - ALPHABET.length; // the token of the first letter

export const letterOf = (token) => ALPHABET[token - FIRST] ?? "";

/** The tokens of a text; an empty one begins a line. */
export const tokensOf = (text) => [...(text || "\n")].map((letter) => ALPHABET.indexOf(letter) + FIRST);

/** A text as the book's printer would set it, and the letters that he does not have, each once. */
export function typeset(text) {
  const curly = text.replace(/\t/g, " ").replace(/--/g, "—").replace(/'/g, "’").replace(/(?<=^|[\s—(])"/g, "“").replace(/"/g, "”");
  const isKnown = (letter) => ALPHABET.includes(letter);
  const letters = [...curly];
  return { text: letters.filter(isKnown).join(""), missing: [...new Set(letters.filter((letter) => !isKnown(letter)))] };
}

// The layers, for the numbers x at one position

/** z = xW + b, four inputs at a time, which is faster than one. */
export function dense(x, W, b) {
  const m = b.length;
  const z = Float64Array.from(b);
  for (let i = 0; i < x.length; i += 4) {
    const x0 = x[i], x1 = x[i + 1], x2 = x[i + 2], x3 = x[i + 3];
    const w0 = i * m, w1 = w0 + m, w2 = w1 + m, w3 = w2 + m;
    for (let j = 0; j < m; j++) z[j] += x0 * W[w0 + j] + x1 * W[w1 + j] + x2 * W[w2 + j] + x3 * W[w3 + j];
  }
  return z;
}

/** The numbers with mean 0 and variance 1, then scaled and shifted. */
export function normed(x, gamma, beta) {
  let [mean, variance] = [0, 0];
  for (let i = 0; i < x.length; i++) mean += x[i] / x.length;
  for (let i = 0; i < x.length; i++) variance += (x[i] - mean) ** 2 / x.length;
  const std = Math.sqrt(variance + EPSILON);
  const y = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) y[i] = (gamma[i] * (x[i] - mean)) / std + beta[i];
  return y;
}

/** gelu, in its form with tanh. */
export const gelu = (z) => (z / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * z * (1 + 0.044715 * z * z)));

/** x grows by y. */
function grow(x, y) {
  for (let i = 0; i < x.length; i++) x[i] += y[i];
}

/** The probabilities of logits divided by the temperature; at 0 the largest has all. */
export function softmax(z, temperature = 1) {
  const p = new Float64Array(z.length);
  if (temperature === 0) {
    p[z.indexOf(Math.max(...z))] = 1;
    return p;
  }
  let [most, total] = [-Infinity, 0];
  for (let i = 0; i < z.length; i++) most = Math.max(most, z[i]);
  for (let i = 0; i < z.length; i++) total += p[i] = Math.exp((z[i] - most) / temperature);
  for (let i = 0; i < z.length; i++) p[i] /= total;
  return p;
}

// Reading: letter after letter. What has been read is a memory of keys and values, to which each new letter adds its own.

const { positions: T, d, heads } = sizes;
const each = d / heads; // numbers of a head

/** Nothing read yet. Per block: keys and values (position, number), and weights (head, position, position). */
export const nothingRead = () => ({
  tokens: [],
  logits: [],
  blocks: blocks.map(() => ({
    keys: new Float64Array(T * d), values: new Float64Array(T * d), weights: new Float64Array(heads * T * T),
  })),
});

/** The weight in a block and a head with which a letter at one place looks at another, all counted from 0. */
export const weightAt = (reading, { block, head }, from, to) =>
  reading.blocks[block - 1].weights[((head - 1) * T + from) * T + to];

/** What the heads find for the query q at position t: means of the values up to there, side by side. */
function attended(q, t, { keys, values, weights: looks }) {
  const found = new Float64Array(d);
  for (let first = 0; first < d; first += each) { // of a head's numbers
    const scores = new Float64Array(t + 1);
    for (let s = 0; s <= t; s++) {
      let score = 0;
      for (let i = first; i < first + each; i++) score += q[i] * keys[s * d + i];
      scores[s] = score / Math.sqrt(each);
    }
    const p = softmax(scores);
    looks.set(p, ((first / each) * T + t) * T);
    for (let s = 0; s <= t; s++) for (let i = first; i < first + each; i++) found[i] += p[s] * values[s * d + i];
  }
  return found;
}

/** A block at position t, for the numbers x there, which grow by what attention finds and by what the mlp makes of that. */
function through([gamma1, beta1, Wq, bq, Wk, bk, Wv, bv, Wo, bo, gamma2, beta2, W1, b1, W2, b2], memory, t, x) {
  const a = normed(x, gamma1, beta1);
  memory.keys.set(dense(a, Wk, bk), t * d);
  memory.values.set(dense(a, Wv, bv), t * d);
  grow(x, dense(attended(dense(a, Wq, bq), t, memory), Wo, bo));
  const hidden = dense(normed(x, gamma2, beta2), W1, b1);
  for (let i = 0; i < hidden.length; i++) hidden[i] = gelu(hidden[i]);
  grow(x, dense(hidden, W2, b2));
}

/** A logit for each token: x times its embedding. */
function scored(x) {
  const z = new Float64Array(sizes.tokens);
  for (let k = 0; k < z.length; k++) for (let i = 0; i < d; i++) z[k] += x[i] * E.values[k * d + i];
  return z;
}

/** Read one more token: `reading` grows by its keys, values, weights and logits. */
export function read(reading, token) {
  const t = reading.tokens.length;
  const x = new Float64Array(d);
  grow(x, E.values.subarray(token * d));
  grow(x, P.values.subarray(t * d));
  blocks.forEach((block, i) => through(block, reading.blocks[i], t, x));
  reading.tokens.push(token);
  reading.logits.push(scored(normed(x, ...lastNorm)));
}

/** Make `reading` one of these tokens, as far as `more()` allows. What it has read of them already is kept. */
export function catchUp(reading, tokens, more = () => true) {
  const differs = tokens.findIndex((token, t) => token !== reading.tokens[t]);
  const kept = differs < 0 ? tokens.length : differs;
  reading.tokens.length = reading.logits.length = Math.min(kept, reading.tokens.length);
  while (reading.tokens.length < tokens.length && more()) read(reading, tokens[reading.tokens.length]);
  return reading.tokens.length === tokens.length;
}

// Writing

/** The token at u, from 0 to 1, when the probabilities lie side by side. */
export function drawn(p, u) {
  let total = 0;
  const at = p.findIndex((share) => (total += share) > u);
  return at < 0 ? p.length - 1 : at; // rounding
}

/** What is in sight: the network has no more positions than these. */
export const inSight = (tokens) => tokens.slice(-T);

let book = { of: "", text: [], random: null, reading: nothingRead() }; // what was written last, to write on from there

/**
 * The text with what the decoder adds to it, and its reading, as far as `more()` allows: { tokens, given, reading, isRead, isWhole }.
 * `given` letters are the reader's. After the last position the window slides, and all in it is read anew.
 */
export function write({ text, temperature, seed, written }, more = () => true) {
  const given = tokensOf(text);
  const of = JSON.stringify([given, temperature, seed]);
  if (of !== book.of) book = { of, text: given, random: uniform(seed), reading: book.reading };
  const { reading } = book;
  const end = given.length + written;
  const upTo = () => book.text.slice(0, end);
  const result = (isRead, isWhole) => ({ tokens: upTo(), given: given.length, reading, isRead, isWhole });
  while (catchUp(reading, inSight(upTo()), more)) {
    if (book.text.length >= end) return result(true, true);
    if (!more()) return result(true, false);
    book.text.push(drawn(softmax(reading.logits.at(-1), temperature), book.random()));
  }
  return result(false, false);
}

// What the page shows of it

/** How many letters have gone out of sight. */
export const gone = ({ tokens }) => Math.max(0, tokens.length - T);

/** The place of the letter that is looked at, from 0: one that is in sight. */
export const chosen = ({ letter }, page) =>
  letter === 0 ? page.tokens.length - 1 : clamp(letter - 1, gone(page), page.tokens.length - 1);

/** The weights with which the letter at a place looks at each letter in sight up to itself. */
export function looks(state, page, place) {
  const from = place - gone(page);
  return Array.from({ length: from + 1 }, (_, to) => weightAt(page.reading, state, from, to));
}

/** What may come after a place, the likeliest first: { token, z, p }. */
export function expected({ temperature }, page, place) {
  const z = page.reading.logits[place - gone(page)];
  const p = softmax(z, temperature);
  return Array.from(z, (value, token) => ({ token, z: value, p: p[token] })).sort((a, b) => b.p - a.p || b.z - a.z);
}

/** The bits that the letter at a place cost, −log₂ of its probability at temperature 1; none for the first in sight. */
export function bits(page, place) {
  const before = page.reading.logits[place - 1 - gone(page)];
  return before && -Math.log2(softmax(before)[page.tokens[place]]);
}
