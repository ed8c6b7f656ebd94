// The state of an explorable is one declared list, `defaults`. Nothing here knows of the page.

/** The declared values, one for each key. */
export const declared = (defaults) =>
  Object.fromEntries(Object.entries(defaults).map(([key, { value }]) => [key, value]));

export const clamp = (value, min, max) => Math.min(max, Math.max(min, value));

const within = (declaration, value) => clamp(value, declaration.min, declaration.max);

const isPoint = (point, { min }) =>
  Array.isArray(point) && point.length === min.length && point.every(Number.isFinite);

// What each type makes of a value: the value itself, the nearest one in range, or undefined.
const admitted = {
  number: (d, v) => (Number.isFinite(v) ? within(d, v) : undefined),
  integer: (d, v) => (Number.isInteger(v) ? within(d, v) : undefined),
  boolean: (d, v) => (typeof v === "boolean" ? v : undefined),
  choice: (d, v) => d.options.find((option) => option === String(v)), // an address can't tell "0" from 0
  text(d, v) {
    const letters = typeof v === "object" ? null : [...String(v)]; // an address can't tell "true" from true
    return letters?.every((letter) => d.alphabet.includes(letter)) ? letters.slice(0, d.most).join("") : undefined;
  },
  matrix(d, v) {
    if (!Array.isArray(v) || v.length !== d.rows) return undefined;
    if (!v.every((row) => Array.isArray(row) && row.length === d.columns && row.every(Number.isFinite))) return undefined;
    return v.map((row) => row.map((value) => within(d, value)));
  },
  points(d, v) {
    if (!Array.isArray(v) || v.length < d.least || v.length > d.most) return undefined;
    if (!v.every((point) => isPoint(point, d))) return undefined;
    return v.map((point) => point.map((value, i) => clamp(value, d.min[i], d.max[i])));
  },
};

/** `state` with those `changes` that are declared and well typed; numbers are brought into range. */
export function admit(defaults, state, changes) {
  const next = { ...state };
  for (const [key, value] of Object.entries(changes)) {
    const declaration = Object.hasOwn(defaults, key) ? defaults[key] : null;
    const kept = declaration ? admitted[declaration.type](declaration, value) : undefined;
    if (kept !== undefined) next[key] = kept;
  }
  return next;
}

/** What of `state` is not as in `first`. */
export const altered = (first, state) => Object.fromEntries(
  Object.entries(state).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(first[key])));

/** `f` that remembers its last argument, so that all that draws one state computes it once. */
export function once(f) {
  let argument, value;
  return (state) => {
    if (state !== argument) [argument, value] = [state, f(state)];
    return value;
  };
}
