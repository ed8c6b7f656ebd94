// Arrays that a page brings along: `explore.py` writes the ones that a model declares into `embedded`.

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const SIX_BITS = Object.fromEntries([...LETTERS].map((letter, i) => [letter, i]));
const TYPES = { float16: Uint16Array, float32: Float32Array, uint8: Uint8Array, uint16: Uint16Array };

/** The number that 16 bits stand for: a sign, five bits of exponent, ten of fraction. Not every browser has a Float16Array. */
function fromHalf(bits) {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  return sign * (exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction);
}

/** The numbers of an array, one after the other. Its bytes are in base64: six bits a letter; ~n~ is A (six zeros) n times. */
export function decoded({ type, base64 }) {
  const letters = base64.replace(/~(\d+)~/g, (_, n) => "A".repeat(n)).replaceAll("=", "");
  const bytes = new Uint8Array(Math.floor((letters.length * 6) / 8));
  let bits = 0;
  for (let i = 0; i < letters.length; i++) {
    bits = ((bits << 6) | SIX_BITS[letters[i]]) & 0xffff;
    const rest = (6 * (i + 1)) % 8; // the bits that do not yet make a whole byte
    if (rest < 6) bytes[Math.floor((6 * (i + 1)) / 8) - 1] = bits >> rest;
  }
  const values = new TYPES[type](bytes.buffer);
  return type === "float16" ? Float32Array.from(values, fromHalf) : values;
}
