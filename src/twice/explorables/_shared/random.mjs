// Numbers that look random, and are the same wherever the page is read.

/** A source of numbers spread evenly from 0 to 1, the same ones for the same seed: Ettinger's mulberry32. */
export function uniform(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
