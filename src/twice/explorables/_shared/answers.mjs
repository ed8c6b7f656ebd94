// Numbers and shapes as a reader types them. Nothing here knows of the page.

const TIMES = String.raw`\s*[*×·⋅]\s*`;
const DECIMAL = String.raw`(?:\d+\.?\d*|\.\d+)`;
const NUMBER = new RegExp(
  `^([+-]?)(?:(${DECIMAL})(?:e([+-]?\\d+)|${TIMES}10\\^?\\(?([+-]?\\d+)\\)?)?|10\\^\\(?([+-]?\\d+)\\)?)$`);

const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺";
const lowered = (power) => "^" + [...power].map((sign) => "0123456789-+"[RAISED.indexOf(sign)]).join("");

/** Signs as a reader may type them, as signs that a program reads. */
const plain = (text) => text.trim().toLowerCase()
  .replace(new RegExp(`[${RAISED}]+`, "g"), lowered)
  .normalize("NFKC") // ½, and wide signs
  .replace(/[−–—]/g, "-")
  .replace(/(?<=\d)[\s_](?=\d{3}(?!\d))/g, ""); // between the thousands

function readDecimal(text) {
  const found = NUMBER.exec(text);
  if (!found) return NaN;
  const [, sign, digits = "1", e = "0", times = "0", power = "0"] = found;
  return Number(`${sign}${digits}e${Number(e) + Number(times) + Number(power)}`);
}

/** A number in one of its usual forms (0.5, .5, 1/2, 5e-1, 5·10^-1, 50 %, with any minus sign), or NaN. */
export function readNumber(text) {
  const source = plain(text).replace(/^([+-])\s+/, "$1");
  if (source.endsWith("%")) return readDecimal(source.slice(0, -1).trim()) / 100;
  const [above, below, more] = source.split(/\s*[/⁄÷]\s*/);
  if (more !== undefined) return NaN;
  return below === undefined ? readDecimal(above) : readDecimal(above) / readDecimal(below);
}

/** A shape as the list of its entries: (3, 4), [3,4], 3x4, 3 × 4, 3 by 4, (3,), () or "scalar"; null if none. */
export function readShape(text) {
  const source = plain(text).replace(/^[([{]\s*|\s*[)\]}]$/g, "").replace(/,\s*$/, "");
  if (["", "scalar"].includes(source)) return text.trim() === "" ? null : [];
  const parts = source.split(/\s*(?:,|×|\*|\bby\b|(?<=[\da-z])\s*x\s*(?=[\da-z]))\s*|\s+/);
  return parts.every((part) => /^(\d+|[a-z])$/.test(part)) ? parts.map((part) => (/^\d/.test(part) ? String(Number(part)) : part)) : null;
}

export const sameShape = (a, b) => a.length === b.length && a.every((part, i) => part === b[i]);
