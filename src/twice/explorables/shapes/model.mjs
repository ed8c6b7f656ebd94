// The shapes of a network's arrays, forward and backward, with numbers drawn from a seed. Pure functions, no page.

import { readShape, sameShape } from "../_shared/answers.mjs";

// The whole state. Written as JSON, because Python reads this list too.
export const defaults = {
  "network": {"type": "choice", "value": "dense", "options": ["dense", "convolution"]},
  "way": {"type": "choice", "value": "forward", "options": ["forward", "backward"]},
  "seed": {"type": "integer", "value": 1, "min": 1, "max": 9999},
  "known": {"type": "integer", "value": 0, "min": 0, "max": 7}
};

/** Numbers that look like chance and are the same for the same seed. */
function generator(seed) {
  let state = seed * 2654435761;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 374761393) | 0;
    const mixed = Math.imul(state ^ (state >>> 13), 3266489917);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}

/** The network's numbers; those that could be mixed up are different. */
export function sizes({ seed }) {
  const random = generator(seed);
  const pick = (...options) => options[Math.floor(random() * options.length)];
  const dense = { n: pick(8, 16, 32, 64), d: pick(5, 6, 7, 12, 20), m: pick(15, 30, 50, 100), K: pick(2, 4, 10) };
  const c = pick(1, 3);
  return { ...dense, c, k: c === 3 ? 5 : pick(3, 5), s: pick(1, 2), h: pick(26, 28, 30, 34, 36, 40), m2: pick(9, 18, 24, 48) };
}

const parameter = true;

/** What is computed, layer by layer: the operation, its parameters, and the array that comes out. */
export function layers(state) {
  const { n, d, m, K, c, k, s, h, m2 } = sizes(state);
  if (state.network === "dense") {
    return {
      input: ["x", [n, d]],
      steps: [
        { op: `Dense(${m}, activation="relu")`, W: ["W₁", [d, m]], b: ["b₁", [m]], out: ["a₁", [n, m]] },
        { op: `Dense(${K})`, W: ["W₂", [m, K]], b: ["b₂", [K]], out: ["z₂", [n, K]] },
      ],
    };
  }
  const places = Math.floor((h - k) / s) + 1;
  const half = Math.floor(places / 2);
  return {
    input: ["x", [n, h, h, c]],
    steps: [
      { op: `Conv2D(${m2}, ${k}, strides=${s})`, W: ["W₁", [k, k, c, m2]], out: ["z₁", [n, places, places, m2]] },
      { op: "MaxPooling2D(2)", out: ["a₁", [n, half, half, m2]] },
      { op: "Flatten()", out: ["a₂", [n, half * half * m2]] },
      { op: `Dense(${K})`, W: ["W₂", [half * half * m2, K]], out: ["z₂", [n, K]] },
    ],
  };
}

const row = (array, formula, hint, isParameter = false) => ({ name: array[0], shape: array[1], formula, hint, isParameter });
const slopeOf = ([name, shape]) => [`d${name}`, shape];

function denseRows({ input, steps: [first, second] }, way) {
  const kernel = "A kernel has as many rows as numbers come in, and as many columns as units.";
  const own = "A gradient has the shape of what it is the gradient of.";
  const z1 = ["z₁", first.out[1]];
  if (way === "forward") {
    return [
      row(first.W, "a₁ = relu(x W₁ + b₁)", kernel, parameter),
      row(first.b, "a₁ = relu(x W₁ + b₁)", "Each unit has one bias.", parameter),
      row(first.out, "a₁ = relu(x W₁ + b₁)", "One row for each example, one column for each unit."),
      row(second.W, "z₂ = a₁ W₂ + b₂", kernel, parameter),
      row(second.b, "z₂ = a₁ W₂ + b₂", "Each unit has one bias.", parameter),
      row(second.out, "z₂ = a₁ W₂ + b₂", "One row for each example, one column for each unit."),
    ];
  }
  return [
    row(slopeOf(second.out), "dz₂ = (p − y) / n", own),
    row(slopeOf(second.W), "dW₂ = a₁ᵀ dz₂", own, parameter),
    row(slopeOf(second.b), "db₂ = sum of the rows of dz₂", own, parameter),
    row(slopeOf(first.out), "da₁ = dz₂ W₂ᵀ", own),
    row(slopeOf(z1), "dz₁ = da₁ ⊙ relu′(z₁)", own),
    row(slopeOf(first.W), "dW₁ = xᵀ dz₁", own, parameter),
    row(slopeOf(first.b), "db₁ = sum of the rows of dz₁", own, parameter),
  ];
}

function convolutionRows({ input, steps: [conv, pool, flat, dense] }, way) {
  const own = "A gradient has the shape of what it is the gradient of.";
  if (way === "forward") {
    return [
      row(conv.W, "z₁ = x ⋆ W₁ + b₁", "A kernel is (height, width, channels in, filters).", parameter),
      row(conv.out, "z₁ = x ⋆ W₁ + b₁", "Along each axis ⌊(h − k)/s⌋ + 1 places, and a channel for each filter."),
      row(pool.out, "a₁ = the largest of each 2 × 2", "Half as many places along both axes, rounded down; the channels stay."),
      row(flat.out, "a₂ = all of a₁ in a row", "All places and channels of an example stand in one row."),
      row(dense.W, "z₂ = a₂ W₂ + b₂", "A kernel has as many rows as numbers come in, and as many columns as units.", parameter),
      row(dense.out, "z₂ = a₂ W₂ + b₂", "One row for each example, one column for each unit."),
    ];
  }
  return [
    row(slopeOf(dense.out), "dz₂ = (p − y) / n", own),
    row(slopeOf(dense.W), "dW₂ = a₂ᵀ dz₂", own, parameter),
    row(slopeOf(flat.out), "da₂ = dz₂ W₂ᵀ", own),
    row(slopeOf(pool.out), "da₁ = da₂, laid out in pictures again", own),
    row(slopeOf(conv.out), "dz₁ = da₁, each where the largest was", own),
    row(slopeOf(conv.W), "dW₁ = x ⋆ dz₁", own, parameter),
    row(slopeOf(input), "dx = what dz₁ says of the pixels", own),
  ];
}

/** The arrays whose shapes are asked for, in the order in which a program computes them. */
export function rows(state) {
  return (state.network === "dense" ? denseRows : convolutionRows)(layers(state), state.way);
}

/** How many of them the reader knows. */
export const known = (state) => Math.min(state.known, rows(state).length);

export const written = (shape) => `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;

/** Judge what a reader typed for an array: null where it is right, or else what is wrong with it, in words. */
export function fault(state, { shape, hint, isParameter }, text) {
  const given = readShape(text);
  const { n } = sizes(state);
  if (given === null) return "Write a shape, such as (3, 4).";
  const right = shape.map(String);
  if (sameShape(given, right)) return null;
  if (isParameter && given[0] === String(n)) return `A parameter, like its gradient, does not know that there are ${n} examples. ${hint}`;
  if (!isParameter && sameShape([String(n), ...given], right)) return `The ${n} examples are missing: they come first.`;
  if (given.length === right.length && sameShape([...given].sort(), [...right].sort())) return `The right numbers in another order. ${hint}`;
  if (given.length !== right.length) return `It has ${right.length === 1 ? "one axis" : `${right.length} axes`}. ${hint}`;
  return hint;
}
